//! The answer on its way to a client.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{AGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_LOCATION, DATE, ETAG, EXPIRES, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use uuid::Uuid;

use super::arrival::{Arrival, ArrivingBody};
use super::body::LongBody;
use super::headers::{REQUEST_ID, localize};
use super::outcome::Outcome;
use super::rewrite::Links;
use crate::cache::clock::Moment;
use crate::cache::entry::{Entry, Selected};
use crate::cache::head::Head;
use crate::cache::public::PublicBase;
use crate::cache::tag::Known;

/// RFC 9211.
pub(super) const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// The status, NetBox's own.
    pub status: StatusCode,
    /// The headers, complete.
    pub headers: HeaderMap,
    /// The body.
    pub body: ReplyBody,
    /// What became of the request.
    pub outcome: Outcome,
}

/// The body of a reply.
#[derive(Debug)]
pub enum ReplyBody {
    /// None: the reply to a HEAD, whose `Content-Length` stands in the headers.
    None,
    /// In memory, shared with the cache.
    Whole(Bytes),
    /// Still arriving, and for this client alone.
    Long(Box<LongBody>),
    /// Still arriving, and for all who asked for it.
    Arriving(ArrivingBody),
}

impl ReplyBody {
    /// A body at hand; to a HEAD only its length is told.
    pub(super) fn whole(body: Bytes, head: bool, headers: &mut HeaderMap) -> Self {
        if head {
            headers.insert(CONTENT_LENGTH, body.len().into());
            Self::None
        } else {
            Self::Whole(body)
        }
    }
}

/// For whom an answer in memory is made into a reply.
pub(super) struct Recipient<'a> {
    pub(super) base: &'a PublicBase,
    pub(super) links: &'a Links,
    pub(super) head: bool,
    pub(super) known: &'a Known,
    pub(super) now: Moment,
}

/// Makes a reply of an entry. `request_id` is NetBox's own, where the answer came from there just now.
pub(super) fn of_entry(
    entry: &Entry,
    selected: Selected,
    outcome: Outcome,
    request_id: Option<HeaderValue>,
    to: &Recipient<'_>,
) -> Reply {
    let core = entry.core();
    let Selected { body, coding, tag, .. } = selected;
    let has = tag.as_ref().and_then(|tag| to.known.strongly(tag));
    let (status, mut headers, body) = match has {
        Some(tag) => (StatusCode::NOT_MODIFIED, of_not_modified(entry.head(), tag), ReplyBody::None),
        None => {
            let mut headers = entry.head().to_map();
            localize(&mut headers, to.links, to.base);
            if let Some(tag) = tag {
                headers.insert(ETAG, tag);
            }
            if let Some(coding) = coding {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.as_str()));
            }
            let body = ReplyBody::whole(body, to.head, &mut headers);
            (core.status, headers, body)
        }
    };
    if outcome.is_from_memory() {
        headers.insert(AGE, to.now.since(core.stored).as_secs().into());
    }
    headers.insert(REQUEST_ID, request_id.unwrap_or_else(fresh_id));
    headers.insert(CACHE_STATUS, outcome.cache_status());
    Reply { status, headers, body, outcome }
}

/// What a client is told of an answer that it has (RFC 9110, section 15.4.5), and NetBox's version, which pynetbox looks for.
fn of_not_modified(head: &Head, tag: HeaderValue) -> HeaderMap {
    let mut told = HeaderMap::with_capacity(8);
    for name in [DATE, VARY, CACHE_CONTROL, CONTENT_LOCATION, EXPIRES, HeaderName::from_static("api-version")] {
        if let Some(value) = head.get(&name) {
            told.insert(name, value.clone());
        }
    }
    told.insert(ETAG, tag);
    told
}

/// Makes a reply of an answer that is still arriving.
pub(super) fn of_arrival(
    arrival: &Arc<Arrival>,
    outcome: Outcome,
    request_id: Option<HeaderValue>,
    links: &Links,
) -> Reply {
    let preface = &arrival.preface;
    let mut headers = preface.headers.clone();
    localize(&mut headers, links, &preface.base);
    headers.insert(REQUEST_ID, request_id.unwrap_or_else(fresh_id));
    headers.insert(CACHE_STATUS, outcome.cache_status());
    Reply { status: preface.status, headers, body: ReplyBody::Arriving(arrival.body()), outcome }
}

/// An id for a request that NetBox never saw, in the form of NetBox's own.
pub fn fresh_id() -> HeaderValue {
    let mut buffer = Uuid::encode_buffer();
    let text = Uuid::new_v4().hyphenated().encode_lower(&mut buffer);
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("-"))
}
