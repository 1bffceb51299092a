//! How much stays in memory: after a write to one of a dozen related types, most of what has nothing to do with it, where
//! whole branches keep nothing.

use fake_netbox::FakeNetbox;
use serde_json::{Value, json};

use super::{remember, truth};
use crate::support::TestProxy;

/// A dozen types that have much to do with each other.
const TYPES: [&str; 12] = [
    "dcim/cables",
    "dcim/devices",
    "dcim/interfaces",
    "dcim/locations",
    "dcim/racks",
    "dcim/sites",
    "ipam/ip-addresses",
    "ipam/prefixes",
    "ipam/vlans",
    "ipam/vrfs",
    "tenancy/tenants",
    "virtualization/virtual-machines",
];

/// What is asked of each, and by filters.
fn reads() -> Vec<String> {
    let mut reads: Vec<String> = TYPES
        .iter()
        .flat_map(|name| {
            ["1/", "?limit=5", "?limit=5&offset=5", "?fields=id&limit=5"].map(|rest| format!("{name}/{rest}"))
        })
        .collect();
    reads.extend(
        [
            "dcim/devices/?site=dc001",
            "dcim/devices/?region=region-1",
            "dcim/devices/?role=role-1&status=active",
            "dcim/devices/?tenant=tenant-1&brief=1",
            "dcim/devices/?name__ic=dev-0000",
            "dcim/devices/2/",
            "dcim/devices/3/?fields=id,name,status",
            "dcim/devices/?exclude=config_context&limit=10",
            "dcim/interfaces/?device_id=1",
            "dcim/interfaces/?device_id=2&enabled=true",
            "dcim/racks/?site_id=2",
            "dcim/racks/?name=none",
            "dcim/sites/?tenant_id=1",
            "dcim/sites/?status=active&ordering=-name",
            "ipam/ip-addresses/?device_id=1",
            "ipam/ip-addresses/?parent=10.0.0.0/25",
            "ipam/prefixes/?within_include=192.168.0.0/16",
            "ipam/prefixes/?vrf_id=1",
            "ipam/vlans/?site_id=1",
            "ipam/vlans/?vid=101",
            "virtualization/virtual-machines/?cluster_id=1",
            "virtualization/virtual-machines/?status=active",
            "tenancy/tenants/?name=none",
        ]
        .map(str::to_owned),
    );
    reads.iter().map(|read| format!("/api/{read}")).collect()
}

/// Writes, and other types that what they do is about: what a location takes along when it moves.
const WRITES: [(&str, &str, &str, &[&str]); 9] = [
    ("PATCH", "dcim/devices/1/", r#"{"name": "written"}"#, &[]),
    ("PATCH", "dcim/interfaces/1/", r#"{"description": "written"}"#, &[]),
    ("PATCH", "dcim/locations/1/", r#"{"name": "written"}"#, &["dcim/racks"]),
    ("PATCH", "dcim/sites/1/", r#"{"name": "written"}"#, &[]),
    ("PATCH", "ipam/ip-addresses/1/", r#"{"description": "written"}"#, &[]),
    ("PATCH", "tenancy/tenants/1/", r#"{"name": "written"}"#, &[]),
    ("POST", "ipam/prefixes/", r#"{"prefix": "203.0.113.0/24"}"#, &[]),
    ("DELETE", "ipam/vlans/2/", "null", &[]),
    ("DELETE", "dcim/cables/2/", "null", &[]),
];

/// Whether an answer is about a type, shows or counts objects of it, or is filtered by one: what a reader would call related.
fn is_related(endpoint: &str, read: &str, answer: &Value) -> bool {
    let last = endpoint.rsplit('/').next().unwrap_or_default();
    let word = last.strip_suffix("es").filter(|_| last.ends_with("xes") || last.ends_with("sses"));
    let word = word.or(last.strip_suffix('s')).unwrap_or(last).replace('-', "_");
    let named = |name: &str| read.split_once('?').is_some_and(|(_, query)| query.contains(name));
    let text = answer.to_string();
    read.starts_with(&format!("/api/{endpoint}/"))
        || named(&format!("{word}="))
        || named(&format!("{word}_id="))
        || text.contains(&format!("/api/{endpoint}/"))
        || text.contains(&format!("\"{}_count\":", word.replace('_', "")))
}

async fn proxy(netbox: &FakeNetbox, precision: &str) -> TestProxy {
    TestProxy::builder(netbox).settings(&format!("[invalidation]\nprecision = {precision:?}")).start().await
}

async fn write(proxy: &TestProxy, (method, target, body, _): (&str, &str, &str, &[&str])) {
    let body: Value = serde_json::from_str(body).unwrap_or(json!({}));
    let ask = proxy.ask(method, &format!("/api/{target}"));
    let answer = if method == "DELETE" { ask.send().await } else { ask.json(&body).send().await };
    assert!((200..300).contains(&answer.status), "{method} {target}: {}", answer.text());
}

/// What is remembered of all reads, filled in where something is missing.
async fn fill(proxy: &TestProxy, reads: &[String]) -> Vec<Value> {
    let mut answers = Vec::new();
    for read in reads {
        let answer = proxy.get(read).await;
        answers.push(if answer.is_hit() { answer.json() } else { remember(proxy, read).await });
    }
    answers
}

#[tokio::test]
async fn most_of_what_is_unrelated_stays_and_is_true() {
    let netbox = FakeNetbox::builder().devices(12).sites(6).start().await;
    let proxy = proxy(&netbox, "related").await;
    let reads = reads();
    let (mut same, mut kept) = (0, 0);
    for change in WRITES {
        let before = fill(&proxy, &reads).await;
        write(&proxy, change).await;
        let endpoint = change.1.split('/').take(2).collect::<Vec<_>>().join("/");
        let about = [&[endpoint.as_str()][..], change.3].concat();
        let (mut unrelated, mut hits) = (0, 0);
        for (read, before) in reads.iter().zip(&before) {
            let answer = proxy.get(read).await;
            if answer.is_hit() {
                assert_eq!(answer.json(), truth(&netbox, &proxy, read).await, "{change:?} {read}");
            }
            if !about.iter().any(|endpoint| is_related(endpoint, read, before)) {
                unrelated += 1;
                hits += u32::from(answer.is_hit());
            }
            if answer.status == 200 && answer.json() == *before {
                same += 1;
                kept += u32::from(answer.is_hit());
            }
        }
        println!("{} {}: {hits} of {unrelated} unrelated answers kept", change.0, change.1);
        assert!(f64::from(hits) / f64::from(unrelated) >= 0.7, "{change:?}: {hits} of {unrelated}");
    }
    println!("of all {same} that did not change, {kept}");
}

#[tokio::test]
async fn whole_branches_keep_nothing() {
    let netbox = FakeNetbox::builder().devices(12).sites(6).start().await;
    let proxy = proxy(&netbox, "branch").await;
    let reads = reads();
    for change in [WRITES[1], WRITES[7]] {
        fill(&proxy, &reads).await;
        write(&proxy, change).await;
        for read in &reads {
            assert!(!proxy.get(read).await.is_hit(), "{change:?} {read}");
        }
    }
}
