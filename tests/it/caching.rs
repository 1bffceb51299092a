//! What is remembered, what never is, and for how long.

use std::time::Duration;

use fake_netbox::{FakeNetbox, Fault, Match};

use crate::support::TestProxy;

#[tokio::test]
async fn repeated_reads_come_from_memory() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    netbox.clear_log();
    for target in [
        "/api/",
        "/api/dcim/",
        "/api/dcim/sites/?limit=2",
        "/api/dcim/sites/1/",
        "/api/status/",
        "/api/plugins/installed-plugins/",
    ] {
        let first = proxy.get(target).await;
        assert_eq!((first.status, first.cache()), (200, "fwd=miss; stored"), "{target}");
        let second = proxy.get(target).await;
        assert!(second.is_hit(), "{target}: {}", second.cache());
        assert_eq!(first.body, second.body, "{target}");
        assert_eq!(netbox.count("GET", target.split('?').next().expect("a path")), 1, "{target}");
    }
}

#[tokio::test]
async fn a_hit_tells_its_age_and_has_an_id_of_its_own() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let first = proxy.get("/api/dcim/sites/1/").await;
    assert_eq!(first.header("age"), "");
    proxy.clock.push(Duration::from_secs(7));
    let (second, third) = (proxy.get("/api/dcim/sites/1/").await, proxy.get("/api/dcim/sites/1/").await);
    assert_eq!(second.header("age"), "7");
    assert_eq!(second.cache(), "hit; ttl=23");
    let ids = [first.header("x-request-id"), second.header("x-request-id"), third.header("x-request-id")];
    assert!(ids.iter().all(|id| id.len() == 36));
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
    for name in ["api-version", "allow", "etag", "content-type", "vary", "date"] {
        assert_eq!(first.header(name), second.header(name), "{name}");
    }
}

#[tokio::test]
async fn a_head_is_answered_from_a_stored_get() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let get = proxy.get("/api/dcim/sites/").await;
    let head = proxy.ask("HEAD", "/api/dcim/sites/").send().await;
    assert!(head.is_hit() && head.body.is_empty());
    assert_eq!(head.header("content-length"), get.body.len().to_string());
    assert_eq!(netbox.count("HEAD", "/api/dcim/sites/"), 0);
    let cold = proxy.ask("HEAD", "/api/dcim/racks/").send().await;
    assert_eq!((cold.status, cold.cache()), (200, "fwd=miss; stored"));
    assert!(proxy.get("/api/dcim/racks/").await.is_hit());
}

#[tokio::test]
async fn the_same_question_in_other_words_is_the_same() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    proxy.get("/api/dcim/sites/?limit=2&name=x").await;
    for target in ["/api/dcim/sites/?name=x&limit=2", "/api/dcim/%73ites/?limit=%32&&name=x"] {
        assert!(proxy.get(target).await.is_hit(), "{target}");
    }
    for target in
        ["/api/dcim/sites/?limit=2", "/api/dcim/sites/?limit=2&name=x&brief=1", "/api/dcim/sites/?limit=2&name=X"]
    {
        assert!(!proxy.get(target).await.is_hit(), "{target}");
    }
    // Django takes the last value of a single-valued parameter: order is meaning.
    let last = |answer: crate::support::Answer| answer.json()["results"].as_array().map_or(0, Vec::len);
    assert_eq!(last(proxy.get("/api/dcim/sites/?limit=1&limit=3").await), 3);
    assert_eq!(last(proxy.get("/api/dcim/sites/?limit=3&limit=1").await), 1);
}

#[tokio::test]
async fn some_things_are_never_remembered() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    for target in [
        "/api/core/object-changes/",
        "/api/core/jobs/",
        "/api/users/config/",
        "/api/authentication-check/",
        "/api/extras/webhooks/",
        "/api/users/tokens/",
        "/api/ipam/prefixes/1/available-ips/",
        "/api/dcim/interfaces/1/trace/",
        "/api/plugins/branching/branches/",
        "/api/dcim/sites/?export=x",
        "/api/dcim/sites/?created_by_request=1",
        "/api/dcim/sites/?filter=mine",
        "/api/extras/config-contexts/",
        "/api/dcim/sites/9999/",
        "/api/dcim/sites/?id=abc",
        "/api/no-such-app/x/",
    ] {
        let (path, _) = target.split_once('?').unwrap_or((target, ""));
        netbox.clear_log();
        for _ in 0..2 {
            let answer = proxy.get(target).await;
            assert!(!answer.cache().contains("stored") && !answer.is_hit(), "{target}: {}", answer.cache());
        }
        assert_eq!(netbox.count("GET", path), 2, "{target}");
    }
}

#[tokio::test]
async fn other_types_than_json_are_netboxs_business() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    proxy.get("/api/dcim/sites/").await;
    for accept in ["text/html", "application/json; indent=4", "text/html,application/xhtml+xml,*/*;q=0.8"] {
        let answer = proxy.ask("GET", "/api/dcim/sites/").header("accept", accept).send().await;
        assert_eq!(answer.cache(), "fwd=bypass; detail=accept", "{accept}");
    }
    let html = proxy.ask("GET", "/api/dcim/sites/").header("accept", "text/html").send().await;
    assert!(html.header("content-type").starts_with("text/html"));
    for accept in ["application/json", "*/*", "application/json, text/plain, */*"] {
        let answer = proxy.ask("GET", "/api/dcim/sites/").header("accept", accept).send().await;
        assert!(answer.is_hit(), "{accept}");
    }
}

#[tokio::test]
async fn languages_do_not_mix() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let label = |language: &'static str| {
        let ask = proxy.ask("GET", "/api/dcim/sites/1/").header("accept-language", language);
        async move { ask.send().await.json()["status"]["label"].as_str().unwrap_or_default().to_owned() }
    };
    for _ in 0..2 {
        assert_eq!(proxy.get("/api/dcim/sites/1/").await.json()["status"]["label"], "Active");
        assert_eq!(label("de").await, "Aktiv");
        assert_eq!(label("*").await, "Active");
    }
    assert_eq!(netbox.count("GET", "/api/dcim/sites/1/"), 2);
}

#[tokio::test]
async fn the_document_is_kept_in_each_representation_until_netbox_changes() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let ask = |accept: &'static str, query: &'static str| {
        let ask = proxy.ask("GET", &format!("/api/schema/{query}"));
        let ask = if accept.is_empty() { ask } else { ask.header("accept", accept) };
        async move { ask.send().await }
    };
    let forms = [
        ("application/json", "", "application/json"),
        ("", "?format=json", "application/vnd.oai.openapi+json"),
        ("", "", "application/vnd.oai.openapi"),
    ];
    for (accept, query, kind) in forms {
        let first = ask(accept, query).await;
        assert!(first.header("content-type").starts_with(kind), "{kind}: {}", first.header("content-type"));
        assert_eq!(first.cache(), "fwd=miss", "{kind}");
        proxy.clock.push(Duration::from_secs(100));
        assert!(ask(accept, query).await.is_hit(), "{kind}: kept longer than data");
    }
    netbox.set_version("4.6.9");
    proxy.clock.push(Duration::from_secs(10));
    assert_eq!(proxy.get("/api/status/").await.json()["netbox-version"], "4.6.9");
    let renewed = ask("application/json", "").await;
    assert_eq!(renewed.cache(), "fwd=stale; detail=outdated");
    assert!(renewed.text().contains("4.6.9"));
}

#[tokio::test]
async fn a_new_minor_version_is_noticed_in_any_answer() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    proxy.get("/api/dcim/sites/1/").await;
    netbox.set_version("4.7.0");
    proxy.get("/api/dcim/racks/").await;
    assert_eq!(proxy.get("/api/dcim/sites/1/").await.cache(), "fwd=stale; stored; detail=outdated");
}

#[tokio::test]
async fn status_is_kept_for_seconds_only() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    proxy.get("/api/status/").await;
    proxy.clock.push(Duration::from_secs(4));
    assert!(proxy.get("/api/status/").await.is_hit());
    proxy.clock.push(Duration::from_secs(2));
    assert_eq!(proxy.get("/api/status/").await.cache(), "fwd=stale; stored");
}

#[tokio::test]
async fn rules_make_exceptions() {
    let netbox = FakeNetbox::start().await;
    let rules = "[[cache.rules]]\nmatch = \"dcim/racks\"\ncache = false\n[[cache.rules]]\nmatch = \"dcim/*\"\nttl = \"3s\"\n[[cache.rules]]\nmatch = \"extras/webhooks\"\ncache = true";
    let proxy = TestProxy::builder(&netbox).settings(rules).start().await;
    assert_eq!(proxy.get("/api/dcim/racks/").await.cache(), "fwd=bypass; detail=rule");
    proxy.get("/api/dcim/sites/").await;
    assert!(proxy.get("/api/dcim/sites/").await.cache().starts_with("hit; ttl=3"));
    assert_eq!(proxy.get("/api/extras/webhooks/").await.cache(), "fwd=miss; stored");
    assert_eq!(proxy.get("/api/core/jobs/").await.cache(), "fwd=bypass; detail=volatile");
}

#[tokio::test]
async fn answers_that_are_not_what_they_should_be_are_passed_and_not_kept() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let page = || "{\"count\":0,\"next\":null".to_owned();
    for (fault, detail) in [
        (Fault::Html200, "not-json"),
        (Fault::SetCookie, "cookie"),
        (Fault::WrongJson(page()), "not-json"),
        (Fault::WrongJson("{\"detail\":\"hm\"}".to_owned()), "not-json"),
        (Fault::WrongJson("[]".to_owned()), "not-json"),
        (Fault::Redirect("/api/dcim/racks/".to_owned()), "status"),
        (Fault::Status(200, "text/plain", "{\"count\":0}".to_owned()), "not-json"),
        (Fault::Status(500, "application/json", "{\"error\":\"x\"}".to_owned()), "status"),
    ] {
        let shown = format!("{fault:?}");
        netbox.fault(Match::path("GET", "/api/dcim/sites/").times(1), fault);
        let answer = proxy.get("/api/dcim/sites/").await;
        assert_eq!(answer.cache(), format!("fwd=miss; detail={detail}"), "{shown}");
    }
    netbox.fault(Match::path("GET", "/api/dcim/sites/").times(1), Fault::Chunked);
    assert_eq!(proxy.get("/api/dcim/sites/").await.cache(), "fwd=miss; stored", "chunked answers are complete, too");
}

#[tokio::test]
async fn request_directives_are_obeyed() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let ask = |value: &'static str| {
        let ask = proxy.ask("GET", "/api/dcim/sites/").header("cache-control", value);
        async move { ask.send().await }
    };
    let none = ask("only-if-cached").await;
    assert_eq!((none.status, none.header("cache-status")), (504, "nbproxy; detail=not-cached"));
    assert_eq!(ask("no-store").await.cache(), "fwd=bypass; detail=no-store");
    assert_eq!(ask("only-if-cached").await.status, 504);
    proxy.get("/api/dcim/sites/").await;
    assert!(ask("only-if-cached").await.is_hit());
    assert_eq!(ask("no-cache").await.cache(), "fwd=request; stored");
    proxy.clock.push(Duration::from_secs(10));
    assert!(ask("max-age=20").await.is_hit());
    assert!(ask("min-fresh=15").await.is_hit());
    assert_eq!(ask("max-age=5").await.cache(), "fwd=request; stored");
    proxy.clock.push(Duration::from_secs(200));
    assert!(ask("max-stale=600").await.cache().ends_with("detail=max-stale"));
    let pragma = proxy.ask("GET", "/api/dcim/sites/").header("pragma", "no-cache").send().await;
    assert!(!pragma.is_hit());
}

#[tokio::test]
async fn the_capacity_is_held() {
    let netbox = FakeNetbox::start().await;
    let settings = "[cache]\ncapacity = \"64KiB\"\nmax_entry = \"32KiB\"";
    let proxy = TestProxy::builder(&netbox).settings(settings).start().await;
    let mut seen = 0;
    for id in 1..=60 {
        seen += proxy.get(&format!("/api/dcim/devices/{id}/")).await.body.len();
        assert!(proxy.metric("nbproxy_cache_bytes").await <= 65536.0);
    }
    assert!(seen > 65536, "the test is too small to mean anything: {seen}");
    assert!(proxy.metric("nbproxy_cache_entries").await > 10.0);
    assert!(proxy.metric("nbproxy_cache_bytes").await > 32768.0);
}
