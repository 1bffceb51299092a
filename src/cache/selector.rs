//! What is to be forgotten, and what of an entry tells whether it is meant.

use std::fmt;

use crate::netbox::branch::Branch;
use crate::netbox::object::ApiPath;
use crate::netbox::pattern::Pattern;

/// What an answer is about, as far as it can be told from what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    endpoint: Box<str>,
    object: Option<u64>,
    branch: Branch,
}

/// What is to be forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// Everything.
    All,
    /// What was read in a branch. What is read in branches depends on main, so to forget main is to doubt them all.
    Branch(Branch),
    /// What these endpoints answered, in one branch or in all.
    Endpoint {
        /// Which endpoints.
        pattern: Pattern,
        /// In which branch.
        branch: Option<Branch>,
    },
    /// An object, what stands below it, and the lists of its endpoint, which may show it. Not what other endpoints show
    /// of it: a device names its site.
    Object {
        /// The endpoint's [name](ApiPath::name).
        endpoint: String,
        /// The object's id.
        id: u64,
        /// In which branch.
        branch: Option<Branch>,
    },
}

impl About {
    /// What the answer to a read of this path is about.
    pub(super) fn of(path: &ApiPath, branch: Branch) -> Self {
        Self { endpoint: path.name().into(), object: path.object_id(), branch }
    }

    /// The endpoint's [name](ApiPath::name).
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The branch.
    pub fn branch(&self) -> Branch {
        self.branch
    }

    /// Bytes that it takes.
    pub(super) fn weight(&self) -> usize {
        size_of::<Self>() + self.endpoint.len()
    }
}

impl Selector {
    /// Whether it means an answer about this.
    pub fn covers(&self, about: &About) -> bool {
        let within = |branch: &Option<Branch>| branch.is_none_or(|branch| branch == about.branch);
        match self {
            Self::All => true,
            Self::Branch(branch) => *branch == about.branch,
            Self::Endpoint { pattern, branch } => within(branch) && pattern.matches_name(&about.endpoint),
            Self::Object { endpoint, id, branch } => {
                let other = about.object.is_some_and(|object| object != *id);
                within(branch) && *endpoint == *about.endpoint && !other
            }
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let branch = match self {
            Self::All => return f.write_str("everything"),
            Self::Branch(branch) => return write!(f, "branch {branch}"),
            Self::Endpoint { pattern, branch } => {
                write!(f, "{pattern}")?;
                branch
            }
            Self::Object { endpoint, id, branch } => {
                write!(f, "{endpoint}/{id}")?;
                branch
            }
        };
        branch.map_or(Ok(()), |branch| write!(f, " in branch {branch}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netbox::branch::SchemaId;

    fn schema(id: &str) -> Branch {
        Branch::Schema(SchemaId::parse(id.as_bytes()).unwrap())
    }

    /// Which of some answers are covered, by their place.
    fn covered(selector: &Selector) -> Vec<usize> {
        let answers = [
            ("/api/dcim/sites/", Branch::Main),
            ("/api/dcim/sites/1/", Branch::Main),
            ("/api/dcim/sites/2/", Branch::Main),
            ("/api/dcim/sites/1/", schema("aaaaaaaa")),
            ("/api/dcim/sites/1/elevation/", Branch::Main),
            ("/api/dcim/racks/1/", Branch::Main),
            ("/api/ipam/prefixes/", schema("aaaaaaaa")),
            ("/api/schema/", Branch::Main),
        ];
        let about = |(path, branch): &(&str, Branch)| About::of(&ApiPath::parse(path, "").unwrap(), *branch);
        let covered = |answer: &(&str, Branch)| selector.covers(&about(answer));
        answers.iter().enumerate().filter(|(_, answer)| covered(answer)).map(|(index, _)| index).collect()
    }

    #[test]
    fn each_means_what_it_says() {
        let endpoint = |text: &str, branch| Selector::Endpoint { pattern: Pattern::parse(text).unwrap(), branch };
        let site = |id, branch| Selector::Object { endpoint: "dcim/sites".to_owned(), id, branch };
        for (selector, expected, text) in [
            (Selector::All, &[0, 1, 2, 3, 4, 5, 6, 7][..], "everything"),
            (Selector::Branch(Branch::Main), &[0, 1, 2, 4, 5, 7], "branch main"),
            (Selector::Branch(schema("aaaaaaaa")), &[3, 6], "branch aaaaaaaa"),
            (Selector::Branch(schema("bbbbbbbb")), &[], "branch bbbbbbbb"),
            (endpoint("dcim/sites", None), &[0, 1, 2, 3, 4], "dcim/sites"),
            (endpoint("dcim/*", Some(Branch::Main)), &[0, 1, 2, 4, 5], "dcim/* in branch main"),
            (endpoint("schema", None), &[7], "schema"),
            (site(1, None), &[0, 1, 3, 4], "dcim/sites/1"),
            (site(1, Some(Branch::Main)), &[0, 1, 4], "dcim/sites/1 in branch main"),
            (site(1, Some(schema("aaaaaaaa"))), &[3], "dcim/sites/1 in branch aaaaaaaa"),
        ] {
            assert_eq!(covered(&selector), expected, "{selector}");
            assert_eq!(selector.to_string(), text);
        }
    }
}
