//! Callers with tokens of NetBox's own: NetBox decides what they may, memory keeps them apart, and nobody is shown
//! anything whose token NetBox has not lately accepted from there.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use fake_netbox::{FakeNetbox, Grant, HoldPoint};
use serde_json::json;

use crate::support::{Answer, Ask, Raw, TestProxy, client, start, within};

mod word;

const SITES: &str = "/api/dcim/sites/";
const SITE: &str = "/api/dcim/sites/1/";
const ROOT: &str = "/api/";

/// Sees the sites of region 1, the first among them.
const NORTH: &str = "1111111111111111111111111111111111111111";
/// Sees the sites of region 2.
const SOUTH: &str = "nbt_south1234567.ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrs";

const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

async fn netbox() -> FakeNetbox {
    let netbox = FakeNetbox::start().await;
    for (user, token, region) in [("north", NORTH, 1), ("south", SOUTH, 2)] {
        netbox.set_rights(user, &[Grant::full("dcim/sites").only(json!({"region": region}))]);
        netbox.add_token(token, user, true);
    }
    netbox
}

async fn before(netbox: &FakeNetbox, more: &str) -> TestProxy {
    let client = client("tool", "");
    let passthrough = "[access]\nanonymous = \"deny\"\npassthrough = true\n";
    let proxy = TestProxy::builder(netbox).settings(&format!("{passthrough}{more}\n{client}")).start().await;
    netbox.clear_log();
    proxy
}

fn ask(proxy: &TestProxy, token: &str, method: &str, target: &str) -> Ask {
    proxy.ask(method, target).header("authorization", &format!("Token {token}"))
}

async fn get(proxy: &TestProxy, token: &str, target: &str) -> Answer {
    ask(proxy, token, "GET", target).send().await
}

/// The answer to a visitor at another address: its head and body.
async fn get_from(source: IpAddr, proxy: &TestProxy, token: &str, target: &str) -> String {
    let mut raw = Raw::connect_from(source, proxy.address()).await;
    raw.write(&format!(
        "GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Token {token}\r\nConnection: close\r\n\r\n"
    ))
    .await;
    raw.rest().await
}

fn ids(answer: &Answer) -> Vec<u64> {
    let body = answer.json();
    let rows = body["results"].as_array().unwrap_or_else(|| panic!("no list: {body}"));
    rows.iter().filter_map(|row| row["id"].as_u64()).collect()
}

fn refused(answer: &Answer, text: &str) {
    assert_eq!((answer.status, answer.detail().as_str()), (403, text), "{}", answer.cache());
}

#[tokio::test]
async fn each_sees_its_own_and_memory_keeps_them_apart() {
    let netbox = netbox().await;
    let proxy = before(&netbox, "").await;
    for _ in 0..2 {
        assert_eq!(ids(&get(&proxy, NORTH, SITES).await), [1, 5, 9]);
        assert_eq!(ids(&get(&proxy, SOUTH, SITES).await), [2, 6, 10]);
        assert_eq!(ids(&get(&proxy, "key-of-tool", SITES).await).len(), 10);
        assert_eq!(get(&proxy, NORTH, SITE).await.status, 200);
        refused_as_missing(&get(&proxy, SOUTH, SITE).await);
        assert_eq!(get(&proxy, NORTH, "/api/dcim/racks/").await.status, 403);
    }
    for token in [NORTH, SOUTH, "key-of-tool"] {
        assert!(get(&proxy, token, SITES).await.is_hit());
    }
    assert_eq!(netbox.count("GET", SITES), 3);
    refused(&proxy.get(SITES).await, "Authentication credentials were not provided.");
}

fn refused_as_missing(answer: &Answer) {
    assert_eq!((answer.status, answer.detail().as_str()), (404, "No Site matches the given query."));
}

/// With the visitor's token, and with the address that nbproxy itself sees: whatever the visitor says of that.
#[tokio::test]
async fn what_netbox_is_told_of_a_visitor() {
    let netbox = netbox().await;
    let proxy = before(&netbox, "").await;
    let spoofed = [
        ("x-forwarded-for", "10.9.9.9"),
        ("x-real-ip", "10.9.9.9"),
        ("forwarded", "for=10.9.9.9"),
        ("x-client-ip", "10.9.9.9"),
        ("true-client-ip", "10.9.9.9"),
        ("cookie", "sessionid=admin"),
        ("x-forwarded-host", "evil.example"),
    ];
    for (method, target, body) in [
        ("GET", SITES, None),
        ("HEAD", SITE, None),
        ("OPTIONS", SITES, None),
        ("GET", "/api/users/config/", None),
        ("PATCH", SITE, Some(json!({"facility": "x"}))),
        ("POST", "/graphql/", Some(json!({"query": "{ site_list { id } }"}))),
    ] {
        let mut request = spoofed.iter().fold(ask(&proxy, NORTH, method, target), |ask, (k, v)| ask.header(k, v));
        if let Some(body) = body {
            request = request.json(&body);
        }
        assert_eq!(request.send().await.status, 200, "{method} {target}");
    }
    let log = netbox.log();
    assert_eq!(log.len(), 7, "six requests and one question");
    for request in log {
        let said = format!("{} {}", request.method, request.target);
        let named = |name: &str| request.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).count();
        assert_eq!(request.header("x-forwarded-for"), Some("127.0.0.1"), "{said}");
        assert_eq!((named("x-forwarded-for"), named("authorization")), (1, 1), "{said}");
        assert_eq!(request.header("authorization"), Some(format!("Token {NORTH}").as_str()), "{said}");
        for (name, _) in spoofed.iter().filter(|(name, _)| *name != "x-forwarded-for") {
            assert_eq!(named(name), 0, "{said}: {name}");
        }
    }
}

#[tokio::test]
async fn each_address_is_asked_for_anew() {
    let netbox = netbox().await;
    let proxy = before(&netbox, "").await;
    netbox.edit_token(NORTH, json!({"allowed_ips": ["127.0.0.1/32"]}));
    assert_eq!(get(&proxy, NORTH, SITES).await.status, 200);
    let answer = get_from(ELSEWHERE, &proxy, NORTH, SITES).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    let text = "{\"detail\":\"Source IP 127.0.0.2 is not permitted to authenticate using this token.\"}";
    assert!(answer.ends_with(text), "{answer}");
    let asked: Vec<_> = netbox.log().into_iter().filter(|request| request.path == ROOT).collect();
    let addresses: Vec<_> = asked.iter().map(|request| request.header("x-forwarded-for")).collect();
    assert_eq!(addresses, [Some("127.0.0.1"), Some("127.0.0.2")]);
    assert!(get(&proxy, NORTH, SITES).await.is_hit(), "the first is let in as before");
    netbox.edit_token(NORTH, json!({"allowed_ips": ["127.0.0.0/24"]}));
    let answer = get_from(ELSEWHERE, &proxy, NORTH, SITES).await;
    assert!(answer.contains("cache-status: nbproxy; hit"), "one view, whatever the address: {answer}");
}

/// Only a proxy that is trusted says where somebody is, and only the last that is not its like.
#[tokio::test]
async fn a_trusted_proxy_says_where_visitors_are() {
    let netbox = netbox().await;
    let proxy = before(&netbox, "[server]\ntrusted_proxies = [\"127.0.0.1\", \"10.0.0.1\"]").await;
    for (said, address) in [
        ("192.0.2.7", "192.0.2.7"),
        ("6.6.6.6, 192.0.2.8", "192.0.2.8"),
        ("192.0.2.9, 10.0.0.1", "192.0.2.9"),
        ("::ffff:192.0.2.10", "192.0.2.10"),
        ("2001:db8::1", "2001:db8::1"),
        ("nonsense", "127.0.0.1"),
    ] {
        netbox.clear_log();
        let answer = ask(&proxy, NORTH, "GET", SITES).header("x-forwarded-for", said).send().await;
        assert_eq!(answer.status, 200, "{said}");
        let log = netbox.log();
        let question = log.iter().find(|request| request.path == ROOT).expect("it was asked for anew");
        assert_eq!(question.header("x-forwarded-for"), Some(address), "{said}");
    }
    // Lines of one name are one list, in their order.
    let ask = ask(&proxy, NORTH, "GET", SITES).header("x-forwarded-for", "6.6.6.6");
    ask.header("x-forwarded-for", "192.0.2.11, 10.0.0.1").send().await;
    assert_eq!(netbox.log().pop().expect("it was asked").header("x-forwarded-for"), Some("192.0.2.11"));
    let mut raw = Raw::connect_from(ELSEWHERE, proxy.address()).await;
    let head = format!("GET {SITES} HTTP/1.1\r\nHost: x\r\nAuthorization: Token {NORTH}\r\n");
    raw.write(&format!("{head}X-Forwarded-For: 192.0.2.7\r\nConnection: close\r\n\r\n")).await;
    assert!(raw.rest().await.starts_with("HTTP/1.1 200"));
    let last = netbox.log().pop().and_then(|request| request.header("x-forwarded-for").map(str::to_owned));
    assert_eq!(last.as_deref(), Some("127.0.0.2"), "who is not trusted says nothing");
}

/// A key that nobody has any more is no business of NetBox's.
#[tokio::test]
async fn only_what_has_the_form_of_a_token_is_sent_on() {
    let netbox = netbox().await;
    let proxy = before(&netbox, "").await;
    let forty = "b".repeat(40);
    for (key, text) in [
        ("nbp_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "Invalid v1 token"),
        ("key-of-somebody", "Invalid v1 token"),
        (&forty[1..], "Invalid v1 token"),
        (&format!("{forty}b"), "Invalid v1 token"),
        (&format!("{}-", &forty[1..]), "Invalid v1 token"),
        (&format!("{} {}", &forty[20..], &forty[21..]), "Invalid v1 token"),
        ("nbt_", "Invalid v1 token"),
        ("nbt_.", "Invalid v2 token"),
        ("nbt_key.", "Invalid v2 token"),
        ("nbt_.secret", "Invalid v2 token"),
        ("nbt_key.secret/../x", "Invalid v2 token"),
    ] {
        refused(&get(&proxy, key, SITES).await, text);
    }
    assert!(netbox.log().is_empty());
    refused(&get(&proxy, &forty, SITES).await, "Invalid v1 token");
    refused(&get(&proxy, "nbt_key.secret", SITES).await, "Invalid v2 token");
    assert_eq!(netbox.log().len(), 2);
}

/// NetBox 4.5 and later make version 1 tokens of all letters and digits (users/constants.py, `TOKEN_CHARSET`).
#[tokio::test]
async fn tokens_of_either_version_are_known_by_their_form() {
    let netbox = netbox().await;
    let proxy = before(&netbox, "").await;
    let token = "GhIjKlMnOpQrStUvWxYz0123456789ABCDEFabcd";
    netbox.add_token(token, "north", true);
    assert_eq!(ids(&get(&proxy, token, SITES).await), [1, 5, 9]);
    let bearer = proxy.ask("GET", SITES).header("authorization", &format!("Bearer {SOUTH}")).send().await;
    assert_eq!(ids(&bearer), [2, 6, 10]);
}

/// A fetch is joined from two addresses, and NetBox refuses the one that sent it.
#[tokio::test]
async fn a_refusal_is_for_the_address_that_asked() {
    let netbox = netbox().await;
    let proxy = Arc::new(before(&netbox, "").await);
    get(&proxy, NORTH, SITE).await;
    get_from(ELSEWHERE, &proxy, NORTH, SITE).await;
    let hold = netbox.hold("GET", SITES, HoldPoint::BeforeRead);
    let elsewhere = Arc::clone(&proxy);
    let first = start(async move { get_from(ELSEWHERE, &elsewhere, NORTH, SITES).await });
    within(hold.arrived(1)).await;
    let joined = start(ask(&proxy, NORTH, "GET", SITES).send());
    proxy.wait_for_requests(2).await;
    netbox.edit_token(NORTH, json!({"allowed_ips": ["127.0.0.1/32"]}));
    hold.release();
    assert!(first.await.expect("it ran").contains("Source IP 127.0.0.2 is not permitted"));
    assert_eq!(ids(&joined.await.expect("it ran")), [1, 5, 9]);
}

/// Whoever has no token of NetBox's outdates nothing, whatever it sends.
#[tokio::test]
async fn a_made_up_token_outdates_nothing() {
    let netbox = netbox().await;
    let proxy = before(&netbox, "").await;
    get(&proxy, NORTH, SITES).await;
    netbox.clear_log();
    let made_up = "a".repeat(40);
    for (method, target) in [("DELETE", "/api/x/y/"), ("PATCH", "/api/dcim/sites/1/"), ("POST", "/api/users/tokens/")] {
        let refused = ask(&proxy, &made_up, method, target).json(&json!({})).send().await;
        assert_eq!((refused.status, refused.detail().as_str()), (403, "Invalid v1 token"), "{method} {target}");
    }
    assert!(netbox.log().iter().all(|request| request.path == ROOT), "NetBox was asked for the token alone");
    assert!(get(&proxy, NORTH, SITES).await.is_hit());
    assert_eq!(netbox.count("GET", ROOT), 3, "and not for the one it has accepted");
}
