//! Branches: named by header or parameter, never by cookie, and never mixed.

use fake_netbox::FakeNetbox;
use serde_json::json;

use crate::support::TestProxy;

#[tokio::test]
async fn two_branches_never_share_an_answer() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let (one, two) = (netbox.add_branch("one", "ready"), netbox.add_branch("two", "ready"));
    for (branch, text) in [(&one, "in one"), (&two, "in two")] {
        let patch = proxy.ask("PATCH", "/api/dcim/sites/1/").header("x-netbox-branch", branch);
        assert_eq!(patch.json(&json!({"description": text})).send().await.status, 200);
    }
    for _ in 0..2 {
        for (branch, text) in [(&one, "in one"), (&two, "in two")] {
            let answer = proxy.ask("GET", "/api/dcim/sites/1/").header("X-NetBox-Branch", branch).send().await;
            assert_eq!(answer.json()["description"], text);
        }
        assert_eq!(proxy.get("/api/dcim/sites/1/").await.json()["description"], "");
    }
    assert_eq!(netbox.count("GET", "/api/dcim/sites/1/"), 3, "each view was fetched once and remembered");
}

#[tokio::test]
async fn the_parameter_means_the_same_and_stays_in_next() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let branch = netbox.add_branch("one", "ready");
    let patch = proxy.ask("PATCH", "/api/dcim/sites/1/").header("x-netbox-branch", &branch);
    patch.json(&json!({"description": "in one"})).send().await;
    netbox.clear_log();
    let page = proxy.get(&format!("/api/dcim/sites/?limit=1&_branch={branch}")).await;
    assert_eq!(page.json()["results"][0]["description"], "in one");
    assert!(page.json()["next"].as_str().expect("there is more").contains(&format!("_branch={branch}")));
    assert_eq!(netbox.log()[0].header("x-netbox-branch"), Some(branch.as_str()));
    let main = proxy.get("/api/dcim/sites/?limit=1&_branch=").await;
    assert_eq!(main.json()["results"][0]["description"], "");
}

#[tokio::test]
async fn what_is_no_branch_is_refused_in_json() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    netbox.clear_log();
    for name in ["", "Upper123", "short", "toolong12", "has space", "branch_x"] {
        let answer = proxy.ask("GET", "/api/dcim/sites/").header("x-netbox-branch", name).send().await;
        assert_eq!(answer.status, 400, "{name}");
        assert!(answer.detail().contains("schema_id"), "{}", answer.text());
    }
    let both = proxy.ask("GET", "/api/dcim/sites/?_branch=abcdefgh").header("x-netbox-branch", "abcdefgi").send().await;
    assert_eq!((both.status, both.detail().contains("different branches")), (400, true));
    assert!(netbox.log().is_empty());
}

#[tokio::test]
async fn the_cookie_is_dropped() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let branch = netbox.add_branch("one", "ready");
    let patch = proxy.ask("PATCH", "/api/dcim/sites/1/").header("x-netbox-branch", &branch);
    patch.json(&json!({"description": "in one"})).send().await;
    let cookie = format!("active_branch={branch}");
    let answer = proxy.ask("GET", "/api/dcim/sites/1/").header("cookie", &cookie).send().await;
    assert_eq!(answer.json()["description"], "");
}

/// Models that branching exempts are main's, whatever the header says: a write to one concerns every branch.
#[tokio::test]
async fn a_write_to_what_branches_share_is_seen_in_all_of_them() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let (one, two) = (netbox.add_branch("one", "ready"), netbox.add_branch("two", "ready"));
    let made = proxy.ask("POST", "/api/extras/custom-fields/");
    let made = made.json(&json!({"name": "cf", "type": "text", "object_types": ["dcim.site"]})).send().await;
    assert_eq!(made.status, 201, "{}", made.text());
    let field = format!("/api/extras/custom-fields/{}/", made.json()["id"]);
    let label = |branch: String| {
        let ask = proxy.ask("GET", &field).header("x-netbox-branch", &branch);
        async move { ask.send().await.json()["description"].clone() }
    };
    assert_eq!(label(two.clone()).await, "");
    let patch = proxy.ask("PATCH", &field).header("x-netbox-branch", &one);
    assert_eq!(patch.json(&json!({"description": "new"})).send().await.status, 200);
    assert_eq!(label(two).await, "new");
    assert_eq!(proxy.get(&field).await.json()["description"], "new");
}

/// Without the plugin the header has no effect: what looks like a write to a branch is one to main.
#[tokio::test]
async fn without_the_plugin_a_branchs_write_is_mains() {
    let netbox = FakeNetbox::builder().plugins(&[]).start().await;
    let proxy = TestProxy::before(&netbox).await;
    assert_eq!(proxy.get("/api/dcim/sites/1/").await.json()["description"], "");
    let patch = proxy.ask("PATCH", "/api/dcim/sites/1/").header("x-netbox-branch", "abcdefgh");
    assert_eq!(patch.json(&json!({"description": "new"})).send().await.status, 200);
    assert_eq!(proxy.get("/api/dcim/sites/1/").await.json()["description"], "new");
}
