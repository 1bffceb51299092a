//! Changelog rows: ids and times are taken when a change is made, and seen when it is committed.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::follow::follow;
use super::validate::Refusal;
use super::{WriteError, Writer};
use crate::state::{Action, Change, Data, Db, Row};
use crate::types::{self, Computed, Derived, Display, Kind, Stamp, Type};

const LOG: &str = "core/object-changes";

/// The longest message that the database takes, in characters (core/models/change_logging.py).
const LONGEST_MESSAGE: usize = 200;

/// An object before and after a change, as far as it was there.
type Versions = [Option<Arc<Row>>; 2];

impl Writer<'_> {
    /// Takes the message that goes with the next change, where one is taken (`ChangeLogMessageSerializer`).
    pub(super) fn note(&mut self, is_taken: bool, body: &Map<String, Value>) -> Result<(), WriteError> {
        self.message.clear();
        let given = body.get("changelog_message").filter(|_| is_taken && self.takes_messages);
        let problem = match given {
            None => return Ok(()),
            Some(Value::Null) => "This field may not be null.",
            Some(Value::String(text)) if text.trim().is_empty() => "This field may not be blank.",
            Some(Value::String(text)) => {
                self.message.clone_from(text);
                return Ok(());
            }
            Some(Value::Number(number)) => {
                self.message = number.to_string();
                return Ok(());
            }
            Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => "Not a valid string.",
        };
        Err(WriteError::Refused(Refusal::of("changelog_message", problem)))
    }

    /// No serializer limits a message; the database does, once there is a row to keep it in.
    pub(super) fn check_messages(&self) -> Result<(), WriteError> {
        let too_long = |change: &Change| change.id != 0 && change.message.chars().count() > LONGEST_MESSAGE;
        if self.changes.iter().any(too_long) {
            return Err(WriteError::Broken("value too long for type character varying(200)\n"));
        }
        Ok(())
    }

    /// Notes a change; one that changed nothing takes no id, as in NetBox by default.
    pub(super) fn record(&mut self, action: Action, ty: &'static Type, id: u64, versions: Versions) {
        if let [Some(before), Some(after)] = &versions {
            let same = ty
                .fields
                .iter()
                .filter(|field| field.is_stored() && !matches!(field.kind, Kind::Stamp(Stamp::Updated)))
                .all(|field| before.get(field.name) == after.get(field.name));
            if same {
                self.push(action, ty, id, versions, false);
                return;
            }
        }
        self.record_always(action, ty, id, versions);
    }

    /// Notes a change even where the stored fields are the same.
    pub(super) fn record_always(&mut self, action: Action, ty: &'static Type, id: u64, versions: Versions) {
        // An object saved twice in one request has one row.
        let earlier =
            self.changes.iter_mut().find(|change| change.id != 0 && change.ty.model == ty.model && change.object == id);
        if let (Some(earlier), Action::Update) = (earlier, action) {
            let [_, after] = versions;
            earlier.after = after;
            return;
        }
        self.push(action, ty, id, versions, ty.logged);
    }

    fn push(&mut self, action: Action, ty: &'static Type, object: u64, versions: Versions, logged: bool) {
        let [before, after] = versions;
        let name = after.as_deref().or(before.as_deref()).map(|row| name_of(ty, row));
        let id = if logged { self.data.take_id(LOG) } else { 0 };
        let is_subject = self.subject == Some((ty.endpoint, object));
        let message = if is_subject { self.message.clone() } else { String::new() };
        let change = Change {
            id,
            stamp: self.data.stamp(),
            action,
            ty,
            object,
            before,
            after,
            author: self.author.clone(),
            message,
            name: name.unwrap_or_default(),
        };
        self.changes.push(change);
    }
}

/// Short text for an object where no look at others is possible.
pub(crate) fn name_of(ty: &Type, row: &Row) -> String {
    let field = if let Display::Field(name) = ty.display { name } else { "name" };
    let text = row.text(field);
    if text.is_empty() { format!("{} {}", ty.class, row.id) } else { text.to_owned() }
}

/// Makes changes visible in the changelog they belong to.
pub(crate) fn append(data: &mut Data, branch: Option<&str>, changes: Vec<Change>) {
    for change in changes {
        let branch = branch.filter(|_| change.ty.branchable);
        if change.id != 0
            && let Some(log) = types::at(LOG)
        {
            let row = log_row(data, branch, log, &change);
            data.db_mut(log, branch).insert(log, row);
        }
        if let Some(branch) = branch.and_then(|schema| data.branches.get_mut(schema)) {
            branch.changes.push(change);
        }
    }
}

fn log_row(data: &mut Data, branch: Option<&str>, log: &Type, change: &Change) -> Row {
    let db = data.db_mut(change.ty, branch);
    let flat_row = |row: &Option<Arc<Row>>| match row {
        Some(row) => flat(db, change.ty, row),
        None => Value::Object(Map::new()),
    };
    let (before, after) = (flat_row(&change.before), flat_row(&change.after));
    let mut row = Row::new(log, change.id, &change.stamp);
    let action = match change.action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Delete => "delete",
    };
    row.values.extend([
        ("time", Value::from(change.stamp.as_str())),
        ("user", Value::from(change.author.user)),
        ("user_name", Value::from(change.author.name.as_str())),
        ("request_id", Value::from(change.author.request.as_str())),
        ("action", Value::from(action)),
        ("changed_object_type", Value::from(change.ty.model)),
        ("changed_object_id", Value::from(change.object)),
        ("object_repr", Value::from(change.name.as_str())),
        ("message", Value::from(change.message.as_str())),
        ("prechange_data", before),
        ("postchange_data", after),
    ]);
    row
}

/// An object as the changelog keeps it: ids for relations, names for tags, no times.
fn flat(db: &Db, ty: &Type, row: &Row) -> Value {
    let mut members = Map::new();
    for field in ty.fields {
        let value = match field.kind {
            Kind::Tags => {
                let tags = db.table("extras/tags");
                let names = row.numbers(field.name).filter_map(|id| tags.get(&id));
                Value::from(names.map(|tag| tag.text("name").to_owned()).collect::<Vec<_>>())
            }
            Kind::Derived(Derived::Null | Derived::Computed(Computed::Cable)) => Value::Null,
            Kind::Stamp(_) | Kind::Derived(_) => continue,
            Kind::Plain(_)
            | Kind::Choice(_)
            | Kind::Ref(..)
            | Kind::RefList(_)
            | Kind::CustomFields
            | Kind::Terminations => row.get(field.name).clone(),
        };
        members.insert(field.name.to_owned(), value);
    }
    Value::Object(members)
}

/// Carries changes over to another copy of the data, without rows of their own.
pub(crate) fn replay(data: &mut Data, branch: Option<&str>, changes: &[Change]) {
    for change in changes {
        let ty = change.ty;
        let table = data.db_mut(ty, branch).table_mut(ty);
        match (&change.before, &change.after) {
            (None, Some(after)) => {
                table.insert(change.object, Arc::clone(after));
            }
            (Some(_), None) => {
                table.remove(&change.object);
            }
            (Some(before), Some(after)) => {
                let Some(slot) = table.get_mut(&change.object) else {
                    continue;
                };
                let old = Arc::clone(slot);
                let mut row = (*old).clone();
                for (name, value) in &after.values {
                    if before.get(name) != value {
                        row.values.insert(name, value.clone());
                    }
                }
                let new = Arc::new(row);
                *slot = Arc::clone(&new);
                follow(data, branch, ty, &old, &new);
            }
            (None, None) => {}
        }
    }
}
