//! Branches: how they are chosen, what is refused, and what jobs do.

use fake_netbox::FakeNetbox;
use serde_json::{Value, json};

use crate::client::{Reply, ask, ask_with};

async fn in_branch(fake: &FakeNetbox, schema: &str, method: &str, target: &str, body: &str) -> Reply {
    ask_with(fake, method, target, &[("X-NetBox-Branch", schema)], body).await
}

#[tokio::test]
async fn a_branch_is_a_copy_that_main_does_not_see() {
    let fake = FakeNetbox::start().await;
    let schema = fake.add_branch("b", "ready");
    let made = in_branch(&fake, &schema, "POST", "/api/dcim/sites/", r#"{"name":"x","slug":"x"}"#).await;
    assert_eq!(made.status, 201);
    let count = async |headers: &[(&str, &str)], target: &str| {
        ask_with(&fake, "GET", target, headers, "").await.json()["count"].clone()
    };
    let sites = "/api/dcim/sites/?limit=1";
    assert_eq!(count(&[], sites).await, 10);
    assert_eq!(count(&[("X-NetBox-Branch", &schema)], sites).await, 11);
    let cookie = format!("active_branch={schema}");
    assert_eq!(count(&[("Cookie", &cookie)], sites).await, 11);
    assert_eq!(count(&[("Cookie", "active_branch=nosuchbr")], sites).await, 10);
    assert_eq!(count(&[], &format!("{sites}&_branch={schema}")).await, 11);
    assert_eq!(count(&[("Cookie", &cookie)], &format!("{sites}&_branch=")).await, 10);
    // Ids come from one sequence.
    assert_eq!(fake.create("dcim/sites", json!({"name": "y", "slug": "y"})), made.json()["id"].as_u64().unwrap() + 1);
    // What cannot be branched is main's in every branch.
    let hook = json!({"name": "h", "payload_url": "http://h/"}).to_string();
    assert_eq!(in_branch(&fake, &schema, "POST", "/api/extras/webhooks/", &hook).await.status, 201);
    assert_eq!(count(&[], "/api/extras/webhooks/").await, 2);
}

#[tokio::test]
async fn an_unknown_branch_is_refused_before_the_token_is_looked_at() {
    let fake = FakeNetbox::start().await;
    fake.add_branch("feature", "ready");
    for name in ["nosuchbr", "", "feature", "NOSUCHBR"] {
        let reply = crate::client::raw(&fake, "GET", "/api/dcim/sites/", &[("X-NetBox-Branch", name)], "").await;
        assert_eq!((reply.status, reply.text().as_str()), (400, "Invalid branch identifier"), "{name}");
        assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!((reply.header("api-version"), reply.header("allow")), (Some("4.6"), None));
        assert_eq!(reply.names()[4..6], ["X-Request-ID", "Vary"]);
    }
    let reply = in_branch(&fake, "nosuchbr", "GET", "/api/status/", "").await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn a_branch_that_is_not_ready_breaks_or_falls_back_to_main() {
    let fake = FakeNetbox::start().await;
    let schema = fake.add_branch("b", "ready");
    fake.edit_in(&schema, "dcim/sites", 1, json!({"facility": "branch"}));
    fake.set_branch_status(&schema, "merging");
    let reply = in_branch(&fake, &schema, "GET", "/api/dcim/sites/1/", "").await;
    assert_eq!((reply.status, &reply.json()["exception"]), (500, &json!("AttributeError")));
    // What has no tags, and is main's in every branch, is not broken by it.
    assert_eq!(in_branch(&fake, &schema, "GET", "/api/extras/webhooks/", "").await.status, 500);
    assert_eq!(in_branch(&fake, &schema, "GET", "/api/extras/custom-fields/", "").await.status, 200);
    let reply = ask(&fake, "GET", &format!("/api/dcim/sites/1/?_branch={schema}"), "").await;
    assert_eq!((reply.status, &reply.json()["facility"]), (200, &json!("")));
    assert!(reply.header("set-cookie").unwrap().starts_with("messages="));
}

#[tokio::test]
async fn jobs_provision_sync_merge_and_revert() {
    let fake = FakeNetbox::start().await;
    let path = "/api/plugins/branching/branches/";
    let made = ask(&fake, "POST", path, r#"{"name":"b"}"#).await.json();
    let schema = made["schema_id"].as_str().unwrap().to_owned();
    assert_eq!((&made["status"]["value"], &made["last_sync"]), (&json!("new"), &json!(null)));
    fake.finish_jobs();
    fake.edit("dcim/sites", 1, json!({"facility": "main"}));
    fake.edit_in(&schema, "dcim/sites", 2, json!({"facility": "branch"}));
    let seen = |json: Value| (json["facility"].as_str().unwrap().to_owned(), json["name"].clone());
    let job = ask(&fake, "POST", &format!("{path}1/sync/"), r#"{"commit":true}"#).await.json();
    assert_eq!((&job["status"]["value"], &job["object_type"]), (&json!("pending"), &json!("netbox_branching.branch")));
    let status = async || ask(&fake, "GET", &format!("{path}1/"), "").await.json()["status"]["value"].clone();
    assert_eq!(status().await, "ready", "the branch learns of its job when that begins");
    fake.start_jobs();
    assert_eq!(status().await, "syncing");
    fake.finish_jobs();
    let job = ask(&fake, "GET", &format!("/api/core/jobs/{}/", job["id"]), "").await.json();
    assert_eq!(job["status"]["value"], "completed");
    let one = in_branch(&fake, &schema, "GET", "/api/dcim/sites/1/", "").await.json();
    let two = in_branch(&fake, &schema, "GET", "/api/dcim/sites/2/", "").await.json();
    assert_eq!((seen(one).0.as_str(), seen(two).0.as_str()), ("main", "branch"));
    ask(&fake, "POST", &format!("{path}1/merge/"), r#"{"commit":true}"#).await;
    assert_eq!(fake.get("dcim/sites", 2).unwrap()["facility"], "");
    fake.finish_jobs();
    assert_eq!(fake.get("dcim/sites", 2).unwrap()["facility"], "branch");
    let log = ask(&fake, "GET", "/api/core/object-changes/?limit=1", "").await.json();
    assert_eq!(log["results"][0]["postchange_data"]["facility"], "branch");
    let refused = ask(&fake, "POST", &format!("{path}1/merge/"), "{}").await;
    assert_eq!((refused.status, refused.text().as_str()), (400, "Branch is not ready to merge."));
    ask(&fake, "POST", &format!("{path}1/revert/"), "{}").await;
    fake.finish_jobs();
    assert_eq!(fake.get("dcim/sites", 2).unwrap()["facility"], "");
}

#[tokio::test]
async fn without_the_plugin_there_are_no_branches() {
    let fake = FakeNetbox::builder().plugins(&[]).start().await;
    assert_eq!(in_branch(&fake, "nosuchbr", "GET", "/api/dcim/sites/", "").await.status, 200);
    assert_eq!(ask(&fake, "GET", "/api/plugins/branching/branches/", "").await.status, 404);
    assert_eq!(ask(&fake, "GET", "/api/status/", "").await.json()["plugins"], json!({}));
}
