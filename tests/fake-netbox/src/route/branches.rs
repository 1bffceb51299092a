//! Branches: which one a request works in, and the jobs that make, sync, merge and revert them.

use std::sync::Arc;

use serde_json::Value;

use super::{Context, Outcome};
use crate::answer::Answer;
use crate::jobs::{self, BranchWork, Work};
use crate::random;
use crate::state::State;
use crate::types;

const BRANCHES: &str = "plugins/branching/branches";

impl Context<'_> {
    /// Header before query before cookie.
    pub(super) fn choose_branch(&mut self) -> Result<(), Answer> {
        if !self.config.has_plugin("netbox_branching") {
            return Ok(());
        }
        let state = self.shared.lock();
        let find = |schema: &str| {
            let row = state.data.branch_row(schema);
            row.map(|row| (row.text("status") == "ready", row.text("name").to_owned()))
        };
        let invalid = || Answer::html(400, "Invalid branch identifier");
        let ready = |schema: &str| Some(schema.to_owned());
        if let Some(schema) = self.request.header("x-netbox-branch") {
            match find(schema).ok_or_else(invalid)? {
                (true, _) => self.branch = ready(schema),
                (false, _) => self.broken_branch = true,
            }
        } else if let Some(schema) = self.request.param("_branch") {
            if schema.is_empty() {
                return Ok(());
            }
            let (is_ready, _) = find(schema).ok_or_else(invalid)?;
            if is_ready {
                self.branch = ready(schema);
            }
            self.cookies.push("messages=W1siX19qc29uX21lc3NhZ2UiXV0; HttpOnly; Path=/; SameSite=Lax".to_owned());
        } else if let Some(schema) = self.request.cookie("active_branch")
            && let Some((true, _)) = find(schema)
        {
            self.branch = ready(schema);
        }
        Ok(())
    }

    /// What the plugin answers for a branch that is not ready: it takes a refusal for a branch.
    pub(super) fn broken_branch(&self) -> Answer {
        let text = "'HttpResponseBadRequest' object has no attribute 'connection_name'";
        self.server_error(text, "AttributeError")
    }

    /// Starts a branch that was created through the API. It is new until its job begins.
    pub(super) fn provision_branch(&self, state: &mut State, id: u64) {
        let Some(ty) = types::at(BRANCHES) else {
            return;
        };
        if let Some(row) = state.data.main.table_mut(ty).get_mut(&id) {
            let values = &mut Arc::make_mut(row).values;
            values.insert("schema_id", Value::from(random::schema_id()));
            values.insert("status", Value::from("new"));
            values.insert("last_sync", Value::Null);
            values.insert("owner", Value::from(self.author().user));
        }
        self.enqueue(state, Work::Branch(BranchWork::Provision, id), true);
    }

    pub(super) fn branch_action(&self, id: u64, action: &str) -> Outcome {
        let body = self.body()?;
        let commit = body.get("commit").and_then(Value::as_bool).unwrap_or(true);
        let mut state = self.shared.lock();
        let row = state.data.main.table(BRANCHES).get(&id);
        let status = row.map(|row| row.text("status").to_owned()).unwrap_or_default();
        let (needed, work, refusal) = match action {
            "sync" => ("ready", Some(BranchWork::Sync), "Branch is not ready to sync."),
            "merge" => ("ready", Some(BranchWork::Merge), "Branch is not ready to merge."),
            "revert" => ("merged", Some(BranchWork::Revert), "Only merged branches can be reverted."),
            _ => ("merged", None, "Only merged branches can be archived."),
        };
        if status != needed {
            return Err(Answer::html(400, refusal));
        }
        let Some(work) = work else {
            // At once, schema and all.
            jobs::set_status(&mut state.data, id, "archived");
            drop(state);
            let ty = types::at(BRANCHES).ok_or_else(|| self.nowhere())?;
            return self.object(200, ty, id);
        };
        let job = self.enqueue(&mut state, Work::Branch(work, id), commit);
        drop(state);
        let ty = types::at("core/jobs").ok_or_else(|| self.nowhere())?;
        self.object(200, ty, job)
    }
}
