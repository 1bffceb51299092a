//! Who did it: a client's name in NetBox's changelog, and a line of the audit log for each write.

use fake_netbox::{FakeNetbox, Fault, HoldPoint, Match};
use serde_json::{Value, json};

use crate::support::{self, Ask, Daemon, TestProxy, start, within};

const SITE: &str = "/api/dcim/sites/1/";

fn client(name: &str) -> String {
    support::client(name, "access = \"write\"")
}

async fn proxy(netbox: &FakeNetbox) -> TestProxy {
    let settings = format!("[access]\nchangelog_message = true\ndeny = []\n{}", client("ansible"));
    TestProxy::builder(netbox).settings(&settings).start().await
}

/// The body of the last write that NetBox received.
fn received(netbox: &FakeNetbox) -> String {
    let log = netbox.log();
    let write = log.iter().rev().find(|request| !matches!(request.method.as_str(), "GET" | "OPTIONS"));
    String::from_utf8(write.expect("a write").body.to_vec()).expect("text")
}

#[tokio::test]
async fn writes_carry_the_clients_name() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox).await;
    let name = r#""changelog_message":"ansible (by nbproxy)""#;
    for (method, target, body, expected) in [
        ("PATCH", SITE, r#"{"description": "x"}"#, format!("{{{name},\"description\": \"x\"}}")),
        (
            "POST",
            "/api/dcim/sites/",
            r#"[{"name":"a","slug":"a"},{"name":"b","slug":"b"}]"#,
            format!("[{{{name},\"name\":\"a\",\"slug\":\"a\"}},{{{name},\"name\":\"b\",\"slug\":\"b\"}}]"),
        ),
        ("PATCH", SITE, r#"{"changelog_message": "my own"}"#, r#"{"changelog_message": "my own"}"#.to_owned()),
        ("DELETE", "/api/dcim/sites/", r#"[{"id":11}]"#, format!("[{{{name},\"id\":11}}]")),
        ("DELETE", "/api/dcim/sites/12/", "", format!("{{{name}}}")),
        // What NetBox does not take a message with, or would keep it as data, is left alone.
        ("PATCH", "/api/users/config/", r#"{"a":1}"#, r#"{"a":1}"#.to_owned()),
        ("POST", "/api/extras/scripts/1/", r#"{"data":{}}"#, r#"{"data":{}}"#.to_owned()),
        ("POST", "/api/ipam/prefixes/1/available-ips/", r#"{"a":1}"#, r#"{"a":1}"#.to_owned()),
        ("POST", "/graphql/", r#"{"query":"{x}"}"#, r#"{"query":"{x}"}"#.to_owned()),
        ("PATCH", SITE, "not json", "not json".to_owned()),
    ] {
        let ask = proxy.ask(method, target).by("ansible");
        if body.is_empty() {
            ask.send().await;
        } else {
            ask.header("content-type", "application/json").body(body).send().await;
        }
        assert_eq!(received(&netbox), expected, "{method} {target}");
    }
    let form = proxy.ask("PATCH", SITE).by("ansible").header("content-type", "application/x-www-form-urlencoded");
    form.body("description=x").send().await;
    assert_eq!(received(&netbox), "description=x");
}

#[tokio::test]
async fn an_older_netbox_or_another_wish_leaves_writes_alone() {
    let old = FakeNetbox::builder().version("4.3.7").start().await;
    let older = proxy(&old).await;
    older.ask("PATCH", SITE).by("ansible").json(&json!({"description": "x"})).send().await;
    assert_eq!(received(&old), r#"{"description":"x"}"#);
    let netbox = FakeNetbox::start().await;
    let quiet = TestProxy::builder(&netbox).settings(&client("ansible")).start().await;
    quiet.ask("PATCH", SITE).by("ansible").json(&json!({"description": "x"})).send().await;
    assert_eq!(received(&netbox), r#"{"description":"x"}"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_write_has_a_line_in_the_audit_log_whatever_became_of_it() {
    let netbox = FakeNetbox::start().await;
    // The audit log is written even where little else is.
    let settings = format!("[log]\nfilter = \"error\"\n[upstream]\ntimeout = \"1s\"\n{}", client("ansible"));
    let daemon = Daemon::before(&netbox, &settings.replace("error", "error,nbproxy::server=info"));
    let ask = |method: &str, target: &str| Ask::new(method, &format!("{}{target}", daemon.url())).by("ansible");
    let done = ask("PATCH", SITE).json(&json!({"description": "secret-value"})).send().await;
    ask("GET", SITE).send().await;
    ask("DELETE", "/api/dcim/sites/999/").send().await;
    netbox.fault(Match::method("PUT"), Fault::ResetBeforeAnswer);
    ask("PUT", SITE).json(&json!({})).send().await;
    // Its client is told 504 and the write goes on; the line says what became of it.
    let hold = netbox.hold("POST", "/api/dcim/sites/", HoldPoint::BeforeAnswer);
    let late = start(ask("POST", "/api/dcim/sites/").json(&json!({"name": "n", "slug": "n"})).send());
    within(hold.arrived(1)).await;
    assert_eq!(late.await.expect("it ran").status, 504);
    hold.release();
    let (_, log) = daemon.stop();
    let lines = log.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let lines: Vec<Value> = lines.filter(|line| line["target"] == "nbproxy::audit").collect();
    let told: Vec<_> = lines
        .iter()
        .map(|line| ["caller", "method", "path", "status", "error"].map(|name| line[name].to_string()).join(" "))
        .map(|line| line.replace('"', ""))
        .collect();
    assert_eq!(
        told,
        [
            "ansible PATCH /api/dcim/sites/1/ 200 null",
            "ansible DELETE /api/dcim/sites/999/ 404 null",
            "ansible PUT /api/dcim/sites/1/ null broken-off",
            "ansible POST /api/dcim/sites/ 201 null",
        ]
    );
    assert_eq!(lines[0]["request_id"], done.header("x-request-id"));
    assert!(lines.iter().all(|line| line["peer"] == "127.0.0.1" && line["branch"] == "main"), "{lines:?}");
    assert!(!log.iter().any(|line| line.contains("secret-value")));
}
