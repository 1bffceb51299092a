//! Each row of the table is needed: without it, one of the cases would be answered from memory, and wrongly.

use fake_netbox::FakeNetbox;
use nbproxy::invalidation::relations::table::TABLE;
use nbproxy::invalidation::relations::{Shown, Unseen};
use nbproxy::netbox::object::ApiPath;
use nbproxy::netbox::object_type::{ObjectType, TypeSet};
use nbproxy::netbox::query::Query;
use serde_json::Value;

use super::cases::{self, Case};
use super::{cables, filled, more_cases};

/// What nbproxy knows of a case once it has happened.
struct Happened {
    read: String,
    shown: Shown,
    /// The types that the changelog tells of.
    told: TypeSet,
}

fn ask(netbox: &FakeNetbox, target: &str) -> Value {
    let (token, host) = (format!("Token {}", netbox.token()), netbox.addr().to_string());
    let headers = [("authorization", token.as_str()), ("host", &host), ("accept", "application/json")];
    let (status, body) = netbox.direct("GET", target, &headers);
    assert_eq!(status, 200, "{target}");
    serde_json::from_slice(&body).expect("JSON")
}

fn newest(netbox: &FakeNetbox) -> u64 {
    let page = ask(netbox, "/api/core/object-changes/?ordering=-id&limit=1");
    page["results"][0]["id"].as_u64().unwrap_or(0)
}

impl Happened {
    async fn of(case: &Case) -> Self {
        let netbox = FakeNetbox::start().await;
        let ids = case.make(&netbox);
        let read = filled(case.read, &ids);
        let before = ask(&netbox, &format!("/api/{read}"));
        let newest = newest(&netbox);
        case.act(&netbox, &ids);
        assert_ne!(before, ask(&netbox, &format!("/api/{read}")), "{case:?} shows nothing");
        let rows = ask(&netbox, &format!("/api/core/object-changes/?id__gt={newest}&limit=1000"));
        let models = rows["results"].as_array().expect("a list").iter().map(|row| &row["changed_object_type"]);
        let told = models.filter_map(|model| ObjectType::of_model(model.as_str()?)).collect();
        let mut types = TypeSet::EMPTY;
        see(&before, &mut types);
        Self { read, shown: Shown { types, has_context: false }, told }
    }

    /// Whether the answer would be outdated, by these relations and all else that is known.
    fn is_seen_by(&self, unseen: &Unseen) -> bool {
        self.is_outdated(unseen, &Query::parse(self.read.split_once('?').map_or("", |(_, query)| query)))
    }

    /// Whether it would be by these relations and what it shows alone: an answer that leaves fields out depends on what
    /// takes its objects along, too.
    fn is_seen_without_more_by(&self, unseen: &Unseen) -> bool {
        self.is_outdated(unseen, &Query::default())
    }

    fn is_outdated(&self, unseen: &Unseen, query: &Query) -> bool {
        let path = self.read.split('?').next().unwrap_or_default();
        let path = ApiPath::parse(&format!("/api/{path}"), "").expect("a path");
        let on = unseen.of_answer(&path, query, Some(self.shown));
        on.is_none_or(|on| self.told.iter().any(|told| on.contains(told)))
    }
}

/// The types of all objects in an answer.
fn see(value: &Value, types: &mut TypeSet) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| see(value, types)),
        Value::Object(members) => {
            let path = members.get("url").and_then(Value::as_str).and_then(|url| url.split_once("/api/"));
            let name = path.map(|(_, path)| path.split('/').take(2).collect::<Vec<_>>().join("/"));
            types.extend(name.and_then(|name| ObjectType::of_endpoint(&name)).into_iter().collect());
            members.values().for_each(|value| see(value, types));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Rows, by their first types, that could go without an answer's being wrong: all answers about the affected types show the changed ones, or
/// leave fields out, and then they depend on what takes their objects along. They stand there to be read, and for versions
/// of NetBox that show less.
const SAID_TWICE: [(&str, &str); 11] = [
    ("dcim/racks", "dcim/rack-reservations"),
    ("dcim/devices", "dcim/console-ports"),
    ("dcim/devices", "dcim/modules"),
    ("circuits/circuit-terminations", "dcim/cable-terminations"),
    ("dcim/cables", "dcim/cable-terminations"),
    ("circuits/circuits", "circuits/circuit-terminations"),
    ("circuits/circuit-groups", "circuits/circuit-group-assignments"),
    ("circuits/virtual-circuits", "circuits/virtual-circuit-terminations"),
    ("dcim/interfaces", "ipam/fhrp-group-assignments"),
    ("virtualization/virtual-machines", "virtualization/interfaces"),
    ("vpn/tunnels", "vpn/tunnel-terminations"),
];

#[tokio::test]
async fn each_row_of_the_table_is_needed() {
    let all = [
        cases::PLACES,
        cases::DEVICES,
        cables::CABLING,
        more_cases::CIRCUITS,
        more_cases::ADDRESSES,
        more_cases::OTHERS,
    ];
    let of = |name: &str| ObjectType::of_endpoint(name).expect("a type");
    let mut happened = Vec::new();
    for case in all.concat() {
        let one = Happened::of(&case).await;
        assert!(one.told.contains(of(case.changed)), "{case:?} changes something else");
        let about = case.read.starts_with(&format!("{}/", case.affected));
        assert!(about || one.shown.types.contains(of(case.affected)), "{case:?} shows something else");
        assert!(one.is_seen_by(&Unseen::of(TABLE)), "{case:?}");
        happened.push(one);
    }
    let (mut twice, mut unneeded) = (Vec::new(), Vec::new());
    for (place, row) in TABLE.iter().enumerate() {
        let others = TABLE.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, row)| row);
        let unseen = Unseen::of(others);
        let name = (row.changed[0], row.affected[0]);
        if happened.iter().all(|one| one.is_seen_without_more_by(&unseen)) {
            unneeded.push(name);
        } else if happened.iter().all(|one| one.is_seen_by(&unseen)) {
            twice.push(name);
        }
    }
    assert!(unneeded.is_empty(), "without these nothing is wrong: {unneeded:#?}");
    assert_eq!(twice, SAID_TWICE);
}
