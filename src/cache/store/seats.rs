//! Which segment of the visitors' share each of them has. Visitors are spread evenly, so that one who fills its segment
//! is at the cost of few others, and of nobody as long as there are no more visitors than segments.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::netbox::token::Fingerprint;

/// Visitors that are remembered; the one that has not come for longest is forgotten for another, and what it had with it.
const MOST: usize = 1024;

/// Who has which segment.
#[derive(Debug)]
pub(super) struct Seats {
    segments: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    seats: HashMap<Fingerprint, Seat>,
    /// How many seats were given so far.
    given: u64,
    /// How often anybody came.
    visits: u64,
}

/// A visitor's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) segment: usize,
    /// Never given twice: a visitor who was forgotten and comes again does not find what it had before, which may be
    /// older than what it has seen since.
    pub(super) number: u64,
    last_visit: u64,
}

impl Seats {
    pub(super) fn new(segments: usize) -> Self {
        Self { segments, taken: Mutex::default() }
    }

    /// The seat of a visitor, the same as last time if it is remembered; `None` when there are no segments.
    pub(super) fn of(&self, visitor: Fingerprint) -> Option<Seat> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.visits += 1;
        let last_visit = taken.visits;
        if let Some(seat) = taken.seats.get_mut(&visitor) {
            seat.last_visit = last_visit;
            return Some(*seat);
        }
        if taken.seats.len() >= MOST {
            let longest = taken.seats.iter().min_by_key(|(_, seat)| seat.last_visit).map(|(visitor, _)| *visitor);
            longest.and_then(|visitor| taken.seats.remove(&visitor));
        }
        let segment = taken.emptiest(self.segments)?;
        taken.given += 1;
        let seat = Seat { segment, number: taken.given, last_visit };
        taken.seats.insert(visitor, seat);
        Some(seat)
    }

    /// How many visitors are remembered.
    pub(super) fn count(&self) -> usize {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).seats.len()
    }
}

impl Taken {
    fn emptiest(&self, segments: usize) -> Option<usize> {
        let mut visitors = vec![0_usize; segments];
        for seat in self.seats.values() {
            if let Some(count) = visitors.get_mut(seat.segment) {
                *count += 1;
            }
        }
        (0..segments).min_by_key(|segment| visitors.get(*segment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitor(n: usize) -> Fingerprint {
        Fingerprint::of(format!("token {n}").as_bytes())
    }

    #[test]
    fn visitors_are_spread_evenly_and_keep_their_seats() {
        let seats = Seats::new(8);
        let given: Vec<_> = (0..24).map(|n| seats.of(visitor(n)).unwrap()).collect();
        for round in given.chunks(8) {
            let mut segments: Vec<_> = round.iter().map(|seat| seat.segment).collect();
            segments.sort_unstable();
            assert_eq!(segments, (0..8).collect::<Vec<_>>());
        }
        for (n, seat) in given.iter().enumerate() {
            let again = seats.of(visitor(n)).unwrap();
            assert_eq!((again.segment, again.number), (seat.segment, seat.number), "visitor {n}");
        }
        assert_eq!(Seats::new(0).of(visitor(0)), None);
    }

    #[test]
    fn who_has_not_come_for_longest_is_forgotten() {
        let seats = Seats::new(8);
        let first: Vec<_> = (0..MOST).map(|n| seats.of(visitor(n)).unwrap()).collect();
        seats.of(visitor(0));
        seats.of(visitor(MOST));
        assert_eq!(seats.count(), MOST);
        assert_eq!(seats.of(visitor(0)).unwrap().number, first[0].number, "it came lately");
        assert_ne!(seats.of(visitor(1)).unwrap().number, first[1].number, "it was forgotten");
        assert_eq!(seats.count(), MOST);
    }
}
