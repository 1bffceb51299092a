//! What a write saves or deletes besides the objects it names. NetBox's changelog tells of it a moment later, row by row;
//! who wrote through nbproxy must see it at once.
//!
//! Read from the models of NetBox 4.6.8: `on_delete`, generic relations and `save()`. What such a change does unrecorded is
//! in [`super::table`].

use std::sync::LazyLock;

use super::groups::{CABLED, COMPONENTS, INTERFACES, TEMPLATES};
use super::{add, close, look_up, named};
use crate::netbox::object_type::{ObjectType, TypeSet};

/// What is deleted along with an object of any type: what is noted of it.
const NOTES: &[&str] = &["extras/image-attachments", "extras/journal-entries", "tenancy/contact-assignments"];

/// What may be scoped to a place.
const SCOPED: &[&str] = &[
    "circuits/circuit-terminations",
    "ipam/prefixes",
    "ipam/vlan-groups",
    "virtualization/clusters",
    "wireless/wireless-lans",
];

/// What is saved with an object.
const SAVED: &[(&[&str], &[&str], &str)] = &[
    (&["dcim/devices"], COMPONENTS, "a new device gets what its type says"),
    (&["dcim/modules"], COMPONENTS, "a new module gets what its type says; its bays follow it"),
    (&["dcim/virtual-chassis"], &["dcim/devices"], "its master becomes a member"),
    (&["dcim/rack-types"], &["dcim/racks"], "racks take their type's measures over"),
    (INTERFACES, &["dcim/mac-addresses"], "a new interface takes its address"),
    (&["dcim/cables"], CABLED, "what it connects is saved"),
    (&["dcim/cables"], &["dcim/cable-terminations"], "its ends"),
    (&["wireless/wireless-links"], &["dcim/interfaces"], "what it connects is saved"),
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

/// What is saved without a reference to an object that is deleted (SET_NULL, many-to-many).
const LOOSENED: &[(&[&str], &[&str])] = &[
    (&["circuits/circuit-terminations"], &["circuits/circuits"]),
    (&["dcim/cable-bundles"], &["dcim/cables"]),
    (&["dcim/cables"], CABLED),
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
    (&["dcim/virtual-device-contexts", "wireless/wireless-lans", "wireless/wireless-links"], &["dcim/interfaces"]),
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
    // Config contexts, of which nothing but these shows anything: without its only assignment one applies to all.
    (
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
    ),
];

struct Along {
    saved: Box<[TypeSet]>,
    deleted: Box<[TypeSet]>,
}

static ALONG: LazyLock<Along> = LazyLock::new(Along::new);

/// Types that may be saved with an object of this type.
pub fn with_saved(object_type: ObjectType) -> TypeSet {
    look_up(&ALONG.saved, object_type)
}

/// Types that may be deleted or saved with the deletion of an object of this type.
pub fn with_deleted(object_type: ObjectType) -> TypeSet {
    look_up(&ALONG.deleted, object_type)
}

impl Along {
    fn new() -> Self {
        let none = || vec![TypeSet::EMPTY; ObjectType::COUNT].into_boxed_slice();
        let (mut saved, mut deleted, mut loosened) = (none(), none(), none());
        for (of, along, _) in SAVED {
            named(of).iter().for_each(|object_type| add(&mut saved, object_type, named(along)));
        }
        for (of, along) in DELETED {
            named(of).iter().for_each(|object_type| add(&mut deleted, object_type, named(along)));
        }
        for (of, along) in LOOSENED {
            named(of).iter().for_each(|object_type| add(&mut loosened, object_type, named(along)));
        }
        ObjectType::all().for_each(|object_type| add(&mut deleted, object_type, named(NOTES)));
        close(&mut deleted);
        for object_type in ObjectType::all() {
            let mut gone = look_up(&deleted, object_type);
            gone.insert(object_type);
            gone.iter().for_each(|gone| add(&mut deleted, object_type, look_up(&loosened, gone)));
        }
        Self { saved, deleted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(endpoint: &str) -> ObjectType {
        ObjectType::of_endpoint(endpoint).unwrap()
    }

    #[test]
    fn all_names_are_of_types() {
        let names = SAVED.iter().flat_map(|(of, along, _)| of.iter().chain(*along));
        let more = DELETED.iter().chain(LOOSENED).flat_map(|(of, along)| of.iter().chain(*along));
        for name in names.chain(more).chain(NOTES) {
            assert!(ObjectType::of_endpoint(name).is_some(), "{name}");
        }
    }

    #[test]
    fn what_goes_takes_along_what_goes_with_it() {
        let device = with_deleted(of("dcim/devices"));
        for along in ["dcim/interfaces", "ipam/ip-addresses", "dcim/mac-addresses", "dcim/cable-terminations"] {
            assert!(device.contains(of(along)), "{along}");
        }
        assert!(device.contains(of("virtualization/virtual-machines")), "whose address was the interface's");
        assert!(!device.contains(of("dcim/racks")));
        assert!(with_deleted(of("dcim/manufacturers")).contains(of("extras/journal-entries")));
        assert!(
            with_deleted(of("tenancy/tenants")).contains(of("dcim/devices")),
            "a config context may lose its only one"
        );
        assert!(with_saved(of("dcim/devices")).contains(of("dcim/interfaces")));
        assert!(with_saved(of("dcim/sites")).is_empty());
    }
}
