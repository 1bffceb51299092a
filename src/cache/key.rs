//! What an entry is found by. There is no default key, no key from a string, and one constructor that takes all.

use std::fmt;

use crate::netbox::branch::Branch;
use crate::netbox::token::Fingerprint;

/// Whose eyes see the answer: whose token asked NetBox, and in which branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct View {
    /// Whose token.
    pub identity: Identity,
    /// The branch.
    pub branch: Branch,
}

/// Whose token asks NetBox. The same token is two identities if nbproxy was given it and somebody brings it, too: NetBox
/// is told of a visitor's address, and a token may be bound to addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// One that nbproxy was given for its clients.
    Entrusted(Fingerprint),
    /// The caller's own.
    Own(Fingerprint),
}

/// Whose part of the memory an answer is kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Share {
    /// That of all who use a token that nbproxy was given.
    Common,
    /// That of a caller with a token of its own.
    Visitor(Fingerprint),
}

/// What an entry is found by: the BLAKE3 hash of everything an answer depends on, and the share of memory it is in. Both
/// come from the view, so that a key looks into no share but its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    hash: [u8; 32],
    share: Share,
}

impl View {
    /// In which share of memory the answer is kept.
    pub fn share(&self) -> Share {
        match self.identity {
            Identity::Entrusted(_) => Share::Common,
            Identity::Own(token) => Share::Visitor(token),
        }
    }
}

impl Identity {
    /// The token's fingerprint.
    pub fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::Entrusted(token) | Self::Own(token) => *token,
        }
    }
}

impl Key {
    /// Every part is hashed with its length before it, so that no two requests run together.
    pub(super) fn new(view: &View, method: &str, path_and_query: &str, accept: &str, language: Option<&[u8]>) -> Self {
        let mut hasher = blake3::Hasher::new();
        let mut part = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        part(view.identity.fingerprint().as_bytes());
        match &view.branch {
            Branch::Main => part(b""),
            Branch::Schema(id) => part(id.as_str().as_bytes()),
        }
        part(method.as_bytes());
        part(path_and_query.as_bytes());
        part(accept.as_bytes());
        match language {
            None => part(b"none"),
            Some(language) => {
                part(b"some");
                part(language);
            }
        }
        Self { hash: *hasher.finalize().as_bytes(), share: view.share() }
    }

    /// A byte that differs from key to key.
    pub(super) fn some_byte(&self) -> u8 {
        let [byte, ..] = self.hash;
        byte
    }

    /// The share of memory that it looks into.
    pub(super) fn share(&self) -> Share {
        self.share
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.hash.iter().take(8) {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}
