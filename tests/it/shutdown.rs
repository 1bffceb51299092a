//! SIGTERM drains: what is under way is answered, what is new is refused, and it ends in time.

use fake_netbox::{FakeNetbox, HoldPoint};
use serde_json::json;
use tokio::net::TcpStream;

use crate::support::{Ask, Raw, TestProxy, start, until};

#[tokio::test]
async fn requests_under_way_are_answered_and_new_ones_refused() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let (address, mut idle) = (proxy.address(), Raw::connect(proxy.address()).await);
    let hold = netbox.hold("GET", "/api/dcim/sites/", HoldPoint::BeforeAnswer);
    let reader = start(proxy.ask("GET", "/api/dcim/sites/").send());
    hold.arrived(1).await;
    let stopped = proxy.stop();
    until(async || TcpStream::connect(address).await.is_err()).await;
    assert_eq!(idle.rest().await, "", "idle connections are closed");
    assert!(!stopped.is_finished());
    hold.release();
    assert_eq!(reader.await.expect("it ran").status, 200);
    stopped.await.expect("it ends");
}

#[tokio::test]
async fn a_write_whose_client_is_gone_is_waited_for() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let hold = netbox.hold("PATCH", "/api/dcim/sites/1/", HoldPoint::BeforeRead);
    let write = start(proxy.ask("PATCH", "/api/dcim/sites/1/").json(&json!({"description": "x"})).try_send());
    hold.arrived(1).await;
    write.abort();
    let (address, admin) = (proxy.address(), proxy.admin_address());
    let stopped = proxy.stop();
    until(async || TcpStream::connect(address).await.is_err()).await;
    // Operators can watch until everything has ended: the write is what is waited for.
    for _ in 0..50 {
        let draining = Ask::new("GET", &format!("http://{admin}/readyz")).send().await;
        assert_eq!((draining.status, draining.detail().as_str()), (503, "shutting down"));
    }
    hold.release();
    stopped.await.expect("it ends");
    assert_eq!(netbox.get("dcim/sites", 1).expect("it is there")["description"], "x");
}

#[tokio::test]
async fn the_grace_time_ends_it() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).settings("[server]\nshutdown_grace = \"100ms\"").start().await;
    let hold = netbox.hold("GET", "/api/dcim/sites/", HoldPoint::BeforeAnswer);
    let reader = start(proxy.ask("GET", "/api/dcim/sites/").try_send());
    hold.arrived(1).await;
    proxy.stop().await.expect("it ends although NetBox does not answer");
    assert!(reader.await.expect("it ran").is_err());
    drop(hold);
}
