//! Hits that are compared with NetBox after they were served.

use std::time::Duration;

use fake_netbox::FakeNetbox;
use serde_json::json;

use crate::support::{TestProxy, until, within};

const SITE: &str = "/api/dcim/sites/1/";

async fn proxy(netbox: &FakeNetbox, poll: &str) -> TestProxy {
    let settings = format!("[invalidation]\nchangelog_poll = \"{poll}\"\naudit_one_in = 2");
    TestProxy::builder(netbox).settings(&settings).start().await
}

/// A proxy that follows the changelog.
async fn following(netbox: &FakeNetbox, more: &str) -> TestProxy {
    let settings = format!("[invalidation]\nchangelog_poll = \"10ms\"\naudit_one_in = 2\n{more}");
    let proxy = TestProxy::builder(netbox).settings(&settings).start().await;
    proxy.follows().await;
    proxy
}

async fn found(proxy: &TestProxy, finding: &str) -> f64 {
    proxy.metric(&format!("nbproxy_audits_total{{finding=\"{finding}\",endpoint=\"dcim/sites\",age=\"10s\"}}")).await
}

async fn wait_for(proxy: &TestProxy, finding: &str) {
    within(async {
        while found(proxy, finding).await < 1.0 {
            // What was asked and what is confirmed are told apart by the clock.
            proxy.clock.push(Duration::from_millis(1));
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn one_hit_of_so_many_is_asked_of_netbox_once_more() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox, "0s").await;
    proxy.get(SITE).await;
    for looks in [1.0, 2.0] {
        for _ in 0..2 {
            assert!(proxy.get(SITE).await.is_hit());
        }
        until(async || found(&proxy, "same").await >= looks).await;
    }
    assert_eq!(netbox.count("GET", SITE), 3, "the first, and of four hits each second");
    assert!(proxy.get(SITE).await.is_hit(), "nothing was wrong");
}

/// Something changes that nobody tells of: it is found, told, and outdated.
#[tokio::test]
async fn what_changes_unseen_is_found() {
    let netbox = FakeNetbox::start().await;
    let proxy = following(&netbox, "").await;
    proxy.get(SITE).await;
    netbox.edit_unlogged("dcim/sites", 1, json!({"description": "by hand in the database"}));
    assert!(proxy.get(SITE).await.is_hit());
    assert!(proxy.get(SITE).await.is_hit());
    wait_for(&proxy, "unexplained").await;
    until(async || proxy.get(SITE).await.json()["description"] != "").await;
}

/// What is known of an endpoint that was found to change unseen is not enough to tell changes apart there.
#[tokio::test]
async fn what_was_found_to_change_unseen_depends_on_its_whole_branch_from_then_on() {
    let netbox = FakeNetbox::start().await;
    let proxy = following(&netbox, "precision = \"related\"").await;
    let elsewhere = async |name: &str| {
        let body = json!({"name": name, "slug": name});
        assert_eq!(proxy.ask("POST", "/api/ipam/rirs/").json(&body).send().await.status, 201);
    };
    proxy.get(SITE).await;
    elsewhere("before").await;
    assert!(proxy.get(SITE).await.is_hit(), "a site has nothing to do with it");
    netbox.edit_unlogged("dcim/sites", 1, json!({"description": "by hand in the database"}));
    assert!(proxy.get(SITE).await.is_hit());
    wait_for(&proxy, "unexplained").await;
    until(async || proxy.get(SITE).await.json()["description"] != "").await;
    assert!(proxy.get(SITE).await.is_hit());
    elsewhere("after").await;
    assert!(!proxy.get(SITE).await.is_hit());
}

/// Until the changelog has been looked at nothing is known to be wrong.
#[tokio::test]
async fn what_the_changelog_tells_of_in_time_is_no_fault() {
    let netbox = FakeNetbox::start().await;
    let proxy = following(&netbox, "").await;
    let hold = netbox.hold("GET", "/api/core/object-changes/", fake_netbox::HoldPoint::BeforeRead);
    within(hold.arrived(1)).await;
    proxy.clock.push(Duration::from_secs(1));
    proxy.get(SITE).await;
    netbox.edit("dcim/sites", 1, json!({"description": "elsewhere"}));
    assert!(proxy.get(SITE).await.is_hit());
    assert!(proxy.get(SITE).await.is_hit());
    until(async || netbox.count("GET", SITE) >= 2).await;
    hold.release();
    wait_for(&proxy, "explained").await;
    assert_eq!(found(&proxy, "unexplained").await, 0.0);
}

/// However often memory answers, looking after it is not NetBox's load.
#[tokio::test]
async fn one_hit_at_a_time_is_looked_at() {
    let netbox = FakeNetbox::start().await;
    let settings = "[upstream]\nmax_in_flight = 2\n[invalidation]\naudit_one_in = 1";
    let proxy = TestProxy::builder(&netbox).settings(settings).start().await;
    proxy.get(SITE).await;
    let hold = netbox.hold("GET", SITE, fake_netbox::HoldPoint::BeforeAnswer);
    for _ in 0..20 {
        assert!(proxy.get(SITE).await.is_hit());
    }
    within(hold.arrived(1)).await;
    assert_eq!(within(proxy.get("/api/dcim/racks/1/")).await.status, 200, "others get through");
    hold.release();
    until(async || found(&proxy, "same").await >= 1.0).await;
    assert_eq!(netbox.count("GET", SITE), 2);
}
