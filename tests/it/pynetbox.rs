//! The real client: pynetbox makes a tour, once straight at FakeNetbox and once through nbproxy, and gets the same.

use std::path::PathBuf;

use fake_netbox::FakeNetbox;
use serde_json::{Value, json};

use crate::support::{TestProxy, client_with_key, python, until};

async fn tour(url: String, token: String, branch: String) -> Value {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/pynetbox/tour.py");
    let run = move || python().arg(script).args([&url, &token, "--branch", &branch]).output().expect("python runs");
    let output = tokio::task::spawn_blocking(run).await.expect("it ran");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}\n{errors}", String::from_utf8_lossy(&output.stdout)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pynetbox_gets_the_same_through_nbproxy() {
    let netbox = FakeNetbox::start().await;
    let branch = netbox.add_branch("tour", "ready");
    let token = netbox.token().to_owned();
    let direct = tour(netbox.url(), token.clone(), branch.clone()).await;
    // The tour's token is nbproxy's client key, too, so that wrong ones are refused in both places; `create_token` sends none.
    let client = client_with_key("tour", &token, "access = \"write\"");
    let settings = format!("[access]\nanonymous = \"write\"\n{client}");
    let proxy = TestProxy::builder(&netbox).settings(&settings).start().await;
    let first = tour(proxy.url(), token.clone(), branch.clone()).await;
    let second = tour(proxy.url(), token, branch).await;
    let names = direct.as_object().expect("a tour tells results by name");
    assert!(names.len() >= 30, "a tour of {} sights", names.len());
    for (name, expected) in names {
        assert_eq!(&first[name], expected, "{name}, with an empty cache");
        assert_eq!(&second[name], expected, "{name}, with a full one");
    }
    assert!(proxy.metric("nbproxy_requests_total{outcome=\"hit\",endpoint=\"dcim/sites\"}").await > 0.0);
}

/// Whoever asks by the right names notices nothing of being held to them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pynetbox_gets_the_same_where_unknown_filters_are_refused() {
    let netbox = FakeNetbox::start().await;
    let branch = netbox.add_branch("tour", "ready");
    let token = netbox.token().to_owned();
    let direct = tour(netbox.url(), token.clone(), branch.clone()).await;
    let client = client_with_key("tour", &token, "access = \"write\"");
    let settings = format!("[access]\nanonymous = \"write\"\nstrict_filters = \"enforce\"\n{client}");
    let proxy = TestProxy::builder(&netbox).settings(&settings).start().await;
    until(async || proxy.metric("nbproxy_filters_known").await >= 1.0).await;
    let through = tour(proxy.url(), token, branch).await;
    for (name, expected) in direct.as_object().expect("a tour tells results by name") {
        if name == "filter_unknown" {
            assert_eq!(expected, 120, "NetBox answers with everything");
            assert_eq!((&through[name]["raised"], &through[name]["status"]), (&json!("RequestError"), &json!(400)));
            assert!(through[name]["error"].as_str().is_some_and(|text| text.contains("\"no_such_filter\"")));
        } else {
            assert_eq!(&through[name], expected, "{name}");
        }
    }
}
