//! One fetch for all who ask at once, and no more at NetBox than it was promised.

use std::sync::Arc;

use fake_netbox::{FakeNetbox, Fault, HoldPoint, Match};

use crate::support::{TestProxy, start, until, within};

#[tokio::test]
async fn two_hundred_askers_cause_one_request() {
    let netbox = FakeNetbox::start().await;
    let proxy = Arc::new(TestProxy::before(&netbox).await);
    let hold = netbox.hold("GET", "/api/dcim/sites/", HoldPoint::BeforeAnswer);
    let askers: Vec<_> = (0..200)
        .map(|_| {
            start({
                let ask = proxy.ask("GET", "/api/dcim/sites/");
                async move { ask.send().await }
            })
        })
        .collect();
    hold.arrived(1).await;
    proxy.wait_for_requests(200).await;
    hold.release();
    let mut outcomes = Vec::new();
    for asker in askers {
        let answer = asker.await.expect("it ran");
        assert_eq!(answer.status, 200);
        outcomes.push(answer.cache().to_owned());
    }
    assert_eq!(netbox.count("GET", "/api/dcim/sites/"), 1);
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "fwd=miss; stored").count(), 1);
}

#[tokio::test]
async fn the_first_asker_may_hang_up() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let hold = netbox.hold("GET", "/api/dcim/sites/", HoldPoint::BeforeAnswer);
    let first = start(proxy.ask("GET", "/api/dcim/sites/").try_send());
    hold.arrived(1).await;
    let second = start(proxy.ask("GET", "/api/dcim/sites/").try_send());
    first.abort();
    assert!(first.await.is_err());
    hold.release();
    let answer = second.await.expect("it ran").expect("it is answered");
    assert_eq!(answer.status, 200);
    assert_eq!(netbox.count("GET", "/api/dcim/sites/"), 1);
    assert!(proxy.get("/api/dcim/sites/").await.is_hit());
}

#[tokio::test]
async fn a_failure_is_told_to_each_once_and_the_next_asker_tries_again() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let hold = netbox.hold("GET", "/api/dcim/sites/", HoldPoint::BeforeRead);
    let failure = Fault::Status(500, "application/json", "{\"error\":\"x\"}".to_owned());
    netbox.fault(Match::path("GET", "/api/dcim/sites/").times(1), failure);
    let askers: Vec<_> = (0..20).map(|_| start(proxy.ask("GET", "/api/dcim/sites/").send())).collect();
    hold.arrived(1).await;
    proxy.wait_for_requests(20).await;
    hold.release();
    for asker in askers {
        assert_eq!(asker.await.expect("it ran").status, 500);
    }
    assert_eq!(netbox.count("GET", "/api/dcim/sites/"), 1);
    assert_eq!(proxy.get("/api/dcim/sites/").await.status, 200);
    assert_eq!(netbox.count("GET", "/api/dcim/sites/"), 2);
}

#[tokio::test]
async fn no_more_than_was_promised_are_at_netbox() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).settings("[upstream]\nmax_in_flight = 3").start().await;
    let hold = netbox.hold("GET", "/api/dcim/devices/", HoldPoint::BeforeAnswer);
    let askers: Vec<_> =
        (1..=20).map(|id| start(proxy.ask("GET", &format!("/api/dcim/devices/{id}/")).send())).collect();
    hold.arrived(3).await;
    until(async || proxy.metric("nbproxy_upstream_waiting").await >= 17.0).await;
    assert_eq!(proxy.metric("nbproxy_upstream_in_flight").await, 3.0);
    hold.release();
    for asker in askers {
        assert_eq!(asker.await.expect("it ran").status, 200);
    }
    assert_eq!(netbox.in_flight_peak(), 3);
}

#[tokio::test]
async fn a_full_queue_is_said_at_once_and_a_slow_one_in_time() {
    let netbox = FakeNetbox::start().await;
    let settings = "[upstream]\nmax_in_flight = 1\nqueue = 1\nqueue_timeout = \"100ms\"";
    let proxy = TestProxy::builder(&netbox).settings(settings).start().await;
    let hold = netbox.hold("GET", "/api/dcim/devices/", HoldPoint::BeforeAnswer);
    let first = start(proxy.ask("GET", "/api/dcim/devices/1/").send());
    hold.arrived(1).await;
    let second = start(proxy.ask("GET", "/api/dcim/devices/2/").send());
    within(async {
        while proxy.metric("nbproxy_upstream_waiting").await < 1.0 && !second.is_finished() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let third = proxy.get("/api/dcim/devices/3/").await;
    assert_eq!((third.status, third.header("retry-after")), (503, "2"));
    assert_eq!(third.detail(), "Too many requests wait for NetBox already.");
    let second = second.await.expect("it ran");
    assert_eq!((second.status, second.detail().contains("busy")), (503, true), "{}", second.text());
    hold.release();
    assert_eq!(first.await.expect("it ran").status, 200);
    assert_eq!(netbox.count("GET", "/api/dcim/devices/3/"), 0);
}
