//! What is answered when its job has been queued: data sources, scripts, bulk writes in the background.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Context, Outcome};
use crate::jobs::{self, Bulk, Work};
use crate::json::Json;
use crate::state::State;
use crate::types::{self, Type};

const SOURCES: &str = "core/data-sources";

impl Context<'_> {
    /// Notes a job for this request's user and gives its id.
    pub(super) fn enqueue(&self, state: &mut State, work: Work, commit: bool) -> u64 {
        let job = jobs::enqueue(&mut state.data, work, commit, self.author());
        self.run_later(job);
        job
    }

    /// The answer is the source as it was before; its job has to be looked for.
    pub(super) fn sync_source(&self, id: u64) -> Outcome {
        let ty = types::at(SOURCES).ok_or_else(|| self.nowhere())?;
        let answer = self.object(200, ty, id);
        self.enqueue(&mut self.shared.lock(), Work::Source(id), true);
        answer
    }

    /// A source with an interval is synchronized when it is saved, if no job waits already.
    pub(super) fn source_was_saved(&self, state: &mut State, id: u64) {
        let row = state.data.main.table(SOURCES).get(&id);
        let at_intervals = row.is_some_and(|row| row.get("enabled") == true && row.number("sync_interval").is_some());
        if at_intervals && !jobs::is_open(&state.data, SOURCES, id) {
            self.enqueue(state, Work::Source(id), true);
        }
    }

    /// The answer is the script with its newest job. One that is to run later is never begun here.
    pub(super) fn run_script(&self, ty: &'static Type, id: u64) -> Outcome {
        let body = self.body()?;
        let commit = body.get("commit").and_then(Value::as_bool).unwrap_or(true);
        let mut state = self.shared.lock();
        if state.data.main.table(ty.endpoint).get(&id).is_none() {
            return Err(self.missing(ty));
        }
        let job = self.enqueue(&mut state, Work::Script(id), commit);
        if let Some(at) = body.get("schedule_at").filter(|at| !at.is_null()) {
            jobs::schedule(&mut state.data, job, at.clone());
        }
        jobs::set(&mut state.data, ty.endpoint, id, &[("result", Value::from(job))]);
        drop(state);
        self.object(200, ty, id)
    }

    /// `?background=true` with a list, from NetBox 4.7 on; nothing where the write is to be carried out at once.
    pub(super) fn in_background(&self, ty: &'static Type) -> Option<Outcome> {
        let wanted = self.request.param("background").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let since = self.config.api_version();
        let known = since.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
        if !wanted || known < Some((4, 7)) {
            return None;
        }
        let Ok(Value::Array(items)) = self.body() else {
            return None;
        };
        let object = |item: Value| if let Value::Object(body) = item { body } else { Map::new() };
        let bulk = Bulk {
            method: self.request.method.clone(),
            ty,
            branch: self.branch.clone(),
            bodies: items.into_iter().map(object).collect(),
        };
        let job = self.enqueue(&mut self.shared.lock(), Work::Bulk(bulk), true);
        let url = format!("{}/api/core/jobs/{job}/", self.origin);
        let told = Json::object([
            ("id", Json::from(job)),
            ("url", Json::from(url.as_str())),
            ("status", Json::from("pending")),
        ]);
        Some(Ok(self.json(202, &Json::object([("job", told)])).with("Location", url)))
    }

    #[expect(clippy::disallowed_methods, reason = "a job ends with the runtime of its test")]
    fn run_later(&self, job: u64) {
        let Some(delay) = self.config.job_delay else {
            return;
        };
        let shared = Arc::downgrade(self.shared);
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            if let Some(shared) = shared.upgrade() {
                jobs::finish(&mut shared.lock().data, Some(job));
            }
        });
    }
}
