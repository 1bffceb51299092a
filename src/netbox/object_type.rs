//! NetBox's object types, by either of their names: the API's (`dcim/sites`) and the changelog's (`dcim.site`).

use std::fmt;

use super::object::Endpoint;

mod set;
mod table;

pub use set::TypeSet;
use table::TABLE;

/// One of NetBox's own object types. A plugin's types are not among them: nobody knows what they depend on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectType(u8);

impl ObjectType {
    /// How many there are.
    pub const COUNT: usize = TABLE.len();

    /// By the API's name, `dcim/sites`.
    pub fn of_endpoint(name: &str) -> Option<Self> {
        Self::at(TABLE.binary_search_by(|(endpoint, _)| (*endpoint).cmp(name)).ok()?)
    }

    /// By the changelog's name, `dcim.site`.
    pub fn of_model(name: &str) -> Option<Self> {
        Self::at(TABLE.iter().position(|(_, model)| *model == name)?)
    }

    /// What an endpoint lists.
    pub fn of(endpoint: &Endpoint<'_>) -> Option<Self> {
        if endpoint.plugin { None } else { Self::of_endpoint(&endpoint.to_string()) }
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..TABLE.len()).filter_map(Self::at)
    }

    /// The API's name, `dcim/sites`.
    pub fn endpoint(self) -> &'static str {
        self.row().0
    }

    /// The changelog's name, `dcim.site`.
    pub fn model(self) -> &'static str {
        self.row().1
    }

    /// Its place in tables of [`COUNT`](Self::COUNT) places.
    pub fn index(self) -> usize {
        self.0.into()
    }

    fn at(index: usize) -> Option<Self> {
        u8::try_from(index).ok().map(Self)
    }

    fn row(self) -> (&'static str, &'static str) {
        // Made from places of the table alone, so the fallback is never taken.
        TABLE.get(self.index()).copied().unwrap_or_default()
    }
}

impl fmt::Debug for ObjectType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.endpoint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_names_lead_to_the_same_type() {
        assert!(TABLE.is_sorted() && TABLE.len() <= usize::from(u8::MAX));
        for object_type in ObjectType::all() {
            assert_eq!(ObjectType::of_endpoint(object_type.endpoint()), Some(object_type));
            assert_eq!(ObjectType::of_model(object_type.model()), Some(object_type));
        }
        assert_eq!(ObjectType::of_endpoint("ipam/ip-addresses").map(ObjectType::model), Some("ipam.ipaddress"));
        assert_eq!(
            ObjectType::of_model("virtualization.vminterface").map(ObjectType::endpoint),
            Some("virtualization/interfaces")
        );
        assert_eq!(ObjectType::of_endpoint("plugins/branching/branches"), None);
        assert_eq!(ObjectType::of_model("dcim.sites"), None);
    }
}
