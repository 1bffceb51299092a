//! URLs lead back through nbproxy, by whatever name the client used.

use fake_netbox::FakeNetbox;
use serde_json::{Value, json};

use crate::support::{Ask, TestProxy};

/// Every string in the document that begins with this.
fn strings<'a>(value: &'a Value, beginning: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) if text.starts_with(beginning) => found.push(text),
        Value::Array(members) => members.iter().for_each(|member| strings(member, beginning, found)),
        Value::Object(members) => members.values().for_each(|member| strings(member, beginning, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn a_walk_by_next_never_leaves_the_proxy() {
    let netbox = FakeNetbox::builder().devices(120).start().await;
    let proxy = TestProxy::before(&netbox).await;
    for first in ["/api/dcim/devices/?limit=2", "/api/dcim/devices/?limit=2&start=0"] {
        let mut next = format!("{}{first}", proxy.url());
        let (mut pages, mut rows) = (0, 0);
        while !next.is_empty() {
            assert!(next.starts_with(&proxy.url()), "{next}");
            let page = Ask::new("GET", &next).send().await.json();
            rows += page["results"].as_array().expect("a page").len();
            pages += 1;
            let mut left = Vec::new();
            strings(&page, &format!("{}/api/", netbox.url()), &mut left);
            assert!(left.is_empty(), "{left:?}");
            next = page["next"].as_str().unwrap_or_default().to_owned();
        }
        assert_eq!(rows, 120);
        assert!(pages >= 60);
    }
}

#[tokio::test]
async fn each_client_is_given_the_name_it_used() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    netbox.clear_log();
    let site = |host: &'static str| {
        let ask = proxy.ask("GET", "/api/dcim/devices/?limit=3").header("host", host);
        async move { ask.send().await }
    };
    for host in
        ["a.example", "b.example:8080", "a-much-longer-name.example.com:12345", "x", "a.example", "one", "two", "three"]
    {
        let page = site(host).await.json();
        let mut ours = Vec::new();
        strings(&page, "http", &mut ours);
        let wrong: Vec<_> = ours
            .iter()
            .filter(|url| url.contains("/api/") && !url.starts_with(&format!("http://{host}/api/")))
            .collect();
        assert!(wrong.is_empty() && ours.len() > 20, "{host}: {wrong:?}");
    }
    assert_eq!(netbox.count("GET", "/api/dcim/devices/"), 1, "one fetch serves all names");
    assert_eq!(site("b.example:8080").await.json()["results"], {
        let text = site("x").await.text().replace("http://x/", "http://b.example:8080/");
        serde_json::from_str::<Value>(&text).expect("JSON")["results"].clone()
    });
}

/// NetBox is told the host in lower case and without the scheme's own port, and builds its URLs from that.
#[tokio::test]
async fn however_its_address_was_typed_netboxs_links_are_known() {
    let netbox = FakeNetbox::builder().public_origin(Some("http://localhost".to_owned())).start().await;
    let typed = format!("[upstream]\nurl = \"HTTP://LocalHost:{}/\"", netbox.addr().port());
    netbox.clear_log();
    let proxy = TestProxy::builder(&netbox).settings(&typed).start().await;
    assert_eq!(proxy.get("/api/dcim/sites/1/").await.status, 200);
    let host = netbox.log()[0].header("host").expect("every request has one").to_owned();
    assert_eq!(host, format!("localhost:{}", netbox.addr().port()));
}

#[tokio::test]
async fn a_public_url_is_used_for_all() {
    let netbox = FakeNetbox::start().await;
    let settings = "[server]\npublic_url = \"https://nb.example.com/tools\"";
    let proxy = TestProxy::builder(&netbox).settings(settings).start().await;
    let site = proxy.ask("GET", "/api/dcim/sites/1/").header("host", "whatever").send().await.json();
    assert_eq!(site["url"], "https://nb.example.com/tools/api/dcim/sites/1/");
}

#[tokio::test]
async fn proxies_in_front_are_believed_only_when_trusted() {
    let netbox = FakeNetbox::start().await;
    for (trusted, expected) in [("[]", "http://inner/api/"), ("[\"127.0.0.0/8\"]", "https://outer.example/api/")] {
        let settings = format!("[server]\ntrusted_proxies = {trusted}");
        let proxy = TestProxy::builder(&netbox).settings(&settings).start().await;
        let ask = proxy.ask("GET", "/api/dcim/sites/1/").header("host", "inner");
        let ask = ask.header("x-forwarded-host", "outer.example").header("x-forwarded-proto", "https");
        let url = ask.send().await.json()["url"].as_str().expect("a url").to_owned();
        assert!(url.starts_with(expected), "{url}");
    }
}

#[tokio::test]
async fn display_url_leads_to_netboxs_pages() {
    let netbox = FakeNetbox::start().await;
    let plain = TestProxy::before(&netbox).await.get("/api/dcim/sites/1/").await.json();
    assert_eq!(plain["display_url"], format!("{}/dcim/sites/1/", netbox.url()));
    let settings = "[upstream]\nui_url = \"https://netbox.example.com/\"";
    let moved = TestProxy::builder(&netbox).settings(settings).start().await.get("/api/dcim/sites/1/").await.json();
    assert_eq!(moved["display_url"], "https://netbox.example.com/dcim/sites/1/");
}

#[tokio::test]
async fn the_directories_lead_back_too() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    assert_eq!(proxy.get("/api/").await.json()["dcim"], format!("{}/api/dcim/", proxy.url()));
    assert_eq!(proxy.get("/api/dcim/").await.json()["sites"], format!("{}/api/dcim/sites/", proxy.url()));
}

#[tokio::test]
async fn writes_are_answered_with_links_and_location_too() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let made = proxy.ask("POST", "/api/dcim/sites/").json(&json!({"name": "n", "slug": "n"})).send().await;
    let url = format!("{}/api/dcim/sites/{}/", proxy.url(), made.json()["id"]);
    assert_eq!((made.header("location"), made.json()["url"].as_str()), (url.as_str(), Some(url.as_str())));
    assert_eq!(made.header("content-length"), made.body.len().to_string());
}

#[tokio::test]
async fn text_that_quotes_netbox_stays() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let quote = format!("see {0}/api/dcim/sites/1/ and {{\"url\":\"{0}/api/\"}}", netbox.url());
    let begins = format!("{}/api/dcim/sites/1/", netbox.url());
    let patch = proxy.ask("PATCH", "/api/dcim/sites/1/").json(&json!({"comments": quote, "description": begins}));
    assert_eq!(patch.send().await.status, 200);
    let site = proxy.get("/api/dcim/sites/1/").await.json();
    assert_eq!(
        (site["comments"].as_str(), site["description"].as_str()),
        (Some(quote.as_str()), Some(begins.as_str()))
    );
    assert_eq!(netbox.get("dcim/sites", 1).expect("it is there")["comments"], quote.as_str());
}

#[tokio::test]
async fn a_netbox_that_thinks_it_is_https_is_understood() {
    // The name is all that it can be told before it listens; its port is what nbproxy is told afterwards.
    let address = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
    let https = format!("https://{address}");
    let netbox = FakeNetbox::builder().listen(&address.to_string()).public_origin(Some(https)).start().await;
    let proxy = TestProxy::before(&netbox).await;
    assert_eq!(proxy.get("/api/dcim/sites/1/").await.json()["url"], format!("{}/api/dcim/sites/1/", proxy.url()));
}
