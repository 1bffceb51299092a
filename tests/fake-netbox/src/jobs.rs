//! Background work, begun and done when a test says so, or after a set time.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::random;
use crate::state::{Action, Author, BranchData, Change, Data};
use crate::types::{self, Type};
use crate::write::{WriteError, Writer, append, replay};

const BRANCHES: &str = "plugins/branching/branches";

/// What a job does.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    Branch(BranchWork, u64),
    /// Reads a data source's files. What is made of them is the test's own affair.
    Source(u64),
    /// Runs a script. What it does is the test's own affair.
    Script(u64),
    Bulk(Bulk),
}

/// What is done with a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BranchWork {
    Provision,
    Sync,
    Merge,
    Revert,
}

/// A bulk write that waits.
#[derive(Clone, Debug)]
pub(crate) struct Bulk {
    pub(crate) method: String,
    pub(crate) ty: &'static Type,
    pub(crate) branch: Option<String>,
    pub(crate) bodies: Vec<Map<String, Value>>,
}

/// A job that waits or runs.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    job: u64,
    work: Work,
    /// Unset for a dry run.
    commit: bool,
    author: Author,
    begun: bool,
}

impl Work {
    fn name(&self) -> String {
        match self {
            Work::Branch(BranchWork::Provision, _) => "Provision branch".to_owned(),
            Work::Branch(BranchWork::Sync, _) => "Sync branch".to_owned(),
            Work::Branch(BranchWork::Merge, _) => "Merge branch".to_owned(),
            Work::Branch(BranchWork::Revert, _) => "Revert branch".to_owned(),
            Work::Source(_) => "Synchronization".to_owned(),
            Work::Script(_) => "Run Script".to_owned(),
            Work::Bulk(bulk) => format!("Bulk {} {}s", bulk.method, bulk.ty.verbose),
        }
    }

    /// The endpoint and id of what it is for.
    fn object(&self) -> Option<(&'static str, u64)> {
        match self {
            Work::Branch(_, id) => Some((BRANCHES, *id)),
            Work::Source(id) => Some(("core/data-sources", *id)),
            Work::Script(id) => Some(("extras/scripts", *id)),
            Work::Bulk(_) => None,
        }
    }

    /// The status of what it is for while it waits and while it runs.
    fn statuses(&self) -> [Option<&'static str>; 2] {
        match self {
            // The branch learns of its job when that begins.
            Work::Branch(BranchWork::Provision, _) => [None, Some("provisioning")],
            Work::Branch(BranchWork::Sync, _) => [None, Some("syncing")],
            Work::Branch(BranchWork::Merge, _) => [None, Some("merging")],
            Work::Branch(BranchWork::Revert, _) => [None, Some("reverting")],
            Work::Source(_) => [Some("queued"), Some("syncing")],
            Work::Script(_) | Work::Bulk(_) => [None, None],
        }
    }
}

/// Notes a job and gives the id of its row.
pub(crate) fn enqueue(data: &mut Data, work: Work, commit: bool, author: Author) -> u64 {
    let Some(ty) = types::at("core/jobs") else {
        return 0;
    };
    let user = author.user;
    let object = work.object();
    let model = object.and_then(|(endpoint, _)| types::at(endpoint)).map(|ty| ty.model);
    let mut writer = Writer::new(data, None, author.clone());
    let job = writer.insert(
        ty,
        [
            ("object_type", model.map_or(Value::Null, Value::from)),
            ("object_id", object.map_or(Value::Null, |(_, id)| Value::from(id))),
            ("name", Value::from(work.name())),
            ("user", Value::from(user)),
            ("job_id", Value::from(random::uuid())),
        ],
    );
    writer.commit();
    set_object(data, &work, work.statuses()[0]);
    data.pending.push(Pending { job, work, commit, author, begun: false });
    job
}

fn set_object(data: &mut Data, work: &Work, status: Option<&str>) {
    if let (Some((endpoint, id)), Some(status)) = (work.object(), status) {
        set(data, endpoint, id, &[("status", Value::from(status))]);
    }
}

/// Sets a branch's status as the plugin does: without a changelog row or a new `last_updated`.
pub(crate) fn set_status(data: &mut Data, branch: u64, status: &str) {
    set(data, BRANCHES, branch, &[("status", Value::from(status))]);
}

/// Sets values of a row in main, with no trace of it.
pub(crate) fn set(data: &mut Data, endpoint: &str, id: u64, values: &[(&'static str, Value)]) {
    let Some(ty) = types::at(endpoint) else {
        return;
    };
    if let Some(row) = data.main.table_mut(ty).get_mut(&id) {
        Arc::make_mut(row).values.extend(values.iter().cloned());
    }
}

/// Whether a job for this object waits or runs.
pub(crate) fn is_open(data: &Data, endpoint: &str, id: u64) -> bool {
    data.pending.iter().any(|pending| pending.work.object().is_some_and(|object| object == (endpoint, id)))
}

/// Puts a job off; it is not begun in this server's time.
pub(crate) fn schedule(data: &mut Data, job: u64, at: Value) {
    data.pending.retain(|pending| pending.job != job);
    set(data, "core/jobs", job, &[("status", Value::from("scheduled")), ("scheduled", at)]);
}

/// Begins the jobs that wait.
pub(crate) fn begin(data: &mut Data) {
    let mut pending = std::mem::take(&mut data.pending);
    for one in pending.iter_mut().filter(|one| !one.begun) {
        one.begun = true;
        let started = [("status", Value::from("running")), ("started", Value::from(data.stamp()))];
        set(data, "core/jobs", one.job, &started);
        set_object(data, &one.work, one.work.statuses()[1]);
    }
    data.pending = pending;
}

/// Carries out a job that waits or runs, or all of them.
pub(crate) fn finish(data: &mut Data, job: Option<u64>) {
    for pending in take(data, job) {
        let done = carry_out(data, &pending);
        end(data, &pending, if done.is_ok() { "completed" } else { "failed" });
    }
}

/// Ends all jobs with nothing done.
pub(crate) fn fail(data: &mut Data) {
    for pending in take(data, None) {
        let back = match &pending.work {
            Work::Branch(BranchWork::Provision, _) | Work::Source(_) => Some("failed"),
            Work::Branch(BranchWork::Sync | BranchWork::Merge, _) => Some("ready"),
            Work::Branch(BranchWork::Revert, _) => Some("merged"),
            Work::Script(_) | Work::Bulk(_) => None,
        };
        set_object(data, &pending.work, back);
        end(data, &pending, "errored");
    }
}

fn take(data: &mut Data, job: Option<u64>) -> Vec<Pending> {
    let is_meant = |pending: &Pending| job.is_none_or(|job| pending.job == job);
    let (now, later) = std::mem::take(&mut data.pending).into_iter().partition(is_meant);
    data.pending = later;
    now
}

fn end(data: &mut Data, pending: &Pending, status: &str) {
    let stamp = Value::from(data.stamp());
    let done = [("status", Value::from(status)), ("started", stamp.clone()), ("completed", stamp)];
    set(data, "core/jobs", pending.job, &done);
}

fn carry_out(data: &mut Data, pending: &Pending) -> Result<(), WriteError> {
    let stamp = Value::from(data.stamp());
    match &pending.work {
        Work::Branch(work, branch) => work_on_branch(data, *work, *branch, pending),
        Work::Source(id) => {
            set(data, "core/data-sources", *id, &[("status", Value::from("completed")), ("last_synced", stamp)]);
        }
        Work::Script(_) => {}
        Work::Bulk(bulk) => return write_bulk(data, bulk, pending.author.clone()),
    }
    Ok(())
}

fn write_bulk(data: &mut Data, bulk: &Bulk, author: Author) -> Result<(), WriteError> {
    let mut writer = Writer::new(data, bulk.branch.as_deref(), author);
    for body in &bulk.bodies {
        let id = body.get("id").and_then(Value::as_u64);
        match (bulk.method.as_str(), id) {
            ("POST", _) => drop(writer.create(bulk.ty, body)?),
            (_, None) => return Err(WriteError::Missing),
            ("DELETE", Some(id)) => writer.delete(bulk.ty, id, body)?,
            (method, Some(id)) => {
                let mut body = body.clone();
                body.remove("id");
                writer.update(bulk.ty, id, &body, method == "PUT")?;
            }
        }
    }
    writer.commit();
    Ok(())
}

fn work_on_branch(data: &mut Data, work: BranchWork, branch: u64, pending: &Pending) {
    let row = data.main.table(BRANCHES).get(&branch);
    let Some(schema) = row.map(|row| row.text("schema_id").to_owned()) else {
        return;
    };
    let stamp = data.stamp();
    match work {
        BranchWork::Provision => {
            let copy = BranchData { db: data.main.clone(), changes: Vec::new(), merged: Vec::new() };
            data.branches.insert(schema, copy);
            set(data, BRANCHES, branch, &[("status", Value::from("ready")), ("last_sync", Value::from(stamp))]);
        }
        BranchWork::Sync => {
            if pending.commit {
                sync(data, &schema);
                set(data, BRANCHES, branch, &[("last_sync", Value::from(stamp))]);
            }
            set_status(data, branch, "ready");
        }
        BranchWork::Merge if pending.commit => {
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
            set(data, BRANCHES, branch, &merged);
        }
        BranchWork::Merge => set_status(data, branch, "ready"),
        BranchWork::Revert if pending.commit => {
            let merged = data.branches.get_mut(&schema);
            let merged = merged.map(|branch| std::mem::take(&mut branch.merged));
            let back: Vec<_> = merged.into_iter().flatten().rev().map(inverse).collect();
            apply_to_main(data, &back);
            let reverted = [("status", Value::from("ready")), ("merged_time", Value::Null), ("merged_by", Value::Null)];
            set(data, BRANCHES, branch, &reverted);
        }
        BranchWork::Revert => set_status(data, branch, "merged"),
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
