//! May they, and whose view do they get. A [`Permit`] is the proof: nothing is looked up or sent without one.

use std::sync::Arc;

use super::auth::{Access, Caller, Client, Denied};
use super::request::Target;
use crate::cache::key::View;
use crate::netbox::branch::Branch;
use crate::netbox::object::Resource;
use crate::netbox::pattern::Pattern;
use crate::netbox::token::{Fingerprint, Token};

/// What is open to whom.
#[derive(Debug, Clone)]
pub struct Config {
    /// NetBox's token, shared by all clients; `None` asks NetBox anonymously.
    pub token: Option<Arc<Token>>,
    /// What is closed on the shared token, unless a client's `allow` names it.
    pub deny: Vec<Pattern>,
}

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
}

/// Decides.
#[derive(Debug)]
pub struct Acl {
    config: Config,
}

impl Acl {
    /// Decides by these rules.
    pub fn new(config: Config) -> Self {
        Self { config }
    }

    /// Lets the caller do this, or says why not.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn permit(&self, caller: &Caller, target: &Target, intent: Intent) -> Result<Permit, Denied> {
        let (access, client) = match caller {
            Caller::Client(client) => (client.access, Some(client.as_ref())),
            Caller::Anonymous(access) => (*access, None),
            Caller::Reader => (Access::Read, None),
        };
        if intent == Intent::Write && access == Access::Read {
            return Err(Denied::ReadOnly);
        }
        if !self.is_open(client, target) {
            return Err(Denied::Closed { endpoint: target.path.name().to_owned() });
        }
        let branch = branch(client, target)?;
        let identity = self.config.token.as_ref().map_or_else(Fingerprint::anonymous, |token| token.fingerprint());
        Ok(Permit { token: self.config.token.clone(), view: View { identity, branch } })
    }

    /// The token that clients share, for nbproxy's own questions.
    pub(super) fn shared_token(&self) -> Option<&Arc<Token>> {
        self.config.token.as_ref()
    }

    fn is_open(&self, client: Option<&Client>, target: &Target) -> bool {
        let hits = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(&target.path));
        let Some(client) = client else { return !hits(&self.config.deny) };
        if hits(&client.deny) || !hits(&client.allow) {
            return false;
        }
        // GraphQL reaches everything, so what is closed to a client by name would be open to it there.
        let limited = !client.deny.is_empty() || !client.allow.iter().any(Pattern::is_all);
        if target.path.resource() == Resource::GraphQl && limited {
            return client.allow.iter().any(|pattern| !pattern.is_all() && pattern.matches(&target.path));
        }
        let named = client.allow.iter().any(|pattern| !pattern.is_all() && pattern.matches(&target.path));
        named || !hits(&self.config.deny)
    }
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
    /// Whose eyes see the answer.
    pub fn view(&self) -> &View {
        &self.view
    }

    pub(super) fn token(&self) -> Option<&Arc<Token>> {
        self.token.as_ref()
    }
}
