//! The client library where pynetbox is no measure: concurrency, secrets, names that climb, bulk operations in parts.

use std::time::Duration;

use fake_netbox::{FakeNetbox, Fault, HoldPoint, Match};
use nbproxy::netbox::api::Api;
use nbproxy::netbox::error::Error;
use nbproxy::netbox::filters::Filters;
use serde_json::json;

use crate::support::within;

fn api(netbox: &FakeNetbox) -> nbproxy::netbox::api::ApiBuilder {
    Api::builder(&netbox.url()).token(netbox.token())
}

/// Pages that are fetched ahead keep no places from who works on the rows before them.
#[tokio::test]
async fn rows_can_be_worked_on_while_pages_are_fetched_ahead() {
    let netbox = FakeNetbox::start().await;
    let api = api(&netbox).concurrency(8).max_in_flight(2).build().expect("it is set well");
    let mut devices = api.dcim().endpoint("devices").filter(Filters::new().limit(10));
    let mut rows = 0;
    within(async {
        while let Some(device) = devices.next().await {
            let id = device.expect("a device").id().expect("an id");
            assert!(api.dcim().endpoint("devices").get(id).await.expect("it answers").is_some());
            rows += 1;
        }
    })
    .await;
    assert_eq!(rows, 120);
    assert!(netbox.in_flight_peak() <= 2);
}

#[tokio::test]
async fn as_many_pages_as_allowed_are_under_way_and_rows_keep_their_order() {
    let netbox = FakeNetbox::start().await;
    let api = api(&netbox).concurrency(3).build().expect("it is set well");
    let devices = api.dcim().endpoint("devices");
    let hold = netbox.hold("GET", "/api/dcim/devices/", HoldPoint::BeforeAnswer);
    let walk = crate::support::start(devices.filter(Filters::new().limit(10)).collect());
    hold.arrived(1).await;
    hold.release_one();
    hold.arrived(4).await;
    hold.release();
    let ids: Vec<_> = walk.await.expect("it ran").expect("it answers").iter().map(|device| device.id()).collect();
    assert_eq!(ids, (1..=120).map(Some).collect::<Vec<_>>());
    assert_eq!(netbox.in_flight_peak(), 3);
}

#[tokio::test]
async fn nothing_that_is_printed_shows_the_token() {
    let netbox = FakeNetbox::start().await;
    let mut headers = http::HeaderMap::new();
    headers.insert("x-gate", "s3cret".parse().expect("a value"));
    let builder = api(&netbox).headers(headers);
    let mut printed = format!("{builder:?}");
    let api = builder.strict_filters(true).build().expect("it is set well");
    let made = api.create_token("admin", "admin").await.expect("it is made");
    let token = api.token_text().expect("it is in use");
    let devices = api.dcim().endpoint("devices").filter(Filters::new().with("name", "x"));
    printed.push_str(&format!("{api:?} {made:?} {devices:?} {:?}", api.openapi().await.expect("it answers")));
    for secret in [netbox.token(), "s3cret", token.split('.').next_back().expect("a secret")] {
        assert!(!printed.contains(secret), "{secret} is in {printed}");
    }
    assert!(printed.len() < 2000, "{} characters", printed.len());
    assert_eq!(netbox.log()[0].header("x-gate"), Some("s3cret"));
}

#[tokio::test]
async fn no_name_and_no_url_leads_out_of_netboxs_api() {
    let netbox = FakeNetbox::builder().base_path("/nbx").start().await;
    let api = api(&netbox).build().expect("it is set well");
    netbox.clear_log();
    for name in ["../../media", "devices/../../..", "devices%2f..", "webhooks.json", "a//b"] {
        let error = api.dcim().endpoint_named(name).count(Filters::new()).await.expect_err("it is refused");
        assert!(matches!(error, Error::Argument(_)), "{name}: {error:?}");
    }
    let nested = format!("{}/api/../../admin/x/", netbox.url());
    netbox.blob(
        "/api/plugins/odd/rows/",
        "application/json",
        json!([{"id": 1, "peer": {"id": 5, "url": nested}}]).to_string(),
    );
    let rows = api.plugin("odd").endpoint("rows").all().collect().await.expect("it is a list");
    let peer = rows[0].nested("peer").expect("it is there");
    netbox.clear_log();
    let _refused_or_elsewhere = peer.delete().await;
    assert!(
        netbox.log().iter().all(|request| request.target.starts_with("/nbx/api/plugins/odd/rows/")),
        "{:?}",
        netbox.log()
    );
}

#[tokio::test]
async fn a_bulk_operation_in_parts_tells_what_was_done() {
    let netbox = FakeNetbox::start().await;
    let api = api(&netbox).bulk_chunk(2).build().expect("it is set well");
    let sites = api.dcim().endpoint("sites");
    let new = |n: u32| json!({"name": format!("n{n}"), "slug": format!("n{n}")});
    let error =
        sites.create_many(vec![new(1), new(2), new(3), new(4), new(1)]).await.expect_err("the last one is there");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(400));
    let Error::Partial { done, records, .. } = error else { panic!("{error:?}") };
    assert_eq!((done, records.len()), (4, 4));
    let ids: Vec<u64> = records.iter().filter_map(|record| record.id()).collect();
    let protected = Fault::Status(409, "application/json", json!({"detail": "protected"}).to_string());
    netbox.fault(Match::path("DELETE", "/api/dcim/sites/").skip(1), protected);
    let error = sites.delete(&ids).await.expect_err("the second part is refused");
    assert!(matches!(error, Error::Partial { done: 2, .. }), "{error:?}");
}

#[tokio::test]
async fn reads_are_repeated_as_often_as_was_said_and_writes_never() {
    let netbox = FakeNetbox::start().await;
    let api = api(&netbox).retries(2).timeout(Duration::from_secs(5)).build().expect("it is set well");
    let site = "/api/dcim/sites/1/";
    netbox.fault(Match::path("GET", site).times(2), Fault::Status(503, "text/html", "<html>".to_owned()));
    assert!(api.dcim().endpoint("sites").get(1).await.expect("the third answers").is_some());
    assert_eq!(netbox.count("GET", site), 3);
    netbox.fault(Match::path("PATCH", site), Fault::Status(503, "text/html", "<html>".to_owned()));
    let mut record = api.dcim().endpoint("sites").get(1).await.expect("it answers").expect("it is there");
    record.set("description", "x");
    assert!(record.save().await.expect_err("it is refused").is_unavailable());
    assert_eq!(netbox.count("PATCH", site), 1);
}

#[tokio::test]
async fn a_count_that_denies_its_next_page_is_noticed() {
    let netbox = FakeNetbox::start().await;
    let next = format!("{}/api/dcim/sites/?limit=5&offset=5", netbox.url());
    let rows: Vec<_> = (1..=5).map(|id| json!({"id": id})).collect();
    let page = json!({"count": 5, "next": next, "results": rows}).to_string();
    netbox.fault(Match::path("GET", "/api/dcim/sites/"), Fault::WrongJson(page));
    for concurrency in [1, 4] {
        let api = api(&netbox).concurrency(concurrency).build().expect("it is set well");
        let error = api.dcim().endpoint("sites").all().collect().await.expect_err("it is a lie");
        assert!(matches!(error, Error::Shifted { .. }), "{concurrency}: {error:?}");
    }
}

#[tokio::test]
async fn a_limit_given_as_a_filter_is_the_limit() {
    let netbox = FakeNetbox::start().await;
    let api = api(&netbox).build().expect("it is set well");
    let page = Filters::new().with("limit", 2u64).with("offset", 5u64);
    let sites = api.dcim().endpoint("sites").filter(page).collect().await.expect("it answers");
    assert_eq!(sites.iter().map(|site| site.id()).collect::<Vec<_>>(), [Some(6), Some(7)]);
}
