//! Clients with keys: what the settings know of them, and what they bring.

use super::Ask;

/// The settings of a client whose key is `key-of-` and its name, and more of its settings.
pub(crate) fn client(name: &str, more: &str) -> String {
    client_with_key(name, &format!("key-of-{name}"), more)
}

/// The same with a key that a test needs to be another.
pub(crate) fn client_with_key(name: &str, key: &str, more: &str) -> String {
    let hash = blake3::hash(key.as_bytes()).to_hex();
    format!("[[clients]]\nname = \"{name}\"\nkey_hash = \"blake3:{hash}\"\n{more}\n")
}

impl Ask {
    /// As this [`client`].
    pub(crate) fn by(self, name: &str) -> Self {
        self.header("authorization", &format!("Token key-of-{name}"))
    }
}
