//! Who may do what, as the settings say now: one value, replaced as a whole when they are read anew.

use std::sync::Arc;

use super::acl::{Acl, Intent};
use super::auth::{Access, Auth, Caller, Client, Origin};
use super::rate::{Counted, Rate};
use super::request::Target;
use crate::netbox::object::Resource;
use crate::netbox::pattern::Pattern;
use crate::netbox::token::Token;

/// Who is let in, and to what.
#[derive(Debug, Clone)]
pub struct Config {
    /// NetBox's token, shared by all clients that have none of their own; `None` asks NetBox anonymously.
    pub token: Option<Arc<Token>>,
    /// The clients that have a key or a certificate.
    pub clients: Vec<Client>,
    /// What may be done without one.
    pub anonymous: Option<Access>,
    /// Whether that is so only because nothing else was said: then clients must call nbproxy by a loopback name, as a page of
    /// the web may have its own name lead here (DNS rebinding).
    pub by_default: bool,
    /// Whether callers may bring tokens of NetBox's.
    pub passthrough: bool,
    /// What is closed on the shared token, unless a client's `allow` names it.
    pub deny: Vec<Pattern>,
    /// How often each caller may ask that has no limit of its own.
    pub rate: Option<Rate>,
    /// What becomes of unknown filters, for callers that are no clients.
    pub strict: Strictness,
    /// Whether clients are named in the changelog.
    pub changelog_message: bool,
}

/// What becomes of filters that NetBox does not know, and silently ignores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strictness {
    /// Nothing.
    #[default]
    Off,
    /// They are counted.
    Warn,
    /// They are refused.
    Enforce,
}

/// Knows who is who, and decides.
#[derive(Debug)]
pub struct AccessControl {
    pub(super) auth: Auth,
    pub(super) acl: Acl,
    by_default: bool,
    rate: Option<Rate>,
    strict: Strictness,
    /// Whether anybody may be held to filters that are known.
    any_strict: bool,
    changelog_message: bool,
}

impl Config {
    /// Whether anybody may read this with the shared token, in the branch that it names.
    pub fn opens(&self, target: &Target) -> bool {
        let acl = Acl::new(None, self.deny.clone());
        let sharing = self.clients.iter().filter(|client| client.token.is_none());
        let clients = sharing.map(|client| Caller::Client(Arc::new(client.clone())));
        let reads = |caller: &Caller| {
            let permit = acl.permit(caller, target, Intent::Read);
            permit.is_ok_and(|permit| permit.view().branch == target.branch)
        };
        // Its document is told anybody.
        target.path.resource() == Resource::Schema
            || clients.chain(self.anonymous.map(Caller::Anonymous)).any(|c| reads(&c))
    }
}

impl AccessControl {
    /// By these settings.
    pub fn new(config: Config) -> Self {
        let Config { token, clients, anonymous, by_default, passthrough, deny, rate, strict, changelog_message } =
            config;
        let any_strict =
            clients.iter().map(|client| client.strict).chain([strict]).any(|strict| strict != Strictness::Off);
        let auth = Auth::new(clients, anonymous, passthrough);
        Self { auth, acl: Acl::new(token, deny), by_default, rate, strict, any_strict, changelog_message }
    }

    /// Whether clients must call nbproxy by a loopback name.
    pub(super) fn takes_loopback_names_only(&self) -> bool {
        self.by_default
    }

    /// How often this caller may ask, and with whom it shares; nobody is who could not be told.
    pub(super) fn rate(&self, caller: Option<&Caller>, origin: &Origin) -> Option<(Rate, Counted)> {
        match caller {
            Some(Caller::Client(client)) => {
                client.rate.or(self.rate).map(|rate| (rate, Counted::Client(Arc::clone(&client.name))))
            }
            // Whoever guesses tokens has many of them, from one address.
            Some(Caller::Visitor(_) | Caller::Anonymous(_) | Caller::Reader) | None => {
                self.rate.map(|rate| (rate, Counted::address(origin.address)))
            }
        }
    }

    /// Whether the filters that NetBox knows are of interest to anybody.
    pub(super) fn is_strict(&self) -> bool {
        self.any_strict
    }

    /// What becomes of this caller's unknown filters.
    pub(super) fn strict(&self, caller: &Caller) -> Strictness {
        match caller {
            Caller::Client(client) => client.strict,
            Caller::Visitor(_) | Caller::Anonymous(_) | Caller::Reader => self.strict,
        }
    }

    /// The name that this caller's writes carry in NetBox's changelog, if they are to.
    pub(super) fn signature<'a>(&self, caller: &'a Caller) -> Option<&'a str> {
        match caller {
            Caller::Client(client) => self.changelog_message.then_some(client.name.as_ref()),
            // NetBox knows a visitor by its token, and nbproxy knows nobody else.
            Caller::Visitor(_) | Caller::Anonymous(_) | Caller::Reader => None,
        }
    }
}
