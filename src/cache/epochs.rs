//! The sole judge of coherence.
//!
//! All changes that nbproxy is told of have a place in one sequence, and a [`Scope`] remembers the last of its own: a set of
//! data that changes together. A [`Witness`] is a place in the sequence, read *before* a fetch was sent, and the scopes that
//! its answer depends on: while none of them has changed since, nothing has that nbproxy was told of. Telling costs the same
//! whatever the cache holds, and judging a hit a few atomic loads.
//!
//! What an answer depends on is known better once it has been read. The place in the sequence was taken before, so the
//! scopes may be chosen afterwards: by [`Epochs::narrowed`] a witness of all of main's data becomes one of a few object types.
//!
//! Branches share a fixed number of scopes by hash. Two branches on one cost each other a needless fetch, never a stale
//! answer, and no flood of made-up branch names can make this table grow.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::clock::{Clock, Moment};
use super::sync::{AtomicU64, BRANCH_SLOTS, Mutex};
use crate::netbox::branch::Branch;
use crate::netbox::object_type::ObjectType;

mod counter;
mod witness;

use counter::Counter;
pub use witness::Witness;

/// A set of NetBox data that changes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// All there is, every branch and the OpenAPI document included.
    Everything,
    /// The data of one branch.
    Branch(Branch),
    /// Main's objects of one type, and what NetBox derives from them unseen is not among it.
    Type(ObjectType),
}

/// The sequence and the scopes. Readable by all; written only with the [`Pen`].
#[derive(Debug)]
pub struct Epochs {
    /// The last change.
    sequence: AtomicU64,
    everything: Arc<Counter>,
    main: Main,
    branches: Box<[Arc<Counter>]>,
    hasher: RandomState,
    clock: Clock,
}

/// Main's data.
#[derive(Debug)]
struct Main {
    /// Changes of main as a whole, or of nobody knows what in it.
    whole: Arc<Counter>,
    /// Changes of any type, those of the whole not among them.
    any: Arc<Counter>,
    /// Changes of each type.
    types: Box<[Arc<Counter>]>,
}

/// The right to tell of changes. There is one for each [`Epochs`], and the invalidation bus holds it.
#[derive(Debug)]
pub struct Pen {
    epochs: Arc<Epochs>,
    /// Held for as long as one change is written down.
    writing: Mutex<()>,
}

/// A change whose outcome is awaited after its client was answered; nothing of its scope is stored meanwhile.
#[derive(Debug)]
#[must_use = "dropping it says that the outcome is known"]
pub struct OpenDoubt {
    counter: Arc<Counter>,
}

impl Epochs {
    /// No change yet, and the one pen to tell of them.
    pub fn new(clock: Clock) -> (Arc<Self>, Pen) {
        let counters = |count| (0..count).map(|_| Arc::default()).collect();
        let epochs = Arc::new(Self {
            sequence: AtomicU64::new(0),
            everything: Arc::default(),
            main: Main { whole: Arc::default(), any: Arc::default(), types: counters(ObjectType::COUNT) },
            branches: counters(BRANCH_SLOTS),
            hasher: RandomState::new(),
            clock,
        });
        (Arc::clone(&epochs), Pen { epochs, writing: Mutex::new(()) })
    }

    /// What an answer about `branch` depends on as far as is known before it is there: all of the branch, as of now.
    pub fn witness(&self, branch: Branch) -> Witness {
        let now = self.clock.now();
        // First of all: what is told of from here on has a later place.
        let at = self.sequence.load(Ordering::SeqCst);
        // A branch's answers embed and are filtered by what it shares with main, and that is bound to main's other data:
        // event rules by their tags, a plugin's models by anything.
        let mut counters = vec![&self.everything, &self.main.whole, &self.main.any];
        if let Branch::Schema(_) = branch {
            counters.push(self.branch(branch));
        }
        let settled = counters.iter().all(|counter| counter.is_settled(now));
        Witness::new(at, counters.into_iter().cloned().collect(), settled)
    }

    /// The same witness of an answer about main that depends on these types only, and on changes of main as a whole.
    pub fn narrowed(&self, witness: &Witness, types: impl IntoIterator<Item = ObjectType>) -> Witness {
        let types = types.into_iter().filter_map(|object_type| self.main.types.get(object_type.index()));
        let counters = [&self.everything, &self.main.whole].into_iter().chain(types);
        witness.depending_on(counters.cloned().collect())
    }

    fn branch(&self, branch: Branch) -> &Arc<Counter> {
        match branch {
            Branch::Main => &self.main.whole,
            Branch::Schema(id) => {
                let slot = usize::try_from(self.hasher.hash_one(id)).unwrap_or(0) % self.branches.len();
                self.branches.get(slot).unwrap_or(&self.everything)
            }
        }
    }

    /// Where a change of this scope is written down.
    fn counters(&self, scope: Scope) -> (&Arc<Counter>, Option<&Arc<Counter>>) {
        match scope {
            Scope::Everything => (&self.everything, None),
            Scope::Branch(branch) => (self.branch(branch), None),
            Scope::Type(object_type) => match self.main.types.get(object_type.index()) {
                Some(counter) => (&self.main.any, Some(counter)),
                None => (&self.main.whole, None),
            },
        }
    }
}

impl Pen {
    /// The scope has changed: whatever was witnessed before is outdated from here on.
    pub fn bump(&self, scope: Scope) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let epochs = &self.epochs;
        let number = epochs.sequence.fetch_add(1, Ordering::SeqCst) + 1;
        let now = epochs.clock.now();
        let (counter, of_type) = epochs.counters(scope);
        for counter in of_type.into_iter().chain([counter]) {
            counter.note(number, now);
        }
    }

    /// The scope may change at any time until the doubt is dropped. Bumps too.
    pub fn open_doubt(&self, scope: Scope) -> OpenDoubt {
        // A type's doubt is all of main's: what will embed it is not known before it is fetched.
        let (counter, _) = self.epochs.counters(scope);
        counter.open();
        self.bump(scope);
        OpenDoubt { counter: Arc::clone(counter) }
    }

    /// The scope may change at any time until `until`, and nobody will tell. Bumps too.
    pub fn doubt_until(&self, scope: Scope, until: Moment) {
        self.epochs.counters(scope).0.doubt_until(until);
        self.bump(scope);
    }
}

impl Drop for OpenDoubt {
    fn drop(&mut self) {
        self.counter.close();
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

    fn of(endpoint: &str) -> ObjectType {
        ObjectType::of_endpoint(endpoint).unwrap()
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
    fn what_depends_on_a_few_types_outlives_changes_of_others() {
        let (epochs, pen) = Epochs::new(Clock::start());
        let taken = || (epochs.witness(Branch::Main), epochs.witness(branch("aaaaaaaa")));
        let (all, in_branch) = taken();
        pen.bump(Scope::Type(of("dcim/racks")));
        assert!(!all.is_current() && !in_branch.is_current(), "a type's change is main's change");
        // The scopes are chosen late, the place in the sequence was taken early.
        assert!(epochs.narrowed(&all, [of("dcim/sites"), of("dcim/regions")]).is_current());
        assert!(!epochs.narrowed(&all, [of("dcim/sites"), of("dcim/racks")]).is_current());
        let sites = epochs.narrowed(&epochs.witness(Branch::Main), [of("dcim/sites")]);
        pen.bump(Scope::Branch(branch("aaaaaaaa")));
        assert!(sites.is_current());
        for scope in [Scope::Type(of("dcim/sites")), Scope::Branch(Branch::Main), Scope::Everything] {
            let sites = epochs.narrowed(&epochs.witness(Branch::Main), [of("dcim/sites")]);
            pen.bump(scope);
            assert!(!sites.is_current(), "{scope:?}");
        }
    }

    #[test]
    fn a_fetch_is_shared_while_nothing_it_depends_on_changes() {
        let (epochs, pen) = Epochs::new(Clock::start());
        let first = epochs.witness(Branch::Main);
        pen.bump(Scope::Branch(branch("aaaaaaaa")));
        assert!(first.covers(&epochs.witness(Branch::Main)));
        pen.bump(Scope::Type(of("dcim/sites")));
        assert!(!first.covers(&epochs.witness(Branch::Main)));
    }

    #[test]
    fn nothing_fetched_in_doubt_is_kept() {
        let clock = Clock::start();
        let (epochs, pen) = Epochs::new(clock.clone());
        for scope in [Scope::Branch(Branch::Main), Scope::Type(of("dcim/sites")), Scope::Everything] {
            let doubt = pen.open_doubt(scope);
            let during = epochs.witness(Branch::Main);
            assert!(during.is_current() && !during.may_be_kept());
            assert!(!epochs.narrowed(&during, [of("dcim/racks")]).may_be_kept(), "nobody knew what it would embed");
            assert!(!during.is_settled_with(&epochs.witness(Branch::Main)));
            drop(doubt);
            assert!(!during.may_be_kept(), "the write may have happened after the fetch began");
            assert!(epochs.witness(Branch::Main).may_be_kept());
        }
        pen.doubt_until(Scope::Branch(Branch::Main), clock.now().after(Duration::from_secs(60)));
        assert!(!epochs.witness(Branch::Main).may_be_kept());
        clock.push(Duration::from_secs(61));
        assert!(epochs.witness(Branch::Main).may_be_kept());
    }
}
