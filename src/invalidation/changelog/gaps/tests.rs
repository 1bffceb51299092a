//! Gaps without a NetBox.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const PATIENCE: Duration = Duration::from_secs(900);

fn at(seconds: u64) -> Moment {
    Moment::ZERO.after(Duration::from_secs(seconds))
}

fn open_between(gaps: &mut Gaps, below: u64, above: u64, now: Moment) {
    Window::between(below, above).into_iter().for_each(|window| gaps.open(window, now));
}

#[test]
fn gaps_are_filled_from_any_side() {
    let mut gaps = Gaps::new(Moment::ZERO);
    open_between(&mut gaps, 9, 15, Moment::ZERO);
    open_between(&mut gaps, 19, 20, Moment::ZERO);
    assert_eq!((gaps.fill(9), gaps.fill(15), gaps.len()), (false, false, 5));
    assert!(gaps.fill(12) && gaps.fill(10) && gaps.fill(14) && !gaps.fill(12));
    let window = Window { from: 11, to: 13 };
    assert_eq!((gaps.windows(Moment::ZERO), gaps.there(window)), (vec![window], 1));
    gaps.end_round(at(11), at(11), Duration::from_secs(10));
    assert!(gaps.is_empty());
}

#[test]
fn what_has_been_missing_for_long_is_looked_for_seldom() {
    let mut gaps = Gaps::new(Moment::ZERO);
    open_between(&mut gaps, 1, 3, at(0));
    open_between(&mut gaps, 10, 12, at(0));
    open_between(&mut gaps, 20, 22, at(50));
    let (old, young) = (Window { from: 2, to: 11 }, Window { from: 21, to: 21 });
    assert_eq!(gaps.windows(at(59)), [Window { from: 2, to: 21 }]);
    gaps.end_round(at(59), at(59), PATIENCE);
    assert_eq!((gaps.windows(at(60)), gaps.looked_at(at(60))), (vec![young], at(59)));
    gaps.end_round(at(60), at(60), PATIENCE);
    assert_eq!((gaps.windows(at(69)), gaps.looked_at(at(69))), (vec![old, young], at(69)));
}

#[test]
fn gaps_without_end_are_given_up_in_time_nevertheless() {
    for per_second in [1u64, 2, 20, 200] {
        let mut gaps = Gaps::new(Moment::ZERO);
        let mut id = 1;
        for n in 0..(1800 * per_second) {
            let now = Moment::ZERO.after(Duration::from_millis(n * 1000 / per_second));
            open_between(&mut gaps, id, id + 2, now);
            id += 2;
            if n % per_second == 0 {
                gaps.end_round(now, now, PATIENCE);
            }
        }
        let oldest = gaps.gaps.first().unwrap().from;
        let rate = 2 * per_second;
        assert!((899 * rate..=962 * rate).contains(&(id - oldest)), "{per_second}: {}", id - oldest);
        assert_eq!(gaps.len(), (id - oldest).div_ceil(2), "what is joined is counted as before");
        assert!(gaps.gaps.len() <= MOST_GAPS);
    }
}

#[test]
fn rows_of_joined_gaps_are_counted() {
    let mut gaps = Gaps::new(Moment::ZERO);
    let window = Window { from: 10, to: 19 };
    gaps.open_among(window, 4, Moment::ZERO);
    assert_eq!((gaps.len(), gaps.there(window)), (6, 4));
    gaps.read_anew(window);
    let seen = [10, 12, 13, 17, 19];
    assert!(seen.into_iter().all(|id| gaps.fill(id)), "nobody knows which of them are new");
    assert_eq!((gaps.len(), gaps.there(window)), (5, 5));
    gaps.open_among(Window { from: 30, to: 31 }, 2, Moment::ZERO);
    assert_eq!(gaps.windows(Moment::ZERO), [window], "nothing is missing where all are there");
}

proptest! {
    /// Whatever appears makes the rows of a window more than they were, and when they have been read all is known again.
    #[test]
    fn whatever_appears_is_found(
        steps in proptest::collection::vec((1u64..6, 0u64..40, any::<bool>()), 1..200),
        appearing in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
        joined in any::<bool>(),
    ) {
        let (mut gaps, mut id, mut second, mut rows) = (Gaps::new(Moment::ZERO), 1, 0, BTreeSet::from([1]));
        for (step, pause, _) in steps {
            second += pause;
            open_between(&mut gaps, id, id + step, at(second));
            id += step;
            rows.insert(id);
        }
        if joined {
            gaps.join();
        }
        let missing: Vec<u64> = (1..=id).filter(|id| !rows.contains(id)).collect();
        prop_assert_eq!(gaps.len(), missing.len() as u64);
        let appeared: BTreeSet<u64> = appearing.iter().filter(|_| !missing.is_empty()).map(|at| *at.get(&missing)).collect();
        rows.extend(&appeared);
        let mut found = BTreeSet::new();
        for window in gaps.windows(at(second + 10)) {
            let read: Vec<u64> = rows.range(window.from..=window.to).copied().collect();
            if read.len() as u64 != gaps.there(window) {
                gaps.read_anew(window);
                found.extend(read.into_iter().filter(|id| gaps.fill(*id)));
            }
        }
        prop_assert!(found.is_superset(&appeared));
        prop_assert!(joined || found == appeared, "each is told of once");
        prop_assert_eq!(gaps.len() as usize, missing.len() - appeared.len());
        for window in gaps.windows(at(second + 10)) {
            prop_assert_eq!(rows.range(window.from..=window.to).count() as u64, gaps.there(window));
        }
    }
}
