//! NetBox's API under nbproxy's address: every method, every app, and nothing else.

use fake_netbox::FakeNetbox;
use serde_json::json;

use crate::support::{Raw, TestProxy};

#[tokio::test]
async fn every_method_reaches_netbox() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let made = proxy.ask("POST", "/api/dcim/sites/").json(&json!({"name": "S", "slug": "s"})).send().await;
    assert_eq!(made.status, 201, "{}", made.text());
    let site = format!("/api/dcim/sites/{}/", made.json()["id"]);
    assert_eq!(proxy.get(&site).await.json()["name"], "S");
    let patched = proxy.ask("PATCH", &site).json(&json!({"description": "d"})).send().await;
    assert_eq!((patched.status, patched.json()["description"].clone()), (200, json!("d")));
    let put = proxy.ask("PUT", &site).json(&json!({"name": "T", "slug": "t"})).send().await;
    assert_eq!((put.status, put.json()["name"].clone()), (200, json!("T")));
    let options = proxy.ask("OPTIONS", "/api/dcim/sites/").send().await;
    assert_eq!((options.status, options.cache()), (200, "fwd=miss; stored"));
    assert!(options.json()["actions"]["POST"].is_object());
    assert_eq!(proxy.ask("DELETE", &site).send().await.status, 204);
    assert_eq!(proxy.get(&site).await.status, 404);
    for method in ["POST", "PATCH", "PUT", "OPTIONS", "DELETE"] {
        assert!(netbox.log().iter().any(|request| request.method == method), "{method} did not arrive");
    }
}

#[tokio::test]
async fn netbox_answers_for_what_it_does_not_have() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let answer = proxy.get("/api/no-such-app/things/").await;
    assert_eq!(answer.status, 404);
    assert!(answer.header("content-type").starts_with("text/html"), "NetBox's own page is passed on");
    assert_eq!(answer.header("set-cookie"), "", "cookies end at nbproxy");
    assert_eq!(netbox.count("GET", "/api/no-such-app/things/"), 1);
}

#[tokio::test]
async fn plugins_are_mirrored() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    assert_eq!(proxy.get("/api/plugins/branching/branches/").await.json()["count"], 0);
    assert!(proxy.get("/api/plugins/installed-plugins/").await.json().is_array());
}

#[tokio::test]
async fn graphql_is_passed_through() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let query = json!({"query": "{ site_list { id name } }"});
    for _ in 0..2 {
        let answer = proxy.ask("POST", "/graphql/").json(&query).send().await;
        assert!(answer.json()["data"]["site_list"].is_array(), "{}", answer.text());
    }
    assert_eq!(netbox.count("POST", "/graphql/"), 2);
}

#[tokio::test]
async fn everything_else_is_not_found_and_says_what_is_mirrored() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    netbox.clear_log();
    for path in
        ["/", "/login/", "/dcim/sites/", "/API/dcim/sites/", "/static/x.js", "/api.json", "/metrics", "/healthz"]
    {
        let answer = proxy.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.detail().contains("/api/"), "{}", answer.text());
    }
    assert!(netbox.log().is_empty());
}

#[tokio::test]
async fn netboxs_sub_path_is_nbproxys_too() {
    let netbox = FakeNetbox::builder().base_path("/nbx").start().await;
    let proxy = TestProxy::before(&netbox).await;
    assert!(proxy.url().ends_with("/nbx"));
    let page = proxy.get("/api/dcim/sites/?limit=1").await;
    let next = page.json()["next"].as_str().expect("there is more").to_owned();
    assert!(next.starts_with(&format!("{}/api/dcim/sites/?", proxy.url())), "{next}");
    let outside = crate::support::Ask::new("GET", &format!("http://{}/api/dcim/sites/", proxy.address())).send().await;
    assert_eq!(outside.status, 404);
}

#[tokio::test]
async fn a_path_without_its_slash_is_redirected_by_netbox() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let answer = proxy.get("/api/dcim/sites").await;
    assert_eq!((answer.status, answer.header("location")), (301, "/api/dcim/sites/"));
    assert_eq!(proxy.ask("POST", "/api/dcim/sites").json(&json!({})).send().await.status, 404);
}

#[tokio::test]
async fn a_target_in_absolute_form_is_understood() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let mut raw = Raw::connect(proxy.address()).await;
    raw.write(
        "GET http://named.example:99/api/dcim/sites/?limit=1 HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n",
    )
    .await;
    let answer = raw.rest().await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("\"next\":\"http://named.example:99/api/dcim/sites/"), "{answer}");
}
