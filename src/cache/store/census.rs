//! What is in memory, counted entry by entry.

use std::collections::HashMap;

use crate::cache::entry::Entry;

/// What is in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// The share of all who use a token that nbproxy was given.
    pub common: ShareCensus,
    /// The share of callers with tokens of their own.
    pub guests: ShareCensus,
    /// How many of those are remembered.
    pub visitors: usize,
    /// By endpoint, most bytes first.
    pub endpoints: Vec<(Box<str>, Tally)>,
}

/// What is in a share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShareCensus {
    /// Bytes that it is for.
    pub capacity: u64,
    /// What it holds.
    pub held: Tally,
    /// Entries that had to make room so far.
    pub evictions: u64,
}

/// A number of entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub entries: u64,
    /// Bytes that they are counted with.
    pub bytes: u64,
}

/// Counts by endpoint.
#[derive(Debug, Default)]
pub(super) struct Counts(HashMap<Box<str>, Tally>);

impl ShareCensus {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            capacity: self.capacity + other.capacity,
            held: self.held.plus(other.held),
            evictions: self.evictions + other.evictions,
        }
    }
}

impl Tally {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { entries: self.entries + other.entries, bytes: self.bytes + other.bytes }
    }

    fn of(entry: &Entry) -> Self {
        Self { entries: 1, bytes: entry.weight() as u64 }
    }
}

impl Counts {
    /// Counts an entry for its endpoint; returns what it adds.
    pub(super) fn count(&mut self, entry: &Entry) -> Tally {
        let (endpoint, tally) = (entry.core().about.endpoint(), Tally::of(entry));
        match self.0.get_mut(endpoint) {
            Some(counted) => *counted = counted.plus(tally),
            None => drop(self.0.insert(endpoint.into(), tally)),
        }
        tally
    }

    /// Most bytes first, then by name.
    pub(super) fn sorted(self) -> Vec<(Box<str>, Tally)> {
        let mut endpoints: Vec<_> = self.0.into_iter().collect();
        endpoints.sort_by(|(a, one), (b, other)| other.bytes.cmp(&one.bytes).then_with(|| a.cmp(b)));
        endpoints
    }
}
