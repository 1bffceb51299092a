//! Faults as a client meets them.

use std::io::ErrorKind;
use std::time::Duration;

use fake_netbox::{FakeNetbox, Fault, Match};
use serde_json::json;

use crate::client::{Client, ask};

const SITES: &str = "/api/dcim/sites/";

async fn fails(fake: &FakeNetbox, method: &str, target: &str, body: &str) -> ErrorKind {
    let mut client = Client::connect(fake).await;
    let token = format!("Token {}", fake.token());
    let headers = [("Authorization", token.as_str()), ("Content-Type", "application/json")];
    client.send(method, target, &headers, body).await.expect_err("the request fails").kind()
}

#[tokio::test]
async fn connections_break_in_the_way_that_was_asked_for() {
    let fake = FakeNetbox::start().await;
    for (fault, kind) in [
        (Fault::ResetBeforeAnswer, ErrorKind::ConnectionReset),
        (Fault::CloseBeforeAnswer, ErrorKind::UnexpectedEof),
        (Fault::ResetMidBody, ErrorKind::ConnectionReset),
        (Fault::Truncate, ErrorKind::UnexpectedEof),
    ] {
        fake.fault(Match::path("GET", SITES).times(1), fault.clone());
        assert_eq!(fails(&fake, "GET", SITES, "").await, kind, "{fault:?}");
        assert_eq!(ask(&fake, "GET", SITES, "").await.status, 200);
    }
    assert_eq!(fake.count("GET", SITES), 8);
}

#[tokio::test]
async fn a_write_may_happen_or_not_behind_a_failure() {
    let fake = FakeNetbox::start().await;
    let facility = || fake.get("dcim/sites", 1).unwrap()["facility"].clone();
    fake.fault(Match::method("PATCH").times(1), Fault::ResetBeforeAnswer);
    fails(&fake, "PATCH", "/api/dcim/sites/1/", r#"{"facility":"a"}"#).await;
    assert_eq!(facility(), "");
    fake.fault(Match::method("PATCH").times(1), Fault::ApplyThenReset);
    fails(&fake, "PATCH", "/api/dcim/sites/1/", r#"{"facility":"b"}"#).await;
    assert_eq!(facility(), "b");
    fake.fault(Match::method("PATCH").times(1), Fault::ApplyThenStatus(502));
    let reply = ask(&fake, "PATCH", "/api/dcim/sites/1/", r#"{"facility":"c"}"#).await;
    assert_eq!((reply.status, facility()), (502, json!("c")));
    fake.fault(Match::any().times(1), Fault::Status(503, "text/html", "<h1>down</h1>".to_owned()));
    let reply = ask(&fake, "PATCH", "/api/dcim/sites/1/", r#"{"facility":"d"}"#).await;
    assert_eq!((reply.status, reply.text(), facility()), (503, "<h1>down</h1>".to_owned(), json!("c")));
}

#[tokio::test]
async fn answers_can_be_other_than_they_should() {
    let fake = FakeNetbox::start().await;
    let normal = ask(&fake, "GET", SITES, "").await;
    fake.fault(Match::path("GET", SITES).times(1), Fault::Chunked);
    let reply = ask(&fake, "GET", SITES, "").await;
    assert_eq!((reply.header("content-length"), &reply.body), (None, &normal.body));
    fake.fault(Match::path("GET", SITES).times(1), Fault::Slow { chunk: 5000, pause: Duration::ZERO });
    assert_eq!(ask(&fake, "GET", SITES, "").await.body, normal.body);
    fake.fault(Match::path("GET", SITES).times(1), Fault::SetCookie);
    assert!(ask(&fake, "GET", SITES, "").await.header("set-cookie").is_some());
    fake.fault(Match::path("GET", SITES).times(1), Fault::Html200);
    let reply = ask(&fake, "GET", SITES, "").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/html; charset=utf-8")));
    fake.fault(Match::path("GET", SITES).times(1), Fault::Redirect("http://elsewhere/".to_owned()));
    let reply = ask(&fake, "GET", SITES, "").await;
    assert_eq!((reply.status, reply.header("location")), (302, Some("http://elsewhere/")));
    fake.fault(Match::path("GET", SITES), Fault::WrongJson("{\"count\":".to_owned()));
    assert_eq!(ask(&fake, "GET", SITES, "").await.text(), "{\"count\":");
    fake.clear_faults();
    assert_eq!(ask(&fake, "GET", SITES, "").await.body, normal.body);
}

#[tokio::test]
async fn a_match_can_skip_and_count() {
    let fake = FakeNetbox::start().await;
    let broken = || Fault::Status(502, "text/html", String::new());
    fake.fault(Match::prefix("GET", "/api/dcim/").skip(2).times(1), broken());
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(ask(&fake, "GET", SITES, "").await.status);
    }
    assert_eq!(seen, [200, 200, 502, 200]);
}

#[tokio::test]
async fn a_hanging_request_ends_when_the_server_stops() {
    let fake = FakeNetbox::start().await;
    fake.fault(Match::any(), Fault::Hang);
    let asking = fails(&fake, "GET", SITES, "");
    let stopping = async {
        while fake.in_flight() == 0 {
            tokio::task::yield_now().await;
        }
        fake.stop().await;
    };
    let (kind, ()) = tokio::join!(asking, stopping);
    assert_eq!(kind, ErrorKind::UnexpectedEof);
}
