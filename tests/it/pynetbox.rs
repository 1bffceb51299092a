//! The real client: pynetbox makes a tour, once straight at FakeNetbox and once through nbproxy, and gets the same.

use std::path::PathBuf;

use fake_netbox::FakeNetbox;
use serde_json::Value;

use crate::support::{TestProxy, python};

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
    let key = blake3::hash(token.as_bytes()).to_hex();
    let client = format!(
        "[access]\nanonymous = \"write\"\n[[clients]]\nname = \"tour\"\nkey_hash = \"blake3:{key}\"\naccess = \"write\""
    );
    let proxy = TestProxy::builder(&netbox).settings(&client).start().await;
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
