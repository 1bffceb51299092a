//! Background work on branches, done when a test says so or after a set time.

use std::sync::Arc;

use serde_json::Value;

use crate::random;
use crate::state::{Action, Author, BranchData, Change, Data};
use crate::types;
use crate::write::{Writer, append, replay};

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Provision,
    Sync,
    Merge,
    Revert,
}

/// A job that waits.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    job: u64,
    work: Work,
    branch: u64,
    /// Unset for a dry run.
    commit: bool,
    author: Author,
}

/// Notes a job and gives the id of its row.
pub(crate) fn enqueue(data: &mut Data, work: Work, branch: u64, commit: bool, author: Author) -> u64 {
    let name = match work {
        Work::Provision => "Provision branch",
        Work::Sync => "Sync branch",
        Work::Merge => "Merge branch",
        Work::Revert => "Revert branch",
    };
    let Some(ty) = types::at("core/jobs") else {
        return 0;
    };
    let user = author.user;
    let mut writer = Writer::new(data, None, author.clone());
    let job = writer.insert(
        ty,
        [
            ("object_type", Value::from("netbox_branching.branch")),
            ("object_id", Value::from(branch)),
            ("name", Value::from(name)),
            ("user", Value::from(user)),
            ("job_id", Value::from(random::uuid())),
        ],
    );
    writer.commit();
    data.pending.push(Pending { job, work, branch, commit, author });
    job
}

/// Sets a branch's status as the plugin does: without a changelog row or a new `last_updated`.
pub(crate) fn set_status(data: &mut Data, branch: u64, status: &str) {
    set(data, "plugins/branching/branches", branch, &[("status", Value::from(status))]);
}

fn set(data: &mut Data, endpoint: &str, id: u64, values: &[(&'static str, Value)]) {
    let Some(ty) = types::at(endpoint) else {
        return;
    };
    if let Some(row) = data.main.table_mut(ty).get_mut(&id) {
        Arc::make_mut(row).values.extend(values.iter().cloned());
    }
}

/// Carries out a waiting job, or all of them.
pub(crate) fn finish(data: &mut Data, job: Option<u64>) {
    let (now, later): (Vec<_>, Vec<_>) =
        std::mem::take(&mut data.pending).into_iter().partition(|pending| job.is_none_or(|job| pending.job == job));
    data.pending = later;
    for pending in now {
        carry_out(data, &pending);
        let stamp = Value::from(data.stamp());
        let done = [("status", Value::from("completed")), ("started", stamp.clone()), ("completed", stamp)];
        set(data, "core/jobs", pending.job, &done);
    }
}

fn carry_out(data: &mut Data, pending: &Pending) {
    let row = data.main.table("plugins/branching/branches").get(&pending.branch);
    let Some(schema) = row.map(|row| row.text("schema_id").to_owned()) else {
        return;
    };
    let stamp = data.stamp();
    match pending.work {
        Work::Provision => {
            let copy = BranchData { db: data.main.clone(), changes: Vec::new(), merged: Vec::new() };
            data.branches.insert(schema, copy);
            set_status(data, pending.branch, "ready");
        }
        Work::Sync => {
            if pending.commit {
                sync(data, &schema);
                let synced = [("last_sync", Value::from(stamp))];
                set(data, "plugins/branching/branches", pending.branch, &synced);
            }
            set_status(data, pending.branch, "ready");
        }
        Work::Merge if pending.commit => {
            let changes = take_changes(data, &schema);
            apply_to_main(data, &changes);
            if let Some(branch) = data.branches.get_mut(&schema) {
                branch.merged = changes;
            }
            let merged = [
                ("status", Value::from("merged")),
                ("merged_time", Value::from(stamp)),
                ("merged_by", Value::from(pending.author.user)),
            ];
            set(data, "plugins/branching/branches", pending.branch, &merged);
        }
        Work::Merge => set_status(data, pending.branch, "ready"),
        Work::Revert if pending.commit => {
            let merged = data.branches.get_mut(&schema);
            let merged = merged.map(|branch| std::mem::take(&mut branch.merged));
            let back: Vec<_> = merged.into_iter().flatten().rev().map(inverse).collect();
            apply_to_main(data, &back);
            set_status(data, pending.branch, "ready");
        }
        Work::Revert => set_status(data, pending.branch, "merged"),
    }
}

fn take_changes(data: &Data, schema: &str) -> Vec<Change> {
    data.branches.get(schema).map(|branch| branch.changes.clone()).unwrap_or_default()
}

/// A branch gets main's data with its own changes on top; its changelog stays as it was.
fn sync(data: &mut Data, schema: &str) {
    let changes = take_changes(data, schema);
    let main = data.main.clone();
    let Some(log) = types::at("core/object-changes") else {
        return;
    };
    if let Some(branch) = data.branches.get_mut(schema) {
        let history = branch.db.table(log.endpoint).clone();
        branch.db = main;
        *branch.db.table_mut(log) = history;
    }
    replay(data, Some(schema), &changes);
}

/// Main's rows get new ids and the time of the merge, but keep the request's id.
fn apply_to_main(data: &mut Data, changes: &[Change]) {
    replay(data, None, changes);
    let mut rows = Vec::new();
    for change in changes.iter().filter(|change| change.id != 0) {
        let id = data.take_id("core/object-changes");
        rows.push(Change { id, stamp: data.stamp(), ..change.clone() });
    }
    append(data, None, rows);
}

fn inverse(change: Change) -> Change {
    let action = match change.action {
        Action::Create => Action::Delete,
        Action::Update => Action::Update,
        Action::Delete => Action::Create,
    };
    Change { action, before: change.after, after: change.before, ..change }
}
