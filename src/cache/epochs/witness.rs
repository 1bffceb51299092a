//! What an entry depends on.

use std::sync::Arc;

use super::counter::Counter;
use crate::cache::clock::Moment;

/// The state of the data that an answer was fetched from: everything up to one change, and the scopes whose later changes
/// would have made it another. Taken before the fetch is sent.
#[derive(Clone, Debug)]
pub struct Witness {
    /// The last change that had been made known.
    at: u64,
    counters: Arc<[Arc<Counter>]>,
    settled: bool,
}

impl Witness {
    pub(super) fn new(at: u64, counters: Arc<[Arc<Counter>]>, settled: bool) -> Self {
        Self { at, counters, settled }
    }

    pub(super) fn depending_on(&self, counters: Arc<[Arc<Counter>]>) -> Self {
        Self { counters, ..self.clone() }
    }

    /// The last change that it has seen.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// Bytes that it takes.
    pub fn weight(&self) -> usize {
        self.counters.len() * size_of::<Arc<Counter>>()
    }

    /// Whether nothing that it depends on has changed since it was taken.
    pub fn is_current(&self) -> bool {
        !self.counters.iter().any(|counter| counter.changed_since(self.at))
    }

    /// Since when it has not been current, at least; `None` while it is. Too early a moment is possible, too late a one is
    /// not.
    pub fn outdated_since(&self) -> Option<Moment> {
        self.counters.iter().filter_map(|counter| counter.first_since(self.at)).min()
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

    /// Whether who has taken `later` may share what is fetched under this one: nothing has changed in between that either
    /// depends on.
    pub fn covers(&self, later: &Self) -> bool {
        let unchanged = |counters: &[Arc<Counter>]| !counters.iter().any(|counter| counter.changed_since(self.at));
        unchanged(&self.counters) && unchanged(&later.counters)
    }
}
