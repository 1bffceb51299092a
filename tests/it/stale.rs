//! Stale only when honest: expired but coherent, and said so. What is outdated is served to nobody who did
//! not ask for it.

use std::time::Duration;

use fake_netbox::{FakeNetbox, Fault, HoldPoint, Match};
use serde_json::json;

use crate::support::{TestProxy, client, until};

const SITES: &str = "/api/dcim/sites/";
const SITE: &str = "/api/dcim/sites/1/";

#[tokio::test]
async fn an_expired_answer_is_served_at_once_and_fetched_anew_once() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    proxy.get(SITES).await;
    netbox.edit("dcim/sites", 1, json!({"description": "elsewhere"}));
    proxy.clock.push(Duration::from_secs(40));
    let hold = netbox.hold("GET", SITES, HoldPoint::BeforeAnswer);
    for _ in 0..5 {
        let answer = proxy.get(SITES).await;
        assert_eq!(answer.cache(), "hit; ttl=-10; detail=stale-while-revalidate");
        assert_eq!(answer.header("age"), "40");
    }
    hold.arrived(1).await;
    hold.release();
    until(async || proxy.get(SITES).await.cache().starts_with("hit; ttl=30")).await;
    assert_eq!(netbox.count("GET", SITES), 2);
    assert_eq!(proxy.get(SITES).await.json()["results"][0]["description"], "elsewhere");
}

#[tokio::test]
async fn while_netbox_is_down_expired_answers_stand_in() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).settings("[upstream]\ntimeout = \"2s\"").start().await;
    proxy.get(SITES).await;
    proxy.clock.push(Duration::from_secs(3600));
    netbox.stop().await;
    for _ in 0..3 {
        let answer = proxy.get(SITES).await;
        assert_eq!((answer.status, answer.header("age")), (200, "3600"));
        assert_eq!(answer.cache(), "hit; ttl=-3570; detail=stale-if-error");
    }
    assert_eq!(proxy.get("/api/dcim/racks/").await.status, 502, "what was never fetched cannot stand in");
    netbox.restart().await;
    // NetBox is believed to be failing for a moment; meanwhile one fetch tries again.
    until(async || !proxy.get(SITES).await.cache().contains("stale")).await;
    assert!(proxy.get(SITES).await.cache().starts_with("hit; ttl="));
}

#[tokio::test]
async fn every_way_of_not_answering_counts() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).settings("[upstream]\ntimeout = \"2s\"").start().await;
    for fault in [
        Fault::Hang,
        Fault::ResetBeforeAnswer,
        Fault::ResetMidBody,
        Fault::Truncate,
        Fault::Status(502, "text/html", "<html>".to_owned()),
        Fault::Status(503, "text/html", "<html>".to_owned()),
        Fault::Status(504, "text/html", "<html>".to_owned()),
    ] {
        let shown = format!("{fault:?}");
        netbox.clear_faults();
        let fresh = proxy.ask("GET", SITES).header("cache-control", "no-cache").send().await;
        assert_eq!(fresh.status, 200, "before {shown}");
        proxy.clock.push(Duration::from_secs(600));
        netbox.fault(Match::path("GET", SITES), fault);
        let answer = proxy.get(SITES).await;
        assert_eq!(
            (answer.status, answer.cache().ends_with("detail=stale-if-error")),
            (200, true),
            "{shown}: {}",
            answer.cache()
        );
    }
}

#[tokio::test]
async fn what_is_outdated_is_served_to_nobody_who_did_not_consent() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    proxy.get(SITES).await;
    proxy.ask("PATCH", "/api/dcim/sites/1/").json(&json!({"description": "new"})).send().await;
    netbox.stop().await;
    let answer = proxy.get(SITES).await;
    assert_eq!((answer.status, answer.detail().as_str()), (502, "nbproxy cannot reach NetBox."));
    let expired = proxy.ask("GET", SITES).header("cache-control", "max-stale=0").send().await;
    assert_eq!(expired.status, 502);
}

/// A client may say, by its settings or its request, how outdated an answer it still accepts; nobody else is given one.
#[tokio::test]
async fn who_consents_is_given_what_has_been_outdated_for_no_longer() {
    let netbox = FakeNetbox::start().await;
    let clients = client("strict", "access = \"write\"") + &client("easy", "access = \"write\"\nmax_stale = \"20s\"");
    let proxy = TestProxy::builder(&netbox).settings(&clients).start().await;
    let ask = |method: &str, name: &str| proxy.ask(method, SITE).by(name);
    ask("GET", "strict").send().await;
    proxy.clock.push(Duration::from_secs(9));
    ask("PATCH", "strict").json(&json!({"description": "new"})).send().await;
    let hold = netbox.hold("GET", SITE, HoldPoint::BeforeRead);
    for passed in [0, 19] {
        proxy.clock.push(Duration::from_secs(passed));
        let easy = ask("GET", "easy").send().await;
        assert_eq!(easy.cache(), format!("hit; ttl=-{passed}; detail=outdated"));
        assert_eq!(
            (easy.json()["description"].as_str(), easy.header("age")),
            (Some(""), (9 + passed).to_string().as_str())
        );
    }
    for wish in ["max-stale=20", "max-stale"] {
        let wishing = ask("GET", "strict").header("cache-control", wish).send().await;
        assert_eq!(wishing.json()["description"], "", "{wish}");
    }
    let strict = ask("GET", "strict").header("cache-control", "only-if-cached, max-stale=19").send().await;
    assert_eq!(strict.status, 504, "19 s are not more than 19 s");
    let fresh = ask("GET", "easy").header("cache-control", "only-if-cached, max-age=27").send().await;
    assert_eq!(fresh.status, 504, "who wants it younger does not consent");
    proxy.clock.push(Duration::from_secs(1));
    let easy = crate::support::start(ask("GET", "easy").send());
    hold.arrived(1).await;
    hold.release();
    assert_eq!(easy.await.expect("it ran").json()["description"], "new", "20 s are too long");
}

/// The first of many changes counts, not the last.
#[tokio::test]
async fn an_answer_is_outdated_since_the_first_change() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    proxy.get(SITE).await;
    for _ in 0..5 {
        proxy.ask("PATCH", "/api/dcim/racks/1/").json(&json!({"serial": "x"})).send().await;
        proxy.clock.push(Duration::from_secs(2));
    }
    let ask = |wish: &str| proxy.ask("GET", SITE).header("cache-control", &format!("only-if-cached, {wish}")).send();
    assert_eq!(ask("max-stale=10").await.status, 504);
    assert_eq!(ask("max-stale=11").await.cache(), "hit; ttl=-10; detail=outdated");
    for _ in 0..20 {
        proxy.ask("PATCH", "/api/dcim/racks/1/").json(&json!({"serial": "x"})).send().await;
    }
    // So many changes later it is not known any more since when, and the worst is taken: since it was fetched.
    assert_eq!(ask("max-stale=10").await.status, 504);
    assert_eq!(ask("max-stale").await.status, 200);
}

/// Expired while the fetch that should replace it fails, and outdated in between: then it may not stand in.
#[tokio::test]
async fn an_answer_outdated_while_netbox_was_asked_does_not_stand_in() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    proxy.get(SITES).await;
    proxy.clock.push(Duration::from_secs(600));
    let hold = netbox.hold("GET", SITES, HoldPoint::BeforeRead);
    netbox.fault(Match::path("GET", SITES).times(1), Fault::Status(503, "text/html", "<html>".to_owned()));
    let reader = crate::support::start(proxy.ask("GET", SITES).send());
    hold.arrived(1).await;
    proxy.ask("PATCH", "/api/dcim/sites/1/").json(&json!({"description": "new"})).send().await;
    hold.release();
    assert_eq!(reader.await.expect("it ran").status, 503);
}

#[tokio::test]
async fn a_client_that_wants_netbox_asked_gets_no_stand_in() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    proxy.get(SITES).await;
    proxy.clock.push(Duration::from_secs(600));
    netbox.stop().await;
    assert_eq!(proxy.ask("GET", SITES).header("cache-control", "no-cache").send().await.status, 502);
}

#[tokio::test]
async fn nothing_stands_in_for_ever() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    proxy.get(SITES).await;
    proxy.clock.push(Duration::from_secs(25 * 3600));
    netbox.stop().await;
    assert_eq!(proxy.get(SITES).await.status, 502);
}

/// An answer that has expired is no younger for having been outdated, too.
#[tokio::test]
async fn who_accepts_outdated_answers_accepts_none_that_expired_long_ago() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let site = "/api/dcim/sites/1/";
    proxy.get(site).await;
    proxy.clock.push(Duration::from_secs(20 * 3600));
    let ask = || proxy.ask("GET", site).header("cache-control", "only-if-cached, max-stale=10").send();
    assert_eq!(ask().await.status, 504);
    proxy.ask("PATCH", "/api/dcim/racks/1/").json(&json!({"serial": "x"})).send().await;
    assert_eq!(ask().await.status, 504);
}
