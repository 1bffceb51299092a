//! Which branch of NetBox's data is meant: main, or one made by the netbox-branching plugin.

use std::fmt;

/// The request header that selects a branch (netbox-branching, on `/api/` and `/graphql/`).
pub const BRANCH_HEADER: &str = "x-netbox-branch";

/// The query parameter that selects a branch; an empty value means main.
pub const BRANCH_PARAMETER: &str = "_branch";

/// A set of NetBox data that reads and writes address as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Branch {
    /// NetBox's own data.
    Main,
    /// A branch's copy of it.
    Schema(SchemaId),
}

/// A branch's `schema_id`: exactly eight of `[a-z0-9]`. Names are not accepted by NetBox either.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SchemaId([u8; 8]);

/// What was given is not a `schema_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a branch is named by its schema_id: eight characters of a-z and 0-9")]
pub struct InvalidBranch;

impl Branch {
    /// Reads how people name one: `main`, or a `schema_id`.
    ///
    /// # Errors
    /// [`InvalidBranch`].
    pub fn named(text: &str) -> Result<Self, InvalidBranch> {
        if text == "main" { Ok(Self::Main) } else { SchemaId::parse(text.as_bytes()).map(Self::Schema) }
    }
}

impl SchemaId {
    /// Reads a `schema_id`.
    ///
    /// # Errors
    /// [`InvalidBranch`] for anything that is not eight characters of `[a-z0-9]`.
    pub fn parse(text: &[u8]) -> Result<Self, InvalidBranch> {
        let id: [u8; 8] = text.try_into().map_err(|_| InvalidBranch)?;
        let valid = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        if id.iter().all(valid) { Ok(Self(id)) } else { Err(InvalidBranch) }
    }

    /// The eight characters.
    pub fn as_str(&self) -> &str {
        // Only ASCII passes `parse`, so the fallback is never taken.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for SchemaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Main => f.write_str("main"),
            Self::Schema(id) => f.write_str(id.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_schema_ids_are_branches() {
        assert_eq!(SchemaId::parse(b"a1b2c3d4").unwrap().as_str(), "a1b2c3d4");
        for bad in [&b""[..], b"a1b2c3d", b"a1b2c3d45", b"A1B2C3D4", b"a1b2-3d4", "ä1b2c3d".as_bytes()] {
            assert_eq!(SchemaId::parse(bad), Err(InvalidBranch), "{bad:?}");
        }
    }
}
