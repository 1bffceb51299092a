//! Which headers pass, in both directions. Requests are built from an allow-list; answers lose what is not theirs to
//! carry on (RFC 9110, section 7.6.1) and what would reveal or set a session.

use http::header::{
    ACCEPT, ACCEPT_LANGUAGE, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, IF_MATCH,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE, LOCATION, SERVER, SET_COOKIE, STRICT_TRANSPORT_SECURITY, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::rewrite::Links;
use crate::cache::policy::media_type;
use crate::cache::public::PublicBase;

/// What a request that is passed on may carry. Nothing else reaches NetBox: no cookie, no token of the client's, no
/// word of another host or address, and no name with `_`, which some servers take for one with `-`.
const PASSED: [HeaderName; 12] = [
    ACCEPT,
    ACCEPT_LANGUAGE,
    CACHE_CONTROL,
    CONTENT_ENCODING,
    CONTENT_TYPE,
    IF_MATCH,
    IF_MODIFIED_SINCE,
    IF_NONE_MATCH,
    IF_UNMODIFIED_SINCE,
    USER_AGENT,
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
];

/// What an answer loses: hop-by-hop fields, framing that is made anew, cookies (sessions end here), and what speaks
/// of NetBox's own server or origin.
const DROPPED: [HeaderName; 13] = [
    CONNECTION,
    CONTENT_LENGTH,
    SERVER,
    SET_COOKIE,
    STRICT_TRANSPORT_SECURITY,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("alt-svc"),
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-authenticate"),
    HeaderName::from_static("proxy-connection"),
];

/// Whom a request is sent for.
pub(super) const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The header by which NetBox names a request, in its changelog too.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What to send of a client's headers.
pub(super) fn to_upstream(headers: &HeaderMap) -> HeaderMap {
    let mut out = HeaderMap::with_capacity(8);
    for name in &PASSED {
        for value in headers.get_all(name) {
            out.append(name.clone(), value.clone());
        }
    }
    out
}

/// What to pass on of NetBox's headers.
pub(super) fn from_upstream(mut headers: HeaderMap) -> HeaderMap {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in DROPPED.iter().chain(&named) {
        headers.remove(name);
    }
    headers
}

/// Leads a `Location` below NetBox's base back through nbproxy.
pub(super) fn localize(headers: &mut HeaderMap, links: &Links, base: &PublicBase) {
    let Some(location) = headers.get(LOCATION).and_then(|value| value.to_str().ok()) else { return };
    let moved = links.move_location(location, base).and_then(|moved| HeaderValue::try_from(moved).ok());
    if let Some(moved) = moved {
        headers.insert(LOCATION, moved);
    }
}

/// Whether the body is JSON as NetBox writes it, in which links can be found.
pub(super) fn is_plain_json(headers: &HeaderMap) -> bool {
    media_type(headers) == "application/json" && !headers.contains_key(CONTENT_ENCODING)
}

/// The length NetBox announced, in bytes.
pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
