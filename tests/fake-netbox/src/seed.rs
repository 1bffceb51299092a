//! The data a server starts with, the same each time for the same numbers.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::random;
use crate::rights::Rights;
use crate::route::keep_secret;
use crate::state::{Action, Author, Change, Data, Row};
use crate::types::{self, Type};
use crate::write::{append, name_of};

/// Superuser, version 1.
pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef01234567";
/// Superuser, version 2.
pub(crate) const TOKEN_V2: &str = "nbt_QQfZurVpOLvC.ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrs";
/// The user without any permission.
pub(crate) const READER_TOKEN: &str = "fedcba9876543210fedcba9876543210fedcba98";

struct Seed {
    data: Data,
}

impl Seed {
    /// Adds a row; values are taken as they are.
    fn add(&mut self, endpoint: &str, values: &Value) -> u64 {
        let Some(ty) = types::at(endpoint) else {
            return 0;
        };
        let id = self.data.take_id(ty.endpoint);
        let stamp = self.data.stamp();
        let mut row = Row::new(ty, id, &stamp);
        for (name, value) in values.as_object().into_iter().flatten() {
            if let Some(field) = ty.field(name) {
                row.values.insert(field.name, value.clone());
            }
        }
        self.data.main.insert(ty, row);
        id
    }

    /// A row of a type that has little more than a name.
    fn named(&mut self, endpoint: &str, name: &str) -> u64 {
        let slug = name.to_lowercase().replace(' ', "-");
        self.add(endpoint, &json!({"name": name, "slug": slug}))
    }

    /// History for the rows of a type, as if one request had made them.
    fn log(&mut self, ty: &'static Type) {
        let request = random::uuid();
        let rows: Vec<_> = self.data.main.table(ty.endpoint).values().cloned().collect();
        let mut changes = Vec::new();
        for row in rows {
            changes.push(Change {
                id: self.data.take_id("core/object-changes"),
                stamp: self.data.stamp(),
                action: Action::Create,
                ty,
                object: row.id,
                before: None,
                name: name_of(ty, &row),
                after: Some(row),
                author: Author { user: 1, name: "admin".to_owned(), request: request.clone() },
                message: String::new(),
            });
        }
        append(&mut self.data, None, changes);
    }
}

/// All data of a fresh server.
pub(crate) fn data(devices: u64, sites: u64) -> Data {
    let mut seed = Seed { data: Data::default() };
    system(&mut seed);
    let sites = sites.max(1);
    places(&mut seed, sites);
    hardware(&mut seed, devices, sites);
    networks(&mut seed, devices, sites);
    machines(&mut seed);
    for model in ["extras.tag", "dcim.site"] {
        if let Some(ty) = types::of_model(model) {
            seed.log(ty);
        }
    }
    seed.data
}

fn system(seed: &mut Seed) {
    for (name, rights) in [("admin", Rights::Superuser), ("reader", Rights::Granted(Vec::new()))] {
        let stamp = seed.data.stamp();
        let user = seed.add("users/users", &json!({"username": name, "date_joined": stamp}));
        seed.data.rights.insert(user, Arc::new(rights));
    }
    for (user, token) in [(1, TOKEN), (1, TOKEN_V2), (2, READER_TOKEN)] {
        let id = seed.add("users/tokens", &json!({"user": user}));
        keep_secret(&mut seed.data, id, token);
    }
    for index in 0..10 {
        seed.named("extras/tags", &format!("tag{index}"));
    }
    for ty in types::all().iter().filter(|ty| ty.logged || ty.endpoint.starts_with("users/")) {
        let (app, model) = ty.model.split_once('.').unwrap_or_default();
        seed.add(
            "core/object-types",
            &json!({
                "app_label": app,
                "model": model,
                "model_name": ty.verbose,
                "features": if ty.logged { json!(["change_logging", "event_rules"]) } else { json!([]) },
                "is_plugin_model": ty.endpoint.starts_with("plugins/"),
                "rest_api_endpoint": format!("/api/{}/", ty.endpoint),
            }),
        );
    }
    seed.add("extras/webhooks", &json!({"name": "hook", "payload_url": "http://127.0.0.1:9/hook", "secret": "s3cret"}));
    for index in 0..3 {
        seed.add(
            "extras/config-contexts",
            &json!({
                "name": format!("cc{index}"),
                "sites": [index + 1],
                "data": {"dns": [format!("10.1.1.{index}")], "syslog": {"host": "10.2.2.2"}},
            }),
        );
    }
}

fn places(seed: &mut Seed, sites: u64) {
    for index in 0..4 {
        let parent = (index == 3).then_some(1);
        seed.add(
            "dcim/regions",
            &json!({"name": format!("Region {index}"), "slug": format!("region-{index}"), "parent": parent}),
        );
    }
    for index in 0..5 {
        seed.named("tenancy/tenants", &format!("Tenant {index}"));
    }
    for index in 0..sites {
        let id = seed.add(
            "dcim/sites",
            &json!({
                "name": format!("DC{index:03}"),
                "slug": format!("dc{index:03}"),
                "region": index % 4 + 1,
                "tenant": index % 5 + 1,
                "time_zone": "Europe/Berlin",
                "physical_address": format!("{index} Main St, Zürich ☃"),
            }),
        );
        let location =
            seed.add("dcim/locations", &json!({"name": "Hall 1", "slug": format!("hall-{index}"), "site": id}));
        for rack in 0..2 {
            let location = (rack == 0).then_some(location);
            seed.add("dcim/racks", &json!({"name": format!("R{rack}"), "site": id, "location": location}));
        }
        for vlan in 0..3 {
            seed.add("ipam/vlans", &json!({"name": format!("vlan-{vlan}"), "vid": 100 + vlan, "site": id}));
        }
    }
}

fn hardware(seed: &mut Seed, devices: u64, sites: u64) {
    for name in ["Cisco", "Arista", "Juniper", "Nokia"] {
        seed.named("dcim/manufacturers", name);
    }
    // One that nothing needs, so that it can be deleted.
    seed.named("dcim/manufacturers", "Spare");
    for index in 0..4 {
        seed.named("dcim/device-roles", &format!("Role {index}"));
        seed.named("dcim/platforms", &format!("os{index}"));
    }
    for index in 0..8 {
        seed.add(
            "dcim/device-types",
            &json!({
                "manufacturer": index % 4 + 1,
                "model": format!("Model-{index}"),
                "slug": format!("model-{index}"),
            }),
        );
    }
    let status = ["planned", "active", "active", "staged", "offline"];
    for index in 0..devices {
        let site = index % sites;
        let device = seed.add(
            "dcim/devices",
            &json!({
                "name": format!("dev-{index:05}"),
                "device_type": index % 8 + 1,
                "role": index % 4 + 1,
                "tenant": index % 5 + 1,
                "platform": index % 4 + 1,
                "serial": format!("SN{index:08}"),
                "site": site + 1,
                "rack": (index % 3 == 1).then_some(site * 2 + 1),
                "status": status[usize::try_from(index % 5).unwrap_or(0)],
                "tags": [index % 10 + 1],
                "primary_ip4": index + 1,
                "local_context_data": (index % 2 == 0).then(|| json!({"ntp": ["10.0.0.1"]})),
            }),
        );
        for port in 0..2 {
            seed.add(
                "dcim/interfaces",
                &json!({"device": device, "name": format!("eth{port}"), "type": "10gbase-x-sfpp"}),
            );
        }
        seed.add(
            "ipam/ip-addresses",
            &json!({
                "address": format!("10.{}.{}.{}/24", index / 64_000, index / 250 % 256, index % 250 + 1),
                "assigned_object_type": "dcim.interface",
                "assigned_object_id": index * 2 + 1,
            }),
        );
    }
    for index in 0..(devices / 4).min(3) {
        let end = |device: u64| json!([{"object_type": "dcim.interface", "object_id": device * 2 + 2}]);
        let cable =
            seed.add("dcim/cables", &json!({"a_terminations": end(index * 2), "b_terminations": end(index * 2 + 1)}));
        for (side, device) in [("A", index * 2), ("B", index * 2 + 1)] {
            seed.add(
                "dcim/cable-terminations",
                &json!({
                    "cable": cable,
                    "cable_end": side,
                    "termination_type": "dcim.interface",
                    "termination_id": device * 2 + 2,
                }),
            );
        }
    }
    for text in ["installed", "moved"] {
        seed.add(
            "extras/journal-entries",
            &json!({
                "assigned_object_type": "dcim.site",
                "assigned_object_id": 1,
                "created_by": 1,
                "comments": text,
            }),
        );
    }
}

fn networks(seed: &mut Seed, devices: u64, sites: u64) {
    let vrf = seed.add("ipam/vrfs", &json!({"name": "Blue", "rd": "65000:1"}));
    for index in 0..devices.div_ceil(250).max(1) {
        seed.add("ipam/prefixes", &json!({"prefix": format!("10.{}.{}.0/24", index / 256, index % 256)}));
    }
    for index in 0..sites.min(100) {
        seed.add(
            "ipam/prefixes",
            &json!({
                "prefix": format!("172.16.{index}.0/24"),
                "scope_type": "dcim.site",
                "scope_id": index + 1,
            }),
        );
    }
    for (prefix, status) in
        [("192.168.0.0/16", "container"), ("192.168.0.0/24", "active"), ("192.168.1.0/30", "active")]
    {
        seed.add("ipam/prefixes", &json!({"prefix": prefix, "status": status}));
    }
    seed.add("ipam/prefixes", &json!({"prefix": "10.0.0.0/24", "vrf": vrf}));
}

fn machines(seed: &mut Seed) {
    for name in ["KVM", "VMware"] {
        seed.named("virtualization/cluster-types", name);
    }
    for index in 0..2 {
        seed.add("virtualization/clusters", &json!({"name": format!("cluster{index}"), "type": index + 1}));
    }
    for index in 0..6 {
        seed.add(
            "virtualization/virtual-machines",
            &json!({
                "name": format!("vm{index}"),
                "cluster": index % 2 + 1,
                "vcpus": 2.0,
                "memory": 4096,
            }),
        );
    }
}
