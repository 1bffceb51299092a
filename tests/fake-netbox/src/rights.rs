//! What users may do: object permissions, some of them for a part of the objects only.

use serde_json::{Map, Value};

use crate::state::{Row, View};
use crate::types::{self, Field, Type};

/// What is done with an object, as permissions name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    View,
    Add,
    Change,
    Delete,
}

impl Verb {
    /// What a method does to the objects of its view.
    pub(crate) fn of(method: &str) -> Verb {
        match method {
            "POST" => Verb::Add,
            "PUT" | "PATCH" => Verb::Change,
            "DELETE" => Verb::Delete,
            _ => Verb::View,
        }
    }
}

/// One object permission: what its user may do with the objects of a type, or with some of them.
///
/// ```
/// # use fake_netbox::Grant;
/// # use serde_json::json;
/// let north = Grant::view("dcim/sites").only(json!({"region": 1, "id__lt": 100}));
/// ```
#[derive(Clone, Debug)]
pub struct Grant {
    endpoint: String,
    verbs: &'static [Verb],
    constraints: Map<String, Value>,
}

impl Grant {
    /// Reading the objects at a path such as `dcim/sites`; `*` stands for all paths.
    pub fn view(endpoint: &str) -> Grant {
        Grant { endpoint: endpoint.to_owned(), verbs: &[Verb::View], constraints: Map::new() }
    }

    /// Reading, adding, changing and deleting them.
    pub fn full(endpoint: &str) -> Grant {
        let verbs = &[Verb::View, Verb::Add, Verb::Change, Verb::Delete];
        Grant { verbs, ..Grant::view(endpoint) }
    }

    /// Only objects that fit all of these constraints, written as NetBox takes them: the path of a field (`region`,
    /// `site__region`), perhaps with `__in`, `__lt`, `__lte`, `__gt`, `__gte` or `__startswith` behind it, and a value.
    ///
    /// # Panics
    /// If that is no object.
    #[must_use]
    pub fn only(self, constraints: Value) -> Grant {
        Grant { constraints: crate::fake::object(constraints), ..self }
    }

    fn is_for(&self, ty: &Type, verb: Verb) -> bool {
        (self.endpoint == "*" || self.endpoint == ty.endpoint) && self.verbs.contains(&verb)
    }

    fn covers(&self, view: &View, ty: &Type, row: &Row) -> bool {
        self.constraints.iter().all(|(key, wanted)| fits(view, ty, row, key, wanted))
    }
}

/// All that a user may.
#[derive(Clone, Debug)]
pub(crate) enum Rights {
    Superuser,
    Granted(Vec<Grant>),
}

impl Rights {
    pub(crate) fn is_superuser(&self) -> bool {
        matches!(self, Rights::Superuser)
    }

    /// Whether the user may do this with any object of the type at all.
    pub(crate) fn allow(&self, ty: &Type, verb: Verb) -> bool {
        match self {
            Rights::Superuser => true,
            Rights::Granted(grants) => grants.iter().any(|grant| grant.is_for(ty, verb)),
        }
    }

    /// Whether the user may do this with that object.
    pub(crate) fn reach(&self, view: &View, ty: &Type, verb: Verb, row: &Row) -> bool {
        match self {
            Rights::Superuser => true,
            Rights::Granted(grants) => grants.iter().any(|grant| grant.is_for(ty, verb) && grant.covers(view, ty, row)),
        }
    }
}

/// One constraint, as Django's `filter()` reads it.
fn fits(view: &View, ty: &Type, row: &Row, key: &str, wanted: &Value) -> bool {
    let (name, rest) = key.split_once("__").unwrap_or((key, ""));
    if name == "id" {
        return compare(&Value::from(row.id), rest, wanted);
    }
    let field = |ty: &Type, name: &str| ty.field(name).or_else(|| ty.field(name.strip_suffix("_id")?));
    let Some(own) = field(ty, name) else {
        panic!("FakeNetbox knows no field {name} of {}", ty.endpoint);
    };
    let name = own.name;
    let step = rest.split("__").next().unwrap_or_default();
    if let Some(target) = Field::target(own).and_then(types::at)
        && (step == "id" || field(target, step).is_some())
    {
        let other = row.number(name).and_then(|id| view.row(target.endpoint, id));
        return other.is_some_and(|other| fits(view, target, other, rest, wanted));
    }
    compare(row.get(name), rest, wanted)
}

fn compare(own: &Value, lookup: &str, wanted: &Value) -> bool {
    let order = || Some(own.as_f64()?.total_cmp(&wanted.as_f64()?));
    match lookup {
        "" | "exact" => own == wanted,
        "in" => wanted.as_array().is_some_and(|list| list.contains(own)),
        "lt" => order().is_some_and(std::cmp::Ordering::is_lt),
        "lte" => order().is_some_and(std::cmp::Ordering::is_le),
        "gt" => order().is_some_and(std::cmp::Ordering::is_gt),
        "gte" => order().is_some_and(std::cmp::Ordering::is_ge),
        "startswith" => own.as_str().zip(wanted.as_str()).is_some_and(|(own, start)| own.starts_with(start)),
        other => panic!("FakeNetbox knows no lookup {other} in constraints"),
    }
}
