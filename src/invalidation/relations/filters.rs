//! Which types a query's parameters name. A filter decides what a list holds, an empty one too, so the answer depends on
//! whatever the filter looks at on its way.

use super::named;
use crate::netbox::object_type::{ObjectType, TypeSet};
use crate::netbox::query::{LOOKUPS, Query};

mod table;

use table::{COLUMNS, DEVICE, FILTERS, Filter, PLACES, STANDING};

/// One more lookup expression, which only filters by tags have (NetBox 4.6).
const OF_TAGS: &str = "any";

/// Parameters that say how a list is shown, not what it holds.
const FORM: [&str; 8] = ["brief", "exclude", "fields", "format", "limit", "offset", "omit", "start"];

/// What a query looks at.
#[derive(Debug, Clone, Copy)]
pub(super) struct LookedAt {
    /// Other types.
    pub(super) types: TypeSet,
    /// Whether what stands in the rows themselves decides which of them are shown, or where.
    pub(super) columns: bool,
    /// Whether that may be lost along with what it refers to.
    pub(super) references: bool,
}

/// What a read of this type looks at by its query; `None` when a parameter is not understood.
pub(super) fn types(own: ObjectType, query: &Query) -> Option<LookedAt> {
    let (mut types, mut columns, mut references) = (TypeSet::EMPTY, false, false);
    for key in query.keys() {
        let key = std::str::from_utf8(key).ok()?;
        if key == "ordering" {
            if !query.values(key).all(is_by_columns) {
                return None;
            }
            columns = true;
            references |= query.values(key).any(|names| names.split(|byte| *byte == b',').any(is_reference));
        } else if !FORM.contains(&key) {
            let looked_at = of_filter(own, stem(key))?;
            columns |= looked_at.is_empty();
            references |= looked_at.is_empty() && is_reference(stem(key).as_bytes());
            types.extend(looked_at);
        }
    }
    Some(LookedAt { types, columns, references })
}

/// Whether a list is sorted by what stands in its own rows alone.
fn is_by_columns(ordering: &[u8]) -> bool {
    let by_column = |name: &str| is_column(name.strip_prefix('-').unwrap_or(name));
    std::str::from_utf8(ordering).is_ok_and(|names| names.split(',').all(by_column))
}

/// Whether a column refers to something else, or is kept only as long as another does.
fn is_reference(column: &[u8]) -> bool {
    let begins = |with: &[u8]| column.strip_prefix(b"-").unwrap_or(column).starts_with(with);
    let ends = |with: &[u8]| column.ends_with(with);
    begins(b"vc_") || begins(b"assigned") || begins(b"parent") || ends(b"_id") || ends(b"_vid") || ends(b"_type")
}

fn is_column(name: &str) -> bool {
    COLUMNS.split_ascii_whitespace().any(|column| column == name)
}

/// A filter without its lookup: `name` of `name__ic`.
fn stem(key: &str) -> &str {
    match key.rsplit_once("__") {
        Some((stem, lookup)) if lookup == OF_TAGS || LOOKUPS.contains(&lookup) => stem,
        Some(_) | None => key,
    }
}

fn of_filter(own: ObjectType, name: &str) -> Option<TypeSet> {
    if is_column(name) {
        return Some(TypeSet::EMPTY);
    }
    let without_id = name.strip_suffix("_id").unwrap_or(name);
    of_device(own, without_id)
        .or_else(|| find(FILTERS, own, name))
        .or_else(|| find(FILTERS, own, without_id))
        .or_else(|| of_place(own, without_id))
}

/// By where its rows stand, which is often told by others: a component's site by its device, and that by its rack.
fn of_place(own: ObjectType, name: &str) -> Option<TypeSet> {
    let mut types = find(PLACES, own, name)?;
    let (_, told_by) = STANDING.iter().find(|(of, _)| of.contains(&own.endpoint()))?;
    types.extend(named(told_by));
    Some(types)
}

/// By the device that its rows are part of.
fn of_device(own: ObjectType, name: &str) -> Option<TypeSet> {
    let (of, types) = DEVICE;
    of.contains(&own.endpoint()).then(|| find(types, own, name)).flatten()
}

fn find(table: &[Filter], own: ObjectType, name: &str) -> Option<TypeSet> {
    let found = table.iter().find(|filter| filter.name == name && filter.is_of(own.endpoint()));
    found.map(|filter| named(filter.looks_at))
}

impl Filter {
    fn is_of(&self, endpoint: &str) -> bool {
        self.of.is_empty() || self.of.contains(&endpoint)
    }
}
