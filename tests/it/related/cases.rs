//! One change each that alters an answer which shows nothing of what was changed. The reads leave out what would show it,
//! or find it nested in a journal entry.

/// What is done to NetBox, beside nbproxy.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    Create(&'static str, &'static str),
    Edit(&'static str, &'static str, &'static str),
    Remove(&'static str, &'static str),
}

use Act::{Create, Edit, Remove};

/// `changed` alters answers about `affected`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) changed: &'static str,
    pub(crate) affected: &'static str,
    /// What there is before: path and body of each. `$0` stands for the id of the first, and so on.
    pub(crate) made: &'static [(&'static str, &'static str)],
    /// What is read, below `/api/`.
    pub(crate) read: &'static str,
    pub(crate) act: Act,
}

pub(super) const fn case(
    changed: &'static str,
    affected: &'static str,
    made: &'static [(&'static str, &'static str)],
    read: &'static str,
    act: Act,
) -> Case {
    Case { changed, affected, made, read, act }
}

pub(crate) const PLACES: &[Case] = &[
    case(
        "dcim/sites",
        "dcim/regions",
        &[("dcim/regions", r#"{"name": "N", "slug": "n"}"#)],
        "dcim/regions/$0/?fields=id,site_count",
        Create("dcim/sites", r#"{"name": "N", "slug": "n", "region": $0}"#),
    ),
    case(
        "ipam/vlans",
        "dcim/sites",
        &[],
        "dcim/sites/1/?fields=id,vlan_count",
        Create("ipam/vlans", r#"{"name": "n", "vid": 7, "site": 1}"#),
    ),
    case(
        "dcim/racks",
        "dcim/locations",
        &[],
        "dcim/locations/1/?fields=id,rack_count",
        Create("dcim/racks", r#"{"name": "n", "site": 1, "location": 1}"#),
    ),
    case(
        "dcim/locations",
        "dcim/power-panels",
        &[
            ("dcim/locations", r#"{"name": "N", "slug": "moves", "site": 1}"#),
            ("dcim/power-panels", r#"{"name": "n", "site": 1, "location": $0}"#),
        ],
        "dcim/power-panels/$1/?fields=id,site",
        Edit("dcim/locations", "$0", r#"{"site": 2}"#),
    ),
    case(
        "dcim/racks",
        "dcim/devices",
        &[
            ("dcim/racks", r#"{"name": "moves", "site": 1}"#),
            ("dcim/devices", r#"{"name": "n", "device_type": 1, "role": 1, "site": 1, "rack": $0}"#),
        ],
        "dcim/devices/$1/?fields=id,site",
        Edit("dcim/racks", "$0", r#"{"site": 2}"#),
    ),
    case(
        "dcim/devices",
        "dcim/racks",
        &[],
        "dcim/racks/1/?fields=id,device_count",
        Create("dcim/devices", r#"{"name": "racked", "device_type": 1, "role": 1, "site": 1, "rack": 1}"#),
    ),
    case(
        "dcim/racks",
        "dcim/rack-roles",
        &[("dcim/rack-roles", r#"{"name": "N", "slug": "n"}"#)],
        "dcim/rack-roles/$0/?fields=id,rack_count",
        Create("dcim/racks", r#"{"name": "with a role", "site": 1, "role": $0}"#),
    ),
    case(
        "dcim/racks",
        "dcim/rack-types",
        &[
            ("dcim/rack-types", r#"{"manufacturer": 1, "model": "N", "slug": "n"}"#),
            (
                "extras/journal-entries",
                r#"{"assigned_object_type": "dcim.racktype", "assigned_object_id": $0, "comments": "x"}"#,
            ),
        ],
        "extras/journal-entries/$1/",
        Create("dcim/racks", r#"{"name": "of a type", "site": 1, "rack_type": $0}"#),
    ),
    case(
        "dcim/power-feeds",
        "dcim/power-panels",
        &[("dcim/power-panels", r#"{"name": "n", "site": 1}"#)],
        "dcim/power-panels/$0/?fields=id,powerfeed_count",
        Create("dcim/power-feeds", r#"{"name": "n", "power_panel": $0}"#),
    ),
    case(
        "dcim/sites",
        "ipam/vlans",
        &[
            ("dcim/sites", r#"{"name": "SA", "slug": "sa"}"#),
            ("dcim/sites", r#"{"name": "SB", "slug": "sb"}"#),
            ("ipam/vlans", r#"{"name": "n", "vid": 7, "site": $0}"#),
            ("ipam/vlans", r#"{"name": "n", "vid": 7, "site": $1}"#),
        ],
        "ipam/vlans/?id=$2&id=$3&fields=id",
        Edit("dcim/sites", "$0", r#"{"name": "SC"}"#),
    ),
    case(
        "dcim/power-panels",
        "dcim/power-feeds",
        &[
            ("dcim/power-panels", r#"{"name": "a", "site": 1}"#),
            ("dcim/power-panels", r#"{"name": "b", "site": 1}"#),
            ("dcim/power-feeds", r#"{"name": "n", "power_panel": $0}"#),
            ("dcim/power-feeds", r#"{"name": "n", "power_panel": $1}"#),
        ],
        "dcim/power-feeds/?id=$2&id=$3&fields=id",
        Edit("dcim/power-panels", "$0", r#"{"name": "c"}"#),
    ),
    case(
        "dcim/racks",
        "dcim/rack-reservations",
        &[("dcim/racks", r#"{"name": "reserved", "site": 1}"#), ("dcim/rack-reservations", r#"{"rack": $0}"#)],
        "dcim/rack-reservations/$1/?fields=id,display",
        Edit("dcim/racks", "$0", r#"{"name": "renamed"}"#),
    ),
];

pub(crate) const DEVICES: &[Case] = &[
    case(
        "dcim/interfaces",
        "dcim/devices",
        &[],
        "dcim/devices/1/?fields=id,interface_count",
        Create("dcim/interfaces", r#"{"device": 1, "name": "n", "type": "10gbase-x-sfpp"}"#),
    ),
    case(
        "dcim/device-bays",
        "dcim/devices",
        &[("dcim/device-bays", r#"{"device": 2, "name": "n"}"#)],
        "dcim/devices/3/?fields=id,parent_device",
        Edit("dcim/device-bays", "$0", r#"{"installed_device": 3}"#),
    ),
    case(
        "dcim/devices",
        "dcim/interfaces",
        &[],
        "dcim/interfaces/?id=1&id=3&fields=id",
        Edit("dcim/devices", "1", r#"{"name": "zzz"}"#),
    ),
    case(
        "dcim/devices",
        "dcim/device-types",
        &[(
            "extras/journal-entries",
            r#"{"assigned_object_type": "dcim.devicetype", "assigned_object_id": 1, "comments": "x"}"#,
        )],
        "extras/journal-entries/$0/",
        Create("dcim/devices", r#"{"name": "one more", "device_type": 1, "role": 1, "site": 1}"#),
    ),
    case(
        "dcim/devices",
        "dcim/virtual-chassis",
        &[("dcim/virtual-chassis", r#"{"name": "n"}"#)],
        "dcim/virtual-chassis/$0/?fields=id,member_count",
        Edit("dcim/devices", "2", r#"{"virtual_chassis": $0}"#),
    ),
    case(
        "dcim/device-types",
        "dcim/devices",
        &[
            ("dcim/device-types", r#"{"manufacturer": 1, "model": "first", "slug": "first"}"#),
            ("dcim/devices", r#"{"name": null, "device_type": $0, "role": 1, "site": 1}"#),
            (
                "extras/journal-entries",
                r#"{"assigned_object_type": "dcim.device", "assigned_object_id": $1, "comments": "x"}"#,
            ),
        ],
        "extras/journal-entries/$2/",
        Edit("dcim/device-types", "$0", r#"{"model": "second"}"#),
    ),
    case(
        "virtualization/virtual-machines",
        "dcim/device-roles",
        &[],
        "dcim/device-roles/1/?fields=id,virtualmachine_count",
        Create("virtualization/virtual-machines", r#"{"name": "with a role", "cluster": 1, "role": 1}"#),
    ),
    case(
        "dcim/platforms",
        "dcim/manufacturers",
        &[],
        "dcim/manufacturers/1/?fields=id,platform_count",
        Create("dcim/platforms", r#"{"name": "n", "slug": "n", "manufacturer": 1}"#),
    ),
    case(
        "dcim/interface-templates",
        "dcim/device-types",
        &[],
        "dcim/device-types/1/?fields=id,interface_template_count",
        Create("dcim/interface-templates", r#"{"name": "n", "device_type": 1}"#),
    ),
    case(
        "dcim/device-types",
        "dcim/interface-templates",
        &[
            ("dcim/device-types", r#"{"manufacturer": 1, "model": "ta", "slug": "ta"}"#),
            ("dcim/device-types", r#"{"manufacturer": 1, "model": "tb", "slug": "tb"}"#),
            ("dcim/interface-templates", r#"{"name": "n", "device_type": $0}"#),
            ("dcim/interface-templates", r#"{"name": "n", "device_type": $1}"#),
        ],
        "dcim/interface-templates/?id=$2&id=$3&fields=id",
        Edit("dcim/device-types", "$0", r#"{"model": "tc"}"#),
    ),
    case(
        "dcim/manufacturers",
        "dcim/interface-templates",
        &[
            ("dcim/manufacturers", r#"{"name": "TA", "slug": "ta"}"#),
            ("dcim/manufacturers", r#"{"name": "TB", "slug": "tb"}"#),
            ("dcim/device-types", r#"{"manufacturer": $0, "model": "n", "slug": "t-by-a"}"#),
            ("dcim/device-types", r#"{"manufacturer": $1, "model": "n", "slug": "t-by-b"}"#),
            ("dcim/interface-templates", r#"{"name": "n", "device_type": $2}"#),
            ("dcim/interface-templates", r#"{"name": "n", "device_type": $3}"#),
        ],
        "dcim/interface-templates/?id=$4&id=$5&fields=id",
        Edit("dcim/manufacturers", "$0", r#"{"name": "TC"}"#),
    ),
    case(
        "dcim/manufacturers",
        "dcim/device-types",
        &[
            ("dcim/manufacturers", r#"{"name": "MA", "slug": "ma"}"#),
            ("dcim/manufacturers", r#"{"name": "MB", "slug": "mb"}"#),
            ("dcim/device-types", r#"{"manufacturer": $0, "model": "n", "slug": "by-a"}"#),
            ("dcim/device-types", r#"{"manufacturer": $1, "model": "n", "slug": "by-b"}"#),
        ],
        "dcim/device-types/?id=$2&id=$3&fields=id",
        Edit("dcim/manufacturers", "$0", r#"{"name": "MC"}"#),
    ),
    case(
        "dcim/module-type-profiles",
        "dcim/module-types",
        &[
            ("dcim/module-type-profiles", r#"{"name": "PA"}"#),
            ("dcim/module-type-profiles", r#"{"name": "PB"}"#),
            ("dcim/module-types", r#"{"manufacturer": 1, "model": "n", "profile": $0}"#),
            ("dcim/module-types", r#"{"manufacturer": 1, "model": "n", "profile": $1}"#),
        ],
        "dcim/module-types/?id=$2&id=$3&fields=id",
        Edit("dcim/module-type-profiles", "$0", r#"{"name": "PC"}"#),
    ),
    case(
        "dcim/front-port-templates",
        "dcim/rear-port-templates",
        &[("dcim/rear-port-templates", r#"{"name": "n", "device_type": 1}"#)],
        "dcim/rear-port-templates/$0/?fields=id,front_ports",
        Create(
            "dcim/front-port-templates",
            r#"{"name": "n", "device_type": 1, "rear_ports": [{"position": 1, "rear_port": $0}]}"#,
        ),
    ),
    case(
        "dcim/rear-port-templates",
        "dcim/front-port-templates",
        &[
            ("dcim/rear-port-templates", r#"{"name": "goes", "device_type": 1}"#),
            (
                "dcim/front-port-templates",
                r#"{"name": "n", "device_type": 1, "rear_ports": [{"position": 1, "rear_port": $0}]}"#,
            ),
        ],
        "dcim/front-port-templates/$1/?fields=id,rear_ports",
        Remove("dcim/rear-port-templates", "$0"),
    ),
    case(
        "dcim/modules",
        "dcim/module-types",
        &[
            ("dcim/module-types", r#"{"manufacturer": 1, "model": "counted"}"#),
            ("dcim/module-bays", r#"{"device": 1, "name": "bay"}"#),
            (
                "extras/journal-entries",
                r#"{"assigned_object_type": "dcim.moduletype", "assigned_object_id": $0, "comments": "x"}"#,
            ),
        ],
        "extras/journal-entries/$2/",
        Create("dcim/modules", r#"{"device": 1, "module_bay": $1, "module_type": $0}"#),
    ),
    case(
        "dcim/modules",
        "dcim/module-bays",
        &[
            ("dcim/module-types", r#"{"manufacturer": 1, "model": "installed"}"#),
            ("dcim/module-bays", r#"{"device": 1, "name": "empty"}"#),
            (
                "extras/journal-entries",
                r#"{"assigned_object_type": "dcim.modulebay", "assigned_object_id": $1, "comments": "x"}"#,
            ),
        ],
        "extras/journal-entries/$2/",
        Create("dcim/modules", r#"{"device": 1, "module_bay": $1, "module_type": $0}"#),
    ),
    case(
        "dcim/module-bays",
        "dcim/modules",
        &[
            ("dcim/module-types", r#"{"manufacturer": 1, "model": "named"}"#),
            ("dcim/module-bays", r#"{"device": 1, "name": "first"}"#),
            ("dcim/modules", r#"{"device": 1, "module_bay": $1, "module_type": $0}"#),
        ],
        "dcim/modules/$2/?fields=id,display",
        Edit("dcim/module-bays", "$1", r#"{"name": "second"}"#),
    ),
    case(
        "dcim/module-types",
        "dcim/modules",
        &[
            ("dcim/module-types", r#"{"manufacturer": 1, "model": "first"}"#),
            ("dcim/module-bays", r#"{"device": 1, "name": "bay"}"#),
            ("dcim/modules", r#"{"device": 1, "module_bay": $1, "module_type": $0}"#),
            (
                "extras/journal-entries",
                r#"{"assigned_object_type": "dcim.module", "assigned_object_id": $2, "comments": "x"}"#,
            ),
        ],
        "extras/journal-entries/$3/",
        Edit("dcim/module-types", "$0", r#"{"model": "second"}"#),
    ),
    case(
        "dcim/devices",
        "dcim/modules",
        &[
            ("dcim/module-types", r#"{"manufacturer": 1, "model": "sorted"}"#),
            ("dcim/module-bays", r#"{"device": 4, "name": "n"}"#),
            ("dcim/module-bays", r#"{"device": 5, "name": "n"}"#),
            ("dcim/modules", r#"{"device": 4, "module_bay": $1, "module_type": $0}"#),
            ("dcim/modules", r#"{"device": 5, "module_bay": $2, "module_type": $0}"#),
        ],
        "dcim/modules/?id=$3&id=$4&fields=id",
        Edit("dcim/devices", "4", r#"{"name": "zzzz"}"#),
    ),
    case(
        "dcim/inventory-items",
        "dcim/inventory-item-roles",
        &[("dcim/inventory-item-roles", r#"{"name": "N", "slug": "n"}"#)],
        "dcim/inventory-item-roles/$0/?fields=id,inventoryitem_count",
        Create("dcim/inventory-items", r#"{"device": 1, "name": "n", "role": $0}"#),
    ),
    case(
        "dcim/interfaces",
        "dcim/virtual-device-contexts",
        &[("dcim/virtual-device-contexts", r#"{"device": 1, "name": "n"}"#)],
        "dcim/virtual-device-contexts/$0/?fields=id,interface_count",
        Edit("dcim/interfaces", "1", r#"{"vdcs": [$0]}"#),
    ),
    case(
        "ipam/ip-addresses",
        "dcim/interfaces",
        &[],
        "dcim/interfaces/2/?fields=id,count_ipaddresses",
        Create(
            "ipam/ip-addresses",
            r#"{"address": "192.0.2.1/24", "assigned_object_type": "dcim.interface", "assigned_object_id": 2}"#,
        ),
    ),
];
