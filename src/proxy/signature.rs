//! The client's name in NetBox's changelog: with a shared token all writes are one user's there.
//!
//! NetBox takes a `changelog_message` beside the fields of a write, single and bulk, since version 4.4.

use std::collections::BTreeMap;

use bytes::{BufMut, Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use serde_json::value::RawValue;

use super::request::Request;
use crate::cache::policy::media_type;
use crate::netbox::object::{Endpoint, Resource};
use crate::netbox::outgoing::{Outgoing, OutgoingBody};
use crate::netbox::version;

const FIELD: &str = "changelog_message";

/// NetBox's own limit (core/models/change_logging.py, `message`).
const LONGEST: usize = 200;

/// Whether NetBox takes a message with this write: it creates, changes or deletes objects whose changes are logged.
pub(super) fn is_taken(request: &Request, version: Option<&str>) -> bool {
    let known = version.is_some_and(|version| version::is_at_least(version, 4, 4));
    let bodied = matches!(request.method, Method::POST | Method::PUT | Method::PATCH | Method::DELETE);
    let json = request.body.is_none() || media_type(&request.headers) == "application/json";
    // Without a body only a DELETE of one object is whole.
    let whole = request.body.is_some() || request.method == Method::DELETE;
    known && bodied && json && whole && is_logged(&request.target.path.resource())
}

/// Adds the client's name, where the client has no message of its own. What is no JSON object or list of objects is left to
/// NetBox to judge.
pub(super) fn sign(outgoing: &mut Outgoing, client: &str) {
    let name: String = client.chars().take(LONGEST - 20).collect();
    let message = serde_json::Value::from(format!("{name} (by nbproxy)")).to_string();
    let signed = match &outgoing.body {
        OutgoingBody::Empty => Some(format!("{{\"{FIELD}\":{message}}}").into()),
        OutgoingBody::Whole(body) => signed(body, &message),
        // Larger than is worth holding: signed nowhere, as the audit log says who it was.
        OutgoingBody::Stream { .. } => None,
    };
    if let Some(signed) = signed {
        outgoing.headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        outgoing.body = OutgoingBody::Whole(signed);
    }
}

/// The body with the message put into each of its objects that has none. The client's own text is kept as it is.
fn signed(body: &[u8], message: &str) -> Option<Bytes> {
    let mut out = BytesMut::with_capacity(body.len() + message.len() + 32);
    let text = std::str::from_utf8(body).ok()?.trim();
    if text.starts_with('{') {
        put(&mut out, text, message)?;
        return Some(out.freeze());
    }
    let rows: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    out.put_u8(b'[');
    for (index, row) in rows.iter().enumerate() {
        if index > 0 {
            out.put_u8(b',');
        }
        put(&mut out, row.get(), message)?;
    }
    out.put_u8(b']');
    Some(out.freeze())
}

/// Puts the message first: were a message of the client's overlooked, it would stand later and win.
fn put(out: &mut BytesMut, object: &str, message: &str) -> Option<()> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(object).ok()?;
    let own = members.get(FIELD).is_some_and(|message| !matches!(message.get(), "null" | "\"\""));
    if own {
        out.put_slice(object.as_bytes());
        return Some(());
    }
    if members.contains_key(FIELD) {
        // An empty one, which would win over what stands before it.
        let mut members = members;
        members.remove(FIELD);
        out.put_slice(format!("{{\"{FIELD}\":{message}").as_bytes());
        for (name, value) in members {
            out.put_slice(format!(",{}:{}", serde_json::Value::from(name), value.get()).as_bytes());
        }
        out.put_u8(b'}');
        return Some(());
    }
    let rest = object.strip_prefix('{')?;
    let comma = if members.is_empty() { "" } else { "," };
    out.put_slice(format!("{{\"{FIELD}\":{message}{comma}{rest}").as_bytes());
    Some(())
}

/// Endpoints whose serializers take a message (NetBox 4.4 to 4.6: those of `NetBoxModelSerializer` and of
/// `ChangeLoggedModelSerializer`). Others would ignore it, or, like a user's own settings, keep it.
fn is_logged(resource: &Resource<'_>) -> bool {
    let (Resource::List(endpoint) | Resource::Object(endpoint, _)) = resource else { return false };
    match endpoint {
        Endpoint { plugin: true, .. } => false,
        Endpoint { app: "circuits" | "dcim" | "ipam" | "tenancy" | "virtualization" | "vpn" | "wireless", .. } => true,
        Endpoint { app: "extras", name, .. } => LOGGED_EXTRAS.contains(name),
        Endpoint { .. } => false,
    }
}

const LOGGED_EXTRAS: [&str; 12] = [
    "config-context-profiles",
    "config-contexts",
    "config-templates",
    "custom-field-choice-sets",
    "custom-fields",
    "custom-links",
    "event-rules",
    "export-templates",
    "journal-entries",
    "notification-groups",
    "tags",
    "webhooks",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn sign(body: &str) -> Option<String> {
        signed(body.as_bytes(), "\"m\"").map(|signed| String::from_utf8(signed.to_vec()).unwrap())
    }

    #[test]
    fn the_message_is_added_and_nothing_else_changes() {
        for (body, expected) in [
            (r#"{"name":"x", "a": 1.50}"#, r#"{"changelog_message":"m","name":"x", "a": 1.50}"#),
            ("{}", r#"{"changelog_message":"m"}"#),
            (" { } ", r#"{"changelog_message":"m" }"#),
            (r#"[{"id":1},{"id":2}]"#, r#"[{"changelog_message":"m","id":1},{"changelog_message":"m","id":2}]"#),
            (r#"{"changelog_message":"own"}"#, r#"{"changelog_message":"own"}"#),
            (r#"{"changelog\u005fmessage":"own"}"#, r#"{"changelog\u005fmessage":"own"}"#),
            (r#"{"a":1,"changelog_message":""}"#, r#"{"changelog_message":"m","a":1}"#),
            (
                r#"{"nested":{"changelog_message":"x"}}"#,
                r#"{"changelog_message":"m","nested":{"changelog_message":"x"}}"#,
            ),
            ("[]", "[]"),
        ] {
            assert_eq!(sign(body).as_deref(), Some(expected), "{body}");
        }
    }

    #[test]
    fn what_is_no_object_is_left_alone() {
        for body in ["", "1", "\"x\"", "[1]", "{", "{\"a\":1", "[{},1]", "{\"a\":1}x", "null"] {
            assert_eq!(sign(body), None, "{body}");
        }
    }
}
