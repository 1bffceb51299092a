//! Who asks. A client is known by its key; what is compared is the key's BLAKE3 hash, in constant time.

use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use subtle::ConstantTimeEq;

use crate::netbox::branch::Branch;
use crate::netbox::pattern::Pattern;
use crate::netbox::token::TokenVersion;

/// Who is let in.
#[derive(Debug, Clone)]
pub struct Config {
    /// The clients that have a key.
    pub clients: Vec<Client>,
    /// What may be done without one.
    pub anonymous: Option<Access>,
}

impl Config {
    /// Lets nobody in.
    pub fn nobody() -> Self {
        Self { clients: Vec::new(), anonymous: None }
    }
}

/// What may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading.
    Read,
    /// Reading and writing.
    Write,
}

/// A client with a key of its own.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its name, for logs.
    pub name: Arc<str>,
    /// The BLAKE3 hash of its key.
    pub key_hash: KeyHash,
    /// What it may do.
    pub access: Access,
    /// To which endpoints.
    pub allow: Vec<Pattern>,
    /// And to which not.
    pub deny: Vec<Pattern>,
    /// The only branch it may see, if it is pinned to one.
    pub branch: Option<Branch>,
}

/// The BLAKE3 hash of a client key.
#[derive(Clone, Copy)]
pub struct KeyHash([u8; 32]);

/// The client that sent a request, as identified.
#[derive(Debug, Clone)]
pub enum Caller {
    /// One with a key.
    Client(Arc<Client>),
    /// Anybody, where that is wanted.
    Anonymous(Access),
    /// Anybody, for the OpenAPI document and nothing else.
    Reader,
}

/// Why a client is not served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// It brought no key.
    #[error("no client key was given")]
    NoKey,
    /// It brought one that nobody has, formed like a NetBox token of version 2 or not.
    #[error("the client key is unknown")]
    UnknownKey {
        /// Which kind of NetBox token it looks like.
        form: TokenVersion,
    },
    /// It may only read.
    #[error("this client may only read")]
    ReadOnly,
    /// It may not reach this endpoint.
    #[error("{endpoint} is closed to this client")]
    Closed {
        /// The endpoint's name.
        endpoint: String,
    },
    /// A page of another site asks, by the browser of somebody who is let in.
    #[error("another site's page asks")]
    CrossSite,
    /// It is pinned to another branch.
    #[error("this client is pinned to another branch")]
    Branch,
}

/// Knows the clients.
#[derive(Debug)]
pub struct Auth {
    clients: Vec<Arc<Client>>,
    anonymous: Option<Access>,
}

impl Auth {
    /// Knows these clients.
    pub fn new(config: Config) -> Self {
        Self { clients: config.clients.into_iter().map(Arc::new).collect(), anonymous: config.anonymous }
    }

    /// Tells who sent a request with these headers.
    ///
    /// Where no client has a key, tools may send whatever token they are configured with: it means nothing here.
    ///
    /// # Errors
    /// [`Denied::NoKey`] and [`Denied::UnknownKey`].
    pub fn identify(&self, headers: &HeaderMap) -> Result<Caller, Denied> {
        let anonymous = self.anonymous.map(Caller::Anonymous);
        if self.clients.is_empty() {
            return anonymous.ok_or(Denied::NoKey);
        }
        let Some(key) = key(headers) else { return anonymous.ok_or(Denied::NoKey) };
        let presented = KeyHash::of(key.as_bytes());
        // Every client is compared, so that the time taken does not tell which one is close.
        let found = self
            .clients
            .iter()
            .fold(None, |found, client| if client.key_hash.matches(&presented) { Some(client) } else { found });
        let form = TokenVersion::of(key);
        found.cloned().map(Caller::Client).ok_or(Denied::UnknownKey { form })
    }
}

impl Caller {
    /// Its name, for logs.
    pub fn name(&self) -> &str {
        match self {
            Self::Client(client) => &client.name,
            Self::Anonymous(_) | Self::Reader => "anonymous",
        }
    }
}

impl KeyHash {
    /// Hashes a key.
    pub fn of(key: &[u8]) -> Self {
        Self(*blake3::hash(key).as_bytes())
    }

    /// Reads `blake3:` and 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("blake3:")?;
        blake3::Hash::from_hex(digits).ok().map(|hash| Self(*hash.as_bytes()))
    }

    fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl std::fmt::Display for KeyHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "blake3:{}", blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl std::fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyHash(****)")
    }
}

impl Denied {
    /// The reason in one word.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NoKey => "no-key",
            Self::UnknownKey { .. } => "unknown-key",
            Self::ReadOnly => "read-only",
            Self::Closed { .. } => "closed",
            Self::CrossSite => "cross-site",
            Self::Branch => "other-branch",
        }
    }
}

/// The key in `Authorization: Token …` or `Bearer …`; NetBox takes either word for either kind of token, in any case.
fn key(headers: &HeaderMap) -> Option<&str> {
    credentials(headers, &["token", "bearer"])
}

/// What stands in `Authorization` after one of these words, in any case.
pub fn credentials<'a>(headers: &'a HeaderMap, schemes: &[&str]) -> Option<&'a str> {
    let (scheme, secret) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let known = schemes.iter().any(|known| known.eq_ignore_ascii_case(scheme));
    let secret = secret.trim();
    (known && !secret.is_empty()).then_some(secret)
}
