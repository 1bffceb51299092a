//! One scope's changes: when it changed last, and whether it may be about to change unseen.

use std::sync::atomic::Ordering;

use crate::cache::clock::Moment;
use crate::cache::sync::{AtomicU32, AtomicU64, REMEMBERED};

/// What is known of a scope's changes. A change is known by its place in the one sequence of all changes, from 1.
#[derive(Debug, Default)]
pub(super) struct Counter {
    /// The last change.
    last: AtomicU64,
    /// How many there were.
    count: AtomicU64,
    /// The last ones, the `n`th at `n` modulo the length.
    changes: [Change; REMEMBERED],
    /// Writes and jobs whose outcome is still awaited.
    open: AtomicU32,
    /// Until when (nanoseconds of the clock) a write that is lost from sight may still be carried out.
    unsettled_until: AtomicU64,
}

#[derive(Debug, Default)]
struct Change {
    number: AtomicU64,
    at: AtomicU64,
}

impl Counter {
    /// Writes a change down; one at a time, the pen sees to that.
    pub(super) fn note(&self, number: u64, now: Moment) {
        let count = self.count.load(Ordering::SeqCst);
        let slot = self.slot(count);
        // The time is written while the number is none, so that nobody takes the one for the other's.
        slot.number.store(0, Ordering::SeqCst);
        slot.at.store(now.to_nanos(), Ordering::SeqCst);
        slot.number.store(number, Ordering::SeqCst);
        self.count.store(count + 1, Ordering::SeqCst);
        self.last.store(number, Ordering::SeqCst);
    }

    /// Whether there was a change after this one.
    pub(super) fn changed_since(&self, number: u64) -> bool {
        self.last.load(Ordering::SeqCst) > number
    }

    /// When the first change after this one was made known; `None` when there was none, the beginning of time when it is
    /// not remembered any more.
    pub(super) fn first_since(&self, number: u64) -> Option<Moment> {
        if !self.changed_since(number) {
            return None;
        }
        let count = self.count.load(Ordering::SeqCst);
        let mut first = None;
        for back in 1..=REMEMBERED as u64 {
            let Some(place) = count.checked_sub(back) else { return Some(first.unwrap_or(Moment::ZERO)) };
            let slot = self.slot(place);
            let (found, at) = (slot.number.load(Ordering::SeqCst), slot.at.load(Ordering::SeqCst));
            if found == 0 || slot.number.load(Ordering::SeqCst) != found {
                return Some(Moment::ZERO);
            }
            if found <= number {
                return Some(first.unwrap_or(Moment::ZERO));
            }
            first = Some(Moment::from_nanos(at));
        }
        Some(Moment::ZERO)
    }

    pub(super) fn open(&self) {
        self.open.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn close(&self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }

    pub(super) fn doubt_until(&self, until: Moment) {
        self.unsettled_until.fetch_max(until.to_nanos(), Ordering::SeqCst);
    }

    pub(super) fn is_settled(&self, now: Moment) -> bool {
        self.open.load(Ordering::SeqCst) == 0 && now >= Moment::from_nanos(self.unsettled_until.load(Ordering::SeqCst))
    }

    fn slot(&self, place: u64) -> &Change {
        let at = usize::try_from(place % REMEMBERED as u64).unwrap_or(0);
        // The remainder is below the length, so the fallback is never taken.
        self.changes.get(at).unwrap_or(&self.changes[0])
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_first_change_after_another_is_remembered_for_a_while() {
        let counter = Counter::default();
        let at = |seconds: u64| Moment::ZERO.after(Duration::from_secs(seconds));
        assert_eq!(counter.first_since(0), None);
        for number in 1..=16 {
            counter.note(number * 10, at(number));
        }
        assert_eq!(counter.first_since(10), Some(at(2)));
        assert_eq!(counter.first_since(155), Some(at(16)));
        assert_eq!(counter.first_since(160), None);
        assert_eq!(counter.first_since(5), Some(Moment::ZERO), "as many changes as are remembered, and perhaps more");
        counter.note(170, at(17));
        assert_eq!(counter.first_since(10), Some(Moment::ZERO), "forgotten");
        assert_eq!(counter.first_since(20), Some(at(3)));
    }
}
