//! Warm: paths that are fetched before anybody asks, with all their pages, and again, soon, when they are not fresh any more.

mod orders;

use std::time::Duration;

use fake_netbox::{FakeNetbox, Fault, Grant, HoldPoint, Match};
use nbproxy::settings::Settings;
use serde_json::json;

use crate::support::{Answer, Ask, TestProxy, client_with_key, start, until, within};

const SITES: &str = "/api/dcim/sites/";
const WARM: &str = "nbproxy_unasked_fetches_total{reason=\"warm\",result=\"kept\"}";
const FAILED: &str = "nbproxy_unasked_fetches_total{reason=\"warm\",result=\"failed\"}";

/// With pauses that a test need not wait for.
fn settings(more: &str) -> String {
    format!("[cache]\nwarm_pause = \"1ms\"\n{more}")
}

/// Waits until so many pages were fetched unasked, and kept.
async fn warmed(proxy: &TestProxy, pages: u32) {
    until(async || proxy.metric(WARM).await >= f64::from(pages)).await;
}

/// Walks a list as its links lead, and returns what was asked for and found.
async fn walk(proxy: &TestProxy, target: &str) -> Vec<(String, Answer)> {
    let (mut next, mut found) = (Some(target.to_owned()), Vec::new());
    while let Some(target) = next {
        let answer = proxy.get(&target).await;
        let link = answer.json()["next"].as_str().map(|link| link.replace(&proxy.url(), ""));
        found.push((target, answer));
        next = link;
    }
    found
}

async fn all_hits(proxy: &TestProxy, target: &str, pages: usize) {
    let found = walk(proxy, target).await;
    assert_eq!(found.len(), pages, "{target}");
    for (target, answer) in found {
        assert!(answer.is_hit() && answer.status == 200, "{target}: {}", answer.cache());
    }
}

#[tokio::test]
async fn an_inventory_finds_all_its_pages() {
    for base in ["", "/nbx"] {
        let netbox = FakeNetbox::builder().base_path(base).devices(120).start().await;
        let warm = "[[warm]]\npath = \"/api/dcim/devices/?limit=50\"\n[[warm]]\npath = \"/api/dcim/sites/1/\"";
        let proxy = TestProxy::builder(&netbox).settings(&settings(warm)).start().await;
        warmed(&proxy, 4).await;
        all_hits(&proxy, "/api/dcim/devices/?limit=50", 3).await;
        assert!(proxy.get("/api/dcim/sites/1/").await.is_hit());
        let log = netbox.log();
        let asked = log.iter().filter(|request| request.path.ends_with("/dcim/devices/")).count();
        assert_eq!(asked, 3, "{base}");
        assert_eq!(proxy.metric(FAILED).await, 0.0);
    }
}

/// pynetbox asks for its second page in words of its own.
#[tokio::test]
async fn pynetboxs_second_page_is_warm_too() {
    let netbox = FakeNetbox::builder().devices(120).max_page_size(50).start().await;
    let proxy = TestProxy::builder(&netbox)
        .settings(&settings("[[warm]]\npath = \"/api/dcim/devices/?limit=0\""))
        .start()
        .await;
    warmed(&proxy, 4).await;
    all_hits(&proxy, "/api/dcim/devices/?limit=0", 3).await;
    all_hits(&proxy, "/api/dcim/devices/?limit=120&offset=50", 2).await;
}

#[tokio::test]
async fn what_a_change_outdates_is_fetched_anew() {
    let netbox = FakeNetbox::start().await;
    let warm = format!("[[warm]]\npath = \"{SITES}?limit=5\"");
    let proxy = TestProxy::builder(&netbox).settings(&settings(&warm)).start().await;
    let pages = walk(&proxy, &format!("{SITES}?limit=5")).await.len();
    assert!(pages >= 2, "{pages}");
    until(async || walk(&proxy, &format!("{SITES}?limit=5")).await.iter().all(|(_, answer)| answer.is_hit())).await;
    let before = proxy.metric(WARM).await;
    let patched = proxy.ask("PATCH", "/api/dcim/sites/1/").json(&json!({"facility": "new"})).send().await;
    assert_eq!(patched.status, 200);
    until(async || proxy.metric(WARM).await >= before + pages as f64).await;
    let found = walk(&proxy, &format!("{SITES}?limit=5")).await;
    assert!(found.iter().all(|(_, answer)| answer.is_hit()), "{found:?}");
    assert!(found.iter().any(|(_, answer)| answer.text().contains("\"facility\":\"new\"")));
}

#[tokio::test]
async fn what_expires_is_fetched_before_it_does() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).settings(&settings(&format!("[[warm]]\npath = {SITES:?}"))).start().await;
    warmed(&proxy, 1).await;
    proxy.clock.push(Duration::from_secs(23));
    assert_eq!(proxy.get(SITES).await.cache(), "hit; ttl=7");
    proxy.clock.push(Duration::from_secs(1));
    warmed(&proxy, 2).await;
    assert_eq!(proxy.get(SITES).await.cache(), "hit; ttl=30");
    assert_eq!(netbox.count("GET", SITES), 2);
}

#[tokio::test]
async fn what_was_purged_is_fetched_anew() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).settings(&settings(&format!("[[warm]]\npath = {SITES:?}"))).start().await;
    warmed(&proxy, 1).await;
    let order = json!({"endpoint": "dcim/sites"});
    let admin = format!("http://{}/cache/purge", proxy.admin_address());
    assert_eq!(Ask::new("POST", &admin).json(&order).send().await.status, 200);
    warmed(&proxy, 2).await;
    assert!(proxy.get(SITES).await.is_hit());
}

/// What is fetched for nobody in particular is fetched as those receive it who ask for it: it is in memory once.
#[tokio::test]
async fn it_is_in_clients_form() {
    let netbox = FakeNetbox::start().await;
    for (settled, public) in [(false, ""), (true, "[server]\npublic_url = \"https://nbproxy.example/nb\"\n")] {
        let more = format!("{public}[[warm]]\npath = {SITES:?}");
        let proxy = TestProxy::builder(&netbox).settings(&settings(&more)).start().await;
        warmed(&proxy, 1).await;
        let bytes = async || proxy.metric("nbproxy_cache_bytes").await;
        let before = bytes().await;
        assert!(proxy.get(SITES).await.is_hit());
        assert_eq!(bytes().await == before, settled, "nobody was there to know by name");
        proxy.clock.push(Duration::from_secs(25));
        warmed(&proxy, 2).await;
        assert!(bytes().await < before * 1.5, "once, whoever it is for");
        let before = bytes().await;
        let answer = proxy.get(SITES).await;
        let url = if settled { "https://nbproxy.example/nb".to_owned() } else { proxy.url() };
        assert!(answer.is_hit() && answer.text().contains(&format!("\"url\":\"{url}/api/dcim/sites/1/\"")));
        assert_eq!(bytes().await, before, "{public}");
    }
}

/// Changes made elsewhere are followed first: their beginning outdates everything.
#[tokio::test]
async fn it_begins_when_changes_are_followed() {
    let netbox = FakeNetbox::start().await;
    let hold = netbox.hold("GET", "/api/core/object-changes/", HoldPoint::BeforeRead);
    let more = settings(&format!("[invalidation]\nchangelog_poll = \"1ms\"\n[[warm]]\npath = {SITES:?}"));
    let proxy = TestProxy::builder(&netbox).settings(&more).start().await;
    within(hold.arrived(1)).await;
    assert_eq!(netbox.count("GET", SITES), 0);
    hold.release();
    warmed(&proxy, 1).await;
    assert!(proxy.get(SITES).await.is_hit());
    assert_eq!(netbox.count("GET", SITES), 1);
    netbox.edit("dcim/sites", 1, json!({"facility": "new"}));
    warmed(&proxy, 2).await;
    let answer = proxy.get(SITES).await;
    assert!(answer.is_hit() && answer.text().contains("\"facility\":\"new\""), "{}", answer.cache());
}

/// Where the changelog may not be read there is nothing to wait for.
#[tokio::test]
async fn it_begins_without_a_changelog() {
    let netbox = FakeNetbox::start().await;
    netbox.fault(
        Match::prefix("GET", "/api/core/object-changes/"),
        Fault::Status(403, "application/json", "{\"detail\":\"no\"}".to_owned()),
    );
    let more = settings(&format!("[invalidation]\nchangelog_poll = \"1ms\"\n[[warm]]\npath = {SITES:?}"));
    let proxy = TestProxy::builder(&netbox).settings(&more).start().await;
    warmed(&proxy, 1).await;
}

#[tokio::test]
async fn a_branch_is_kept_warm_too() {
    let netbox = FakeNetbox::start().await;
    let branch = netbox.add_branch("b", "ready");
    netbox.edit_in(&branch, "dcim/sites", 1, json!({"facility": "of the branch"}));
    let warm =
        format!("[[warm]]\npath = {SITES:?}\nbranch = {branch:?}\n[[warm]]\npath = \"{SITES}?_branch={branch}\"");
    let proxy = TestProxy::builder(&netbox).settings(&settings(&warm)).start().await;
    warmed(&proxy, 2).await;
    let by_header = proxy.ask("GET", SITES).header("x-netbox-branch", &branch).send().await;
    let by_name = proxy.get(&format!("{SITES}?_branch={branch}")).await;
    for answer in [by_header, by_name] {
        assert!(answer.is_hit() && answer.text().contains("of the branch"), "{}", answer.cache());
    }
    assert!(!proxy.get(SITES).await.is_hit(), "main is another view");
}

/// What nobody waits for comes after what somebody does, and one at a time.
#[tokio::test]
async fn it_gives_way() {
    let netbox = FakeNetbox::start().await;
    let (racks, cables) = ("/api/dcim/racks/", "/api/dcim/cables/");
    let more = format!("[upstream]\nmax_in_flight = 2\n[[warm]]\npath = {racks:?}\n[[warm]]\npath = {cables:?}");
    let proxy = TestProxy::builder(&netbox).settings(&settings(&more)).start().await;
    warmed(&proxy, 2).await;
    netbox.clear_log();
    let sites = netbox.hold("GET", "/api/dcim/sites/", HoldPoint::BeforeAnswer);
    let warm = [racks, cables].map(|path| netbox.hold("GET", path, HoldPoint::BeforeAnswer));
    let begun = || warm.iter().map(fake_netbox::Hold::count).sum::<usize>();
    let ask = |id: u32| start(proxy.ask("GET", &format!("/api/dcim/sites/{id}/")).send());
    let waiting = async |count: u32| {
        until(async || proxy.metric("nbproxy_upstream_waiting").await >= f64::from(count)).await;
    };
    let mut asked = vec![ask(1), ask(2)];
    within(sites.arrived(2)).await;
    // From here on there is something to warm.
    let admin = format!("http://{}/cache/purge", proxy.admin_address());
    assert_eq!(Ask::new("POST", &admin).json(&json!({"all": true})).send().await.status, 200);
    assert_eq!(proxy.metric("nbproxy_upstream_waiting").await, 0.0, "nothing queues up unasked");
    for id in [3, 4] {
        asked.push(ask(id));
        waiting(id - 2).await;
    }
    for arrived in [3, 4] {
        sites.release_one();
        within(sites.arrived(arrived)).await;
        assert_eq!(begun(), 0, "who asked later was served first");
    }
    sites.release();
    for asked in asked {
        assert_eq!(asked.await.expect("it ran").status, 200);
    }
    until(async || begun() >= 1).await;
    // One place is left, and it is not for the second of them.
    assert_eq!(proxy.get("/api/dcim/sites/5/").await.status, 200);
    assert_eq!(begun(), 1);
    drop(warm);
    warmed(&proxy, 4).await;
}

/// A client that asks for what is being warmed waits for that, and not for a fetch of its own.
#[tokio::test]
async fn who_asks_meanwhile_joins() {
    let netbox = FakeNetbox::start().await;
    let hold = netbox.hold("GET", SITES, HoldPoint::BeforeAnswer);
    let proxy = TestProxy::builder(&netbox).settings(&settings(&format!("[[warm]]\npath = {SITES:?}"))).start().await;
    within(hold.arrived(1)).await;
    let joined = start(proxy.ask("GET", SITES).send());
    proxy.wait_for_requests(1).await;
    hold.release();
    assert_eq!(joined.await.expect("it ran").cache(), "fwd=miss; stored; collapsed");
    assert_eq!(netbox.count("GET", SITES), 1);
}

/// It is clients' answer: whoever shares the token finds it, and nobody else.
#[tokio::test]
async fn it_is_found_by_who_shares_the_token() {
    let netbox = FakeNetbox::start().await;
    let reader = netbox.reader_token();
    netbox.set_rights("reader", &[Grant::view("dcim/sites")]);
    let clients = [
        client_with_key("shares", "key-of-shares", ""),
        client_with_key("other", "key-of-other", "upstream_token = \"reader\""),
    ];
    let more = format!(
        "[access]\npassthrough = true\n[[upstream.tokens]]\nname = \"reader\"\ntoken = {reader:?}\n{}\n[[warm]]\npath = {SITES:?}",
        clients.concat()
    );
    let proxy = TestProxy::builder(&netbox).settings(&settings(&more)).start().await;
    warmed(&proxy, 1).await;
    for (key, hit) in [("key-of-shares", true), ("key-of-other", false), (reader, false)] {
        let answer = proxy.ask("GET", SITES).header("authorization", &format!("Token {key}")).send().await;
        assert_eq!((answer.status, answer.is_hit()), (200, hit), "{key}");
    }
}

/// A walk that fails is tried again, less and less often.
#[tokio::test]
async fn what_cannot_be_warmed_is_tried_again() {
    let netbox = FakeNetbox::start().await;
    netbox.fault(Match::path("GET", SITES).times(2), Fault::Status(500, "text/html", "no".to_owned()));
    let proxy = TestProxy::builder(&netbox).settings(&settings(&format!("[[warm]]\npath = {SITES:?}"))).start().await;
    until(async || proxy.metric(FAILED).await >= 1.0).await;
    for _ in 0..50 {
        assert_eq!(proxy.metric(FAILED).await, 1.0, "it is not tried again at once");
    }
    proxy.clock.push(Duration::from_secs(1));
    until(async || proxy.metric(FAILED).await >= 2.0).await;
    proxy.clock.push(Duration::from_secs(2));
    warmed(&proxy, 1).await;
    assert_eq!(netbox.count("GET", SITES), 3);
}

#[tokio::test]
async fn shutdown_does_not_wait_for_it() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).settings(&settings(&format!("[[warm]]\npath = {SITES:?}"))).start().await;
    warmed(&proxy, 1).await;
    within(proxy.stop()).await.expect("it ends well");
}

#[test]
fn what_can_be_known_to_be_in_vain_is_a_fault() {
    let fault = |warm: &str, access: &str| {
        let text = format!("[upstream]\nurl = \"http://netbox.example\"\n{access}\n{warm}");
        Settings::from_toml(&text).err().map(|problems| problems.to_string()).unwrap_or_default()
    };
    let path = |path: &str| format!("[[warm]]\npath = {path:?}");
    for (warm, said) in [
        (
            path("/api/core/jobs/"),
            "warm[0].path: \"/api/core/jobs/\" is no good: nbproxy does not remember this (volatile)",
        ),
        (path("/api/dcim/sites"), "it must end with a slash, before the query"),
        (path("api/dcim/sites/"), "a path such as"),
        (path("https://netbox.example/api/dcim/sites/"), "a path such as"),
        (path("/dcim/sites/"), "it is no path of NetBox's API"),
        (path("/api/dcim/../sites/"), "the path holds"),
        (path("/api/users/users/"), "no client may read this with the shared token"),
        (path("/api/dcim/sites/?export=x"), "(parameter)"),
        (path("/api/status/"), "it expires after 5s, and cache.warm_pause is 10s"),
        ("[[warm]]\nbranch = \"aaaaaaaa\"".to_owned(), "warm[0].path: it must say what is kept warm"),
        (format!("{}\nbranch = \"main\"", path(SITES)), "warm[0].branch: \"main\" is no good"),
        (format!("{}\nbranch = \"aaaaaaaa\"", path("/api/dcim/sites/?_branch=bbbbbbbb")), "different branches"),
        (format!("{}\npages = 3", path(SITES)), "warm[0].pages: there is no such setting"),
    ] {
        assert!(fault(&warm, "").contains(said), "{warm}: {}", fault(&warm, ""));
    }
    for warm in [SITES, "/api/schema/", "/api/dcim/sites/?limit=0&_branch=aaaaaaaa", "/api/plugins/x/things/"] {
        assert_eq!(fault(&path(warm), ""), "", "{warm}");
    }
    assert_eq!(fault(&path("/api/users/users/"), &client_with_key("a", "k", "allow = [\"users/users\"]")), "");
    let denied = client_with_key("a", "k", "deny = [\"dcim/*\"]");
    assert!(fault(&path(SITES), &denied).contains("no client may read this"));
    let pinned = client_with_key("a", "k", "branch = \"aaaaaaaa\"");
    assert!(fault(&path(SITES), &pinned).contains("no client may read this"));
    assert_eq!(fault(&format!("{}\nbranch = \"aaaaaaaa\"", path(SITES)), &pinned), "");
}
