//! Following without a NetBox.

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

fn page(ids: impl IntoIterator<Item = u64>, more: bool) -> Page {
    Page { rows: ids.into_iter().map(row).collect(), more, count: None }
}

fn again(follower: &Follower) -> Vec<Question> {
    follower.again(Moment::ZERO).collect()
}

fn following(head: u64) -> Follower {
    Follower::begin(&[row(head)], Below::Settled, PATIENCE, Moment::ZERO, |_| false)
}

#[test]
fn what_appears_late_is_found() {
    let mut follower = following(7);
    assert_eq!(follower.next(), Question::From(7));
    let (new, more) = follower.take(&Question::From(7), page([7, 12, 13], false), Moment::ZERO).unwrap();
    assert_eq!((ids(&new), more), (vec![12, 13], None));
    let window = Question::Within(Window { from: 8, to: 11 });
    assert_eq!(again(&follower), std::slice::from_ref(&window));
    let (found, more) = follower.take_again(&window, page([9, 11], false));
    assert_eq!((ids(&found), more), (vec![9, 11], None));
    let count = Question::Count(Window { from: 8, to: 10 });
    assert_eq!(again(&follower), std::slice::from_ref(&count));
    let counted = |count| Page { count: Some(count), ..page([9], true) };
    assert_eq!(follower.take_again(&count, counted(1)), (vec![], None));
    let window = Question::Within(Window { from: 8, to: 10 });
    assert_eq!(follower.take_again(&count, counted(2)), (vec![], Some(window.clone())));
    let (found, _) = follower.take_again(&window, page([9, 10], false));
    assert_eq!(ids(&found), [10], "each is told of once");
    let late = Moment::ZERO.after(PATIENCE + Duration::from_secs(1));
    assert_eq!(follower.end_round(late, late), late);
    assert_eq!(follower.again(late).count(), 0, "what was rolled back is given up");
}

#[test]
fn a_changelog_that_lost_its_head_has_jumped() {
    let mut other = row(7);
    other.time = "2026-02-02T00:00:00Z".to_owned();
    for rows in [vec![], vec![row(8)], vec![other, row(8)]] {
        let page = Page { rows, more: false, count: None };
        assert_eq!(following(7).take(&Question::From(7), page, Moment::ZERO), Err(Jumped));
    }
    let mut empty = Follower::begin(&[], Below::Settled, PATIENCE, Moment::ZERO, |_| true);
    assert_eq!(empty.next(), Question::From(0));
    let (new, _) = empty.take(&Question::From(0), page([3], false), Moment::ZERO).unwrap();
    assert_eq!(ids(&new), [3]);
    assert_eq!(again(&empty), [Question::Within(Window { from: 1, to: 2 })]);
}

#[test]
fn at_the_beginning_what_is_young_may_have_gaps() {
    let newest = [row(20), row(18), row(15), row(5)];
    let follower = Follower::begin(&newest, Below::Settled, PATIENCE, Moment::ZERO, |row| row.id > 16);
    assert_eq!((again(&follower), follower.gaps().len()), (vec![Question::Count(Window { from: 16, to: 19 })], 3));
    let below = Below::Unsettled(Window { from: 1, to: 4 }, 3);
    let follower = Follower::begin(&newest, below, PATIENCE, Moment::ZERO, |_| true);
    assert_eq!((again(&follower), follower.gaps().len()), (vec![Question::Count(Window { from: 1, to: 19 })], 13));
}

#[test]
fn long_answers_are_read_to_their_end() {
    let mut follower = following(1);
    let (new, more) = follower.take(&Question::From(1), page([1], true), Moment::ZERO).unwrap();
    assert_eq!((new.len(), more), (0, Some(Question::From(2))), "however short they are");
    let (new, more) = follower.take(&Question::From(2), page(2..=1000, true), Moment::ZERO).unwrap();
    assert_eq!((new.len(), more), (999, Some(Question::From(1001))));
    follower.take(&Question::From(1001), page([5000], false), Moment::ZERO).unwrap();
    let asked = Question::Within(Window { from: 1001, to: 4999 });
    let (found, more) = follower.take_again(&asked, page(1001..=1002, true));
    assert_eq!((found.len(), more), (2, Some(Question::Within(Window { from: 1003, to: 4999 }))));
    assert_eq!(follower.take_again(&asked, page([7], true)), (vec![], None), "nothing is asked twice");
}

proptest! {
    /// A changelog that is none must not end who follows it.
    #[test]
    fn rows_in_any_order_do_no_harm(newest in any_ids(), next in any_ids(), late in any_ids(), more in any::<bool>()) {
        let rows = page(newest.clone(), false).rows;
        let mut follower = Follower::begin(&rows, Below::Settled, PATIENCE, Moment::ZERO, |row| row.id % 3 > 0);
        let head = newest.iter().max().copied();
        let _news = follower.take(&follower.next(), page(head.into_iter().chain(next), more), Moment::ZERO);
        for question in again(&follower) {
            let mut asked = Some(question);
            while let Some(question) = asked {
                if let Question::Within(window) = question {
                    prop_assert!(window.from <= window.to);
                }
                asked = follower.take_again(&question, page(late.clone(), more)).1;
            }
        }
        let _missing = follower.gaps().len();
    }
}

fn any_ids() -> impl Strategy<Value = Vec<u64>> {
    let id = prop_oneof![0..40u64, Just(u64::MAX), Just(u64::MAX - 1), any::<u64>()];
    proptest::collection::vec(id, 0..30)
}
