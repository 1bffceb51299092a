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
    /// How many of them are for callers with tokens of their own, together.
    pub guests: u64,
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    use super::*;
    use crate::cache::canonical::{Accept, Canonical};
    use crate::cache::clock::{Clock, Moment};
    use crate::cache::entry::{Core, Form};
    use crate::cache::epochs::{Epochs, Scope, Witness};
    use crate::cache::freshness::Lifetime;
    use crate::cache::key::View;
    use crate::cache::public::PublicBase;
    use crate::netbox::branch::Branch;
    use crate::netbox::object::ApiPath;
    use crate::netbox::query::Query;
    use crate::netbox::token::Fingerprint;

    fn entry(fetched: u64, body: &'static str, witness: Witness) -> Arc<Entry> {
        let (ttl, none) = (Duration::from_secs(60), Duration::ZERO);
        let lifetime = Lifetime { ttl, unfollowed: ttl, stale_while_revalidate: none, stale_if_error: none };
        let stored = Moment::ZERO.after(Duration::from_secs(fetched));
        let core =
            Core { status: StatusCode::OK, headers: HeaderMap::new(), stored, lifetime, witness, continues: false };
        let base = PublicBase::new(false, "nbproxy".parse().unwrap());
        Arc::new(Entry::new(core, Form::new(base, Bytes::from_static(body.as_bytes()), Vec::new())))
    }

    #[test]
    fn memory_does_not_go_back_in_time() {
        let view = View { identity: Fingerprint::anonymous(), branch: Branch::Main };
        let path = ApiPath::parse("/api/dcim/sites/", "").unwrap();
        let key = Canonical::new(view, &path, &Query::default(), Accept::Json, None).key();
        let (epochs, pen) = Epochs::new(Clock::standing());
        let witness = || epochs.witness(Branch::Main);
        let store = Store::new(Config {
            capacity: 1 << 20,
            guests: 0,
            max_entry: 1 << 20,
            longest_use: Duration::from_secs(600),
        });
        let base = PublicBase::new(false, "nbproxy".parse().unwrap());
        let body = || store.get(&key).and_then(|entry| entry.body(&base)).unwrap();
        store.put(key, entry(2, "newer", witness()));
        store.put(key, entry(1, "older, and late", witness()));
        assert_eq!(body(), "newer");
        store.put(key, entry(3, "newest", witness()));
        assert_eq!(body(), "newest");
        pen.bump(Scope::Everything);
        store.put(key, entry(1, "the first since the change", witness()));
        assert_eq!(body(), "the first since the change");
    }
}
