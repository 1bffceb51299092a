//! Status lines, headers in their order, negotiation and tokens.

use fake_netbox::FakeNetbox;

use crate::client::{ask, ask_with, raw};

const COMMON: [&str; 14] = [
    "Server",
    "Date",
    "Connection",
    "Content-Type",
    "Vary",
    "Allow",
    "X-Request-ID",
    "API-Version",
    "X-Content-Type-Options",
    "Referrer-Policy",
    "Cross-Origin-Opener-Policy",
    "X-Frame-Options",
    "Content-Length",
    "Content-Language",
];

#[tokio::test]
async fn a_list_has_netbox_headers_in_its_order() {
    let fake = FakeNetbox::start().await;
    let reply = ask(&fake, "GET", "/api/dcim/sites/?limit=1", "").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.names(), COMMON);
    for (name, value) in [
        ("Server", "gunicorn"),
        ("Connection", "keep-alive"),
        ("Content-Type", "application/json"),
        ("Vary", "HX-Request, Accept-Language, Cookie, origin"),
        ("Allow", "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"),
        ("API-Version", "4.6"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("X-Frame-Options", "SAMEORIGIN"),
        ("Content-Language", "en"),
    ] {
        assert_eq!(reply.header(name), Some(value), "{name}");
    }
    let other = ask(&fake, "GET", "/api/dcim/sites/?limit=1", "").await;
    assert_ne!(reply.header("x-request-id"), other.header("x-request-id"));
}

#[tokio::test]
async fn head_answers_like_get_without_the_body() {
    let fake = FakeNetbox::start().await;
    let get = ask(&fake, "GET", "/api/dcim/sites/?limit=1", "").await;
    let head = ask(&fake, "HEAD", "/api/dcim/sites/?limit=1", "").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), get.header("content-length"));
}

#[tokio::test]
async fn a_missing_slash_is_added_by_a_relative_redirect_for_get_alone() {
    let fake = FakeNetbox::start().await;
    let reply = ask(&fake, "GET", "/api/dcim/sites?limit=1", "").await;
    assert_eq!((reply.status, reply.header("location")), (301, Some("/api/dcim/sites/?limit=1")));
    assert_eq!(
        reply.names(),
        ["Server", "Date", "Connection", "Content-Type", "Location", "Content-Length", "Vary", "Content-Language"]
    );
    let reply = ask(&fake, "POST", "/api/dcim/sites", r#"{"name":"a","slug":"a"}"#).await;
    assert_eq!((reply.status, reply.header("content-type")), (404, Some("text/html; charset=utf-8")));
}

#[tokio::test]
async fn an_unknown_path_is_a_page_with_a_cookie() {
    let fake = FakeNetbox::start().await;
    let reply = ask(&fake, "GET", "/api/dcim/no-such-endpoint/", "").await;
    assert_eq!(reply.status, 404);
    assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(reply.header("api-version"), Some("4.6"));
    assert!(reply.header("set-cookie").unwrap().starts_with("csrftoken="));
}

#[tokio::test]
async fn accept_decides_between_json_page_and_refusal() {
    let fake = FakeNetbox::start().await;
    let target = "/api/dcim/sites/?limit=1&fields=id,name";
    for (accept, status, media) in [
        ("*/*", 200, "application/json"),
        ("application/json", 200, "application/json"),
        ("text/html,application/json;q=0.1", 200, "application/json"),
        ("text/html", 200, "text/html; charset=utf-8"),
        ("application/json; version=9.9", 406, "application/json"),
        ("image/png", 406, "application/json"),
    ] {
        let reply = ask_with(&fake, "GET", target, &[("Accept", accept)], "").await;
        assert_eq!((reply.status, reply.header("content-type")), (status, Some(media)), "{accept}");
        assert_eq!(reply.header("set-cookie").is_some(), accept == "text/html");
    }
    let reply = ask_with(&fake, "GET", target, &[("Accept", "application/json; indent=4")], "").await;
    assert!(reply.text().starts_with("{\n    \"count\": 10,\n    \"next\""));
    let reply = ask_with(&fake, "GET", target, &[("Accept", "application/json; version=9.9")], "").await;
    assert_eq!(reply.text(), r#"{"detail":"Invalid version in \"Accept\" header."}"#);
}

#[tokio::test]
async fn labels_follow_the_language() {
    let fake = FakeNetbox::start().await;
    let target = "/api/dcim/sites/1/?fields=id,status";
    let reply = ask_with(&fake, "GET", target, &[("Accept-Language", "de")], "").await;
    assert_eq!(reply.text(), r#"{"id":1,"status":{"value":"active","label":"Aktiv"}}"#);
    assert_eq!(reply.header("content-language"), Some("de"));
}

#[tokio::test]
async fn forwarded_host_and_proto_are_believed() {
    let fake = FakeNetbox::start().await;
    let target = "/api/dcim/sites/1/?fields=url,display_url";
    let headers = [("X-Forwarded-Host", "proxy.example:9999"), ("X-Forwarded-Proto", "https")];
    let reply = ask_with(&fake, "GET", target, &headers, "").await;
    assert_eq!(
        reply.text(),
        r#"{"url":"https://proxy.example:9999/api/dcim/sites/1/","display_url":"https://proxy.example:9999/dcim/sites/1/"}"#
    );
    let reply = ask_with(&fake, "GET", target, &[("X-Forwarded-Host", "a, b")], "").await;
    assert_eq!((reply.status, reply.header("api-version")), (400, None));
}

#[tokio::test]
async fn every_token_failure_is_403_and_says_why() {
    let fake = FakeNetbox::start().await;
    fake.add_token("writeless", "ann", false);
    let get = |token: String| {
        let fake = &fake;
        async move {
            let headers = [("Authorization", token.as_str())];
            let reply = raw(fake, "GET", "/api/dcim/sites/?limit=1", &headers, "").await;
            (reply.status, reply.json()["detail"].as_str().map(str::to_owned))
        }
    };
    let refused = |text: &str| (403, Some(text.to_owned()));
    assert_eq!(get(format!("Token {}", fake.token())).await.0, 200);
    assert_eq!(get(format!("Bearer {}", fake.token_v2())).await.0, 200);
    assert_eq!(get("Bearer writeless".to_owned()).await.0, 200);
    assert_eq!(get(format!("Token {}", "0".repeat(40))).await, refused("Invalid v1 token"));
    assert_eq!(get("Bearer nbt_abc.def".to_owned()).await, refused("Invalid v2 token"));
    let none = "Authentication credentials were not provided.";
    assert_eq!(get("Basic abc".to_owned()).await, refused(none));
    let may_not = "You do not have permission to perform this action.";
    assert_eq!(get(format!("Token {}", fake.reader_token())).await, refused(may_not));
    let headers = [("Authorization", "Token writeless"), ("Content-Type", "application/json")];
    let reply = raw(&fake, "PATCH", "/api/dcim/sites/1/", &headers, "{}").await;
    assert_eq!((reply.status, reply.json()["detail"].as_str()), (403, Some(may_not)));
    fake.revoke_token("writeless");
    assert_eq!(get("Token writeless".to_owned()).await, refused("Invalid v1 token"));
    let anonymous = raw(&fake, "GET", "/api/status/", &[], "").await;
    assert_eq!(anonymous.json()["detail"], none);
}

#[tokio::test]
async fn a_session_cookie_beats_the_token() {
    let fake = FakeNetbox::start().await;
    let reply = ask_with(&fake, "GET", "/api/dcim/sites/", &[("Cookie", "a=b; sessionid=reader")], "").await;
    assert_eq!(reply.status, 403);
}

#[tokio::test]
async fn the_document_has_three_representations_and_needs_no_token() {
    let fake = FakeNetbox::builder().base_path("/nbx").start().await;
    for (target, accept, media, start) in [
        ("/nbx/api/schema/", "application/json", "application/json", "{\"openapi\":\"3.0.3\""),
        ("/nbx/api/schema/?format=json", "*/*", "application/vnd.oai.openapi+json", "{\"openapi\""),
        ("/nbx/api/schema/", "*/*", "application/vnd.oai.openapi", "openapi: \"3.0.3\"\ninfo:\n"),
    ] {
        let reply = raw(&fake, "GET", target, &[("Accept", accept)], "").await;
        assert_eq!((reply.status, reply.header("content-type")), (200, Some(media)));
        assert!(reply.text().starts_with(start), "{}", &reply.text()[..60]);
        assert_eq!(reply.header("cache-control"), Some("max-age=86400"));
    }
    let json = raw(&fake, "GET", "/nbx/api/schema/?format=json", &[], "").await.json();
    assert_eq!(json["info"]["version"], "4.6.8 (4.6)");
    let list = &json["paths"]["/nbx/api/dcim/devices/"]["get"]["parameters"];
    let names: Vec<_> = list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    for name in ["site", "site_id", "name__ic", "q", "start", "tag", "id__gt", "brief"] {
        assert!(names.contains(&name), "{name}");
    }
    assert!(!names.contains(&"exclude"));
}

#[tokio::test]
async fn a_base_path_stands_in_every_url() {
    let fake = FakeNetbox::builder().base_path("nbx/").start().await;
    let reply = ask(&fake, "GET", "/nbx/api/dcim/sites/?limit=1&fields=url", "").await;
    let url = fake.url();
    assert!(url.ends_with("/nbx"));
    assert_eq!(reply.json()["next"], format!("{url}/api/dcim/sites/?fields=url&limit=1&offset=1"));
    assert_eq!(reply.json()["results"][0]["url"], format!("{url}/api/dcim/sites/1/"));
    assert_eq!(fake.log()[0].path, "/api/dcim/sites/");
    assert_eq!(fake.count("GET", "/api/dcim/sites/"), 1);
    assert_eq!(ask(&fake, "GET", "/api/dcim/sites/", "").await.status, 404);
}
