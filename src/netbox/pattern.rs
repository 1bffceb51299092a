//! Patterns over endpoint names, as settings use them for rules and rights: `dcim/sites`, `users/*`, `*`.

use std::fmt;

use super::object::ApiPath;

/// Matches [names](ApiPath::name): segment by segment, `*` for any one, and a last `*` for all that follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

/// The text is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a pattern is an endpoint's name such as dcim/sites, with * for a whole segment, without leading or trailing slash"
)]
pub struct InvalidPattern;

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`InvalidPattern`] for empty segments, and for a `*` that is only part of one.
    pub fn parse(text: &str) -> Result<Self, InvalidPattern> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let fine = |segment: &str| segment == "*" || (!segment.is_empty() && segment.chars().all(plain));
        if text.split('/').all(fine) { Ok(Self(text.to_owned())) } else { Err(InvalidPattern) }
    }

    /// Whether the path's name matches.
    pub fn matches(&self, path: &ApiPath) -> bool {
        self.matches_name(path.name())
    }

    /// Whether it matches whatever there is.
    pub fn is_all(&self) -> bool {
        self.0 == "*"
    }

    /// Whether it names one endpoint, without `*`.
    pub fn is_literal(&self) -> bool {
        !self.0.contains('*')
    }

    /// Whether it matches this name.
    pub fn matches_name(&self, name: &str) -> bool {
        let mut names = name.split('/');
        let mut wanted = self.0.split('/').peekable();
        while let Some(segment) = wanted.next() {
            let Some(name) = names.next() else { return false };
            match segment {
                "*" if wanted.peek().is_none() => return true,
                "*" => {}
                literal if literal == name => {}
                _ => return false,
            }
        }
        names.next().is_none()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_match_one_by_one() {
        for (pattern, name, expected) in [
            ("*", "dcim/sites", true),
            ("*", "", true),
            ("dcim/*", "dcim/sites", true),
            ("dcim/*", "dcim", false),
            ("dcim/sites", "dcim/sites", true),
            ("dcim/sites", "dcim/sites-x", false),
            ("*/tokens", "users/tokens", true),
            ("plugins/*", "plugins/branching/branches", true),
            ("plugins/*/branches", "plugins/branching/branches", true),
            ("dcim", "dcim/sites", false),
            ("graphql", "graphql", true),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().matches_name(name), expected, "{pattern} {name}");
        }
        for bad in ["", "/dcim", "dcim/", "dcim/si*", "a//b", "ä"] {
            assert_eq!(Pattern::parse(bad), Err(InvalidPattern), "{bad}");
        }
    }
}
