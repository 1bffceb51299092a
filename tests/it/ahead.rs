//! Reading ahead: the pages that a client is about to ask for are on their way before it does; in nobody's way, and
//! never older than they may be.

use std::path::PathBuf;
use std::time::Duration;

use fake_netbox::{FakeNetbox, Grant, Hold, HoldPoint};
use serde_json::json;

use crate::support::{Answer, TestProxy, client_with_key, python, start, until, within};

const DEVICES: &str = "/api/dcim/devices/";
const AHEAD: &str = "nbproxy_pages_read_ahead_total";
const USED: &str = "nbproxy_pages_read_ahead_used_total";

async fn before(netbox: &FakeNetbox, more: &str) -> TestProxy {
    let proxy = TestProxy::builder(netbox).settings(&format!("[cache]\nread_ahead = 3\n{more}")).start().await;
    netbox.clear_log();
    proxy
}

/// The target of a page of ten devices, from 1, as NetBox's links name it.
fn page(number: u64) -> String {
    match number {
        1 => format!("{DEVICES}?limit=10"),
        later => format!("{DEVICES}?limit=10&offset={}", (later - 1) * 10),
    }
}

/// The value of a parameter in each request for devices that NetBox has had, in order.
fn asked(netbox: &FakeNetbox, parameter: &str) -> Vec<String> {
    let of_devices = netbox.log().into_iter().filter(|request| request.path == DEVICES);
    let value = |pairs: Vec<(String, String)>| pairs.into_iter().find(|(key, _)| key == parameter);
    of_devices.map(|request| value(request.query).map(|(_, value)| value).unwrap_or_default()).collect()
}

/// Waits until nbproxy asks NetBox for nothing any more.
async fn quiet(proxy: &TestProxy) {
    until(async || proxy.metric("nbproxy_upstream_in_flight").await == 0.0).await;
}

fn ids(answer: &Answer) -> Vec<u64> {
    let page = answer.json();
    page["results"].as_array().expect("a list").iter().map(|row| row["id"].as_u64().expect("an id")).collect()
}

/// Gets the first page while all others are held at NetBox.
async fn first_page(proxy: &TestProxy, netbox: &FakeNetbox) -> Hold {
    let hold = netbox.hold("GET", DEVICES, HoldPoint::BeforeRead);
    let first = start(proxy.ask("GET", &page(1)).send());
    within(hold.arrived(1)).await;
    hold.release_one();
    assert_eq!(first.await.expect("it ran").cache(), "fwd=miss; stored");
    hold
}

#[tokio::test]
async fn the_next_pages_are_fetched_before_they_are_asked_for() {
    let netbox = FakeNetbox::start().await;
    let proxy = before(&netbox, "").await;
    let hold = first_page(&proxy, &netbox).await;
    within(hold.arrived(4)).await;
    assert_eq!(proxy.metric(AHEAD).await, 3.0);
    // The window moves with its client, though the page that it asks for has not come yet.
    let second = start(proxy.ask("GET", &page(2)).send());
    within(hold.arrived(5)).await;
    hold.release();
    assert_eq!(second.await.expect("it ran").cache(), "fwd=miss; stored; collapsed");
    quiet(&proxy).await;
    let mut offsets = asked(&netbox, "offset");
    offsets.sort();
    assert_eq!(offsets, ["", "10", "20", "30", "40"]);
    // By the links, to the end.
    let (mut target, mut seen) = (page(1), Vec::new());
    loop {
        let answer = proxy.get(&target).await;
        seen.extend(ids(&answer));
        let body = answer.json();
        let Some(next) = body["next"].as_str() else { break };
        next.strip_prefix(&proxy.url()).expect("it leads through nbproxy").clone_into(&mut target);
    }
    assert_eq!(seen.len(), 120);
    assert!(seen.is_sorted_by(|a, b| a < b));
    assert_eq!(netbox.count("GET", DEVICES), 12, "each page once");
    assert_eq!((proxy.metric(AHEAD).await, proxy.metric(USED).await), (11.0, 11.0));
}

#[tokio::test]
async fn a_client_that_goes_elsewhere_has_no_more_fetched() {
    let netbox = FakeNetbox::start().await;
    let proxy = before(&netbox, "").await;
    proxy.get(&page(1)).await;
    until(async || netbox.count("GET", DEVICES) == 4).await;
    quiet(&proxy).await;
    proxy.get("/api/dcim/sites/").await;
    assert!(proxy.get(&page(1)).await.is_hit(), "all that follows is there");
    quiet(&proxy).await;
    assert_eq!(netbox.count("GET", DEVICES), 4);
    assert_eq!((proxy.metric(AHEAD).await, proxy.metric(USED).await), (3.0, 0.0));
    proxy.get(&page(3)).await;
    until(async || netbox.count("GET", DEVICES) == 6).await;
    quiet(&proxy).await;
    assert_eq!((proxy.metric(AHEAD).await, proxy.metric(USED).await), (5.0, 1.0));
}

#[tokio::test]
async fn who_looks_at_first_pages_only_is_not_read_on_for() {
    let netbox = FakeNetbox::start().await;
    let proxy = before(&netbox, "").await;
    let look = async || {
        proxy.ask("PATCH", "/api/dcim/sites/1/").json(&json!({"description": "x"})).send().await;
        proxy.get(&page(1)).await;
        quiet(&proxy).await;
        proxy.metric(AHEAD).await
    };
    let mut ahead = 0.0;
    for times in 1..=3 {
        ahead = look().await;
        assert_eq!(ahead, f64::from(times) * 3.0);
    }
    assert_eq!(look().await, ahead, "it has never walked on");
    proxy.get(&page(2)).await;
    quiet(&proxy).await;
    ahead = proxy.metric(AHEAD).await;
    assert_eq!(ahead, 12.0, "now it walks");
    assert!(look().await > ahead, "and may do so again");
}

#[tokio::test]
async fn direct_requests_have_places() {
    let netbox = FakeNetbox::start().await;
    let proxy = before(&netbox, "[upstream]\nmax_in_flight = 4").await;
    let hold = first_page(&proxy, &netbox).await;
    within(hold.arrived(3)).await;
    // Two of four are taken by what was read ahead.
    let second = start(proxy.ask("GET", "/api/dcim/devices/1/").send());
    within(hold.arrived(4)).await;
    assert_eq!(proxy.get("/api/dcim/sites/").await.status, 200, "the fourth is free");
    assert_eq!((hold.count(), proxy.metric(AHEAD).await), (4, 2.0));
    hold.release();
    assert_eq!(second.await.expect("it ran").status, 200);
    quiet(&proxy).await;

    let proxy = before(&netbox, "[upstream]\nmax_in_flight = 1").await;
    proxy.get(&page(1)).await;
    assert_eq!(proxy.metric(AHEAD).await, 0.0, "the only place is none to spare");
}

#[tokio::test]
async fn cursors_are_followed_one_after_the_other() {
    let netbox = FakeNetbox::start().await;
    let proxy = before(&netbox, "").await;
    let first = proxy.get("/api/dcim/devices/?limit=10&start=0").await;
    until(async || netbox.count("GET", DEVICES) == 4).await;
    quiet(&proxy).await;
    assert_eq!(asked(&netbox, "start"), ["0", "11", "21", "31"]);
    let body = first.json();
    let next = body["next"].as_str().and_then(|next| next.strip_prefix(&proxy.url())).expect("there is more");
    assert!(proxy.get(next).await.is_hit());
    until(async || netbox.count("GET", DEVICES) == 5).await;
    quiet(&proxy).await;
    assert_eq!((proxy.metric(AHEAD).await, proxy.metric(USED).await), (4.0, 1.0));
}

#[tokio::test]
async fn a_first_page_from_memory_is_read_on_from() {
    let netbox = FakeNetbox::start().await;
    let proxy = before(&netbox, "").await;
    proxy.ask("GET", &page(1)).header("cache-control", "no-cache").send().await;
    quiet(&proxy).await;
    assert_eq!(netbox.count("GET", DEVICES), 1, "the next page will be wanted from NetBox, too");
    assert!(proxy.get(&page(1)).await.is_hit());
    until(async || netbox.count("GET", DEVICES) == 4).await;
    quiet(&proxy).await;
    assert!(proxy.get(&page(4)).await.is_hit());
}

#[tokio::test]
async fn a_first_page_that_is_asked_for_again_in_the_same_words_is_read_on_from() {
    let netbox = FakeNetbox::start().await;
    let proxy = before(&netbox, "").await;
    let fetch = async |number| {
        proxy.ask("GET", &page(number)).header("cache-control", "no-cache").send().await;
    };
    for number in [2, 3, 4] {
        fetch(number).await;
    }
    proxy.clock.push(Duration::from_secs(20));
    fetch(1).await;
    assert!(proxy.get(&page(1)).await.is_hit());
    assert_eq!(proxy.metric(AHEAD).await, 0.0, "all that follows is there");
    proxy.clock.push(Duration::from_secs(15));
    assert!(proxy.get(&page(1)).await.is_hit());
    assert_eq!(proxy.metric("nbproxy_recalled_total").await, 1.0);
    until(async || proxy.metric(AHEAD).await == 3.0).await;
}

#[tokio::test]
async fn only_walks_are_read_on_from() {
    let netbox = FakeNetbox::start().await;
    let proxy = before(&netbox, "").await;
    proxy.ask("HEAD", &page(1)).send().await;
    proxy.ask("GET", "/api/dcim/devices/?limit=11").header("cache-control", "no-store").send().await;
    proxy.get("/api/dcim/devices/?limit=1&brief=1").await;
    proxy.get("/api/dcim/devices/?limit=1000").await;
    proxy.get("/api/dcim/devices/1/").await;
    quiet(&proxy).await;
    assert_eq!(proxy.metric(AHEAD).await, 0.0);
    let off = before(&netbox, "read_ahead = 0").await;
    off.get(&page(1)).await;
    quiet(&off).await;
    assert_eq!(off.metric(AHEAD).await, 0.0);
}

/// Their tokens are used for what they ask for, and nothing else.
#[tokio::test]
async fn nothing_is_read_ahead_with_visitors_tokens() {
    const TOKEN: &str = "1111111111111111111111111111111111111111";
    let netbox = FakeNetbox::start().await;
    netbox.set_rights("guest", &[Grant::full("dcim/devices")]);
    netbox.add_token(TOKEN, "guest", true);
    let proxy = before(&netbox, "[access]\npassthrough = true").await;
    let first = proxy.ask("GET", &page(1)).header("authorization", &format!("Token {TOKEN}")).send().await;
    assert_eq!(first.cache(), "fwd=miss; stored");
    quiet(&proxy).await;
    assert_eq!(netbox.count("GET", DEVICES), 1);
}

#[tokio::test]
async fn what_was_read_ahead_of_a_change_is_shown_to_nobody() {
    let netbox = FakeNetbox::start().await;
    let proxy = before(&netbox, "").await;
    let hold = netbox.hold("GET", DEVICES, HoldPoint::BeforeAnswer);
    let first = start(proxy.ask("GET", &page(1)).send());
    within(hold.arrived(1)).await;
    hold.release_one();
    first.await.expect("it ran");
    // Pages two to four have been read by NetBox, and are on their way.
    within(hold.arrived(4)).await;
    let change = json!({"serial": "changed"});
    assert_eq!(proxy.ask("PATCH", "/api/dcim/devices/11/").json(&change).send().await.status, 200);
    let second = start(proxy.ask("GET", &page(2)).send());
    within(hold.arrived(5)).await;
    hold.release();
    let second = second.await.expect("it ran");
    assert_eq!(second.json()["results"][0]["serial"], "changed");
    assert_eq!(second.cache(), "fwd=miss; stored; detail=walk-changed");
    quiet(&proxy).await;
    assert!(proxy.get(&page(2)).await.json()["results"][0]["serial"] == "changed");
}

async fn walk(proxy: &TestProxy, token: &str, limit: &str, how: &str) -> Vec<u64> {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/pynetbox/walk.py");
    let arguments = [proxy.url(), token.to_owned(), limit.to_owned(), how.to_owned()];
    let run = move || python().arg(script).args(arguments).output().expect("python runs");
    let output = tokio::task::spawn_blocking(run).await.expect("it ran");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut ids: Vec<u64> = serde_json::from_slice(&output.stdout).expect("a list of ids");
    ids.sort_unstable();
    ids
}

/// It asks for the second page in words of its own, for the others by the links, or for all in words of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pynetbox_is_read_ahead_for() {
    let netbox = FakeNetbox::builder().max_page_size(50).start().await;
    let token = netbox.token();
    let client = client_with_key("tool", token, "");
    for (limit, how, pages) in
        [("20", "offset", 6), ("20", "threads", 6), ("0", "offset", 3), ("20", "cursor", 6), ("0", "cursor", 3)]
    {
        let proxy = before(&netbox, &client).await;
        let ids = walk(&proxy, token, limit, how).await;
        assert!(ids.iter().copied().eq(1..=120), "{limit} {how}: {ids:?}");
        quiet(&proxy).await;
        // The page after the last is empty: with threads pynetbox asks for it, and a full page has a cursor to it.
        let count = netbox.count("GET", DEVICES);
        let most = if how == "offset" { pages } else { pages + 1 };
        assert!((pages..=most).contains(&count), "{limit} {how}: {count} pages");
        let (ahead, used) = (proxy.metric(AHEAD).await, proxy.metric(USED).await);
        assert!(ahead >= 1.0 && ahead == used, "{limit} {how}: {used} of {ahead} pages: {:?}", asked(&netbox, "start"));
        assert_eq!(proxy.metric("nbproxy_walks_broken_total").await, 0.0);
    }
}
