//! What an answer about main depends on: its own type, the types nested in it, those its filters name, and those whose
//! changes alter it unseen ([`table`]). Whatever is not understood depends on all of main.
//!
//! Known of NetBox 4.2 to 4.6; read from the code of 4.6.8. It holds for who sees all objects of a type, or those that an
//! object's own fields select: a permission whose constraints look at other types would make the answer depend on them.

use std::sync::LazyLock;

use crate::netbox::object::{ApiPath, Resource};
use crate::netbox::object_type::{ObjectType, TypeSet};
use crate::netbox::query::Query;
use crate::netbox::version::is_at_least;

pub mod along;
mod filters;
mod groups;
pub mod table;

use table::{CONTEXTS, NAMED_AFTER_ANYTHING, Relation, Seen, TABLE};

/// Apps whose types the changelog tells of, and whose answers show nothing but objects.
const APPS: [&str; 7] = ["circuits", "dcim", "ipam", "tenancy", "virtualization", "vpn", "wireless"];

/// Such types of other apps: what is noted of an object of any type, and deleted with it.
const OTHERS: [&str; 2] = ["extras/image-attachments", "extras/journal-entries"];

/// What an answer was seen to hold.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shown {
    /// The types of all objects in it.
    pub types: TypeSet,
    /// Whether a config context was among it.
    pub has_context: bool,
}

/// What alters answers unseen, by affected type.
pub struct Unseen {
    /// What alters an answer about a type.
    own: Box<[TypeSet]>,
    /// What alters an object of a type wherever it is shown, and what alters that in turn.
    nested: Box<[TypeSet]>,
}

static UNSEEN: LazyLock<Unseen> = LazyLock::new(|| Unseen::of(TABLE));

/// The types that the answer to this read depends on, by all that is known; `None` when that is all of main. `shown` is
/// what the answer holds, `None` when that was not understood.
pub fn of_answer(path: &ApiPath, query: &Query, shown: Option<Shown>) -> Option<TypeSet> {
    UNSEEN.of_answer(path, query, shown)
}

fn depends_on(unseen: &Unseen, path: &ApiPath, query: &Query, shown: Shown) -> Option<TypeSet> {
    let endpoint = match path.resource() {
        Resource::List(endpoint) | Resource::Object(endpoint, _) => endpoint,
        Resource::Root
        | Resource::AppRoot
        | Resource::Status
        | Resource::Schema
        | Resource::GraphQl
        | Resource::Below(..)
        | Resource::Single(_) => return None,
    };
    let own = ObjectType::of(&endpoint).filter(|own| is_told_of(*own))?;
    let trimmed = ["brief", "fields", "omit"].into_iter().any(|name| query.has(name));
    // When an object was saved is not shown by what it shows of others.
    let by_time = query.keys().any(|key| key.starts_with(b"last_updated"))
        || query.values("ordering").any(|names| memchr::memmem::find(names, b"last_updated").is_some());
    let named_after_anything =
        |named: ObjectType| NAMED_AFTER_ANYTHING.contains(&named.endpoint()) && (named != own || trimmed);
    // Nobody tells of users and owners, nor of what core holds.
    let untold = |shown: ObjectType| shown.endpoint().starts_with("users/") || shown.endpoint().starts_with("core/");
    if (trimmed && shown.has_context) || named_after_anything(own) {
        return None;
    }
    if (trimmed || by_time) && OTHERS.contains(&own.endpoint()) {
        return None;
    }
    if shown.types.iter().any(|shown| untold(shown) || named_after_anything(shown)) {
        return None;
    }
    let mut types = TypeSet::from_iter([own]);
    types.extend(shown.types);
    types.extend(filters::types(own, query)?);
    for object_type in types.iter() {
        types.extend(look_up(&unseen.nested, object_type));
    }
    types.extend(look_up(&unseen.own, own));
    if trimmed || by_time {
        types.extend(along::parents(own));
    }
    if shown.has_context {
        types.extend(named(CONTEXTS));
    }
    Some(types)
}

/// Whether what is written here is known of this version of NetBox.
pub fn are_known_of(version: &str) -> bool {
    is_at_least(version, 4, 2) && !is_at_least(version, 4, 7)
}

/// Whether the changelog tells of the type, and its answers show nothing but objects.
fn is_told_of(object_type: ObjectType) -> bool {
    let name = object_type.endpoint();
    let app = name.split('/').next().unwrap_or_default();
    APPS.contains(&app) || OTHERS.contains(&name)
}

impl Unseen {
    /// As these relations say.
    pub fn of<'a>(table: impl IntoIterator<Item = &'a Relation>) -> Self {
        let none = || vec![TypeSet::EMPTY; ObjectType::COUNT].into_boxed_slice();
        let (mut own, mut nested, mut names) = (none(), none(), none());
        for Relation { changed, affected, seen, .. } in table {
            for affected in named(affected).iter() {
                let sets: &mut [_] = match seen {
                    Seen::Own => &mut own,
                    Seen::Nested => &mut nested,
                    Seen::Name => &mut names,
                };
                add(sets, affected, named(changed));
            }
        }
        close(&mut names);
        for object_type in ObjectType::all() {
            add(&mut nested, object_type, look_up(&names, object_type));
        }
        Self { own, nested }
    }

    /// As [`of_answer`], by these relations alone.
    pub fn of_answer(&self, path: &ApiPath, query: &Query, shown: Option<Shown>) -> Option<TypeSet> {
        depends_on(self, path, query, shown?)
    }
}

/// What changes with something that changes with a third changes with that, too.
fn close(sets: &mut Box<[TypeSet]>) {
    loop {
        let before = sets.clone();
        for object_type in ObjectType::all() {
            for through in look_up(&before, object_type).iter() {
                add(sets, object_type, look_up(&before, through));
            }
        }
        if *sets == before {
            return;
        }
    }
}

/// The types of these names. All names in the tables are known; a test holds it.
fn named(names: &[&str]) -> TypeSet {
    names.iter().filter_map(|name| ObjectType::of_endpoint(name)).collect()
}

fn look_up(sets: &[TypeSet], object_type: ObjectType) -> TypeSet {
    sets.get(object_type.index()).copied().unwrap_or_default()
}

fn add(sets: &mut [TypeSet], object_type: ObjectType, more: TypeSet) {
    if let Some(set) = sets.get_mut(object_type.index()) {
        set.extend(more);
    }
}

#[cfg(test)]
mod tests;
