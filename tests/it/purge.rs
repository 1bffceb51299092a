//! What an operator has nbproxy forget is not seen again, and nothing else is forgotten.

use std::time::Duration;

use fake_netbox::{FakeNetbox, HoldPoint};
use serde_json::{Value, json};

use crate::support::{Answer, Ask, TestProxy, start, within};

const SITE: &str = "/api/dcim/sites/1/";

async fn purge(proxy: &TestProxy, order: &Value) -> Answer {
    Ask::new("POST", &format!("http://{}/cache/purge", proxy.admin_address())).json(order).send().await
}

async fn purged(proxy: &TestProxy, order: &Value) -> u64 {
    let answer = purge(proxy, order).await;
    assert_eq!(answer.status, 200, "{order}: {}", answer.text());
    answer.json()["purged"].as_u64().expect("a number")
}

#[tokio::test]
async fn each_order_is_carried_out_to_the_letter() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let branch = netbox.add_branch("one", "ready");
    let reads: [(&str, Option<&str>); 8] = [
        ("/api/dcim/sites/", None),
        ("/api/dcim/sites/?name=x", None),
        ("/api/dcim/sites/1/", None),
        ("/api/dcim/sites/2/", None),
        ("/api/dcim/racks/", None),
        ("/api/ipam/prefixes/", None),
        ("/api/dcim/sites/1/", Some(&branch)),
        ("/api/dcim/racks/", Some(&branch)),
    ];
    let read = |(target, branch): (&str, Option<&str>), directive: &str| {
        let ask = proxy.ask("GET", target).header("cache-control", directive);
        let ask = if let Some(branch) = branch { ask.header("x-netbox-branch", branch) } else { ask };
        async move { ask.send().await }
    };
    for (order, gone, also_outdated) in [
        (json!({"all": true}), vec![0, 1, 2, 3, 4, 5, 6, 7], vec![]),
        (json!({"branch": "main"}), vec![0, 1, 2, 3, 4, 5], vec![6, 7]),
        (json!({"branch": branch}), vec![6, 7], vec![]),
        (json!({"endpoint": "dcim/sites"}), vec![0, 1, 2, 3, 6], vec![]),
        (json!({"endpoint": "dcim/sites", "branch": "main"}), vec![0, 1, 2, 3], vec![]),
        (json!({"endpoint": "dcim/*", "branch": branch}), vec![6, 7], vec![]),
        (json!({"endpoint": "*"}), vec![0, 1, 2, 3, 4, 5, 6, 7], vec![]),
        (json!({"endpoint": "dcim/sites", "id": 1}), vec![0, 1, 2, 6], vec![]),
        (json!({"endpoint": "dcim/sites", "id": 1, "branch": "main"}), vec![0, 1, 2], vec![]),
        (json!({"endpoint": "dcim/sites", "id": 77}), vec![0, 1], vec![]),
        (json!({"endpoint": "dcim/cables"}), vec![], vec![]),
    ] {
        for one in reads {
            read(one, "").await;
            assert!(read(one, "only-if-cached").await.is_hit(), "{one:?} before {order}");
        }
        assert_eq!(purged(&proxy, &order).await, gone.len() as u64, "{order}");
        for (index, one) in reads.into_iter().enumerate() {
            let expected = !gone.contains(&index) && !also_outdated.contains(&index);
            assert_eq!(read(one, "only-if-cached").await.is_hit(), expected, "{one:?} after {order}");
        }
    }
    assert_eq!(proxy.metric("nbproxy_epoch_bumps_total{source=\"operator\"}").await, 3.0);
    assert_eq!(proxy.metric("nbproxy_cache_evictions").await, 0.0);
}

#[tokio::test]
async fn a_fetch_under_way_is_neither_kept_nor_joined() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    for (number, order) in [
        json!({"all": true}),
        json!({"branch": "main"}),
        json!({"endpoint": "dcim/sites"}),
        json!({"endpoint": "dcim/sites", "id": 1}),
    ]
    .iter()
    .enumerate()
    {
        let text = format!("changed in NetBox itself, {number}");
        let hold = netbox.hold("GET", SITE, HoldPoint::BeforeAnswer);
        let before = start(proxy.ask("GET", SITE).send());
        hold.arrived(1).await;
        netbox.edit("dcim/sites", 1, json!({"description": text}));
        assert_eq!(purged(&proxy, order).await, 0, "{order}");
        let after = start(proxy.ask("GET", SITE).send());
        within(hold.arrived(2)).await;
        hold.release_one();
        let before = before.await.expect("it ran");
        assert_ne!(before.json()["description"], text, "it began before, and may show so");
        assert_eq!(before.cache(), "fwd=miss; detail=changed", "{order}");
        let joining = start(proxy.ask("GET", SITE).send());
        proxy.wait_for_requests(2).await;
        hold.release();
        for (answer, how) in [(after, "fwd=miss; stored"), (joining, "fwd=miss; stored; collapsed")] {
            let answer = answer.await.expect("it ran");
            assert_eq!((answer.json()["description"].as_str(), answer.cache()), (Some(text.as_str()), how), "{order}");
        }
        let next = proxy.get(SITE).await;
        assert!(next.is_hit() && next.json()["description"] == text, "{order}: {}", next.text());
        assert_eq!(purged(&proxy, order).await, 1, "{order}");
    }
}

/// A fetch of something else that was under way is not kept either; it costs one more, and nothing else.
#[tokio::test]
async fn what_the_order_does_not_cover_is_served_on() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    proxy.get("/api/dcim/racks/").await;
    let hold = netbox.hold("GET", "/api/ipam/prefixes/", HoldPoint::BeforeAnswer);
    let other = start(proxy.ask("GET", "/api/ipam/prefixes/").send());
    hold.arrived(1).await;
    purged(&proxy, &json!({"endpoint": "dcim/sites"})).await;
    hold.release();
    let other = other.await.expect("it ran");
    assert_eq!((other.status, other.cache()), (200, "fwd=miss; detail=changed"));
    assert_eq!(proxy.get("/api/ipam/prefixes/").await.cache(), "fwd=miss; stored");
    assert!(proxy.get("/api/dcim/racks/").await.is_hit());
}

#[tokio::test]
async fn heads_conditions_and_other_names_find_nothing_that_was_purged() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let old = proxy.get(SITE).await;
    let by_another_name = || proxy.ask("GET", SITE).header("host", "nbproxy.example").send();
    assert!(by_another_name().await.is_hit());
    netbox.edit("dcim/sites", 1, json!({"description": "new"}));
    assert_eq!(purged(&proxy, &json!({"endpoint": "dcim/sites", "id": 1})).await, 1, "one entry in two forms");
    let head = proxy.ask("HEAD", SITE).send().await;
    assert_eq!((head.status, head.cache()), (200, "fwd=miss; stored"));
    let conditional = proxy.ask("GET", SITE).header("if-none-match", old.header("etag")).send().await;
    assert_eq!((conditional.status, conditional.json()["description"].as_str()), (200, Some("new")));
    assert!(conditional.is_hit());
    let renamed = by_another_name().await;
    assert!(renamed.is_hit() && renamed.json()["description"] == "new", "{}", renamed.text());
    assert_eq!(proxy.ask("HEAD", SITE).send().await.header("content-length"), conditional.body.len().to_string());
}

/// A client may accept answers from before a change. Not from before a purge: they are gone.
#[tokio::test]
async fn consent_to_what_is_outdated_is_no_consent_to_what_was_purged() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let easy_going = || proxy.ask("GET", SITE).header("cache-control", "max-stale=3600").send();
    for order in [json!({"all": true}), json!({"branch": "main"})] {
        proxy.get(SITE).await;
        proxy.ask("PATCH", "/api/dcim/sites/2/").json(&json!({})).send().await;
        let hold = netbox.hold("GET", SITE, HoldPoint::BeforeAnswer);
        assert!(easy_going().await.cache().ends_with("detail=outdated"), "the test must see it served once");
        hold.arrived(1).await;
        purged(&proxy, &order).await;
        let after = start(easy_going());
        within(hold.arrived(2)).await;
        hold.release();
        assert_eq!(after.await.expect("it ran").cache(), "fwd=miss; stored", "{order}");
    }
}

#[tokio::test]
async fn a_netbox_that_is_down_does_not_bring_back_what_was_purged() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let order = json!({"endpoint": "dcim/sites"});
    for target in [SITE, "/api/dcim/racks/"] {
        proxy.get(target).await;
    }
    proxy.clock.push(Duration::from_secs(120));
    let hold = netbox.hold("GET", "/api/dcim/", HoldPoint::BeforeAnswer);
    let (site, racks) = (start(proxy.ask("GET", SITE).send()), start(proxy.ask("GET", "/api/dcim/racks/").send()));
    hold.arrived(2).await;
    assert_eq!(purged(&proxy, &order).await, 1);
    netbox.stop().await;
    let (site, racks) = (site.await.expect("it ran"), racks.await.expect("it ran"));
    assert!(racks.cache().ends_with("detail=stale-if-error"), "the test must see it work: {}", racks.cache());
    assert_eq!(site.status, 502, "{}", site.text());
    assert_eq!(proxy.get(SITE).await.status, 502);
    assert!(proxy.get("/api/dcim/racks/").await.is_hit());
}

#[tokio::test]
async fn an_order_that_says_nothing_clear_is_refused_and_nothing_is_done() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    proxy.get(SITE).await;
    for (order, complaint) in [
        ("", "the order is no good: EOF"),
        ("all", "the order is no good: expected value"),
        ("[]", "the order is no good: "),
        ("{}", "say what to purge"),
        (r#"{"everything": true}"#, "unknown field `everything`"),
        (r#"{"all": true, "confirm": true}"#, "unknown field `confirm`"),
        (r#"{"all": true, "all": true}"#, "duplicate field `all`"),
        (r#"{"all": "yes"}"#, "invalid type: string \"yes\", expected a boolean"),
        (r#"{"all": false}"#, "all: "),
        (r#"{"all": true, "endpoint": "dcim/sites"}"#, "all: it goes alone"),
        (r#"{"endpoint": "/api/dcim/sites/"}"#, "endpoint: a pattern is an endpoint's name such as dcim/sites"),
        (r#"{"endpoint": ""}"#, "endpoint: "),
        (r#"{"id": 1}"#, "id: it wants an endpoint"),
        (r#"{"endpoint": "dcim/*", "id": 1}"#, "id: it wants one endpoint"),
        (r#"{"endpoint": "dcim/sites", "id": "1"}"#, "invalid type: string \"1\", expected u64"),
        (r#"{"endpoint": "dcim/sites", "id": -1}"#, "invalid value: integer `-1`"),
        (r#"{"branch": "Main"}"#, "branch: "),
        (r#"{"endpoint": "dcim/sites", "branch": ""}"#, "branch: "),
        (r#"{"all": true} {"all": true}"#, "trailing characters"),
    ] {
        let url = format!("http://{}/cache/purge", proxy.admin_address());
        let answer = Ask::new("POST", &url).body(order).send().await;
        assert_eq!(answer.status, 400, "{order}: {}", answer.text());
        assert!(answer.detail().contains(complaint), "{order}: {}", answer.detail());
    }
    let long = purge(&proxy, &json!({"endpoint": "x".repeat(20_000)})).await;
    assert_eq!((long.status, long.detail().contains("longer than 16384 bytes")), (400, true));
    assert!(proxy.get(SITE).await.is_hit());
}
