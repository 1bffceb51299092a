//! A long answer is given while it arrives, to all who ask for it, and kept when it is whole.

use std::time::Duration;

use bytes::Bytes;
use fake_netbox::{FakeNetbox, Fault, Hold, HoldPoint, Match};
use serde_json::{Value, json};

use crate::support::{Ask, Raw, TestProxy, start, until, within};

const DEVICES: &str = "/api/dcim/devices/";
/// Some 700 KB of 300 rows.
const LONG: &str = "/api/dcim/devices/?limit=300";
const CABLES: &str = "/api/dcim/cables/";

async fn netbox() -> FakeNetbox {
    FakeNetbox::builder().devices(600).start().await
}

/// A client that has the beginning of an answer.
struct Reader {
    answer: reqwest::Response,
    body: Vec<u8>,
}

impl Reader {
    async fn begin(ask: Ask) -> Self {
        let mut answer = within(ask.begin()).await;
        let first = within(answer.chunk()).await.expect("it arrives").expect("a beginning");
        Self { answer, body: first.to_vec() }
    }

    fn header(&self, name: &str) -> &str {
        self.answer.headers().get(name).map_or("", |value| value.to_str().expect("headers are text"))
    }

    async fn rest(mut self) -> Result<Vec<u8>, reqwest::Error> {
        while let Some(part) = within(self.answer.chunk()).await? {
            self.body.extend_from_slice(&part);
        }
        Ok(self.body)
    }
}

/// Has a client begin to read the long page, of which NetBox has sent half.
async fn half(proxy: &TestProxy, netbox: &FakeNetbox) -> (Hold, Reader) {
    let hold = netbox.hold("GET", DEVICES, HoldPoint::AmidBody);
    let reader = Reader::begin(proxy.ask("GET", LONG)).await;
    within(hold.arrived(1)).await;
    (hold, reader)
}

#[tokio::test]
async fn it_is_given_to_all_while_it_arrives_and_kept_when_it_is_whole() {
    let netbox = netbox().await;
    let proxy = TestProxy::before(&netbox).await;
    let (hold, first) = half(&proxy, &netbox).await;
    assert_eq!(first.header("cache-status"), "nbproxy; fwd=miss", "whether it is kept is not known yet");
    let second = Reader::begin(proxy.ask("GET", LONG)).await;
    assert_eq!(second.header("cache-status"), "nbproxy; fwd=miss; collapsed");
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"), "it names what NetBox was asked by one");
    // Whose links would lead astray, or who wants to know the length, waits.
    let other = start(proxy.ask("GET", LONG).header("host", "other.example").send());
    let head = start(proxy.ask("HEAD", LONG).send());
    proxy.wait_for_requests(2).await;
    assert!(!other.is_finished() && !head.is_finished());
    hold.release();
    let (first, second) = (first.rest().await.expect("all of it"), second.rest().await.expect("all of it"));
    assert_eq!(netbox.count("GET", DEVICES), 1);
    let hit = proxy.get(LONG).await;
    assert!(hit.is_hit());
    assert!(first == hit.body && second == hit.body);
    let direct = proxy.get(LONG).await.text().replace(&proxy.url(), &netbox.url());
    let (token, host) = (format!("Token {}", netbox.token()), netbox.addr().to_string());
    let (_, truth) = netbox.direct("GET", LONG, &[("authorization", &token), ("host", &host)]);
    assert_eq!(
        serde_json::from_str::<Value>(&direct).expect("JSON"),
        serde_json::from_slice::<Value>(&truth).expect("JSON")
    );
    let (other, head) = (other.await.expect("it ran"), head.await.expect("it ran"));
    assert_eq!(other.cache(), "fwd=miss; stored; collapsed");
    assert_eq!(other.text().replace("http://other.example", &proxy.url()), hit.text());
    assert_eq!(head.header("content-length"), hit.body.len().to_string());
}

#[tokio::test]
async fn what_breaks_off_is_no_answer_and_is_not_kept() {
    for fault in [Fault::ResetMidBody, Fault::Truncate] {
        let netbox = netbox().await;
        let proxy = TestProxy::before(&netbox).await;
        netbox.fault(Match::path("GET", DEVICES).times(1), fault.clone());
        let (hold, first) = half(&proxy, &netbox).await;
        let second = Reader::begin(proxy.ask("GET", LONG)).await;
        let head = start(proxy.ask("HEAD", LONG).send());
        proxy.wait_for_requests(1).await;
        hold.release();
        assert!(first.rest().await.is_err(), "{fault:?}: a clean end");
        assert!(second.rest().await.is_err(), "{fault:?}: a clean end");
        assert_eq!(head.await.expect("it ran").status, 502, "{fault:?}");
        assert_eq!(proxy.get(LONG).await.status, 200);
        assert_eq!(netbox.count("GET", DEVICES), 2, "{fault:?}");
    }
}

#[tokio::test]
async fn who_hangs_up_ends_nothing() {
    let netbox = netbox().await;
    let proxy = TestProxy::before(&netbox).await;
    let (hold, first) = half(&proxy, &netbox).await;
    drop(first);
    until(async || proxy.metric("nbproxy_requests_in_progress").await == 0.0).await;
    hold.release();
    until(async || proxy.metric("nbproxy_upstream_in_flight").await == 0.0).await;
    assert!(proxy.get(LONG).await.is_hit());
    assert_eq!(netbox.count("GET", DEVICES), 1);
}

#[tokio::test]
async fn who_reads_slowly_holds_no_place_and_has_all_of_it_in_the_end() {
    let netbox = netbox().await;
    let proxy = TestProxy::builder(&netbox).settings("[upstream]\nmax_in_flight = 1").start().await;
    let row = "x".repeat(997);
    let rows: Vec<_> = (0..20_000).map(|_| row.as_str()).collect();
    let body = json!({"count": rows.len(), "next": null, "previous": null, "results": rows}).to_string();
    netbox.blob(CABLES, "application/json", body.clone());
    let mut slow = Raw::connect(proxy.address()).await;
    slow.write(&format!("GET {CABLES} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", proxy.address())).await;
    slow.until("\r\n\r\n").await;
    assert_eq!(proxy.get("/api/dcim/sites/1/").await.status, 200, "the only place is free");
    assert!(proxy.get(CABLES).await.is_hit());
    assert!(slow.rest().await.contains(&row));
}

#[tokio::test]
async fn who_asks_after_a_change_does_not_join_what_is_arriving() {
    let netbox = netbox().await;
    let proxy = TestProxy::before(&netbox).await;
    let (hold, before) = half(&proxy, &netbox).await;
    let change = json!({"serial": "changed"});
    assert_eq!(proxy.ask("PATCH", "/api/dcim/devices/1/").json(&change).send().await.status, 200);
    let after = start(proxy.ask("GET", LONG).send());
    within(hold.arrived(2)).await;
    hold.release();
    let serial = |body: &[u8]| serde_json::from_slice::<Value>(body).expect("JSON")["results"][0]["serial"].clone();
    assert_eq!(serial(&after.await.expect("it ran").body), "changed");
    assert_eq!(serial(&before.rest().await.expect("all of it")), "SN00000000", "it asked before");
    until(async || proxy.metric("nbproxy_upstream_in_flight").await == 0.0).await;
    let kept = proxy.get(LONG).await;
    assert!(kept.is_hit() && serial(&kept.body) == "changed");
}

/// While an expired answer could stand in, what arrives is read whole before any of it is given.
#[tokio::test]
async fn an_expired_answer_can_still_take_the_place_of_one_that_breaks_off() {
    let netbox = netbox().await;
    let settings = "[cache]\nstale_while_revalidate = \"0s\"";
    let proxy = TestProxy::builder(&netbox).settings(settings).start().await;
    let whole = proxy.get(LONG).await;
    proxy.clock.push(Duration::from_secs(3600));
    netbox.fault(Match::path("GET", DEVICES).times(1), Fault::ResetMidBody);
    let instead = proxy.get(LONG).await;
    assert_eq!(instead.cache(), "hit; ttl=-3570; detail=stale-if-error");
    assert_eq!(instead.body, whole.body);
}

/// Nothing is rewritten in it, so its length is known.
#[tokio::test]
async fn the_document_is_given_with_its_length() {
    let netbox = netbox().await;
    let proxy = TestProxy::before(&netbox).await;
    let body: Bytes = format!("{{\"openapi\":\"3.0.3\",\"x\":\"{}\"}}", "x".repeat(1 << 20)).into();
    netbox.blob("/api/schema/", "application/vnd.oai.openapi+json; charset=utf-8", body.clone());
    let hold = netbox.hold("GET", "/api/schema/", HoldPoint::AmidBody);
    let ask = || proxy.ask("GET", "/api/schema/").header("accept", "application/json");
    let reader = Reader::begin(ask()).await;
    assert_eq!(reader.header("content-length"), body.len().to_string());
    hold.release();
    assert!(reader.rest().await.expect("all of it") == body);
    assert!(ask().send().await.is_hit());
}

/// What follows a page stands at its beginning.
#[tokio::test]
async fn a_page_is_read_on_from_while_it_arrives() {
    let netbox = netbox().await;
    let proxy = TestProxy::builder(&netbox).settings("[cache]\nread_ahead = 3").start().await;
    let (hold, first) = half(&proxy, &netbox).await;
    within(hold.arrived(2)).await;
    let next = Reader::begin(proxy.ask("GET", "/api/dcim/devices/?limit=300&offset=300")).await;
    assert_eq!(next.header("cache-status"), "nbproxy; fwd=miss; collapsed");
    hold.release();
    assert!(first.rest().await.is_ok() && next.rest().await.is_ok());
    assert_eq!(netbox.count("GET", DEVICES), 2);
    assert_eq!(proxy.metric("nbproxy_pages_read_ahead_used_total").await, 1.0);
    proxy.get("/api/dcim/devices/?limit=300&offset=300").await;
    assert_eq!(proxy.metric("nbproxy_pages_read_ahead_used_total").await, 1.0, "once");
}

/// What a page depends on is known when it is whole; a walk goes by that.
#[tokio::test]
async fn a_walk_is_not_broken_by_what_its_pages_have_nothing_to_do_with() {
    let netbox = netbox().await;
    let settings = "[invalidation]\nprecision = \"related\"";
    let proxy = TestProxy::builder(&netbox).settings(settings).start().await;
    for (change, broken) in [("/api/ipam/vlans/1/", 0.0), ("/api/dcim/devices/1/", 1.0)] {
        proxy.ask("GET", LONG).header("cache-control", "no-cache").send().await;
        until(async || proxy.metric("nbproxy_upstream_in_flight").await == 0.0).await;
        let changed = proxy.ask("PATCH", change).json(&json!({"comments": "changed"})).send().await;
        assert_eq!(changed.status, 200, "{}", changed.text());
        proxy.get("/api/dcim/devices/?limit=300&offset=300").await;
        assert_eq!(proxy.metric("nbproxy_walks_broken_total").await, broken, "{change}");
    }
}

/// Before HTTP/1.1 an answer without a length ends with its connection: one that breaks off would be taken for a whole one.
#[tokio::test]
async fn who_cannot_see_an_answer_break_off_waits_for_all_of_it() {
    let netbox = netbox().await;
    let proxy = TestProxy::before(&netbox).await;
    netbox.fault(Match::path("GET", DEVICES).times(1), Fault::Truncate);
    let ask = async || {
        let mut connection = Raw::connect(proxy.address()).await;
        connection.write(&format!("GET {LONG} HTTP/1.0\r\nHost: nbproxy\r\n\r\n")).await;
        within(connection.rest()).await
    };
    let cut = ask().await;
    assert!(cut.starts_with("HTTP/1.0 502"), "{}", &cut[..200.min(cut.len())]);
    let whole = ask().await;
    assert!(whole.starts_with("HTTP/1.0 200") && whole.ends_with("]}"), "{}", &whole[..200]);
}
