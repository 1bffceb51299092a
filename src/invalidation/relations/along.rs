//! What a write saves or deletes besides the objects it names. NetBox's changelog tells of it a moment later, row by row;
//! who wrote through nbproxy must see it at once.
//!
//! What is deleted is told of with the write: its types count as changed, too. What merely loses a reference, or is saved
//! with its parent, shows the parent, unless the answer leaves fields out, or shows only what its query has chosen by what
//! the objects hold: such an answer depends on all possible `parents`.
//!
//! Read from the models of NetBox 4.6.8: `on_delete`, generic relations and `save()`. What [`super::table`] says of cabling
//! is not repeated here.

use std::sync::LazyLock;

use super::groups::{CABLED, COMPONENTS, INTERFACES, TEMPLATES};
use super::{add, close, look_up, named};
use crate::netbox::object_type::{ObjectType, TypeSet};

/// What may be scoped to a place.
const SCOPED: &[&str] = &[
    "circuits/circuit-terminations",
    "ipam/prefixes",
    "ipam/vlan-groups",
    "virtualization/clusters",
    "wireless/wireless-lans",
];

/// What is made or saved with a new object.
const CREATED: &[(&[&str], &[&str])] = &[
    // What their types say.
    (&["dcim/devices", "dcim/modules"], COMPONENTS),
    // Its master becomes a member.
    (&["dcim/virtual-chassis"], &["dcim/devices"]),
    // It takes its primary address.
    (INTERFACES, &["dcim/mac-addresses"]),
];

/// What is saved with an object that is changed.
const CHANGED: &[(&[&str], &[&str])] = &[
    // Its bays move with it.
    (&["dcim/modules"], &["dcim/module-bays"]),
    // They take their type's measures over.
    (&["dcim/rack-types"], &["dcim/racks"]),
];

/// What is deleted with an object, and then what is deleted with that (CASCADE, generic relations).
const DELETED: &[(&[&str], &[&str])] = &[
    (&["circuits/circuit-groups"], &["circuits/circuit-group-assignments"]),
    (&["circuits/circuits"], &["circuits/circuit-group-assignments", "circuits/circuit-terminations"]),
    (&["circuits/virtual-circuits"], &["circuits/circuit-group-assignments", "circuits/virtual-circuit-terminations"]),
    (CABLED, &["dcim/cable-terminations", "dcim/inventory-items"]),
    (&["dcim/cables"], &["dcim/cable-terminations"]),
    (&["dcim/devices"], COMPONENTS),
    (&["dcim/devices"], &["dcim/cable-terminations", "dcim/modules", "ipam/services", "wireless/wireless-links"]),
    (
        INTERFACES,
        &[
            "circuits/virtual-circuit-terminations",
            "dcim/mac-addresses",
            "ipam/fhrp-group-assignments",
            "ipam/ip-addresses",
            "vpn/l2vpn-terminations",
            "vpn/tunnel-terminations",
        ],
    ),
    (&["dcim/device-types"], TEMPLATES),
    (&["dcim/locations", "dcim/regions", "dcim/site-groups", "dcim/sites"], SCOPED),
    (&["dcim/locations", "dcim/sites"], &["dcim/cable-terminations"]),
    (&["dcim/sites"], &["dcim/locations"]),
    (&["dcim/module-bays"], &["dcim/inventory-items", "dcim/modules"]),
    (
        &["dcim/module-types"],
        &[
            "dcim/console-port-templates",
            "dcim/console-server-port-templates",
            "dcim/front-port-templates",
            "dcim/interface-templates",
            "dcim/module-bay-templates",
            "dcim/power-outlet-templates",
            "dcim/power-port-templates",
            "dcim/rear-port-templates",
        ],
    ),
    (&["dcim/modules"], COMPONENTS),
    (&["dcim/racks"], &["dcim/cable-terminations", "dcim/rack-reservations", "ipam/vlan-groups"]),
    (&["ipam/fhrp-groups"], &["ipam/fhrp-group-assignments", "ipam/ip-addresses", "ipam/services"]),
    (&["ipam/vlan-translation-policies"], &["ipam/vlan-translation-rules"]),
    (&["ipam/vlans"], &["vpn/l2vpn-terminations"]),
    (
        &["virtualization/virtual-machines"],
        &["ipam/services", "virtualization/interfaces", "virtualization/virtual-disks"],
    ),
    (&["virtualization/cluster-groups", "virtualization/clusters"], &["ipam/vlan-groups"]),
    (&["vpn/l2vpns"], &["vpn/l2vpn-terminations"]),
    (&["vpn/tunnels"], &["vpn/tunnel-terminations"]),
];

/// What is noted of objects of any type, and deleted with them (generic relations of `netbox/models/features.py`).
const NOTED: &[&str] = &["extras/image-attachments", "extras/journal-entries", "tenancy/contact-assignments"];

/// What is saved without a reference to an object that is deleted (SET_NULL, many-to-many).
const LOOSENED: &[(&[&str], &[&str])] = &[
    (&["circuits/circuit-terminations"], &["circuits/circuits"]),
    (&["dcim/cable-bundles"], &["dcim/cables"]),
    (&["dcim/devices"], &["dcim/device-bays"]),
    (&["dcim/mac-addresses", "ipam/vlans", "ipam/vrfs"], INTERFACES),
    (&["dcim/power-port-templates"], &["dcim/power-outlet-templates"]),
    (&["dcim/power-ports"], &["dcim/power-outlets"]),
    (&["dcim/locations", "dcim/racks", "dcim/sites"], COMPONENTS),
    (&["dcim/locations"], &["dcim/racks"]),
    (
        &["dcim/platforms"],
        &[
            "dcim/device-types",
            "dcim/devices",
            "virtualization/virtual-machine-types",
            "virtualization/virtual-machines",
        ],
    ),
    (&["dcim/regions", "dcim/site-groups"], &["dcim/sites"]),
    (&["dcim/virtual-chassis"], &["dcim/devices"]),
    (&["dcim/virtual-device-contexts", "wireless/wireless-lans"], &["dcim/interfaces"]),
    (&["ipam/asns"], &["circuits/providers", "dcim/sites"]),
    (
        &["ipam/ip-addresses"],
        &["dcim/devices", "dcim/virtual-device-contexts", "ipam/services", "virtualization/virtual-machines"],
    ),
    (&["ipam/roles"], &["ipam/asns", "ipam/ip-ranges", "ipam/prefixes", "ipam/vlans"]),
    (&["ipam/route-targets"], &["ipam/vrfs", "vpn/l2vpns"]),
    (&["tenancy/contact-groups"], &["tenancy/contacts"]),
    (&["tenancy/tenant-groups"], &["tenancy/tenants"]),
    (&["virtualization/clusters"], &["dcim/devices"]),
    (&["vpn/ike-proposals"], &["vpn/ike-policies"]),
    (&["vpn/ipsec-proposals"], &["vpn/ipsec-policies"]),
    (&["wireless/wireless-lan-groups"], &["wireless/wireless-lans"]),
];

/// Types that config contexts are assigned to. A context without its only assignment applies to all, and nothing but these
/// shows contexts.
const ASSIGNED: &[(&[&str], &[&str])] = &[(
    &[
        "dcim/device-roles",
        "dcim/device-types",
        "dcim/locations",
        "dcim/platforms",
        "dcim/regions",
        "dcim/site-groups",
        "dcim/sites",
        "tenancy/tenant-groups",
        "tenancy/tenants",
        "virtualization/cluster-groups",
        "virtualization/cluster-types",
        "virtualization/clusters",
    ],
    &["dcim/devices", "virtualization/virtual-machines"],
)];

struct Along {
    created: Box<[TypeSet]>,
    deleted: Box<[TypeSet]>,
    parents: Box<[TypeSet]>,
    rewriters: Box<[TypeSet]>,
}

static ALONG: LazyLock<Along> = LazyLock::new(Along::new);

/// Types that may be made or saved with a new object of this type.
pub fn with_created(object_type: ObjectType) -> TypeSet {
    look_up(&ALONG.created, object_type)
}

/// Types that may be deleted with an object of this type, and those that show config contexts if it may have had some.
pub fn with_deleted(object_type: ObjectType) -> TypeSet {
    look_up(&ALONG.deleted, object_type)
}

/// Types whose change or deletion may save or delete objects of this type.
pub(super) fn parents(object_type: ObjectType) -> TypeSet {
    look_up(&ALONG.parents, object_type)
}

/// Types whose change may write to objects of this type more than that a reference is lost.
pub(super) fn rewriters(object_type: ObjectType) -> TypeSet {
    look_up(&ALONG.rewriters, object_type)
}

impl Along {
    fn new() -> Self {
        let mut deleted = sets(DELETED);
        ObjectType::all().for_each(|object_type| add(&mut deleted, object_type, named(NOTED)));
        close(&mut deleted);
        let assigned = sets(ASSIGNED);
        ObjectType::all().for_each(|object_type| add(&mut deleted, object_type, look_up(&assigned, object_type)));
        let (parents, rewriters) = (reversed(&[CHANGED, DELETED, LOOSENED]), reversed(&[CHANGED]));
        Self { created: sets(CREATED), deleted, parents, rewriters }
    }
}

fn sets(table: &[(&[&str], &[&str])]) -> Box<[TypeSet]> {
    let mut sets = vec![TypeSet::EMPTY; ObjectType::COUNT].into_boxed_slice();
    for (of, along) in table {
        named(of).iter().for_each(|object_type| add(&mut sets, object_type, named(along)));
    }
    sets
}

fn reversed(tables: &[&[(&[&str], &[&str])]]) -> Box<[TypeSet]> {
    let mut reversed = sets(&[]);
    for (of, along) in tables.iter().copied().flatten() {
        named(along).iter().for_each(|object_type| add(&mut reversed, object_type, named(of)));
    }
    reversed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(endpoint: &str) -> ObjectType {
        ObjectType::of_endpoint(endpoint).unwrap()
    }

    #[test]
    fn all_names_are_of_types() {
        let rows = [CREATED, CHANGED, DELETED, LOOSENED, ASSIGNED].into_iter().flatten();
        for name in rows.flat_map(|(of, along)| of.iter().chain(*along)).chain(NOTED) {
            assert!(ObjectType::of_endpoint(name).is_some(), "{name}");
        }
    }

    #[test]
    fn what_goes_takes_along_what_goes_with_it() {
        let device = with_deleted(of("dcim/devices"));
        for along in ["dcim/interfaces", "ipam/ip-addresses", "dcim/mac-addresses", "dcim/cable-terminations"] {
            assert!(device.contains(of(along)), "{along}");
        }
        assert!(!device.contains(of("dcim/racks")));
        for noted in ["extras/journal-entries", "extras/image-attachments", "tenancy/contact-assignments"] {
            assert!(device.contains(of(noted)) && with_deleted(of("ipam/vrfs")).contains(of(noted)), "{noted}");
        }
        assert!(!device.contains(of("virtualization/virtual-machines")), "whose address goes shows the address");
        assert!(parents(of("virtualization/virtual-machines")).contains(of("ipam/ip-addresses")));
        assert!(parents(of("dcim/racks")).contains(of("dcim/rack-types")));
        assert!(
            with_deleted(of("tenancy/tenants")).contains(of("dcim/devices")),
            "a config context may lose its only one"
        );
        assert!(with_created(of("dcim/devices")).contains(of("dcim/interfaces")));
    }
}
