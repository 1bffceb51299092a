//! What a change is of, and which scope that makes it.

use crate::cache::epochs::Scope;
use crate::netbox::branch::Branch;
use crate::netbox::object_type::ObjectType;

/// How finely changes are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// A change outdates all of its branch.
    #[default]
    Branch,
    /// A change to main outdates what is related to its object type.
    Related,
}

/// What was changed in main.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// Objects of this type.
    Objects(ObjectType),
    /// Something that shapes many types' answers, or nobody knows what: a plugin's type.
    Unknown,
}

/// Types whose change shapes the answers of others in ways that no answer shows.
const SHAPING: [&str; 9] = [
    "core/data-sources",               // its sync renews config contexts and templates
    "extras/config-context-profiles",  // validates and completes config contexts
    "extras/config-contexts",          // rendered into devices and virtual machines by a dozen assignments
    "extras/custom-field-choice-sets", // labels in any object
    "extras/custom-fields",            // a key more or less in every object of its types
    "extras/saved-filters",            // decide what a list holds
    "extras/tags",                     // decide config contexts, filters of any list
    "users/groups",                    // rights
    "users/permissions",
];

impl Changed {
    /// Of the changelog's name for a type, `dcim.site`.
    pub fn of_model(name: &str) -> Self {
        ObjectType::of_model(name).map_or(Self::Unknown, Self::of_type)
    }

    /// Of objects of this type.
    pub fn of_type(object_type: ObjectType) -> Self {
        if SHAPING.contains(&object_type.endpoint()) { Self::Unknown } else { Self::Objects(object_type) }
    }

    /// The scope that has changed.
    pub fn scope(self, precision: Precision) -> Scope {
        match (precision, self) {
            (Precision::Related, Self::Objects(object_type)) => Scope::Type(object_type),
            (Precision::Related, Self::Unknown) | (Precision::Branch, _) => Scope::Branch(Branch::Main),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_told_apart_where_that_is_wanted() {
        let sites = ObjectType::of_endpoint("dcim/sites").unwrap();
        let main = Scope::Branch(Branch::Main);
        assert_eq!(Changed::of_model("dcim.site").scope(Precision::Related), Scope::Type(sites));
        assert_eq!(Changed::of_model("dcim.site").scope(Precision::Branch), main);
        for name in
            ["extras.tag", "extras.customfield", "core.configrevision", "dcim.portmapping", "some_plugin.thing", ""]
        {
            assert_eq!(Changed::of_model(name).scope(Precision::Related), main, "{name}");
        }
        assert!(SHAPING.iter().all(|name| ObjectType::of_endpoint(name).is_some()));
    }
}
