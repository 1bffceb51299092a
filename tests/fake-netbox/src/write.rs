//! Writing: one `Writer` is one transaction with its changelog rows.

mod changelog;
mod delete;
mod follow;
mod validate;

use std::sync::Arc;

use serde_json::{Map, Value};

pub(crate) use changelog::{append, name_of, replay};
pub(crate) use delete::generic_fields;
pub(crate) use validate::Refusal;

use crate::state::{Action, Author, Change, Data, Db, Row, View};
use crate::types::{Kind, Stamp, Type};

/// Why a write did not happen.
pub(crate) enum WriteError {
    /// 404: there is no such object.
    Missing,
    /// 400: errors by field.
    Refused(Refusal),
    /// 409: other objects need it.
    Protected(String),
    /// 500: the database refuses a value that nothing had checked.
    Broken(&'static str),
}

/// A transaction: on `commit` its changelog rows become visible, dropped it is rolled back.
pub(crate) struct Writer<'a> {
    data: &'a mut Data,
    branch: Option<String>,
    author: Author,
    /// Whether NetBox knows of messages already (4.4).
    takes_messages: bool,
    message: String,
    /// The object that the message is about: what goes along with it has none.
    subject: Option<(&'static str, u64)>,
    changes: Vec<Change>,
    before: Option<(Db, Option<Db>)>,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(data: &'a mut Data, branch: Option<&str>, author: Author) -> Writer<'a> {
        let branch_db = branch.and_then(|schema| data.branches.get(schema)).map(|branch| branch.db.clone());
        Writer {
            before: Some((data.main.clone(), branch_db)),
            data,
            branch: branch.map(str::to_owned),
            author,
            takes_messages: true,
            message: String::new(),
            subject: None,
            changes: Vec::new(),
        }
    }

    /// As before NetBox 4.4.
    pub(crate) fn without_messages(mut self) -> Writer<'a> {
        self.takes_messages = false;
        self
    }

    /// The data with what was written so far.
    pub(crate) fn view(&self) -> View {
        self.data.view(self.branch.as_deref())
    }

    fn db(&mut self, ty: &Type) -> &mut Db {
        self.data.db_mut(ty, self.branch.as_deref())
    }

    fn row(&mut self, ty: &Type, id: u64) -> Result<Arc<Row>, WriteError> {
        let row = self.db(ty).table(ty.endpoint).get(&id);
        row.cloned().ok_or(WriteError::Missing)
    }

    /// Makes an object and gives its id.
    pub(crate) fn create(&mut self, ty: &'static Type, body: &Map<String, Value>) -> Result<u64, WriteError> {
        self.note(ty.takes_message(), body)?;
        let view = self.view();
        let values = validate::values(&view, ty, body, None, true).map_err(WriteError::Refused)?;
        drop(view);
        let id = self.insert(ty, values);
        self.check_messages()?;
        Ok(id)
    }

    /// Makes an object of values that need no check.
    pub(crate) fn insert(&mut self, ty: &'static Type, values: impl IntoIterator<Item = (&'static str, Value)>) -> u64 {
        let id = self.data.take_id(ty.endpoint);
        self.subject = Some((ty.endpoint, id));
        self.put(ty, id, values);
        id
    }

    /// Makes an object that goes with another; the message is not about it.
    fn insert_along(&mut self, ty: &'static Type, values: impl IntoIterator<Item = (&'static str, Value)>) {
        let id = self.data.take_id(ty.endpoint);
        self.put(ty, id, values);
    }

    fn put(&mut self, ty: &'static Type, id: u64, values: impl IntoIterator<Item = (&'static str, Value)>) {
        let stamp = self.data.stamp();
        let mut row = Row::new(ty, id, &stamp);
        row.values.extend(values);
        let row = Arc::new(row);
        self.db(ty).table_mut(ty).insert(id, Arc::clone(&row));
        self.record(Action::Create, ty, id, [None, Some(Arc::clone(&row))]);
        follow::follow(self.data, self.branch.as_deref(), ty, &row, &row);
        self.touch_ends(ty, &row);
        self.set_ends(ty, id, &ends(&row));
        self.instantiate(ty, &row);
    }

    /// Changes an object; `whole` is PUT, which wants every required field.
    pub(crate) fn update(
        &mut self,
        ty: &'static Type,
        id: u64,
        body: &Map<String, Value>,
        whole: bool,
    ) -> Result<(), WriteError> {
        let before = self.row(ty, id)?;
        self.note(ty.takes_message(), body)?;
        let view = self.view();
        let values = validate::values(&view, ty, body, Some(&before), whole).map_err(WriteError::Refused)?;
        drop(view);
        self.subject = Some((ty.endpoint, id));
        self.set(ty, id, values);
        self.check_messages()
    }

    /// Sets fields of an object that exists, as `save()` does: `last_updated` moves in any case.
    fn set(&mut self, ty: &'static Type, id: u64, values: impl IntoIterator<Item = (&'static str, Value)>) {
        let Ok(before) = self.row(ty, id) else {
            return;
        };
        let mut row = (*before).clone();
        row.values.extend(values);
        let stamp = self.data.stamp();
        if ty.fields.iter().any(|field| matches!(field.kind, Kind::Stamp(Stamp::Updated))) {
            row.values.insert("last_updated", Value::from(stamp));
        }
        let after = Arc::new(row);
        self.db(ty).table_mut(ty).insert(id, Arc::clone(&after));
        follow::follow(self.data, self.branch.as_deref(), ty, &before, &after);
        if before.get("a_terminations") != after.get("a_terminations")
            || before.get("b_terminations") != after.get("b_terminations")
        {
            self.touch_ends(ty, &before);
            self.touch_ends(ty, &after);
            self.set_ends(ty, id, &ends(&after));
        }
        self.record(Action::Update, ty, id, [Some(before), Some(after)]);
    }

    /// Sets a value of an object made in this transaction, as part of making it.
    pub(crate) fn amend(&mut self, ty: &'static Type, id: u64, name: &'static str, value: Value) {
        let Ok(row) = self.row(ty, id) else {
            return;
        };
        let mut row = (*row).clone();
        row.values.insert(name, value);
        let row = Arc::new(row);
        self.db(ty).table_mut(ty).insert(id, Arc::clone(&row));
        for change in &mut self.changes {
            if change.ty.endpoint == ty.endpoint && change.object == id {
                change.after = Some(Arc::clone(&row));
            }
        }
    }

    /// Deletes an object and what goes with it; of the body only a message counts, whatever the type.
    pub(crate) fn delete(&mut self, ty: &'static Type, id: u64, body: &Map<String, Value>) -> Result<(), WriteError> {
        self.row(ty, id)?;
        self.note(true, body)?;
        self.subject = Some((ty.endpoint, id));
        let view = self.view();
        let plan = delete::plan(&view, ty, id).map_err(WriteError::Protected)?;
        drop(view);
        for (other, other_id, values) in plan.changed {
            self.set(other, other_id, values);
        }
        for (other, other_id, values) in plan.unlogged {
            let table = self.db(other).table_mut(other);
            if let Some(row) = table.get_mut(&other_id) {
                Arc::make_mut(row).values.extend(values);
            }
        }
        for (doomed, doomed_id) in plan.doomed.into_iter().rev() {
            self.remove(doomed, doomed_id);
        }
        self.check_messages()
    }

    /// A new device gets the interfaces that its type says.
    fn instantiate(&mut self, ty: &Type, device: &Row) {
        let interfaces = crate::types::at("dcim/interfaces").filter(|_| ty.endpoint == "dcim/devices");
        let Some(interfaces) = interfaces else {
            return;
        };
        let view = self.view();
        let templates = view.table("dcim/interface-templates").values();
        for template in templates.filter(|template| template.get("device_type") == device.get("device_type")) {
            let values = [("device", Value::from(device.id)), ("name", template.get("name").clone())];
            self.insert_along(interfaces, values.into_iter().chain([("type", Value::from("other"))]));
        }
    }

    fn remove(&mut self, ty: &'static Type, id: u64) {
        let Some(gone) = self.db(ty).table_mut(ty).remove(&id) else {
            return;
        };
        follow::follow(self.data, self.branch.as_deref(), ty, &gone, &gone);
        self.set_ends(ty, id, &[]);
        self.record(Action::Delete, ty, id, [Some(gone), None]);
    }

    /// A cable's terminations are objects too, which come and go with its ends.
    fn set_ends(&mut self, ty: &Type, cable: u64, ends: &[(char, &'static Type, u64)]) {
        let terminations = crate::types::at("dcim/cable-terminations").filter(|_| ty.endpoint == "dcim/cables");
        let Some(terminations) = terminations else {
            return;
        };
        let same = |row: &Row, end: &(char, &Type, u64)| {
            row.text("cable_end") == end.0.to_string()
                && row.text("termination_type") == end.1.model
                && row.number("termination_id") == Some(end.2)
        };
        let table = self.db(terminations).table(terminations.endpoint);
        let there: Vec<_> = table.values().filter(|row| row.number("cable") == Some(cable)).cloned().collect();
        for row in there.iter().filter(|row| !ends.iter().any(|end| same(row, end))) {
            self.remove(terminations, row.id);
        }
        for end in ends.iter().filter(|end| !there.iter().any(|row| same(row, end))) {
            let values = [
                ("cable", Value::from(cable)),
                ("cable_end", Value::from(end.0.to_string())),
                ("termination_type", Value::from(end.1.model)),
                ("termination_id", Value::from(end.2)),
            ];
            self.insert_along(terminations, values);
        }
    }

    /// A cable's ends are saved when it comes or moves, and so leave rows of their own; when it goes, they do not.
    fn touch_ends(&mut self, ty: &Type, cable: &Row) {
        if ty.endpoint != "dcim/cables" {
            return;
        }
        for (_, end_ty, end_id) in ends(cable) {
            let Ok(before) = self.row(end_ty, end_id) else {
                continue;
            };
            let mut row = (*before).clone();
            let stamp = self.data.stamp();
            row.values.insert("last_updated", Value::from(stamp));
            let after = Arc::new(row);
            self.db(end_ty).table_mut(end_ty).insert(end_id, Arc::clone(&after));
            self.record_always(Action::Update, end_ty, end_id, [Some(before), Some(after)]);
        }
    }

    /// Makes everything visible and gives the changes.
    pub(crate) fn commit(mut self) {
        self.before = None;
        let changes = std::mem::take(&mut self.changes);
        changelog::append(self.data, self.branch.as_deref(), changes);
    }

    /// Leaves the data as written, but gives the changes instead of showing them.
    pub(crate) fn into_changes(mut self) -> Vec<Change> {
        self.before = None;
        std::mem::take(&mut self.changes)
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        let Some((main, branch_db)) = self.before.take() else {
            return;
        };
        self.data.main = main;
        let branch = self.branch.as_ref();
        let branch = branch.and_then(|schema| self.data.branches.get_mut(schema));
        if let (Some(branch), Some(db)) = (branch, branch_db) {
            branch.db = db;
        }
    }
}

/// The ends of a cable: `a` or `b`, type and id.
pub(crate) fn ends(cable: &Row) -> Vec<(char, &'static Type, u64)> {
    let mut all = Vec::new();
    for (side, name) in [('A', "a_terminations"), ('B', "b_terminations")] {
        for end in cable.get(name).as_array().map(Vec::as_slice).unwrap_or_default() {
            let ty = end["object_type"].as_str().and_then(crate::types::of_model);
            if let (Some(ty), Some(id)) = (ty, end["object_id"].as_u64()) {
                all.push((side, ty, id));
            }
        }
    }
    all
}
