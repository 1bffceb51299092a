//! Who is held to what NetBox knows, and what nobody is told.

use super::*;
use crate::support::client;

async fn get(proxy: &TestProxy, name: &str, query: &str) -> Answer {
    proxy.ask("GET", &format!("{SITES}?{query}")).by(name).send().await
}

#[tokio::test]
async fn each_client_has_its_own_strictness() {
    let netbox = FakeNetbox::start().await;
    netbox.create("extras/custom-fields", json!({"name": "team", "type": "text", "object_types": ["dcim.site"]}));
    let clients = [
        client("like-all", ""),
        client("warned", "strict_filters = \"warn\""),
        client("free", "strict_filters = \"off\""),
    ];
    let settings = format!("[access]\nanonymous = \"auto\"\nstrict_filters = \"enforce\"\n{}", clients.concat());
    let proxy = knowing(TestProxy::builder(&netbox).settings(&settings)).await;
    let wrong = "nmae=a&nmae=b&cf_taem=c&cf_team=d";
    const COUNTED: &str = "nbproxy_unknown_filters_total{endpoint=\"dcim/sites\"}";
    assert_eq!(get(&proxy, "free", wrong).await.json()["count"], 0);
    assert_eq!(proxy.metric(COUNTED).await, 0.0);
    let expected = [meant("cf_taem", "cf_team"), meant("nmae", "name")];
    assert_eq!(told(&get(&proxy, "like-all", wrong).await), expected);
    metric_is(&proxy, COUNTED, 2.0).await;
    assert_eq!(get(&proxy, "warned", wrong).await.json()["count"], 0);
    metric_is(&proxy, COUNTED, 4.0).await;
    assert_eq!(get(&proxy, "warned", "name=a&cf_team=b").await.status, 200);
    let schema = get(&proxy, "nobody", "nmae=a").await;
    assert_eq!(schema.status, 403, "who is not known is told that first");
}

#[tokio::test]
async fn one_strict_client_among_free_ones_is_enough() {
    let netbox = FakeNetbox::start().await;
    let clients = [client("free", ""), client("strict", "strict_filters = \"enforce\"")];
    let settings = format!("[access]\nanonymous = \"auto\"\n{}", clients.concat());
    let proxy = knowing(TestProxy::builder(&netbox).settings(&settings)).await;
    assert_eq!(get(&proxy, "free", "nmae=a").await.status, 200);
    told(&get(&proxy, "strict", "nmae=a").await);
}

/// A warning is not waited for.
#[tokio::test]
async fn a_warning_holds_nothing_up() {
    let netbox = FakeNetbox::start().await;
    let proxy = knowing(TestProxy::builder(&netbox).settings("[access]\nstrict_filters = \"warn\"")).await;
    let hold = netbox.hold("GET", "/api/extras/custom-fields/", HoldPoint::BeforeRead);
    netbox.clear_log();
    assert_eq!(proxy.get(&format!("{SITES}?cf_any=a&nmae=b")).await.status, 200);
    within(hold.arrived(1)).await;
    hold.release();
    metric_is(&proxy, "nbproxy_unknown_filters_total{endpoint=\"dcim/sites\"}", 2.0).await;
    assert_eq!(netbox.count("GET", "/api/status/"), 0, "a count is worth no question to NetBox");
}

/// What may be done is decided first, and what was read with nbproxy's own token is not told to whom it is closed.
#[tokio::test]
async fn custom_fields_are_named_to_those_who_may_see_them() {
    let netbox = FakeNetbox::start().await;
    netbox.create("extras/custom-fields", json!({"name": "merger", "type": "text", "object_types": ["dcim.site"]}));
    let other = "ffffffffffffffffffffffffffffffffffffffff";
    netbox.add_token(other, "other", true);
    let clients = [
        client("all", ""),
        client("dcim", "allow = [\"dcim/*\"]"),
        client("racks", "allow = [\"dcim/racks\"]"),
        client("other", "upstream_token = \"other\""),
    ];
    let settings = format!(
        "[[upstream.tokens]]\nname = \"other\"\ntoken = \"{other}\"\n[access]\nanonymous = \"auto\"\nstrict_filters = \"enforce\"\n{}",
        clients.concat()
    );
    let proxy = knowing(TestProxy::builder(&netbox).settings(&settings)).await;
    assert_eq!(told(&get(&proxy, "all", "cf_mergre=x").await), [meant("cf_mergre", "cf_merger")]);
    assert_eq!(told(&get(&proxy, "dcim", "cf_mergre=x").await), [meant("cf_mergre", "")]);
    assert_eq!(told(&get(&proxy, "other", "cf_mergre=x").await), [meant("cf_mergre", "")]);
    assert_eq!(told(&get(&proxy, "dcim", "nmae=x").await), [meant("nmae", "name")], "the document is open to all");
    assert_eq!(get(&proxy, "racks", "nmae=x").await.status, 403);
}

/// NetBox's word on a token comes before any on filters.
#[tokio::test]
async fn a_token_that_netbox_refuses_is_told_that_first() {
    let netbox = FakeNetbox::start().await;
    let settings = "[access]\nanonymous = \"deny\"\npassthrough = true\nstrict_filters = \"enforce\"";
    let proxy = knowing(TestProxy::builder(&netbox).settings(settings)).await;
    let get = async |token: &str| {
        let ask = proxy.ask("GET", &format!("{SITES}?nmae=a"));
        ask.header("authorization", &format!("Token {token}")).send().await
    };
    let wrong = get("ffffffffffffffffffffffffffffffffffffffff").await;
    assert_eq!((wrong.status, wrong.detail().as_str()), (403, "Invalid v1 token"));
    told(&get(netbox.token()).await);
}

/// With callers' own tokens and none of nbproxy's, a caller's token is what NetBox can be asked by.
#[tokio::test]
async fn callers_with_their_own_tokens_are_held_to_it_too() {
    let netbox = FakeNetbox::start().await;
    let settings = "[access]\nanonymous = \"deny\"\npassthrough = true\nstrict_filters = \"enforce\"";
    let proxy = TestProxy::builder(&netbox).token("").settings(settings).start_unready().await;
    let get = async |token: &str, query: &str| {
        let ask = proxy.ask("GET", &format!("{SITES}?{query}"));
        ask.header("authorization", &format!("Token {token}")).send().await
    };
    assert_eq!(get(netbox.token(), "name=a").await.status, 200);
    until_known(&proxy).await;
    assert_eq!(told(&get(netbox.token(), "nmae=a").await), [meant("nmae", "name")]);
    assert_eq!(get(netbox.token(), "cf_any=a").await.status, 200, "nobody's token may be used to look");
    assert_eq!(netbox.count("GET", "/api/extras/custom-fields/"), 0);
    let wrong = get("ffffffffffffffffffffffffffffffffffffffff", "nmae=a").await;
    assert_eq!((wrong.status, wrong.detail().as_str()), (403, "Invalid v1 token"));
}
