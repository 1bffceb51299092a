//! What a NetBox must not send, and broken proxies and servers do: each a clear error, nothing hangs or panics.

use std::time::Duration;

use fake_netbox::{FakeNetbox, Fault, Match};
use nbproxy::netbox::api::{Api, ApiBuilder, Pagination};
use nbproxy::netbox::endpoint::Endpoint;
use nbproxy::netbox::error::Error;
use nbproxy::netbox::filters::Filters;
use nbproxy::netbox::record::Record;
use serde_json::{Value, json};

const SITES: &str = "/api/dcim/sites/";
const DEVICES: &str = "/api/dcim/devices/";
const ODD: &str = "/api/plugins/odd/rows/";

fn builder(netbox: &FakeNetbox) -> ApiBuilder {
    Api::builder(&netbox.url()).token(netbox.token())
}

fn api(netbox: &FakeNetbox) -> Api {
    builder(netbox).build().expect("it is a base URL")
}

/// An endpoint of which every answer is this one.
fn odd(netbox: &FakeNetbox, body: &str) -> Endpoint {
    netbox.blob(ODD, "application/json", body.to_owned());
    api(netbox).plugin("odd").endpoint("rows")
}

/// How reading the whole list fails; it must not go on for ever.
async fn listing(endpoint: &Endpoint) -> Error {
    let read = tokio::time::timeout(Duration::from_secs(20), endpoint.all().collect()).await;
    read.expect("it ends").expect_err("such a list cannot be read")
}

async fn site(netbox: &FakeNetbox) -> Record {
    api(netbox).dcim().endpoint("sites").get(1).await.expect("NetBox answers").expect("it is there")
}

/// The error names the request, and what is wrong with the answer.
fn is_content(error: &Error, what: &str) {
    let Error::Content { request, what: found } = error else { panic!("{error:?} is no content error") };
    assert!(request.url.starts_with("http://127.0.0.1:"), "{error}");
    assert!(found.contains(what), "{error}");
}

#[tokio::test]
async fn what_is_no_page_is_refused() {
    let netbox = FakeNetbox::start().await;
    for (body, what) in [
        (r#"{"count": 2, "next": null, "previous": null}"#, "no results"),
        (r#"{"count": 2, "next": null, "results": null}"#, "no list"),
        (r#"{"count": 2, "next": null, "results": {"id": 1}}"#, "no list"),
        (r#"{"count": 2, "next": null, "results": [{"id": 1}, 2]}"#, "no object"),
        (r#"{"count": 2, "next": null, "results": [null]}"#, "no object"),
        (r#"{"count": 1, "next": 5, "results": [{"id": 1}]}"#, "no URL"),
        (r#"[1, 2]"#, "no object"),
        (r#""page""#, "neither"),
        ("null", "neither"),
        ("7", "neither"),
        ("", "no JSON"),
        (r#"{"count": 2, "next": null, "results": [{"id": 1}"#, "no JSON"),
        (r#"{"count": 1, "next": null, "results": [{"id": 1}]} and more"#, "no JSON"),
        ("<html>login</html>", "no JSON"),
    ] {
        is_content(&listing(&odd(&netbox, body)).await, what);
    }
    let deep = "[".repeat(100_000);
    is_content(&listing(&odd(&netbox, &deep)).await, "no JSON");
    netbox.blob(ODD, "application/json", b"[{\"id\": 1, \"name\": \"\xff\"}]".to_vec());
    is_content(&listing(&api(&netbox).plugin("odd").endpoint("rows")).await, "no JSON");
}

#[tokio::test]
async fn a_count_that_lies_is_noticed() {
    let netbox = FakeNetbox::builder().max_page_size(50).start().await;
    for body in [
        r#"{"count": 3, "next": null, "results": [{"id": 1}]}"#,
        r#"{"count": 1, "next": null, "results": [{"id": 1}, {"id": 2}]}"#,
        r#"{"count": 2, "next": null, "results": [{"id": 1}, {"id": 1}]}"#,
    ] {
        let error = listing(&odd(&netbox, body)).await;
        assert!(matches!(error, Error::Shifted { .. }), "{error:?}");
    }
    // A count that is none: the rows are all there, so they are read; their number is not known.
    for body in [r#"{"next": null, "results": [{"id": 1}]}"#, r#"{"count": "1", "next": null, "results": [{"id": 1}]}"#]
    {
        let endpoint = odd(&netbox, body);
        assert_eq!(endpoint.all().collect().await.expect("the rows are there").len(), 1, "{body}");
        is_content(&endpoint.count(Filters::new()).await.expect_err("there is no number"), "no count");
        is_content(&endpoint.all().len().await.expect_err("there is no number"), "no count");
    }
    let second = |body: Value| {
        netbox.clear_faults();
        netbox.fault(Match::path("GET", DEVICES).skip(1), Fault::WrongJson(body.to_string()));
    };
    let rows: Vec<_> = (51..=100).map(|id| json!({"id": id})).collect();
    for concurrency in [1, 4] {
        let api = builder(&netbox).concurrency(concurrency).build().expect("it is a base URL");
        second(json!({"count": 121, "next": null, "results": rows}));
        let error = listing(&api.dcim().endpoint("devices")).await;
        assert!(matches!(error, Error::Shifted { .. }), "{concurrency} at once: {error:?}");
        // The last page leaves rows missing, or brings too many, though its own count is the first one's.
        second(json!({"count": 120, "next": null, "results": [{"id": 51}]}));
        let error = listing(&api.dcim().endpoint("devices")).await;
        assert!(matches!(error, Error::Shifted { .. }), "{concurrency} at once: {error:?}");
        let many: Vec<_> = (51..=450).map(|id| json!({"id": id})).collect();
        second(json!({"count": 120, "next": null, "results": many}));
        let error = listing(&api.dcim().endpoint("devices")).await;
        assert!(matches!(error, Error::Shifted { .. }), "{concurrency} at once: {error:?}");
        second(json!({"count": 120, "next": null, "results": [{"id": 1}]}));
        let error = listing(&api.dcim().endpoint("devices")).await;
        assert!(matches!(error, Error::Shifted { .. }), "{concurrency} at once: {error:?}");
    }
}

#[tokio::test]
async fn a_list_that_leads_in_a_circle_ends() {
    let netbox = FakeNetbox::start().await;
    let next = format!("{}{ODD}?offset=1", netbox.url());
    let anonymous = json!({"count": 5, "next": next, "results": [{"name": "no id"}]});
    let empty = json!({"count": 5, "next": next, "results": []});
    let error = listing(&odd(&netbox, &anonymous.to_string())).await;
    assert!(matches!(error, Error::Circle { .. }), "{error:?}");
    // Else whoever always answers so, with a fresh `next` each time, would be asked for ever.
    let error = listing(&odd(&netbox, &empty.to_string())).await;
    assert!(matches!(error, Error::Content { what: "an empty page names a next one", .. }), "{error:?}");
    let known = json!({"count": 5, "next": next, "results": [{"id": 1}]});
    let error = listing(&odd(&netbox, &known.to_string())).await;
    assert!(matches!(error, Error::Shifted { .. }), "{error:?}");
    let cursor = builder(&netbox).pagination(Pagination::Cursor).build().expect("it is a base URL");
    let list = cursor.plugin("odd").endpoint("rows");
    odd(&netbox, &json!({"count": null, "next": next, "results": [{"name": "no id"}]}).to_string());
    let error = listing(&list).await;
    assert!(matches!(error, Error::Circle { .. }), "{error:?}");
}

#[tokio::test]
async fn links_that_lead_elsewhere_are_not_followed() {
    let netbox = FakeNetbox::start().await;
    let elsewhere = FakeNetbox::start().await;
    let own = netbox.url();
    for next in [
        format!("{}{ODD}?offset=1", elsewhere.url()),
        format!("{own}.example.com{ODD}"),
        format!("{}@{}{ODD}", own, elsewhere.addr()),
        format!("{own}/login/"),
        format!("{own}/api/../plugins/odd/rows/"),
        format!("{own}/api/%2e%2e/plugins/odd/rows/"),
        "/plugins/odd/rows/".to_owned(),
        "javascript:alert(1)".to_owned(),
        String::new(),
    ] {
        let page = json!({"count": 2, "next": next, "results": [{"id": 1}]});
        let error = listing(&odd(&netbox, &page.to_string())).await;
        assert!(matches!(error, Error::OtherOrigin { .. }), "{next}: {error:?}");
    }
    for record in [json!({"id": 1, "url": elsewhere.url() + "/api/dcim/sites/1/"}), json!({"id": 1, "url": "sites/1"})]
    {
        let mut row = odd(&netbox, &json!([record]).to_string()).all().collect().await.expect("it is a list").remove(0);
        let error = row.full_details().await.expect_err("it leads elsewhere");
        assert!(matches!(error, Error::OtherOrigin { .. }), "{error:?}");
    }
    assert!(elsewhere.log().is_empty(), "a token must not follow them");
}

#[tokio::test]
async fn a_record_that_lacks_url_or_id_says_so() {
    let netbox = FakeNetbox::start().await;
    for body in [r#"[{"name": "x"}]"#, r#"[{"name": "x", "url": null, "id": "7"}]"#, r#"[{"url": 7, "id": -1}]"#] {
        let mut row = odd(&netbox, body).all().collect().await.expect("it is a list").remove(0);
        netbox.clear_log();
        let lacks =
            |error: Error, name: &str| assert!(matches!(error, Error::Incomplete(lack) if lack == name), "{error:?}");
        lacks(row.full_details().await.expect_err("it has no url"), "url");
        lacks(row.fetch("serial").await.map(|_| ()).expect_err("it has no url"), "url");
        row.set("name", "y");
        lacks(row.save().await.expect_err("it has no id"), "id");
        lacks(row.delete().await.expect_err("it has no id"), "id");
        lacks(row.detail("trace").map(|_| ()).expect_err("it has no id"), "id");
        lacks(row.endpoint().update_records(&[row.clone()]).await.map(|_| ()).expect_err("it has no id"), "id");
        assert!(netbox.log().is_empty());
    }
}

#[tokio::test]
async fn html_with_200_is_no_answer() {
    let netbox = FakeNetbox::start().await;
    let api = api(&netbox);
    let mut site = site(&netbox).await;
    netbox.fault(Match::any(), Fault::Html200);
    let sites = api.dcim().endpoint("sites");
    is_content(&listing(&sites).await, "no JSON");
    is_content(&sites.get(1).await.map(|_| ()).expect_err("no JSON"), "no JSON");
    is_content(&sites.get_by(Filters::new()).await.map(|_| ()).expect_err("no JSON"), "no JSON");
    is_content(&sites.count(Filters::new()).await.expect_err("no JSON"), "no JSON");
    is_content(&sites.all().len().await.expect_err("no JSON"), "no JSON");
    is_content(&sites.choices().await.expect_err("no JSON"), "no JSON");
    is_content(&sites.create(json!({"name": "x"})).await.expect_err("no JSON"), "no JSON");
    is_content(&sites.create_many(vec![json!({"name": "x"})]).await.expect_err("no JSON"), "no JSON");
    is_content(&sites.update(vec![json!({"id": 1})]).await.expect_err("no JSON"), "no JSON");
    is_content(&site.full_details().await.expect_err("no JSON"), "no JSON");
    is_content(&site.update([("facility", "F1".into())]).await.expect_err("no JSON"), "no JSON");
    let detail = site.detail("trace").expect("it has an id");
    is_content(&detail.get(&Filters::new()).await.expect_err("no JSON"), "no JSON");
    is_content(&detail.list(&Filters::new()).await.expect_err("no JSON"), "no JSON");
    is_content(&detail.create(json!({})).await.expect_err("no JSON"), "no JSON");
    is_content(&api.status().await.expect_err("no JSON"), "no JSON");
    is_content(&api.installed_plugins().await.expect_err("no JSON"), "no JSON");
    is_content(&api.users().config().await.expect_err("no JSON"), "no JSON");
    is_content(&api.create_token("admin", "admin").await.expect_err("no JSON"), "no JSON");
    is_content(&api.openapi().await.map(|_| ()).expect_err("no JSON"), "OpenAPI");
    netbox.clear_faults();
    assert!(api.openapi().await.is_ok(), "a document that could not be read is asked for again");
    assert_eq!(site["facility"], "F1", "what was set is kept, and can be saved again");
    assert!(site.save().await.expect("NetBox is back"));
}

#[tokio::test]
async fn json_of_another_shape_is_no_answer() {
    let netbox = FakeNetbox::start().await;
    let api = api(&netbox);
    let sites = api.dcim().endpoint("sites");
    let answer = |body: &str| {
        netbox.clear_faults();
        netbox.fault(Match::any(), Fault::WrongJson(body.to_owned()));
    };
    answer("[]");
    is_content(&sites.get(1).await.map(|_| ()).expect_err("a list"), "no object");
    is_content(&sites.create(json!({})).await.expect_err("a list"), "no object");
    is_content(&sites.count(Filters::new()).await.expect_err("a list"), "no count");
    is_content(&sites.choices().await.expect_err("a list"), "no fields");
    is_content(&api.create_token("admin", "admin").await.expect_err("a list"), "no object");
    answer("{}");
    is_content(&sites.create_many(vec![json!({})]).await.expect_err("an object"), "no list");
    is_content(&api.installed_plugins().await.expect_err("an object"), "no list");
    is_content(&api.create_token("admin", "admin").await.expect_err("no token in it"), "no token");
    is_content(&api.openapi().await.map(|_| ()).expect_err("no paths in it"), "OpenAPI");
    answer(r#"{"version": 2, "key": "k", "token": "two words"}"#);
    is_content(&api.create_token("admin", "admin").await.expect_err("no token in it"), "no token");
    answer(r#"{"actions": {"POST": []}}"#);
    is_content(&sites.choices().await.expect_err("no fields in it"), "no fields");
    for count in ["-1", "1.5", "null", "[]"] {
        answer(&format!("{{\"count\": {count}}}"));
        is_content(&sites.count(Filters::new()).await.expect_err("no count in it"), "no count");
    }
}

#[tokio::test]
async fn half_an_openapi_document_is_none() {
    let netbox = FakeNetbox::start().await;
    let strict = builder(&netbox).strict_filters(true).build().expect("it is a base URL");
    let whole = strict.openapi().await.expect("it is whole").document().clone();
    let half = String::from_utf8_lossy(whole.get(..whole.len() / 2).expect("half of it")).into_owned();
    let strict = builder(&netbox).strict_filters(true).build().expect("it is a base URL");
    let sites = strict.dcim().endpoint("sites");
    let find = || async { sites.filter(Filters::new().with("name", "DC001")).collect().await };
    netbox.fault(Match::path("GET", "/api/schema/"), Fault::WrongJson(half));
    is_content(&find().await.expect_err("half a document"), "OpenAPI");
    netbox.clear_faults();
    netbox.fault(Match::path("GET", "/api/schema/"), Fault::Truncate);
    let error = find().await.expect_err("half a document");
    assert!(matches!(error, Error::Transport { .. }) && error.is_unavailable(), "{error:?}");
    assert_eq!(netbox.count("GET", SITES), 0, "nothing is asked that was not checked");
    netbox.clear_faults();
    assert_eq!(find().await.expect("it is whole again").len(), 1);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error() {
    let netbox = FakeNetbox::start().await;
    let api = builder(&netbox).timeout(Duration::from_millis(200)).build().expect("it is a base URL");
    let devices = api.dcim().endpoint("devices");
    for fault in [Fault::Truncate, Fault::ResetMidBody, Fault::ResetBeforeAnswer, Fault::CloseBeforeAnswer, Fault::Hang]
    {
        netbox.clear_faults();
        netbox.fault(Match::any(), fault.clone());
        let error = listing(&devices).await;
        assert!(matches!(error, Error::Transport { .. }) && error.is_unavailable(), "{fault:?}: {error:?}");
        assert!(error.to_string().contains(DEVICES), "{fault:?}: {error}");
        let error = devices.create(json!({"name": "x"})).await.expect_err("it breaks off");
        assert!(matches!(error, Error::Transport { .. }), "{fault:?}: {error:?}");
    }
    netbox.clear_faults();
    netbox.fault(Match::any(), Fault::Redirect("http://127.0.0.1:9/".to_owned()));
    assert_eq!(listing(&devices).await.status().map(|status| status.as_u16()), Some(302));
}

#[tokio::test]
async fn no_error_tells_a_secret() {
    let netbox = FakeNetbox::start().await;
    let api = api(&netbox);
    netbox.fault(Match::any(), Fault::Status(500, "text/html", "x".repeat(100_000)));
    let listed = listing(&api.dcim().endpoint("sites")).await;
    let made = api.create_token("admin", "s3cret").await.expect_err("NetBox is broken");
    for error in [listed, made] {
        let told = format!("{error} {error:?}");
        assert!(!told.contains(netbox.token()) && !told.contains("s3cret"), "{told}");
        assert!(told.len() < 10_000, "a page for people is shortened: {}", told.len());
        assert_eq!(error.status().map(|status| status.as_u16()), Some(500));
    }
}

/// A count beyond all reason costs no memory: pages are planned one by one.
#[tokio::test]
async fn a_count_beyond_reason_is_not_planned_for() {
    let netbox = FakeNetbox::start().await;
    let next = format!("{}{ODD}?offset=1", netbox.url());
    let body = json!({"count": u64::MAX, "next": next, "results": [{"id": 1}]});
    odd(&netbox, &body.to_string());
    let api = builder(&netbox).concurrency(4).build().expect("it is a base URL");
    let error = listing(&api.plugin("odd").endpoint("rows")).await;
    assert!(matches!(error, Error::Shifted { .. }), "{error:?}");
}
