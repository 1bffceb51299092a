//! What an answer depends on besides the table: what it embeds, what it is filtered by, and everything where that is not
//! understood.

use fake_netbox::{FakeNetbox, Fault, Match};
use serde_json::{Value, json};

use super::{alone, following, looked, remember, truth};
use crate::support::TestProxy;

/// A write through nbproxy to a type that no answer here has to do with.
async fn write_elsewhere(proxy: &TestProxy) {
    let answer = proxy.ask("PATCH", "/api/vpn/tunnels/1/").json(&json!({"description": "x"})).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

async fn with_a_tunnel() -> (FakeNetbox, TestProxy) {
    let netbox = FakeNetbox::start().await;
    netbox.create("vpn/tunnels", json!({"name": "n"}));
    let proxy = alone(&netbox).await;
    (netbox, proxy)
}

#[tokio::test]
async fn a_new_name_shows_wherever_it_is_embedded() {
    let netbox = FakeNetbox::start().await;
    let proxy = following(&netbox).await;
    let targets =
        ["/api/dcim/devices/1/", "/api/dcim/racks/?site_id=1", "/api/extras/journal-entries/", "/api/dcim/sites/1/"];
    for target in targets {
        remember(&proxy, target).await;
    }
    remember(&proxy, "/api/ipam/vrfs/").await;
    netbox.edit("dcim/sites", 1, json!({"name": "Renamed"}));
    looked(&netbox).await;
    for target in targets {
        let seen = proxy.get(target).await.json();
        assert!(seen.to_string().contains("Renamed"), "{target}");
        assert_eq!(seen, truth(&netbox, &proxy, target).await);
    }
    assert!(proxy.get("/api/ipam/vrfs/").await.is_hit(), "it shows no site");
}

/// An empty answer shows nothing of what would fill it.
#[tokio::test]
async fn an_empty_list_is_filled_by_what_its_filters_name() {
    let netbox = FakeNetbox::start().await;
    let site = netbox.create("dcim/sites", json!({"name": "Empty", "slug": "empty"}));
    let rack = netbox.create("dcim/racks", json!({"name": "moves", "site": 1}));
    let device = netbox.create(
        "dcim/devices",
        json!({"name": "moves", "device_type": 1, "role": 1, "site": 1, "rack": rack, "tenant": 1}),
    );
    netbox.create("dcim/interfaces", json!({"device": device, "name": "n", "type": "other"}));
    let proxy = following(&netbox).await;
    let devices = format!("/api/dcim/devices/?site_id={site}");
    let by_slug = "/api/dcim/devices/?site=empty&fields=id";
    let interfaces = "/api/dcim/interfaces/?site=empty";
    let targets = [devices.as_str(), by_slug, interfaces];
    for target in targets {
        assert_eq!(remember(&proxy, target).await["count"], 0);
    }
    netbox.edit("dcim/racks", rack, json!({"site": site}));
    looked(&netbox).await;
    for target in targets {
        assert_eq!(proxy.get(target).await.json()["count"], 1, "{target}: the rack took it along");
    }
    let tenants = "/api/dcim/devices/?tenant=tenant-0&name=moves&fields=id";
    remember(&proxy, tenants).await;
    netbox.edit("tenancy/tenants", 1, json!({"slug": "another"}));
    looked(&netbox).await;
    assert_eq!(proxy.get(tenants).await.status, 400, "there is no such tenant any more");
}

#[tokio::test]
async fn trees_are_looked_at_with_all_below() {
    let netbox = FakeNetbox::start().await;
    let proxy = following(&netbox).await;
    let target = "/api/dcim/devices/?region=region-1&fields=id";
    let before = remember(&proxy, target).await["count"].as_u64();
    netbox.edit("dcim/regions", 3, json!({"parent": 2}));
    looked(&netbox).await;
    let after = proxy.get(target).await.json()["count"].as_u64();
    assert!(after > before, "{after:?} {before:?}");
}

/// Which contexts apply to a device is decided by where its site stands, which the device does not show.
#[tokio::test]
async fn config_contexts_are_looked_at_with_all_that_decides_them() {
    let netbox = FakeNetbox::start().await;
    let group = netbox.create("dcim/site-groups", json!({"name": "Above", "slug": "above"}));
    let below = netbox.create("dcim/site-groups", json!({"name": "Below", "slug": "below"}));
    netbox.edit("dcim/sites", 1, json!({"group": below}));
    netbox.create("extras/config-contexts", json!({"name": "r", "regions": [2], "data": {"region": true}}));
    netbox.create("extras/config-contexts", json!({"name": "g", "site_groups": [group], "data": {"group": true}}));
    let proxy = following(&netbox).await;
    let target = "/api/dcim/devices/1/";
    let without = "/api/dcim/devices/1/?fields=id,name,site";
    let context = |device: &Value| device["config_context"].clone();
    assert_eq!(context(&remember(&proxy, target).await)["region"], Value::Null);
    remember(&proxy, without).await;
    netbox.edit("dcim/regions", 1, json!({"parent": 2}));
    looked(&netbox).await;
    assert!(proxy.get(without).await.is_hit(), "nothing of it shows a context");
    assert_eq!(context(&remember(&proxy, target).await)["region"], true);
    netbox.edit("dcim/site-groups", below, json!({"parent": group}));
    looked(&netbox).await;
    assert_eq!(context(&remember(&proxy, target).await)["group"], true);
    remember(&proxy, "/api/ipam/vrfs/").await;
    netbox.edit("extras/config-contexts", 1, json!({"data": {"dns": ["::1"]}}));
    looked(&netbox).await;
    assert!(!proxy.get("/api/ipam/vrfs/").await.is_hit(), "a context may show anywhere");
    assert_eq!(context(&proxy.get(target).await.json())["dns"], json!(["::1"]));
}

/// Nothing in an answer shows that a field is missing.
#[tokio::test]
async fn a_custom_field_more_is_seen_everywhere() {
    let netbox = FakeNetbox::start().await;
    let proxy = following(&netbox).await;
    for target in ["/api/dcim/devices/1/", "/api/ipam/vrfs/"] {
        remember(&proxy, target).await;
    }
    netbox.create("extras/custom-fields", json!({"name": "cf", "type": "text", "object_types": ["dcim.device"]}));
    looked(&netbox).await;
    assert!(
        proxy.get("/api/dcim/devices/1/").await.json()["custom_fields"].as_object().expect("it is").contains_key("cf")
    );
    assert!(!proxy.get("/api/ipam/vrfs/").await.is_hit());
}

#[tokio::test]
async fn a_custom_field_that_is_an_object_shows_what_becomes_of_it() {
    let netbox = FakeNetbox::start().await;
    for (name, kind) in [("peer", "object"), ("peers", "multiobject"), ("data", "json")] {
        let related = (kind != "json").then_some("ipam.vrf");
        netbox.create(
            "extras/custom-fields",
            json!({"name": name, "type": kind, "object_types": ["dcim.site"], "related_object_type": related}),
        );
    }
    netbox.edit("dcim/sites", 1, json!({"custom_fields": {"peer": 1}}));
    netbox.edit("dcim/sites", 2, json!({"custom_fields": {"peers": [1]}}));
    netbox.edit("dcim/sites", 3, json!({"custom_fields": {"data": {"id": 1}}}));
    netbox.create("vpn/tunnels", json!({"name": "n"}));
    let proxy = alone(&netbox).await;
    for id in 1..=4 {
        remember(&proxy, &format!("/api/dcim/sites/{id}/")).await;
    }
    write_elsewhere(&proxy).await;
    assert!(!proxy.get("/api/dcim/sites/3/").await.is_hit(), "an object that is not NetBox's may be any");
    for id in [1, 2, 4] {
        assert!(proxy.get(&format!("/api/dcim/sites/{id}/")).await.is_hit(), "{id}");
    }
    proxy.ask("PATCH", "/api/ipam/vrfs/1/").json(&json!({"name": "Renamed"})).send().await;
    assert!(proxy.get("/api/dcim/sites/4/").await.is_hit());
    for id in [1, 2] {
        let site = proxy.get(&format!("/api/dcim/sites/{id}/")).await.json();
        assert!(site["custom_fields"].to_string().contains("Renamed"), "{site}");
    }
}

#[tokio::test]
async fn what_is_not_understood_is_outdated_by_any_change() {
    let (netbox, proxy) = with_a_tunnel().await;
    netbox.add_branch("one", "ready");
    netbox.blob(
        "/api/plugins/any/things/",
        "application/json",
        "{\"count\":0,\"next\":null,\"previous\":null,\"results\":[]}",
    );
    let understood = [
        "/api/dcim/sites/",
        "/api/dcim/sites/1/",
        "/api/dcim/sites/?limit=2&offset=2&ordering=-name",
        "/api/dcim/sites/?region=region-1&tag__n=tag1&status=active",
        "/api/dcim/devices/?brief=1",
        "/api/ipam/vrfs/?name=none",
    ];
    let not = [
        "/api/dcim/sites/?q=dc",
        "/api/dcim/sites/?bogus=1",
        "/api/dcim/sites/?cf_color=red",
        "/api/dcim/devices/?ordering=site",
        "/api/extras/tags/",
        "/api/plugins/any/things/",
        "/api/dcim/",
        "/api/",
    ];
    for target in understood.iter().chain(&not) {
        remember(&proxy, target).await;
    }
    write_elsewhere(&proxy).await;
    for target in understood {
        assert!(proxy.get(target).await.is_hit(), "{target}");
    }
    for target in not {
        assert_eq!(proxy.get(target).await.cache(), "fwd=stale; stored; detail=outdated", "{target}");
    }
}

/// What is known of NetBox 4.6 is not known of another, nor is what a URL names that leads elsewhere.
#[tokio::test]
async fn where_netbox_is_not_known_everything_is_outdated() {
    let newer = FakeNetbox::builder().version("4.7.0").start().await;
    let elsewhere = FakeNetbox::builder().public_origin(Some("http://inner.example".to_owned())).start().await;
    for netbox in [newer, elsewhere] {
        netbox.create("vpn/tunnels", json!({"name": "n"}));
        let proxy = alone(&netbox).await;
        remember(&proxy, "/api/dcim/sites/").await;
        write_elsewhere(&proxy).await;
        assert!(!proxy.get("/api/dcim/sites/").await.is_hit());
    }
}

/// What a visitor may see is decided by constraints that may look at anything.
#[tokio::test]
async fn a_visitors_answers_are_outdated_by_any_change() {
    let netbox = FakeNetbox::start().await;
    netbox.create("vpn/tunnels", json!({"name": "n"}));
    let settings = "[access]\npassthrough = true\n[invalidation]\nprecision = \"related\"";
    let proxy = TestProxy::builder(&netbox).settings(settings).start().await;
    let visit = async || {
        let authorization = format!("Bearer {}", netbox.token_v2());
        proxy.ask("GET", "/api/dcim/sites/").header("authorization", &authorization).send().await
    };
    visit().await;
    assert!(visit().await.is_hit());
    write_elsewhere(&proxy).await;
    assert!(!visit().await.is_hit());
}

/// A branch shares data with main; main shares nothing with a branch.
#[tokio::test]
async fn branches_are_told_apart_as_wholes() {
    let (netbox, proxy) = with_a_tunnel().await;
    let branch = netbox.add_branch("one", "ready");
    let in_branch = async || proxy.ask("GET", "/api/dcim/sites/").header("x-netbox-branch", &branch).send().await;
    in_branch().await;
    assert!(in_branch().await.is_hit());
    remember(&proxy, "/api/dcim/sites/").await;
    write_elsewhere(&proxy).await;
    assert!(!in_branch().await.is_hit());
    assert!(proxy.get("/api/dcim/sites/").await.is_hit());
    in_branch().await;
    let write = proxy.ask("PATCH", "/api/dcim/sites/1/").header("x-netbox-branch", &branch);
    assert_eq!(write.json(&json!({"description": "branch"})).send().await.status, 200);
    assert!(!in_branch().await.is_hit());
    assert!(proxy.get("/api/dcim/sites/").await.is_hit());
}

/// NetBox deletes and makes more than what is named; who wrote sees it at once.
#[tokio::test]
async fn what_goes_along_with_a_write_is_seen_at_once() {
    let netbox = FakeNetbox::start().await;
    netbox.create("dcim/interface-templates", json!({"name": "from-type", "device_type": 2}));
    let proxy = alone(&netbox).await;
    let (ports, addresses) = ("/api/dcim/interfaces/?fields=id&limit=1", "/api/ipam/ip-addresses/?fields=id&limit=1");
    let (made, primary) =
        ("/api/dcim/interfaces/?name=from-type", "/api/dcim/devices/?has_primary_ip=true&fields=id&limit=1");
    let count = async |target: &str| remember(&proxy, target).await["count"].as_u64().expect("a number");
    let before = [count(ports).await, count(addresses).await, count(made).await, count(primary).await];
    let device = json!({"name": "new", "device_type": 2, "role": 1, "site": 1});
    assert_eq!(proxy.ask("POST", "/api/dcim/devices/").json(&device).send().await.status, 201);
    assert_eq!(proxy.get(made).await.json()["count"], before[2] + 1);
    for target in [ports, addresses, primary] {
        remember(&proxy, target).await;
    }
    assert_eq!(proxy.ask("DELETE", "/api/dcim/devices/").json(&json!([{"id": 1}])).send().await.status, 204);
    assert_eq!(proxy.get(ports).await.json()["count"], before[0] + 1 - 2);
    assert_eq!(proxy.get(addresses).await.json()["count"], before[1] - 1);
    assert_eq!(proxy.get(primary).await.json()["count"], before[3] - 1);
    assert_eq!(proxy.ask("DELETE", "/api/ipam/ip-addresses/2/").send().await.status, 204);
    assert_eq!(proxy.get(primary).await.json()["count"], before[3] - 2);
    let prefix =
        truth(&netbox, &proxy, "/api/ipam/prefixes/?prefix=10.0.0.0/24&vrf_id=1").await["results"][0]["id"].clone();
    remember(&proxy, addresses).await;
    let available = format!("/api/ipam/prefixes/{prefix}/available-ips/");
    assert_eq!(proxy.ask("POST", &available).json(&json!({})).send().await.status, 201);
    assert_eq!(proxy.get(addresses).await.json()["count"], before[1] - 1);
}

/// An answer that leaves fields out does not show whose deletion would change it, nor does one that asks for what is new.
#[tokio::test]
async fn what_loses_a_reference_is_seen_even_where_that_is_not_shown() {
    let netbox = FakeNetbox::start().await;
    let vrf = netbox.create("ipam/vrfs", json!({"name": "goes"}));
    netbox.edit("dcim/interfaces", 1, json!({"vrf": vrf}));
    let proxy = alone(&netbox).await;
    let trimmed = "/api/dcim/interfaces/1/?fields=id,last_updated";
    let saved = remember(&proxy, trimmed).await["last_updated"].clone();
    let newer = format!("/api/dcim/interfaces/?last_updated__gt={}", saved.as_str().expect("a time"));
    assert_eq!(remember(&proxy, &newer).await["count"], 0);
    assert_eq!(proxy.ask("DELETE", &format!("/api/ipam/vrfs/{vrf}/")).send().await.status, 204);
    assert_ne!(proxy.get(trimmed).await.json()["last_updated"], saved);
    assert_eq!(proxy.get(&newer).await.json()["count"], 1);
}

/// However a write ends, what may go along with it is outdated.
#[tokio::test]
async fn a_deletion_that_broke_off_may_have_taken_others_along() {
    let netbox = FakeNetbox::start().await;
    let proxy = alone(&netbox).await;
    let addresses = "/api/ipam/ip-addresses/?fields=id&limit=1";
    let before = remember(&proxy, addresses).await["count"].as_u64().expect("a number");
    remember(&proxy, "/api/ipam/rirs/").await;
    netbox.fault(Match::path("DELETE", "/api/dcim/devices/1/").times(1), Fault::ApplyThenReset);
    assert_eq!(proxy.ask("DELETE", "/api/dcim/devices/1/").send().await.status, 502);
    assert_eq!(proxy.get(addresses).await.json()["count"], before - 1);
    assert!(!proxy.get(addresses).await.is_hit(), "it may still happen");
    assert!(proxy.get("/api/ipam/rirs/").await.is_hit(), "it has nothing to do with that");
}

#[tokio::test]
async fn what_went_along_with_an_own_write_is_not_told_of_twice() {
    let netbox = FakeNetbox::start().await;
    let proxy = following(&netbox).await;
    assert_eq!(proxy.ask("DELETE", "/api/dcim/devices/9/").send().await.status, 204);
    remember(&proxy, "/api/dcim/interfaces/").await;
    looked(&netbox).await;
    assert!(proxy.get("/api/dcim/interfaces/").await.is_hit());
    assert_eq!(proxy.metric("nbproxy_changelog_rows_total").await, 0.0);
}
