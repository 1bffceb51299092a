//! What an entry is found by. There is no default key, no key from a string, and one constructor that takes all.

use std::fmt;

use crate::netbox::branch::Branch;
use crate::netbox::token::Fingerprint;

/// Whose eyes see the answer: whose token asked NetBox, and in which branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct View {
    /// The token's fingerprint.
    pub identity: Fingerprint,
    /// The branch.
    pub branch: Branch,
}

/// The BLAKE3 hash of everything an answer depends on.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key([u8; 32]);

impl Key {
    /// Every part is hashed with its length before it, so that no two requests run together.
    pub(super) fn new(view: &View, path_and_query: &str, accept: &str, language: Option<&[u8]>) -> Self {
        let mut hasher = blake3::Hasher::new();
        let mut part = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        part(view.identity.as_bytes());
        match &view.branch {
            Branch::Main => part(b""),
            Branch::Schema(id) => part(id.as_str().as_bytes()),
        }
        part(path_and_query.as_bytes());
        part(accept.as_bytes());
        match language {
            None => part(b"none"),
            Some(language) => {
                part(b"some");
                part(language);
            }
        }
        Self(*hasher.finalize().as_bytes())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.iter().take(8) {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}
