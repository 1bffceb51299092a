//! The answer on its way to a client.

use bytes::Bytes;
use http::header::{AGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_LOCATION, DATE, ETAG, EXPIRES, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use uuid::Uuid;

use super::body::LongBody;
use super::headers::{REQUEST_ID, localize};
use super::outcome::Outcome;
use super::rewrite::Links;
use crate::cache::clock::Moment;
use crate::cache::entry::{Entry, Selected};
use crate::cache::public::PublicBase;
use crate::cache::tag::{Known, Validator};

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
    /// Still arriving.
    Long(Box<LongBody>),
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
    let has = has(entry.validator(), tag.as_ref(), outcome, to.known);
    let (status, mut headers, body) = match has {
        Some(tag) => (StatusCode::NOT_MODIFIED, of_not_modified(&core.headers, tag), ReplyBody::None),
        None => {
            let mut headers = core.headers.clone();
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

/// The tag by which the client has this answer already, if it does.
///
/// NetBox's own tag counts for what memory holds and nothing has changed of since: it stays the same when what an object
/// shows of others has changed, and who has just been answered by NetBox may have it from before that.
fn has(validator: &Validator, tag: Option<&HeaderValue>, outcome: Outcome, known: &Known) -> Option<HeaderValue> {
    if known.is_empty() {
        return None;
    }
    match validator {
        Validator::None => None,
        Validator::Bytes(_) => known.strongly(tag?),
        Validator::Netbox { ambiguous: true, .. } => None,
        Validator::Netbox { tag, .. } => (outcome.is_coherent() && known.weakly(tag)).then(|| tag.clone()),
    }
}

/// What a client is told of an answer that it has (RFC 9110, section 15.4.5), and NetBox's version, which pynetbox looks for.
fn of_not_modified(headers: &HeaderMap, tag: HeaderValue) -> HeaderMap {
    let mut told = HeaderMap::with_capacity(8);
    for name in [DATE, VARY, CACHE_CONTROL, CONTENT_LOCATION, EXPIRES, HeaderName::from_static("api-version")] {
        if let Some(value) = headers.get(&name) {
            told.insert(name, value.clone());
        }
    }
    told.insert(ETAG, tag);
    told
}

/// An id for a request that NetBox never saw, in the form of NetBox's own.
pub fn fresh_id() -> HeaderValue {
    let mut buffer = Uuid::encode_buffer();
    let text = Uuid::new_v4().hyphenated().encode_lower(&mut buffer);
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("-"))
}
