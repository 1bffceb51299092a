//! What NetBox's endpoints are like, as far as a cache must know. Data, with the reason beside each row.

use memchr::memmem;

use super::{Shape, Uncacheable};
use crate::netbox::object::{APPS, Resource};
use crate::netbox::query::Query;

/// Answers that change without a trace in the changelog, or that belong to one user.
const VOLATILE: [&str; 20] = [
    "core/jobs",              // progress
    "core/background-queues", // live figures
    "core/background-workers",
    "core/background-tasks",
    "core/data-sources",    // status of a running sync; parameters hold credentials
    "core/object-changes",  // grows with every request; what coherence is judged by cannot come from memory
    "authentication-check", // who am I
    "users/config",         // one user's own
    "extras/dashboard",
    "extras/bookmarks",
    "extras/notifications",
    "extras/subscriptions",
    "extras/saved-filters", // shared, or one user's own
    "extras/table-configs",
    "extras/scripts",             // status of the last run
    "dcim/connected-device",      // cabling leaves no change record
    "plugins/branching/branches", // status is changed by queryset.update
    "plugins/branching/branch-events",
    "plugins/branching/changes",
    "graphql", // can reach everything
];

/// Answers that may hold secrets: fields as given.
const SECRET: [&str; 7] = [
    "extras/webhooks",         // secret, additional_headers, body_template
    "extras/config-contexts",  // whatever people put there
    "ipam/fhrp-groups",        // auth_key
    "users/tokens",            // keys in plain text up to NetBox 4.4
    "vpn/ike-policies",        // preshared_key
    "wireless/wireless-lans",  // auth_psk
    "wireless/wireless-links", // auth_psk
];

/// Parameters whose effect depends on more than the data they filter.
const DEPENDENT: [&str; 6] = [
    "export", // renders a template with a type of its own
    "filter", // a saved filter, visible to some
    "filter_id",
    "created_by_request", // joins the changelog
    "updated_by_request",
    "modified_by_request",
];

/// The only answer below an object that is worth remembering and judged like others. `trace/` and `paths/` change
/// without a record, `available-*/` is an allocation's first half, plugins may do anything.
const BELOW: &str = "elevation";

pub(super) fn is_volatile(name: &str) -> bool {
    VOLATILE.contains(&name)
}

pub(super) fn is_secret(name: &str) -> bool {
    SECRET.contains(&name)
}

pub(super) fn shape(resource: &Resource<'_>) -> Result<Shape, Uncacheable> {
    match resource {
        Resource::Root | Resource::AppRoot | Resource::Status => Ok(Shape::Json),
        Resource::Schema => Ok(Shape::Document),
        Resource::List(endpoint) if endpoint.plugin => Ok(Shape::Json),
        Resource::List(endpoint) if APPS.contains(&endpoint.app) => Ok(Shape::Page),
        Resource::Object(endpoint, _) if endpoint.plugin || APPS.contains(&endpoint.app) => Ok(Shape::Json),
        Resource::Below(_, BELOW) => Ok(Shape::Json),
        Resource::Below(..) => Err(Uncacheable::Volatile),
        Resource::Single("installed-plugins") => Ok(Shape::Json),
        Resource::List(_) | Resource::Object(..) | Resource::Single(_) | Resource::GraphQl => Err(Uncacheable::Unknown),
    }
}

/// What lists and objects take is remembered; what other paths do is asked by nobody.
pub(super) fn description(resource: &Resource<'_>) -> Result<Shape, Uncacheable> {
    match resource {
        Resource::List(endpoint) | Resource::Object(endpoint, _) if endpoint.plugin || APPS.contains(&endpoint.app) => {
            Ok(Shape::Description)
        }
        Resource::Root
        | Resource::AppRoot
        | Resource::Status
        | Resource::Schema
        | Resource::GraphQl
        | Resource::List(_)
        | Resource::Object(..)
        | Resource::Below(..)
        | Resource::Single(_) => Err(Uncacheable::Unknown),
    }
}

pub(super) fn has_dependent_parameter(query: &Query, document: bool) -> bool {
    let other_format = query.values("format").any(|format| format != b"json") && !document;
    other_format || DEPENDENT.iter().any(|name| query.has(name))
}

/// Whether the body is one JSON object or array from the first byte to the last, as far as its ends tell. The length
/// has been checked by then, so a body that is cut cannot end like this by chance of the wire.
pub(super) fn is_closed_json(body: &[u8]) -> bool {
    let (first, last) = (body.trim_ascii().first(), body.trim_ascii().last());
    matches!((first, last), (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')))
}

/// Whether this is what Django REST framework tells of a view (metadata.py): its name first, then what it renders and
/// parses.
pub(super) fn is_description(body: &[u8]) -> bool {
    let holds = |name: &str| memmem::find(body, name.as_bytes()).is_some();
    body.starts_with(b"{\"name\":") && holds("\"renders\":[") && holds("\"parses\":[")
}

/// Whether this is an OpenAPI document in one of the three types NetBox gives it.
pub(super) fn is_document(kind: &str, body: &[u8]) -> bool {
    let head = body.get(..body.len().min(64)).unwrap_or_default();
    match kind {
        "application/json" | "application/vnd.oai.openapi+json" => {
            is_closed_json(body) && memmem::find(head, b"\"openapi\"").is_some()
        }
        "application/vnd.oai.openapi" => head.starts_with(b"openapi:"),
        _ => false,
    }
}
