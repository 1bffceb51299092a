//! Writes made through nbproxy: the duty to say what they touch before their answer is released.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::bus::{Bus, Source};
use super::effect::Change;
use super::jobs::{Chase, Starts};
use super::quarantine::Quarantine;
use crate::cache::epochs::{OpenDoubt, Scope};
use crate::netbox::branch::Branch;

/// How long a write that was lost from sight is taken to be still under way. Nothing bounds it for certain; 120 s is what
/// NetBox's own gunicorn settings (contrib/gunicorn.py) call too long for a worker to be silent.
const LOST: Duration = Duration::from_secs(300);

/// What became of a write that has no answer, or none that says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// It was never sent.
    Unsent,
    /// It was carried out or refused; nothing more will come of it.
    Known,
    /// Nobody can tell whether or when it is carried out.
    Unknown,
}

/// What an answer says of a write.
#[derive(Debug)]
#[must_use = "what was started must be put under quarantine"]
pub enum Outlook {
    /// It was carried out or refused; nothing more will come of it.
    Known,
    /// A gateway's error says nothing: NetBox may be at work behind it.
    Unknown,
    /// It will be carried out later.
    Started(Started),
}

/// A write under way. However it ends, a panic included, the scope is bumped.
#[derive(Debug)]
#[must_use = "a write must be settled"]
pub struct OpenWrite {
    bus: Arc<Bus>,
    change: Change,
    /// How long a job is waited for.
    longest_job: Duration,
    doubt: Option<OpenDoubt>,
    settled: bool,
}

/// A write that was answered and is not over: a job carries it out. Dropped, it is a write that was lost from sight.
#[derive(Debug)]
#[must_use = "it must be put under quarantine"]
pub struct Started(OpenWrite);

impl OpenWrite {
    /// Before the write is sent. `longest_job`: how long a job is waited for that it may start.
    pub fn begin(bus: Arc<Bus>, change: Change, longest_job: Duration) -> Self {
        Self { bus, change, longest_job, doubt: None, settled: false }
    }

    /// The client is answered before the outcome is known; until it is, nothing of the scope is kept.
    pub fn answered_early(&mut self) {
        if self.doubt.is_none() {
            self.doubt = Some(self.bus.open_doubt(self.change.scope, Source::Write));
            self.touch_along();
        }
    }

    /// Says what became of it.
    pub fn settle(mut self, settlement: Settlement) {
        self.conclude(settlement);
    }

    /// Takes in the status of its answer.
    pub fn answered(mut self, status: StatusCode) -> Outlook {
        match status.as_u16() {
            202 => Outlook::Started(Started(self)),
            200..=299 if self.change.starts.is_announced() => Outlook::Started(Started(self)),
            501..=599 => {
                self.conclude(Settlement::Unknown);
                Outlook::Unknown
            }
            _ => {
                self.conclude(Settlement::Known);
                Outlook::Known
            }
        }
    }

    fn conclude(&mut self, settlement: Settlement) {
        self.settled = true;
        let scope = self.change.scope;
        match settlement {
            Settlement::Unsent => {}
            Settlement::Known => {
                self.touch_along();
                self.bus.publish(scope, Source::Write);
            }
            Settlement::Unknown => {
                let job = self.change.starts != Starts::Nothing;
                let time = if job { LOST.max(self.longest_job) } else { LOST };
                self.bus.doubt_for(scope, Source::Write, time);
                self.touch_along();
            }
        }
        // After the bump: who finds the doubt gone must find the new epoch too.
        self.doubt = None;
    }

    /// A doubt about one type is one about all of main; a change is one of each type.
    fn touch_along(&self) {
        self.change.scopes().skip(1).for_each(|scope| self.bus.publish(scope, Source::Write));
    }
}

impl Drop for OpenWrite {
    fn drop(&mut self) {
        if !self.settled {
            self.conclude(Settlement::Unknown);
        }
    }
}

impl Started {
    /// The job, as the answer's body tells of it.
    pub fn job(&self, body: &[u8]) -> Chase {
        Chase::begin(self.0.change.starts, body)
    }

    /// Whether the job changes one branch only, the one that it is for.
    pub fn is_for_its_branch(&self) -> bool {
        self.0.change.starts == Starts::Sync
    }

    /// What it touches, as far as the request tells. What a job does is not told apart by types.
    pub fn scope(&self) -> Scope {
        match self.0.change.scope {
            Scope::Type(_) => Scope::Branch(Branch::Main),
            scope @ (Scope::Everything | Scope::Branch(_)) => scope,
        }
    }

    /// Nothing of this scope is kept from here on.
    pub fn quarantine(mut self, scope: Scope) -> Quarantine {
        let write = &mut self.0;
        let quarantine = Quarantine::open(Arc::clone(&write.bus), scope, write.longest_job);
        // The quarantine is the rest of it.
        write.settled = true;
        write.doubt = None;
        quarantine
    }
}
