//! The OpenAPI document that names are checked by: had or not, old or new.

use super::*;
use crate::support::{Daemon, until};

/// FakeNetbox's document with one more parameter.
async fn document_with(netbox: &FakeNetbox, path: &str, name: &str) -> String {
    let mut document = Ask::new("GET", &format!("{}{SCHEMA}?format=json", netbox.url())).send().await.json();
    let parameters = document["paths"][path]["get"]["parameters"].as_array_mut().expect("it has parameters");
    parameters.push(json!({"in": "query", "name": name}));
    document.to_string()
}

const DOCUMENT: &str = "application/vnd.oai.openapi+json";

#[tokio::test]
async fn nobody_strict_asks_for_no_document() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    assert_eq!(proxy.get(&format!("{SITES}?nmae=a&cf_any=b")).await.json()["count"], 10);
    let paths: Vec<_> = netbox.log().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/api/status/", SITES]);
    assert_eq!(proxy.metric("nbproxy_filters_known").await, 0.0);
}

#[tokio::test]
async fn it_is_the_one_that_clients_are_given() {
    let netbox = FakeNetbox::start().await;
    let proxy = enforcing(&netbox).await;
    assert!(proxy.get(&format!("{SCHEMA}?format=json")).await.is_hit(), "as Ansible's inventory asks for it");
    assert_eq!(netbox.count("GET", SCHEMA), 1);
}

#[tokio::test]
async fn one_that_memory_may_not_hold_is_read_all_the_same() {
    let netbox = FakeNetbox::start().await;
    for limit in ["max_entry = \"1KiB\"", "rules = [{ match = \"schema\", cache = false }]"] {
        let settings = format!("[access]\nstrict_filters = \"enforce\"\n[cache]\n{limit}");
        let proxy = knowing(TestProxy::builder(&netbox).settings(&settings)).await;
        told(&proxy.get(&format!("{SITES}?nmae=a")).await);
        told(&proxy.get("/api/plugins/branching/branches/?nmae=a").await);
        assert_eq!(proxy.get(&format!("{SITES}?name=a")).await.status, 200, "{limit}");
    }
}

#[tokio::test]
async fn without_it_everything_passes_and_that_is_told() {
    let netbox = FakeNetbox::start().await;
    let cut = r#"{"openapi":"3.0.3","paths":{"/api/dcim/sites/":{"#.to_owned();
    let faults = [
        Fault::Status(500, "application/json", "{}".to_owned()),
        Fault::Status(404, "text/html", "<html>".to_owned()),
        Fault::Html200,
        Fault::WrongJson(cut),
        Fault::WrongJson(r#"{"openapi":"3.0.3","paths":{}}"#.to_owned()),
        Fault::ResetMidBody,
    ];
    for (index, fault) in faults.into_iter().enumerate() {
        let shown = format!("{fault:?}");
        netbox.clear_faults();
        netbox.clear_log();
        netbox.fault(Match::path("GET", SCHEMA), fault);
        let strict = TestProxy::builder(&netbox).settings("[access]\nstrict_filters = \"enforce\"").start().await;
        let asked = async |times: usize| {
            until(async || netbox.count("GET", SCHEMA) >= times).await;
        };
        asked(1).await;
        // When it asks again, it has made up its mind about the first answer.
        netbox.set_version(&format!("4.6.{}", 9 + index));
        strict.get("/api/status/").await;
        asked(2).await;
        let answer = strict.get(&format!("{SITES}?nmae=a&cf_any=b")).await;
        assert_eq!((answer.status, strict.metric("nbproxy_filters_known").await), (200, 0.0), "{shown}");
    }
}

#[tokio::test]
async fn a_request_does_not_wait_for_it() {
    let netbox = FakeNetbox::start().await;
    let hold = netbox.hold("GET", SCHEMA, HoldPoint::BeforeRead);
    let proxy = TestProxy::builder(&netbox).settings("[access]\nstrict_filters = \"enforce\"").start().await;
    within(hold.arrived(1)).await;
    assert_eq!(proxy.get(&format!("{SITES}?nmae=a")).await.status, 200);
    hold.release();
    until_known(&proxy).await;
    told(&proxy.get(&format!("{SITES}?nmae=a")).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_says_once_whether_filters_are_checked() {
    let netbox = FakeNetbox::start().await;
    netbox.fault(Match::path("GET", SCHEMA).times(2), Fault::Status(500, "application/json", "{}".to_owned()));
    let settings =
        "[access]\nanonymous = \"read\"\nstrict_filters = \"enforce\"\n[log]\nfilter = \"info,nbproxy::access=off\"";
    let daemon = Daemon::before(&netbox, settings);
    let refused = async || {
        let ask = Ask::new("GET", &format!("{}{SITES}?nmae=a", daemon.url()));
        ask.header("host", "127.0.0.1").send().await.status == 400
    };
    until(refused).await;
    let (_, log) = daemon.stop();
    let lines = log.iter().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let lines = lines.filter(|line| line["message"].as_str().is_some_and(|text| text.contains("filters")));
    let told: Vec<_> = lines.map(|line| format!("{} {}", line["level"], line["message"])).collect();
    assert_eq!(
        told,
        ["\"WARN\" \"filters are not checked: there is no openapi document\"", "\"INFO\" \"filters are checked\""]
    );
}

#[tokio::test]
async fn another_version_is_learned_anew_and_nothing_is_refused_meanwhile() {
    let netbox = FakeNetbox::start().await;
    let proxy = enforcing(&netbox).await;
    let target = format!("{SITES}?new_filter=a");
    told(&proxy.get(&target).await);
    netbox.clear_log();
    let document = document_with(&netbox, SITES, "new_filter").await;
    netbox.blob(SCHEMA, DOCUMENT, document);
    netbox.set_version("4.7.0");
    let hold = netbox.hold("GET", SCHEMA, HoldPoint::BeforeAnswer);
    proxy.get("/api/dcim/racks/").await;
    within(hold.arrived(1)).await;
    assert_eq!(proxy.metric("nbproxy_filters_known").await, 0.0);
    assert_eq!(proxy.get(&target).await.status, 200);
    assert_eq!(proxy.get(&format!("{SITES}?nmae=a")).await.status, 200);
    assert_eq!(netbox.count("GET", "/api/status/"), 1, "once for the change: there is nothing to be confirmed");
    hold.release();
    until_known(&proxy).await;
    told(&proxy.get(&format!("{SITES}?nmae=a")).await);
    assert_eq!(proxy.get(&target).await.status, 200);
}

/// Nothing has told nbproxy yet: the version's first two numbers are the same, and nobody has asked for the status.
#[tokio::test]
async fn what_a_version_unheard_of_may_know_is_not_refused() {
    let netbox = FakeNetbox::start().await;
    let proxy = enforcing(&netbox).await;
    for change in ["version", "plugins"] {
        told(&proxy.get(&format!("{SITES}?nmae=a")).await);
        let hold = netbox.hold("GET", SCHEMA, HoldPoint::BeforeRead);
        match change {
            "version" => netbox.set_version("4.6.9"),
            _ => netbox.set_plugins(&[("netbox_branching", "1.1.4")]),
        }
        assert_eq!(proxy.get(&format!("{SITES}?nmae=a")).await.status, 200, "{change}");
        drop(hold);
        until_known(&proxy).await;
    }
    told(&proxy.get(&format!("{SITES}?nmae=a")).await);
    assert_eq!(netbox.count("GET", SCHEMA), 3);
}

#[tokio::test]
async fn nothing_is_refused_while_netbox_cannot_confirm_it() {
    let netbox = FakeNetbox::start().await;
    let proxy = enforcing(&netbox).await;
    netbox.fault(Match::path("GET", "/api/status/"), Fault::Status(503, "text/html", "<html>".to_owned()));
    assert_eq!(proxy.get(&format!("{SITES}?nmae=a")).await.status, 200);
    netbox.clear_faults();
    told(&proxy.get(&format!("{SITES}?nmae=a")).await);
    netbox.stop().await;
    assert_eq!(proxy.get(&format!("{SITES}?nmae=b")).await.status, 502, "the road tells what is wrong");
    assert_eq!(proxy.get(&format!("{SITES}?nmae=a")).await.status, 200, "memory has the answer to this one");
}

/// NetBox keeps its document for a day, whatever becomes of its plugins in the meantime.
#[tokio::test]
async fn a_document_older_than_the_plugins_says_nothing_of_them() {
    let netbox = FakeNetbox::start().await;
    netbox.set_schema_age(Some(40));
    let proxy = enforcing(&netbox).await;
    const BRANCHES: &str = "/api/plugins/branching/branches/?nmae=a";
    told(&proxy.get(&format!("{SITES}?nmae=a")).await);
    assert_eq!(proxy.get(BRANCHES).await.status, 200, "it may be from before nbproxy knew which plugins there are");
    let again = async |version: &str| {
        netbox.set_version(version);
        proxy.get("/api/status/").await;
        until_known(&proxy).await;
    };
    proxy.clock.push(Duration::from_secs(3600));
    again("4.6.9").await;
    assert_eq!(proxy.get(BRANCHES).await.status, 200, "from before they were seen to be others");
    netbox.set_schema_age(None);
    again("4.6.10").await;
    told(&proxy.get(BRANCHES).await);
}
