//! The first promise: no read that starts after a write was acknowledged shows the state before it.

use std::time::Duration;

use fake_netbox::{FakeNetbox, Fault, HoldPoint, Match};
use serde_json::json;

use crate::support::{TestProxy, start, until};

const SITE: &str = "/api/dcim/sites/1/";

/// What NetBox's cache was given up for (netbox-community/netbox#3300): filter, create, filter.
#[tokio::test]
async fn what_was_created_is_found() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let count = async || proxy.get("/api/dcim/sites/?name=new").await.json()["count"].clone();
    assert_eq!(count().await, 0);
    proxy.ask("POST", "/api/dcim/sites/").json(&json!({"name": "new", "slug": "new"})).send().await;
    assert_eq!(count().await, 1);
}

#[tokio::test]
async fn every_write_outdates_whatever_its_status() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let writes = [
        ("POST", "/api/dcim/sites/", json!({"name": "a", "slug": "a"}), 201),
        ("POST", "/api/dcim/sites/", json!({"name": "a", "slug": "a"}), 400),
        ("PATCH", "/api/dcim/sites/1/", json!({"description": "x"}), 200),
        ("PATCH", "/api/dcim/sites/9999/", json!({}), 404),
        ("DELETE", "/api/dcim/manufacturers/1/", json!({}), 409),
        ("POST", "/api/status/", json!({}), 405),
    ];
    for (method, target, body, status) in writes {
        proxy.get("/api/dcim/racks/").await;
        assert!(proxy.get("/api/dcim/racks/").await.is_hit());
        let answer = proxy.ask(method, target).json(&body).send().await;
        assert_eq!((answer.status, answer.cache()), (status, "fwd=method"), "{}", answer.text());
        let next = proxy.get("/api/dcim/racks/").await;
        assert_eq!(next.cache(), "fwd=stale; stored; detail=outdated", "{method} {target}");
    }
}

#[tokio::test]
async fn posts_that_only_read_outdate_nothing() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    proxy.get("/api/dcim/racks/").await;
    for target in ["/graphql/", "/api/dcim/devices/1/render-config/"] {
        let answer = proxy.ask("POST", target).json(&json!({"query": "{ site_list { id name } }"})).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert!(proxy.get("/api/dcim/racks/").await.is_hit());
}

/// The race that moka alone loses: a fetch that saw the old state arrives after the write was acknowledged.
#[tokio::test]
async fn a_fetch_from_before_a_write_is_neither_kept_nor_joined() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let hold = netbox.hold("GET", SITE, HoldPoint::BeforeAnswer);
    let before = start(proxy.ask("GET", SITE).send());
    hold.arrived(1).await;
    let write = proxy.ask("PATCH", SITE).json(&json!({"description": "after"})).send().await;
    assert_eq!(write.status, 200);
    let after = start(proxy.ask("GET", SITE).send());
    hold.arrived(2).await;
    hold.release();
    let (before, after) = (before.await.expect("it ran"), after.await.expect("it ran"));
    assert_eq!(before.json()["description"], "", "it began before the write, and may show so");
    assert_eq!(before.cache(), "fwd=miss; detail=changed");
    assert_eq!(after.json()["description"], "after");
    assert_eq!(proxy.get(SITE).await.json()["description"], "after");
}

#[tokio::test]
async fn a_write_counts_although_its_client_has_hung_up() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    proxy.get(SITE).await;
    let hold = netbox.hold("PATCH", SITE, HoldPoint::BeforeAnswer);
    let write = start(proxy.ask("PATCH", SITE).json(&json!({"description": "after"})).try_send());
    hold.arrived(1).await;
    write.abort();
    assert!(write.await.is_err());
    hold.release();
    until(async || proxy.metric("nbproxy_epoch_bumps_total{source=\"write\"}").await >= 1.0).await;
    assert_eq!(proxy.get(SITE).await.json()["description"], "after");
}

#[tokio::test]
async fn a_write_that_broke_off_may_have_happened() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    for (fault, text) in [(Fault::ApplyThenReset, "reset"), (Fault::ApplyThenStatus(502), "gateway")] {
        proxy.get(SITE).await;
        netbox.fault(Match::path("PATCH", SITE).times(1), fault);
        let write = proxy.ask("PATCH", SITE).json(&json!({"description": text})).send().await;
        assert_eq!(write.status, 502);
        let next = proxy.get(SITE).await;
        assert_eq!(next.json()["description"], text);
        assert_eq!(next.cache().split("detail=").nth(1), Some("changed"), "nothing is kept while it may still happen");
        assert!(!proxy.get(SITE).await.is_hit());
        proxy.clock.push(Duration::from_secs(301));
        proxy.get(SITE).await;
        assert!(proxy.get(SITE).await.is_hit(), "in the end it is certain");
    }
    assert_eq!(netbox.count("PATCH", SITE), 2, "a write is never repeated");
}

#[tokio::test]
async fn a_write_that_takes_too_long_is_awaited_after_its_client_was_told() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).settings("[upstream]\ntimeout = \"1s\"").start().await;
    proxy.get(SITE).await;
    let hold = netbox.hold("PATCH", SITE, HoldPoint::BeforeRead);
    let write = proxy.ask("PATCH", SITE).json(&json!({"description": "late"})).send().await;
    assert_eq!(write.status, 504, "{}", write.text());
    let during = proxy.get(SITE).await;
    assert_eq!(during.json()["description"], "", "it has not happened yet");
    assert_eq!(during.cache().split("detail=").nth(1), Some("changed"));
    hold.release();
    until(async || proxy.metric("nbproxy_epoch_bumps_total{source=\"write\"}").await >= 2.0).await;
    assert_eq!(proxy.get(SITE).await.json()["description"], "late");
    assert!(proxy.get(SITE).await.is_hit());
}

#[tokio::test]
async fn if_match_still_guards_against_lost_updates() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    proxy.get(SITE).await;
    let etag = proxy.get(SITE).await.header("etag").to_owned();
    assert!(etag.starts_with("W/\""), "{etag}");
    let patch = |etag: String, text: &'static str| {
        let ask = proxy.ask("PATCH", SITE).header("if-match", &etag).json(&json!({"description": text}));
        async move { ask.send().await }
    };
    assert_eq!(patch(etag.clone(), "first").await.status, 200);
    let second = patch(etag, "second").await;
    assert_eq!((second.status, second.detail().as_str()), (412, "Precondition failed."));
    assert_ne!(second.header("etag"), "");
}
