//! The choice sets of the modelled types.

use super::Choices;

const fn choices(default: &'static str, values: &'static [(&'static str, &'static str)]) -> Choices {
    Choices { values, default, numeric: false }
}

pub(crate) static PLACE_STATUS: Choices = choices(
    "active",
    &[
        ("planned", "Planned"),
        ("staging", "Staging"),
        ("active", "Active"),
        ("decommissioning", "Decommissioning"),
        ("retired", "Retired"),
    ],
);

pub(crate) static ACTION_TYPE: Choices =
    choices("webhook", &[("webhook", "Webhook"), ("script", "Script"), ("notification", "Notification")]);

pub(crate) static RACK_STATUS: Choices = choices(
    "active",
    &[
        ("reserved", "Reserved"),
        ("available", "Available"),
        ("planned", "Planned"),
        ("active", "Active"),
        ("deprecated", "Deprecated"),
    ],
);

pub(crate) static RACK_FORM: Choices = choices(
    "",
    &[
        ("2-post-frame", "2-post frame"),
        ("4-post-frame", "4-post frame"),
        ("4-post-cabinet", "4-post cabinet"),
        ("wall-frame", "Wall-mounted frame"),
        ("wall-cabinet", "Wall-mounted cabinet"),
    ],
);

pub(crate) static RACK_WIDTH: Choices = Choices {
    values: &[("10", "10 inches"), ("19", "19 inches"), ("21", "21 inches"), ("23", "23 inches")],
    default: "19",
    numeric: true,
};

pub(crate) static AIRFLOW: Choices = choices(
    "",
    &[
        ("front-to-rear", "Front to rear"),
        ("rear-to-front", "Rear to front"),
        ("left-to-right", "Left to right"),
        ("right-to-left", "Right to left"),
        ("passive", "Passive"),
        ("mixed", "Mixed"),
    ],
);

pub(crate) static SUBDEVICE_ROLE: Choices = choices("", &[("parent", "Parent"), ("child", "Child")]);

pub(crate) static WEIGHT_UNIT: Choices =
    choices("", &[("kg", "Kilograms"), ("g", "Grams"), ("lb", "Pounds"), ("oz", "Ounces")]);

pub(crate) static OUTER_UNIT: Choices = choices("", &[("mm", "Millimeters"), ("in", "Inches")]);

pub(crate) static FACE: Choices = choices("", &[("front", "Front"), ("rear", "Rear")]);

pub(crate) static DEVICE_STATUS: Choices = choices(
    "active",
    &[
        ("offline", "Offline"),
        ("active", "Active"),
        ("planned", "Planned"),
        ("staged", "Staged"),
        ("failed", "Failed"),
        ("inventory", "Inventory"),
        ("decommissioning", "Decommissioning"),
    ],
);

pub(crate) static INTERFACE_TYPE: Choices = choices(
    "",
    &[
        ("virtual", "Virtual"),
        ("bridge", "Bridge"),
        ("lag", "Link Aggregation Group (LAG)"),
        ("1000base-t", "1000BASE-T (1GE)"),
        ("10gbase-t", "10GBASE-T (10GE)"),
        ("10gbase-x-sfpp", "SFP+ (10GE)"),
        ("25gbase-x-sfp28", "SFP28 (25GE)"),
        ("40gbase-x-qsfpp", "QSFP+ (40GE)"),
        ("100gbase-x-qsfp28", "QSFP28 (100GE)"),
        ("other", "Other"),
    ],
);

pub(crate) static DUPLEX: Choices = choices("", &[("half", "Half"), ("full", "Full"), ("auto", "Auto")]);

pub(crate) static INTERFACE_MODE: Choices = choices(
    "",
    &[("access", "Access"), ("tagged", "Tagged"), ("tagged-all", "Tagged (All)"), ("q-in-q", "Q-in-Q (802.1ad)")],
);

pub(crate) static CABLE_STATUS: Choices =
    choices("connected", &[("connected", "Connected"), ("planned", "Planned"), ("decommissioning", "Decommissioning")]);

pub(crate) static LENGTH_UNIT: Choices =
    choices("", &[("km", "Kilometers"), ("m", "Meters"), ("cm", "Centimeters"), ("ft", "Feet")]);

pub(crate) static PREFIX_STATUS: Choices = choices(
    "active",
    &[("container", "Container"), ("active", "Active"), ("reserved", "Reserved"), ("deprecated", "Deprecated")],
);

pub(crate) static IP_STATUS: Choices = choices(
    "active",
    &[
        ("active", "Active"),
        ("reserved", "Reserved"),
        ("deprecated", "Deprecated"),
        ("dhcp", "DHCP"),
        ("slaac", "SLAAC"),
    ],
);

pub(crate) static IP_ROLE: Choices = choices(
    "",
    &[("loopback", "Loopback"), ("secondary", "Secondary"), ("anycast", "Anycast"), ("vip", "VIP"), ("vrrp", "VRRP")],
);

pub(crate) static VLAN_STATUS: Choices =
    choices("active", &[("active", "Active"), ("reserved", "Reserved"), ("deprecated", "Deprecated")]);

pub(crate) static QINQ_ROLE: Choices = choices("", &[("svlan", "Service"), ("cvlan", "Customer")]);

pub(crate) static CLUSTER_STATUS: Choices = choices(
    "active",
    &[
        ("planned", "Planned"),
        ("staging", "Staging"),
        ("active", "Active"),
        ("decommissioning", "Decommissioning"),
        ("offline", "Offline"),
    ],
);

pub(crate) static VM_STATUS: Choices = choices(
    "active",
    &[
        ("offline", "Offline"),
        ("active", "Active"),
        ("planned", "Planned"),
        ("staged", "Staged"),
        ("failed", "Failed"),
        ("decommissioning", "Decommissioning"),
        ("paused", "Paused"),
    ],
);

pub(crate) static START_ON_BOOT: Choices = choices("off", &[("on", "On"), ("off", "Off"), ("laststate", "Last State")]);

pub(crate) static FIELD_TYPE: Choices = choices(
    "text",
    &[
        ("text", "Text"),
        ("longtext", "Text (long)"),
        ("integer", "Integer"),
        ("decimal", "Decimal"),
        ("boolean", "Boolean (true/false)"),
        ("date", "Date"),
        ("url", "URL"),
        ("json", "JSON"),
        ("select", "Selection"),
        ("object", "Object"),
        ("multiobject", "Multiple objects"),
    ],
);

pub(crate) static FILTER_LOGIC: Choices =
    choices("loose", &[("disabled", "Disabled"), ("loose", "Loose"), ("exact", "Exact")]);

pub(crate) static UI_VISIBLE: Choices =
    choices("always", &[("always", "Always"), ("if-set", "If set"), ("hidden", "Hidden")]);

pub(crate) static UI_EDITABLE: Choices = choices("yes", &[("yes", "Yes"), ("no", "No"), ("hidden", "Hidden")]);

pub(crate) static JOURNAL_KIND: Choices =
    choices("info", &[("info", "Info"), ("success", "Success"), ("warning", "Warning"), ("danger", "Danger")]);

pub(crate) static CHANGE_ACTION: Choices =
    choices("", &[("create", "Created"), ("update", "Updated"), ("delete", "Deleted")]);

pub(crate) static JOB_STATUS: Choices = choices(
    "pending",
    &[
        ("pending", "Pending"),
        ("scheduled", "Scheduled"),
        ("running", "Running"),
        ("completed", "Completed"),
        ("errored", "Errored"),
        ("failed", "Failed"),
    ],
);

pub(crate) static SOURCE_TYPE: Choices =
    choices("local", &[("local", "Local"), ("git", "Git"), ("amazon-s3", "Amazon S3")]);

pub(crate) static SOURCE_STATUS: Choices = choices(
    "new",
    &[("new", "New"), ("queued", "Queued"), ("syncing", "Syncing"), ("completed", "Completed"), ("failed", "Failed")],
);

pub(crate) static NOTIFICATIONS: Choices =
    choices("always", &[("always", "Always"), ("on_failure", "On failure"), ("never", "Never")]);

pub(crate) static BRANCH_STATUS: Choices = choices(
    "new",
    &[
        ("new", "New"),
        ("provisioning", "Provisioning"),
        ("ready", "Ready"),
        ("syncing", "Syncing"),
        ("migrating", "Migrating"),
        ("merging", "Merging"),
        ("reverting", "Reverting"),
        ("merged", "Merged"),
        ("archived", "Archived"),
        ("pending-migrations", "Pending Migrations"),
        ("failed", "Failed"),
    ],
);
