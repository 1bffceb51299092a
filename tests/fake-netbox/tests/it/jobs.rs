//! Jobs that are not a branch's: data sources, scripts, bulk writes in the background.

use fake_netbox::FakeNetbox;
use serde_json::{Value, json};

use crate::client::ask;

async fn jobs(fake: &FakeNetbox, of: u64) -> Vec<(String, String)> {
    let list = ask(fake, "GET", &format!("/api/core/jobs/?object_id={of}&ordering=-created"), "").await.json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = list["results"].as_array().expect("a list");
    rows.iter().map(|row| (text(&row["object_type"]), text(&row["status"]["value"]))).collect()
}

#[tokio::test]
async fn a_data_source_is_synchronized_by_a_job_that_its_answer_does_not_name() {
    let fake = FakeNetbox::start().await;
    let body = r#"{"name":"ds","source_url":"/srv/files"}"#;
    let made = ask(&fake, "POST", "/api/core/data-sources/", body).await.json();
    assert!(jobs(&fake, 1).await.is_empty());
    let sync = ask(&fake, "POST", "/api/core/data-sources/1/sync/", "").await;
    assert_eq!((sync.status, &sync.json()["status"]), (200, &made["status"]));
    assert_eq!(jobs(&fake, 1).await, [("core.datasource".to_owned(), "pending".to_owned())]);
    fake.start_jobs();
    assert_eq!(jobs(&fake, 1).await[0].1, "running");
    fake.finish_jobs();
    assert_eq!(jobs(&fake, 1).await[0].1, "completed");
    let source = ask(&fake, "GET", "/api/core/data-sources/1/", "").await.json();
    assert_eq!(source["status"]["value"], "completed");
    // With an interval it is synchronized when it is saved, unless it is about to be.
    for _ in 0..2 {
        ask(&fake, "PATCH", "/api/core/data-sources/1/", r#"{"sync_interval":60}"#).await;
        assert_eq!(jobs(&fake, 1).await.len(), 2);
    }
}

#[tokio::test]
async fn a_script_is_run_now_or_later() {
    let fake = FakeNetbox::start().await;
    let script = fake.create("extras/scripts", json!({"name": "Renumber"}));
    let path = format!("/api/extras/scripts/{script}/");
    let run = ask(&fake, "POST", &path, r#"{"data":{},"commit":true}"#).await;
    assert_eq!((run.status, &run.json()["result"]["status"]["value"]), (200, &json!("pending")));
    fake.start_jobs();
    fake.fail_jobs();
    assert_eq!(jobs(&fake, script).await, [("extras.script".to_owned(), "errored".to_owned())]);
    ask(&fake, "POST", &path, r#"{"data":{},"commit":true,"schedule_at":"2030-01-01T00:00:00Z"}"#).await;
    fake.finish_jobs();
    assert_eq!(jobs(&fake, script).await[0].1, "scheduled");
    assert_eq!(ask(&fake, "POST", "/api/extras/scripts/99/", "{}").await.status, 404);
    assert_eq!(ask(&fake, "PATCH", &path, "{}").await.status, 405);
}

#[tokio::test]
async fn bulk_writes_go_to_the_background_from_4_7_on() {
    let fake = FakeNetbox::start().await;
    let write = async |method: &str, body: &str| ask(&fake, method, "/api/dcim/sites/?background=true", body).await;
    assert_eq!(write("PATCH", r#"[{"id":1,"facility":"a"}]"#).await.status, 200, "unknown before");
    fake.set_version("4.7.0");
    let accepted = write("PATCH", r#"[{"id":1,"facility":"b"}]"#).await;
    let job = &accepted.json()["job"];
    assert_eq!((accepted.status, &job["status"]), (202, &json!("pending")));
    assert_eq!(accepted.header("location"), job["url"].as_str());
    assert_eq!(write("POST", r#"{"name":"x","slug":"x"}"#).await.status, 201, "one object is written at once");
    assert_eq!(fake.get("dcim/sites", 1).unwrap()["facility"], "a");
    fake.finish_jobs();
    assert_eq!(fake.get("dcim/sites", 1).unwrap()["facility"], "b");
    // What is refused is refused by the job.
    assert_eq!(write("POST", r#"[{"name":"y","slug":"x"}]"#).await.status, 202);
    fake.finish_jobs();
    let last = ask(&fake, "GET", "/api/core/jobs/?ordering=-created&limit=1", "").await.json();
    assert_eq!(last["results"][0]["status"]["value"], "failed");
}
