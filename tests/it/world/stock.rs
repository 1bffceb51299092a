//! What there is to be written and read: objects of related types, by their ids, and what can be done to them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::dice::Dice;

/// An endpoint, how many objects of it FakeNetbox begins with, and which of its fields are changed.
type Kind = (&'static str, u64, &'static [&'static str]);

/// In the order in which they need each other.
pub(super) const KINDS: [Kind; 19] = [
    ("dcim/regions", 4, &["name", "parent"]),
    ("tenancy/tenants", 5, &["name", "description"]),
    ("dcim/sites", 6, &["name", "description", "region", "tenant"]),
    ("dcim/locations", 6, &["name", "site"]),
    ("dcim/racks", 6, &["name", "site", "location"]),
    ("dcim/manufacturers", 3, &["name"]),
    ("dcim/device-types", 4, &["model", "manufacturer"]),
    ("dcim/device-roles", 3, &["name"]),
    ("dcim/devices", 12, &["name", "site", "rack", "role", "device_type", "tenant"]),
    ("dcim/interfaces", 20, &["name", "description"]),
    ("dcim/cables", 3, &["label"]),
    ("ipam/vrfs", 1, &["name", "tenant"]),
    ("ipam/prefixes", 5, &["description", "vrf", "tenant", "scope"]),
    ("ipam/ip-addresses", 12, &["description", "tenant", "vrf"]),
    ("ipam/vlans", 4, &["name", "site", "tenant"]),
    ("virtualization/cluster-types", 2, &["name"]),
    ("virtualization/clusters", 2, &["name", "scope"]),
    ("virtualization/virtual-machines", 6, &["name", "tenant"]),
    ("extras/tags", 3, &["description"]),
];

/// How many of a kind are kept, that they meet again and again.
const FEW: usize = 3;
const MANY: usize = 12;

/// A request that changes something.
pub(super) struct Write {
    pub(super) method: &'static str,
    pub(super) endpoint: &'static str,
    /// Of what is to be changed or deleted.
    pub(super) id: Option<u64>,
    pub(super) body: Value,
}

impl Write {
    pub(super) fn path(&self) -> String {
        let Self { endpoint, id, .. } = self;
        id.map_or_else(|| format!("/api/{endpoint}/"), |id| format!("/api/{endpoint}/{id}/"))
    }
}

/// What there is.
pub(super) struct Stock {
    pub(super) dice: Dice,
    /// All names begin with it.
    prefix: String,
    ids: BTreeMap<&'static str, Vec<u64>>,
    number: usize,
}

impl Stock {
    /// What FakeNetbox begins with.
    pub(super) fn seeded(seed: u64) -> Self {
        let ids = KINDS.iter().map(|(endpoint, count, _)| (*endpoint, (1..=*count).collect())).collect();
        Self { dice: Dice(seed), prefix: "n".to_owned(), ids, number: 0 }
    }

    /// Nothing yet.
    pub(super) fn empty(seed: u64, prefix: &str) -> Self {
        Self { dice: Dice(seed), prefix: prefix.to_owned(), ids: BTreeMap::new(), number: 0 }
    }

    /// Takes note of what has become of a write.
    pub(super) fn learn(&mut self, write: &Write, status: u16, answer: &Value) {
        let ids = self.ids.entry(write.endpoint).or_default();
        match (write.method, status, answer["id"].as_u64()) {
            ("POST", 201, Some(id)) => ids.push(id),
            ("DELETE", 204, _) => ids.retain(|known| Some(*known) != write.id),
            _ => {}
        }
    }

    /// One of a kind; of a kind of which there is none, one that is not there.
    pub(super) fn id(&mut self, endpoint: &str) -> u64 {
        match self.ids.get(endpoint) {
            Some(ids) if !ids.is_empty() => *self.dice.of(ids),
            Some(_) | None => 1_000_000,
        }
    }

    fn name(&mut self) -> String {
        self.number += 1;
        format!("{}{}", self.prefix, self.number)
    }

    /// Something at random. Much is refused by NetBox, which is as good.
    pub(super) fn write(&mut self) -> Write {
        let (endpoint, _, fields) = *self.dice.of(&KINDS);
        let count = self.ids.get(endpoint).map_or(0, Vec::len);
        match self.dice.roll(10) {
            0 if count > FEW => Write { method: "DELETE", endpoint, id: Some(self.id(endpoint)), body: Value::Null },
            1 | 2 if count < MANY => self.new_one(endpoint),
            _ => self.edit(endpoint, fields),
        }
    }

    /// A change that NetBox takes whatever else has happened.
    pub(super) fn safe_edit(&mut self) -> Write {
        const SAFE: [(&str, &str); 4] =
            [("dcim/regions", "name"), ("dcim/sites", "name"), ("dcim/devices", "name"), ("tenancy/tenants", "name")];
        let (endpoint, field) = *self.dice.of(&SAFE);
        self.edit(endpoint, &[field])
    }

    pub(super) fn edit(&mut self, endpoint: &'static str, fields: &[&'static str]) -> Write {
        let field = *self.dice.of(fields);
        let body = if field == "scope" {
            json!({"scope_type": "dcim.site", "scope_id": self.id("dcim/sites")})
        } else {
            let value = match target(field) {
                Some(endpoint) => json!(self.id(endpoint)),
                None => json!(self.name()),
            };
            json!({ field: value })
        };
        Write { method: "PATCH", endpoint, id: Some(self.id(endpoint)), body }
    }

    pub(super) fn new_one(&mut self, endpoint: &'static str) -> Write {
        let name = self.name();
        let mut body = json!({});
        let named: &[&str] = match endpoint {
            "dcim/cables" => &[],
            "dcim/device-types" => &["model", "slug"],
            "ipam/prefixes" | "ipam/ip-addresses" => &["description"],
            "dcim/racks" | "dcim/devices" | "dcim/interfaces" | "ipam/vrfs" | "ipam/vlans" => &["name"],
            "virtualization/clusters" | "virtualization/virtual-machines" => &["name"],
            _ => &["name", "slug"],
        };
        named.iter().for_each(|field| body[*field] = json!(name));
        let net = format!("10.{}.{}", 200 + self.dice.roll(4), self.dice.roll(250));
        let end = |id: u64| json!([{"object_type": "dcim.interface", "object_id": id}]);
        let more = match endpoint {
            "dcim/sites" => json!({"region": self.id("dcim/regions"), "tenant": self.id("tenancy/tenants")}),
            "dcim/locations" | "dcim/racks" => json!({"site": self.id("dcim/sites")}),
            "dcim/device-types" => json!({"manufacturer": self.id("dcim/manufacturers")}),
            "dcim/devices" => json!({
                "site": self.id("dcim/sites"),
                "role": self.id("dcim/device-roles"),
                "device_type": self.id("dcim/device-types"),
            }),
            "dcim/interfaces" => json!({"device": self.id("dcim/devices"), "type": "1000base-t"}),
            "dcim/cables" => json!({
                "a_terminations": end(self.id("dcim/interfaces")),
                "b_terminations": end(self.id("dcim/interfaces")),
            }),
            "ipam/prefixes" => json!({"prefix": format!("{net}.0/24"), "vrf": self.id("ipam/vrfs")}),
            "ipam/ip-addresses" => json!({
                "address": format!("{net}.{}/24", self.dice.roll(250) + 1),
                "assigned_object_type": "dcim.interface",
                "assigned_object_id": self.id("dcim/interfaces"),
            }),
            "ipam/vlans" => json!({"vid": self.dice.roll(4000) + 1, "site": self.id("dcim/sites")}),
            "virtualization/clusters" => json!({"type": self.id("virtualization/cluster-types")}),
            "virtualization/virtual-machines" => json!({"cluster": self.id("virtualization/clusters")}),
            _ => json!({}),
        };
        for (field, value) in more.as_object().into_iter().flatten() {
            body[field] = value.clone();
        }
        Write { method: "POST", endpoint, id: None, body }
    }

    /// Something to read: objects, lists, pages, filtered lists.
    pub(super) fn read(&mut self) -> String {
        let (endpoint, ..) = *self.dice.of(&KINDS);
        let target = match self.dice.roll(10) {
            0..=3 => {
                let ids = self.ids.get(endpoint).map_or(&[][..], Vec::as_slice);
                let id = ids.get(self.dice.roll(FEW)).or(ids.first()).copied().unwrap_or(1_000_000);
                format!("{endpoint}/{id}/")
            }
            4 => format!("{endpoint}/?limit=5"),
            5 => format!("{endpoint}/?limit=3&offset=3"),
            6 => format!("{endpoint}/?brief=1&limit=5"),
            7 => format!("{endpoint}/?limit=5&ordering=-id&fields=id,display"),
            _ => {
                let (list, by) = *self.dice.of(&FILTERS);
                let first = self.ids.get(by).and_then(|ids| ids.first()).copied().unwrap_or(1_000_000);
                format!("{list}{first}")
            }
        };
        format!("/api/{target}")
    }
}

/// Filtered lists, and of what kind the id is that follows.
const FILTERS: [(&str, &str); 16] = [
    ("dcim/sites/?region_id=", "dcim/regions"),
    ("dcim/sites/?tenant_id=", "tenancy/tenants"),
    ("dcim/locations/?site_id=", "dcim/sites"),
    ("dcim/racks/?site_id=", "dcim/sites"),
    ("dcim/devices/?site_id=", "dcim/sites"),
    ("dcim/devices/?rack_id=", "dcim/racks"),
    ("dcim/devices/?role_id=", "dcim/device-roles"),
    ("dcim/devices/?manufacturer_id=", "dcim/manufacturers"),
    ("dcim/devices/?tenant_id=", "tenancy/tenants"),
    ("dcim/devices/?limit=5&region_id=", "dcim/regions"),
    ("dcim/interfaces/?device_id=", "dcim/devices"),
    ("ipam/prefixes/?vrf_id=", "ipam/vrfs"),
    ("ipam/ip-addresses/?device_id=", "dcim/devices"),
    ("ipam/ip-addresses/?fields=id,display&vrf_id=", "ipam/vrfs"),
    ("ipam/vlans/?site_id=", "dcim/sites"),
    ("virtualization/virtual-machines/?cluster_id=", "virtualization/clusters"),
];

/// What a field that points elsewhere points at.
fn target(field: &str) -> Option<&'static str> {
    Some(match field {
        "parent" | "region" => "dcim/regions",
        "tenant" => "tenancy/tenants",
        "site" => "dcim/sites",
        "location" => "dcim/locations",
        "rack" => "dcim/racks",
        "role" => "dcim/device-roles",
        "device_type" => "dcim/device-types",
        "manufacturer" => "dcim/manufacturers",
        "vrf" => "ipam/vrfs",
        _ => return None,
    })
}
