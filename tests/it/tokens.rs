//! The shared token goes to NetBox and to nobody else; what clients bring stays here.

use fake_netbox::{FakeNetbox, Fault, Match};
use serde_json::json;

use crate::support::TestProxy;

#[tokio::test]
async fn each_kind_of_token_is_sent_in_its_own_way() {
    let netbox = FakeNetbox::start().await;
    for (token, expected) in [
        (netbox.token(), format!("Token {}", netbox.token())),
        (netbox.token_v2(), format!("Bearer {}", netbox.token_v2())),
    ] {
        let proxy = TestProxy::builder(&netbox).token(token).start().await;
        netbox.clear_log();
        assert_eq!(proxy.get("/api/dcim/sites/").await.status, 200);
        assert_eq!(netbox.log()[0].header("authorization"), Some(expected.as_str()));
    }
}

#[tokio::test]
async fn what_clients_send_of_themselves_stays_here() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    netbox.clear_log();
    let unwelcome = [
        ("authorization", "Token clients-own"),
        ("cookie", "sessionid=reader; active_branch=abcdefgh"),
        ("x-real-ip", "10.9.9.9"),
        ("x-forwarded-for", "10.9.9.9"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "for=10.9.9.9"),
        ("x-netbox-request-id", "1"),
        ("x_netbox_branch", "abcdefgh"),
        ("x-http-method-override", "DELETE"),
        ("hx-request", "true"),
        ("x-request-id", "mine"),
        ("accept-encoding", "gzip"),
        ("proxy-authorization", "Basic x"),
    ];
    for (method, target) in
        [("GET", "/api/dcim/sites/"), ("OPTIONS", "/api/dcim/sites/"), ("PATCH", "/api/dcim/sites/1/")]
    {
        let ask = unwelcome.iter().fold(proxy.ask(method, target), |ask, (name, value)| ask.header(name, value));
        let answer = ask.json(&json!({})).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let log = netbox.log();
    assert_eq!(log.len(), 3);
    for request in log {
        for (name, value) in &request.headers {
            assert!(
                !value.contains("10.9.9.9") && !value.contains("evil") && !value.contains("clients-own"),
                "{name}: {value}"
            );
            let name = name.to_lowercase();
            let known = unwelcome.iter().any(|(unwelcome, _)| *unwelcome == name && name != "authorization");
            assert!(!known, "{name} reached NetBox");
        }
        assert_eq!(request.header("authorization"), Some(format!("Token {}", netbox.token()).as_str()));
    }
}

#[tokio::test]
async fn no_server_is_asked_to_repeat_the_request() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    netbox.clear_log();
    let answer = proxy.ask("TRACE", "/api/dcim/sites/").send().await;
    assert_eq!((answer.status, answer.detail().as_str()), (405, "Method \"TRACE\" not allowed."));
    assert!(netbox.log().is_empty());
}

#[tokio::test]
async fn a_refused_token_is_nbproxys_trouble() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    netbox.revoke_token(netbox.token());
    for (method, target) in
        [("GET", "/api/dcim/sites/"), ("OPTIONS", "/api/dcim/sites/"), ("DELETE", "/api/dcim/sites/1/")]
    {
        let answer = proxy.ask(method, target).send().await;
        assert_eq!(answer.status, 502, "{method}: {}", answer.text());
        assert!(answer.detail().contains("nbproxy's own token"), "{}", answer.text());
    }
    assert_eq!(proxy.metric("nbproxy_upstream_token_refused_total").await, 3.0);
}

#[tokio::test]
async fn a_refused_permission_is_netboxs_own_answer() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).token(netbox.reader_token()).start().await;
    let answer = proxy.get("/api/dcim/sites/").await;
    assert_eq!((answer.status, answer.detail().as_str()), (403, "You do not have permission to perform this action."));
    assert_eq!(answer.cache(), "fwd=miss; detail=status");
}

#[tokio::test]
async fn the_token_is_in_nothing_that_clients_or_operators_see() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    netbox.fault(Match::path("GET", "/api/dcim/racks/"), Fault::ResetBeforeAnswer);
    let mut seen = String::new();
    for target in ["/api/", "/api/dcim/sites/", "/api/dcim/racks/", "/api/status/", "/nothing", "/api/x%2fy/"] {
        let answer = proxy.get(target).await;
        seen.push_str(&format!("{:?}{:?}", answer.headers, answer.body));
    }
    seen.push_str(&proxy.admin("/metrics").await.text());
    seen.push_str(&proxy.admin("/readyz").await.text());
    assert!(!seen.contains(netbox.token()));
}
