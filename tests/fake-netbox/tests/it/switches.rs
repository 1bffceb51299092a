//! Holds, connections, stopping and starting again, extra paths.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fake_netbox::{FakeNetbox, HoldPoint};
use serde_json::json;

use crate::client::{Client, ask};

#[tokio::test]
async fn a_hold_before_reading_sees_later_changes_and_one_before_answering_does_not() {
    let fake = Arc::new(FakeNetbox::start().await);
    for (point, seen) in [(HoldPoint::BeforeRead, "new"), (HoldPoint::BeforeAnswer, "old")] {
        fake.edit("dcim/sites", 1, json!({"facility": "old"}));
        let hold = fake.hold("GET", "/api/dcim/sites/", point);
        let asking = {
            let fake = Arc::clone(&fake);
            #[expect(clippy::disallowed_methods, reason = "joined below")]
            tokio::spawn(async move { ask(&fake, "GET", "/api/dcim/sites/1/", "").await })
        };
        hold.arrived(1).await;
        fake.edit("dcim/sites", 1, json!({"facility": "new"}));
        hold.release();
        assert_eq!(asking.await.unwrap().json()["facility"], seen);
    }
}

#[tokio::test]
async fn held_requests_go_one_by_one_or_all_at_once() {
    let fake = FakeNetbox::start().await;
    let hold = fake.hold("*", "/api/", HoldPoint::BeforeRead);
    let ask = || ask(&fake, "GET", "/api/dcim/sites/", "");
    let steps = async {
        hold.arrived(3).await;
        assert_eq!((fake.in_flight(), fake.in_flight_peak(), hold.count()), (3, 3, 3));
        hold.release_one();
        while fake.in_flight() > 2 {
            tokio::task::yield_now().await;
        }
        drop(hold);
    };
    let (a, b, c, ()) = tokio::join!(ask(), ask(), ask(), steps);
    assert_eq!((a.status, b.status, c.status), (200, 200, 200));
    assert_eq!(fake.in_flight(), 0);
}

#[tokio::test]
async fn connections_are_kept_numbered_and_closed_when_idle() {
    let fake = FakeNetbox::start().await;
    let token = format!("Token {}", fake.token());
    let headers = [("Authorization", token.as_str()), ("X-Case", "Kept")];
    let mut client = Client::connect(&fake).await;
    for _ in 0..2 {
        assert_eq!(client.send("GET", "/api/?a=1&a=2", &headers, "").await.unwrap().status, 200);
    }
    let log = fake.log();
    assert_eq!((log[0].connection, log[1].connection, fake.connections()), (1, 1, 1));
    assert_eq!((log[0].target.as_str(), log[0].path.as_str()), ("/api/?a=1&a=2", "/api/"));
    assert_eq!(log[0].query, [("a".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())]);
    assert!(log[0].headers.contains(&("X-Case".to_owned(), "Kept".to_owned())));
    // A connection that idles already is closed as well.
    fake.idle_close(Duration::from_millis(20));
    client.closed().await;
    assert!(client.send("GET", "/api/", &headers, "").await.is_err());
    fake.clear_log();
    assert!(fake.log().is_empty());
}

#[tokio::test]
async fn a_reused_connection_can_be_closed_on_its_next_request() {
    let fake = FakeNetbox::start().await;
    let token = format!("Token {}", fake.token());
    let headers = [("Authorization", token.as_str())];
    let mut client = Client::connect(&fake).await;
    fake.close_after_answer_once_reused();
    assert_eq!(client.send("GET", "/api/", &headers, "").await.unwrap().status, 200);
    let error = client.send("GET", "/api/", &headers, "").await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
    assert_eq!((fake.dropped(), fake.count("GET", "/api/")), (1, 1));
    let mut client = Client::connect(&fake).await;
    for _ in 0..2 {
        assert_eq!(client.send("GET", "/api/", &headers, "").await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn it_stops_and_starts_again_on_its_port_with_its_data() {
    let fake = FakeNetbox::start().await;
    let address = fake.addr();
    fake.edit("dcim/sites", 1, json!({"facility": "kept"}));
    fake.stop().await;
    let refused = tokio::net::TcpStream::connect(address).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    fake.restart().await;
    assert_eq!(fake.addr(), address);
    assert_eq!(ask(&fake, "GET", "/api/dcim/sites/1/", "").await.json()["facility"], "kept");
}

#[tokio::test]
async fn extra_paths_answer_with_what_they_were_given() {
    let fake = FakeNetbox::start().await;
    fake.blob("/api/x/blob/", "application/json", Bytes::from_static(b"[1]"));
    fake.endless("/api/x/endless/", 5_000_000);
    let reply = ask(&fake, "GET", "/api/x/blob/", "").await;
    assert_eq!(
        (reply.status, reply.header("content-type"), reply.text()),
        (200, Some("application/json"), "[1]".to_owned())
    );
    let reply = ask(&fake, "GET", "/api/x/endless/", "").await;
    assert_eq!((reply.body.len(), reply.header("content-length")), (5_000_000, Some("5000000")));
    let url = format!("{}/api/x/endless/1/", fake.url());
    assert_eq!(reply.json()["results"][0]["url"], url);
}

#[tokio::test]
async fn version_and_plugins_change_while_it_runs() {
    let fake = FakeNetbox::start().await;
    fake.set_version("4.7.0");
    fake.set_plugins(&[("netbox_dns", "1.2.0")]);
    let reply = ask(&fake, "GET", "/api/status/", "").await;
    assert_eq!(reply.header("api-version"), Some("4.7"));
    assert_eq!(
        (&reply.json()["netbox-version"], &reply.json()["plugins"]),
        (&json!("4.7.0"), &json!({"netbox_dns": "1.2.0"}))
    );
}
