//! The program's log: a line for each request, and no secret in any of them.

use fake_netbox::{FakeNetbox, Fault, HoldPoint, Match};
use serde_json::{Value, json};

use crate::support::{Ask, Daemon, client_with_key, figure, start, until};

const CLIENT_KEY: &str = "a-clients-own-key";

fn daemon(netbox: &FakeNetbox) -> Daemon {
    let client = client_with_key("tests", CLIENT_KEY, "access = \"write\"");
    Daemon::before(netbox, &format!("[log]\nfilter = \"trace\"\n{client}"))
}

fn ask(daemon: &Daemon, method: &str, target: &str) -> Ask {
    Ask::new(method, &format!("{}{target}", daemon.url())).header("authorization", &format!("Token {CLIENT_KEY}"))
}

fn requests(log: &[String]) -> Vec<Value> {
    let parse = |line: &String| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
    log.iter().map(parse).filter(|line| line["target"] == "nbproxy::access").collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_request_has_its_line_and_no_secret_is_in_any() {
    let netbox = FakeNetbox::start().await;
    let daemon = daemon(&netbox);
    assert_eq!(ask(&daemon, "GET", "/api/dcim/sites/").send().await.status, 200);
    let hit = ask(&daemon, "GET", "/api/dcim/sites/").send().await;
    assert!(hit.is_hit());
    let patch = ask(&daemon, "PATCH", "/api/dcim/sites/1/").json(&json!({"description": "x"}));
    assert_eq!(patch.send().await.status, 200);
    let denied = Ask::new("GET", &format!("{}/api/dcim/sites/", daemon.url())).send().await;
    assert_eq!(denied.status, 403);
    netbox.stop().await;
    assert_eq!(ask(&daemon, "GET", "/api/dcim/racks/").send().await.status, 502);
    let (ended, log) = daemon.stop();
    assert_eq!(ended.code(), Some(0), "told to stop, it ends well");

    let requests = requests(&log);
    let words = |line: &Value| {
        ["caller", "method", "endpoint", "status", "outcome"].map(|name| line[name].to_string()).join(" ")
    };
    let told: Vec<_> = requests.iter().map(|line| words(line).replace('"', "")).collect();
    let expected = [
        "tests GET dcim/sites 200 filled",
        "tests GET dcim/sites 200 hit",
        "tests PATCH dcim/sites 200 write",
        " GET dcim/sites 403 denied",
        "tests GET dcim/racks 502 failed",
    ];
    assert_eq!(told, expected);
    assert_eq!(requests[1]["bytes"], hit.body.len());
    assert_eq!(requests[3]["request_id"], denied.header("x-request-id"), "who was refused can be traced");
    assert!(requests.iter().all(|line| line["time_us"].is_u64() && line["peer"] == "127.0.0.1"));
    for line in &log {
        assert!(!line.contains(netbox.token()) && !line.contains(CLIENT_KEY), "a secret in {line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_hangs_up_and_what_breaks_off_is_told() {
    let netbox = FakeNetbox::start().await;
    let daemon = daemon(&netbox);
    let hold = netbox.hold("GET", "/api/dcim/sites/", HoldPoint::BeforeAnswer);
    let impatient = start(ask(&daemon, "GET", "/api/dcim/sites/").try_send());
    hold.arrived(1).await;
    impatient.abort();
    assert!(impatient.await.is_err());
    until(async || figure(daemon.admin(), "nbproxy_requests_in_progress").await <= 0.0).await;
    hold.release();
    netbox.blob("/api/dcim/cables/", "application/octet-stream", vec![7u8; 3 * 1024 * 1024]);
    netbox.fault(Match::path("GET", "/api/dcim/cables/"), Fault::ResetMidBody);
    let broken = ask(&daemon, "GET", "/api/dcim/cables/").header("cache-control", "no-store").try_send().await;
    assert!(broken.is_err(), "a body that breaks off is not passed on as a whole one");
    let (_, log) = daemon.stop();
    let requests = requests(&log);
    let gone = requests.iter().find(|line| line["outcome"] == "gone").expect("a line for who hung up");
    assert_eq!((gone["status"].clone(), gone["endpoint"].clone()), (json!(499), json!("dcim/sites")));
    let cut = requests.iter().find(|line| line["endpoint"] == "dcim/cables").expect("a line for what broke off");
    assert_eq!(cut["cut"], true, "{cut}");
}
