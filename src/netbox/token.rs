//! NetBox API tokens: secrets that print nothing, told apart by their form.

use std::fmt;

use http::HeaderValue;

/// A token as NetBox issued it: v1 (40 hexadecimal digits) or v2 (`nbt_<key>.<secret>`, NetBox 4.5).
///
/// It is never printed: `Debug` names only the version.
#[derive(Clone)]
pub struct Token {
    authorization: HeaderValue,
    fingerprint: Fingerprint,
    version: TokenVersion,
}

/// The two generations of NetBox tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenVersion {
    /// Sent as `Token <value>`.
    V1,
    /// Sent as `Bearer <value>`.
    V2,
}

impl TokenVersion {
    /// Which generation a text has the form of. The rule of pynetbox 7.8.0 (core/query.py): v2 begins with `nbt_` and
    /// has a dot after it.
    pub fn of(text: &str) -> Self {
        let v2 = text.strip_prefix("nbt_").is_some_and(|rest| rest.contains('.'));
        if v2 { Self::V2 } else { Self::V1 }
    }
}

/// Stands for a token in keys and comparisons without revealing it (BLAKE3).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

/// The text cannot be a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token is non-empty visible ASCII without spaces")]
pub struct InvalidToken;

impl Token {
    /// Reads a token; white space around it (a file's last newline) is dropped.
    ///
    /// # Errors
    /// [`InvalidToken`] when it is empty or could not stand in a header.
    pub fn parse(text: &str) -> Result<Self, InvalidToken> {
        let text = text.trim();
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(InvalidToken);
        }
        let version = TokenVersion::of(text);
        let scheme = if version == TokenVersion::V2 { "Bearer" } else { "Token" };
        let mut authorization = HeaderValue::from_str(&format!("{scheme} {text}")).map_err(|_| InvalidToken)?;
        authorization.set_sensitive(true);
        Ok(Self { authorization, fingerprint: Fingerprint::of(text.as_bytes()), version })
    }

    /// The value of the `Authorization` header, marked sensitive.
    pub fn authorization(&self) -> &HeaderValue {
        &self.authorization
    }

    /// The token itself, without the word before it. Whoever calls this answers for where it goes.
    pub fn reveal(&self) -> &str {
        // Only ASCII passes `parse`, and the scheme stands before a space.
        let value = self.authorization.to_str().unwrap_or_default();
        value.split_once(' ').map_or("", |(_, token)| token)
    }

    /// What stands for this token in keys.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// v1 or v2.
    pub fn version(&self) -> TokenVersion {
        self.version
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({:?}, ****)", self.version)
    }
}

impl Fingerprint {
    /// The fingerprint of a secret.
    pub fn of(secret: &[u8]) -> Self {
        Self(*blake3::hash(secret).as_bytes())
    }

    /// Of no token at all: NetBox asked anonymously.
    pub fn anonymous() -> Self {
        Self::of(b"")
    }

    /// Its bytes, for hashing into keys.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(****)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_apart_by_form() {
        let v1 = Token::parse("0123456789abcdef0123456789abcdef01234567\n").unwrap();
        assert_eq!(v1.version(), TokenVersion::V1);
        assert_eq!(v1.authorization(), "Token 0123456789abcdef0123456789abcdef01234567");
        let v2 = Token::parse("nbt_abcdefghijkl.secret").unwrap();
        assert_eq!(v2.authorization(), "Bearer nbt_abcdefghijkl.secret");
        assert_eq!(Token::parse("nbt_nodot").unwrap().version(), TokenVersion::V1);
        for bad in ["", "  ", "two words", "umläut", "a\u{7f}b"] {
            assert!(Token::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn nothing_is_printed() {
        let token = Token::parse("nbt_abcdefghijkl.secret").unwrap();
        let printed = format!("{token:?} {:?} {:?}", token.authorization(), token.fingerprint());
        assert!(!printed.contains("secret"), "{printed}");
    }
}
