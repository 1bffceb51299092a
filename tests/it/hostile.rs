//! What hostile and careless clients do, and what must not come of it.

use fake_netbox::{FakeNetbox, Fault, HoldPoint, Match};
use serde_json::json;

use crate::support::{Raw, TestProxy, client, start, until, within};

const SITE: &str = "/api/dcim/sites/1/";

/// A client that never takes its answer holds a place at NetBox, but not for long.
#[tokio::test]
async fn who_does_not_read_holds_nobody_up() {
    let netbox = FakeNetbox::start().await;
    let settings = "[upstream]\nmax_in_flight = 1\n[server]\nwrite_timeout = \"200ms\"\n[cache]\nmax_entry = \"1MiB\"";
    let proxy = TestProxy::builder(&netbox).settings(settings).start().await;
    netbox.endless("/api/dcim/cables/", 200 * 1024 * 1024);
    let mut deaf = Raw::connect(proxy.address()).await;
    deaf.write("GET /api/dcim/cables/ HTTP/1.1\r\nHost: x\r\n\r\n").await;
    until(async || proxy.metric("nbproxy_upstream_in_flight").await >= 1.0).await;
    assert_eq!(proxy.get(SITE).await.status, 200, "the place is free again");
}

/// A body that does not arrive is awaited before anything is asked of NetBox.
#[tokio::test]
async fn who_does_not_finish_a_body_holds_nobody_up_and_changes_nothing() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).settings("[upstream]\nmax_in_flight = 1").start().await;
    netbox.clear_log();
    for head in ["Content-Length: 50\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"de"] {
        let mut slow = Raw::connect(proxy.address()).await;
        slow.write(&format!("DELETE {SITE} HTTP/1.1\r\nHost: x\r\n{head}")).await;
        proxy.wait_for_requests(1).await;
        assert_eq!(proxy.metric("nbproxy_upstream_in_flight").await, 0.0);
        assert_eq!(proxy.get("/api/dcim/racks/").await.status, 200);
        drop(slow);
        until(async || proxy.metric("nbproxy_requests_in_progress").await <= 0.0).await;
    }
    assert_eq!(netbox.count("DELETE", SITE), 0);
    assert_eq!(proxy.get(SITE).await.status, 200, "the site is still there");
}

/// Django reads no chunked body; nbproxy gives it one of known length.
#[tokio::test]
async fn a_small_chunked_body_arrives_with_its_length() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let mut raw = Raw::connect(proxy.address()).await;
    raw.write(&format!(
        "PATCH {SITE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    ))
    .await;
    raw.write("8\r\n{\"descri\r\n10\r\nption\": \"chunks\"\r\n1\r\n}\r\n0\r\n\r\n").await;
    assert!(raw.until("\r\n\r\n").await.starts_with("HTTP/1.1 200"));
    let log = netbox.log();
    let write = log.iter().find(|request| request.method == "PATCH").expect("it arrived");
    assert_eq!((write.header("content-length"), write.header("transfer-encoding")), (Some("25"), None));
    assert_eq!(netbox.get("dcim/sites", 1).expect("it is there")["description"], "chunks");
}

/// The document is open to whoever comes; how it is fetched is not theirs to say.
#[tokio::test]
async fn who_has_no_key_has_the_document_from_memory_only() {
    let netbox = FakeNetbox::start().await;
    let clients = format!("[access]\nanonymous = \"deny\"\n{}", client("a", ""));
    let proxy = TestProxy::builder(&netbox).settings(&clients).start().await;
    let ask = |target: &'static str, name: &'static str, value: &'static str| {
        let ask = proxy.ask("GET", target).header("accept", "application/json").header(name, value);
        async move { ask.send().await }
    };
    for (name, value) in [("cache-control", "no-store"), ("cache-control", "no-cache"), ("accept-language", "de")] {
        assert_eq!(ask("/api/schema/", name, value).await.status, 200, "{name}: {value}");
    }
    assert_eq!(netbox.count("GET", "/api/schema/"), 1);
    assert_eq!(ask("/api/schema/?format=json", "x", "y").await.status, 200);
    for target in [
        "/api/schema/?format=json&format=json",
        "/api/schema/?format=x",
        "/api/schema/?_branch=abcdefgh",
        "/api/schema/?x=1",
        "/api/schema/?format=json&x=1",
        "/api/schema",
        "/api/",
    ] {
        assert_eq!(ask(target, "x", "y").await.status, 403, "{target}");
    }
    let other = proxy.ask("GET", "/api/schema/").header("accept", "text/html").send().await;
    assert_eq!(other.status, 403);
}

/// What is open to whoever comes on this machine is not open to the pages that its people visit.
#[tokio::test]
async fn pages_of_the_web_reach_nothing() {
    let netbox = FakeNetbox::start().await;
    let by_default = TestProxy::builder(&netbox).settings("[access]\nanonymous = \"auto\"").start().await;
    for (host, status) in [
        ("evil.example", 400),
        ("127.0.0.1.evil.example", 400),
        ("localhost:8080", 200),
        ("[::1]:80", 200),
        ("127.0.0.9", 200),
    ] {
        assert_eq!(by_default.ask("GET", SITE).header("host", host).send().await.status, status, "{host}");
    }
    let proxy = TestProxy::before(&netbox).await;
    assert_eq!(proxy.ask("GET", SITE).header("host", "named.example").send().await.status, 200, "it was said who may");
    let write = |name: &'static str, value: String| {
        let ask = proxy.ask("PATCH", SITE).header(name, &value).json(&json!({"description": "x"}));
        async move { ask.send().await.status }
    };
    assert_eq!(write("origin", "https://evil.example".to_owned()).await, 403);
    assert_eq!(write("origin", "null".to_owned()).await, 403);
    assert_eq!(write("sec-fetch-site", "cross-site".to_owned()).await, 403);
    assert_eq!(write("origin", proxy.url()).await, 200);
    assert_eq!(write("x-other", "y".to_owned()).await, 200);
}

/// Branches share what branching exempts, and that is bound to main's other data by tags and the like.
#[tokio::test]
async fn a_write_to_main_outdates_what_branches_saw() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let branch = netbox.add_branch("one", "ready");
    let read = || {
        let ask = proxy.ask("GET", "/api/extras/custom-fields/").header("x-netbox-branch", &branch);
        async move { ask.send().await }
    };
    read().await;
    assert!(read().await.is_hit());
    proxy.ask("PATCH", "/api/extras/tags/1/").json(&json!({"name": "renamed"})).send().await;
    assert!(!read().await.is_hit());
    // What is done in a branch stays there.
    proxy.get(SITE).await;
    let patch = proxy.ask("PATCH", SITE).header("x-netbox-branch", &branch);
    assert_eq!(patch.json(&json!({"description": "x"})).send().await.status, 200);
    assert!(proxy.get(SITE).await.is_hit());
}

/// GraphQL refuses a token in plain text, and the answer to a HEAD would not say it at all.
#[tokio::test]
async fn a_refused_token_is_known_in_every_form() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    netbox.fault(Match::path("POST", "/graphql/"), Fault::Status(403, "text/plain", "Invalid v1 token".to_owned()));
    assert_eq!(proxy.ask("POST", "/graphql/").json(&json!({"query": "x"})).send().await.status, 502);
    netbox.clear_faults();
    netbox.revoke_token(netbox.token());
    assert_eq!(proxy.ask("HEAD", "/api/core/jobs/").send().await.status, 502);
}

#[tokio::test]
async fn a_head_that_is_passed_on_tells_the_length_of_the_get() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let get = proxy.get("/api/core/jobs/").await;
    let head = proxy.ask("HEAD", "/api/core/jobs/").send().await;
    assert_eq!((head.status, head.header("content-length")), (200, get.header("content-length")));
    assert!(head.body.is_empty());
}

#[tokio::test]
async fn only_if_cached_never_asks_netbox() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    netbox.clear_log();
    for target in ["/api/core/jobs/", SITE, "/api/dcim/sites/?export=x"] {
        let answer = proxy.ask("GET", target).header("cache-control", "only-if-cached").send().await;
        assert_eq!(answer.status, 504, "{target}");
    }
    assert!(netbox.log().is_empty());
}

#[tokio::test]
async fn a_query_too_long_is_the_clients_fault() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let answer = proxy.get(&format!("/api/dcim/sites/?q={}", "(".repeat(30_000))).await;
    assert_eq!(answer.status, 414, "{}", answer.text());
}

/// A client whose rights are limited by name has no way around them through GraphQL.
#[tokio::test]
async fn limited_clients_have_no_graphql_unless_it_is_named() {
    let netbox = FakeNetbox::start().await;
    let clients = [
        client("all", ""),
        client("less", "deny = [\"dcim/racks\"]"),
        client("named", "allow = [\"dcim/*\", \"graphql\"]"),
    ];
    let proxy = TestProxy::builder(&netbox).settings(&clients.concat()).start().await;
    for (name, status) in [("all", 200), ("less", 403), ("named", 200)] {
        let ask = proxy.ask("POST", "/graphql/").by(name);
        assert_eq!(ask.json(&json!({"query": "{ site_list { id } }"})).send().await.status, status, "{name}");
    }
}

/// A large body that arrived whole is NetBox's to answer: if that takes too long, it is not the client's fault.
#[tokio::test]
async fn a_large_write_that_is_answered_late_is_awaited_as_any_other() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).settings("[upstream]\ntimeout = \"1s\"").start().await;
    let hold = netbox.hold("PATCH", SITE, HoldPoint::BeforeRead);
    let comments = "x".repeat(3 * 1024 * 1024);
    let write = proxy.ask("PATCH", SITE).json(&json!({"comments": comments})).send().await;
    assert_eq!((write.status, write.detail().as_str()), (504, "NetBox did not answer within 1s."));
    hold.release();
    until(async || proxy.metric("nbproxy_epoch_bumps_total{source=\"write\"}").await >= 2.0).await;
    assert_eq!(proxy.get(SITE).await.json()["comments"], comments, "it was carried out, and that was noticed");
}

/// Who may only read does not get to hold places at NetBox by uploads.
#[tokio::test]
async fn queries_are_short() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let query = json!({"query": "x".repeat(2 * 1024 * 1024)});
    assert_eq!(proxy.ask("POST", "/graphql/").json(&query).send().await.status, 413);
    assert_eq!(netbox.count("POST", "/graphql/"), 0);
}

/// While a write's outcome is open nothing is kept, and still not every asker asks NetBox at once.
#[tokio::test]
async fn in_doubt_those_who_wait_for_a_place_share_one_question() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).settings("[upstream]\nmax_in_flight = 1").start().await;
    netbox.fault(Match::path("PATCH", SITE), Fault::ApplyThenReset);
    assert_eq!(proxy.ask("PATCH", SITE).json(&json!({"description": "x"})).send().await.status, 502);
    let hold = netbox.hold("GET", "/api/dcim/racks/", HoldPoint::BeforeAnswer);
    let occupant = start(proxy.ask("GET", "/api/dcim/racks/").send());
    hold.arrived(1).await;
    let askers: Vec<_> = (0..50).map(|_| start(proxy.ask("GET", SITE).send())).collect();
    proxy.wait_for_requests(51).await;
    hold.release();
    for asker in askers {
        assert_eq!(asker.await.expect("it ran").json()["description"], "x");
    }
    assert_eq!(occupant.await.expect("it ran").status, 200);
    assert_eq!(netbox.count("GET", SITE), 1);
}

/// A write that was lost from sight may be carried out at any time: who asks afterwards does not share a question that
/// was sent before.
#[tokio::test]
async fn in_doubt_nobody_joins_a_question_that_was_sent() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    netbox.fault(Match::path("PATCH", SITE), Fault::ResetBeforeAnswer);
    assert_eq!(proxy.ask("PATCH", SITE).json(&json!({"description": "x"})).send().await.status, 502);
    let hold = netbox.hold("GET", SITE, HoldPoint::BeforeAnswer);
    let before = start(proxy.ask("GET", SITE).send());
    hold.arrived(1).await;
    netbox.edit("dcim/sites", 1, json!({"description": "carried out late"}));
    let after = start(proxy.ask("GET", SITE).send());
    within(hold.arrived(2)).await;
    hold.release();
    assert_eq!(before.await.expect("it ran").json()["description"], "");
    assert_eq!(after.await.expect("it ran").json()["description"], "carried out late");
}
