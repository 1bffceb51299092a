//! One walk, one state: pages that a client reads one after the other.

use fake_netbox::FakeNetbox;
use serde_json::json;

use crate::support::TestProxy;

const BROKEN: &str = "nbproxy_walks_broken_total";

fn page(offset: u64) -> String {
    if offset == 0 {
        "/api/dcim/sites/?limit=2".to_owned()
    } else {
        format!("/api/dcim/sites/?limit=2&offset={offset}")
    }
}

#[tokio::test]
async fn a_change_amid_a_walk_is_said_and_counted() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    // All pages are in memory.
    for offset in [0, 2, 4, 6] {
        assert_eq!(proxy.get(&page(offset)).await.json()["results"].as_array().map(Vec::len), Some(2));
    }
    for offset in [0, 2, 4] {
        assert!(proxy.get(&page(offset)).await.is_hit());
    }
    proxy.ask("PATCH", "/api/dcim/sites/1/").json(&json!({"description": "x"})).send().await;
    let next = proxy.get(&page(6)).await;
    assert_eq!(next.cache(), "fwd=stale; stored; detail=walk-changed", "it is fetched anew, and said");
    assert_eq!(proxy.metric(BROKEN).await, 1.0);
    let after = proxy.get(&page(8)).await;
    assert_eq!(after.cache(), "fwd=miss; stored", "from here on it is of one state again");
    assert_eq!(proxy.metric(BROKEN).await, 1.0);
}

/// Two pages between which nothing is known to have changed may stand for the time before a change and after it.
#[tokio::test]
async fn a_walk_while_a_job_runs_is_of_no_one_state() {
    let netbox = FakeNetbox::start().await;
    let script = format!("/api/extras/scripts/{}/", netbox.create("extras/scripts", json!({"name": "Renumber"})));
    let proxy = TestProxy::before(&netbox).await;
    proxy.get(&page(0)).await;
    assert_eq!(proxy.get(&page(2)).await.cache(), "fwd=miss; stored");
    proxy.ask("POST", &script).json(&json!({"data": {}, "commit": true})).send().await;
    proxy.get(&page(0)).await;
    assert!(proxy.get(&page(2)).await.cache().ends_with("detail=walk-changed"));
    assert_eq!(proxy.metric(BROKEN).await, 1.0);
}

#[tokio::test]
async fn a_walk_that_begins_anew_is_whole_and_others_are_others() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let change = async || {
        proxy.ask("PATCH", "/api/dcim/sites/1/").json(&json!({"description": "x"})).send().await;
    };
    proxy.get(&page(0)).await;
    change().await;
    proxy.get(&page(0)).await;
    assert_eq!(proxy.get(&page(2)).await.cache(), "fwd=miss; stored", "a first page begins a walk");
    change().await;
    let other = proxy.get("/api/dcim/sites/?limit=2&offset=2&name__n=x").await;
    assert_eq!(other.cache(), "fwd=miss; stored", "other filters, another walk");
    assert_eq!(proxy.metric(BROKEN).await, 0.0);
    // As pynetbox asks: the first page by its own size, the others by the links, cursor or offset.
    proxy.get("/api/dcim/regions/").await;
    change().await;
    proxy.get("/api/dcim/regions/?limit=50&offset=50").await;
    assert_eq!(proxy.metric(BROKEN).await, 0.0, "they are one page: nobody walks on from there");
    proxy.get("/api/dcim/devices/").await;
    change().await;
    proxy.get("/api/dcim/devices/?limit=50&offset=50").await;
    assert_eq!(proxy.metric(BROKEN).await, 1.0);
    proxy.get("/api/dcim/devices/?limit=2&start=0").await;
    change().await;
    proxy.get("/api/dcim/devices/?limit=2&start=3").await;
    assert_eq!(proxy.metric(BROKEN).await, 2.0);
}
