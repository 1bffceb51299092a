//! Ids that are not there yet.
//!
//! NetBox gives a changelog row its id when it is inserted, and shows it when its transaction is committed: a long import holds
//! ids below those that others have long been shown with. So what is missing below the highest id that was seen is looked
//! for again until it appears, or until it is older than any transaction. Rolled back transactions and branches (which
//! share the sequence) leave ids that never appear.

use std::time::Duration;

use crate::cache::clock::Moment;

/// Queries that gaps are looked for by, at most; further apart ones are looked for together with what lies between.
const MOST_WINDOWS: usize = 4;

/// Gaps that are kept apart; beyond it neighbours are joined, at the cost of reading known rows again.
const MOST_GAPS: usize = 1000;

/// A range of ids, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first.
    pub from: u64,
    /// The last.
    pub to: u64,
}

/// The missing ids, in order, and since when each has been.
#[derive(Debug, Default)]
pub struct Gaps {
    gaps: Vec<Gap>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gap {
    from: u64,
    to: u64,
    since: Moment,
}

impl Gaps {
    /// The ids between these two are missing as of `now`; they lie above all that were missing before.
    pub(super) fn open_between(&mut self, below: u64, above: u64, now: Moment) {
        if let (Some(from), Some(to)) = (below.checked_add(1), above.checked_sub(1))
            && from <= to
        {
            self.gaps.push(Gap { from, to, since: now });
        }
        while self.gaps.len() > MOST_GAPS {
            self.join_nearest();
        }
    }

    /// Takes an id that has appeared out of the gaps; whether it was in one.
    pub(super) fn fill(&mut self, id: u64) -> bool {
        let Some(at) = self.gaps.iter().position(|gap| (gap.from..=gap.to).contains(&id)) else { return false };
        let gap = self.gaps.remove(at);
        // No gap holds the first of all ids, nor the last: each lies between two.
        let halves = [Gap { to: id - 1, ..gap }, Gap { from: id + 1, ..gap }];
        let left = halves.into_iter().filter(|half| half.from <= half.to);
        self.gaps.splice(at..at, left);
        true
    }

    /// Gives up what has been missing for longer than any transaction takes.
    pub(super) fn expire(&mut self, now: Moment, patience: Duration) {
        self.gaps.retain(|gap| now.since(gap.since) <= patience);
    }

    /// Where to look: few windows that cover all gaps.
    pub(super) fn windows(&self) -> Vec<Window> {
        let mut windows: Vec<Window> = self.gaps.iter().map(|gap| Window { from: gap.from, to: gap.to }).collect();
        while windows.len() > MOST_WINDOWS {
            let Some(at) = nearest(&windows) else { break };
            let next = windows.remove(at + 1);
            if let Some(window) = windows.get_mut(at) {
                window.to = next.to;
            }
        }
        windows
    }

    /// How many ids are missing.
    pub fn len(&self) -> u64 {
        self.gaps.iter().fold(0, |sum: u64, gap| sum.saturating_add(gap.to - gap.from + 1))
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.gaps.is_empty()
    }

    fn join_nearest(&mut self) {
        let windows: Vec<Window> = self.gaps.iter().map(|gap| Window { from: gap.from, to: gap.to }).collect();
        let Some(at) = nearest(&windows) else { return };
        let next = self.gaps.remove(at + 1);
        if let Some(gap) = self.gaps.get_mut(at) {
            (gap.to, gap.since) = (next.to, gap.since.max(next.since));
        }
    }
}

/// The first of the two neighbours with the fewest ids between them.
fn nearest(windows: &[Window]) -> Option<usize> {
    let between = |pair: &[Window]| match pair {
        [first, second] => second.from - first.to,
        _ => u64::MAX,
    };
    windows.windows(2).enumerate().min_by_key(|(_, pair)| between(pair)).map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn gaps_are_filled_from_any_side() {
        let mut gaps = Gaps::default();
        gaps.open_between(9, 15, Moment::ZERO);
        gaps.open_between(19, 20, Moment::ZERO);
        assert_eq!((gaps.fill(9), gaps.fill(15), gaps.len()), (false, false, 5));
        assert!(gaps.fill(12) && gaps.fill(10) && gaps.fill(14) && !gaps.fill(12));
        assert_eq!(gaps.windows(), [Window { from: 11, to: 11 }, Window { from: 13, to: 13 }]);
        gaps.expire(Moment::ZERO.after(Duration::from_secs(11)), Duration::from_secs(10));
        assert!(gaps.is_empty());
    }

    proptest! {
        #[test]
        fn whatever_is_missing_is_looked_for(missing in proptest::collection::btree_set(1u64..5000, 0..400), back in any::<u64>()) {
            let mut gaps = Gaps::default();
            missing.iter().for_each(|id| gaps.open_between(id - 1, id + 1, Moment::ZERO));
            let filled: Vec<u64> = missing.iter().copied().filter(|id| (id ^ back) & 1 == 0).collect();
            for id in &filled {
                prop_assert!(gaps.fill(*id));
            }
            let windows = gaps.windows();
            prop_assert!(windows.len() <= MOST_WINDOWS);
            for id in missing.iter().filter(|id| !filled.contains(id)) {
                prop_assert!(windows.iter().any(|window| (window.from..=window.to).contains(id)), "{id}");
            }
        }
    }
}
