//! Clients with keys: each has its own rights, checked on every request, hits included.

use fake_netbox::FakeNetbox;
use serde_json::json;

use crate::support::{TestProxy, client};

mod crowd;
mod views;

async fn proxy(netbox: &FakeNetbox) -> TestProxy {
    proxy_with(netbox, "pinned01").await
}

/// With a client that is pinned to this branch.
async fn proxy_with(netbox: &FakeNetbox, branch: &str) -> TestProxy {
    let deny = "[access]\nanonymous = \"auto\"\ndeny = [\"users/*\", \"extras/webhooks\"]\n";
    let clients = [
        client("reader", "access = \"read\""),
        client("writer", "access = \"write\"\nallow = [\"*\", \"users/tokens\"]\ndeny = [\"dcim/racks\"]"),
        client("dcim", "access = \"read\"\nallow = [\"dcim/*\"]"),
        client("pinned", &format!("access = \"write\"\nbranch = \"{branch}\"")),
    ];
    TestProxy::builder(netbox).settings(&format!("{deny}{}", clients.concat())).start().await
}

#[tokio::test]
async fn a_key_is_wanted_on_every_request() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox).await;
    assert_eq!(proxy.ask("GET", "/api/dcim/sites/").by("reader").send().await.status, 200);
    for method in ["GET", "HEAD", "OPTIONS", "POST"] {
        let answer = proxy.ask(method, "/api/dcim/sites/").send().await;
        assert_eq!(answer.status, 403, "{method}");
    }
    let none = proxy.get("/api/dcim/sites/").await;
    assert_eq!(none.detail(), "Authentication credentials were not provided.");
    for (value, detail) in [
        ("Token wrong", "Invalid v1 token"),
        ("Bearer nbt_abc.def", "Invalid v2 token"),
        ("Token key-of-reade", "Invalid v1 token"),
        ("Basic key-of-reader", "Authentication credentials were not provided."),
        ("key-of-reader", "Authentication credentials were not provided."),
    ] {
        let answer = proxy.ask("GET", "/api/dcim/sites/").header("authorization", value).send().await;
        assert_eq!((answer.status, answer.detail().as_str()), (403, detail), "{value}");
    }
    let bearer = proxy.ask("GET", "/api/dcim/sites/").header("authorization", "bearer key-of-reader").send().await;
    assert!(bearer.is_hit());
}

/// As at NetBox: pynetbox asks for the document without its token.
#[tokio::test]
async fn the_document_wants_no_key() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox).await;
    for _ in 0..2 {
        assert_eq!(proxy.ask("GET", "/api/schema/").header("accept", "application/json").send().await.status, 200);
    }
    assert_eq!(proxy.ask("GET", "/api/schema/").header("authorization", "Token wrong").send().await.status, 200);
    assert_eq!(proxy.ask("POST", "/api/schema/").send().await.status, 403);
    assert_eq!(proxy.get("/api/").await.status, 403);
}

#[tokio::test]
async fn rights_are_kept() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox).await;
    let status = |name: &'static str, method: &'static str, target: &'static str| {
        let ask = proxy.ask(method, target).by(name).json(&json!({}));
        async move { ask.send().await.status }
    };
    assert_eq!(status("reader", "PATCH", "/api/dcim/sites/1/").await, 403);
    assert_eq!(status("writer", "PATCH", "/api/dcim/sites/1/").await, 200);
    assert_eq!(status("writer", "GET", "/api/dcim/racks/").await, 403);
    assert_eq!(status("reader", "GET", "/api/dcim/racks/").await, 200);
    assert_eq!(status("dcim", "GET", "/api/dcim/racks/").await, 200);
    assert_eq!(status("dcim", "GET", "/api/ipam/prefixes/").await, 403);
    assert_eq!(status("reader", "GET", "/api/users/tokens/").await, 403);
    assert_eq!(status("reader", "GET", "/api/%75sers/%74okens/").await, 403);
    assert_eq!(status("reader", "GET", "/api/extras/webhooks/").await, 403);
    assert_eq!(status("writer", "GET", "/api/users/tokens/").await, 200);
    let closed = proxy.ask("GET", "/api/extras/webhooks/").by("reader").send().await;
    assert!(closed.detail().starts_with("You do not have permission to perform this action."), "{}", closed.text());
}

#[tokio::test]
async fn a_pinned_client_sees_its_branch_only() {
    let netbox = FakeNetbox::start().await;
    let branch = netbox.add_branch("pinned", "ready");
    let proxy = proxy_with(&netbox, &branch).await;
    netbox.clear_log();
    let ask = |target: &str| proxy.ask("GET", target).by("pinned");
    ask("/api/dcim/sites/").send().await;
    let sent = netbox.log().into_iter().find(|request| request.path == "/api/dcim/sites/").expect("it was sent");
    assert_eq!(sent.header("x-netbox-branch"), Some(branch.as_str()));
    assert_eq!(ask("/api/dcim/sites/?_branch=").send().await.status, 403);
    assert_eq!(ask("/api/dcim/sites/").header("x-netbox-branch", "other001").send().await.status, 403);
    assert_eq!(ask("/api/dcim/sites/").header("x-netbox-branch", &branch).send().await.status, 200);
}
