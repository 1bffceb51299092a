//! Changes made beside nbproxy, as NetBox's changelog tells of them. The clock of these tests stands still: what is seen
//! anew is seen because it was told of, not because something expired.

use std::time::Duration;

use fake_netbox::{FakeNetbox, Fault, HoldPoint, Match};
use serde_json::{Value, json};

use crate::support::{Ask, TestProxy, start, until, within};

mod late;

const SITE: &str = "/api/dcim/sites/1/";
const CHANGES: &str = "/api/core/object-changes/";

async fn proxy(netbox: &FakeNetbox, more: &str) -> TestProxy {
    let settings = format!("[invalidation]\nchangelog_poll = \"20ms\"\n{more}");
    let proxy = TestProxy::builder(netbox).settings(&settings).start().await;
    proxy.follows().await;
    proxy
}

async fn seen(proxy: &TestProxy, target: &str, what: impl Fn(&Value) -> bool) {
    until(async || what(&proxy.get(target).await.json())).await;
}

/// Waits until the changelog has been looked at as often as this from now on.
async fn looked(netbox: &FakeNetbox, times: usize) {
    let before = netbox.count("GET", CHANGES);
    until(async || netbox.count("GET", CHANGES) >= before + times).await;
}

#[tokio::test]
async fn an_edit_made_elsewhere_is_seen_and_nothing_is_forgotten_without_one() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox, "").await;
    proxy.get(SITE).await;
    looked(&netbox, 5).await;
    assert!(proxy.get(SITE).await.is_hit(), "looking alone outdates nothing");
    netbox.edit("dcim/sites", 1, json!({"description": "elsewhere"}));
    seen(&proxy, SITE, |site| site["description"] == "elsewhere").await;
    assert!(proxy.metric("nbproxy_epoch_bumps_total{source=\"changelog\"}").await >= 1.0);
}

/// NetBox runs the script of an event rule under the id of the request that has set it off, at any time after its answer.
#[tokio::test]
async fn what_an_event_rules_script_does_after_a_write_made_here_is_seen() {
    for precision in ["branch", "related"] {
        let netbox = FakeNetbox::start().await;
        let proxy = proxy(&netbox, &format!("precision = {precision:?}")).await;
        let written = proxy.ask("PATCH", "/api/dcim/sites/2/").json(&json!({"description": "own"})).send().await;
        until(async || proxy.metric("nbproxy_changelog_rows_total").await >= 1.0).await;
        proxy.get(SITE).await;
        assert!(proxy.get(SITE).await.is_hit());
        let mut script = netbox.begin();
        script.as_request(written.header("x-request-id"));
        script.edit("dcim/sites", 1, json!({"description": "by a script"}));
        script.commit();
        seen(&proxy, SITE, |site| site["description"] == "by a script").await;
    }
}

/// 300 objects are imported in one transaction, and a newer change is committed before it.
#[tokio::test]
async fn what_is_committed_late_below_a_newer_id_is_seen() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox, "").await;
    let tags = "/api/extras/tags/?limit=1";
    let before = proxy.get(tags).await.json()["count"].as_u64().expect("a number");
    let mut import = netbox.begin();
    for n in 0..300 {
        import.create("extras/tags", json!({"name": format!("t{n}"), "slug": format!("t{n}")}));
    }
    netbox.edit("dcim/sites", 1, json!({"description": "newer"}));
    seen(&proxy, SITE, |site| site["description"] == "newer").await;
    assert_eq!(proxy.get(tags).await.json()["count"], before);
    assert!(proxy.metric("nbproxy_changelog_lag_seconds").await.is_finite());
    assert!(proxy.get(tags).await.is_hit());
    until(async || proxy.metric("nbproxy_changelog_missing").await == 300.0).await;
    import.commit();
    seen(&proxy, tags, |page| page["count"] == before + 300).await;
    until(async || proxy.metric("nbproxy_changelog_missing").await <= 0.0).await;
}

#[tokio::test]
async fn what_was_rolled_back_is_given_up_in_the_end() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox, "longest_transaction = \"5m\"").await;
    let mut lost = netbox.begin();
    lost.edit("dcim/sites", 2, json!({"facility": "lost"}));
    netbox.edit("dcim/sites", 1, json!({"description": "newer"}));
    until(async || proxy.metric("nbproxy_changelog_missing").await >= 1.0).await;
    lost.rollback();
    looked(&netbox, 4).await;
    assert_eq!(proxy.metric("nbproxy_changelog_missing").await, 1.0);
    proxy.clock.push(Duration::from_secs(301));
    until(async || proxy.metric("nbproxy_changelog_missing").await <= 0.0).await;
}

/// A transaction may be under way when nbproxy starts.
#[tokio::test]
async fn what_was_begun_before_nbproxy_is_seen_too() {
    let netbox = FakeNetbox::start().await;
    let mut import = netbox.begin();
    import.edit("dcim/sites", 1, json!({"description": "begun before"}));
    netbox.edit("dcim/sites", 2, json!({"description": "newer"}));
    let proxy = proxy(&netbox, "").await;
    proxy.get(SITE).await;
    looked(&netbox, 3).await;
    assert!(proxy.get(SITE).await.is_hit());
    import.commit();
    seen(&proxy, SITE, |site| site["description"] == "begun before").await;
}

#[tokio::test]
async fn while_changes_are_followed_answers_live_as_long_as_they_may() {
    let netbox = FakeNetbox::start().await;
    let branch = netbox.add_branch("one", "ready");
    let proxy = proxy(&netbox, "").await;
    let age = async |target: &str, branch: &str| {
        let ask = proxy.ask("GET", target);
        let ask = if branch.is_empty() { ask } else { ask.header("x-netbox-branch", branch) };
        ask.header("cache-control", "only-if-cached").send().await.status
    };
    proxy.get(SITE).await;
    proxy.ask("GET", SITE).header("x-netbox-branch", &branch).send().await;
    proxy.clock.push(Duration::from_secs(500));
    looked(&netbox, 3).await;
    assert_eq!(age(SITE, "").await, 200);
    assert_eq!(age(SITE, &branch).await, 504, "nobody tells of changes in branches");
    proxy.clock.push(Duration::from_secs(101));
    looked(&netbox, 3).await;
    assert!(proxy.ask("GET", SITE).header("cache-control", "max-stale=0").send().await.cache().contains("ttl=-1"));
}

#[tokio::test]
async fn who_may_not_read_the_changelog_lives_without_and_says_so() {
    let netbox = FakeNetbox::start().await;
    let forbidden = "{\"detail\":\"You do not have permission to perform this action.\"}".to_owned();
    netbox.fault(Match::path("GET", CHANGES), Fault::Status(403, "application/json", forbidden));
    let settings = "[invalidation]\nchangelog_poll = \"20ms\"";
    let proxy = TestProxy::builder(&netbox).settings(settings).start().await;
    let ready = within(async {
        loop {
            let ready = proxy.admin("/readyz").await;
            if ready.detail() != "ready" {
                break ready;
            }
        }
    })
    .await;
    assert_eq!(ready.status, 200);
    assert!(
        ready.detail().contains("the token may not read core/object-changes (core.view_objectchange)"),
        "{}",
        ready.detail()
    );
    proxy.get(SITE).await;
    proxy.clock.push(Duration::from_secs(31));
    let expired = proxy.ask("GET", SITE).header("cache-control", "only-if-cached, max-stale=0").send().await;
    assert!(expired.cache().contains("ttl=-1"), "{}", expired.cache());
    assert_eq!(proxy.metric("nbproxy_changelog_following").await, 0.0);
    assert_eq!(proxy.metric("nbproxy_changelog_lag_seconds").await, f64::INFINITY);
}

/// What was done to NetBox while it was away need not stand in its changelog.
#[tokio::test]
async fn after_an_outage_everything_is_outdated() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox, "").await;
    proxy.get(SITE).await;
    netbox.stop().await;
    until(async || proxy.metric("nbproxy_changelog_following").await <= 0.0).await;
    assert!(proxy.get(SITE).await.is_hit());
    netbox.edit_unlogged("dcim/sites", 1, json!({"description": "migrated"}));
    netbox.restart().await;
    seen(&proxy, SITE, |site| site["description"] == "migrated").await;
}

/// A backup is restored, or the changelog is emptied.
#[tokio::test]
async fn a_changelog_that_lost_its_newest_rows_outdates_everything() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox, "").await;
    netbox.edit("dcim/sites", 2, json!({"description": "x"}));
    looked(&netbox, 3).await;
    proxy.get(SITE).await;
    netbox.edit_unlogged("dcim/sites", 1, json!({"description": "restored"}));
    netbox.prune_changelog();
    seen(&proxy, SITE, |site| site["description"] == "restored").await;
    proxy.follows().await;
    netbox.edit("dcim/sites", 1, json!({"description": "afterwards"}));
    seen(&proxy, SITE, |site| site["description"] == "afterwards").await;
}

/// NetBox before 4.6 has no cursor.
#[tokio::test]
async fn an_older_netbox_is_followed_too() {
    let netbox = FakeNetbox::builder().version("4.4.2").start().await;
    let proxy = proxy(&netbox, "").await;
    proxy.get(SITE).await;
    netbox.edit("dcim/sites", 1, json!({"description": "elsewhere"}));
    seen(&proxy, SITE, |site| site["description"] == "elsewhere").await;
    assert!(netbox.log().iter().all(|request| request.path != CHANGES || request.param("start").is_none()));
    // Where `fields` means nothing, a row is two whole objects.
    assert!(netbox.log().iter().all(|request| request.path != CHANGES || request.param("limit") == Some("100")));
}

/// A merge brings a branch's changes to main under the ids of the requests that made them in the branch.
#[tokio::test]
async fn what_was_written_here_in_a_branch_and_merged_elsewhere_is_seen() {
    let netbox = FakeNetbox::start().await;
    let branch = netbox.add_branch("one", "ready");
    // As long as the plugin is not known of, a write in a branch outdates everything, as if it were one to main.
    let _unknown = netbox.hold("GET", "/api/status/", HoldPoint::BeforeAnswer);
    let settings = "[invalidation]\nchangelog_poll = \"20ms\"";
    let proxy = TestProxy::builder(&netbox).settings(settings).start_unready().await;
    proxy.follows().await;
    let patch = proxy.ask("PATCH", SITE).header("x-netbox-branch", &branch);
    assert_eq!(patch.json(&json!({"description": "in one"})).send().await.status, 200);
    assert_eq!(proxy.get(SITE).await.json()["description"], "");
    assert!(proxy.get(SITE).await.is_hit());
    let merge = Ask::new("POST", &format!("{}/api/plugins/branching/branches/1/merge/", netbox.url()));
    let merge = merge.header("authorization", &format!("Token {}", netbox.token())).json(&json!({"commit": true}));
    assert_eq!(merge.send().await.status, 200);
    netbox.finish_jobs();
    seen(&proxy, SITE, |site| site["description"] == "in one").await;
}

/// What tells how much of memory still holds must not wait behind those who ask NetBox for something.
#[tokio::test]
async fn the_changelog_is_read_however_many_wait_for_netbox() {
    let netbox = FakeNetbox::start().await;
    let settings = "[upstream]\nmax_in_flight = 2\n[invalidation]\nchangelog_poll = \"20ms\"";
    let proxy = TestProxy::builder(&netbox).settings(settings).start().await;
    proxy.follows().await;
    proxy.get(SITE).await;
    let hold = netbox.hold("GET", "/api/dcim/racks/", HoldPoint::BeforeAnswer);
    let ask = |n: usize| start(proxy.ask("GET", &format!("/api/dcim/racks/?limit={}", n + 1)).send());
    let slow: Vec<_> = (0..12).map(ask).collect();
    within(hold.arrived(2)).await;
    netbox.edit("dcim/sites", 1, json!({"description": "x"}));
    until(async || proxy.metric("nbproxy_epoch_bumps_total{source=\"changelog\"}").await >= 2.0).await;
    assert_eq!(netbox.in_flight(), 2, "there is one place more for nobody else");
    hold.release();
    for one in slow {
        assert_eq!(one.await.expect("it ran").status, 200);
    }
    assert_eq!(proxy.get(SITE).await.json()["description"], "x");
}

/// NetBox was away between two looks, and only a client has noticed.
#[tokio::test]
async fn an_outage_that_only_a_client_noticed_outdates_everything() {
    let netbox = FakeNetbox::start().await;
    let settings = "[invalidation]\nchangelog_poll = \"1h\"";
    let proxy = TestProxy::builder(&netbox).settings(settings).start().await;
    proxy.follows().await;
    let bumps = || proxy.metric("nbproxy_epoch_bumps_total{source=\"changelog\"}");
    let before = bumps().await;
    proxy.get(SITE).await;
    netbox.stop().await;
    assert_eq!(proxy.get("/api/dcim/racks/1/").await.status, 502);
    netbox.restart().await;
    assert!(proxy.get(SITE).await.is_hit());
    // The first request after a quiet time has the changelog looked at; there is nothing new in it.
    proxy.clock.push(Duration::from_secs(61));
    proxy.get(SITE).await;
    until(async || bumps().await > before).await;
}
