//! Types that have much in common, by the name of what they have.

/// What a cable can end at.
pub(super) const CABLED: &[&str] = &[
    "circuits/circuit-terminations",
    "dcim/console-ports",
    "dcim/console-server-ports",
    "dcim/front-ports",
    "dcim/interfaces",
    "dcim/power-feeds",
    "dcim/power-outlets",
    "dcim/power-ports",
    "dcim/rear-ports",
];

/// What a device is made of.
pub(super) const COMPONENTS: &[&str] = &[
    "dcim/console-ports",
    "dcim/console-server-ports",
    "dcim/device-bays",
    "dcim/front-ports",
    "dcim/interfaces",
    "dcim/inventory-items",
    "dcim/module-bays",
    "dcim/power-outlets",
    "dcim/power-ports",
    "dcim/rear-ports",
];

/// What a device or module of a type will be made of.
pub(super) const TEMPLATES: &[&str] = &[
    "dcim/console-port-templates",
    "dcim/console-server-port-templates",
    "dcim/device-bay-templates",
    "dcim/front-port-templates",
    "dcim/interface-templates",
    "dcim/inventory-item-templates",
    "dcim/module-bay-templates",
    "dcim/power-outlet-templates",
    "dcim/power-port-templates",
    "dcim/rear-port-templates",
];

/// Interfaces of devices and of virtual machines.
pub(super) const INTERFACES: &[&str] = &["dcim/interfaces", "virtualization/interfaces"];
