//! Groups of sites and racks, and what else stands in places: power, reservations.

use super::words::{
    CREATED, CUSTOM, DEPTH, DESCRIPTION, NAME, SLUG, TAGS, UPDATED, computed, count, counter, maybe, one, parent,
    part_of, text,
};
use super::{BASE, Computed, Display, Type};

pub(crate) static TYPES: &[Type] = &[
    Type {
        endpoint: "dcim/site-groups",
        model: "dcim.sitegroup",
        class: "SiteGroup",
        verbose: "site group",
        fields: &[
            NAME.unique(),
            SLUG,
            parent("dcim/site-groups"),
            DESCRIPTION,
            TAGS,
            CUSTOM,
            CREATED,
            UPDATED,
            count("site_count", "dcim/sites", "group"),
            DEPTH,
        ],
        brief: &["name", "slug", "description", "site_count", "_depth"],
        ..BASE
    },
    Type {
        endpoint: "dcim/rack-groups",
        model: "dcim.rackgroup",
        class: "RackGroup",
        verbose: "rack group",
        fields: &[
            NAME.unique(),
            SLUG,
            DESCRIPTION,
            TAGS,
            CUSTOM,
            CREATED,
            UPDATED,
            count("rack_count", "dcim/racks", "group"),
        ],
        ..BASE
    },
    Type {
        endpoint: "dcim/rack-roles",
        model: "dcim.rackrole",
        class: "RackRole",
        verbose: "rack role",
        fields: &[
            NAME.unique(),
            SLUG,
            DESCRIPTION,
            TAGS,
            CUSTOM,
            CREATED,
            UPDATED,
            count("rack_count", "dcim/racks", "role"),
        ],
        ..BASE
    },
    Type {
        endpoint: "dcim/rack-types",
        model: "dcim.racktype",
        class: "RackType",
        verbose: "rack type",
        fields: &[
            one("manufacturer", "dcim/manufacturers"),
            text("model").required(),
            SLUG,
            DESCRIPTION,
            TAGS,
            CUSTOM,
            CREATED,
            UPDATED,
            counter("rack_count", "dcim/racks", "rack_type"),
        ],
        brief: &["manufacturer", "model", "slug", "description", "rack_count"],
        nested: &["model", "slug"],
        display: Display::Field("model"),
        order: &["manufacturer", "model"],
        ..BASE
    },
    Type {
        endpoint: "dcim/rack-reservations",
        model: "dcim.rackreservation",
        class: "RackReservation",
        verbose: "rack reservation",
        fields: &[part_of("rack", "dcim/racks"), DESCRIPTION, TAGS, CUSTOM, CREATED, UPDATED],
        brief: &["description"],
        nested: &[],
        display: Display::Of(&["rack"]),
        order: &["created"],
        ..BASE
    },
    Type {
        endpoint: "dcim/power-panels",
        model: "dcim.powerpanel",
        class: "PowerPanel",
        verbose: "power panel",
        fields: &[
            one("site", "dcim/sites"),
            maybe("location", "dcim/locations"),
            NAME,
            DESCRIPTION,
            TAGS,
            CUSTOM,
            CREATED,
            UPDATED,
            count("powerfeed_count", "dcim/power-feeds", "power_panel"),
        ],
        brief: &["name", "description", "powerfeed_count"],
        nested: &["name"],
        order: &["site", "name"],
        ..BASE
    },
    Type {
        endpoint: "dcim/power-feeds",
        model: "dcim.powerfeed",
        class: "PowerFeed",
        verbose: "power feed",
        fields: &[
            one("power_panel", "dcim/power-panels"),
            maybe("rack", "dcim/racks"),
            NAME,
            computed("cable", Computed::Cable),
            computed("link_peers", Computed::LinkPeers),
            computed("connected_endpoints", Computed::Endpoints),
            computed("connected_endpoints_reachable", Computed::EndpointsReachable),
            DESCRIPTION,
            TAGS,
            CUSTOM,
            CREATED,
            UPDATED,
            computed("_occupied", Computed::Occupied),
        ],
        brief: &["name", "description", "cable", "_occupied"],
        nested: &["name"],
        order: &["power_panel", "name"],
        ..BASE
    },
];
