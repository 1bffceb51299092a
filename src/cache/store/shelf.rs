//! One part of the memory with bounds of its own: a moka cache, bounded in bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::notification::RemovalCause;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::Slot;
use crate::cache::entry::Entry;

/// Entries that make room for each other, and for no others.
#[derive(Debug)]
pub(super) struct Shelf {
    entries: Cache<Slot, Arc<Entry>>,
    capacity: u64,
    evictions: Arc<AtomicU64>,
}

impl Shelf {
    /// An empty shelf for so many bytes, whose entries are of no use after `longest_use`.
    pub(super) fn new(capacity: u64, longest_use: Duration) -> Self {
        let evictions = Arc::new(AtomicU64::new(0));
        let evicted = Arc::clone(&evictions);
        let entries = Cache::builder()
            .max_capacity(capacity)
            // moka's own policy keeps what is asked for often, and would not let a large page in among many small entries
            // for as long as these live.
            .eviction_policy(EvictionPolicy::lru())
            .weigher(|_, entry: &Arc<Entry>| weight(entry))
            .time_to_live(longest_use)
            .eviction_listener(move |_, _, cause| {
                if cause == RemovalCause::Size {
                    evicted.fetch_add(1, Ordering::Relaxed);
                }
            })
            .build();
        Self { entries, capacity, evictions }
    }

    pub(super) fn get(&self, slot: &Slot) -> Option<Arc<Entry>> {
        self.entries.get(slot)
    }

    /// Whether the entry fits; if so, it is there now.
    pub(super) fn put(&self, slot: Slot, entry: Arc<Entry>) -> bool {
        let fits = u64::from(weight(&entry)) <= self.capacity;
        if fits {
            self.entries.insert(slot, entry);
            // moka evicts behind the scenes; done here, the capacity holds even in a burst of large answers.
            self.settle();
        }
        fits
    }

    pub(super) fn remove(&self, slot: &Slot) {
        self.entries.invalidate(slot);
    }

    /// All entries that stay where they are meanwhile, and maybe some of those that come and go.
    pub(super) fn walk(&self) -> impl Iterator<Item = (Arc<Slot>, Arc<Entry>)> {
        self.entries.iter()
    }

    /// Lets go of what was removed.
    pub(super) fn settle(&self) {
        self.entries.run_pending_tasks();
    }

    /// How many entries there are, and their bytes.
    pub(super) fn size(&self) -> (u64, u64) {
        self.settle();
        (self.entries.entry_count(), self.entries.weighted_size())
    }

    /// Bytes that it is for.
    pub(super) fn capacity(&self) -> u64 {
        self.capacity
    }

    /// How many entries had to make room for others so far.
    pub(super) fn evictions(&self) -> u64 {
        self.evictions.load(Ordering::Relaxed)
    }
}

fn weight(entry: &Entry) -> u32 {
    u32::try_from(entry.weight()).unwrap_or(u32::MAX)
}
