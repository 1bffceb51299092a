//! Filters that NetBox ignores: refused or counted where that is wanted, and never one that NetBox knows.

use std::time::Duration;

use fake_netbox::{FakeNetbox, Fault, HoldPoint, Match};
use serde_json::{Value, json};

use crate::support::{Answer, Ask, Builder, TestProxy, start, until, within};

mod custom_fields;
mod document;
mod who;

const SITES: &str = "/api/dcim/sites/";
const SCHEMA: &str = "/api/schema/";

/// A proxy that holds everybody to what NetBox knows, and knows it.
async fn enforcing(netbox: &FakeNetbox) -> TestProxy {
    knowing(TestProxy::builder(netbox).settings("[access]\nstrict_filters = \"enforce\"")).await
}

async fn knowing(builder: Builder) -> TestProxy {
    let proxy = builder.start().await;
    until_known(&proxy).await;
    proxy
}

async fn until_known(proxy: &TestProxy) {
    metric_is(proxy, "nbproxy_filters_known", 1.0).await;
}

async fn metric_is(proxy: &TestProxy, metric: &str, value: f64) {
    until(async || proxy.metric(metric).await == value).await;
}

/// What a refusal says of each filter.
fn told(answer: &Answer) -> Vec<(String, String)> {
    assert_eq!((answer.status, answer.cache()), (400, "detail=unknown-filter"), "{}", answer.text());
    let json = answer.json();
    let told = json.as_object().expect("an object").iter().map(|(name, texts)| {
        let text = texts[0].as_str().expect("a text");
        let nearest = text.strip_prefix("Unknown filter, which NetBox would ignore.").expect("the words of a refusal");
        (name.clone(), nearest.trim().to_owned())
    });
    told.collect()
}

fn meant(name: &str, nearest: &str) -> (String, String) {
    let nearest = if nearest.is_empty() { String::new() } else { format!("Did you mean \"{nearest}\"?") };
    (name.to_owned(), nearest)
}

/// The lists of a document, with the names of their parameters.
async fn lists(netbox: &FakeNetbox) -> Vec<(String, Vec<String>)> {
    let document = Ask::new("GET", &format!("{}{SCHEMA}?format=json", netbox.url())).send().await.json();
    let paths = document["paths"].as_object().expect("paths");
    let names = |item: &Value| {
        let parameters = item["get"]["parameters"].as_array().cloned().unwrap_or_default();
        let names: Vec<_> = parameters.iter().map(|one| one["name"].as_str().expect("a name").to_owned()).collect();
        names
    };
    let all = paths.iter().map(|(path, item)| (path.clone(), names(item)));
    all.filter(|(_, names)| names.iter().any(|name| name == "limit")).collect()
}

#[tokio::test]
async fn a_misspelt_filter_is_named_with_the_nearest_that_there_is() {
    let netbox = FakeNetbox::start().await;
    let proxy = enforcing(&netbox).await;
    for (query, expected) in [
        ("nmae=DC001", vec![meant("nmae", "name")]),
        ("name__ci=a&name=DC001&limit=5", vec![meant("name__ci", "name__ic")]),
        (
            "satus=active&zzzzzz=1&region=a&nmae=b",
            vec![meant("nmae", "name"), meant("satus", "status"), meant("zzzzzz", "")],
        ),
        ("nmae=a&nmae=b&nmae", vec![meant("nmae", "name")]),
        ("%6e%6Dae=a", vec![meant("nmae", "name")]),
        ("Name=a", vec![meant("Name", "name")]),
        ("name%20=a", vec![meant("name ", "name")]),
        ("n%ffame=a", vec![meant("n\u{fffd}ame", "name")]),
        ("=a", vec![meant("", "")]),
        ("format=json&statsu=active", vec![meant("statsu", "status")]),
    ] {
        assert_eq!(told(&proxy.get(&format!("{SITES}?{query}")).await), expected, "{query}");
    }
    let head = proxy.ask("HEAD", &format!("{SITES}?nmae=a")).send().await;
    assert_eq!((head.status, head.header("content-type")), (400, "application/json"));
    assert_eq!(netbox.count("GET", SITES), 0, "NetBox was not asked for what was refused");
    assert_eq!(proxy.metric("nbproxy_unknown_filters_total{endpoint=\"dcim/sites\"}").await, 13.0);
}

/// The rule that counts most. Each list is asked with every parameter it has, and answers as NetBox itself does.
#[tokio::test]
async fn every_filter_that_netbox_knows_passes() {
    let netbox = FakeNetbox::builder().base_path("/nbx").start().await;
    let proxy = enforcing(&netbox).await;
    let lists = lists(&netbox).await;
    assert!(lists.len() > 30, "{} lists", lists.len());
    let beside =
        ["_branch", "brief", "exclude", "export", "fields", "filter", "filter_id", "format", "omit", "attr_x__gt"];
    for (path, names) in lists {
        let path = path.strip_prefix("/nbx").expect("it begins so");
        let all = names.iter().map(String::as_str).chain(beside);
        // Without a value a filter filters nothing, and is none the less known.
        let all: Vec<_> =
            all.filter(|name| !matches!(*name, "start" | "export" | "format")).map(|name| format!("{name}=")).collect();
        let target = format!("{path}?{}", all.join("&"));
        let direct = Ask::new("GET", &format!("{}{target}", netbox.url()));
        let direct = direct.header("authorization", &format!("Token {}", netbox.token())).send().await;
        let through = proxy.get(&target).await;
        assert_eq!((direct.status, through.status), (200, 200), "{target}: {}", through.text());
        assert_eq!(through.text().replace(&proxy.url(), &netbox.url()), direct.text(), "{target}");
        for alone in ["start=1", "export=nothing", "format=api", "offset=1", "brief=1"] {
            let answer = proxy.get(&format!("{path}?{alone}")).await;
            assert!(!answer.text().contains("Unknown filter"), "{path}?{alone}");
        }
    }
    assert_eq!(proxy.metric("nbproxy_unknown_filters_total").await, 0.0);
}

#[tokio::test]
async fn what_passes_is_sent_as_ever() {
    let netbox = FakeNetbox::start().await;
    let (off, on) = (TestProxy::before(&netbox).await, enforcing(&netbox).await);
    let target = format!("{SITES}?region=&name__ic=D%43&limit=2&name__ic=c");
    let mut sent = Vec::new();
    let mut got = Vec::new();
    for proxy in [&off, &on] {
        netbox.clear_log();
        let answer = proxy.get(&target).await;
        let request = netbox.log().pop().expect("it was asked");
        sent.push((request.method, request.target, request.headers, request.body));
        got.push((answer.status, answer.cache().to_owned(), answer.text().replace(&proxy.url(), "")));
    }
    assert_eq!(sent[0], sent[1]);
    assert_eq!(got[0], got[1]);
    assert_eq!(got[0].0, 200);
}

#[tokio::test]
async fn only_lists_that_the_document_knows_are_checked() {
    let netbox = FakeNetbox::start().await;
    netbox.blob(
        "/api/plugins/odd/rows/",
        "application/json",
        r#"{"count":0,"next":null,"previous":null,"results":[]}"#,
    );
    let proxy = enforcing(&netbox).await;
    told(&proxy.get("/api/plugins/branching/branches/?nmae=a").await);
    for (target, status) in [
        ("/api/plugins/branching/branches/?name=a", 200),
        ("/api/plugins/odd/rows/?nmae=a", 200),
        ("/api/plugins/installed-plugins/?nmae=a", 200),
        ("/api/dcim/unheard-of/?nmae=a", 404),
        ("/api/dcim/sites/1/?nmae=a", 200),
        ("/api/dcim/interfaces/2/trace/?nmae=a", 200),
        ("/api/dcim/sites?nmae=a", 301),
        ("/api/status/?nmae=a", 200),
        ("/api/?nmae=a", 200),
        ("/api/dcim/?nmae=a", 200),
        ("/api/schema/?nmae=a", 200),
    ] {
        let answer = proxy.get(target).await;
        assert_eq!(answer.status, status, "{target}: {}", answer.text());
    }
    for method in ["POST", "OPTIONS"] {
        let answer =
            proxy.ask(method, &format!("{SITES}?nmae=a")).json(&json!({"name": "x", "slug": "x"})).send().await;
        assert!(answer.status < 300, "{method}: {}", answer.text());
    }
}

/// A refusal costs NetBox a word, and many at once cost it hardly more.
#[tokio::test]
async fn refusals_at_once_share_their_confirmation() {
    let netbox = FakeNetbox::start().await;
    let proxy = enforcing(&netbox).await;
    netbox.clear_log();
    let hold = netbox.hold("GET", "/api/status/", HoldPoint::BeforeRead);
    let target = format!("{SITES}?nmae=a");
    let first = start(proxy.ask("GET", &target).send());
    within(hold.arrived(1)).await;
    let rest: Vec<_> = (0..20).map(|_| start(proxy.ask("GET", &target).send())).collect();
    proxy.wait_for_requests(21).await;
    hold.release();
    for asked in std::iter::once(first).chain(rest) {
        told(&within(asked).await.expect("it ran"));
    }
    assert_eq!(netbox.log().len(), 2, "{:?}", netbox.log());
}
