//! The memory itself: moka, bounded in bytes. It remembers; it does not decide.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::notification::RemovalCause;
use moka::sync::Cache;

use super::entry::Entry;
use super::key::Key;

/// Remembered answers by key.
#[derive(Debug)]
pub struct Store {
    entries: Cache<Key, Arc<Entry>>,
    evictions: Arc<AtomicU64>,
    max_entry: usize,
}

/// How the store is bounded.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Bytes of bodies, headers and bookkeeping.
    pub capacity: u64,
    /// The largest body, in bytes, below 4 GiB.
    pub max_entry: usize,
    /// After this long an entry can be of no use to anybody.
    pub longest_use: Duration,
}

impl Store {
    /// An empty store.
    pub fn new(config: Config) -> Self {
        let evictions = Arc::new(AtomicU64::new(0));
        let evicted = Arc::clone(&evictions);
        let entries = Cache::builder()
            .max_capacity(config.capacity)
            .weigher(|_, entry: &Arc<Entry>| u32::try_from(entry.weight()).unwrap_or(u32::MAX))
            .time_to_live(config.longest_use)
            .eviction_listener(move |_, _, cause| {
                if cause == RemovalCause::Size {
                    evicted.fetch_add(1, Ordering::Relaxed);
                }
            })
            .build();
        Self { entries, evictions, max_entry: config.max_entry }
    }

    /// What is remembered under this key, coherent or not.
    pub fn get(&self, key: &Key) -> Option<Arc<Entry>> {
        self.entries.get(key)
    }

    /// Remembers an entry, unless what is remembered is coherent and was fetched later: memory does not go back in time.
    pub fn put(&self, key: Key, entry: Arc<Entry>) {
        let newer = |known: &Entry| known.core().stored > entry.core().stored && known.core().witness.is_current();
        if self.entries.get(&key).is_some_and(|known| newer(&known)) {
            return;
        }
        self.entries.insert(key, entry);
        // moka evicts behind the scenes; done here, the capacity holds even in a burst of large answers.
        self.entries.run_pending_tasks();
    }

    /// Replaces an entry by the same answer in more forms, unless another answer has taken its place.
    pub fn extend(&self, key: Key, known: &Arc<Entry>, extended: Arc<Entry>) {
        if self.entries.get(&key).is_some_and(|current| Arc::ptr_eq(&current, known)) {
            self.put(key, extended);
        }
    }

    /// The largest body that may be stored, in bytes.
    pub fn max_entry(&self) -> usize {
        self.max_entry
    }

    /// How many entries there are, and their bytes.
    pub fn size(&self) -> (u64, u64) {
        self.entries.run_pending_tasks();
        (self.entries.entry_count(), self.entries.weighted_size())
    }

    /// How many entries had to make room for others so far.
    pub fn evictions(&self) -> u64 {
        self.evictions.load(Ordering::Relaxed)
    }
}
