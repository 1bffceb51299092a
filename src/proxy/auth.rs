//! Who asks. A client is known by its key; what is compared is the key's BLAKE3 hash, in constant time.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use subtle::ConstantTimeEq;

use super::access::Strictness;
use super::rate::Rate;
use crate::netbox::branch::Branch;
use crate::netbox::pattern::Pattern;
use crate::netbox::token::{Fingerprint, Token, TokenVersion};

mod subject;

pub use subject::Subject;

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
    /// The BLAKE3 hash of its key, if it has one.
    pub key_hash: Option<KeyHash>,
    /// The subject of its certificate, if it has one.
    pub certificate: Option<Subject>,
    /// What it may do.
    pub access: Access,
    /// To which endpoints.
    pub allow: Vec<Pattern>,
    /// And to which not.
    pub deny: Vec<Pattern>,
    /// The only branch it may see, if it is pinned to one.
    pub branch: Option<Branch>,
    /// NetBox's token for it, instead of the shared one.
    pub token: Option<Arc<Token>>,
    /// How long an answer may have been outdated that it still accepts.
    pub max_stale: Duration,
    /// What becomes of filters that NetBox does not know.
    pub strict: Strictness,
    /// How often it may ask, if not as everybody.
    pub rate: Option<Rate>,
}

/// The BLAKE3 hash of a client key.
#[derive(Clone, Copy)]
pub struct KeyHash([u8; 32]);

/// The client that sent a request, as identified.
#[derive(Debug, Clone)]
pub enum Caller {
    /// One with a key or a certificate.
    Client(Arc<Client>),
    /// One with a token of NetBox's own, as seen from this address; NetBox decides what it may.
    Visitor(Visitor),
    /// Anybody, where that is wanted.
    Anonymous(Access),
    /// Anybody, for the OpenAPI document and nothing else.
    Reader,
}

/// Somebody with a token of NetBox's own.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The token.
    pub token: Arc<Token>,
    /// Where it is used: a token may be bound to addresses (`allowed_ips`).
    pub address: IpAddr,
}

/// Where a request comes from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The client's address, as far as it is known for certain.
    pub address: IpAddr,
    /// The subject of the certificate it has shown.
    pub certificate: Option<Arc<Subject>>,
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
    /// A webhook is not signed, or not with the secret.
    #[error("the signature is missing or wrong")]
    Unsigned,
}

/// Knows the clients.
#[derive(Debug)]
pub struct Auth {
    clients: Vec<Arc<Client>>,
    anonymous: Option<Access>,
    passthrough: bool,
}

impl Auth {
    /// Knows these clients.
    pub fn new(clients: Vec<Client>, anonymous: Option<Access>, passthrough: bool) -> Self {
        Self { clients: clients.into_iter().map(Arc::new).collect(), anonymous, passthrough }
    }

    /// Tells who sent a request with these headers, from there. A key counts before a certificate, and that before a
    /// token of NetBox's.
    ///
    /// Where nobody is known by anything, tools may send whatever token they are configured with: it means nothing here.
    ///
    /// # Errors
    /// [`Denied::NoKey`] and [`Denied::UnknownKey`].
    pub fn identify(&self, headers: &HeaderMap, origin: &Origin) -> Result<Caller, Denied> {
        let anonymous = || self.anonymous.map(Caller::Anonymous).ok_or(Denied::NoKey);
        if self.clients.is_empty() && !self.passthrough {
            return anonymous();
        }
        let key = key(headers);
        if let Some(client) = key.and_then(|key| self.by_key(key)).or_else(|| self.by_certificate(origin)) {
            return Ok(Caller::Client(client));
        }
        let Some(key) = key else { return anonymous() };
        if self.passthrough
            && let Some(token) = netbox_token(key)
        {
            return Ok(Caller::Visitor(Visitor { token: Arc::new(token), address: origin.address }));
        }
        Err(Denied::UnknownKey { form: TokenVersion::of(key) })
    }

    fn by_key(&self, key: &str) -> Option<Arc<Client>> {
        let presented = KeyHash::of(key.as_bytes());
        // Every client is compared, so that the time taken does not tell which one is close.
        let fits = |client: &Client| client.key_hash.is_some_and(|hash| hash.matches(&presented));
        self.clients.iter().fold(None, |found, client| if fits(client) { Some(client) } else { found }).cloned()
    }

    fn by_certificate(&self, origin: &Origin) -> Option<Arc<Client>> {
        let shown = origin.certificate.as_deref()?;
        self.clients.iter().find(|client| client.certificate.as_ref() == Some(shown)).cloned()
    }
}

impl Client {
    /// Whether nothing is closed to it by name.
    pub(super) fn is_unlimited(&self) -> bool {
        self.deny.is_empty() && self.allow.iter().any(Pattern::is_all)
    }
}

impl Visitor {
    /// What stands for the token in keys and tables.
    pub fn fingerprint(&self) -> Fingerprint {
        self.token.fingerprint()
    }
}

impl Caller {
    /// Its name, for logs.
    pub fn name(&self) -> &str {
        match self {
            Self::Client(client) => &client.name,
            // NetBox knows who that is; a token's text, even a part of it, is not for logs.
            Self::Visitor(_) => "visitor",
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
            Self::Unsigned => "unsigned",
        }
    }
}

/// The key in `Authorization: Token …` or `Bearer …`; NetBox takes either word for either kind of token, in any case.
fn key(headers: &HeaderMap) -> Option<&str> {
    credentials(headers, &["token", "bearer"])
}

/// A key that has exactly the form of a NetBox token: 40 letters and digits (hexadecimal ones before NetBox 4.5), or
/// `nbt_<key>.<secret>` (since then; users/constants.py). Nothing else is sent on: it may be the key of a client that is
/// not known any more.
fn netbox_token(key: &str) -> Option<Token> {
    let alphanumeric = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
    let v1 = key.len() == 40 && alphanumeric(key);
    let v2 = key.strip_prefix("nbt_").and_then(|rest| rest.split_once('.'));
    let v2 = v2.is_some_and(|(key, secret)| alphanumeric(key) && alphanumeric(secret));
    (v1 || v2).then(|| Token::parse(key).ok()).flatten()
}

/// What stands in `Authorization` after one of these words, in any case.
pub fn credentials<'a>(headers: &'a HeaderMap, schemes: &[&str]) -> Option<&'a str> {
    let (scheme, secret) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let known = schemes.iter().any(|known| known.eq_ignore_ascii_case(scheme));
    let secret = secret.trim();
    (known && !secret.is_empty()).then_some(secret)
}
