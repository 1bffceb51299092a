//! A branch is used only while it is ready. The clock of these tests stands still unless it is pushed.

use std::time::Duration;

use fake_netbox::{FakeNetbox, Fault, HoldPoint, Match};
use serde_json::{Value, json};

use crate::support::{Answer, TestProxy, client, start, until};

const SITE: &str = "/api/dcim/sites/1/";
const BRANCHES: &str = "/api/plugins/branching/branches/";
const FRESH: Duration = Duration::from_secs(5);

const NOT_READY: [&str; 10] = [
    "new",
    "provisioning",
    "syncing",
    "migrating",
    "merging",
    "reverting",
    "merged",
    "archived",
    "pending-migrations",
    "failed",
];

async fn get(proxy: &TestProxy, branch: &str) -> Answer {
    proxy.ask("GET", SITE).header("x-netbox-branch", branch).send().await
}

async fn write(proxy: &TestProxy, branch: &str) -> Answer {
    let patch = proxy.ask("PATCH", SITE).header("x-netbox-branch", branch);
    patch.json(&json!({"description": "written"})).send().await
}

/// What NetBox was asked beside its list of branches.
fn others(netbox: &FakeNetbox) -> Vec<String> {
    let log = netbox.log().into_iter().filter(|request| request.path != BRANCHES);
    log.map(|request| format!("{} {}", request.method, request.path)).collect()
}

#[tokio::test]
async fn no_branch_that_is_not_ready_is_read_or_written() {
    let netbox = FakeNetbox::start().await;
    let branch = netbox.add_branch("one", "ready");
    let client = client("pinned", &format!("access = \"write\"\nbranch = \"{branch}\""));
    let proxy = TestProxy::builder(&netbox).settings(&client).start().await;
    for status in NOT_READY {
        netbox.set_branch_status(&branch, status);
        proxy.clock.push(FRESH);
        netbox.clear_log();
        let parameter = format!("{SITE}?_branch={branch}");
        for answer in [
            get(&proxy, &branch).await,
            write(&proxy, &branch).await,
            proxy.get(&parameter).await,
            proxy.ask("PATCH", &parameter).json(&json!({"description": "written"})).send().await,
            proxy.ask("OPTIONS", "/api/dcim/sites/").header("x-netbox-branch", &branch).send().await,
            proxy.ask("GET", "/api/extras/custom-fields/").header("x-netbox-branch", &branch).send().await,
            proxy
                .ask("POST", "/graphql/")
                .header("x-netbox-branch", &branch)
                .json(&json!({"query": "{}"}))
                .send()
                .await,
            proxy.ask("GET", SITE).by("pinned").send().await,
        ] {
            let (status_said, detail) = (answer.status, answer.detail());
            assert_eq!(status_said, 400, "{status}: {}", answer.text());
            assert!(detail.contains(&format!("its status is {status}")) && detail.contains(&branch), "{detail}");
            assert_eq!(answer.header("content-type"), "application/json");
            assert_eq!(answer.cache(), "detail=branch-not-ready");
        }
        // NetBox looks at no branch here.
        assert_eq!(proxy.ask("GET", "/api/status/").header("x-netbox-branch", &branch).send().await.status, 200);
        assert!(others(&netbox).iter().all(|request| request == "GET /api/status/"), "{:?}", others(&netbox));
    }
    assert_eq!(netbox.get("dcim/sites", 1).expect("it is there")["description"], "", "nothing leaked into main");
    netbox.set_branch_status(&branch, "ready");
    assert_eq!(get(&proxy, &branch).await.status, 200);
    assert_eq!(write(&proxy, &branch).await.status, 200);
    assert_eq!(proxy.ask("GET", SITE).by("pinned").send().await.json()["description"], "written");
}

#[tokio::test]
async fn a_branch_that_does_not_exist_is_refused_before_netbox_is_asked() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    netbox.clear_log();
    for answer in [get(&proxy, "nosuchbr").await, write(&proxy, "nosuchbr").await] {
        assert_eq!((answer.status, answer.detail().contains("there is no branch nosuchbr")), (400, true));
        assert_eq!(answer.cache(), "detail=no-branch");
    }
    assert_eq!(others(&netbox), [""; 0]);
}

#[tokio::test]
async fn a_change_of_status_elsewhere_is_noticed_within_five_seconds() {
    let netbox = FakeNetbox::start().await;
    let branch = netbox.add_branch("one", "ready");
    let proxy = TestProxy::before(&netbox).await;
    get(&proxy, &branch).await;
    assert!(get(&proxy, &branch).await.is_hit());
    netbox.set_branch_status(&branch, "archived");
    proxy.clock.push(FRESH);
    assert_eq!(get(&proxy, &branch).await.status, 400);
    // It is ready at once when it is ready, and nothing is left of what was remembered before.
    netbox.set_branch_status(&branch, "ready");
    let back = get(&proxy, &branch).await;
    assert_eq!((back.status, back.cache()), (200, "fwd=stale; stored; detail=outdated"));
    assert!(get(&proxy, &branch).await.is_hit());
    // Nobody looked while it was away: that it is as before is not known to be.
    netbox.set_branch_status(&branch, "merged");
    proxy.clock.push(FRESH);
    assert_eq!(
        proxy.ask("GET", SITE).header("x-netbox-branch", &netbox.add_branch("two", "ready")).send().await.status,
        200
    );
    netbox.set_branch_status(&branch, "ready");
    proxy.clock.push(FRESH);
    assert!(get(&proxy, &branch).await.cache().starts_with("fwd=stale"));
}

/// It takes less than a second, and the status is the same before and after.
#[tokio::test]
async fn a_sync_elsewhere_is_noticed_although_the_status_is_as_before() {
    let netbox = FakeNetbox::start().await;
    let branch = netbox.add_branch("one", "ready");
    let proxy = TestProxy::before(&netbox).await;
    netbox.edit("dcim/sites", 1, json!({"description": "in main"}));
    assert_eq!(get(&proxy, &branch).await.json()["description"], "");
    let sync = crate::support::Ask::new("POST", &format!("{}{BRANCHES}1/sync/", netbox.url()));
    let sync = sync.header("authorization", &format!("Token {}", netbox.token())).json(&json!({"commit": true}));
    assert_eq!(sync.send().await.status, 200);
    netbox.finish_jobs();
    proxy.clock.push(FRESH - Duration::from_millis(1));
    assert!(get(&proxy, &branch).await.is_hit());
    proxy.clock.push(Duration::from_millis(1));
    assert_eq!(get(&proxy, &branch).await.json()["description"], "in main");
}

#[tokio::test]
async fn a_new_branch_is_ready_when_netbox_says_so() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    get(&proxy, "nosuchbr").await;
    let made = proxy.ask("POST", BRANCHES).json(&json!({"name": "new"})).send().await.json();
    let branch = made["schema_id"].as_str().expect("it has one").to_owned();
    assert!(get(&proxy, &branch).await.detail().contains("its status is new"));
    netbox.start_jobs();
    assert!(get(&proxy, &branch).await.detail().contains("its status is provisioning"));
    netbox.finish_jobs();
    assert_eq!(get(&proxy, &branch).await.status, 200);
    // What is done to branches through nbproxy is known at once.
    assert!(get(&proxy, &branch).await.is_hit());
    let gone = proxy.ask("DELETE", &format!("{BRANCHES}{}/", made["id"])).send().await;
    assert_eq!(gone.status, 204);
    assert!(get(&proxy, &branch).await.detail().contains("there is no branch"));
}

#[tokio::test]
async fn a_crowd_costs_one_question() {
    let netbox = FakeNetbox::start().await;
    let branch = netbox.add_branch("one", "ready");
    let proxy = std::sync::Arc::new(TestProxy::before(&netbox).await);
    for (branch, most) in [(branch.as_str(), 1), ("nosuchbr", 2)] {
        proxy.clock.push(FRESH);
        netbox.clear_log();
        let hold = netbox.hold("GET", BRANCHES, HoldPoint::BeforeAnswer);
        let crowd: Vec<_> = (0..50)
            .map(|n| {
                let ask = proxy.ask("GET", &format!("/api/dcim/sites/?limit=1&offset={n}"));
                start(ask.header("x-netbox-branch", branch).send())
            })
            .collect();
        proxy.wait_for_requests(50).await;
        assert_eq!(netbox.in_flight(), 1, "nothing goes to NetBox before the branch is known");
        hold.release();
        for one in crowd {
            assert_eq!(one.await.expect("it ran").status, if most == 1 { 200 } else { 400 });
        }
        let asked = netbox.count("GET", BRANCHES);
        assert!((1..=most).contains(&asked), "{asked} questions");
    }
}

#[tokio::test]
async fn all_pages_of_the_list_are_read() {
    let netbox = FakeNetbox::start().await;
    let branches: Vec<_> = (0..5).map(|n| netbox.add_branch(&format!("b{n}"), "ready")).collect();
    netbox.set_page_size(2, 2);
    let proxy = TestProxy::before(&netbox).await;
    for branch in &branches {
        assert_eq!(get(&proxy, branch).await.status, 200);
    }
    assert_eq!(netbox.count("GET", BRANCHES), 3);
}

/// Then nobody knows which of NetBox's answers are the branch's: for a branch that is not ready it may answer main's data.
#[tokio::test]
async fn while_the_list_cannot_be_had_nothing_is_remembered_of_branches() {
    let netbox = FakeNetbox::start().await;
    let branch = netbox.add_branch("one", "ready");
    let proxy = TestProxy::before(&netbox).await;
    get(&proxy, &branch).await;
    assert!(get(&proxy, &branch).await.is_hit());
    let forbidden = "{\"detail\":\"You do not have permission to perform this action.\"}".to_owned();
    netbox.fault(Match::path("GET", BRANCHES), Fault::Status(403, "application/json", forbidden));
    proxy.clock.push(FRESH);
    netbox.clear_log();
    for _ in 0..2 {
        let passed = get(&proxy, &branch).await;
        assert_eq!((passed.status, passed.cache()), (200, "fwd=bypass; detail=branch-unknown"));
    }
    assert_eq!((netbox.count("GET", BRANCHES), netbox.count("GET", SITE)), (1, 2));
    let cached = proxy.ask("GET", SITE).header("x-netbox-branch", &branch).header("cache-control", "only-if-cached");
    assert_eq!(cached.send().await.status, 504);
    // A write may land in main, for all that is known.
    proxy.get(SITE).await;
    assert_eq!(write(&proxy, &branch).await.status, 200);
    assert!(!proxy.get(SITE).await.is_hit());
    netbox.clear_faults();
    proxy.clock.push(FRESH);
    assert_eq!(get(&proxy, &branch).await.json()["description"], "written");
    assert!(get(&proxy, &branch).await.is_hit());
}

#[tokio::test]
async fn what_happened_to_branches_while_the_list_could_not_be_had_is_not_known() {
    let netbox = FakeNetbox::start().await;
    let branch = netbox.add_branch("one", "ready");
    let proxy = TestProxy::before(&netbox).await;
    get(&proxy, &branch).await;
    netbox.fault(Match::path("GET", BRANCHES), Fault::Status(500, "application/json", "{}".to_owned()));
    proxy.clock.push(FRESH);
    assert_eq!(get(&proxy, &branch).await.cache(), "fwd=bypass; detail=branch-unknown");
    netbox.clear_faults();
    proxy.clock.push(FRESH);
    assert_eq!(get(&proxy, &branch).await.cache(), "fwd=stale; stored; detail=outdated");
    assert!(get(&proxy, &branch).await.is_hit());
}

#[tokio::test]
async fn without_a_shared_token_there_is_no_list() {
    let netbox = FakeNetbox::start().await;
    let branch = netbox.add_branch("one", "ready");
    let settings = "[access]\npassthrough = true\nanonymous = \"deny\"";
    let proxy = TestProxy::builder(&netbox).token("").settings(settings).start_unready().await;
    let ask = || {
        let own = format!("Token {}", netbox.token());
        proxy.ask("GET", SITE).header("authorization", &own).header("x-netbox-branch", &branch)
    };
    for _ in 0..2 {
        assert_eq!(ask().send().await.cache(), "fwd=bypass; detail=branch-unknown");
    }
    assert_eq!(netbox.count("GET", BRANCHES), 0);
}

#[tokio::test]
async fn a_visitors_branch_is_known_by_the_shared_token() {
    let netbox = FakeNetbox::start().await;
    let branch = netbox.add_branch("one", "ready");
    netbox.add_token("cccccccccccccccccccccccccccccccccccccccc", "carol", true);
    let settings = "[access]\npassthrough = true\nanonymous = \"deny\"";
    let proxy = TestProxy::builder(&netbox).settings(settings).start().await;
    let ask = |branch: &str| {
        let own = proxy.ask("GET", SITE).header("authorization", "Token cccccccccccccccccccccccccccccccccccccccc");
        own.header("x-netbox-branch", branch).send()
    };
    ask(&branch).await;
    assert!(ask(&branch).await.is_hit());
    // One that the shared token does not see may be there all the same: NetBox lets everybody choose any.
    let unknown = ask("nosuchbr").await;
    assert_eq!(
        (unknown.status, unknown.header("content-type")),
        (400, "text/html; charset=utf-8"),
        "NetBox's own word"
    );
    let hidden = netbox.add_branch("hidden", "ready");
    let none = r#"{"count":0,"next":null,"previous":null,"results":[]}"#.to_owned();
    netbox.fault(Match::path("GET", BRANCHES), Fault::Status(200, "application/json", none));
    let seen = ask(&hidden).await;
    assert_eq!((seen.status, seen.cache()), (200, "fwd=bypass; detail=branch-unknown"));
}

/// Who answers the same however far the list has been read would be asked for ever.
#[tokio::test]
async fn a_list_without_end_is_none() {
    let netbox = FakeNetbox::start().await;
    let branch = netbox.add_branch("one", "ready");
    let proxy = TestProxy::before(&netbox).await;
    let row = json!({"id": 1, "schema_id": branch, "status": {"value": "ready", "label": "Ready"}});
    let page = json!({"count": 2, "next": "more", "previous": null, "results": [row]}).to_string();
    netbox.fault(Match::path("GET", BRANCHES), Fault::Status(200, "application/json", page));
    assert_eq!(get(&proxy, &branch).await.cache(), "fwd=bypass; detail=branch-unknown");
    assert_eq!(netbox.count("GET", BRANCHES), 2);
}

#[tokio::test]
async fn when_netbox_is_away_so_are_its_branches() {
    let netbox = FakeNetbox::start().await;
    let branch = netbox.add_branch("one", "ready");
    let proxy = TestProxy::before(&netbox).await;
    get(&proxy, &branch).await;
    proxy.clock.push(FRESH);
    netbox.stop().await;
    assert_eq!(get(&proxy, &branch).await.status, 502);
    netbox.restart().await;
    until(async || get(&proxy, &branch).await.status == 200).await;
    assert!(get(&proxy, &branch).await.is_hit());
}

/// Without the plugin there is no list, and the header means nothing.
#[tokio::test]
async fn without_the_plugin_nothing_is_asked() {
    let netbox = FakeNetbox::builder().plugins(&[]).start().await;
    let proxy = TestProxy::before(&netbox).await;
    assert_eq!(get(&proxy, "abcdefgh").await.status, 200);
    assert!(get(&proxy, "abcdefgh").await.is_hit());
    assert_eq!(netbox.count("GET", BRANCHES), 0);
}

/// What branching exempts is main's in every branch.
#[tokio::test]
async fn what_is_shared_with_main_is_seen_in_branches_when_it_changes_there() {
    let netbox = FakeNetbox::start().await;
    let branch = netbox.add_branch("one", "ready");
    let field = json!({"name": "cf", "type": "text", "object_types": ["dcim.site"]});
    let field = format!("/api/extras/custom-fields/{}/", netbox.create("extras/custom-fields", field));
    let proxy = TestProxy::before(&netbox).await;
    let label = async || -> Value {
        let ask = proxy.ask("GET", &field).header("x-netbox-branch", &branch);
        ask.send().await.json()["description"].clone()
    };
    assert_eq!(label().await, "");
    proxy.ask("PATCH", &field).json(&json!({"description": "new"})).send().await;
    assert_eq!(label().await, "new");
}
