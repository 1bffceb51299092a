//! The relations against what was seen on a real NetBox.

use super::*;

/// What was seen on a NetBox 4.6.8 when an object of the first type was renamed, moved, created or deleted: lists of the
/// other types changed, in fields that embed nothing.
const SEEN: &[(&str, &[&str])] = &[
    ("circuits/circuit-terminations", &["circuits/circuits", "dcim/sites"]),
    ("circuits/circuits", &["circuits/circuit-types", "circuits/providers", "tenancy/tenants"]),
    ("circuits/provider-accounts", &["circuits/providers"]),
    ("dcim/cables", &["dcim/cable-terminations", "dcim/console-ports", "dcim/console-server-ports", "dcim/interfaces"]),
    ("dcim/console-ports", &["dcim/cable-terminations", "dcim/devices"]),
    ("dcim/console-server-ports", &["dcim/cable-terminations", "dcim/devices"]),
    ("dcim/devices", &["dcim/sites"]),
    ("dcim/interfaces", &["dcim/devices", "ipam/fhrp-group-assignments"]),
    ("dcim/inventory-items", &["dcim/devices", "dcim/inventory-item-roles"]),
    ("dcim/mac-addresses", &["dcim/interfaces"]),
    ("dcim/module-bays", &["dcim/devices", "dcim/modules"]),
    ("dcim/module-types", &["dcim/manufacturers", "dcim/modules"]),
    ("dcim/modules", &["dcim/module-bays", "dcim/module-types"]),
    ("dcim/power-feeds", &["dcim/power-panels"]),
    ("dcim/power-outlets", &["dcim/devices"]),
    ("dcim/power-ports", &["dcim/devices"]),
    ("dcim/racks", &["dcim/devices", "dcim/locations", "dcim/rack-reservations", "dcim/sites"]),
    ("dcim/rear-ports", &["dcim/devices"]),
    ("ipam/aggregates", &["ipam/rirs"]),
    ("ipam/fhrp-group-assignments", &["dcim/interfaces"]),
    ("ipam/fhrp-groups", &["ipam/fhrp-group-assignments"]),
    ("ipam/prefixes", &["dcim/regions", "dcim/site-groups", "dcim/sites", "ipam/roles", "ipam/vlans", "ipam/vrfs"]),
    ("ipam/vlans", &["ipam/roles", "ipam/vlan-groups", "vpn/l2vpn-terminations"]),
    ("tenancy/contacts", &["tenancy/contact-groups"]),
    (
        "virtualization/clusters",
        &[
            "dcim/sites",
            "virtualization/cluster-groups",
            "virtualization/cluster-types",
            "virtualization/virtual-machines",
        ],
    ),
    ("virtualization/interfaces", &["virtualization/virtual-machines"]),
    ("virtualization/virtual-disks", &["virtualization/clusters", "virtualization/virtual-machines"]),
    ("virtualization/virtual-machines", &["dcim/device-roles", "dcim/sites", "virtualization/clusters"]),
    ("vpn/l2vpn-terminations", &["ipam/vlans"]),
    ("vpn/l2vpns", &["vpn/l2vpn-terminations"]),
    ("vpn/tunnel-terminations", &["vpn/tunnels"]),
    ("vpn/tunnels", &["vpn/tunnel-groups", "vpn/tunnel-terminations"]),
    ("wireless/wireless-lans", &["wireless/wireless-lan-groups"]),
];

fn of(endpoint: &str) -> ObjectType {
    ObjectType::of_endpoint(endpoint).unwrap_or_else(|| panic!("{endpoint} is no type"))
}

fn answer(raw: &str, shown: &[&str], has_context: bool) -> Option<TypeSet> {
    let (path, query) = raw.split_once('?').unwrap_or((raw, ""));
    let path = ApiPath::parse(&format!("/api/{path}"), "").unwrap();
    of_answer(
        &path,
        &Query::parse(query),
        Some(Shown { types: shown.iter().map(|name| of(name)).collect(), has_context }),
    )
}

fn depends(raw: &str, shown: &[&str], on: &str) -> bool {
    answer(raw, shown, false).unwrap_or_else(|| panic!("{raw} is not understood")).contains(of(on))
}

#[test]
fn every_row_is_of_types_and_says_why() {
    for Relation { changed, affected, reason, .. } in TABLE {
        changed.iter().chain(*affected).for_each(|name| assert!(is_told_of(of(name)), "{name}"));
        assert!(!reason.is_empty() && !changed.is_empty() && !affected.is_empty());
    }
    CONTEXTS.iter().chain(NAMED_AFTER_ANYTHING).for_each(|name| assert!(is_told_of(of(name))));
}

#[test]
fn what_was_seen_on_a_netbox_is_covered() {
    for (changed, affected) in SEEN {
        for list in *affected {
            assert!(depends(&format!("{list}/"), &[], changed), "{changed} alters {list}");
            assert!(depends(&format!("{list}/1/"), &[], changed), "{changed} alters one of {list}");
        }
    }
    assert!(depends("dcim/module-bays/", &["dcim/modules"], "dcim/module-types"), "installed_module is named after it");
    assert!(depends("ipam/vlans/", &["vpn/l2vpn-terminations"], "vpn/l2vpns"), "l2vpn_termination is named after it");
    for whole in ["extras/tags/", "extras/config-contexts/"] {
        assert_eq!(answer(whole, &[], false), None);
    }
}

#[test]
fn an_answer_depends_on_what_it_shows_and_no_more() {
    let devices = answer("dcim/devices/?limit=50", &["dcim/sites", "dcim/device-types", "extras/tags"], true).unwrap();
    for on in ["dcim/devices", "dcim/sites", "dcim/device-types", "dcim/racks", "dcim/interfaces", "dcim/regions"] {
        assert!(devices.contains(of(on)), "{on}");
    }
    for not in ["ipam/vlans", "dcim/cables", "tenancy/tenants", "virtualization/virtual-machines", "ipam/prefixes"] {
        assert!(!devices.contains(of(not)), "{not}");
    }
    let without = answer("dcim/devices/", &["dcim/sites"], false).unwrap();
    assert!(!without.contains(of("dcim/regions")), "only config contexts look at regions");
    assert!(
        depends("ipam/ip-addresses/", &["dcim/interfaces", "dcim/devices"], "dcim/device-types"),
        "an unnamed device's"
    );
    assert!(depends("ipam/ip-addresses/", &["dcim/interfaces"], "dcim/cables"), "_occupied is shown nested");
    assert!(!depends("ipam/ip-addresses/", &["dcim/interfaces"], "dcim/mac-addresses"), "they are not");
}

#[test]
fn filters_name_types() {
    for (raw, on) in [
        ("dcim/sites/?region=x", &["dcim/regions"][..]),
        ("dcim/sites/?region_id__n=1", &["dcim/regions"]),
        ("dcim/devices/?site=x&tag=y&status=active&name__ic=z", &["dcim/sites", "dcim/racks", "dcim/locations"]),
        ("dcim/devices/?region_id=1", &["dcim/regions", "dcim/sites"]),
        ("dcim/interfaces/?site_id=1", &["dcim/sites", "dcim/devices", "dcim/racks", "dcim/locations"]),
        ("dcim/interfaces/?device_role=x", &["dcim/devices", "dcim/device-roles"]),
        (
            "virtualization/virtual-machines/?site_group=x",
            &["dcim/site-groups", "dcim/sites", "virtualization/clusters"],
        ),
        ("ipam/ip-addresses/?device_id=1", &["dcim/devices", "dcim/interfaces", "dcim/virtual-chassis"]),
        ("ipam/prefixes/?site=x&within_include=10.0.0.0/8", &["dcim/sites", "dcim/locations"]),
        ("ipam/prefixes/?role=x", &["ipam/roles"]),
        ("dcim/racks/?role=x", &["dcim/rack-roles"]),
        ("circuits/circuits/?type_id=1", &["circuits/circuit-types"]),
        ("tenancy/contacts/?group=x", &["tenancy/contact-groups"]),
    ] {
        on.iter().for_each(|on| assert!(depends(raw, &[], on), "{raw} looks at {on}"));
    }
    assert!(!depends("ipam/vlans/?site=x", &[], "dcim/racks"));
}

#[test]
fn what_is_not_understood_depends_on_all() {
    for raw in [
        "dcim/sites/?q=x",
        "dcim/sites/?bogus=1",
        "dcim/sites/?cf_color=red",
        "dcim/sites/?name__bogus=x",
        "dcim/sites/?%ff=x",
        "dcim/sites/?owner=x",
        "dcim/devices/?ordering=site__name",
        "dcim/devices/?ordering=name,-site",
        "dcim/cables/?site=x",
        "ipam/vlans/?available_on_device=1",
        "dcim/racks/1/elevation/",
        "dcim/unheard-of/",
        "plugins/some/things/",
        "users/users/",
        "core/data-files/",
        "status/",
        "dcim/",
        "",
        "tenancy/contact-assignments/?brief=1",
    ] {
        assert_eq!(answer(raw, &[], false), None, "{raw}");
    }
    assert_eq!(answer("dcim/sites/", &["users/owners"], false), None, "nobody tells of owners");
    let assigned = ["tenancy/contact-assignments", "tenancy/contacts", "dcim/sites"];
    assert!(answer("tenancy/contact-assignments/", &assigned, false).is_some(), "what it is named after is shown");
    assert_eq!(answer("extras/journal-entries/", &assigned, false), None, "what it is named after is not");
    assert_eq!(answer("dcim/devices/?fields=id,config_context", &[], true), None, "what decides it is not shown");
    assert!(answer("dcim/devices/?ordering=-name,id&fields=id", &[], false).is_some());
    assert_eq!(of_answer(&ApiPath::parse("/api/dcim/sites/", "").unwrap(), &Query::default(), None), None);
}

/// An answer that shows none of them cannot tell of what is saved with others.
#[test]
fn lists_chosen_by_what_their_rows_hold_depend_on_what_alters_rows() {
    for raw in ["dcim/racks/?u_height=42", "dcim/racks/?ordering=u_height&limit=1", "dcim/racks/?outer_unit__n=mm"] {
        assert!(depends(raw, &[], "dcim/rack-types"), "{raw}");
    }
    for raw in ["dcim/interfaces/?qinq_svlan_id__empty=true", "dcim/interfaces/?ordering=name,-qinq_svlan_vid"] {
        assert!(depends(raw, &[], "ipam/vlans"), "{raw}");
    }
    assert!(depends("dcim/devices/?vc_position__empty=true", &[], "dcim/virtual-chassis"));
    assert!(!depends("dcim/devices/?name=x&status=active", &[], "ipam/ip-addresses"), "its name is its own");
    assert!(depends("dcim/module-bays/?position=1", &[], "dcim/modules"));
    assert!(!depends("dcim/racks/?limit=1", &[], "dcim/rack-types"), "what is not shown is not altered");
    assert!(!depends("dcim/racks/?site=x", &[], "dcim/rack-types"));
}

#[test]
fn what_is_known_is_known_of_these_versions() {
    for (version, known) in
        [("4.6.8", true), ("4.2.0-Docker", true), ("4.7.0-beta1", false), ("4.1.11", false), ("5.0", false)]
    {
        assert_eq!(are_known_of(version), known, "{version}");
    }
}
