//! What an endpoint takes (`OPTIONS`): Ansible's modules and pynetbox's `choices()` ask before nearly every task. It is
//! remembered like a read, by whose eyes see it, and as coherent.

use std::time::Duration;

use fake_netbox::{FakeNetbox, Fault, Match};
use serde_json::json;

use crate::support::{Answer, Ask, TestProxy, client_with_key};

const SITES: &str = "/api/dcim/sites/";

async fn options(proxy: &TestProxy, target: &str) -> Answer {
    proxy.ask("OPTIONS", target).send().await
}

#[tokio::test]
async fn what_an_endpoint_takes_comes_from_memory() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    for target in [SITES, "/api/dcim/sites/1/", "/api/dcim/devices/", "/api/ipam/prefixes/?limit=1"] {
        let path = target.split('?').next().expect("a path");
        let first = options(&proxy, target).await;
        assert_eq!((first.status, first.cache()), (200, "fwd=miss; stored"), "{target}");
        proxy.clock.push(Duration::from_secs(3));
        let second = options(&proxy, target).await;
        assert_eq!((second.status, second.cache()), (200, "hit; ttl=27"), "{target}");
        assert_eq!(second.header("age"), "3");
        assert_eq!((&first.body, first.header("allow")), (&second.body, second.header("allow")), "{target}");
        let theirs = Ask::new("OPTIONS", &format!("{}{target}", netbox.url()));
        let theirs = theirs.header("authorization", &format!("Token {}", netbox.token())).send().await;
        assert_eq!(first.body, theirs.body, "{target}");
        assert_eq!(netbox.count("OPTIONS", path), 2, "{target}: nbproxy's and the test's own");
    }
    assert!(options(&proxy, SITES).await.json()["actions"]["POST"]["status"]["choices"].is_array());
}

#[tokio::test]
async fn what_it_takes_and_what_it_holds_are_never_mistaken() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    for order in [["OPTIONS", "GET"], ["GET", "OPTIONS"]] {
        let target = format!("{SITES}?{}", order.concat());
        for method in order {
            assert_eq!(proxy.ask(method, &target).send().await.cache(), "fwd=miss; stored", "{method}");
        }
        assert!(options(&proxy, &target).await.json()["renders"].is_array());
        assert!(proxy.get(&target).await.json()["results"].is_array());
        let (get, head) = (proxy.get(&target).await, proxy.ask("HEAD", &target).send().await);
        assert_eq!(head.header("content-length"), get.body.len().to_string());
    }
}

#[tokio::test]
async fn a_write_outdates_it_whatever_it_was_of() {
    for precision in ["branch", "related"] {
        let netbox = FakeNetbox::start().await;
        let settings = format!("[invalidation]\nprecision = {precision:?}");
        let proxy = TestProxy::builder(&netbox).settings(&settings).start().await;
        for (method, target, body) in [
            ("PATCH", "/api/dcim/sites/1/", json!({"facility": "x"})),
            ("POST", "/api/extras/custom-fields/", json!({"name": "c", "type": "text", "object_types": ["dcim.site"]})),
            ("POST", "/api/dcim/manufacturers/", json!({"name": "m", "slug": "m"})),
        ] {
            options(&proxy, SITES).await;
            assert!(options(&proxy, SITES).await.is_hit());
            let written = proxy.ask(method, target).json(&body).send().await;
            assert!(written.status < 300, "{target}: {}", written.text());
            let after = options(&proxy, SITES).await;
            assert_eq!(after.cache(), "fwd=stale; stored; detail=outdated", "{precision} {target}");
        }
    }
}

/// What somebody may do is told to nobody else.
#[tokio::test]
async fn each_token_has_its_own() {
    let netbox = FakeNetbox::start().await;
    let branch = netbox.add_branch("b", "ready");
    let reader = netbox.reader_token();
    let clients = [
        client_with_key("all", "key-of-all", "access = \"write\""),
        client_with_key("few", "key-of-few", "access = \"write\"\nupstream_token = \"reader\""),
    ];
    let settings = format!(
        "[access]\npassthrough = true\n{}\n[[upstream.tokens]]\nname = \"reader\"\ntoken = {reader:?}",
        clients.concat()
    );
    let proxy = TestProxy::builder(&netbox).settings(&settings).start().await;
    let by = async |key: &str, branch: &str| {
        let ask = proxy.ask("OPTIONS", SITES).header("authorization", &format!("Token {key}"));
        let ask = if branch.is_empty() { ask } else { ask.header("x-netbox-branch", branch) };
        let answer = ask.send().await;
        (answer.cache().to_owned(), answer.json()["actions"].is_object())
    };
    let stored = || "fwd=miss; stored".to_owned();
    for (key, branch, may) in [
        ("key-of-all", "", true),
        ("key-of-few", "", false),
        (reader, "", false),
        ("key-of-all", branch.as_str(), true),
    ] {
        assert_eq!(by(key, branch).await, (stored(), may), "{key} {branch}");
        let (cache, actions) = by(key, branch).await;
        assert!(cache.starts_with("hit") && actions == may, "{key} {branch}: {cache}");
    }
    assert_eq!(netbox.count("OPTIONS", SITES), 4);
}

/// A browser asks whether another site's page may ask. NetBox's CORS answers that, if anything does.
#[tokio::test]
async fn a_preflight_is_passed_on() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    options(&proxy, SITES).await;
    for _ in 0..2 {
        let preflight = proxy.ask("OPTIONS", SITES).header("access-control-request-method", "GET");
        let answer = preflight.header("origin", "https://other.example").send().await;
        assert_eq!(answer.cache(), "fwd=method; detail=method");
    }
    assert_eq!(netbox.count("OPTIONS", SITES), 3);
}

#[tokio::test]
async fn what_is_not_remembered_when_read_is_not_remembered_here() {
    let netbox = FakeNetbox::start().await;
    let rules = "[[cache.rules]]\nmatch = \"dcim/racks\"\ncache = false";
    let proxy = TestProxy::builder(&netbox).settings(rules).start().await;
    for target in [
        "/api/",
        "/api/dcim/",
        "/api/status/",
        "/api/schema/",
        "/graphql/",
        "/api/core/jobs/",
        "/api/extras/webhooks/",
        "/api/dcim/racks/",
        "/api/dcim/racks/1/elevation/",
        "/api/ipam/prefixes/1/available-ips/",
    ] {
        for _ in 0..2 {
            let answer = options(&proxy, target).await;
            assert!(answer.cache().starts_with("fwd=bypass; detail="), "{target}: {}", answer.cache());
        }
        assert_eq!(netbox.count("OPTIONS", target), 2, "{target}");
    }
    let none = proxy.ask("OPTIONS", SITES).header("cache-control", "no-store").send().await;
    assert_eq!(none.cache(), "fwd=bypass; detail=no-store");
    assert_eq!(
        proxy.ask("OPTIONS", SITES).header("accept", "text/html").send().await.cache(),
        "fwd=bypass; detail=accept"
    );
}

/// A condition that a reader may make is not to be answered as a reader's (RFC 9110, section 13.1.2).
#[tokio::test]
async fn it_is_told_whole() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let tag = options(&proxy, SITES).await.header("etag").to_owned();
    for tag in [tag.as_str(), "*", "\"x\""] {
        let answer = proxy.ask("OPTIONS", SITES).header("if-none-match", tag).send().await;
        assert!(answer.status == 200 && answer.is_hit() && !answer.body.is_empty(), "{tag}: {}", answer.cache());
    }
}

/// What does not look like Django REST framework's answer is shown, and not kept.
#[tokio::test]
async fn only_descriptions_are_kept() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    for (kind, body, kept) in [
        ("application/json", r#"{"count":0,"next":null,"previous":null,"results":[]}"#, false),
        ("application/json", r#"{"name":"Site List"}"#, false),
        ("application/json", r#"{"name":"Site","description":"","renders":["a"],"parses":["a"]"#, false),
        ("text/html", r#"{"name":"Site","description":"","renders":["a"],"parses":["a"]}"#, false),
        ("application/json", r#"{"name":"Site","description":"","renders":["a"],"parses":["a"]}"#, true),
    ] {
        netbox.fault(Match::path("OPTIONS", SITES).times(1), Fault::Status(200, kind, body.into()));
        let answer = options(&proxy, SITES).await;
        assert_eq!(answer.text(), body);
        let expected = if kept { "fwd=miss; stored" } else { "fwd=miss; detail=not-json" };
        assert_eq!(answer.cache(), expected, "{kind} {body}");
    }
}
