//! What a change to one type alters in the answers about another, although neither what they embed nor what their
//! filters name shows it. Data, with the reason beside each row.
//!
//! Read from NetBox 4.6.8: serializers (fields that are no column of the object), `api/views.py` (annotations), models
//! (`__str__`, `Meta.ordering`, `save()`), `signals.py`, `denormalized.register`. What one type does to itself needs no
//! row: every answer depends on its own type.

use super::groups::{CABLED, COMPONENTS, INTERFACES, TEMPLATES};

/// Where a change shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// In answers about the affected type itself.
    Own,
    /// Wherever an object of the affected type is shown, nested in others too.
    Nested,
    /// There too, and in its name: whatever is named after it shows the change as well.
    Name,
}

/// One relation that no answer shows.
#[derive(Debug, Clone, Copy)]
pub struct Relation {
    /// A change to one of these…
    pub changed: &'static [&'static str],
    /// …alters answers about these.
    pub affected: &'static [&'static str],
    /// Where.
    pub seen: Seen,
    /// Why.
    pub reason: &'static str,
}

const fn own(changed: &'static [&'static str], affected: &'static [&'static str], reason: &'static str) -> Relation {
    Relation { changed, affected, seen: Seen::Own, reason }
}

const fn nested(changed: &'static [&'static str], affected: &'static [&'static str], reason: &'static str) -> Relation {
    Relation { changed, affected, seen: Seen::Nested, reason }
}

const fn named(changed: &'static [&'static str], affected: &'static [&'static str], reason: &'static str) -> Relation {
    Relation { changed, affected, seen: Seen::Name, reason }
}

/// All relations. Beyond them lies what decides which config contexts apply to a device: [`CONTEXTS`].
pub const TABLE: &[Relation] = &[
    // Places. A place that moves takes what stands in it along, and NetBox writes that without a record.
    own(
        &["dcim/sites", "dcim/locations", "ipam/prefixes"],
        &["dcim/regions", "dcim/site-groups"],
        "site_count, prefix_count",
    ),
    own(
        &[
            "circuits/circuit-terminations",
            "dcim/devices",
            "dcim/locations",
            "dcim/racks",
            "ipam/prefixes",
            "ipam/vlans",
            "virtualization/clusters",
            "virtualization/virtual-machines",
        ],
        &["dcim/sites"],
        "counts of what is in a site; locations, racks and clusters take along what stands in them",
    ),
    own(&["dcim/devices", "dcim/racks", "ipam/prefixes"], &["dcim/locations"], "counts, of all below a location too"),
    own(
        &["dcim/locations"],
        &["dcim/racks", "dcim/power-panels"],
        "a location that moves sets their site; racks are sorted by it",
    ),
    own(&["dcim/locations", "dcim/racks"], &["dcim/devices"], "a rack or location that moves sets their site"),
    own(&["dcim/devices", "dcim/power-feeds"], &["dcim/racks"], "device_count, powerfeed_count"),
    own(&["dcim/racks"], &["dcim/rack-groups", "dcim/rack-roles"], "rack_count"),
    nested(&["dcim/racks"], &["dcim/rack-types"], "rack_count, a cached counter"),
    own(&["dcim/power-feeds"], &["dcim/power-panels"], "powerfeed_count"),
    own(&["dcim/sites"], &["dcim/locations", "dcim/power-panels", "dcim/racks", "ipam/vlans"], "sorted by site"),
    own(&["dcim/power-panels", "dcim/sites"], &["dcim/power-feeds"], "sorted by power panel, and those by site"),
    named(&["dcim/racks"], &["dcim/rack-reservations"], "named after their rack"),
    // Devices.
    own(COMPONENTS, &["dcim/devices"], "cached counters; parent_device is found by its bay"),
    own(&["dcim/devices"], COMPONENTS, "sorted by device"),
    nested(&["dcim/devices"], &["dcim/device-types"], "device_count, a cached counter"),
    nested(&["dcim/devices"], &["dcim/virtual-chassis"], "member_count, a cached counter; members"),
    named(
        &["dcim/device-types", "dcim/manufacturers", "dcim/virtual-chassis"],
        &["dcim/devices"],
        "a device without a name is named after them",
    ),
    own(
        &["dcim/devices", "virtualization/virtual-machines"],
        &["dcim/device-roles", "dcim/platforms"],
        "counts, of all below them too",
    ),
    own(
        &["dcim/device-types", "dcim/inventory-items", "dcim/module-types", "dcim/platforms"],
        &["dcim/manufacturers"],
        "counts",
    ),
    own(TEMPLATES, &["dcim/device-types", "dcim/module-types"], "cached counters"),
    own(
        &["dcim/device-types", "dcim/manufacturers", "dcim/module-type-profiles", "dcim/module-types"],
        TEMPLATES,
        "sorted by device or module type, and those by manufacturer",
    ),
    own(
        &["dcim/manufacturers"],
        &["dcim/device-types", "dcim/module-types", "dcim/rack-types"],
        "sorted by manufacturer",
    ),
    own(&["dcim/module-type-profiles"], &["dcim/module-types"], "sorted by profile"),
    own(&["dcim/front-port-templates"], &["dcim/rear-port-templates"], "ports are mapped to each other, by id"),
    own(&["dcim/rear-port-templates"], &["dcim/front-port-templates"], "ports are mapped to each other, by id"),
    nested(&["dcim/modules"], &["dcim/module-types"], "module_count, a cached counter"),
    nested(&["dcim/modules"], &["dcim/module-bays"], "installed_module, _occupied"),
    named(&["dcim/module-bays", "dcim/module-types"], &["dcim/modules"], "named after them"),
    own(&["dcim/devices"], &["dcim/modules"], "sorted by bay, and those by device"),
    own(&["dcim/inventory-items"], &["dcim/inventory-item-roles"], "inventoryitem_count"),
    own(&["dcim/interfaces"], &["dcim/virtual-device-contexts"], "interface_count"),
    own(
        &["dcim/mac-addresses", "ipam/fhrp-group-assignments", "ipam/ip-addresses", "vpn/l2vpn-terminations"],
        INTERFACES,
        "what is assigned to an interface, and how much of it",
    ),
    // Cabling. A path is followed over any number of hops, and all its ends are rewritten without a record.
    nested(
        &["dcim/cable-terminations", "dcim/cables", "wireless/wireless-links"],
        CABLED,
        "cable, _occupied; connected_endpoints, link_peers and whether they are reachable",
    ),
    own(
        &[
            "circuits/circuit-terminations",
            "circuits/virtual-circuit-terminations",
            "circuits/virtual-circuits",
            "dcim/front-ports",
            "dcim/rear-ports",
        ],
        CABLED,
        "what a path passes through; front and rear ports are mapped to each other, by id",
    ),
    own(&["dcim/cable-terminations"], &["dcim/cables"], "ends that are gone"),
    own(CABLED, &["dcim/cable-terminations"], "named after what they are at"),
    own(&["dcim/cables"], &["dcim/cable-terminations"], "named after their cable"),
    own(&["dcim/cables"], &["dcim/cable-bundles"], "cable_count"),
    // Circuits.
    own(
        &["circuits/circuit-group-assignments", "circuits/circuit-terminations"],
        &["circuits/circuits"],
        "assignments, termination_a, termination_z",
    ),
    own(&["circuits/circuit-group-assignments"], &["circuits/circuit-groups"], "circuit_count"),
    own(&["circuits/circuits"], &["circuits/circuit-types"], "circuit_count"),
    own(&["circuits/virtual-circuits"], &["circuits/virtual-circuit-types"], "virtual_circuit_count"),
    own(&["circuits/circuits", "circuits/provider-accounts"], &["circuits/providers"], "circuit_count, accounts"),
    own(&["circuits/providers"], &["circuits/provider-accounts", "circuits/provider-networks"], "sorted by provider"),
    own(
        &["circuits/provider-accounts", "circuits/providers"],
        &["circuits/circuits"],
        "sorted by provider and account",
    ),
    named(&["circuits/circuits"], &["circuits/circuit-terminations"], "named after their circuit"),
    own(
        &["circuits/provider-accounts", "circuits/providers"],
        &["circuits/circuit-terminations"],
        "sorted as their circuits are",
    ),
    named(&["circuits/circuit-groups"], &["circuits/circuit-group-assignments"], "named after their group"),
    own(
        &["circuits/provider-accounts", "circuits/provider-networks", "circuits/providers"],
        &["circuits/virtual-circuits", "circuits/virtual-circuit-terminations"],
        "sorted by provider network and account",
    ),
    named(&["circuits/virtual-circuits"], &["circuits/virtual-circuit-terminations"], "named after their circuit"),
    // Addresses.
    own(&["circuits/providers", "dcim/sites"], &["ipam/asns"], "sites, site_count, provider_count"),
    own(&["ipam/asns"], &["ipam/asn-ranges"], "asn_count: numbers within the range, without any reference"),
    own(&["ipam/aggregates"], &["ipam/rirs"], "aggregate_count"),
    own(&["ipam/asns", "ipam/prefixes", "ipam/vlans"], &["ipam/roles"], "counts"),
    own(&["ipam/ip-addresses", "ipam/prefixes"], &["ipam/vrfs"], "counts"),
    own(&["ipam/prefixes", "vpn/l2vpn-terminations"], &["ipam/vlans"], "prefix_count, l2vpn_termination"),
    own(&["ipam/vlan-groups"], &["ipam/vlans"], "sorted by group"),
    own(&["ipam/vlans"], &["ipam/vlan-groups"], "vlan_count, utilization"),
    own(&["ipam/vlan-translation-rules"], &["ipam/vlan-translation-policies"], "rules"),
    named(
        &["ipam/vlan-translation-policies"],
        &["ipam/vlan-translation-rules"],
        "named after their policy, which is shown as an id",
    ),
    named(&["ipam/ip-addresses"], &["ipam/fhrp-groups"], "ip_addresses, and named after the first"),
    named(
        &["dcim/interfaces", "ipam/fhrp-groups", "virtualization/interfaces"],
        &["ipam/fhrp-group-assignments"],
        "named after them",
    ),
    // Tenants and contacts.
    own(
        &[
            "circuits/circuits",
            "dcim/devices",
            "dcim/racks",
            "dcim/sites",
            "ipam/ip-addresses",
            "ipam/prefixes",
            "ipam/vlans",
            "ipam/vrfs",
            "virtualization/clusters",
            "virtualization/virtual-machines",
        ],
        &["tenancy/tenants"],
        "counts",
    ),
    own(&["tenancy/tenants"], &["tenancy/tenant-groups"], "tenant_count, of all below a group too"),
    own(&["tenancy/contacts"], &["tenancy/contact-groups"], "contact_count"),
    // Virtual machines.
    own(&["virtualization/clusters"], &["virtualization/virtual-machines"], "a cluster that moves sets their site"),
    own(
        &["virtualization/interfaces", "virtualization/virtual-disks"],
        &["virtualization/virtual-machines"],
        "disk is the sum of the disks; cached counters",
    ),
    own(
        &["dcim/devices", "virtualization/virtual-disks", "virtualization/virtual-machines"],
        &["virtualization/clusters"],
        "counts, allocated_vcpus, allocated_memory, allocated_disk",
    ),
    own(
        &["virtualization/clusters"],
        &["virtualization/cluster-groups", "virtualization/cluster-types"],
        "cluster_count",
    ),
    own(&["virtualization/virtual-machines"], &["virtualization/virtual-machine-types"], "a cached counter"),
    own(
        &["virtualization/virtual-machines"],
        &["virtualization/interfaces", "virtualization/virtual-disks"],
        "sorted by virtual machine",
    ),
    // Tunnels and wireless.
    own(&["vpn/tunnels"], &["vpn/tunnel-groups"], "tunnel_count"),
    own(&["vpn/tunnel-terminations"], &["vpn/tunnels"], "terminations_count"),
    named(&["vpn/tunnels"], &["vpn/tunnel-terminations"], "sorted by and named after their tunnel"),
    named(
        &["dcim/interfaces", "ipam/vlans", "virtualization/interfaces", "vpn/l2vpns"],
        &["vpn/l2vpn-terminations"],
        "named after them",
    ),
    own(&["wireless/wireless-lans"], &["wireless/wireless-lan-groups"], "wirelesslan_count, of all below a group too"),
];

/// Types that decide, besides config contexts themselves and tags, which contexts apply to a device or virtual machine,
/// and are not nested in it: where its site stands (`extras/querysets.py`). Its own site, location, role, platform, tenant
/// and cluster are nested, and with them the trees above.
pub const CONTEXTS: &[&str] = &["dcim/regions", "dcim/site-groups"];

/// Types whose objects are named after an object of any type: nested, or in an answer that leaves fields out, the name is
/// shown without the object.
pub const NAMED_AFTER_ANYTHING: &[&str] = &["tenancy/contact-assignments"];
