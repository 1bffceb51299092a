//! May they, and whose view do they get. A [`Permit`] is the proof: nothing is looked up or sent without one.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method};

use super::auth::{Access, Caller, Client, Denied, Visitor};
use super::request::Target;
use crate::cache::key::{Identity, View};
use crate::netbox::branch::Branch;
use crate::netbox::object::Resource;
use crate::netbox::outgoing::{Outgoing, OutgoingBody};
use crate::netbox::pattern::Pattern;
use crate::netbox::token::{Fingerprint, Token};

/// Whether a request may change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// It reads.
    Read,
    /// It may write.
    Write,
}

/// Proof that the caller may do this. It has no public constructor.
#[derive(Debug, Clone)]
pub struct Permit {
    token: Option<Arc<Token>>,
    view: View,
    visitor: Option<Visitor>,
    max_stale: Duration,
}

/// Decides.
#[derive(Debug)]
pub struct Acl {
    /// The shared token.
    token: Option<Arc<Token>>,
    /// What is closed to those who use a token that is not theirs, unless their `allow` names it.
    deny: Vec<Pattern>,
}

impl Acl {
    /// Decides by these rules.
    pub(super) fn new(token: Option<Arc<Token>>, deny: Vec<Pattern>) -> Self {
        Self { token, deny }
    }

    /// Lets the caller do this, or says why not.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn permit(&self, caller: &Caller, target: &Target, intent: Intent) -> Result<Permit, Denied> {
        let (access, client) = match caller {
            Caller::Visitor(visitor) => return Ok(Permit::of_visitor(visitor, target)),
            Caller::Client(client) => (client.access, Some(client.as_ref())),
            Caller::Anonymous(access) => (*access, None),
            Caller::Reader => (Access::Read, None),
        };
        if intent == Intent::Write && access == Access::Read {
            return Err(Denied::ReadOnly);
        }
        if !self.is_open(client, target, intent) {
            return Err(Denied::Closed { endpoint: target.path.name().to_owned() });
        }
        let branch = branch(client, target)?;
        let token = client.and_then(|client| client.token.as_ref()).or(self.token.as_ref());
        let identity = entrusted(token);
        let max_stale = client.map(|client| client.max_stale).unwrap_or_default();
        Ok(Permit { token: token.cloned(), view: View { identity, branch }, visitor: None, max_stale })
    }

    /// Leave for nbproxy's own questions, with the shared token and to main.
    pub(super) fn own(&self) -> Permit {
        let view = View { identity: entrusted(self.token.as_ref()), branch: Branch::Main };
        Permit { token: self.token.clone(), view, visitor: None, max_stale: Duration::ZERO }
    }

    /// The same, to that branch.
    pub(super) fn own_in(&self, branch: Branch) -> Permit {
        let own = self.own();
        Permit { view: View { branch, ..own.view }, ..own }
    }

    fn is_open(&self, client: Option<&Client>, target: &Target, intent: Intent) -> bool {
        let hits = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(&target.path));
        if client.is_some_and(|client| hits(&client.deny) || !hits(&client.allow)) {
            return false;
        }
        // `extras/*` was hardly meant to open the webhooks' secrets: what is closed is named as it is, or as it was closed.
        let names = |pattern: &Pattern| pattern.is_literal() || self.deny.contains(pattern);
        let named = |pattern: &Pattern| pattern.matches(&target.path) && names(pattern);
        if client.is_some_and(|client| client.allow.iter().any(named)) {
            return true;
        }
        match reach(&target.path.resource(), intent) {
            Reach::Itself => !hits(&self.deny),
            Reach::Everything => self.deny.is_empty() && client.is_none_or(Client::is_unlimited),
        }
    }
}

/// How far a request reaches in NetBox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// To what its path names.
    Itself,
    /// To all that the token may see: what is closed by name would be open by it.
    Everything,
}

/// GraphQL queries any type. Templates and scripts are run by NetBox with access to all models, custom links are rendered with
/// the session of whoever looks at them, and event rules send what they are told to anywhere: who may write them may read
/// anything (NetBox 4.6, extras/models).
fn reach(resource: &Resource<'_>, intent: Intent) -> Reach {
    match resource {
        Resource::GraphQl => Reach::Everything,
        Resource::List(endpoint) | Resource::Object(endpoint, _) | Resource::Below(endpoint, _)
            if intent == Intent::Write && endpoint.app == "extras" && !endpoint.plugin =>
        {
            match endpoint.name {
                "config-templates" | "custom-links" | "export-templates" | "event-rules" | "scripts" | "webhooks" => {
                    Reach::Everything
                }
                _ => Reach::Itself,
            }
        }
        Resource::Root
        | Resource::AppRoot
        | Resource::Status
        | Resource::Schema
        | Resource::List(_)
        | Resource::Object(..)
        | Resource::Below(..)
        | Resource::Single(_) => Reach::Itself,
    }
}

fn entrusted(token: Option<&Arc<Token>>) -> Identity {
    Identity::Entrusted(token.map_or_else(Fingerprint::anonymous, |token| token.fingerprint()))
}

fn branch(client: Option<&Client>, target: &Target) -> Result<Branch, Denied> {
    match client.and_then(|client| client.branch) {
        None => Ok(target.branch),
        Some(pinned) if target.branch == pinned => Ok(pinned),
        // Saying nothing is not asking for main.
        Some(pinned) if target.branch == Branch::Main && !target.names_main() => Ok(pinned),
        Some(_) => Err(Denied::Branch),
    }
}

impl Permit {
    /// NetBox decides what its token may.
    fn of_visitor(visitor: &Visitor, target: &Target) -> Self {
        let view = View { identity: Identity::Own(visitor.fingerprint()), branch: target.branch };
        let token = Some(Arc::clone(&visitor.token));
        Self { token, view, visitor: Some(visitor.clone()), max_stale: Duration::ZERO }
    }

    /// Who brought a token of its own, if it was one.
    pub(super) fn visitor(&self) -> Option<&Visitor> {
        self.visitor.as_ref()
    }

    /// How long an answer may have been outdated that the caller still accepts.
    pub(super) fn max_stale(&self) -> Duration {
        self.max_stale
    }

    /// Whose eyes see the answer.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Whether there is a token to ask with.
    pub(super) fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// What is sent by this leave: with its token, to its branch, and from where its visitor is.
    pub(super) fn outgoing(
        &self,
        method: Method,
        path_and_query: String,
        mut headers: HeaderMap,
        body: OutgoingBody,
    ) -> Outgoing {
        if let Some(visitor) = &self.visitor {
            visitor.introduce(&mut headers);
        }
        let (token, branch) = (self.token.clone(), self.view.branch);
        Outgoing { method, path_and_query, headers, token, branch, body }
    }
}
