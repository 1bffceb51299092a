//! Patterns over endpoint names, as settings use them for rules and rights: `dcim/sites`, `users/*`, `*`.

use std::fmt;

use super::object::{ApiPath, segments};

/// Matches [names](ApiPath::name): segment by segment, `*` for any one, and a last `*` for all that follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    /// Whether there is a `*` in it.
    wild: bool,
}

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
        if !text.split('/').all(fine) {
            return Err(InvalidPattern);
        }
        Ok(Self { text: text.to_owned(), wild: text.contains('*') })
    }

    /// Whether the path's name matches.
    pub fn matches(&self, path: &ApiPath) -> bool {
        self.matches_name(path.name())
    }

    /// Whether it matches whatever there is.
    pub fn is_all(&self) -> bool {
        self.text == "*"
    }

    /// Whether it names one endpoint, without `*`.
    pub fn is_literal(&self) -> bool {
        !self.wild
    }

    /// Whether it matches this name.
    pub fn matches_name(&self, name: &str) -> bool {
        if !self.wild {
            return self.text == name;
        }
        let mut names = segments(name);
        let mut wanted = segments(&self.text).peekable();
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
        f.write_str(&self.text)
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
