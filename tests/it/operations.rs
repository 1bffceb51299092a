//! What operators see: alive, ready, figures.

use fake_netbox::FakeNetbox;

use crate::support::{Ask, TestProxy};

#[tokio::test]
async fn alive_at_once_and_ready_when_netbox_was_reached() {
    let netbox = FakeNetbox::start().await;
    netbox.stop().await;
    let proxy = TestProxy::builder(&netbox).start_unready().await;
    assert_eq!(proxy.admin("/healthz").await.status, 200);
    let unready = proxy.admin("/readyz").await;
    assert_eq!(unready.status, 503);
    assert!(unready.detail().contains("has not been reached"), "{}", unready.text());
    netbox.restart().await;
    proxy.ready().await;
    netbox.stop().await;
    assert_eq!(proxy.admin("/readyz").await.status, 200, "a NetBox that is down is what nbproxy is for");
}

#[tokio::test]
async fn figures_are_counted() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    for target in ["/api/dcim/sites/", "/api/dcim/sites/", "/api/dcim/sites/", "/api/made-up/endpoint/", "/elsewhere"] {
        proxy.get(target).await;
    }
    proxy.ask("DELETE", "/api/dcim/sites/9999/").send().await;
    for (name, value) in [
        ("nbproxy_requests_total{outcome=\"filled\",endpoint=\"dcim/sites\"}", 1.0),
        ("nbproxy_requests_total{outcome=\"hit\",endpoint=\"dcim/sites\"}", 2.0),
        ("nbproxy_requests_total{outcome=\"bypass\",endpoint=\"other\"}", 1.0),
        ("nbproxy_requests_total{outcome=\"failed\",endpoint=\"other\"}", 1.0),
        ("nbproxy_requests_total{outcome=\"write\",endpoint=\"dcim/sites\"}", 1.0),
        ("nbproxy_epoch_bumps_total{source=\"write\"}", 1.0),
        ("nbproxy_cache_entries", 1.0),
        ("nbproxy_upstream_in_flight", 0.0),
        ("nbproxy_ready", 1.0),
    ] {
        assert_eq!(proxy.metric(name).await, value, "{name}");
    }
    let text = proxy.admin("/metrics").await.text();
    assert!(!text.contains("made-up"), "a label holds what a client made up");
    assert!(text.ends_with("# EOF\n"), "it is not OpenMetrics");
}

#[tokio::test]
async fn the_admin_token_opens_the_figures_and_nothing_else_needs_it() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).settings("[admin]\ntoken = \"operators\"").start().await;
    assert_eq!(proxy.admin("/metrics").await.status, 403);
    let with = |value: &'static str| {
        let ask = Ask::new("GET", &format!("http://{}/metrics", proxy.admin_address())).header("authorization", value);
        async move { ask.send().await.status }
    };
    assert_eq!(with("Bearer operators").await, 200);
    assert_eq!((with("Bearer operator").await, with("Bearer ").await, with("Basic operators").await), (403, 403, 403));
    assert_eq!(proxy.admin("/readyz").await.status, 200);
    assert_eq!(proxy.admin("/nothing").await.status, 404);
    let public = proxy.get("/metrics").await;
    assert_eq!(public.status, 404, "operators' paths are not on the public listener");
}
