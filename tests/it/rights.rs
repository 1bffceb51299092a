//! What each client may: rates, tokens of its own, and what reaches further than its path says.

use std::time::Duration;

use fake_netbox::FakeNetbox;
use serde_json::json;

use crate::support::{self, TestProxy};

fn client(name: &str, more: &str) -> String {
    support::client(name, &format!("access = \"write\"\n{more}"))
}

async fn proxy(netbox: &FakeNetbox, access: &str, clients: &[String]) -> TestProxy {
    let settings = format!("[access]\nanonymous = \"auto\"\n{access}\n{}", clients.concat());
    TestProxy::builder(netbox).settings(&settings).start().await
}

const SITES: &str = "/api/dcim/sites/";

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_again() {
    let netbox = FakeNetbox::start().await;
    let clients = [client("slow", "rate_limit = \"2/m\""), client("other", "")];
    let proxy = proxy(&netbox, "rate_limit = \"3/s\"", &clients).await;
    for _ in 0..2 {
        assert_eq!(proxy.ask("GET", SITES).by("slow").send().await.status, 200);
    }
    for method in ["GET", "HEAD", "OPTIONS", "POST"] {
        let refused = proxy.ask(method, SITES).by("slow").send().await;
        let wait: u64 = refused.header("retry-after").parse().expect("seconds");
        assert_eq!(refused.status, 429, "{method}");
        assert!((1..=31).contains(&wait), "{method}: {wait}");
    }
    for _ in 0..3 {
        assert_eq!(proxy.ask("GET", SITES).by("other").send().await.status, 200, "each has its own bucket");
    }
    assert_eq!(proxy.ask("GET", SITES).by("other").send().await.status, 429, "the limit of who has none");
    proxy.clock.push(Duration::from_secs(30));
    assert_eq!(proxy.ask("GET", SITES).by("slow").send().await.status, 200);
    assert_eq!(proxy.ask("GET", SITES).by("slow").send().await.status, 429);
}

#[tokio::test]
async fn who_has_no_key_shares_a_bucket_with_the_address() {
    let netbox = FakeNetbox::start().await;
    let settings =
        "[access]\nanonymous = \"read\"\nrate_limit = \"2/h\"\n[server]\ntrusted_proxies = [\"127.0.0.0/8\"]";
    let proxy = TestProxy::builder(&netbox).settings(settings).start().await;
    let from = |address: &str| proxy.ask("GET", SITES).header("x-forwarded-for", address).send();
    for (address, status) in
        [("10.0.0.1", 200), ("10.0.0.1", 200), ("10.0.0.1", 429), ("10.0.0.2", 200), ("10.0.0.2, 10.0.0.1", 429)]
    {
        assert_eq!(from(address).await.status, status, "{address}");
    }
}

/// A client may use another token than the shared one: another view, with what NetBox lets that see.
#[tokio::test]
async fn a_named_token_is_another_view() {
    let netbox = FakeNetbox::start().await;
    let weak = "a".repeat(40);
    netbox.add_token(&weak, "reader", false);
    let tokens = format!("[[upstream.tokens]]\nname = \"weak\"\ntoken = \"{weak}\"\n");
    let clients = [client("strong", ""), client("weak", "upstream_token = \"weak\"")];
    let proxy = TestProxy::builder(&netbox).settings(&(tokens + &clients.concat())).start().await;
    assert_eq!(proxy.ask("GET", SITES).by("strong").send().await.status, 200);
    netbox.clear_log();
    assert_eq!(proxy.ask("GET", SITES).by("weak").send().await.status, 403, "the user `reader` sees no sites");
    assert_eq!(netbox.log()[0].header("authorization"), Some(format!("Token {weak}").as_str()));
    assert!(proxy.ask("GET", SITES).by("strong").send().await.is_hit());
    netbox.revoke_token(&weak);
    assert_eq!(proxy.ask("GET", SITES).by("weak").send().await.status, 502, "it is nbproxy's own token still");
}

/// GraphQL queries everything, and NetBox runs templates and scripts with access to everything.
#[tokio::test]
async fn what_reaches_everything_is_open_only_to_whom_nothing_is_closed() {
    let netbox = FakeNetbox::start().await;
    let clients = [
        client("all", ""),
        client("extras", "allow = [\"extras/*\", \"dcim/*\"]"),
        client("named", "allow = [\"extras/config-templates\", \"extras/webhooks\", \"graphql\"]"),
    ];
    let open = [client("all", "")];
    let closed = proxy(&netbox, "deny = [\"extras/webhooks\"]", &clients).await;
    let nothing_closed = proxy(&netbox, "deny = []", &open).await;
    let status = |proxy: &TestProxy, name: &'static str, method: &'static str, target: &'static str| {
        let ask = proxy.ask(method, target).by(name).json(&json!({"query": "{ site_list { id } }"}));
        async move { ask.send().await.status }
    };
    for (name, method, target, is_closed) in [
        ("all", "POST", "/graphql/", true),
        ("all", "GET", "/graphql/", true),
        ("all", "POST", "/api/extras/config-templates/", true),
        ("all", "PATCH", "/api/extras/export-templates/1/", true),
        ("all", "POST", "/api/extras/scripts/1/", true),
        ("all", "POST", "/api/extras/event-rules/", true),
        ("all", "POST", "/api/extras/webhooks/", true),
        ("all", "GET", "/api/extras/config-templates/", false),
        ("all", "POST", "/api/dcim/devices/1/render-config/", false),
        ("all", "OPTIONS", "/api/extras/webhooks/", true),
        ("all", "POST", "/api/extras/tags/", false),
        // A whole app was hardly meant to open what hands out secrets.
        ("extras", "GET", "/api/extras/webhooks/", true),
        ("extras", "POST", "/api/extras/export-templates/", true),
        ("extras", "GET", "/api/extras/export-templates/", false),
        ("extras", "GET", "/api/plugins/branching/branches/", true),
        ("extras", "GET", "/api/made-up/things/", true),
        ("named", "GET", "/api/extras/webhooks/", false),
        ("named", "POST", "/api/extras/config-templates/", false),
        ("named", "POST", "/graphql/", false),
        ("named", "POST", "/api/extras/export-templates/", true),
    ] {
        let status = status(&closed, name, method, target).await;
        assert_eq!(status == 403, is_closed, "{name} {method} {target}: {status}");
    }
    for target in ["/graphql/", "/api/extras/config-templates/", "/api/extras/webhooks/"] {
        assert_ne!(status(&nothing_closed, "all", "POST", target).await, 403, "{target}");
    }
}

/// What hands out secrets is closed as long as nothing else is said.
#[tokio::test]
async fn by_default_what_hands_out_secrets_is_closed() {
    let netbox = FakeNetbox::start().await;
    let defaults = include_str!("../../config/default.toml");
    let deny = defaults.split("\ndeny = ").nth(1).and_then(|rest| rest.split("]\n").next()).expect("it is there");
    let proxy = proxy(&netbox, &format!("deny = {}]", deny.replace('\n', " ")), &[client("all", "")]).await;
    for endpoint in [
        "users/tokens",
        "users/users",
        "core/background-tasks",
        "core/data-sources",
        "core/jobs",
        "core/object-changes",
        "extras/scripts",
        "extras/webhooks",
        "ipam/fhrp-groups",
        "plugins/branching/changes",
        "vpn/ike-policies",
        "wireless/wireless-lans",
        "wireless/wireless-links",
    ] {
        let answer = proxy.ask("GET", &format!("/api/{endpoint}/")).by("all").send().await;
        assert_eq!(answer.status, 403, "{endpoint}");
        assert!(answer.detail().contains(&format!("{endpoint} is closed to this client")), "{}", answer.text());
    }
    assert_eq!(proxy.ask("GET", SITES).by("all").send().await.status, 200);
}

/// What a pinned client writes stays in its branch, or is not written: NetBox takes no notice of the branch for what all
/// branches share.
#[tokio::test]
async fn a_pinned_client_writes_to_its_branch_only() {
    let netbox = FakeNetbox::start().await;
    let branch = netbox.add_branch("pinned", "ready");
    let proxy = proxy(&netbox, "deny = []", &[client("pinned", &format!("branch = \"{branch}\""))]).await;
    let status = |method: &'static str, target: &'static str| {
        let ask = proxy.ask(method, target).by("pinned").json(&json!({"description": "x"}));
        async move { ask.send().await.status }
    };
    assert_eq!(status("PATCH", "/api/dcim/sites/1/").await, 200);
    netbox.clear_log();
    for (method, target) in [
        ("PATCH", "/api/extras/custom-fields/1/"),
        ("POST", "/api/plugins/branching/branches/1/merge/"),
        ("POST", "/api/plugins/any/things/"),
        ("DELETE", "/api/users/tokens/1/"),
    ] {
        assert_eq!(status(method, target).await, 403, "{method} {target}");
    }
    assert!(netbox.log().is_empty(), "nothing was sent");
}

/// What a browser adds by itself, a page of another site makes it send.
#[tokio::test]
async fn other_sites_pages_write_nothing_with_what_browsers_add() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let write = |origin: &'static str| proxy.ask("POST", "/api/dcim/sites/").header("origin", origin).json(&json!({}));
    assert_eq!(write("https://evil.example").send().await.status, 403);
    let closed = proxy_with_key(&netbox).await;
    let write = closed.ask("PATCH", "/api/dcim/sites/1/").header("origin", "https://tool.example");
    assert_eq!(write.by("app").json(&json!({"description": "x"})).send().await.status, 200, "a key is no cookie");
}

async fn proxy_with_key(netbox: &FakeNetbox) -> TestProxy {
    proxy(netbox, "", &[client("app", "")]).await
}

/// By default only this machine is let in: who passes on for others is not this machine.
#[tokio::test]
async fn by_default_a_proxy_in_front_opens_nothing() {
    let netbox = FakeNetbox::start().await;
    let settings = "[access]\nanonymous = \"auto\"\n[server]\npublic_url = \"http://nb.example\"\ntrusted_proxies = [\"127.0.0.1\"]";
    let proxy = TestProxy::builder(&netbox).settings(settings).start().await;
    assert_eq!(proxy.get(SITES).await.status, 200);
    for (name, value) in [
        ("host", "nb.example"),
        ("x-forwarded-for", "10.0.0.1"),
        ("via", "1.1 nginx"),
        ("x-forwarded-host", "localhost"),
    ] {
        assert_eq!(proxy.ask("GET", SITES).header(name, value).send().await.status, 400, "{name}: {value}");
    }
}
