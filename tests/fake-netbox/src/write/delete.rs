//! What a deletion takes along, what it leaves null, and what forbids it.

use serde_json::Value;

use super::changelog::name_of;
use super::ends;
use crate::state::{Row, View};
use crate::types::{self, Derived, Field, Kind, OnDelete, Plain, Type};

type Values = Vec<(&'static str, Value)>;

/// The consequences of deleting one object.
#[derive(Default)]
pub(super) struct Plan {
    /// What goes, the object itself first.
    pub(super) doomed: Vec<(&'static Type, u64)>,
    /// What is saved with other values.
    pub(super) changed: Vec<(&'static Type, u64, Values)>,
    /// What loses a link without being saved.
    pub(super) unlogged: Vec<(&'static Type, u64, Values)>,
    protected: Vec<(&'static Type, u64, String)>,
}

/// Works the consequences out, or says which objects forbid it.
pub(super) fn plan(view: &View, ty: &'static Type, id: u64) -> Result<Plan, String> {
    let mut plan = Plan::default();
    plan.visit(view, ty, id);
    let doomed = plan.doomed.clone();
    let goes = |ty: &Type, id: u64| {
        let same = |other: &(&Type, u64)| other.0.endpoint == ty.endpoint && other.1 == id;
        doomed.iter().any(same)
    };
    plan.protected.retain(|(ty, id, _)| !goes(ty, *id));
    plan.changed.retain(|(ty, id, _)| !goes(ty, *id));
    plan.unlogged.retain(|(ty, id, _)| !goes(ty, *id));
    if plan.protected.is_empty() {
        return Ok(plan);
    }
    let names: Vec<_> = plan.protected.iter().map(|(_, id, name)| format!("{name} ({id})")).collect();
    Err(format!("Unable to delete object. {} dependent objects were found: {}", names.len(), names.join(", ")))
}

impl Plan {
    fn visit(&mut self, view: &View, ty: &'static Type, id: u64) {
        let known = |other: &(&Type, u64)| other.0.endpoint == ty.endpoint && other.1 == id;
        if self.doomed.iter().any(known) {
            return;
        }
        self.doomed.push((ty, id));
        for other in types::all() {
            for field in other.fields {
                self.visit_field(view, (ty, id), other, field);
            }
        }
    }

    /// Sees what becomes of the objects whose field refers to the one that goes.
    fn visit_field(&mut self, view: &View, (ty, id): (&'static Type, u64), other: &'static Type, field: &Field) {
        let rows = view.table(other.endpoint).values();
        if let Kind::Ref(target, _, then) = field.kind
            && target == ty.endpoint
        {
            for row in rows.filter(|row| row.number(field.name) == Some(id)) {
                self.lose(view, other, row, field.name, then);
            }
        } else if field.listed() == Some(ty.endpoint) {
            self.unlist(view, other, field.name, &Value::from(id));
        } else if let Kind::Plain(Plain::TagSlugs) = field.kind
            && ty.endpoint == "extras/tags"
            && let Some(tag) = view.row(ty.endpoint, id)
        {
            self.unlist(view, other, field.name, tag.get("slug"));
        } else if let Kind::Derived(Derived::Generic(prefix)) = field.kind
            && prefix != "scope"
            && other.model != "core.job"
        {
            let (kind, number) = generic_fields(prefix);
            for row in rows.filter(|row| row.text(kind) == ty.model && row.number(number) == Some(id)) {
                self.visit(view, other, row.id);
            }
        } else if field.name == "a_terminations" {
            self.unplug(view, other, ty, id);
        }
    }

    fn lose(&mut self, view: &View, ty: &'static Type, row: &Row, field: &'static str, then: OnDelete) {
        match then {
            OnDelete::Cascade => self.visit(view, ty, row.id),
            OnDelete::Protect => self.protected.push((ty, row.id, name_of(ty, row))),
            OnDelete::SetNull => self.changed.push((ty, row.id, vec![(field, Value::Null)])),
        }
    }

    /// Takes a value out of a list field wherever it stands.
    fn unlist(&mut self, view: &View, ty: &'static Type, field: &'static str, gone: &Value) {
        for row in view.table(ty.endpoint).values() {
            let list = row.get(field).as_array().map(Vec::as_slice).unwrap_or_default();
            if list.contains(gone) {
                let rest: Vec<_> = list.iter().filter(|value| *value != gone).cloned().collect();
                self.unlogged.push((ty, row.id, vec![(field, Value::Array(rest))]));
            }
        }
    }

    /// Takes an interface off its cable.
    fn unplug(&mut self, view: &View, cables: &'static Type, ty: &Type, id: u64) {
        for row in view.table(cables.endpoint).values() {
            let here = ends(row).into_iter().any(|(_, end, end_id)| end.endpoint == ty.endpoint && end_id == id);
            if !here {
                continue;
            }
            let mut values = Vec::new();
            for side in ["a_terminations", "b_terminations"] {
                let list = row.get(side).as_array().map(Vec::as_slice).unwrap_or_default();
                let rest = list.iter().filter(|end| end["object_id"] != id).cloned().collect();
                values.push((side, Value::Array(rest)));
            }
            self.unlogged.push((cables, row.id, values));
        }
    }
}

/// The two fields in which a generic relation is stored.
pub(crate) fn generic_fields(prefix: &str) -> (&'static str, &'static str) {
    match prefix {
        "scope" => ("scope_type", "scope_id"),
        "object" => ("object_type", "object_id"),
        "termination" => ("termination_type", "termination_id"),
        "interface" => ("interface_type", "interface_id"),
        _ => ("assigned_object_type", "assigned_object_id"),
    }
}
