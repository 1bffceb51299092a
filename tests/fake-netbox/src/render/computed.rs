//! Values that NetBox works out from other objects, with an index of each kind per request.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::Value;

use super::Render;
use crate::json::Json;
use crate::net::Net;
use crate::state::Row;
use crate::types::{self, Computed, Type};

/// Children and depth of each prefix.
pub(super) type PrefixTree = HashMap<u64, (u64, u64)>;

impl Render<'_> {
    pub(super) fn computed(&self, what: Computed, ty: &Type, row: &Row) -> Json {
        match what {
            Computed::AsnCount => {
                let range = row.number("start").unwrap_or(0)..=row.number("end").unwrap_or(0);
                let numbers = self.view.table("ipam/asns").values().filter_map(|asn| asn.number("asn"));
                Json::from(numbers.filter(|number| range.contains(number)).count() as u64)
            }
            Computed::Cable => self.brief_of("dcim/cables", self.cable_id(ty, row)),
            Computed::CableEnd => self.cable_end(ty, row),
            Computed::ConfigContext => Json::Value(self.config_context(row)),
            Computed::ChangedObject => match types::of_model(row.text("changed_object_type")) {
                Some(target) => self.brief_of(target.endpoint, row.number("changed_object_id")),
                None => Json::NULL,
            },
            Computed::DataType => Json::from(match row.text("type") {
                "integer" => "integer",
                "decimal" => "decimal",
                "boolean" => "boolean",
                "json" | "object" => "object",
                _ => "string",
            }),
            Computed::Depth => {
                let above = self.line(ty.endpoint, row.id).count();
                Json::from(above as u64 - 1)
            }
            Computed::Endpoints => match self.path(ty, row) {
                ends if ends.is_empty() => Json::NULL,
                ends => self.briefs(&ends),
            },
            Computed::EndpointsReachable => Json::from(!self.path(ty, row).is_empty()),
            Computed::EndpointsType => self.path(ty, row).first().map_or(Json::NULL, |(ty, _)| Json::from(ty.model)),
            Computed::LinkPeersType => self.peers(ty, row).first().map_or(Json::NULL, |(ty, _)| Json::from(ty.model)),
            Computed::Family => {
                let field = if ty.endpoint == "ipam/prefixes" { "prefix" } else { "address" };
                let family = Net::parse(row.text(field)).map_or(4, Net::family);
                Json::object([("value", Json::from(family)), ("label", Json::from(format!("IPv{family}")))])
            }
            Computed::FrontPorts => self.front_ports(ty, row),
            Computed::IpAddressCount => {
                Json::from(self.referring("ipam/ip-addresses", "assigned_object_id", ty, row).len() as u64)
            }
            Computed::LinkPeers => self.briefs(&self.peers(ty, row)),
            Computed::Occupied => {
                let marked = row.get("mark_connected") == &Value::Bool(true);
                Json::from(marked || self.cable_id(ty, row).is_some() || self.wireless_link(ty, row).is_some())
            }
            Computed::ParentDevice => {
                let bay = self.referring("dcim/device-bays", "installed_device", ty, row).first().copied();
                let bay = bay.and_then(|id| self.view.row("dcim/device-bays", id));
                self.brief_of("dcim/devices", bay.and_then(|bay| bay.number("device")))
            }
            Computed::WirelessLink => self.brief_of("wireless/wireless-links", self.wireless_link(ty, row)),
            Computed::PrefixChildren => Json::from(self.in_tree(row).0),
            Computed::PrefixDepth => Json::from(self.in_tree(row).1),
            Computed::PrimaryIp => {
                let id = row.number("primary_ip4").or(row.number("primary_ip6"));
                self.brief_of("ipam/ip-addresses", id)
            }
            Computed::TaggedItems => {
                let tables = types::all().iter().filter(|ty| ty.field("tags").is_some());
                let rows = tables.flat_map(|ty| self.view.table(ty.endpoint).values());
                let tagged = rows.filter(|other| other.numbers("tags").any(|id| id == row.id));
                Json::from(tagged.count() as u64)
            }
        }
    }

    fn in_tree(&self, row: &Row) -> (u64, u64) {
        let known = self.trees.borrow().clone();
        let tree = known.unwrap_or_else(|| {
            let tree = Rc::new(self.prefix_tree());
            *self.trees.borrow_mut() = Some(Rc::clone(&tree));
            tree
        });
        tree.get(&row.id).copied().unwrap_or_default()
    }

    fn prefix_tree(&self) -> PrefixTree {
        let mut all: Vec<_> = self
            .view
            .table("ipam/prefixes")
            .values()
            .filter_map(|row| {
                let net = Net::parse(row.text("prefix"))?;
                Some((row.number("vrf"), net, row.id))
            })
            .collect();
        // Networks come before what they contain, so the open ones form a stack.
        all.sort_unstable();
        let mut tree = PrefixTree::new();
        let mut open: Vec<(Option<u64>, Net, u64)> = Vec::new();
        for (vrf, net, id) in all {
            while open.last().is_some_and(|(other_vrf, other, _)| *other_vrf != vrf || !other.contains(net)) {
                open.pop();
            }
            for (_, _, above) in &open {
                tree.entry(*above).or_default().0 += 1;
            }
            tree.entry(id).or_default().1 = open.len() as u64;
            open.push((vrf, net, id));
        }
        tree
    }
}
