//! Free addresses and networks inside a prefix: listed by GET, taken by POST.

use serde_json::{Map, Value};

use super::rest::one_or_many;
use super::{Context, Outcome};
use crate::answer::Answer;
use crate::json::Json;
use crate::net::Net;
use crate::render::{Render, Selection};
use crate::rights::Verb;
use crate::state::{Row, View};
use crate::types::{self, Type};
use crate::write::Refusal;

const EXHAUSTED: &str = "Insufficient resources are available to satisfy the request";

impl Context<'_> {
    pub(super) fn available_ips(&self, id: u64) -> Outcome {
        if self.request.method == "POST" {
            return self.allocate("ipam/ip-addresses", id);
        }
        let view = self.view();
        let render = self.render(&view);
        let limit = match self.request.param("limit").and_then(|limit| limit.parse().ok()) {
            Some(0) => self.config.max_page_size,
            Some(limit) => limit,
            None => self.config.page_default,
        };
        let free = view.row("ipam/prefixes", id).map(|prefix| free_addresses(&view, prefix, limit)).unwrap_or_default();
        Ok(self.offers(&view, &render, id, "address", &free))
    }

    pub(super) fn available_prefixes(&self, id: u64) -> Outcome {
        if self.request.method == "POST" {
            return self.allocate("ipam/prefixes", id);
        }
        let view = self.view();
        let render = self.render(&view);
        let free = view.row("ipam/prefixes", id).map(|prefix| free_networks(&view, prefix)).unwrap_or_default();
        Ok(self.offers(&view, &render, id, "prefix", &free))
    }

    fn offers(&self, view: &View, render: &Render<'_>, id: u64, field: &'static str, free: &[Net]) -> Answer {
        let vrf = view.row("ipam/prefixes", id).and_then(|row| row.number("vrf"));
        let offer = |net: &Net| {
            Json::object([
                ("family", Json::from(net.family())),
                (field, Json::from(net.to_string())),
                ("vrf", render.brief_of("ipam/vrfs", vrf)),
            ])
        };
        self.json(200, &Json::List(free.iter().map(offer).collect()))
    }

    /// Takes one for each object of the body, all or none.
    fn allocate(&self, endpoint: &str, parent: u64) -> Outcome {
        let body = self.body()?;
        let ty = types::at(endpoint).ok_or_else(|| self.nowhere())?;
        let (wanted, many) = one_or_many(body);
        let mut ids = Vec::new();
        let mut state = self.shared.lock();
        let mut writer = self.writer(&mut state.data);
        for one in wanted {
            let mut body = one.as_object().cloned().unwrap_or_default();
            let view = writer.view();
            let prefix = view.row("ipam/prefixes", parent).ok_or_else(|| self.missing(ty))?;
            self.choose(&view, ty, prefix, &mut body)?;
            drop(view);
            let id = writer.create(ty, &body).map_err(|error| self.failed(ty, error))?;
            self.validate(&writer, ty, Verb::Add, id)?;
            ids.push(id);
        }
        writer.commit();
        drop(state);
        let view = self.view();
        let render = self.render(&view);
        let rows = ids.iter().filter_map(|id| view.row(ty.endpoint, *id));
        let mut made: Vec<_> = rows.map(|row| render.object(ty, row, &Selection::All)).collect();
        Ok(match made.pop() {
            Some(only) if !many => self.json(201, &only),
            last => {
                made.extend(last);
                self.json(201, &Json::List(made))
            }
        })
    }

    /// Writes the first free address or network into the body.
    fn choose(&self, view: &View, ty: &Type, prefix: &Row, body: &mut Map<String, Value>) -> Result<(), Answer> {
        let (field, found) = if ty.endpoint == "ipam/ip-addresses" {
            ("address", free_addresses(view, prefix, 1).pop())
        } else {
            let length = body.get("prefix_length").and_then(Value::as_u64);
            let Some(length) = length.and_then(|length| u8::try_from(length).ok()) else {
                let refusal = Refusal::of("prefix_length", "This field is required.");
                return Err(self.json(400, &refusal.json()));
            };
            let fits = |net: &Net| net.length <= length && length <= net.bits();
            let found = free_networks(view, prefix).into_iter().find(fits);
            ("prefix", found.map(|net| Net { length, ..net }))
        };
        let Some(found) = found else {
            return Err(Answer::detail(409, EXHAUSTED));
        };
        body.insert(field.to_owned(), Value::from(found.to_string()));
        body.insert("vrf".to_owned(), prefix.get("vrf").clone());
        Ok(())
    }
}

fn free_addresses(view: &View, prefix: &Row, limit: usize) -> Vec<Net> {
    let Some(net) = Net::parse(prefix.text("prefix")) else {
        return Vec::new();
    };
    let mut taken: Vec<u128> = view
        .table("ipam/ip-addresses")
        .values()
        .filter(|row| row.get("vrf") == prefix.get("vrf"))
        .filter_map(|row| Net::parse(row.text("address")))
        .filter(|address| net.holds(*address))
        .map(|address| address.address)
        .collect();
    taken.sort_unstable();
    let (first, last) = net.usable(prefix.get("is_pool").as_bool() == Some(true));
    let mut free = Vec::new();
    let mut address = first;
    while address <= last && free.len() < limit {
        if taken.binary_search(&address).is_err() {
            free.push(net.with_address(address));
        }
        let Some(next) = address.checked_add(1) else {
            break;
        };
        address = next;
    }
    free
}

fn free_networks(view: &View, prefix: &Row) -> Vec<Net> {
    let Some(net) = Net::parse(prefix.text("prefix")) else {
        return Vec::new();
    };
    let children: Vec<_> = view
        .table("ipam/prefixes")
        .values()
        .filter(|row| row.id != prefix.id && row.get("vrf") == prefix.get("vrf"))
        .filter_map(|row| Net::parse(row.text("prefix")))
        .filter(|child| net.contains(*child))
        .collect();
    net.without(&children)
}
