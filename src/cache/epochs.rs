//! The sole judge of coherence.
//!
//! A [`Scope`] is a set of data that changes together; its epoch counts the changes. A [`Witness`] is the epochs an
//! entry depends on, read *before* its fetch was sent: while they stand, nothing that nbproxy was told of has changed
//! since. Bumping costs one addition whatever the cache holds, and judging a hit a few atomic loads.
//!
//! Branches share a fixed number of counters by hash. Two branches on one counter cost each other a needless fetch,
//! never a stale answer, and no flood of made-up branch names can make this table grow.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::clock::{Clock, Moment};
use crate::netbox::branch::Branch;

const BRANCH_SLOTS: usize = 1024;

/// Changes of a scope whose time is remembered.
const REMEMBERED: usize = 16;

/// A set of NetBox data that changes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// All there is, every branch and the OpenAPI document included.
    Everything,
    /// The data of one branch.
    Branch(Branch),
}

/// The counters. Readable by all; written only with the [`Pen`].
#[derive(Debug)]
pub struct Epochs {
    everything: Arc<Counter>,
    main: Arc<Counter>,
    branches: Box<[Arc<Counter>]>,
    hasher: RandomState,
    clock: Clock,
}

/// The right to bump. There is one for each [`Epochs`], and the invalidation bus holds it.
#[derive(Debug)]
pub struct Pen {
    epochs: Arc<Epochs>,
    /// Held for as long as one change is written down.
    writing: Mutex<()>,
}

/// One scope's count of changes, and whether its data may be about to change unseen.
#[derive(Debug, Default)]
struct Counter {
    epoch: AtomicU64,
    /// When each of the last changes was made known (nanoseconds of the clock): that which ended epoch `e` at `e` modulo
    /// the length.
    ended: [AtomicU64; REMEMBERED],
    /// Writes whose outcome is still awaited though their client has been answered.
    open: AtomicU32,
    /// Until when (nanoseconds of the clock) a write that is lost from sight may still be carried out.
    unsettled_until: AtomicU64,
}

/// The epochs that an entry depends on. Taken before the fetch is sent.
#[derive(Clone, Debug)]
pub struct Witness {
    marks: Arc<[Mark]>,
    settled: bool,
}

#[derive(Clone, Debug)]
struct Mark {
    counter: Arc<Counter>,
    epoch: u64,
}

/// A write whose outcome is awaited after its client was answered; nothing of its scope is stored meanwhile.
#[derive(Debug)]
#[must_use = "dropping it says that the outcome is known"]
pub struct OpenDoubt {
    counter: Arc<Counter>,
}

impl Epochs {
    /// All counters at zero, and the one pen to write them.
    pub fn new(clock: Clock) -> (Arc<Self>, Pen) {
        let epochs = Arc::new(Self {
            everything: Arc::default(),
            main: Arc::default(),
            branches: (0..BRANCH_SLOTS).map(|_| Arc::default()).collect(),
            hasher: RandomState::new(),
            clock,
        });
        (Arc::clone(&epochs), Pen { epochs, writing: Mutex::new(()) })
    }

    /// What an answer about `branch` depends on, as of now.
    pub fn witness(&self, branch: Branch) -> Witness {
        let now = self.clock.now();
        // A branch's answers embed and are filtered by what it shares with main, and that is bound to main's other data:
        // event rules by their tags, a plugin's models by anything.
        let own = self.counter(Scope::Branch(branch));
        let counters = [&self.everything, &self.main, own];
        let counters = counters.get(..if branch == Branch::Main { 2 } else { 3 }).unwrap_or(&counters);
        // Epochs first: a doubt that begins in between also bumps, so the witness is outdated then.
        let mark = |counter: &&Arc<Counter>| Mark {
            counter: Arc::clone(counter),
            epoch: counter.epoch.load(Ordering::SeqCst),
        };
        let marks = counters.iter().map(mark).collect();
        let settled = counters.iter().all(|counter| counter.is_settled(now));
        Witness { marks, settled }
    }

    fn counter(&self, scope: Scope) -> &Arc<Counter> {
        match scope {
            Scope::Everything => &self.everything,
            Scope::Branch(Branch::Main) => &self.main,
            Scope::Branch(Branch::Schema(id)) => {
                let slot = usize::try_from(self.hasher.hash_one(id)).unwrap_or(0) % self.branches.len();
                self.branches.get(slot).unwrap_or(&self.everything)
            }
        }
    }
}

impl Pen {
    /// The scope has changed: whatever was witnessed before is outdated from here on.
    pub fn bump(&self, scope: Scope) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.epochs.counter(scope).bump(self.epochs.clock.now());
    }

    /// The scope may change at any time until the doubt is dropped. Bumps too.
    pub fn open_doubt(&self, scope: Scope) -> OpenDoubt {
        let counter = self.epochs.counter(scope);
        counter.open.fetch_add(1, Ordering::SeqCst);
        self.bump(scope);
        OpenDoubt { counter: Arc::clone(counter) }
    }

    /// The scope may change at any time until `until`, and nobody will tell. Bumps too.
    pub fn doubt_until(&self, scope: Scope, until: Moment) {
        self.epochs.counter(scope).unsettled_until.fetch_max(until.to_nanos(), Ordering::SeqCst);
        self.bump(scope);
    }
}

impl Counter {
    /// One at a time: the pen sees to that.
    fn bump(&self, now: Moment) {
        // The time first, so that who sees the new epoch finds when it began.
        self.slot(self.epoch.load(Ordering::SeqCst)).store(now.to_nanos(), Ordering::SeqCst);
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }

    /// When `epoch` ended; `None` while it lasts, the beginning of time when that is forgotten.
    fn end_of(&self, epoch: u64) -> Option<Moment> {
        if self.epoch.load(Ordering::SeqCst) == epoch {
            return None;
        }
        let ended = Moment::from_nanos(self.slot(epoch).load(Ordering::SeqCst));
        // Asked afterwards: the place may have been taken by a later change meanwhile.
        let forgotten = self.epoch.load(Ordering::SeqCst).wrapping_sub(epoch) >= REMEMBERED as u64;
        Some(if forgotten { Moment::ZERO } else { ended })
    }

    fn slot(&self, epoch: u64) -> &AtomicU64 {
        // The remainder is below the length, so the fallback is never taken.
        let at = usize::try_from(epoch % REMEMBERED as u64).unwrap_or(0);
        self.ended.get(at).unwrap_or(&self.epoch)
    }

    fn is_settled(&self, now: Moment) -> bool {
        self.open.load(Ordering::SeqCst) == 0 && now >= Moment::from_nanos(self.unsettled_until.load(Ordering::SeqCst))
    }
}

impl Witness {
    /// Whether nothing that it depends on has changed since it was taken.
    pub fn is_current(&self) -> bool {
        self.marks.iter().all(|mark| mark.counter.epoch.load(Ordering::SeqCst) == mark.epoch)
    }

    /// Since when it has not been current, at least; `None` while it is. Too early a moment is possible, too late a one is
    /// not.
    pub fn outdated_since(&self) -> Option<Moment> {
        let ended = |mark: &Mark| mark.counter.end_of(mark.epoch);
        self.marks.iter().filter_map(ended).min()
    }

    /// Whether an answer fetched under it may be kept: it is current, and no write was in doubt when it was taken.
    pub fn may_be_kept(&self) -> bool {
        self.settled && self.is_current()
    }

    /// Whether both were taken with no change under way. While there is, two that look the same may stand for the time
    /// before it and after it.
    pub fn is_settled_with(&self, other: &Self) -> bool {
        self.settled && other.settled
    }

    /// Whether both stand for the same state of the same scopes.
    pub fn agrees_with(&self, other: &Self) -> bool {
        let same = |(a, b): (&Mark, &Mark)| Arc::ptr_eq(&a.counter, &b.counter) && a.epoch == b.epoch;
        self.marks.len() == other.marks.len() && self.marks.iter().zip(other.marks.iter()).all(same)
    }
}

impl Drop for OpenDoubt {
    fn drop(&mut self) {
        self.counter.open.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::netbox::branch::SchemaId;

    fn branch(id: &str) -> Branch {
        Branch::Schema(SchemaId::parse(id.as_bytes()).unwrap())
    }

    #[test]
    fn a_bump_outdates_its_scope_and_everything_outdates_all() {
        let (epochs, pen) = Epochs::new(Clock::start());
        let (main, other) = (epochs.witness(Branch::Main), epochs.witness(branch("aaaaaaaa")));
        pen.bump(Scope::Branch(branch("bbbbbbbb")));
        assert!(main.is_current() && other.is_current());
        pen.bump(Scope::Branch(branch("aaaaaaaa")));
        assert!(main.is_current() && !other.is_current());
        let other = epochs.witness(branch("aaaaaaaa"));
        pen.bump(Scope::Branch(Branch::Main));
        assert!(!main.is_current() && !other.is_current(), "branches share data with main");
        let other = epochs.witness(branch("aaaaaaaa"));
        pen.bump(Scope::Everything);
        assert!(!other.is_current());
        assert!(epochs.witness(Branch::Main).may_be_kept());
    }

    #[test]
    fn nothing_fetched_in_doubt_is_kept() {
        let clock = Clock::start();
        let (epochs, pen) = Epochs::new(clock.clone());
        let scope = Scope::Branch(Branch::Main);
        let doubt = pen.open_doubt(scope);
        let during = epochs.witness(Branch::Main);
        assert!(during.is_current() && !during.may_be_kept());
        assert!(!during.is_settled_with(&epochs.witness(Branch::Main)));
        drop(doubt);
        assert!(!during.may_be_kept(), "the write may have happened after the fetch began");
        assert!(epochs.witness(Branch::Main).may_be_kept());

        pen.doubt_until(scope, clock.now().after(Duration::from_secs(60)));
        assert!(!epochs.witness(Branch::Main).may_be_kept());
        clock.push(Duration::from_secs(61));
        assert!(epochs.witness(Branch::Main).may_be_kept());
    }
}
