//! Values that NetBox works out from other objects, with an index of each kind per request.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::Value;

use super::Render;
use crate::json::Json;
use crate::net::Net;
use crate::state::Row;
use crate::types::{self, Computed, Type};
use crate::write::ends;

/// Cable and far ends of each cabled interface.
#[derive(Default)]
pub(super) struct Cabling {
    by_interface: HashMap<u64, Plug>,
}

struct Plug {
    cable: u64,
    side: char,
    peers: Vec<u64>,
}

/// Children and depth of each prefix.
pub(super) type PrefixTree = HashMap<u64, (u64, u64)>;

impl Render<'_> {
    pub(super) fn computed(&self, what: Computed, ty: &Type, row: &Row) -> Json {
        match what {
            Computed::Cable => {
                let cable = self.plug(row, |plug| plug.cable);
                self.brief_of("dcim/cables", cable)
            }
            Computed::CableEnd => self.plug(row, |plug| Json::from(plug.side.to_string())).unwrap_or(Json::NULL),
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
            Computed::Endpoints => match self.peers(row) {
                Json::List(peers) if peers.is_empty() => Json::NULL,
                peers @ (Json::List(_) | Json::Value(_) | Json::Object(_)) => peers,
            },
            Computed::EndpointsReachable => Json::from(self.has_peers(row)),
            Computed::EndpointsType | Computed::LinkPeersType => {
                if self.has_peers(row) {
                    Json::from("dcim.interface")
                } else {
                    Json::NULL
                }
            }
            Computed::Family => {
                let field = if ty.endpoint == "ipam/prefixes" { "prefix" } else { "address" };
                let family = Net::parse(row.text(field)).map_or(4, Net::family);
                Json::object([("value", Json::from(family)), ("label", Json::from(format!("IPv{family}")))])
            }
            Computed::IpAddressCount => {
                let counts = self.counts("ipam/ip-addresses", "assigned_object_id");
                Json::from(counts.get(&row.id).copied().unwrap_or(0))
            }
            Computed::LinkPeers => self.peers(row),
            Computed::Occupied => {
                let marked = row.get("mark_connected") == &Value::Bool(true);
                Json::from(marked || self.plug(row, |_| ()).is_some())
            }
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

    fn plug<T>(&self, row: &Row, look: impl Fn(&Plug) -> T) -> Option<T> {
        let known = self.cables.borrow().clone();
        let cabling = known.unwrap_or_else(|| {
            let mut cabling = Cabling::default();
            for cable in self.view.table("dcim/cables").values() {
                let ends = ends(cable);
                for (side, _, id) in &ends {
                    let peers = ends.iter().filter(|(other, _, _)| other != side);
                    let peers = peers.map(|(_, _, id)| *id).collect();
                    let plug = Plug { cable: cable.id, side: *side, peers };
                    cabling.by_interface.insert(*id, plug);
                }
            }
            let cabling = Rc::new(cabling);
            *self.cables.borrow_mut() = Some(Rc::clone(&cabling));
            cabling
        });
        cabling.by_interface.get(&row.id).map(look)
    }

    pub(crate) fn peer_ids(&self, row: &Row) -> Vec<u64> {
        self.plug(row, |plug| plug.peers.clone()).unwrap_or_default()
    }

    pub(crate) fn cable_id(&self, row: &Row) -> Option<u64> {
        self.plug(row, |plug| plug.cable)
    }

    fn peers(&self, row: &Row) -> Json {
        let peers = self.peer_ids(row);
        let brief = |id| self.brief_of("dcim/interfaces", Some(id));
        Json::List(peers.into_iter().map(brief).collect())
    }

    fn has_peers(&self, row: &Row) -> bool {
        !self.peer_ids(row).is_empty()
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
