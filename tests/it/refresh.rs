//! Answers that are asked for often are fetched anew before they expire, when nobody else wants NetBox.

use std::time::Duration;

use fake_netbox::{FakeNetbox, Fault, HoldPoint, Match};
use serde_json::json;

use crate::support::{Ask, TestProxy, start, until, within};

const SITES: &str = "/api/dcim/sites/";
const AHEAD: &str = "nbproxy_unasked_fetches_total{reason=\"ahead\",result=\"kept\"}";
const RECALLED: &str = "nbproxy_recalled_total";
const FAILED: &str = "nbproxy_unasked_fetches_total{reason=\"ahead\",result=\"failed\"}";

async fn hit(proxy: &TestProxy, ttl: u64) {
    assert_eq!(proxy.get(SITES).await.cache(), format!("hit; ttl={ttl}"));
}

#[tokio::test]
async fn what_is_asked_for_often_does_not_expire() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    proxy.get(SITES).await;
    for round in 1..=3 {
        proxy.clock.push(Duration::from_secs(23));
        for _ in 0..3 {
            hit(&proxy, 7).await;
        }
        proxy.clock.push(Duration::from_secs(1));
        hit(&proxy, 6).await;
        assert_eq!(netbox.count("GET", SITES), round, "one request late in its time is not often");
        hit(&proxy, 6).await;
        until(async || proxy.metric(AHEAD).await >= round as f64).await;
        hit(&proxy, 30).await;
    }
}

/// With changes followed the time is longer, and counted from the fetch.
#[tokio::test]
async fn what_is_followed_is_late_later() {
    let netbox = FakeNetbox::start().await;
    let settings = "[invalidation]\nchangelog_poll = \"1ms\"";
    let proxy = TestProxy::builder(&netbox).settings(settings).start().await;
    proxy.follows().await;
    until(async || proxy.get(SITES).await.is_hit()).await;
    let looks = "nbproxy_changelog_looks_total";
    let push = async |seconds| {
        proxy.clock.push(Duration::from_secs(seconds));
        let before = proxy.metric(looks).await;
        // The second look from here on began after this.
        until(async || proxy.metric(looks).await >= before + 2.0).await;
    };
    push(400).await;
    for _ in 0..3 {
        assert!(proxy.get(SITES).await.is_hit());
    }
    let before = netbox.count("GET", SITES);
    push(90).await;
    for _ in 0..2 {
        let answer = proxy.get(SITES).await;
        assert_eq!((answer.is_hit(), answer.header("age")), (true, "490"), "it was not late before");
    }
    until(async || proxy.metric(AHEAD).await >= 1.0).await;
    assert_eq!(netbox.count("GET", SITES), before + 1);
}

/// Also where all who ask do so in the same bytes.
#[tokio::test]
async fn what_comes_again_byte_for_byte_is_asked_for_too() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let url = format!("{}{SITES}", proxy.url());
    let ask = async || Ask::kept("GET", &url).send().await;
    let recalled = async || proxy.metric(RECALLED).await;
    until(async || ask().await.is_hit() && recalled().await >= 1.0).await;
    proxy.clock.push(Duration::from_secs(25));
    let before = recalled().await;
    for _ in 0..2 {
        assert!(ask().await.is_hit());
    }
    assert_eq!(recalled().await, before + 2.0);
    until(async || proxy.metric(AHEAD).await >= 1.0).await;
}

#[tokio::test]
async fn it_is_settable() {
    let netbox = FakeNetbox::start().await;
    for (often, expected) in [(0, 1), (1, 2)] {
        netbox.clear_log();
        let proxy = TestProxy::builder(&netbox).settings(&format!("[cache]\nrefresh_ahead = {often}")).start().await;
        proxy.get(SITES).await;
        proxy.clock.push(Duration::from_secs(25));
        hit(&proxy, 5).await;
        if often > 0 {
            until(async || proxy.metric(AHEAD).await >= 1.0).await;
        }
        assert_eq!(netbox.count("GET", SITES), expected, "{often}");
    }
}

/// NetBox is asked once for each answer, whatever comes of it, and not while it is busy.
#[tokio::test]
async fn it_is_no_burden() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).settings("[upstream]\nmax_in_flight = 1").start().await;
    proxy.get(SITES).await;
    proxy.clock.push(Duration::from_secs(25));
    let hold = netbox.hold("GET", "/api/dcim/racks/", HoldPoint::BeforeAnswer);
    let busy = start(proxy.ask("GET", "/api/dcim/racks/").send());
    within(hold.arrived(1)).await;
    for _ in 0..5 {
        hit(&proxy, 5).await;
    }
    assert_eq!(proxy.metric("nbproxy_upstream_waiting").await, 0.0, "nothing queues up unasked");
    hold.release();
    assert_eq!(busy.await.expect("it ran").status, 200);
    netbox.fault(Match::path("GET", SITES).times(1), Fault::Status(500, "text/html", "no".to_owned()));
    until(async || {
        hit(&proxy, 5).await;
        proxy.metric(FAILED).await >= 1.0
    })
    .await;
    for _ in 0..5 {
        hit(&proxy, 5).await;
    }
    assert_eq!(netbox.count("GET", SITES), 2);
}

/// What is outdated is not hot: it is fetched for who asks.
#[tokio::test]
async fn only_coherent_answers_are_refreshed() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).settings("[cache]\nrefresh_ahead = 1").start().await;
    proxy.get(SITES).await;
    proxy.clock.push(Duration::from_secs(25));
    proxy.ask("PATCH", "/api/dcim/sites/1/").json(&json!({"facility": "x"})).send().await;
    assert_eq!(proxy.get(SITES).await.cache(), "fwd=stale; stored; detail=outdated");
    assert_eq!(proxy.metric(AHEAD).await, 0.0);
}
