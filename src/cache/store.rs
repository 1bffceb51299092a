//! The memory itself: bounded in bytes, in shares that cannot crowd each other out. It remembers; it does not decide.
//!
//! What is fetched with a token that nbproxy was given is in the common share. Callers with tokens of their own share
//! another, in segments: one caller's flood reaches its own segment and no further.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use super::entry::Entry;
use super::head::Heads;
use super::key::{Key, Share};
use super::policy::NotKept;
use super::selector::Selector;

mod census;
mod seats;
mod shelf;

pub use census::{Census, ShareCensus, Tally};

use census::Counts;
use seats::Seats;
use shelf::Shelf;

/// Into how many segments the share of callers with tokens of their own is divided.
const SEGMENTS: u64 = 8;

/// Remembered answers by key.
#[derive(Debug)]
pub struct Store {
    common: Shelf,
    segments: Vec<Shelf>,
    seats: Seats,
    heads: Heads,
    /// How often something was purged. Held for reading while something is put in, so that a purge finds either the
    /// entry or nobody who is about to put it there.
    purges: RwLock<u64>,
    /// Held while what stands at a place is looked at and replaced: a lock for many places.
    replacing: [Mutex<()>; 16],
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

/// Leave to put in what is fetched from now on; void after the next purge. Taken before the fetch is sent, as the witness
/// is: what was purged would come back otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intake(u64);

/// Where an entry is within its shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Slot {
    key: Key,
    /// The visitor's [seat](seats::Seat), zero in the common share.
    seat: u64,
}

impl Store {
    /// An empty store.
    pub fn new(config: Config) -> Self {
        let Config { capacity, guests, max_entry, longest_use } = config;
        let shelf = |capacity| Shelf::new(capacity, longest_use);
        let segments: Vec<_> =
            if guests == 0 { Vec::new() } else { (0..SEGMENTS).map(|_| shelf(guests / SEGMENTS)).collect() };
        Self {
            common: shelf(capacity.saturating_sub(guests)),
            seats: Seats::new(segments.len()),
            segments,
            heads: Heads::default(),
            purges: RwLock::default(),
            replacing: Default::default(),
            max_entry,
        }
    }

    /// What entries' headers are kept in.
    pub fn heads(&self) -> &Heads {
        &self.heads
    }

    /// What is remembered under this key, coherent or not.
    pub fn get(&self, key: &Key) -> Option<Arc<Entry>> {
        let (shelf, slot) = self.place(key)?;
        shelf.get(&slot)
    }

    /// Leave to put in what is fetched from now on.
    pub fn intake(&self) -> Intake {
        Intake(*self.purges())
    }

    /// Remembers an entry, unless what is remembered is coherent and was fetched later: memory does not go back in time.
    ///
    /// # Errors
    /// [`NotKept::Changed`] when something was purged since the intake; [`NotKept::NoRoom`] when its share cannot hold
    /// it, or there is none for its caller.
    pub fn put(&self, intake: Intake, key: Key, entry: Arc<Entry>) -> Result<(), NotKept> {
        let purges = self.purges();
        if Intake(*purges) != intake {
            return Err(NotKept::Changed);
        }
        let (shelf, slot) = self.place(&key).ok_or(NotKept::NoRoom)?;
        let _nobody_else_here = self.replacing(&key);
        let newer = |known: &Entry| known.core().stored > entry.core().stored && known.core().witness.is_current();
        if shelf.get(&slot).is_some_and(|known| newer(&known)) {
            return Ok(());
        }
        if shelf.put(slot, entry) {
            return Ok(());
        }
        // Its client has seen the newer answer; the older one would be a step back.
        shelf.remove(&slot);
        Err(NotKept::NoRoom)
    }

    /// Replaces an entry by the same answer in more forms, unless another answer has taken its place, it was purged, or
    /// there is no room for so many. Whether all was well but the room.
    pub fn extend(&self, key: Key, known: &Entry, extended: impl FnOnce(&Entry) -> Option<Entry>) -> bool {
        let _no_purge_meanwhile = self.purges();
        let _nobody_else_here = self.replacing(&key);
        let Some((shelf, slot)) = self.place(&key) else { return true };
        let current = shelf.get(&slot).filter(|current| current.is_same(known));
        current.and_then(|current| extended(&current)).is_none_or(|extended| shelf.put(slot, Arc::new(extended)))
    }

    /// Forgets what the selector covers, and keeps nothing whose fetch was sent before; returns how many entries that
    /// were. It looks at every entry, which may take a second: not for a thread that others wait for.
    pub fn purge(&self, selector: &Selector) -> u64 {
        *self.purges.write().unwrap_or_else(PoisonError::into_inner) += 1;
        let mut purged = 0;
        for shelf in self.shelves() {
            for (slot, _) in shelf.walk().filter(|(_, entry)| selector.covers(&entry.core().about)) {
                let _nobody_puts_meanwhile = self.purges.write().unwrap_or_else(PoisonError::into_inner);
                shelf.remove(&slot);
                purged += 1;
            }
            shelf.settle();
        }
        purged
    }

    /// The largest body that may be stored, in bytes.
    pub fn max_entry(&self) -> usize {
        self.max_entry
    }

    /// How many entries there are, and their bytes.
    pub fn size(&self) -> (u64, u64) {
        self.shelves().map(Shelf::size).fold((0, 0), |sum, size| (sum.0 + size.0, sum.1 + size.1))
    }

    /// How many entries had to make room for others so far.
    pub fn evictions(&self) -> u64 {
        self.shelves().map(Shelf::evictions).sum()
    }

    /// Counts what there is. It looks at every entry, as [`purge`](Self::purge) does.
    pub fn census(&self) -> Census {
        let mut counts = Counts::default();
        let mut share = |shelves: &[Shelf]| {
            let entries = shelves.iter().flat_map(Shelf::walk);
            ShareCensus {
                capacity: shelves.iter().map(Shelf::capacity).sum(),
                held: entries.map(|(_, entry)| counts.count(&entry)).fold(Tally::default(), Tally::plus),
                evictions: shelves.iter().map(Shelf::evictions).sum(),
            }
        };
        let (common, guests) = (share(std::slice::from_ref(&self.common)), share(&self.segments));
        Census { common, guests, visitors: self.seats.count(), endpoints: counts.sorted() }
    }

    fn place(&self, key: &Key) -> Option<(&Shelf, Slot)> {
        match key.share() {
            Share::Common => Some((&self.common, Slot { key: *key, seat: 0 })),
            Share::Visitor(token) => {
                let seat = self.seats.of(token)?;
                Some((self.segments.get(seat.segment)?, Slot { key: *key, seat: seat.number }))
            }
        }
    }

    fn shelves(&self) -> impl Iterator<Item = &Shelf> {
        std::iter::once(&self.common).chain(&self.segments)
    }

    fn replacing(&self, key: &Key) -> Option<MutexGuard<'_, ()>> {
        let lock = self.replacing.get(usize::from(key.some_byte()) % self.replacing.len())?;
        Some(lock.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn purges(&self) -> RwLockReadGuard<'_, u64> {
        self.purges.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    use super::*;
    use crate::cache::canonical::{Accept, Canonical, Verb};
    use crate::cache::clock::{Clock, Moment};
    use crate::cache::entry::{Core, Form, Late};
    use crate::cache::epochs::{Epochs, Pen, Scope};
    use crate::cache::freshness::Lifetime;
    use crate::cache::key::{Identity, View};
    use crate::cache::public::PublicBase;
    use crate::cache::selector::About;
    use crate::netbox::branch::Branch;
    use crate::netbox::object::ApiPath;
    use crate::netbox::query::Query;
    use crate::netbox::token::Fingerprint;

    struct Fixture {
        epochs: Arc<Epochs>,
        pen: Pen,
        store: Store,
    }

    fn path() -> ApiPath {
        ApiPath::parse("/api/dcim/sites/", "").unwrap()
    }

    fn key(identity: Identity) -> Key {
        let view = View { identity, branch: Branch::Main };
        Canonical::new(view, Verb::Get, &path(), &Query::default(), Accept::Json, None).key()
    }

    fn shared() -> Key {
        key(Identity::Entrusted(Fingerprint::anonymous()))
    }

    fn base(name: &'static str) -> PublicBase {
        PublicBase::new(false, name.parse().unwrap())
    }

    impl Fixture {
        fn new(guests: u64) -> Self {
            let (epochs, pen) = Epochs::new(Clock::standing());
            let longest_use = Duration::from_secs(600);
            let store = Store::new(Config { capacity: 1 << 20, guests, max_entry: 1 << 20, longest_use });
            Self { epochs, pen, store }
        }

        fn entry(&self, fetched: u64, body: impl Into<Bytes>) -> Arc<Entry> {
            let (ttl, none) = (Duration::from_secs(60), Duration::ZERO);
            let lifetime = Lifetime { ttl, unfollowed: ttl, stale_while_revalidate: none, stale_if_error: none };
            let stored = Moment::ZERO.after(Duration::from_secs(fetched));
            let about = About::of(&path(), Branch::Main);
            let witness = self.epochs.witness(Branch::Main);
            let (status, paging) = (StatusCode::OK, None);
            let core = Core { status, stored, lifetime, witness, paging, about, late: Late::default() };
            let form = Form::new(base("nbproxy"), body.into(), Vec::new());
            Arc::new(Entry::new(core, HeaderMap::new(), form, self.store.heads()))
        }

        fn put(&self, key: Key, fetched: u64, body: impl Into<Bytes>) -> Result<(), NotKept> {
            self.store.put(self.store.intake(), key, self.entry(fetched, body))
        }

        fn body(&self, key: Key) -> Option<Bytes> {
            self.store.get(&key).and_then(|entry| entry.body(&base("nbproxy")))
        }
    }

    #[test]
    fn memory_does_not_go_back_in_time() {
        let f = Fixture::new(0);
        let body = || f.body(shared()).unwrap();
        f.put(shared(), 2, "newer").unwrap();
        f.put(shared(), 1, "older, and late").unwrap();
        assert_eq!(body(), "newer");
        f.put(shared(), 3, "newest").unwrap();
        assert_eq!(body(), "newest");
        f.pen.bump(Scope::Everything);
        f.put(shared(), 1, "the first since the change").unwrap();
        assert_eq!(body(), "the first since the change");
    }

    #[test]
    fn a_token_that_is_also_a_visitors_has_two_places() {
        let f = Fixture::new(1 << 19);
        let token = Fingerprint::of(b"the same");
        let (entrusted, own) = (key(Identity::Entrusted(token)), key(Identity::Own(token)));
        f.put(entrusted, 1, "the clients'").unwrap();
        assert_eq!(f.body(own), None);
        f.put(own, 1, "the visitor's").unwrap();
        assert_eq!((f.body(entrusted).unwrap(), f.body(own).unwrap()), ("the clients'".into(), "the visitor's".into()));
        let census = f.store.census();
        assert_eq!((census.common.held.entries, census.guests.held.entries, census.visitors), (1, 1, 1));
        assert_eq!((census.common.capacity, census.guests.capacity), (1 << 19, 1 << 19));
        assert_eq!(census.common.held.plus(census.guests.held), census.endpoints[0].1);
        let held = census.endpoints[0].1;
        assert_eq!(f.store.size(), (held.entries, held.bytes));
    }

    #[test]
    fn what_does_not_fit_takes_the_older_answer_with_it() {
        let f = Fixture::new(12 << 10);
        let own = key(Identity::Own(Fingerprint::of(b"visitor")));
        f.put(own, 1, "small").unwrap();
        assert_eq!(f.put(own, 2, vec![b'x'; 1 << 10]), Err(NotKept::NoRoom));
        assert_eq!(f.body(own), None, "the older one would be a step back");
        f.put(shared(), 2, vec![b'x'; 1 << 10]).unwrap();
        f.put(own, 3, "small").unwrap();
        let known = f.store.get(&own).unwrap();
        f.store.extend(own, &known, |known| Some(known.with_form(known.form_for(&base("another-name")))));
        assert_eq!(f.body(own).unwrap(), "small", "an answer that fits is not lost for a form that does not");
        let nobody = Fixture::new(0);
        assert_eq!(nobody.put(own, 1, "small"), Err(NotKept::NoRoom));
    }

    #[test]
    fn what_was_purged_does_not_come_back() {
        let f = Fixture::new(1 << 19);
        let own = key(Identity::Own(Fingerprint::of(b"visitor")));
        f.put(shared(), 1, "old").unwrap();
        f.put(own, 1, "old").unwrap();
        let (before, known) = (f.store.intake(), f.store.get(&shared()).unwrap());
        assert_eq!(f.store.purge(&Selector::All), 2);
        assert_eq!((f.body(shared()), f.body(own)), (None, None));
        assert_eq!(f.store.put(before, shared(), f.entry(2, "sent before")), Err(NotKept::Changed));
        f.store.extend(shared(), &known, |known| Some(known.with_form(known.form_for(&base("another-name")))));
        assert_eq!(f.body(shared()), None);
        f.put(shared(), 2, "new").unwrap();
        assert_eq!(f.body(shared()).unwrap(), "new");
        assert_eq!(f.store.evictions(), 0, "to be purged is not to make room");
    }

    /// Others put in and extend all the while. What they put in is of the age that was current when they took leave to.
    #[test]
    fn after_a_purge_nothing_older_is_found_whoever_else_is_at_it() {
        let f = Fixture::new(0);
        let (age, over) = (AtomicU64::new(0), AtomicBool::new(false));
        let others = || {
            while !over.load(Ordering::SeqCst) {
                let intake = f.store.intake();
                let fetched = age.load(Ordering::SeqCst);
                let _kept = f.store.put(intake, shared(), f.entry(fetched, "body"));
                if let Some(known) = f.store.get(&shared()) {
                    f.store
                        .extend(shared(), &known, |known| Some(known.with_form(known.form_for(&base("another-name")))));
                }
            }
        };
        std::thread::scope(|scope| {
            (0..3).for_each(|_| drop(scope.spawn(others)));
            for round in 1..=2_000 {
                age.store(round, Ordering::SeqCst);
                f.store.purge(&Selector::All);
                let found = f.store.get(&shared()).map(|entry| entry.core().stored);
                let since = Moment::ZERO.after(Duration::from_secs(round));
                if found.is_some_and(|stored| stored < since) {
                    over.store(true, Ordering::SeqCst);
                    panic!("in round {round} something from before the purge was found");
                }
            }
            over.store(true, Ordering::SeqCst);
        });
    }
}
