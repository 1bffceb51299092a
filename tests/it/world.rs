//! A world that changes from all sides: what nbproxy answers is at each moment what NetBox would.
//!
//! Tens of thousands of operations at random over related types: writes through nbproxy and beside it, reads in between,
//! most of them answered from memory. Each answer is compared, whole, with what NetBox says itself. The clock stands
//! still: nothing is right because it expired.

use fake_netbox::FakeNetbox;
use serde_json::{Value, json};

use crate::support::{Ask, TestProxy, until};

const SEEDS: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03];
/// Steps of a life; with their writes and reads they are 25,000 operations.
const STEPS: usize = 100;
const WRITES: usize = 20;
const READS: usize = 240;

/// A small generator (xorshift64*), so that a failure can be played again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).expect("31 bits fit") % sides
    }

    fn of<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[self.roll(things.len())]
    }
}

/// What can be written: endpoint, ids that exist at first, and what is changed.
type Kind = (&'static str, usize, &'static [&'static str]);

const KINDS: [Kind; 14] = [
    ("dcim/regions", 3, &["name", "parent"]),
    ("dcim/sites", 6, &["name", "description", "region", "tenant"]),
    ("dcim/racks", 6, &["name", "site"]),
    ("dcim/manufacturers", 3, &["name"]),
    ("dcim/device-types", 3, &["model", "manufacturer"]),
    ("dcim/device-roles", 3, &["name"]),
    ("dcim/devices", 12, &["name", "site", "rack", "role", "device_type", "tenant"]),
    ("dcim/interfaces", 20, &["name", "description"]),
    ("tenancy/tenants", 3, &["name"]),
    ("ipam/vrfs", 2, &["name"]),
    ("ipam/prefixes", 5, &["description", "vrf", "tenant"]),
    ("ipam/ip-addresses", 12, &["description", "tenant", "vrf"]),
    ("ipam/vlans", 4, &["name", "site"]),
    ("extras/tags", 3, &["name"]),
];

/// What a field that points elsewhere points at.
fn target(field: &str) -> Option<(&'static str, usize)> {
    let endpoint = match field {
        "parent" | "region" => "dcim/regions",
        "tenant" => "tenancy/tenants",
        "site" => "dcim/sites",
        "rack" => "dcim/racks",
        "role" => "dcim/device-roles",
        "device_type" => "dcim/device-types",
        "manufacturer" => "dcim/manufacturers",
        "vrf" => "ipam/vrfs",
        _ => return None,
    };
    KINDS.iter().find(|(name, ..)| *name == endpoint).map(|(name, count, _)| (*name, *count))
}

/// A write at random: method, path and body. Many are refused by NetBox, which is as good.
fn write(dice: &mut Dice, number: usize) -> (&'static str, String, Value) {
    let (endpoint, count, fields) = *dice.of(&KINDS);
    let id = dice.roll(count + 2) + 1;
    match dice.roll(10) {
        0 => ("DELETE", format!("/api/{endpoint}/{id}/"), Value::Null),
        1 => {
            let mut body = json!({"name": format!("n{number}"), "slug": format!("n{number}"), "status": "active"});
            for (field, value) in [
                ("site", json!(dice.roll(6) + 1)),
                ("device", json!(dice.roll(12) + 1)),
                ("role", json!(1)),
                ("device_type", json!(dice.roll(3) + 1)),
                ("manufacturer", json!(1)),
                ("model", json!(format!("m{number}"))),
                ("type", json!("virtual")),
                ("prefix", json!(format!("10.{}.{}.0/24", dice.roll(4), dice.roll(250)))),
                ("address", json!(format!("10.{}.{}.9/24", dice.roll(4), dice.roll(250)))),
                ("vid", json!(dice.roll(4000) + 1)),
            ] {
                body[field] = value;
            }
            ("POST", format!("/api/{endpoint}/"), body)
        }
        _ => {
            let field = *dice.of(fields);
            let value = match target(field) {
                Some((_, count)) => json!(dice.roll(count) + 1),
                None => json!(format!("{field}-{number}")),
            };
            ("PATCH", format!("/api/{endpoint}/{id}/"), json!({ field: value }))
        }
    }
}

/// What is read: lists, pages, filtered lists and objects.
fn targets() -> Vec<String> {
    let mut targets = Vec::new();
    for (endpoint, count, _) in KINDS {
        targets.push(format!("/api/{endpoint}/?limit=100"));
        targets.push(format!("/api/{endpoint}/?limit=3&offset=3"));
        targets.push(format!("/api/{endpoint}/?brief=1"));
        targets.extend((1..=count.min(3)).map(|id| format!("/api/{endpoint}/{id}/")));
    }
    for filter in [
        "dcim/sites/?region_id=1",
        "dcim/sites/?tenant_id=2",
        "dcim/racks/?site_id=1",
        "dcim/devices/?site_id=2",
        "dcim/devices/?rack_id=1",
        "dcim/devices/?role_id=1",
        "dcim/devices/?manufacturer_id=1",
        "dcim/devices/?tenant_id=1",
        "dcim/interfaces/?device_id=1",
        "dcim/interfaces/?device_id=2",
        "ipam/prefixes/?vrf_id=1",
        "ipam/ip-addresses/?vrf_id=1",
        "ipam/ip-addresses/?parent=10.0.0.0/16",
        "ipam/vlans/?site_id=1",
    ] {
        targets.push(format!("/api/{filter}"));
    }
    targets
}

/// How a change reaches nbproxy.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Proxy,
    Changelog,
}

struct World {
    netbox: FakeNetbox,
    proxy: TestProxy,
    targets: Vec<String>,
    dice: Dice,
    hits: usize,
    reads: usize,
    /// The last writes, told when something is wrong.
    story: Vec<String>,
}

impl World {
    async fn new(seed: u64, precision: &str) -> Self {
        let netbox = FakeNetbox::builder().devices(12).sites(6).start().await;
        let settings = format!("[invalidation]\nchangelog_poll = \"1ms\"\nprecision = \"{precision}\"");
        let proxy = TestProxy::builder(&netbox).settings(&settings).start().await;
        proxy.follows().await;
        Self { netbox, proxy, targets: targets(), dice: Dice(seed), hits: 0, reads: 0, story: Vec::new() }
    }

    /// Some writes from one side, and reads: after each, or, where nbproxy must be told first, after all.
    async fn step(&mut self, step: usize) {
        let by = *self.dice.of(&[By::Proxy, By::Changelog]);
        for write in 0..WRITES {
            self.write(by, step * WRITES + write).await;
            if by == By::Proxy {
                self.read_some(READS / WRITES).await;
            }
        }
        if by == By::Changelog {
            self.looked().await;
            self.read_some(READS).await;
        }
    }

    async fn write(&mut self, by: By, number: usize) {
        let (method, path, body) = write(&mut self.dice, number);
        let base = if by == By::Proxy { self.proxy.url() } else { self.netbox.url() };
        let token = format!("Token {}", self.netbox.token());
        let ask = Ask::kept(method, &format!("{base}{path}")).header("authorization", &token);
        let status = if body.is_null() { ask.send().await } else { ask.json(&body).send().await }.status;
        let through = if by == By::Proxy { "through nbproxy" } else { "beside it" };
        self.story.push(format!("{number}: {through} {method} {path} {body} → {status}"));
    }

    async fn read_some(&mut self, count: usize) {
        for _ in 0..count {
            self.read().await;
        }
    }

    /// Waits until a look at the changelog that began after now has ended: the first to end may have begun before.
    async fn looked(&self) {
        let looks = || self.proxy.metric("nbproxy_changelog_looks_total");
        let before = looks().await;
        until(async || looks().await >= before + 2.0).await;
    }

    async fn read(&mut self) {
        let target = self.dice.of(&self.targets).clone();
        let ours = Ask::kept("GET", &format!("{}{target}", self.proxy.url())).send().await;
        let token = format!("Token {}", self.netbox.token());
        let theirs = Ask::kept("GET", &format!("{}{target}", self.netbox.url()));
        let theirs = theirs.header("authorization", &token).header("accept", "application/json").send().await;
        // NetBox's own pages stay where they are.
        let moved =
            theirs.text().replace(&format!("{}/api/", self.netbox.url()), &format!("{}/api/", self.proxy.url()));
        self.reads += 1;
        self.hits += usize::from(ours.is_hit());
        let last = self.story.len().saturating_sub(WRITES);
        assert_eq!(
            (ours.status, undated(&ours.text())),
            (theirs.status, undated(&moved)),
            "{target} ({}) after\n{}",
            ours.cache(),
            self.story[last..].join("\n")
        );
    }
}

/// A text without the times of last changes: a PATCH that changes nothing moves them and leaves no trace in the changelog
/// (NetBox 4.6), so beside nbproxy nobody can know.
fn undated(text: &str) -> String {
    let name = "\"last_updated\":\"";
    let mut parts = text.split(name);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + name + part.split_once('"').map_or("", |(_, rest)| rest))
}

async fn live(seed: u64, precision: &str) -> World {
    let mut world = World::new(seed, precision).await;
    for step in 0..STEPS {
        world.step(step).await;
    }
    world
}

#[tokio::test]
async fn with_whole_branches() {
    let world = live(SEEDS[0], "branch").await;
    assert_eq!(world.reads, STEPS * READS);
    assert!(world.hits > 0, "some were answered from memory");
}

#[tokio::test]
async fn with_related_types() {
    let world = live(SEEDS[1], "related").await;
    assert_eq!(world.reads, STEPS * READS);
    assert!(world.hits > world.reads / 4, "changes of other types cost nothing: {} of {}", world.hits, world.reads);
}
