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
mod tests;
