//! Each failure in NetBox's own shape, with what happened and nothing from within.

use fake_netbox::{FakeNetbox, Fault, Match};
use serde_json::json;

use crate::support::{Raw, TestProxy};

const SITES: &str = "/api/dcim/sites/";

#[tokio::test]
async fn netbox_out_of_reach() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    netbox.stop().await;
    for (method, target) in [("GET", SITES), ("OPTIONS", SITES), ("PATCH", "/api/dcim/sites/1/"), ("POST", "/graphql/")]
    {
        let answer = proxy.ask(method, target).json(&json!({})).send().await;
        assert_eq!((answer.status, answer.detail().as_str()), (502, "nbproxy cannot reach NetBox."), "{method}");
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("cache-status"), "nbproxy; detail=unreachable");
        assert_eq!(answer.header("api-version"), "4.6", "pynetbox reads it from errors, too");
    }
}

#[tokio::test]
async fn netbox_too_slow() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).settings("[upstream]\ntimeout = \"150ms\"").start().await;
    netbox.fault(Match::any(), Fault::Hang);
    for method in ["GET", "PATCH"] {
        let answer = proxy.ask(method, "/api/dcim/sites/1/").send().await;
        assert_eq!((answer.status, answer.detail().as_str()), (504, "NetBox did not answer within 150ms."), "{method}");
    }
}

#[tokio::test]
async fn netbox_breaking_off() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    for fault in [Fault::ResetBeforeAnswer, Fault::CloseBeforeAnswer, Fault::ResetMidBody, Fault::Truncate] {
        let shown = format!("{fault:?}");
        netbox.clear_faults();
        netbox.fault(Match::path("GET", SITES), fault);
        let answer = proxy.get(SITES).await;
        assert_eq!(answer.status, 502, "{shown}");
        assert!(answer.detail().contains("broke"), "{shown}: {}", answer.text());
    }
    netbox.clear_faults();
    assert_eq!(proxy.get(SITES).await.status, 200);
}

/// gunicorn closes a connection just as it is used again: a read is sent once more, a write never is.
#[tokio::test]
async fn a_read_that_dies_on_a_reused_connection_is_sent_once_more() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    assert_eq!(proxy.get("/api/dcim/racks/").await.status, 200);
    netbox.close_after_answer_once_reused();
    netbox.clear_log();
    assert_eq!(proxy.get(SITES).await.status, 200);
    assert_eq!(netbox.dropped(), 1, "the first attempt died");
    assert_eq!(netbox.count("GET", SITES), 1);
}

#[tokio::test]
async fn a_write_is_never_sent_twice_and_never_on_a_used_connection() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    for _ in 0..3 {
        proxy.get("/api/dcim/racks/?x=1").await;
        proxy.ask("PATCH", "/api/dcim/sites/1/").json(&json!({})).send().await;
    }
    let log = netbox.log();
    for (at, write) in log.iter().enumerate().filter(|(_, request)| request.method == "PATCH") {
        let others =
            log.iter().enumerate().filter(|(other, request)| *other != at && request.connection == write.connection);
        assert_eq!(others.count(), 0, "a write shared its connection");
    }
    netbox.clear_log();
    netbox.fault(Match::path("PATCH", "/api/dcim/sites/1/"), Fault::ResetBeforeAnswer);
    assert_eq!(proxy.ask("PATCH", "/api/dcim/sites/1/").json(&json!({})).send().await.status, 502);
    assert_eq!(netbox.count("PATCH", "/api/dcim/sites/1/"), 1);
}

#[tokio::test]
async fn a_body_too_large() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).settings("[server]\nmax_request_body = \"1KiB\"").start().await;
    let answer = proxy.ask("POST", SITES).json(&json!({"name": "x".repeat(2000)})).send().await;
    assert_eq!((answer.status, answer.detail().contains("1024 bytes")), (413, true), "{}", answer.text());
    let mut raw = Raw::connect(proxy.address()).await;
    raw.write("POST /api/dcim/sites/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    raw.write(&format!("800\r\n{}\r\n0\r\n\r\n", "x".repeat(2048))).await;
    assert!(raw.until("\r\n\r\n").await.starts_with("HTTP/1.1 413"));
    assert_eq!(netbox.count("POST", SITES), 0, "no whole request arrived");
}

#[tokio::test]
async fn paths_that_can_be_read_two_ways() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    netbox.clear_log();
    for path in [
        "/api/users%2ftokens/",
        "/api/users%2Ftokens/",
        "/api/dcim/..%2fusers/tokens/",
        "/api/dcim/%2e%2e/users/tokens/",
        "/api/dcim;x/sites/",
        "/api/dcim%5csites/",
        "/api/dcim/%00/",
        "/api//dcim/sites/",
        "/api/dcim/%zz/",
        "/api/dcim/./sites/",
        "/api/dcim/%0d%0a/",
        "/api/%c0%ae/",
        "/api/extras/webhooks.json/?fields=secret",
        "/api/dcim/sites.json",
    ] {
        let mut raw = Raw::connect(proxy.address()).await;
        raw.write(&format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await;
        let answer = raw.rest().await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{path}: {answer}");
        assert!(answer.contains("{\"detail\":\"Bad request: the path holds"), "{path}: {answer}");
    }
    assert!(netbox.log().is_empty());
}

#[tokio::test]
async fn a_host_that_is_none() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    for host in ["", "Host: a b\r\n", "Host: \"x\"\r\n", "Host: user@x\r\n"] {
        let mut raw = Raw::connect(proxy.address()).await;
        raw.write(&format!("GET /api/ HTTP/1.1\r\n{host}Connection: close\r\n\r\n")).await;
        let answer = raw.rest().await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{host}: {answer}");
    }
}
