//! Changes made beside the client under test, as if in NetBox's own pages.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::FakeNetbox;
use crate::jobs;
use crate::random;
use crate::render::{Render, Selection};
use crate::state::{Author, BranchData, Data};
use crate::transaction::Transaction;
use crate::types::{self, Type};
use crate::write::{WriteError, Writer};

const BRANCHES: &str = "plugins/branching/branches";

impl FakeNetbox {
    /// Creates an object in main and gives its id.
    ///
    /// # Panics
    /// If NetBox would refuse it.
    pub fn create(&self, endpoint: &str, body: Value) -> u64 {
        let ty = known(endpoint);
        self.write(None, |writer| writer.create(ty, &object(body)))
    }

    /// Changes fields of an object in main.
    ///
    /// # Panics
    /// If NetBox would refuse it.
    pub fn edit(&self, endpoint: &str, id: u64, patch: Value) {
        let ty = known(endpoint);
        self.write(None, |writer| writer.update(ty, id, &object(patch), false));
    }

    /// Deletes an object in main.
    ///
    /// # Panics
    /// If NetBox would refuse it.
    pub fn remove(&self, endpoint: &str, id: u64) {
        let ty = known(endpoint);
        self.write(None, |writer| writer.delete(ty, id, &Map::new()));
    }

    /// As `create`, in a branch.
    ///
    /// # Panics
    /// If NetBox would refuse it.
    pub fn create_in(&self, schema_id: &str, endpoint: &str, body: Value) -> u64 {
        let ty = known(endpoint);
        self.write(Some(schema_id), |writer| writer.create(ty, &object(body)))
    }

    /// As `edit`, in a branch.
    ///
    /// # Panics
    /// If NetBox would refuse it.
    pub fn edit_in(&self, schema_id: &str, endpoint: &str, id: u64, patch: Value) {
        let ty = known(endpoint);
        self.write(Some(schema_id), |writer| writer.update(ty, id, &object(patch), false));
    }

    /// As `remove`, in a branch.
    ///
    /// # Panics
    /// If NetBox would refuse it.
    pub fn remove_in(&self, schema_id: &str, endpoint: &str, id: u64) {
        let ty = known(endpoint);
        self.write(Some(schema_id), |writer| writer.delete(ty, id, &Map::new()));
    }

    /// An object as main's API would show it, with this server's own address in its URLs.
    pub fn get(&self, endpoint: &str, id: u64) -> Option<Value> {
        let ty = known(endpoint);
        let view = self.shared.lock().data.view(None);
        let url = self.url();
        let row = view.row(ty.endpoint, id)?;
        let json = Render::new(&view, &url, false).object(ty, row, &Selection::All);
        serde_json::from_str(&json.text(crate::json::Style::Compact)).ok()
    }

    /// Changes stored values in main with no changelog row and the same ETag, as a management
    /// command or NetBox's own signals do. Values are stored as given: relations are ids.
    ///
    /// # Panics
    /// If there is no such object or field.
    pub fn edit_unlogged(&self, endpoint: &str, id: u64, patch: Value) {
        let ty = known(endpoint);
        let mut state = self.shared.lock();
        let row = state.data.main.table_mut(ty).get_mut(&id);
        let Some(row) = row else {
            panic!("there is no {endpoint}/{id}");
        };
        let row = Arc::make_mut(row);
        for (name, value) in object(patch) {
            let Some(field) = ty.field(&name) else {
                panic!("{endpoint} has no field {name}");
            };
            row.values.insert(field.name, value);
        }
    }

    /// Empties the changelog, as housekeeping does in the end, or a backup from before its rows.
    pub fn prune_changelog(&self) {
        self.shared.lock().data.main.table_mut(known("core/object-changes")).clear();
    }

    /// Begins a transaction: its changelog ids are taken at once, and seen when it is committed.
    pub fn begin(&self) -> Transaction {
        Transaction::new(Arc::clone(&self.shared))
    }

    /// Adds a branch with a copy of main's data; gives its schema id.
    pub fn add_branch(&self, name: &str, status: &str) -> String {
        let schema = random::schema_id();
        let mut state = self.shared.lock();
        let data = &mut state.data;
        let stamp = data.stamp();
        let values = [
            ("name", Value::from(name)),
            ("status", Value::from(status)),
            ("owner", Value::from(1)),
            ("schema_id", Value::from(schema.as_str())),
            ("last_sync", Value::from(stamp)),
        ];
        insert(data, BRANCHES, values);
        let db = data.main.clone();
        let branch = BranchData { db, changes: Vec::new(), merged: Vec::new() };
        data.branches.insert(schema.clone(), branch);
        schema
    }

    /// Sets a branch's status, unlogged as the plugin does.
    ///
    /// # Panics
    /// If there is no such branch.
    pub fn set_branch_status(&self, schema_id: &str, status: &str) {
        let mut state = self.shared.lock();
        match state.data.branch_row(schema_id) {
            Some(row) => jobs::set_status(&mut state.data, row.id, status),
            None => panic!("there is no branch {schema_id}"),
        }
    }

    /// Begins all waiting jobs; a branch's status tells of its job from then on.
    pub fn start_jobs(&self) {
        jobs::begin(&mut self.shared.lock().data);
    }

    /// Ends all jobs with an error and nothing done.
    pub fn fail_jobs(&self) {
        jobs::fail(&mut self.shared.lock().data);
    }

    /// Carries out all jobs that wait or run.
    pub fn finish_jobs(&self) {
        jobs::finish(&mut self.shared.lock().data, None);
    }

    fn write<T>(&self, branch: Option<&str>, write: impl FnOnce(&mut Writer<'_>) -> Result<T, WriteError>) -> T {
        let mut state = self.shared.lock();
        let mut writer = Writer::new(&mut state.data, branch, admin());
        match write(&mut writer) {
            Ok(done) => {
                writer.commit();
                done
            }
            Err(error) => {
                let text = explain(&error);
                drop(writer);
                drop(state);
                panic!("FakeNetbox refuses: {text}")
            }
        }
    }
}

pub(super) fn insert(data: &mut Data, endpoint: &str, values: impl IntoIterator<Item = (&'static str, Value)>) -> u64 {
    let mut writer = Writer::new(data, None, admin());
    let id = writer.insert(known(endpoint), values);
    writer.commit();
    id
}

/// Who makes the changes of a test.
pub(crate) fn admin() -> Author {
    Author { user: 1, name: "admin".to_owned(), request: random::uuid() }
}

/// The type at a path such as `dcim/sites`.
pub(crate) fn known(endpoint: &str) -> &'static Type {
    match types::at(endpoint) {
        Some(ty) => ty,
        None => panic!("FakeNetbox has no endpoint {endpoint}"),
    }
}

pub(crate) fn object(body: Value) -> Map<String, Value> {
    if let Value::Object(body) = body { body } else { panic!("a body is an object, not {body}") }
}

pub(crate) fn explain(error: &WriteError) -> String {
    match error {
        WriteError::Missing => "there is no such object".to_owned(),
        WriteError::Refused(refusal) => refusal.json().text(crate::json::Style::Compact),
        WriteError::Protected(text) => text.clone(),
        WriteError::Broken(text) => (*text).to_owned(),
    }
}
