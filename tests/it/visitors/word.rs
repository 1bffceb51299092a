//! NetBox's word for a visitor: how long it counts, and what ends it.

use std::time::Duration;

use fake_netbox::{FakeNetbox, HoldPoint};
use serde_json::{Value, json};

use super::{NORTH, ROOT, SITE, SITES, SOUTH, ask, before, get, ids, netbox, refused};
use crate::support::{Raw, start, until, within};

#[tokio::test]
async fn netboxs_word_counts_for_thirty_seconds() {
    let netbox = netbox().await;
    let proxy = before(&netbox, "[cache]\nttl_without_feed = \"10m\"").await;
    get(&proxy, NORTH, SITES).await;
    assert_eq!((netbox.count("GET", ROOT), netbox.count("GET", SITES)), (1, 1));
    proxy.clock.push(Duration::from_secs(30));
    assert!(get(&proxy, NORTH, SITES).await.is_hit());
    assert_eq!(netbox.count("GET", ROOT), 1);
    proxy.clock.push(Duration::from_millis(1));
    assert!(get(&proxy, NORTH, SITES).await.is_hit());
    assert!(get(&proxy, NORTH, SITES).await.is_hit());
    assert_eq!((netbox.count("GET", ROOT), netbox.count("GET", SITES)), (2, 1));
}

/// A way to take a visitor's access away, and what NetBox says then.
type Way = (&'static str, fn(&FakeNetbox), &'static str);

fn ways() -> [Way; 5] {
    [
        ("deleted", |netbox| netbox.revoke_token(NORTH), "Invalid v1 token"),
        ("disabled", |netbox| netbox.disable_token(NORTH), "Token disabled"),
        ("expired", |netbox| netbox.expire_token(NORTH), "Token expired"),
        ("inactive", |netbox| netbox.set_active("north", false), "User inactive"),
        (
            "bound",
            |netbox| netbox.edit_token(NORTH, json!({"allowed_ips": ["10.0.0.0/8"]})),
            "Source IP 127.0.0.1 is not permitted to authenticate using this token.",
        ),
    ]
}

#[tokio::test]
async fn who_is_let_in_no_longer_is_shown_nothing_after_thirty_seconds() {
    for (way, take, text) in ways() {
        let netbox = netbox().await;
        let proxy = before(&netbox, "").await;
        get(&proxy, NORTH, SITES).await;
        let etag = get(&proxy, NORTH, SITE).await.header("etag").to_owned();
        take(&netbox);
        proxy.clock.push(Duration::from_secs(31));
        for cache_control in ["", "max-stale", "only-if-cached", "max-stale=600, only-if-cached"] {
            for (name, value) in [("x-nothing", ""), ("if-none-match", etag.as_str()), ("if-none-match", "*")] {
                let read = ask(&proxy, NORTH, "GET", SITE).header("cache-control", cache_control);
                let answer = read.header(name, value).send().await;
                assert_eq!((answer.status, answer.detail().as_str()), (403, text), "{way} {cache_control} {name}");
                assert_eq!(answer.header("etag"), "", "{way}");
            }
        }
        refused(&get(&proxy, NORTH, SITES).await, text);
        let head = ask(&proxy, NORTH, "HEAD", SITES).send().await;
        assert_eq!((head.status, head.body.len()), (403, 0), "{way}");
        assert_eq!(get(&proxy, SOUTH, SITES).await.status, 200, "{way}");
        assert_eq!(proxy.metric("nbproxy_upstream_token_refused_total").await, 0.0, "it is not nbproxy's own token");
    }
}

#[tokio::test]
async fn a_refusal_that_is_seen_counts_at_once() {
    let seen: [(&str, &str, Option<Value>); 5] = [
        ("PATCH", SITE, Some(json!({"facility": "x"}))),
        ("OPTIONS", SITES, None),
        ("GET", "/api/core/jobs/", None),
        ("GET", "/api/dcim/racks/", None),
        ("POST", "/graphql/", Some(json!({"query": "{ site_list { id } }"}))),
    ];
    for (method, target, body) in seen {
        let netbox = netbox().await;
        let proxy = before(&netbox, "").await;
        get(&proxy, NORTH, SITES).await;
        assert!(get(&proxy, NORTH, SITES).await.is_hit());
        netbox.disable_token(NORTH);
        let mut request = ask(&proxy, NORTH, method, target);
        if let Some(body) = body {
            request = request.json(&body);
        }
        assert_eq!(request.send().await.status, 403, "{method} {target}");
        assert_eq!(proxy.metric("nbproxy_upstream_token_refused_total").await, 0.0, "it is not nbproxy's own token");
        refused(&get(&proxy, NORTH, SITES).await, "Token disabled");
        netbox.enable_token(NORTH);
        assert_eq!(get(&proxy, NORTH, SITES).await.status, 200, "and it may come back");
    }
}

/// What the user may not do says nothing of the token.
#[tokio::test]
async fn a_refused_permission_is_not_a_refused_token() {
    let netbox = netbox().await;
    let proxy = before(&netbox, "").await;
    get(&proxy, NORTH, SITES).await;
    for (method, target) in [("DELETE", "/api/dcim/racks/1/"), ("GET", "/api/core/jobs/"), ("GET", "/api/dcim/racks/")]
    {
        let answer = ask(&proxy, NORTH, method, target).send().await;
        refused(&answer, "You do not have permission to perform this action.");
    }
    get(&proxy, NORTH, SITES).await;
    assert_eq!(netbox.count("GET", ROOT), 1);
}

/// Who joins a fetch has been let in as whoever leads it.
#[tokio::test]
async fn a_fetch_under_way_is_joined_only_by_who_is_let_in() {
    let netbox = netbox().await;
    let proxy = before(&netbox, "").await;
    let hold = netbox.hold("GET", SITES, HoldPoint::BeforeAnswer);
    let first = start(ask(&proxy, NORTH, "GET", SITES).send());
    within(hold.arrived(1)).await;
    let joined = start(ask(&proxy, NORTH, "GET", SITES).send());
    proxy.wait_for_requests(2).await;
    netbox.disable_token(NORTH);
    proxy.clock.push(Duration::from_secs(31));
    refused(&get(&proxy, NORTH, SITES).await, "Token disabled");
    hold.release();
    for early in [first, joined] {
        assert_eq!(ids(&early.await.expect("it ran")), [1, 5, 9]);
    }
    assert_eq!(netbox.count("GET", SITES), 1);
    refused(&get(&proxy, NORTH, SITES).await, "Token disabled");
}

#[tokio::test]
async fn without_netbox_nobody_is_let_in_for_long() {
    let netbox = netbox().await;
    let proxy = before(&netbox, "").await;
    get(&proxy, NORTH, SITES).await;
    get(&proxy, "key-of-tool", SITES).await;
    netbox.stop().await;
    assert!(get(&proxy, NORTH, SITES).await.is_hit());
    proxy.clock.push(Duration::from_secs(31));
    for cache_control in ["", "max-stale", "only-if-cached"] {
        let answer = ask(&proxy, NORTH, "GET", SITES).header("cache-control", cache_control).send().await;
        assert_eq!((answer.status, answer.detail().as_str()), (502, "nbproxy cannot reach NetBox."), "{cache_control}");
    }
    assert_eq!(get(&proxy, "key-of-tool", SITES).await.status, 200, "who has a key is shown what there is");
    netbox.restart().await;
    assert_eq!(ids(&get(&proxy, NORTH, SITES).await), [1, 5, 9]);
}

#[tokio::test]
async fn many_at_once_cost_one_question() {
    let netbox = netbox().await;
    let proxy = before(&netbox, "").await;
    let hold = netbox.hold("GET", ROOT, HoldPoint::BeforeRead);
    let askers: Vec<_> = (0..20).map(|_| start(ask(&proxy, NORTH, "GET", SITES).send())).collect();
    proxy.wait_for_requests(20).await;
    hold.release();
    for asker in askers {
        assert_eq!(ids(&asker.await.expect("it ran")), [1, 5, 9]);
    }
    assert_eq!((netbox.count("GET", ROOT), netbox.count("GET", SITES)), (1, 1));
}

/// Whoever asks hangs up while NetBox is asked for it: nothing at NetBox is held for that, and what NetBox said then
/// is not believed later.
#[tokio::test]
async fn who_hangs_up_amid_the_question_leaves_nothing_behind() {
    let netbox = netbox().await;
    let proxy = before(&netbox, "[upstream]\nmax_in_flight = 1").await;
    let hold = netbox.hold("GET", ROOT, HoldPoint::BeforeAnswer);
    let mut impatient = Raw::connect(proxy.address()).await;
    impatient.write(&format!("GET {SITES} HTTP/1.1\r\nHost: x\r\nAuthorization: Token {NORTH}\r\n\r\n")).await;
    within(hold.arrived(1)).await;
    drop(impatient);
    until(async || proxy.metric("nbproxy_requests_in_progress").await <= 0.0).await;
    netbox.disable_token(NORTH);
    hold.release();
    assert_eq!(within(get(&proxy, "key-of-tool", SITES)).await.status, 200, "the place is free again");
    proxy.clock.push(Duration::from_secs(3600));
    refused(&get(&proxy, NORTH, SITES).await, "Token disabled");
}

/// NetBox said yes, then no; the yes arrives last.
#[tokio::test]
async fn a_late_yes_does_not_undo_a_no() {
    let netbox = netbox().await;
    let proxy = before(&netbox, "[cache]\nttl_without_feed = \"10m\"").await;
    get(&proxy, NORTH, SITES).await;
    // Let in while NetBox's word still counted, and answered late.
    let options = netbox.hold("OPTIONS", SITES, HoldPoint::BeforeRead);
    let passed_on = start(ask(&proxy, NORTH, "OPTIONS", SITES).send());
    within(options.arrived(1)).await;
    proxy.clock.push(Duration::from_secs(31));
    let hold = netbox.hold("GET", ROOT, HoldPoint::BeforeAnswer);
    let early = start(ask(&proxy, NORTH, "GET", SITES).send());
    within(hold.arrived(1)).await;
    netbox.disable_token(NORTH);
    options.release();
    assert_eq!(passed_on.await.expect("it ran").status, 403);
    hold.release();
    early.await.expect("it ran");
    refused(&get(&proxy, NORTH, SITES).await, "Token disabled");
}

/// A question that NetBox has long left open is waited for, and what it said then does not count now.
#[tokio::test]
async fn a_question_of_long_ago_is_asked_again() {
    let netbox = netbox().await;
    let proxy = before(&netbox, "[cache]\nttl_without_feed = \"10m\"").await;
    get(&proxy, NORTH, SITES).await;
    proxy.clock.push(Duration::from_secs(31));
    let hold = netbox.hold("GET", ROOT, HoldPoint::BeforeAnswer);
    let early = start(ask(&proxy, NORTH, "GET", SITES).send());
    within(hold.arrived(1)).await;
    netbox.disable_token(NORTH);
    proxy.clock.push(Duration::from_secs(31));
    let late = start(ask(&proxy, NORTH, "GET", SITES).send());
    proxy.wait_for_requests(2).await;
    hold.release();
    refused(&late.await.expect("it ran"), "Token disabled");
    early.await.expect("it ran");
    assert_eq!(netbox.count("GET", ROOT), 3);
}
