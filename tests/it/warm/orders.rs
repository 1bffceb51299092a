//! Warmed on order: by the admin listener, and by `nbproxy warm`.

use std::process::{Command, Output};
use std::time::Duration;

use fake_netbox::{FakeNetbox, Fault, Match};
use serde_json::{Value, json};

use super::{SITES, all_hits};
use crate::support::{Answer, Ask, TestProxy};

const DEVICES: &str = "/api/dcim/devices/?limit=50";

async fn order(proxy: &TestProxy, order: &Value) -> Answer {
    Ask::new("POST", &format!("http://{}/cache/warm", proxy.admin_address())).json(order).send().await
}

#[tokio::test]
async fn a_page_is_fetched_and_tells_what_follows() {
    let netbox = FakeNetbox::builder().base_path("/nbx").devices(120).max_page_size(100).start().await;
    let proxy = TestProxy::before(&netbox).await;
    let said = order(&proxy, &json!({"path": DEVICES})).await;
    assert_eq!(said.status, 200, "{}", said.text());
    let bytes = proxy.get(DEVICES).await.body.len();
    let next = "/api/dcim/devices/?limit=50&offset=50";
    let page = |fetched| json!({"fetched": fetched, "bytes": bytes, "count": 120, "next": next, "also": null});
    // In memory the link leads to another host than in what the test's client was given.
    let (mut first, mut second) =
        (said.json(), order(&proxy, &json!({"path": DEVICES, "branch": "main"})).await.json());
    for said in [&mut first, &mut second] {
        said["bytes"] = bytes.into();
    }
    assert_eq!((first, second), (page(true), page(false)));
    assert!(proxy.get(DEVICES).await.is_hit());
    let all = order(&proxy, &json!({"path": "/api/dcim/devices/?limit=0"})).await.json();
    assert_eq!(all["next"], "/api/dcim/devices/?limit=100&offset=100");
    assert_eq!(all["also"], "/api/dcim/devices/?limit=120&offset=100");
    let site = order(&proxy, &json!({"path": "/api/dcim/sites/1/"})).await.json();
    assert_eq!((&site["count"], &site["next"], &site["also"]), (&Value::Null, &Value::Null, &Value::Null));
}

#[tokio::test]
async fn an_order_in_vain_is_refused() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).settings("[cache]\nmax_entry = \"10KiB\"").start().await;
    netbox.fault(Match::path("GET", "/api/dcim/racks/"), Fault::Status(500, "text/html", "no".to_owned()));
    netbox.fault(Match::path("GET", "/api/dcim/cables/"), Fault::ResetBeforeAnswer);
    for (said, status, complaint) in [
        (json!({}), 400, "missing field `path`"),
        (json!({"path": SITES, "all": true}), 400, "unknown field `all`"),
        (json!({"path": "dcim/sites"}), 400, "path: a path such as"),
        (json!({"path": "/api/dcim/sites"}), 400, "path: it must end with a slash"),
        (json!({"path": SITES, "branch": "Main"}), 400, "branch: "),
        (json!({"path": SITES, "branch": "aaaaaaaa"}), 400, "there is no branch aaaaaaaa"),
        (json!({"path": "/api/core/jobs/"}), 400, "nbproxy does not remember this (volatile)"),
        (json!({"path": "/api/dcim/sites/9999/"}), 409, "the answer (404 Not Found) is not kept (status)"),
        (json!({"path": "/api/dcim/racks/"}), 409, "the answer (500 Internal Server Error) is not kept (status)"),
        (json!({"path": "/api/dcim/cables/"}), 502, "broke the connection off"),
        (json!({"path": "/api/dcim/devices/?limit=1000"}), 409, "too large to be kept"),
    ] {
        let answer = order(&proxy, &said).await;
        assert_eq!(answer.status, status, "{said}: {}", answer.text());
        assert!(answer.detail().contains(complaint), "{said}: {}", answer.detail());
    }
}

/// What may change unseen is not kept: it is not fetched in vain either.
#[tokio::test]
async fn nothing_is_fetched_while_something_may_change() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    netbox.fault(Match::method("PATCH"), Fault::ApplyThenReset);
    let lost = proxy.ask("PATCH", "/api/dcim/sites/1/").json(&json!({"facility": "x"})).send().await;
    assert_eq!(lost.status, 502);
    let said = order(&proxy, &json!({"path": SITES})).await;
    assert_eq!((said.status, said.detail().as_str()), (409, "something is being changed just now"));
    assert_eq!(netbox.count("GET", SITES), 0);
    proxy.clock.push(Duration::from_secs(3600));
    assert_eq!(order(&proxy, &json!({"path": SITES})).await.status, 200);
}

async fn nbproxy(proxy: &TestProxy, arguments: &[&str]) -> (Option<i32>, String, String) {
    let admin = proxy.admin_address().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_nbproxy"));
    command.arg("warm").args(arguments).env_clear();
    command.env("NBPROXY__UPSTREAM__URL", "http://netbox.invalid").env("NBPROXY__ADMIN__LISTEN", admin);
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("it ran").expect("it runs");
    let Output { status, stdout, stderr } = output;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints text").trim().to_owned();
    (status.code(), text(stdout), text(stderr))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_walks_all_pages_and_says_so_plainly() {
    let netbox = FakeNetbox::builder().devices(120).start().await;
    let branch = netbox.add_branch("b", "ready");
    let proxy = TestProxy::before(&netbox).await;
    let (code, out, error) = nbproxy(&proxy, &[DEVICES, "/api/dcim/sites/1/"]).await;
    assert_eq!((code, error.as_str()), (Some(0), ""), "{out}");
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines.len(), 2, "{out}");
    assert!(lines[0].starts_with(&format!("{DEVICES}: 3 pages, 3 fetched, ")), "{out}");
    assert!(lines[1].starts_with("/api/dcim/sites/1/: 1 page, 1 fetched, "), "{out}");
    all_hits(&proxy, DEVICES, 3).await;
    let (_, again, _) = nbproxy(&proxy, &[DEVICES]).await;
    assert!(again.contains("3 pages, 0 fetched, "), "{again}");
    assert_eq!(nbproxy(&proxy, &["--branch", &branch, SITES]).await.0, Some(0));
    assert!(proxy.ask("GET", SITES).header("x-netbox-branch", &branch).send().await.is_hit());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_is_honest() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let (code, out, error) = nbproxy(&proxy, &["/api/dcim/sites/9999/", "/api/dcim/sites/1/"]).await;
    assert_eq!(code, Some(1), "{error}");
    assert!(out.starts_with("/api/dcim/sites/1/: 1 page"), "one that fails does not end the others: {out}");
    let expected =
        "/api/dcim/sites/9999/: the answer (404 Not Found) is not kept (status)\nnbproxy: 1 of 2 could not be warmed";
    assert_eq!(error, expected);
    for (arguments, said) in [
        (&[][..], "<PATH>"),
        (&["dcim/sites"], "nbproxy: dcim/sites: a path such as"),
        (&["/api/dcim/sites/", "/api/dcim/racks"], "nbproxy: /api/dcim/racks: it must end with a slash"),
        (&["/api/dcim/sites/", "--branch", "x"], "nbproxy: --branch x: "),
    ] {
        let (code, out, error) = nbproxy(&proxy, arguments).await;
        assert_eq!((code, out.as_str()), (Some(64), ""), "{arguments:?}: {error}");
        assert!(error.contains(said), "{arguments:?}: {error}");
    }
    assert_eq!(netbox.count("GET", SITES), 0, "bad arguments are found before anything is asked for");
    let admin = TcpAddress::nobody();
    let output = Command::new(env!("CARGO_BIN_EXE_nbproxy"))
        .args(["warm", SITES])
        .env_clear()
        .env("NBPROXY__UPSTREAM__URL", "http://netbox.invalid")
        .env("NBPROXY__ADMIN__LISTEN", &admin.0)
        .output()
        .expect("it runs");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("the admin listener at 127.0.0.1:"), "{error}");
}

/// An address where nobody listens.
struct TcpAddress(String);

impl TcpAddress {
    fn nobody() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("an address");
        Self(listener.local_addr().expect("it has one").to_string())
    }
}
