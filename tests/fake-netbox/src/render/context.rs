//! The config context of a device or virtual machine, merged from those that match.

use serde_json::{Map, Value};

use super::Render;
use crate::state::Row;

/// Fields of a config context with the field of the device they are matched against.
const SCOPES: &[(&str, &str)] = &[
    ("sites", "site"),
    ("locations", "location"),
    ("device_types", "device_type"),
    ("roles", "role"),
    ("platforms", "platform"),
    ("clusters", "cluster"),
    ("tenants", "tenant"),
];

impl Render<'_> {
    pub(super) fn config_context(&self, row: &Row) -> Value {
        let mut matching: Vec<_> =
            self.view.table("extras/config-contexts").values().filter(|context| self.matches(context, row)).collect();
        matching.sort_by_key(|context| (context.get("weight").as_i64(), context.text("name").to_owned()));
        let mut merged = Map::new();
        for context in matching {
            merge(&mut merged, context.get("data"));
        }
        merge(&mut merged, row.get("local_context_data"));
        Value::Object(merged)
    }

    fn matches(&self, context: &Row, row: &Row) -> bool {
        if context.get("is_active") != &Value::Bool(true) {
            return false;
        }
        let scoped = SCOPES.iter().all(|(list, own)| {
            let mut wanted = context.numbers(list).peekable();
            wanted.peek().is_none() || wanted.any(|id| row.number(own) == Some(id))
        });
        let site = row.number("site");
        let region = site.and_then(|id| self.view.row("dcim/sites", id)).and_then(|site| site.number("region"));
        let regions: Vec<_> = context.numbers("regions").collect();
        let in_region = regions.is_empty()
            || region.is_some_and(|id| {
                let mut above = self.line("dcim/regions", id);
                above.any(|id| regions.contains(&id))
            });
        let group = site.and_then(|id| self.view.row("dcim/sites", id)).and_then(|site| site.number("group"));
        let groups: Vec<_> = context.numbers("site_groups").collect();
        let in_group = groups.is_empty()
            || group.is_some_and(|id| {
                let mut above = self.line("dcim/site-groups", id);
                above.any(|id| groups.contains(&id))
            });
        let tags = context.get("tags").as_array().map(Vec::as_slice).unwrap_or_default();
        let tagged = tags.is_empty()
            || row
                .numbers("tags")
                .filter_map(|id| self.view.row("extras/tags", id))
                .any(|tag| tags.contains(tag.get("slug")));
        scoped && in_region && in_group && tagged
    }

    /// An object of a tree and all above it.
    pub(crate) fn line<'a>(&'a self, endpoint: &'a str, id: u64) -> impl Iterator<Item = u64> + 'a {
        let above = move |id: &u64| self.view.row(endpoint, *id)?.number("parent");
        // A loop in the tree must not hang the server.
        std::iter::successors(Some(id), above).take(100)
    }
}

fn merge(into: &mut Map<String, Value>, from: &Value) {
    for (key, value) in from.as_object().into_iter().flatten() {
        match (into.get_mut(key).and_then(Value::as_object_mut), value.as_object()) {
            (Some(inner), Some(_)) => merge(inner, value),
            (None, _) | (_, None) => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}
