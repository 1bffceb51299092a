//! Changes that alter what shows of cables, however far away.

use super::cases::Act::{Create, Edit, Remove};
use super::cases::{Case, case};

/// An interface, cabled to a front port that is mapped to a rear port; and a circuit's end.
const PATH: &[(&str, &str)] = &[
    ("dcim/interfaces", r#"{"device": 6, "name": "path", "type": "10gbase-x-sfpp"}"#),
    ("dcim/rear-ports", r#"{"device": 7, "name": "rear"}"#),
    ("dcim/front-ports", r#"{"device": 7, "name": "front", "rear_ports": [{"position": 1, "rear_port": $1}]}"#),
    ("circuits/providers", r#"{"name": "Path", "slug": "path"}"#),
    ("circuits/circuit-types", r#"{"name": "Path", "slug": "path"}"#),
    ("circuits/circuits", r#"{"cid": "path", "provider": $3, "type": $4}"#),
    ("circuits/circuit-terminations", r#"{"circuit": $5, "term_side": "A"}"#),
    (
        "dcim/cables",
        r#"{"a_terminations": [{"object_type": "dcim.interface", "object_id": $0}],
            "b_terminations": [{"object_type": "dcim.frontport", "object_id": $2}]}"#,
    ),
];

pub(crate) const CABLING: &[Case] = &[
    // Two hops away: the record is of the cable, the rear port and the circuit's end.
    case(
        "dcim/cables",
        "dcim/interfaces",
        PATH,
        "dcim/interfaces/$0/?fields=id,connected_endpoints_reachable,connected_endpoints_type",
        Create(
            "dcim/cables",
            r#"{"a_terminations": [{"object_type": "dcim.rearport", "object_id": $1}],
                "b_terminations": [{"object_type": "circuits.circuittermination", "object_id": $6}]}"#,
        ),
    ),
    case(
        "dcim/front-ports",
        "dcim/interfaces",
        &[
            ("dcim/interfaces", r#"{"device": 6, "name": "near", "type": "10gbase-x-sfpp"}"#),
            ("dcim/interfaces", r#"{"device": 8, "name": "far", "type": "10gbase-x-sfpp"}"#),
            ("dcim/rear-ports", r#"{"device": 7, "name": "rear"}"#),
            ("dcim/front-ports", r#"{"device": 7, "name": "front", "rear_ports": []}"#),
            (
                "dcim/cables",
                r#"{"a_terminations": [{"object_type": "dcim.interface", "object_id": $0}],
                    "b_terminations": [{"object_type": "dcim.frontport", "object_id": $3}]}"#,
            ),
            (
                "dcim/cables",
                r#"{"a_terminations": [{"object_type": "dcim.interface", "object_id": $1}],
                    "b_terminations": [{"object_type": "dcim.rearport", "object_id": $2}]}"#,
            ),
        ],
        "dcim/interfaces/$0/?fields=id,connected_endpoints_type",
        Edit("dcim/front-ports", "$3", r#"{"rear_ports": [{"position": 1, "rear_port": $2}]}"#),
    ),
    case(
        "wireless/wireless-links",
        "dcim/interfaces",
        &[
            ("dcim/interfaces", r#"{"device": 6, "name": "wl-a", "type": "10gbase-x-sfpp"}"#),
            ("dcim/interfaces", r#"{"device": 7, "name": "wl-b", "type": "10gbase-x-sfpp"}"#),
            ("wireless/wireless-links", r#"{"interface_a": $0, "interface_b": $1}"#),
            (
                "extras/journal-entries",
                r#"{"assigned_object_type": "dcim.interface", "assigned_object_id": $0, "comments": "x"}"#,
            ),
        ],
        "extras/journal-entries/$3/",
        Remove("wireless/wireless-links", "$2"),
    ),
    case(
        "dcim/cable-terminations",
        "dcim/cables",
        &[
            ("dcim/interfaces", r#"{"device": 6, "name": "goes", "type": "10gbase-x-sfpp"}"#),
            ("dcim/interfaces", r#"{"device": 7, "name": "stays", "type": "10gbase-x-sfpp"}"#),
            (
                "dcim/cables",
                r#"{"a_terminations": [{"object_type": "dcim.interface", "object_id": $0}],
                    "b_terminations": [{"object_type": "dcim.interface", "object_id": $1}]}"#,
            ),
        ],
        "dcim/cables/?unterminated=true&fields=id",
        Remove("dcim/interfaces", "$0"),
    ),
    case(
        "dcim/interfaces",
        "dcim/cable-terminations",
        &[],
        "dcim/cable-terminations/1/?fields=id,display",
        Edit("dcim/interfaces", "2", r#"{"name": "renamed"}"#),
    ),
    case(
        "dcim/cables",
        "dcim/cable-terminations",
        &[],
        "dcim/cable-terminations/1/?fields=id,display",
        Edit("dcim/cables", "1", r#"{"label": "renamed"}"#),
    ),
    case(
        "dcim/cables",
        "dcim/cable-bundles",
        &[("dcim/cable-bundles", r#"{"name": "n"}"#)],
        "dcim/cable-bundles/$0/?fields=id,cable_count",
        Edit("dcim/cables", "1", r#"{"bundle": $0}"#),
    ),
];
