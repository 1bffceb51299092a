//! Follows the jobs that writes have started to their end, and keeps what they touch under quarantine meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::Inner;
use super::branches::Wariness;
use super::reply::{Reply, ReplyBody};
use crate::cache::epochs::Scope;
use crate::invalidation::bus::Source;
use crate::invalidation::jobs::{Chase, Heard};
use crate::invalidation::quarantine::Quarantine;
use crate::invalidation::writes::Started;
use crate::netbox::branch::Branch;

/// What of a job is asked for is some hundred bytes; NetBox before 4.5.1 sends all that it has logged.
const LONGEST_ANSWER: usize = 16 * 1024 * 1024;

/// How many times less often a job is looked at that takes long.
const SLOWER: u32 = 5;

/// A job that is still running then was killed, and its row forgotten.
const FORGOTTEN: Duration = Duration::from_secs(24 * 3600);

/// How jobs are followed.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How often they are looked at, at first.
    pub poll: Duration,
    /// How long they are waited for with nothing kept.
    pub longest: Duration,
}

/// What is known of jobs.
#[derive(Debug)]
pub(super) struct Jobs {
    /// One question at a time: however many jobs wait in NetBox's queue, they are not its load.
    asking: Semaphore,
    /// Whether it was said that they are hidden.
    told_hidden: AtomicBool,
}

impl Default for Jobs {
    fn default() -> Self {
        Self { asking: Semaphore::new(1), told_hidden: AtomicBool::new(false) }
    }
}

impl Inner {
    /// Puts what a write has started under quarantine, and follows it to its end. `reply`: the answer, if all of it came.
    pub(super) async fn pursue(self: &Arc<Self>, started: Started, reply: Option<&Reply>, path: &str) {
        let body = match reply.map(|reply| &reply.body) {
            Some(ReplyBody::Whole(body)) => body.as_ref(),
            Some(ReplyBody::None | ReplyBody::Long(_) | ReplyBody::Arriving(_)) | None => &[],
        };
        let chase = started.job(body);
        if !chase.is_on() {
            let longest_s = self.pace.longest.as_secs();
            tracing::warn!(
                path,
                longest_s,
                "a write will be carried out by a job that its answer does not name; it cannot be followed, \
                and meanwhile nothing that it may change is remembered"
            );
        }
        let branch = match chase.branch() {
            Some(id) if started.is_for_its_branch() => self.schema_of(id).await,
            Some(_) | None => None,
        };
        let scope = branch.map_or(started.scope(), |schema_id| Scope::Branch(Branch::Schema(schema_id)));
        let wariness = chase.branch().map(|_| self.branches.beware());
        let quarantine = started.quarantine(scope);
        self.metrics.job_begun();
        self.tasks.spawn(Arc::clone(self).follow_job(chase, quarantine, wariness));
    }

    async fn follow_job(self: Arc<Self>, chase: Chase, quarantine: Quarantine, wariness: Option<Wariness>) {
        tokio::select! {
            () = self.until_ended(chase, quarantine, wariness) => {}
            // Nothing is remembered beyond the end.
            () = self.stop.cancelled() => {}
        }
        self.metrics.job_ended();
    }

    async fn until_ended(&self, mut chase: Chase, quarantine: Quarantine, wariness: Option<Wariness>) {
        let Pace { poll, longest } = self.pace;
        let (began, mut pause) = (self.clock.now(), poll);
        let mut quarantine = Some(quarantine);
        loop {
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(3).checked_div(2).unwrap_or(pause).min(poll.saturating_mul(SLOWER));
            let ended = self.ask_after(&mut chase).await == Heard::Ended;
            let passed = self.clock.now().since(began);
            if ended {
                self.branches.outdate();
                drop(wariness);
                return match quarantine.take() {
                    Some(quarantine) => quarantine.ended(),
                    // It has outlived its quarantine, and what has been remembered since may be from before its end.
                    None => self.bus.publish(Scope::Everything, Source::Job),
                };
            }
            if passed >= longest
                && let Some(quarantine) = quarantine.take()
            {
                let running = chase.has_seen() && chase.is_on();
                tracing::warn!(running, "a job has not been seen to end; what is remembered is kept again");
                quarantine.give_up();
            }
            let followed = quarantine.is_some() || (chase.has_seen() && chase.is_on() && passed < FORGOTTEN);
            if !followed {
                return self.branches.outdate();
            }
        }
    }

    async fn ask_after(&self, chase: &mut Chase) -> Heard {
        let Some(question) = chase.question().filter(|_| self.has_token()) else { return Heard::Hidden };
        // The semaphore is never closed.
        let _turn = self.jobs.asking.acquire().await.ok();
        let Ok(said) = self.ask_own(question, LONGEST_ANSWER).await else { return Heard::Nothing };
        let heard = chase.hear(said.status, &said.body);
        if heard == Heard::Hidden && !self.jobs.told_hidden.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                permission = "core.view_job",
                "netbox does not show the token a job that it has started; while such jobs may run, nothing that they may \
                 change is remembered, for invalidation.longest_job each"
            );
        }
        heard
    }
}
