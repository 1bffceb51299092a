//! What caches before NetBox have been known to get wrong, each by its name: with both precisions, written through nbproxy
//! and beside it. The clock stands still.
//!
//! Others have their place elsewhere: `changelog.rs` (300 objects committed late below a newer id, a token that may not
//! read the changelog, a changelog that was pruned), `webhooks.rs` (a webhook before its commit), `jobs.rs` (a branch that
//! is merged), `branch_status.rs` (one that is not ready).

use fake_netbox::FakeNetbox;
use serde_json::{Value, json};

use crate::support::{Ask, TestProxy, until};

/// Who writes.
#[derive(Debug, Clone, Copy)]
enum By {
    Proxy,
    Netbox,
}

/// What is made first, what is read, what is then done (`$0` is the first that was made), and what must be seen at the place in the answer.
struct Story<'a> {
    made: &'a [(&'a str, Value)],
    read: &'a str,
    write: (&'a str, &'a str, Value),
    place: &'a str,
    seen: [Value; 2],
}

impl Story<'_> {
    async fn hold(&self) {
        for precision in ["branch", "related"] {
            for by in [By::Proxy, By::Netbox] {
                self.hold_by(precision, by).await;
            }
        }
    }

    async fn hold_by(&self, precision: &str, by: By) {
        let netbox = FakeNetbox::start().await;
        let made: Vec<_> = self.made.iter().map(|(endpoint, body)| netbox.create(endpoint, body.clone())).collect();
        let settings = format!("[invalidation]\nchangelog_poll = \"5ms\"\nprecision = {precision:?}");
        let proxy = TestProxy::builder(&netbox).settings(&settings).start().await;
        proxy.follows().await;
        let look = async || proxy.get(self.read).await.json().pointer(self.place).cloned();
        assert_eq!(look().await.as_ref(), Some(&self.seen[0]), "{}", self.read);
        assert!(proxy.get(self.read).await.is_hit());
        let (method, path, body) = &self.write;
        let path = path.replace("$0", &made.first().copied().unwrap_or_default().to_string());
        let base = if matches!(by, By::Proxy) { proxy.url() } else { netbox.url() };
        let token = format!("Token {}", netbox.token());
        let ask = Ask::new(method, &format!("{base}{path}")).header("authorization", &token);
        let answer = if body.is_null() { ask.send().await } else { ask.json(body).send().await };
        assert!((200..300).contains(&answer.status), "{}", answer.text());
        if matches!(by, By::Netbox) {
            let looks = async || proxy.metric("nbproxy_changelog_looks_total").await;
            let before = looks().await;
            until(async || looks().await >= before + 2.0).await;
        }
        assert_eq!(look().await.as_ref(), Some(&self.seen[1]), "{} {precision} {by:?}", self.read);
    }
}

/// What NetBox's cache was given up for (netbox-community/netbox#3300).
#[tokio::test]
async fn netbox_3300_filter_create_filter() {
    Story {
        made: &[],
        read: "/api/dcim/sites/?name=new",
        write: ("POST", "/api/dcim/sites/", json!({"name": "new", "slug": "new"})),
        place: "/count",
        seen: [json!(0), json!(1)],
    }
    .hold()
    .await;
}

#[tokio::test]
async fn a_count_after_a_component_was_added() {
    Story {
        made: &[],
        read: "/api/dcim/devices/1/",
        write: ("POST", "/api/dcim/interfaces/", json!({"device": 1, "name": "n", "type": "10gbase-x-sfpp"})),
        place: "/interface_count",
        seen: [json!(2), json!(3)],
    }
    .hold()
    .await;
}

#[tokio::test]
async fn a_site_renamed_that_a_device_shows() {
    Story {
        made: &[],
        read: "/api/dcim/devices/1/",
        write: ("PATCH", "/api/dcim/sites/1/", json!({"name": "Renamed"})),
        place: "/site/name",
        seen: [json!("DC000"), json!("Renamed")],
    }
    .hold()
    .await;
}

/// Interface, cable, front port, rear port: the cable is laid at the rear port, and shows at the interface.
#[tokio::test]
async fn a_cable_laid_two_hops_away() {
    let (port, front) = (json!({"device": 7, "name": "rear"}), json!([{"position": 1, "rear_port": 1}]));
    let cable = |a: (&str, u64), b: (&str, u64)| {
        let end = |(kind, id): (&str, u64)| json!([{"object_type": kind, "object_id": id}]);
        json!({"a_terminations": end(a), "b_terminations": end(b)})
    };
    Story {
        made: &[
            ("dcim/rear-ports", port),
            ("dcim/front-ports", json!({"device": 7, "name": "front", "rear_ports": front})),
            ("dcim/cables", cable(("dcim.interface", 15), ("dcim.frontport", 1))),
        ],
        read: "/api/dcim/interfaces/15/",
        write: ("POST", "/api/dcim/cables/", cable(("dcim.rearport", 1), ("dcim.interface", 17))),
        place: "/connected_endpoints_type",
        seen: [json!("dcim.frontport"), json!("dcim.interface")],
    }
    .hold()
    .await;
}

#[tokio::test]
async fn a_parent_prefix_deleted() {
    Story {
        made: &[
            ("ipam/prefixes", json!({"prefix": "198.18.0.0/15"})),
            ("ipam/prefixes", json!({"prefix": "198.18.1.0/24"})),
        ],
        read: "/api/ipam/prefixes/?prefix=198.18.1.0/24",
        write: ("DELETE", "/api/ipam/prefixes/$0/", Value::Null),
        place: "/results/0/_depth",
        seen: [json!(1), json!(0)],
    }
    .hold()
    .await;
}

#[tokio::test]
async fn a_custom_field_added() {
    Story {
        made: &[],
        read: "/api/dcim/sites/1/",
        write: (
            "POST",
            "/api/extras/custom-fields/",
            json!({"name": "cf", "type": "text", "object_types": ["dcim.site"], "default": "x"}),
        ),
        place: "/custom_fields",
        seen: [json!({}), json!({"cf": "x"})],
    }
    .hold()
    .await;
}
