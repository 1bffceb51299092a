//! What NetBox's signals change elsewhere without a changelog row or a new `last_updated`.

use std::sync::Arc;

use serde_json::Value;

use crate::state::{Data, Row};
use crate::types::{self, Type};

/// Where objects stand that stand in another, by the field that names it: path, field, and what they take over of it.
const STANDING: &[(&str, &str, &str, &[&str])] = &[
    ("dcim/racks", "dcim/devices", "rack", &["site", "location"]),
    ("dcim/locations", "dcim/racks", "location", &["site"]),
    ("dcim/locations", "dcim/devices", "location", &["site"]),
    ("dcim/locations", "dcim/power-panels", "location", &["site"]),
];

/// After a row was made, changed or removed.
pub(super) fn follow(data: &mut Data, branch: Option<&str>, ty: &Type, before: &Row, after: &Row) {
    for (moved, standing, by, takes) in STANDING {
        if *moved == ty.endpoint && takes.iter().any(|name| before.get(name) != after.get(name)) {
            let values: Vec<_> = takes.iter().map(|name| (*name, after.get(name).clone())).collect();
            rewrite(data, branch, standing, |row| row.number(by) == Some(after.id), &values);
        }
    }
    match ty.endpoint {
        // Its machines are where it is.
        "virtualization/clusters" if after.text("scope_type") == "dcim.site" => {
            let site = [("site", after.get("scope_id").clone())];
            rewrite(
                data,
                branch,
                "virtualization/virtual-machines",
                |row| row.number("cluster") == Some(after.id),
                &site,
            );
        }
        "virtualization/virtual-disks" => {
            if let (Some(disks), Some(machine)) = (types::at(ty.endpoint), after.number("virtual_machine")) {
                let disks = data.db_mut(disks, branch).table(disks.endpoint);
                let own = disks.values().filter(|disk| disk.number("virtual_machine") == Some(machine));
                let sizes: Vec<u64> = own.filter_map(|disk| disk.number("size")).collect();
                let sum = if sizes.is_empty() { Value::Null } else { Value::from(sizes.iter().sum::<u64>()) };
                let is_it = |row: &Row| row.id == machine;
                rewrite(data, branch, "virtualization/virtual-machines", is_it, &[("disk", sum)]);
            }
        }
        "dcim/rear-ports" => unmap(data, branch, ty, after.id, "dcim/front-ports"),
        "dcim/rear-port-templates" => unmap(data, branch, ty, after.id, "dcim/front-port-templates"),
        _ => {}
    }
}

/// A port in the rear that is gone is not mapped to any more.
fn unmap(data: &mut Data, branch: Option<&str>, rear: &Type, id: u64, fronts: &str) {
    if data.db_mut(rear, branch).table(rear.endpoint).contains_key(&id) {
        return;
    }
    let Some(fronts) = types::at(fronts) else {
        return;
    };
    for row in data.db_mut(fronts, branch).table_mut(fronts).values_mut() {
        let mapped = row.get("rear_ports").as_array().cloned().unwrap_or_default();
        if mapped.iter().any(|mapping| mapping["rear_port"] == id) {
            let rest: Vec<_> = mapped.into_iter().filter(|mapping| mapping["rear_port"] != id).collect();
            Arc::make_mut(row).values.insert("rear_ports", Value::Array(rest));
        }
    }
}

fn rewrite(
    data: &mut Data,
    branch: Option<&str>,
    endpoint: &str,
    which: impl Fn(&Row) -> bool,
    values: &[(&'static str, Value)],
) {
    let Some(other) = types::at(endpoint) else {
        return;
    };
    for row in data.db_mut(other, branch).table_mut(other).values_mut().filter(|row| which(row)) {
        Arc::make_mut(row).values.extend(values.iter().cloned());
    }
}
