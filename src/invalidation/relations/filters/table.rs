//! What NetBox's filters look at. Data, read from the filter sets of NetBox 4.6.8 (`*/filtersets.py`); a filter that is
//! not here makes its answer depend on all of main.
//!
//! Named are all types on the way: `region` of a device is its site's. The type that is read need not be named. Filters by
//! tag look at tags and at the object's own assignments: tags bump all of main.

use super::super::groups::{COMPONENTS, INTERFACES};

/// One filter. `site` is `site_id` too, unless that is here by its own name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filter {
    pub(super) name: &'static str,
    /// On reads of these types, or of any.
    pub(super) of: &'static [&'static str],
    pub(super) looks_at: &'static [&'static str],
}

const fn any(name: &'static str, looks_at: &'static [&'static str]) -> Filter {
    Filter { name, of: &[], looks_at }
}

const fn of(name: &'static str, of: &'static [&'static str], looks_at: &'static [&'static str]) -> Filter {
    Filter { name, of, looks_at }
}

const DEVICE_LIKE: &[&str] = &["dcim/devices", "virtualization/virtual-machines"];
const KINDS: &[&str] = &["dcim/device-types", "dcim/module-types"];
/// What is assigned to an interface.
const ASSIGNED: &[&str] = &["dcim/mac-addresses", "ipam/fhrp-group-assignments", "ipam/ip-addresses"];

/// Filters, and names to sort by, that look at nothing but the rows that are listed, wherever they occur.
pub(super) const COLUMNS: &str = "
    account address airflow allocated_draw amperage ancestor ancestor_id asset_tag assigned assigned_object_id
    assigned_object_type assigned_to_interface auth_type bridge_id cable_end children cid color commit_rate
    component_id component_type connected console_port_count console_server_port_count contains contains_vid created
    date_added depth desc_units description device_bay_count device_count discovered disk distance distance_unit
    dns_name domain duplex email enabled encapsulation end end_address enforce_unique exclude_from_utilization face
    facility facility_id family feed_leg form_factor front_port_count has_front_image has_rear_image id identifier
    install_date interface_count inventory_item_count is_pool is_private kind label lag_id last_updated latitude
    length length_unit link local_context_data local_vid longitude mark_connected mark_populated mark_utilized
    mask_length max_utilization max_weight maximum_draw member_count memory mgmt_only mode module_bay_count
    module_count mounting_depth mtu name nat_inside_id object_id object_type object_type_id occupied outer_depth
    outer_height outer_unit outer_width parent parent_id part_id part_number phase phone poe_mode poe_type port
    port_speed position power_outlet_count power_port_count pp_info prefix priority protocol qinq_role qinq_svlan_id
    qinq_svlan_vid rack_count rd rear_port_count remote_vid rf_channel rf_channel_frequency rf_channel_width rf_role
    scope_id scope_type serial size slug speed ssid start_address starting_unit status subdevice_role supply tag
    tag_id term_side termination_date termination_id termination_type time_zone title tx_power u_height unit
    unterminated upstream_speed vc_position vc_priority vcpus vid virtual_disk_count vm_role voltage weight
    weight_unit width within within_include wwn xconnect_id
";

/// Filters of a device's parts by the device.
pub(super) const DEVICE: (&[&str], &[Filter]) = (
    COMPONENTS,
    &[
        any("device", &["dcim/devices"]),
        any("device_role", &["dcim/devices", "dcim/device-roles"]),
        any("device_status", &["dcim/devices"]),
        any("device_type", &["dcim/devices", "dcim/device-types"]),
        any("tenant", &["dcim/devices", "tenancy/tenants"]),
        any("virtual_chassis", &["dcim/devices", "dcim/virtual-chassis"]),
    ],
);

/// Filters by place: to be read together with [`STANDING`].
pub(super) const PLACES: &[Filter] = &[
    any("location", &["dcim/locations"]),
    any("rack", &["dcim/racks"]),
    any("region", &["dcim/regions", "dcim/sites"]),
    any("site", &["dcim/sites"]),
    any("site_group", &["dcim/site-groups", "dcim/sites"]),
];

/// What decides where the objects of a type stand, besides themselves: what they are in, and what NetBox sets without a
/// record when that moves. Of types that are not here, a filter by place is not understood.
pub(super) const STANDING: &[(&[&str], &[&str])] = &[
    (COMPONENTS, &["dcim/devices", "dcim/locations", "dcim/racks"]),
    (&["dcim/modules", "dcim/virtual-chassis"], &["dcim/devices", "dcim/locations", "dcim/racks"]),
    (&["dcim/devices", "dcim/rack-reservations"], &["dcim/locations", "dcim/racks"]),
    (&["dcim/power-panels", "dcim/racks"], &["dcim/locations"]),
    (&["dcim/power-feeds"], &["dcim/locations", "dcim/power-panels"]),
    (
        &["circuits/circuit-terminations", "ipam/prefixes", "virtualization/clusters", "wireless/wireless-lans"],
        &["dcim/locations", "dcim/sites"],
    ),
    (&["circuits/circuits"], &["circuits/circuit-terminations", "dcim/locations", "dcim/sites"]),
    (&["circuits/providers"], &["circuits/circuit-terminations", "circuits/circuits", "dcim/locations", "dcim/sites"]),
    (&["virtualization/virtual-machines"], &["virtualization/clusters"]),
    (&["dcim/locations", "dcim/sites", "ipam/asns", "ipam/vlans"], &[]),
];

/// All other filters; the first that fits counts.
pub(super) const FILTERS: &[Filter] = &[
    of("asn", &["circuits/providers", "dcim/sites"], &["ipam/asns"]),
    of("asn", &["ipam/asns"], &[]),
    of("bundle", &["dcim/cables"], &["dcim/cable-bundles"]),
    any("cable", &["dcim/cables"]),
    any("cabled", &["dcim/cables"]),
    of("circuit", &["circuits/circuit-terminations"], &["circuits/circuits"]),
    of("cluster", DEVICE_LIKE, &["virtualization/clusters"]),
    of("cluster", &["virtualization/interfaces"], &["virtualization/clusters", "virtualization/virtual-machines"]),
    of("cluster_group", DEVICE_LIKE, &["virtualization/cluster-groups", "virtualization/clusters"]),
    of("cluster_type", DEVICE_LIKE, &["virtualization/cluster-types", "virtualization/clusters"]),
    any("config_template", &["extras/config-templates"]),
    of("console_ports", KINDS, &["dcim/console-port-templates"]),
    of("console_ports", &["dcim/devices"], &["dcim/console-ports"]),
    of("console_server_ports", KINDS, &["dcim/console-server-port-templates"]),
    of("console_server_ports", &["dcim/devices"], &["dcim/console-server-ports"]),
    any("contact", &["tenancy/contact-assignments", "tenancy/contacts"]),
    any("contact_group", &["tenancy/contact-assignments", "tenancy/contact-groups", "tenancy/contacts"]),
    any("contact_role", &["tenancy/contact-assignments", "tenancy/contact-roles"]),
    any("default_platform", &["dcim/platforms"]),
    of("device", ASSIGNED, &["dcim/devices", "dcim/interfaces", "dcim/virtual-chassis"]),
    of("device", &["vpn/l2vpn-terminations"], &["dcim/devices", "dcim/interfaces"]),
    of(
        "device",
        &["dcim/modules", "dcim/virtual-device-contexts", "ipam/services", "virtualization/virtual-machines"],
        &["dcim/devices"],
    ),
    of("device_bays", KINDS, &["dcim/device-bay-templates"]),
    of("device_bays", &["dcim/devices"], &["dcim/device-bays"]),
    any("device_type", &["dcim/device-types"]),
    any("export_target", &["ipam/route-targets"]),
    any("exporting_l2vpn", &["vpn/l2vpns"]),
    any("exporting_vrf", &["ipam/vrfs"]),
    any("fhrpgroup", &["ipam/fhrp-groups"]),
    of("group_id", &["ipam/fhrp-groups", "vpn/ike-proposals"], &[]),
    of("group", &["vpn/ike-proposals"], &[]),
    of("group", &["circuits/circuit-group-assignments"], &["circuits/circuit-groups"]),
    of("group", &["dcim/rack-reservations"], &["dcim/rack-groups", "dcim/racks"]),
    of("group", &["dcim/racks"], &["dcim/rack-groups"]),
    of("group", &["dcim/sites"], &["dcim/site-groups"]),
    of("group", &["ipam/fhrp-group-assignments"], &["ipam/fhrp-groups"]),
    of("group", &["ipam/vlans"], &["ipam/vlan-groups"]),
    of("group", &["tenancy/contact-assignments"], &["tenancy/contact-groups", "tenancy/contacts"]),
    of("group", &["tenancy/contacts"], &["tenancy/contact-groups"]),
    of("group", &["tenancy/tenants"], &["tenancy/tenant-groups"]),
    of("group", &["virtualization/clusters"], &["virtualization/cluster-groups"]),
    of("group", &["vpn/tunnels"], &["vpn/tunnel-groups"]),
    of("group", &["wireless/wireless-lans"], &["wireless/wireless-lan-groups"]),
    any("has_oob_ip", &["ipam/ip-addresses"]),
    any("has_primary_ip", &["ipam/ip-addresses"]),
    any("has_virtual_device_context", &["dcim/virtual-device-contexts"]),
    any("ike_policy", &["vpn/ike-policies"]),
    any("ike_proposal", &["vpn/ike-proposals"]),
    any("import_target", &["ipam/route-targets"]),
    any("importing_l2vpn", &["vpn/l2vpns"]),
    any("importing_vrf", &["ipam/vrfs"]),
    any("installed_device", &["dcim/devices"]),
    any("installed_module", &["dcim/modules"]),
    of("interface_id", &["ipam/fhrp-group-assignments"], &[]),
    of(
        "interface",
        &[
            "circuits/virtual-circuit-terminations",
            "dcim/mac-addresses",
            "dcim/virtual-device-contexts",
            "ipam/ip-addresses",
            "ipam/vlans",
            "vpn/l2vpn-terminations",
            "vpn/tunnel-terminations",
            "wireless/wireless-lans",
        ],
        &["dcim/interfaces"],
    ),
    any("interface_a", &["dcim/interfaces"]),
    any("interface_b", &["dcim/interfaces"]),
    of("interfaces", KINDS, &["dcim/interface-templates"]),
    of("interfaces", &["dcim/devices"], &["dcim/interfaces"]),
    any("inventory_items", &["dcim/inventory-item-templates", "dcim/inventory-items"]),
    any("ip_address", &["ipam/ip-addresses"]),
    any("ipsec_policy", &["vpn/ipsec-policies"]),
    any("ipsec_profile", &["vpn/ipsec-profiles"]),
    any("ipsec_proposal", &["vpn/ipsec-proposals"]),
    any("is_full_depth", &["dcim/device-types"]),
    any("l2vpn", &["vpn/l2vpn-terminations", "vpn/l2vpns"]),
    of("mac_address", INTERFACES, &["dcim/mac-addresses"]),
    of("mac_address", &["dcim/devices"], &["dcim/interfaces", "dcim/mac-addresses"]),
    of("mac_address", &["virtualization/virtual-machines"], &["dcim/mac-addresses", "virtualization/interfaces"]),
    of("mac_address", &["dcim/mac-addresses"], &[]),
    of("manufacturer", &["dcim/devices"], &["dcim/device-types", "dcim/manufacturers"]),
    of("manufacturer", &["dcim/modules"], &["dcim/manufacturers", "dcim/module-types"]),
    of("manufacturer", &["dcim/racks"], &["dcim/manufacturers", "dcim/rack-types"]),
    any("manufacturer", &["dcim/manufacturers"]),
    any("master", &["dcim/devices"]),
    any("model", &["dcim/device-types"]),
    any("module", &["dcim/modules"]),
    any("module_bay", &["dcim/module-bays"]),
    of("module_bays", KINDS, &["dcim/module-bay-templates"]),
    of("module_bays", &["dcim/devices"], &["dcim/module-bays"]),
    any("module_type", &["dcim/module-types"]),
    any("oob_ip", &["ipam/ip-addresses"]),
    any("outside_ip", &["ipam/ip-addresses"]),
    any("parent_bay", &["dcim/device-bays"]),
    any("parent_device", &["dcim/device-bays"]),
    of("pass_through_ports", KINDS, &["dcim/front-port-templates", "dcim/rear-port-templates"]),
    of("pass_through_ports", &["dcim/devices"], &["dcim/front-ports", "dcim/rear-ports"]),
    of("platform", DEVICE_LIKE, &["dcim/platforms"]),
    any("policy", &["ipam/vlan-translation-policies"]),
    of("power_outlets", KINDS, &["dcim/power-outlet-templates"]),
    of("power_outlets", &["dcim/devices"], &["dcim/power-outlets"]),
    any("power_panel", &["dcim/power-panels"]),
    of("power_port", &["dcim/power-outlet-templates"], &["dcim/power-port-templates"]),
    of("power_port", &["dcim/power-outlets"], &["dcim/power-ports"]),
    of("power_ports", KINDS, &["dcim/power-port-templates"]),
    of("power_ports", &["dcim/devices"], &["dcim/power-ports"]),
    any("present_in_vrf", &["ipam/route-targets", "ipam/vrfs"]),
    any("primary", INTERFACES),
    any("primary_ip4", &["ipam/ip-addresses"]),
    any("primary_ip6", &["ipam/ip-addresses"]),
    any("primary_mac_address", &["dcim/mac-addresses"]),
    of("profile", &["dcim/module-types"], &["dcim/module-type-profiles"]),
    of("profile", &["dcim/modules"], &["dcim/module-type-profiles", "dcim/module-types"]),
    of("profile", &["dcim/cables"], &[]),
    of("provider", &["circuits/circuit-terminations"], &["circuits/circuits", "circuits/providers"]),
    of(
        "provider",
        &["circuits/circuits", "circuits/provider-accounts", "circuits/provider-networks", "ipam/asns"],
        &["circuits/providers"],
    ),
    any("rack_type", &["dcim/rack-types"]),
    any("related_ip", &["ipam/ip-addresses"]),
    any("rir", &["ipam/rirs"]),
    of("role", &["ipam/asns", "ipam/ip-ranges", "ipam/prefixes", "ipam/vlans"], &["ipam/roles"]),
    of("role", DEVICE_LIKE, &["dcim/device-roles"]),
    of("role", &["dcim/inventory-item-templates", "dcim/inventory-items"], &["dcim/inventory-item-roles"]),
    of("role", &["dcim/racks"], &["dcim/rack-roles"]),
    of("role", &["tenancy/contact-assignments"], &["tenancy/contact-roles"]),
    of("role", &["circuits/virtual-circuit-terminations", "ipam/ip-addresses", "vpn/tunnel-terminations"], &[]),
    of("service_id", &["circuits/provider-networks"], &[]),
    of("service", &["ipam/ip-addresses"], &["ipam/services"]),
    of("tenant", &["dcim/virtual-chassis"], &["dcim/devices", "tenancy/tenants"]),
    any("tenant", &["tenancy/tenants"]),
    any("tenant_group", &["tenancy/tenant-groups", "tenancy/tenants"]),
    of("tunnel", &["vpn/tunnel-terminations"], &["vpn/tunnels"]),
    of("type", &["circuits/circuits"], &["circuits/circuit-types"]),
    of("type", &["circuits/virtual-circuits"], &["circuits/virtual-circuit-types"]),
    of("type", &["virtualization/clusters"], &["virtualization/cluster-types"]),
    any("type", &[]),
    any("vdc", &["dcim/virtual-device-contexts"]),
    any("vdc_identifier", &["dcim/virtual-device-contexts"]),
    of("virtual_chassis", &["dcim/devices"], &["dcim/virtual-chassis"]),
    any("virtual_chassis_member", &["dcim/devices", "dcim/virtual-chassis"]),
    any("virtual_chassis_member_or_master", &["dcim/devices", "dcim/virtual-chassis"]),
    of("virtual_machine", ASSIGNED, &["virtualization/interfaces", "virtualization/virtual-machines"]),
    of(
        "virtual_machine",
        &["vpn/l2vpn-terminations"],
        &["virtualization/interfaces", "virtualization/virtual-machines"],
    ),
    any("virtual_machine", &["virtualization/virtual-machines"]),
    any("virtual_machine_type", &["virtualization/virtual-machine-types"]),
    any("vlan", &["ipam/vlans"]),
    any("vlan_group", &["ipam/vlan-groups", "ipam/vlans"]),
    any("vlan_translation_policy", &["ipam/vlan-translation-policies"]),
    any("vlan_vid", &["ipam/vlans"]),
    any("vminterface", &["virtualization/interfaces"]),
    any("vrf", &["ipam/vrfs"]),
    any("wireless_lan", &["wireless/wireless-lans"]),
    any("wireless_link", &["wireless/wireless-links"]),
];
