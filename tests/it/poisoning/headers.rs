//! Headers, one table: what each may change of the request that NetBox receives, which for most is nothing.

use serde_json::json;

use super::{Reply, netbox, received, send};

/// A poisoned request: raw header lines, and what they may change.
struct Case {
    lines: Vec<u8>,
    /// Headers that nbproxy passes on by design; those may differ at NetBox.
    passed: &'static [&'static str],
    /// Headers of a clean request that these stand in place of.
    instead: &'static [&'static str],
    /// Whoever sends it gets a clean answer, too, unless it is refused.
    harmless: bool,
}

impl Case {
    /// Whether that is a refusal. Of one that comes amid a large request nothing may arrive.
    fn may_be_refused(&self, reply: &Reply) -> bool {
        (400..500).contains(&reply.status) || reply.status == 0 && self.lines.len() > 60_000
    }
}

fn case(lines: impl Into<Vec<u8>>) -> Case {
    Case { lines: lines.into(), passed: &[], instead: &[], harmless: true }
}

fn passing(passed: &'static [&'static str], lines: impl Into<Vec<u8>>) -> Case {
    Case { passed, harmless: false, ..case(lines) }
}

fn instead(instead: &'static [&'static str], lines: impl Into<Vec<u8>>) -> Case {
    Case { instead, harmless: false, ..case(lines) }
}

/// Nothing of these reaches NetBox.
fn unwelcome(branch: &str) -> Vec<Case> {
    let plain = [
        "X-Forwarded-Host: evil.example",
        "X-Forwarded-Host: evil.example, other.example",
        "X-Forwarded-Host: evil.example\r\nX-Forwarded-Host: other.example",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Scheme: https",
        "X-Forwarded-Ssl: on",
        "X-Forwarded-Port: 8443",
        "X-Forwarded-Prefix: /evil",
        "X-Forwarded-Path: /evil",
        "X-Forwarded-Server: evil.example",
        "X-Forwarded-For: 10.9.9.9",
        "X-Forwarded-For: 127.0.0.1, 10.9.9.9",
        "X-Forwarded-For: nonsense",
        "X-Real-IP: 10.9.9.9",
        "X-Client-IP: 10.9.9.9",
        "True-Client-IP: 10.9.9.9",
        "CF-Connecting-IP: 10.9.9.9",
        "Forwarded: for=10.9.9.9;host=evil.example;proto=https",
        "X-Host: evil.example",
        "X-Original-Host: evil.example",
        "X-HTTP-Host-Override: evil.example",
        "Front-End-Https: on",
        "X-Script-Name: /evil",
        "X_Forwarded_Host: evil.example",
        "X-Forwarded_Host: evil.example",
        "HTTP_X_FORWARDED_HOST: evil.example",
        "X-Original-URL: /api/users/tokens/",
        "X-Rewrite-URL: /api/users/tokens/",
        "X-HTTP-Method-Override: DELETE",
        "X-HTTP-Method: DELETE",
        "X-Method-Override: DELETE",
        "Cookie: sessionid=reader",
        "Cookie: csrftoken=x\r\nCookie: sessionid=admin",
        "HX-Request: true",
        "X-Requested-With: XMLHttpRequest",
        "Origin: null",
        "Origin: http://evil.example",
        "Referer: http://evil.example/",
        "Sec-Fetch-Site: cross-site",
        "Accept-Encoding: gzip, br",
        "Accept-Encoding: identity;q=0, *;q=0",
        "Accept-Charset: utf-16",
        "Range: bytes=0-9",
        "Range: bytes=0-0,5-9",
        "Range: bytes=0-9\r\nIf-Range: \"x\"",
        "TE: trailers",
        "TE: trailers, gzip\r\nConnection: TE",
        "Trailer: X-Forwarded-Host",
        "Via: 1.1 evil",
        "Max-Forwards: 0",
        "Connection: Authorization, Host, Accept",
        "Connection: X-Forwarded-Host\r\nX-Forwarded-Host: evil.example",
        "Connection: keep-alive\r\nKeep-Alive: timeout=99",
        "Proxy-Connection: keep-alive",
        "Proxy-Authorization: Basic eA==",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==",
        "Authorization: Token 0000000000000000000000000000000000000000",
        "Authorization: Token a\r\nAuthorization: Token b",
        "Authorization: Basic YWRtaW46YWRtaW4=",
        "Authorization:",
        "Pragma: no-cache",
        "Expires: 0",
        "Age: 99999",
        "Date: Mon, 01 Jan 2001 00:00:00 GMT",
        "Last-Modified: Mon, 01 Jan 2001 00:00:00 GMT",
        "ETag: \"x\"",
        "Vary: *",
        "Set-Cookie: a=b",
        "Location: http://evil.example/",
        "Surrogate-Control: max-age=99999",
        "CDN-Cache-Control: max-age=99999",
        "Cache-Status: nbproxy; hit",
        "Warning: 110 - stale",
        "X-Cache-Key: x",
        "X-Request-ID: mine",
        "X-Correlation-ID: mine",
        "API-Version: 9.9",
        "X-CSRFToken: x",
        "baggage: a=b",
        "Priority: u=0",
        "Content-Location: /api/users/tokens/",
        "Status: 500",
        "X-Tab:\tx\ty\t",
        "X-Empty:",
        "X-Spaces:      x      ",
    ];
    let mut cases: Vec<_> = plain.into_iter().map(case).collect();
    cases.push(case(format!("Cookie: active_branch={branch}")));
    for name in ["X_NetBox_Branch", "X-NetBox_Branch", "X_NETBOX-BRANCH", "HTTP_X_NETBOX_BRANCH", "NetBox-Branch"] {
        cases.push(case(format!("{name}: {branch}")));
    }
    cases.push(case(format!("X-Big: {}", "x".repeat(30_000))));
    cases.push(case(format!("X-Big: {}", "x".repeat(400_000))));
    cases.push(case((0..60).map(|index| format!("X-Many-{index}: x")).collect::<Vec<_>>().join("\r\n")));
    cases.push(case(vec!["X-Same: x"; 60].join("\r\n")));
    cases.push(case(vec!["X-Forwarded-Host: evil.example"; 200].join("\r\n")));
    for bytes in [
        &b"X-Obs: \xff\xfe\x80"[..],
        b"X-Forwarded-Host: \xe2\x98\x83",
        b"X-Forwarded-For: \xff",
        b"Cookie: sessionid=\xff",
        b"X-Control: a\x01b",
        b"X-Control: a\x0bb",
        b"X-Control: a\x1bb",
        b"X-Control: a\x7fb",
        b"X-Nul: a\0b",
        b"X-Bare: a\rX-Forwarded-Host: evil.example",
        b"X-Obs\xff: x",
        b"X Space: x",
        b": x",
    ] {
        cases.push(case(bytes));
    }
    cases
}

/// These are passed on, or decide under which key an answer is kept, or whose it is.
fn welcome(branch: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for accept in [
        "text/html",
        "text/html, application/json",
        "*/*",
        "*/*;q=0.1",
        "application/*",
        "application/json; indent=4",
        "application/json; version=9.9",
        "application/vnd.oai.openapi",
        "image/png",
        "",
        ",",
        "application/json\r\nAccept: text/html",
    ] {
        cases.push(passing(&["accept"], format!("Accept: {accept}")));
    }
    cases.push(passing(&["accept"], b"Accept: \xff/\xff".as_slice()));
    // Past memory, where no `Accept` is nobody's wish, it is another one.
    let long = "de, ".repeat(60);
    for language in
        ["de", "de, en;q=0.5", "*", "", "xx-YY", "en\r\nAccept-Language: de", "de\r\nAccept-Language: en", &long]
    {
        cases.push(passing(&["accept", "accept-language"], format!("Accept-Language: {language}")));
    }
    cases.push(passing(&["accept", "accept-language"], b"Accept-Language: d\xe9".as_slice()));
    for wish in [
        "no-cache",
        "no-store",
        "max-age=0",
        "max-age=99999",
        "max-stale",
        "private",
        "public, s-maxage=99999, immutable",
        "stale-if-error=99999, stale-while-revalidate=99999",
        "max-age=\"0",
        "no-cache=\"Set-Cookie",
        "max-age=0\r\nCache-Control: max-stale",
    ] {
        cases.push(passing(&["accept", "cache-control"], format!("Cache-Control: {wish}")));
    }
    for (name, value) in [
        ("If-None-Match", "*"),
        ("If-None-Match", "W/\"x\", \"y\""),
        ("If-Match", "\"x\""),
        ("If-Modified-Since", "Mon, 01 Jan 2035 00:00:00 GMT"),
        ("If-Unmodified-Since", "Mon, 01 Jan 2001 00:00:00 GMT"),
        ("User-Agent", "evil"),
        ("User-Agent", "() { :; }; echo"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("tracestate", "evil=1"),
    ] {
        let passed = &[
            "if-none-match",
            "if-match",
            "if-modified-since",
            "if-unmodified-since",
            "user-agent",
            "traceparent",
            "tracestate",
        ];
        cases.push(passing(passed, format!("{name}: {value}")));
    }
    cases.push(passing(&["user-agent"], format!("User-Agent: {}", "x".repeat(20_000))));
    cases.push(passing(&["user-agent"], b"User-Agent: \xff".as_slice()));
    cases.push(passing(&["content-encoding"], "Content-Encoding: gzip"));
    for hosts in [
        "Host: evil.example",
        "Host: EVIL.example:8080",
        "Host: nbproxy\r\nHost: evil.example",
        "Host: evil.example\r\nHost: nbproxy",
        "Host:",
        "Host: nbproxy@evil.example",
        "Host: evil.example/x",
        "Host: evil example",
        "Host: evil\"example",
        "Host: nbproxy, evil.example",
        "Host: [::1]:80",
        "host: evil.example\r\nX-Forwarded-Host: other.example",
        "",
    ] {
        cases.push(instead(&["Host: nbproxy"], hosts));
    }
    for lines in [
        "X-NetBox-Branch:".to_owned(),
        "X-NetBox-Branch: main".to_owned(),
        format!("X-NetBox-Branch: {}", branch.to_uppercase()),
        format!("X-NetBox-Branch: branch_{branch}"),
        format!("X-NetBox-Branch: {branch}, {branch}"),
        format!("X-NetBox-Branch: {branch}\r\nX-NetBox-Branch: other123"),
        format!("X-NetBox-Branch: {branch}\r\nX-NetBox-Branch:"),
        format!("X-NetBox-Branch: {branch}"),
        format!("x-netbox-branch: {branch}\r\nX-NetBox-Branch: {branch}"),
        format!("X-NetBox-Branch:   {branch}   "),
    ] {
        cases.push(passing(&["x-netbox-branch"], lines));
    }
    cases
}

/// One request with the case's lines in it, or a clean one.
fn request(case: Option<&Case>, method: &str, target: &str, body: &str) -> Vec<u8> {
    let mut bytes = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n").into_bytes();
    let clean = |line: &str| case.is_none_or(|case| !case.instead.contains(&line));
    if clean("Host: nbproxy") {
        bytes.extend_from_slice(b"Host: nbproxy\r\n");
    }
    if !body.is_empty() {
        let about = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        bytes.extend_from_slice(about.as_bytes());
    }
    if let Some(case) = case
        && !case.lines.is_empty()
    {
        bytes.extend_from_slice(&case.lines);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("\r\n{body}").as_bytes());
    bytes
}

/// A key that nobody has asked for before; all of them have the same length, and so have their answers.
fn fresh(index: usize) -> String {
    format!("/api/dcim/sites/?limit=1&n={}", 1000 + index)
}

/// What is not answered from memory, so that all is passed on that is passed on at all.
const PAST_MEMORY: [(&str, &str, &str); 3] = [
    ("GET", "/api/core/jobs/", ""),
    ("OPTIONS", "/api/core/jobs/", ""),
    ("PATCH", "/api/dcim/racks/1/", "{\"facility_id\": \"x\"}"),
];

#[tokio::test]
async fn a_header_changes_nothing_for_the_next_client() {
    let (netbox, proxy) = netbox().await;
    let branch = netbox.add_branch("one", "ready");
    netbox.edit_in(&branch, "dcim/sites", 1, json!({"description": "evil"}));
    let number = |text: &str, index: usize| text.replace(&format!("n={}", 1000 + index), "n=");
    let clean = send(&proxy, &request(None, "GET", &fresh(0), "")).await;
    let clean_at_netbox = netbox.log().pop().expect("it was asked");
    assert_eq!((clean.status, clean.is_json()), (200, true));
    assert!(
        clean.body.contains("\"next\":\"http://nbproxy/api/dcim/sites/?limit=1&n=1000&offset=1\""),
        "{}",
        clean.body
    );
    let mut clean_past_memory = Vec::new();
    for (method, target, body) in PAST_MEMORY {
        assert_eq!(send(&proxy, &request(None, method, target, body)).await.status, 200, "{method} {target}");
        clean_past_memory.push(netbox.log().pop().expect("it was asked"));
    }
    let cases: Vec<_> = unwelcome(&branch).into_iter().chain(welcome(&branch)).collect();
    assert!(cases.len() > 150);
    let mut reached = 0;
    for (index, case) in cases.iter().enumerate().map(|(index, case)| (index + 1, case)) {
        let lines = String::from_utf8_lossy(&case.lines[..case.lines.len().min(200)]).into_owned();
        netbox.clear_log();
        let poisoned = send(&proxy, &request(Some(case), "GET", &fresh(index), "")).await;
        // nbproxy's own question whether there is such a branch is not the client's.
        let own = |path: &str| path.starts_with("/api/plugins/branching/branches/");
        for request in netbox.log().into_iter().filter(|request| !own(&request.path)) {
            reached += 1;
            let (method, target, headers, length) = received(&request, case.passed);
            let theirs = (method, number(&target, index), headers, length);
            let (method, target, headers, length) = received(&clean_at_netbox, case.passed);
            let ours = (method, number(&target, 0), headers, length);
            assert_eq!(theirs, ours, "NetBox receives something else with {lines:?}");
        }
        assert!(!netbox.log().is_empty() || case.may_be_refused(&poisoned), "{lines:?}: {}", poisoned.status);
        if case.harmless && !netbox.log().is_empty() {
            assert_eq!((poisoned.status, &poisoned.headers), (clean.status, &clean.headers), "with {lines:?}");
            assert_eq!(number(&poisoned.body, index), number(&clean.body, 0), "with {lines:?}");
        }
        let next = send(&proxy, &request(None, "GET", &fresh(index), "")).await;
        assert_eq!((next.status, &next.headers), (clean.status, &clean.headers), "after {lines:?}");
        assert_eq!(number(&next.body, index), number(&clean.body, 0), "after {lines:?}");
        for ((method, target, body), ours) in PAST_MEMORY.iter().zip(&clean_past_memory) {
            netbox.clear_log();
            let answer = send(&proxy, &request(Some(case), method, target, body)).await;
            for theirs in netbox.log() {
                let (theirs, ours) = (received(&theirs, case.passed), received(ours, case.passed));
                assert_eq!(theirs, ours, "NetBox receives something else with {lines:?}");
            }
            assert!(!netbox.log().is_empty() || case.may_be_refused(&answer), "{method} {lines:?}: {}", answer.status);
        }
    }
    assert!(reached > 120, "most are harmless, and not refused: {reached}");
}

/// A GET with a body is NetBox's to answer, and nobody else's answer.
#[tokio::test]
async fn a_body_changes_nothing_for_the_next_client() {
    let (netbox, proxy) = netbox().await;
    let clean = send(&proxy, &request(None, "GET", &fresh(0), "")).await;
    for (index, body) in ["{}", "limit=5", "{\"_branch\": \"x\"}", "n=1"].into_iter().enumerate() {
        let target = fresh(index + 1);
        netbox.clear_log();
        send(&proxy, &request(None, "GET", &target, body)).await;
        let next = send(&proxy, &request(None, "GET", &target, "")).await;
        assert_eq!((next.status, next.headers), (clean.status, clean.headers.clone()), "{body}");
        let told: Vec<_> = netbox.log().into_iter().map(|request| (request.target, request.body.len())).collect();
        assert_eq!(told, [(target.clone(), body.len()), (target, 0)], "nobody else is answered by what came of it");
    }
}

/// NetBox translates labels.
#[tokio::test]
async fn each_language_has_its_own_answers() {
    let (_netbox, proxy) = netbox().await;
    let labels =
        [("de", "Aktiv"), ("en", "Active"), ("fr", "Active"), ("", "Active"), ("de-CH", "Aktiv"), ("de", "Aktiv")];
    for (language, label) in labels.into_iter().chain(labels.into_iter().rev()) {
        let line = format!("Accept-Language: {language}");
        let reply = send(&proxy, &request(Some(&case(line)), "GET", &fresh(0), "")).await;
        assert!(reply.body.contains(&format!("\"label\":\"{label}\"")), "{language}: {}", reply.body);
    }
}

/// The target names another host than `Host` does, which is the target's right (RFC 9112, section 3.2.2).
#[tokio::test]
async fn another_name_for_nbproxy_is_another_form() {
    let (netbox, proxy) = netbox().await;
    let clean = send(&proxy, &request(None, "GET", &fresh(0), "")).await;
    for host in ["evil.example", "evil.example:8080"] {
        let target = fresh(0);
        let poisoned = send(&proxy, &request(None, "GET", &format!("http://{host}{target}"), "")).await;
        assert!(poisoned.body.contains(&format!("http://{host}/api/dcim/sites/")), "{}", poisoned.body);
        assert_eq!(send(&proxy, &request(None, "GET", &target, "")).await, clean);
    }
    assert_eq!(netbox.count("GET", "/api/dcim/sites/"), 1);
    assert!(netbox.log().iter().all(|request| request.header("host") == Some(netbox.addr().to_string().as_str())));
}
