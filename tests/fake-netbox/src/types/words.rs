//! The small words with which the tables are written.

use super::fields::{Choices, Computed, Derived, Field, Kind, OnDelete, Plain, Preset, Shape, Stamp};

/// A field of any kind.
pub(crate) const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false, nullable: false, unique: false, read_only: false, default: Preset::ByKind }
}

const fn plain(name: &'static str, kind: Plain) -> Field {
    field(name, Kind::Plain(kind))
}

const fn derived(name: &'static str, what: Derived) -> Field {
    field(name, Kind::Derived(what))
}

pub(crate) const fn text(name: &'static str) -> Field {
    plain(name, Plain::Text)
}

pub(crate) const fn int(name: &'static str) -> Field {
    plain(name, Plain::Int).nullable()
}

pub(crate) const fn decimal(name: &'static str) -> Field {
    plain(name, Plain::Decimal).nullable()
}

pub(crate) const fn boolean(name: &'static str) -> Field {
    plain(name, Plain::Bool)
}

pub(crate) const fn json(name: &'static str) -> Field {
    plain(name, Plain::Json)
}

pub(crate) const fn texts(name: &'static str) -> Field {
    plain(name, Plain::Texts)
}

pub(crate) const fn time(name: &'static str) -> Field {
    plain(name, Plain::Time)
}

pub(crate) const fn tag_slugs(name: &'static str) -> Field {
    plain(name, Plain::TagSlugs)
}

pub(crate) const fn null(name: &'static str) -> Field {
    derived(name, Derived::Null)
}

pub(crate) const fn empty(name: &'static str) -> Field {
    derived(name, Derived::Empty)
}

pub(crate) const fn zero(name: &'static str) -> Field {
    derived(name, Derived::Zero)
}

pub(crate) const fn choice(name: &'static str, choices: &'static Choices) -> Field {
    field(name, Kind::Choice(choices))
}

/// Any number of related objects.
pub(crate) const fn many(name: &'static str, target: &'static str) -> Field {
    field(name, Kind::RefList(target))
}

/// A required related object, which cannot be deleted while this one exists.
pub(crate) const fn one(name: &'static str, target: &'static str) -> Field {
    field(name, Kind::Ref(target, Shape::Brief, OnDelete::Protect)).required()
}

/// An optional related object, which cannot be deleted while this one exists.
pub(crate) const fn maybe(name: &'static str, target: &'static str) -> Field {
    field(name, Kind::Ref(target, Shape::Brief, OnDelete::Protect)).nullable()
}

/// An optional related object that may be deleted, leaving null behind.
pub(crate) const fn weak(name: &'static str, target: &'static str) -> Field {
    field(name, Kind::Ref(target, Shape::Brief, OnDelete::SetNull)).nullable()
}

/// A required related object that takes this one along when deleted.
pub(crate) const fn part_of(name: &'static str, target: &'static str) -> Field {
    field(name, Kind::Ref(target, Shape::Brief, OnDelete::Cascade)).required()
}

/// As `part_of`, but shown by its id alone.
pub(crate) const fn key_of(name: &'static str, target: &'static str) -> Field {
    field(name, Kind::Ref(target, Shape::Key, OnDelete::Cascade)).required()
}

/// The object above in a tree.
pub(crate) const fn parent(target: &'static str) -> Field {
    field("parent", Kind::Ref(target, Shape::Nested, OnDelete::Cascade)).nullable()
}

/// An optional object of the same type, shown in the nested form.
pub(crate) const fn sibling(name: &'static str, target: &'static str) -> Field {
    field(name, Kind::Ref(target, Shape::Nested, OnDelete::SetNull)).nullable()
}

pub(crate) const fn count(name: &'static str, target: &'static str, by: &'static str) -> Field {
    derived(name, Derived::Count(target, by))
}

pub(crate) const fn counter(name: &'static str, target: &'static str, by: &'static str) -> Field {
    derived(name, Derived::Counter(target, by))
}

pub(crate) const fn listed(name: &'static str, target: &'static str, by: &'static str) -> Field {
    derived(name, Derived::Listed(target, by))
}

pub(crate) const fn first(name: &'static str, target: &'static str, by: &'static str) -> Field {
    derived(name, Derived::First(target, by))
}

pub(crate) const fn exists(name: &'static str, target: &'static str, by: &'static str) -> Field {
    derived(name, Derived::Any(target, by))
}

pub(crate) const fn sum(name: &'static str, target: &'static str, by: &'static str, of: &'static str) -> Field {
    derived(name, Derived::Sum(target, by, of))
}

pub(crate) const fn generic(name: &'static str, prefix: &'static str) -> Field {
    derived(name, Derived::Generic(prefix))
}

pub(crate) const fn computed(name: &'static str, what: Computed) -> Field {
    derived(name, Derived::Computed(what))
}

pub(crate) const NAME: Field = text("name").required();
pub(crate) const SLUG: Field = plain("slug", Plain::Slug).required().unique();
pub(crate) const DESCRIPTION: Field = text("description");
pub(crate) const OWNER: Field = null("owner");
pub(crate) const COMMENTS: Field = text("comments");
pub(crate) const TAGS: Field = field("tags", Kind::Tags);
pub(crate) const CUSTOM: Field = field("custom_fields", Kind::CustomFields);
pub(crate) const CREATED: Field = field("created", Kind::Stamp(Stamp::Created));
pub(crate) const UPDATED: Field = field("last_updated", Kind::Stamp(Stamp::Updated));
pub(crate) const DEPTH: Field = computed("_depth", Computed::Depth);
pub(crate) const TENANT: Field = maybe("tenant", "tenancy/tenants");
