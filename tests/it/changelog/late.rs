//! Rows that are seen late, below others: whatever NetBox's pages hold, wherever nbproxy begins, and at what price.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fake_netbox::{FakeNetbox, Transaction};
use serde_json::json;

use super::{CHANGES, SITE, proxy, seen};
use crate::support::{TestProxy, until};

/// What is remembered of a site while somebody else's change of it is not committed; then it is, and seen.
async fn is_seen_late(netbox: &FakeNetbox, proxy: &TestProxy, late: Transaction, description: &str) {
    // The first may have begun before.
    looks(netbox, proxy, 2.0).await;
    assert_ne!(proxy.get(SITE).await.json()["description"], description);
    assert!(proxy.get(SITE).await.is_hit());
    late.commit();
    seen(proxy, SITE, |site| site["description"] == description).await;
}

fn edit(netbox: &FakeNetbox, description: &str) -> Transaction {
    let mut late = netbox.begin();
    late.edit("dcim/sites", 1, json!({"description": description}));
    late
}

fn edit_another(netbox: &FakeNetbox, times: usize) {
    static LAST: AtomicUsize = AtomicUsize::new(0);
    for _ in 0..times {
        let n = LAST.fetch_add(1, Ordering::Relaxed);
        netbox.edit("dcim/sites", 2, json!({"description": format!("another {n}")}));
    }
}

/// `MAX_PAGE_SIZE` is dynamic configuration.
#[tokio::test]
async fn pages_may_be_shorter_than_what_was_asked_for() {
    for size in [1, 5] {
        let netbox = FakeNetbox::builder().max_page_size(size).start().await;
        edit_another(&netbox, 2);
        let proxy = proxy(&netbox, "").await;
        netbox.edit("dcim/sites", 1, json!({"description": "seen"}));
        seen(&proxy, SITE, |site| site["description"] == "seen").await;
        let mut late: Vec<Transaction> = Vec::new();
        for n in 0..7 {
            late.push(edit(&netbox, &format!("late {n}")));
            edit_another(&netbox, 8);
        }
        is_seen_late(&netbox, &proxy, late.remove(1), "late 1").await;
    }
}

/// Up to when changes are known is said when the end has been reached, not after a page.
#[tokio::test]
async fn all_pages_are_read_at_one_look() {
    let netbox = FakeNetbox::builder().max_page_size(5).start().await;
    let proxy = proxy(&netbox, "precision = \"related\"").await;
    for description in ["a", "b", "c"] {
        proxy.get(SITE).await;
        (0..60).for_each(|n| netbox.edit("ipam/vrfs", 1, json!({"description": format!("{description} {n}")})));
        netbox.edit("dcim/sites", 1, json!({"description": description}));
        // The first may have begun before.
        looks(&netbox, &proxy, 2.0).await;
        assert_eq!(proxy.get(SITE).await.json()["description"], description);
    }
}

/// The changelog was emptied, or is younger than any transaction.
#[tokio::test]
async fn what_is_below_the_lowest_row_at_the_beginning_is_looked_for() {
    let netbox = FakeNetbox::start().await;
    netbox.prune_changelog();
    let late = edit(&netbox, "begun before");
    edit_another(&netbox, 1);
    let proxy = proxy(&netbox, "").await;
    is_seen_late(&netbox, &proxy, late, "begun before").await;
}

/// A bulk import is under way when nbproxy starts.
#[tokio::test]
async fn what_is_below_a_page_of_young_rows_at_the_beginning_is_looked_for() {
    for (version, size) in [("4.6.8", 5), ("4.4.2", 5), ("4.6.8", 1000)] {
        let netbox = FakeNetbox::builder().version(version).max_page_size(size).start().await;
        edit_another(&netbox, 2);
        let late = edit(&netbox, "begun before");
        edit_another(&netbox, size + 1);
        let proxy = proxy(&netbox, "").await;
        is_seen_late(&netbox, &proxy, late, "begun before").await;
    }
}

#[tokio::test]
async fn what_is_below_the_first_row_of_an_empty_changelog_is_looked_for() {
    let netbox = FakeNetbox::start().await;
    netbox.prune_changelog();
    let proxy = proxy(&netbox, "").await;
    let late = edit(&netbox, "late");
    edit_another(&netbox, 1);
    is_seen_late(&netbox, &proxy, late, "late").await;
}

/// Looks, and the questions that they cost.
async fn looks(netbox: &FakeNetbox, proxy: &TestProxy, times: f64) -> usize {
    let before = proxy.metric("nbproxy_changelog_looks_total").await;
    netbox.clear_log();
    until(async || proxy.metric("nbproxy_changelog_looks_total").await >= before + times).await;
    netbox.count("GET", CHANGES)
}

/// Roll-backs, and branches, leave gaps that are never filled.
#[tokio::test]
async fn many_gaps_do_not_keep_netbox_busy() {
    let netbox = FakeNetbox::builder().max_page_size(50).start().await;
    let proxy = proxy(&netbox, "").await;
    let late = edit(&netbox, "late");
    for _ in 0..300 {
        edit(&netbox, "lost").rollback();
        edit_another(&netbox, 1);
    }
    until(async || proxy.metric("nbproxy_changelog_missing").await >= 301.0).await;
    let questions = looks(&netbox, &proxy, 10.0).await;
    assert!(questions <= 2 * 11, "young gaps cost one more question a look: {questions}");
    proxy.clock.push(Duration::from_secs(61));
    looks(&netbox, &proxy, 2.0).await;
    let questions = looks(&netbox, &proxy, 10.0).await;
    assert!(questions <= 11 + 1, "old ones one in a while: {questions}");
    proxy.get(SITE).await;
    late.commit();
    proxy.clock.push(Duration::from_secs(10));
    seen(&proxy, SITE, |site| site["description"] == "late").await;
}
