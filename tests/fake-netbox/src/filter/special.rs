//! Filters that look beyond the row: search, tags, trees, networks.

use super::lookup::{time, truth};
use super::{Test, ids, no_choice};
use crate::net::Net;
use crate::render::Render;
use crate::state::Row;
use crate::types::{self, Field, Type};
use crate::write::Refusal;

pub(super) fn test<'a>(
    render: &'a Render<'_>,
    ty: &'static Type,
    key: &'a str,
    values: &[&'a str],
) -> Result<Option<Test<'a>>, Refusal> {
    let first = values[0];
    let values = values.to_vec();
    let test: Test<'a> = match (ty.endpoint, key) {
        (_, "q") => {
            let needle = first.to_lowercase();
            Box::new(move |row| {
                let found = |name: &&str| row.text(name).to_lowercase().contains(&needle);
                super::SEARCHED.iter().any(found)
            })
        }
        (_, "tag" | "tag_id") if ty.field("tags").is_some() => {
            let wanted = if key == "tag" { named(render, "extras/tags", key, &values)? } else { ids(key, &values)? };
            Box::new(move |row| {
                let tags: Vec<_> = row.numbers("tags").map(Some).collect();
                wanted.iter().all(|tag| tags.contains(tag) || tag.is_none() && tags.is_empty())
            })
        }
        ("core/object-changes", "time_after") => Box::new(move |row| time("gte", row.text("time"), first)),
        ("core/object-changes", "time_before") => Box::new(move |row| time("lte", row.text("time"), first)),
        ("dcim/devices" | "virtualization/virtual-machines", "has_primary_ip") => {
            let wanted = truth(first);
            Box::new(move |row| {
                let has = row.number("primary_ip4").or(row.number("primary_ip6"));
                wanted.is_none() || Some(has.is_some()) == wanted
            })
        }
        ("dcim/cables", "unterminated") => {
            let wanted = truth(first);
            let open = |row: &Row, side: &str| row.get(side).as_array().is_none_or(Vec::is_empty);
            Box::new(move |row| {
                let unterminated = open(row, "a_terminations") || open(row, "b_terminations");
                wanted.is_none() || Some(unterminated) == wanted
            })
        }
        ("ipam/ip-addresses", "parent") => in_network("address", &values, Net::holds),
        ("ipam/ip-addresses", "device_id" | "interface_id") => {
            let wanted = ids(key, &values)?;
            Box::new(move |row| {
                let interface = (row.text("assigned_object_type") == "dcim.interface")
                    .then(|| row.number("assigned_object_id"))
                    .flatten();
                let own = if key == "interface_id" {
                    interface
                } else {
                    interface
                        .and_then(|id| render.view.row("dcim/interfaces", id))
                        .and_then(|interface| interface.number("device"))
                };
                wanted.contains(&own)
            })
        }
        ("ipam/prefixes", "within_include") => in_network("prefix", &values, Net::contains),
        ("ipam/prefixes", "within") => {
            in_network("prefix", &values, |outer, inner| outer != inner && outer.contains(inner))
        }
        ("ipam/prefixes", "contains") => in_network("prefix", &values, |inner, outer| outer.contains(inner)),
        _ => return by_name(render, ty, key, &values),
    };
    Ok(Some(test))
}

fn by_name<'a>(
    render: &'a Render<'_>,
    ty: &'static Type,
    key: &'a str,
    values: &[&'a str],
) -> Result<Option<Test<'a>>, Refusal> {
    let stem = key.strip_suffix("_id").unwrap_or(key);
    // A region stands for everything below it.
    if ty.endpoint == "dcim/sites" && stem == "region" {
        return tree(render, key, values, |row, _| row.number("region"));
    }
    let via = ty.via.iter().find(|(name, _, _)| *name == stem);
    let Some((_, own, there)) = via else {
        return Ok(None);
    };
    let target = ty.field(own).and_then(Field::target);
    let Some(target) = target else {
        return Ok(None);
    };
    let look = move |row: &Row, render: &Render<'_>| {
        let other = render.view.row(target, row.number(own)?)?;
        other.number(there)
    };
    if stem == "region" {
        return tree(render, key, values, look);
    }
    let last = types::at(target).and_then(|target| target.field(there)).and_then(Field::target);
    let wanted = match last {
        Some(last) if key == stem => named(render, last, key, values)?,
        Some(_) | None => ids(key, values)?,
    };
    Ok(Some(Box::new(move |row| wanted.contains(&look(row, render)))))
}

fn tree<'a>(
    render: &'a Render<'_>,
    key: &str,
    values: &[&str],
    look: impl Fn(&Row, &Render<'_>) -> Option<u64> + 'a,
) -> Result<Option<Test<'a>>, Refusal> {
    let wanted = if key.ends_with("_id") { ids(key, values)? } else { named(render, "dcim/regions", key, values)? };
    Ok(Some(Box::new(move |row| match look(row, render) {
        Some(id) => render.line("dcim/regions", id).any(|id| wanted.contains(&Some(id))),
        None => wanted.contains(&None),
    })))
}

/// The objects of the given slugs, or of the given names where the type has no slug.
pub(super) fn named(
    render: &Render<'_>,
    target: &str,
    key: &str,
    values: &[&str],
) -> Result<Vec<Option<u64>>, Refusal> {
    let has = |name| types::at(target).is_some_and(|ty| ty.field(name).is_some());
    let by = ["slug", "rd", "username", "name"].into_iter().find(|name| has(name));
    let Some(by) = by else {
        return ids(key, values);
    };
    let id = |value: &&str| {
        if *value == "null" {
            return Ok(None);
        }
        let found = render.view.table(target).values().find(|row| row.text(by) == *value);
        found.map(|row| Some(row.id)).ok_or_else(|| no_choice(key, value))
    };
    values.iter().map(id).collect()
}

fn in_network<'a>(field: &'static str, values: &[&str], fits: impl Fn(Net, Net) -> bool + 'a) -> Test<'a> {
    let wanted: Vec<_> = values.iter().filter_map(|value| Net::parse(value)).collect();
    Box::new(move |row| {
        let own = Net::parse(row.text(field));
        own.is_some_and(|own| wanted.iter().any(|net| fits(*net, own)))
    })
}

/// Names of the filters here that a list of the type understands.
pub(super) fn parameters(ty: &Type, add: &mut impl FnMut(&str, &[&str])) {
    let own: &[&str] = match ty.endpoint {
        "core/object-changes" => &["time_after", "time_before"],
        "dcim/cables" => &["unterminated"],
        "dcim/devices" | "virtualization/virtual-machines" => &["has_primary_ip"],
        "ipam/ip-addresses" => &["parent", "device_id", "interface_id", "device"],
        "ipam/prefixes" => &["within", "within_include", "contains"],
        _ => &[],
    };
    for name in own {
        add(name, &[]);
    }
    for (name, _, _) in ty.via {
        add(name, &["n"]);
        add(&format!("{name}_id"), &["n"]);
    }
}
