//! More changes that alter answers which show nothing of them: circuits, addresses, tenants, virtual machines, tunnels.

use super::cases::Act::{Create, Edit};
use super::cases::Case;

type Made = &'static [(&'static str, &'static str)];

const fn case(
    changed: &'static str,
    affected: &'static str,
    made: Made,
    read: &'static str,
    act: super::cases::Act,
) -> Case {
    Case { changed, affected, made, read, act }
}

const CIRCUIT: Made = &[
    ("circuits/providers", r#"{"name": "C", "slug": "c"}"#),
    ("circuits/circuit-types", r#"{"name": "C", "slug": "c"}"#),
    ("circuits/circuits", r#"{"cid": "c", "provider": $0, "type": $1}"#),
    ("circuits/circuit-groups", r#"{"name": "C", "slug": "c"}"#),
    ("circuits/circuit-terminations", r#"{"circuit": $2, "term_side": "Z"}"#),
    ("circuits/circuit-group-assignments", r#"{"group": $3, "member_type": "circuits.circuit", "member_id": $2}"#),
];

/// Two providers, and for each an account, a network, a circuit with an end, a virtual circuit.
const TWO_PROVIDERS: Made = &[
    ("circuits/providers", r#"{"name": "PA", "slug": "pa"}"#),
    ("circuits/providers", r#"{"name": "PB", "slug": "pb"}"#),
    ("circuits/provider-accounts", r#"{"provider": $0, "account": "n"}"#),
    ("circuits/provider-accounts", r#"{"provider": $1, "account": "n"}"#),
    ("circuits/circuit-types", r#"{"name": "P", "slug": "p"}"#),
    ("circuits/circuits", r#"{"cid": "n", "provider": $0, "type": $4}"#),
    ("circuits/circuits", r#"{"cid": "n", "provider": $1, "type": $4}"#),
    ("circuits/circuit-terminations", r#"{"circuit": $5, "term_side": "A"}"#),
    ("circuits/circuit-terminations", r#"{"circuit": $6, "term_side": "A"}"#),
    ("circuits/provider-networks", r#"{"provider": $0, "name": "n"}"#),
    ("circuits/provider-networks", r#"{"provider": $1, "name": "n"}"#),
    ("circuits/virtual-circuit-types", r#"{"name": "P", "slug": "p"}"#),
    ("circuits/virtual-circuits", r#"{"cid": "n", "provider_network": $9, "type": $11}"#),
    ("circuits/virtual-circuits", r#"{"cid": "n", "provider_network": $10, "type": $11}"#),
    ("circuits/virtual-circuit-terminations", r#"{"virtual_circuit": $12, "interface": 1}"#),
];

const RENAMED: super::cases::Act = Edit("circuits/providers", "$0", r#"{"name": "PC"}"#);

pub(crate) const CIRCUITS: &[Case] = &[
    case(
        "circuits/circuit-terminations",
        "circuits/circuits",
        &[
            ("circuits/providers", r#"{"name": "D", "slug": "d"}"#),
            ("circuits/circuit-types", r#"{"name": "D", "slug": "d"}"#),
            ("circuits/circuits", r#"{"cid": "d", "provider": $0, "type": $1}"#),
        ],
        "circuits/circuits/$2/",
        Create("circuits/circuit-terminations", r#"{"circuit": $2, "term_side": "A"}"#),
    ),
    case(
        "circuits/circuit-group-assignments",
        "circuits/circuit-groups",
        CIRCUIT,
        "circuits/circuit-groups/$3/?fields=id,circuit_count",
        Create(
            "circuits/circuit-group-assignments",
            r#"{"group": $3, "member_type": "circuits.circuit", "member_id": $2}"#,
        ),
    ),
    case(
        "circuits/circuits",
        "circuits/circuit-types",
        CIRCUIT,
        "circuits/circuit-types/$1/?fields=id,circuit_count",
        Create("circuits/circuits", r#"{"cid": "d", "provider": $0, "type": $1}"#),
    ),
    case(
        "circuits/virtual-circuits",
        "circuits/virtual-circuit-types",
        TWO_PROVIDERS,
        "circuits/virtual-circuit-types/$11/?fields=id,virtual_circuit_count",
        Create("circuits/virtual-circuits", r#"{"cid": "d", "provider_network": $9, "type": $11}"#),
    ),
    case(
        "circuits/circuits",
        "circuits/providers",
        CIRCUIT,
        "circuits/providers/$0/?fields=id,circuit_count",
        Create("circuits/circuits", r#"{"cid": "d", "provider": $0, "type": $1}"#),
    ),
    case(
        "circuits/providers",
        "circuits/provider-accounts",
        TWO_PROVIDERS,
        "circuits/provider-accounts/?id=$2&id=$3&fields=id",
        RENAMED,
    ),
    case("circuits/providers", "circuits/circuits", TWO_PROVIDERS, "circuits/circuits/?id=$5&id=$6&fields=id", RENAMED),
    case(
        "circuits/circuits",
        "circuits/circuit-terminations",
        CIRCUIT,
        "circuits/circuit-terminations/$4/?fields=id,display",
        Edit("circuits/circuits", "$2", r#"{"cid": "renamed"}"#),
    ),
    case(
        "circuits/providers",
        "circuits/circuit-terminations",
        TWO_PROVIDERS,
        "circuits/circuit-terminations/?id=$7&id=$8&fields=id",
        RENAMED,
    ),
    case(
        "circuits/circuit-groups",
        "circuits/circuit-group-assignments",
        CIRCUIT,
        "circuits/circuit-group-assignments/$5/?fields=id,display",
        Edit("circuits/circuit-groups", "$3", r#"{"name": "renamed"}"#),
    ),
    case(
        "circuits/providers",
        "circuits/virtual-circuits",
        TWO_PROVIDERS,
        "circuits/virtual-circuits/?id=$12&id=$13&fields=id",
        RENAMED,
    ),
    case(
        "circuits/virtual-circuits",
        "circuits/virtual-circuit-terminations",
        TWO_PROVIDERS,
        "circuits/virtual-circuit-terminations/$14/?fields=id,display",
        Edit("circuits/virtual-circuits", "$12", r#"{"cid": "renamed"}"#),
    ),
];

pub(crate) const ADDRESSES: &[Case] = &[
    case(
        "dcim/sites",
        "ipam/asns",
        &[("ipam/asns", r#"{"asn": 65001}"#)],
        "ipam/asns/$0/?fields=id,site_count",
        Edit("dcim/sites", "2", r#"{"asns": [$0]}"#),
    ),
    case(
        "ipam/asns",
        "ipam/asn-ranges",
        &[("ipam/asn-ranges", r#"{"name": "n", "slug": "n", "start": 65100, "end": 65200}"#)],
        "ipam/asn-ranges/$0/?fields=id,asn_count",
        Create("ipam/asns", r#"{"asn": 65150}"#),
    ),
    case(
        "ipam/aggregates",
        "ipam/rirs",
        &[("ipam/rirs", r#"{"name": "n", "slug": "n"}"#)],
        "ipam/rirs/$0/?fields=id,aggregate_count",
        Create("ipam/aggregates", r#"{"prefix": "198.18.0.0/15", "rir": $0}"#),
    ),
    case(
        "ipam/prefixes",
        "ipam/roles",
        &[("ipam/roles", r#"{"name": "n", "slug": "n"}"#)],
        "ipam/roles/$0/?fields=id,prefix_count",
        Create("ipam/prefixes", r#"{"prefix": "198.51.100.0/24", "role": $0}"#),
    ),
    case(
        "ipam/prefixes",
        "ipam/vrfs",
        &[],
        "ipam/vrfs/1/?fields=id,prefix_count",
        Create("ipam/prefixes", r#"{"prefix": "203.0.113.0/24", "vrf": 1}"#),
    ),
    case(
        "ipam/prefixes",
        "ipam/vlans",
        &[],
        "ipam/vlans/1/?fields=id,prefix_count",
        Create("ipam/prefixes", r#"{"prefix": "192.0.2.0/24", "vlan": 1}"#),
    ),
    case(
        "ipam/vlan-groups",
        "ipam/vlans",
        &[
            ("ipam/vlan-groups", r#"{"name": "GA", "slug": "ga"}"#),
            ("ipam/vlan-groups", r#"{"name": "GB", "slug": "gb"}"#),
            ("ipam/vlans", r#"{"name": "n", "vid": 9, "group": $0}"#),
            ("ipam/vlans", r#"{"name": "n", "vid": 9, "group": $1}"#),
        ],
        "ipam/vlans/?id=$2&id=$3&fields=id",
        Edit("ipam/vlan-groups", "$0", r#"{"name": "GC"}"#),
    ),
    case(
        "ipam/vlans",
        "ipam/vlan-groups",
        &[("ipam/vlan-groups", r#"{"name": "counted", "slug": "counted"}"#)],
        "ipam/vlan-groups/$0/?fields=id,vlan_count",
        Create("ipam/vlans", r#"{"name": "n", "vid": 10, "group": $0}"#),
    ),
    case(
        "ipam/vlan-translation-rules",
        "ipam/vlan-translation-policies",
        &[("ipam/vlan-translation-policies", r#"{"name": "n"}"#)],
        "ipam/vlan-translation-policies/$0/",
        Create("ipam/vlan-translation-rules", r#"{"policy": $0, "local_vid": 1, "remote_vid": 2}"#),
    ),
    case(
        "ipam/vlan-translation-policies",
        "ipam/vlan-translation-rules",
        &[
            ("ipam/vlan-translation-policies", r#"{"name": "first"}"#),
            ("ipam/vlan-translation-rules", r#"{"policy": $0, "local_vid": 1, "remote_vid": 2}"#),
        ],
        "ipam/vlan-translation-rules/$1/",
        Edit("ipam/vlan-translation-policies", "$0", r#"{"name": "second"}"#),
    ),
    case(
        "ipam/ip-addresses",
        "ipam/fhrp-groups",
        &[
            ("ipam/fhrp-groups", r#"{"protocol": "vrrp2", "group_id": 1}"#),
            ("ipam/fhrp-group-assignments", r#"{"group": $0, "interface_type": "dcim.interface", "interface_id": 1}"#),
        ],
        "ipam/fhrp-group-assignments/$1/?fields=id,group",
        Create(
            "ipam/ip-addresses",
            r#"{"address": "192.0.2.9/24", "assigned_object_type": "ipam.fhrpgroup", "assigned_object_id": $0}"#,
        ),
    ),
    case(
        "ipam/fhrp-groups",
        "ipam/fhrp-group-assignments",
        &[
            ("ipam/fhrp-groups", r#"{"protocol": "vrrp2", "group_id": 2}"#),
            ("ipam/fhrp-group-assignments", r#"{"group": $0, "interface_type": "dcim.interface", "interface_id": 1}"#),
        ],
        "ipam/fhrp-group-assignments/$1/?fields=id,display",
        Edit("ipam/fhrp-groups", "$0", r#"{"group_id": 3}"#),
    ),
];

pub(crate) const OTHERS: &[Case] = &[
    case(
        "ipam/vrfs",
        "tenancy/tenants",
        &[],
        "tenancy/tenants/1/?fields=id,vrf_count",
        Create("ipam/vrfs", r#"{"name": "n", "tenant": 1}"#),
    ),
    case(
        "tenancy/tenants",
        "tenancy/tenant-groups",
        &[("tenancy/tenant-groups", r#"{"name": "n", "slug": "n"}"#)],
        "tenancy/tenant-groups/$0/?fields=id,tenant_count",
        Create("tenancy/tenants", r#"{"name": "in a group", "slug": "in-a-group", "group": $0}"#),
    ),
    case(
        "tenancy/contacts",
        "tenancy/contact-groups",
        &[("tenancy/contact-groups", r#"{"name": "n", "slug": "n"}"#)],
        "tenancy/contact-groups/$0/?fields=id,contact_count",
        Create("tenancy/contacts", r#"{"name": "n", "groups": [$0]}"#),
    ),
    case(
        "virtualization/clusters",
        "virtualization/virtual-machines",
        &[],
        "virtualization/virtual-machines/1/?fields=id,site",
        Edit("virtualization/clusters", "1", r#"{"scope_type": "dcim.site", "scope_id": 2}"#),
    ),
    case(
        "virtualization/virtual-disks",
        "virtualization/virtual-machines",
        &[],
        "virtualization/virtual-machines/1/?fields=id,disk",
        Create("virtualization/virtual-disks", r#"{"virtual_machine": 1, "name": "n", "size": 10}"#),
    ),
    case(
        "virtualization/virtual-disks",
        "virtualization/clusters",
        &[],
        "virtualization/clusters/2/?fields=id,allocated_disk",
        Create("virtualization/virtual-disks", r#"{"virtual_machine": 2, "name": "n", "size": 10}"#),
    ),
    case(
        "virtualization/clusters",
        "virtualization/cluster-types",
        &[],
        "virtualization/cluster-types/1/?fields=id,cluster_count",
        Create("virtualization/clusters", r#"{"name": "n", "type": 1}"#),
    ),
    case(
        "virtualization/virtual-machines",
        "virtualization/virtual-machine-types",
        &[("virtualization/virtual-machine-types", r#"{"name": "n", "slug": "n"}"#)],
        "virtualization/virtual-machine-types/$0/?fields=id,virtual_machine_count",
        Create("virtualization/virtual-machines", r#"{"name": "of a type", "cluster": 1, "virtual_machine_type": $0}"#),
    ),
    case(
        "virtualization/virtual-machines",
        "virtualization/interfaces",
        &[
            ("virtualization/interfaces", r#"{"virtual_machine": 1, "name": "n"}"#),
            ("virtualization/interfaces", r#"{"virtual_machine": 2, "name": "n"}"#),
        ],
        "virtualization/interfaces/?id=$0&id=$1&fields=id",
        Edit("virtualization/virtual-machines", "1", r#"{"name": "zzz"}"#),
    ),
    case(
        "vpn/tunnels",
        "vpn/tunnel-groups",
        &[("vpn/tunnel-groups", r#"{"name": "n", "slug": "n"}"#)],
        "vpn/tunnel-groups/$0/?fields=id,tunnel_count",
        Create("vpn/tunnels", r#"{"name": "in a group", "group": $0}"#),
    ),
    case(
        "vpn/tunnel-terminations",
        "vpn/tunnels",
        &[("vpn/tunnels", r#"{"name": "terminated"}"#)],
        "vpn/tunnels/$0/?fields=id,terminations_count",
        Create(
            "vpn/tunnel-terminations",
            r#"{"tunnel": $0, "termination_type": "dcim.interface", "termination_id": 1}"#,
        ),
    ),
    case(
        "vpn/tunnels",
        "vpn/tunnel-terminations",
        &[
            ("vpn/tunnels", r#"{"name": "first"}"#),
            ("vpn/tunnel-terminations", r#"{"tunnel": $0, "termination_type": "dcim.interface", "termination_id": 1}"#),
        ],
        "vpn/tunnel-terminations/$1/?fields=id,display",
        Edit("vpn/tunnels", "$0", r#"{"name": "second"}"#),
    ),
    case(
        "ipam/vlans",
        "vpn/l2vpn-terminations",
        &[
            ("vpn/l2vpns", r#"{"name": "n", "slug": "n"}"#),
            (
                "vpn/l2vpn-terminations",
                r#"{"l2vpn": $0, "assigned_object_type": "ipam.vlan", "assigned_object_id": 1}"#,
            ),
            (
                "extras/journal-entries",
                r#"{"assigned_object_type": "vpn.l2vpntermination", "assigned_object_id": $1, "comments": "x"}"#,
            ),
        ],
        "extras/journal-entries/$2/",
        Edit("ipam/vlans", "1", r#"{"name": "renamed"}"#),
    ),
    case(
        "wireless/wireless-lans",
        "wireless/wireless-lan-groups",
        &[("wireless/wireless-lan-groups", r#"{"name": "n", "slug": "n"}"#)],
        "wireless/wireless-lan-groups/$0/?fields=id,wirelesslan_count",
        Create("wireless/wireless-lans", r#"{"ssid": "n", "group": $0}"#),
    ),
];
