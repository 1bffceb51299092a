//! The object types as a table: each is a list of fields, and a new type is one more entry.

mod choices;
mod circuits;
mod connections;
mod dcim;
mod devices;
mod extras;
mod fields;
mod ipam;
mod modules;
mod numbers;
mod places;
mod system;
mod tunnels;
mod words;

use std::collections::HashMap;
use std::sync::LazyLock;

pub(crate) use fields::{Choices, Computed, Derived, Field, Kind, OnDelete, Plain, Preset, Shape, Stamp};

/// How an object calls itself in `display`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Display {
    /// The value of a field, or `<class> <id>` where that is empty.
    Field(&'static str),
    Cable,
    Change,
    /// What these fields show, one after the other.
    Of(&'static [&'static str]),
    Journal,
    /// `<app> > <model>`, as an object type is shown.
    ObjectType,
    /// The vid stands in brackets after the name.
    Vlan,
    /// The route distinguisher stands in brackets after the name.
    Vrf,
    /// The key, or for version 1 the last six digits behind asterisks.
    Token,
}

/// What may be done with the objects of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Full,
    /// As `Full`, but the list takes no PUT, PATCH or DELETE.
    NoBulk,
    ReadOnly,
    /// As `ReadOnly`, and a POST to an object runs it.
    Runnable,
}

/// One object type.
#[derive(Debug)]
pub(crate) struct Type {
    /// Path below `/api/`, without slashes at the ends.
    pub(crate) endpoint: &'static str,
    /// Content type, such as `dcim.site`.
    pub(crate) model: &'static str,
    /// Name of the class, as in `No Site matches the given query.`
    pub(crate) class: &'static str,
    /// Name for people, in lower case.
    pub(crate) verbose: &'static str,
    /// What follows `id`, `url`, `display_url` and `display`.
    pub(crate) fields: &'static [Field],
    /// Fields after `id`, `url` and `display` in the brief form.
    pub(crate) brief: &'static [&'static str],
    /// Fields after `id`, `url`, `display_url` and `display` in the nested form.
    pub(crate) nested: &'static [&'static str],
    pub(crate) display: Display,
    /// Order of a list without `ordering`.
    pub(crate) order: &'static [&'static str],
    /// Fields that no two objects may share all of.
    pub(crate) together: &'static [&'static str],
    /// Filters that look at a field of a field: parameter, own field, field there.
    pub(crate) via: &'static [(&'static str, &'static str, &'static str)],
    pub(crate) access: Access,
    pub(crate) branchable: bool,
    /// Whether changes leave a row in the changelog.
    pub(crate) logged: bool,
    pub(crate) display_url: bool,
}

/// What most types have in common.
const BASE: Type = Type {
    endpoint: "",
    model: "",
    class: "",
    verbose: "",
    fields: &[],
    brief: &["name", "slug", "description"],
    nested: &["name", "slug"],
    display: Display::Field("name"),
    order: &["name"],
    together: &[],
    via: &[],
    access: Access::Full,
    branchable: true,
    logged: true,
    display_url: true,
};

impl Type {
    pub(crate) fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The app's part of the path, such as `dcim` or `plugins/branching`.
    pub(crate) fn app(&self) -> &'static str {
        self.endpoint.rsplit_once('/').map_or("", |(app, _)| app)
    }

    /// Whether its serializer takes a `changelog_message` (NetBox 4.4: `ChangeLogMessageSerializer`).
    pub(crate) fn takes_message(&self) -> bool {
        self.logged && self.endpoint != "extras/image-attachments"
    }

    pub(crate) fn allow_list(&self) -> &'static str {
        match self.access {
            Access::Full if self.endpoint == "dcim/interfaces" => "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS, TRACE",
            Access::Full => "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS",
            Access::NoBulk => "GET, POST, HEAD, OPTIONS",
            Access::ReadOnly | Access::Runnable => "GET, HEAD, OPTIONS",
        }
    }

    pub(crate) fn allow_detail(&self) -> &'static str {
        match self.access {
            Access::Full if self.endpoint == "dcim/interfaces" => "GET, PUT, PATCH, DELETE, HEAD, OPTIONS, TRACE",
            Access::Full | Access::NoBulk => "GET, PUT, PATCH, DELETE, HEAD, OPTIONS",
            Access::ReadOnly => "GET, HEAD, OPTIONS",
            Access::Runnable => "GET, POST, HEAD, OPTIONS",
        }
    }
}

/// All types, in the order of their paths.
pub(crate) fn all() -> &'static [&'static Type] {
    static ALL: LazyLock<Vec<&'static Type>> = LazyLock::new(|| {
        let tables = [
            circuits::TYPES,
            connections::TYPES,
            dcim::TYPES,
            devices::TYPES,
            extras::TYPES,
            ipam::TYPES,
            modules::TYPES,
            numbers::TYPES,
            places::TYPES,
            system::TYPES,
            tunnels::TYPES,
        ];
        let mut all: Vec<_> = tables.into_iter().flatten().collect();
        all.sort_by_key(|ty| ty.endpoint);
        all
    });
    &ALL
}

/// The type at a path such as `dcim/sites`.
pub(crate) fn at(endpoint: &str) -> Option<&'static Type> {
    static AT: LazyLock<HashMap<&'static str, &'static Type>> =
        LazyLock::new(|| all().iter().map(|ty| (ty.endpoint, *ty)).collect());
    AT.get(endpoint).copied()
}

/// The type of a content type such as `dcim.site`.
pub(crate) fn of_model(model: &str) -> Option<&'static Type> {
    all().iter().find(|ty| ty.model == model).copied()
}

#[cfg(test)]
mod tests {
    use super::{Derived, Kind, all, at};

    #[test]
    fn every_reference_leads_to_a_type_and_every_named_field_exists() {
        for ty in all() {
            for field in ty.fields {
                if let Kind::Ref(target, _, _) | Kind::RefList(target) = field.kind {
                    assert!(at(target).is_some(), "{}.{}", ty.model, field.name);
                }
                if let Kind::Derived(
                    Derived::Count(target, by)
                    | Derived::Counter(target, by)
                    | Derived::Listed(target, by)
                    | Derived::First(target, by)
                    | Derived::Any(target, by)
                    | Derived::Sum(target, by, _),
                ) = field.kind
                {
                    let there = at(target).and_then(|other| other.field(by));
                    assert!(there.is_some(), "{}.{}", ty.model, field.name);
                }
            }
            for name in ty.brief.iter().chain(ty.nested) {
                assert!(ty.field(name).is_some(), "{}.{name}", ty.model);
            }
        }
    }
}
