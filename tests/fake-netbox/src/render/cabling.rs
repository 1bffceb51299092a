//! What is at the other end of a cable, and at the end of a path over any number of cables and pass-through ports.

use std::collections::HashMap;
use std::rc::Rc;

use super::Render;
use crate::json::Json;
use crate::state::Row;
use crate::types::{self, Type};
use crate::write::ends;

/// An object that a cable ends at.
type End = (&'static Type, u64);

/// Cable and far ends of each object that is cabled, by its path and id.
#[derive(Default)]
pub(super) struct Cabling {
    plugs: HashMap<(&'static str, u64), Plug>,
}

struct Plug {
    cable: u64,
    side: char,
    peers: Vec<End>,
}

/// As many cables in a row are a loop.
const LONGEST: usize = 20;

impl Render<'_> {
    fn plug<T>(&self, endpoint: &str, id: u64, look: impl Fn(&Plug) -> T) -> Option<T> {
        let known = self.cables.borrow().clone();
        let cabling = known.unwrap_or_else(|| {
            let mut cabling = Cabling::default();
            for cable in self.view.table("dcim/cables").values() {
                let ends = ends(cable);
                for (side, ty, id) in &ends {
                    let peers = ends.iter().filter(|(other, _, _)| other != side);
                    let peers = peers.map(|(_, ty, id)| (*ty, *id)).collect();
                    let plug = Plug { cable: cable.id, side: *side, peers };
                    cabling.plugs.insert((ty.endpoint, *id), plug);
                }
            }
            let cabling = Rc::new(cabling);
            *self.cables.borrow_mut() = Some(Rc::clone(&cabling));
            cabling
        });
        let endpoint = types::at(endpoint)?.endpoint;
        cabling.plugs.get(&(endpoint, id)).map(look)
    }

    pub(crate) fn cable_id(&self, ty: &Type, row: &Row) -> Option<u64> {
        self.plug(ty.endpoint, row.id, |plug| plug.cable)
    }

    pub(super) fn cable_end(&self, ty: &Type, row: &Row) -> Json {
        let side = self.plug(ty.endpoint, row.id, |plug| plug.side);
        side.map_or(Json::NULL, |side| Json::from(side.to_string()))
    }

    /// What is at the other end of its cable or wireless link.
    pub(crate) fn peers(&self, ty: &Type, row: &Row) -> Vec<End> {
        self.plug(ty.endpoint, row.id, |plug| plug.peers.clone()).unwrap_or_default()
    }

    /// What is at the end of the path that begins here.
    pub(super) fn path(&self, ty: &Type, row: &Row) -> Vec<End> {
        let mut ends = self.peers(ty, row);
        for _ in 0..LONGEST {
            let through: Vec<End> = ends.iter().flat_map(|end| self.through(*end)).collect();
            if through.is_empty() {
                break;
            }
            ends = through;
        }
        ends
    }

    /// What lies beyond a pass-through port; nothing where a path ends.
    fn through(&self, (ty, id): End) -> Vec<End> {
        let ports: Vec<(&str, u64)> = match (ty.endpoint, self.view.row(ty.endpoint, id)) {
            ("dcim/front-ports", Some(row)) => rear_ports(row).map(|id| ("dcim/rear-ports", id)).collect(),
            ("dcim/rear-ports", Some(row)) => {
                let mapped = self.view.table("dcim/front-ports").values();
                let mapped = mapped.filter(|front| rear_ports(front).any(|id| id == row.id));
                mapped.map(|front| ("dcim/front-ports", front.id)).collect()
            }
            (_, Some(_) | None) => Vec::new(),
        };
        let peers = |(endpoint, id): &(&str, u64)| self.plug(endpoint, *id, |plug| plug.peers.clone());
        ports.iter().filter_map(peers).flatten().collect()
    }

    /// The ports in front that are mapped to one in the rear, by their ids.
    pub(super) fn front_ports(&self, ty: &Type, rear: &Row) -> Json {
        let fronts = if ty.endpoint == "dcim/rear-ports" { "dcim/front-ports" } else { "dcim/front-port-templates" };
        let mapped = self.view.table(fronts).values().filter(|front| rear_ports(front).any(|id| id == rear.id));
        Json::List(
            mapped
                .map(|front| Json::object([("position", Json::from(1)), ("front_port", Json::from(front.id))]))
                .collect(),
        )
    }

    pub(super) fn wireless_link(&self, ty: &Type, row: &Row) -> Option<u64> {
        let at = |side| self.referring("wireless/wireless-links", side, ty, row).first().copied();
        if ty.endpoint == "dcim/interfaces" { at("interface_a").or_else(|| at("interface_b")) } else { None }
    }

    pub(super) fn briefs(&self, ends: &[End]) -> Json {
        Json::List(ends.iter().map(|(ty, id)| self.brief_of(ty.endpoint, Some(*id))).collect())
    }
}

/// The ports in the rear that a port in front is mapped to.
fn rear_ports(front: &Row) -> impl Iterator<Item = u64> {
    let mapped = front.get("rear_ports").as_array().map(Vec::as_slice).unwrap_or_default();
    mapped.iter().filter_map(|mapping| mapping["rear_port"].as_u64())
}
