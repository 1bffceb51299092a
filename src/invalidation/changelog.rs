//! What NetBox's changelog tells of changes made elsewhere (`core/object-changes`).
//!
//! Here is what is asked and what follows from the answers; who asks is another room. Each round asks for what is new
//! from the highest id on, that row once more among it: while it is still there, and the same, nothing was pruned away or
//! restored from a backup in between. Then it looks for the [`Gaps`] below.

use std::time::Duration;

use serde::Deserialize;

use super::changed::Changed;
use crate::cache::clock::Moment;

mod gaps;

pub use gaps::{Gaps, Window};

/// Rows in an answer, as many as NetBox gives by default (`MAX_PAGE_SIZE`).
pub const PAGE: usize = 1000;

/// A row, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Row {
    /// Its id.
    pub id: u64,
    /// When it was inserted (ISO 8601).
    pub time: String,
    /// What was changed: `dcim.site`.
    pub changed_object_type: Option<String>,
}

/// How far the changelog has been followed.
#[derive(Debug)]
pub struct Follower {
    /// The row with the highest id that was seen; `None` while there has been none at all.
    head: Option<Row>,
    gaps: Gaps,
    patience: Duration,
}

/// The changelog is not what it was: rows have gone that were there, or they come in no order. It must be begun anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the changelog is not what it was")]
pub struct Jumped;

/// What to ask next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// The newest rows, newest first.
    Newest,
    /// Rows from this id on, in order.
    From(u64),
    /// Rows of a range of ids, in order.
    Within(Window),
}

impl Question {
    /// Its query. `cursor`: whether NetBox pages by `start` (4.6), which spares it to count all rows.
    pub fn query(&self, cursor: bool) -> String {
        let fields = "fields=id,time,changed_object_type";
        match self {
            Self::Newest => format!("{fields}&limit={PAGE}&ordering=-id"),
            Self::From(id) if cursor => format!("{fields}&limit={PAGE}&start={id}"),
            Self::From(id) => format!("{fields}&id__gte={id}&limit={PAGE}&ordering=id"),
            Self::Within(Window { from, to }) => {
                format!("{fields}&id__gte={from}&id__lte={to}&limit={PAGE}&ordering=id")
            }
        }
    }
}

impl Follower {
    /// Begins with the newest rows, newest first. `recent` tells whether a row is younger than any transaction: below the
    /// newest such rows others may still appear.
    pub fn begin(newest: &[Row], patience: Duration, now: Moment, recent: impl Fn(&Row) -> bool) -> Self {
        let mut gaps = Gaps::default();
        let young: Vec<&Row> = newest.iter().take_while(|row| recent(row)).collect();
        let below = newest.get(young.len());
        let mut ids: Vec<u64> = young.iter().copied().chain(below).map(|row| row.id).collect();
        ids.sort_unstable();
        for pair in ids.windows(2) {
            if let [low, high] = pair {
                gaps.open_between(*low, *high, now);
            }
        }
        Self { head: newest.iter().max_by_key(|row| row.id).cloned(), gaps, patience }
    }

    /// Where to go on.
    pub fn next(&self) -> Question {
        Question::From(self.head.as_ref().map_or(0, |head| head.id))
    }

    /// Where to look again.
    pub fn again(&self) -> impl Iterator<Item = Question> + use<> {
        self.gaps.windows().into_iter().map(Question::Within)
    }

    /// Takes the answer to [`next`](Self::next) in; returns the new rows, and whether there may be more.
    ///
    /// # Errors
    /// [`Jumped`].
    pub fn take(&mut self, rows: Vec<Row>, now: Moment) -> Result<(Vec<Row>, bool), Jumped> {
        let full = rows.len() >= PAGE;
        let mut rows = rows.into_iter();
        if let Some(head) = &self.head
            && rows.next().as_ref() != Some(head)
        {
            return Err(Jumped);
        }
        let new: Vec<Row> = rows.collect();
        for row in &new {
            if let Some(head) = &self.head {
                if row.id <= head.id {
                    return Err(Jumped);
                }
                self.gaps.open_between(head.id, row.id, now);
            }
            self.head = Some(row.clone());
        }
        Ok((new, full))
    }

    /// Takes the answer to a question of [`again`](Self::again) in; returns the rows that had been missing, and where to go on if
    /// there may be more.
    pub fn take_again(&mut self, asked: Window, rows: Vec<Row>) -> (Vec<Row>, Option<Question>) {
        let last = rows.last().filter(|_| rows.len() >= PAGE).map(|row| row.id);
        let more = last.filter(|last| *last < asked.to).map(|last| Window { from: last + 1, to: asked.to });
        let found = rows.into_iter().filter(|row| self.gaps.fill(row.id)).collect();
        (found, more.map(Question::Within))
    }

    /// Ends a round: gives up what has been missing for too long.
    pub fn end_round(&mut self, now: Moment) {
        self.gaps.expire(now, self.patience);
    }

    /// The ids that may still appear.
    pub fn gaps(&self) -> &Gaps {
        &self.gaps
    }
}

impl Row {
    /// What has changed by it.
    pub fn changed(&self) -> Changed {
        self.changed_object_type.as_deref().map_or(Changed::Unknown, Changed::of_model)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(900);

    fn row(id: u64) -> Row {
        let time = format!("2026-01-01T00:00:{:02}Z", id % 60);
        Row { id, time, changed_object_type: Some("dcim.site".to_owned()) }
    }

    fn ids(rows: &[Row]) -> Vec<u64> {
        rows.iter().map(|row| row.id).collect()
    }

    fn following(head: u64) -> Follower {
        Follower::begin(&[row(head)], PATIENCE, Moment::ZERO, |_| false)
    }

    #[test]
    fn what_appears_late_is_found() {
        let mut follower = following(7);
        assert_eq!(follower.next(), Question::From(7));
        let (new, more) = follower.take(vec![row(7), row(12), row(13)], Moment::ZERO).unwrap();
        assert_eq!((ids(&new), more), (vec![12, 13], false));
        let window = Window { from: 8, to: 11 };
        assert_eq!(follower.again().collect::<Vec<_>>(), [Question::Within(window)]);
        let (found, more) = follower.take_again(window, vec![row(9), row(10)]);
        assert_eq!((ids(&found), more), (vec![9, 10], None));
        let (found, _) = follower.take_again(window, vec![row(9), row(10), row(11)]);
        assert_eq!(ids(&found), [11], "each is told of once");
        follower.end_round(Moment::ZERO.after(PATIENCE + Duration::from_secs(1)));
        assert_eq!(follower.again().count(), 0, "what was rolled back is given up");
    }

    #[test]
    fn a_changelog_that_lost_its_head_has_jumped() {
        let mut other = row(7);
        other.time = "2026-02-02T00:00:00Z".to_owned();
        for rows in [vec![], vec![row(8)], vec![other, row(8)]] {
            assert_eq!(following(7).take(rows, Moment::ZERO), Err(Jumped));
        }
        let mut empty = Follower::begin(&[], PATIENCE, Moment::ZERO, |_| true);
        assert_eq!(empty.next(), Question::From(0));
        let (new, _) = empty.take(vec![row(3)], Moment::ZERO).unwrap();
        assert_eq!(ids(&new), [3]);
    }

    #[test]
    fn at_the_beginning_what_is_young_may_have_gaps() {
        let newest = [row(20), row(18), row(15), row(5)];
        let follower = Follower::begin(&newest, PATIENCE, Moment::ZERO, |row| row.id > 16);
        let missing = [Window { from: 16, to: 17 }, Window { from: 19, to: 19 }];
        assert_eq!(follower.again().collect::<Vec<_>>(), missing.map(Question::Within));
    }

    #[test]
    fn long_answers_are_read_to_their_end() {
        let mut follower = following(1);
        let (new, more) = follower.take((1..=1000).map(row).collect(), Moment::ZERO).unwrap();
        assert!(more && new.len() == 999);
        follower.take(vec![row(1000), row(5000)], Moment::ZERO).unwrap();
        let asked = Window { from: 1001, to: 4999 };
        let (found, more) = follower.take_again(asked, (1001..=2000).map(row).collect());
        assert_eq!((found.len(), more), (1000, Some(Question::Within(Window { from: 2001, to: 4999 }))));
    }

    proptest! {
        /// A changelog that is none must not end who follows it.
        #[test]
        fn rows_in_any_order_do_no_harm(newest in any_ids(), next in any_ids(), late in any_ids()) {
            let rows = |ids: &[u64]| ids.iter().copied().map(row).collect::<Vec<_>>();
            let mut follower = Follower::begin(&rows(&newest), PATIENCE, Moment::ZERO, |row| row.id % 3 > 0);
            let head = newest.iter().max().copied();
            let _news = follower.take(rows(&head.into_iter().chain(next).collect::<Vec<_>>()), Moment::ZERO);
            for question in follower.again() {
                let Question::Within(window) = question else { panic!("{question:?}") };
                prop_assert!(window.from <= window.to);
                follower.take_again(window, rows(&late));
            }
            let _missing = follower.gaps().len();
        }
    }

    fn any_ids() -> impl Strategy<Value = Vec<u64>> {
        let id = prop_oneof![0..40u64, Just(u64::MAX), Just(u64::MAX - 1), any::<u64>()];
        proptest::collection::vec(id, 0..30)
    }
}
