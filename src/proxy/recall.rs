//! Requests that have come before, byte for byte: what the road made of them is known, and holds for as long as who may do
//! what stays as it is. What memory holds for them is looked up and judged each time, as for all others; whatever does not
//! turn out to be a plain hit takes the road.

use std::sync::{Arc, Weak};

use arc_swap::ArcSwapOption;
use bytes::{BufMut, Bytes, BytesMut};
use http::header::{AGE, CONTENT_LENGTH, DATE};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::access::Strictness;
use super::acl::{Intent, Permit};
use super::auth::Caller;
use super::branches::Standing;
use super::headers::REQUEST_ID;
use super::outcome::{Outcome, StaleReason};
use super::plan::{Plan, Read};
use super::read::{Found, WALK_CHANGED};
use super::reply::{CACHE_STATUS, Recipient, Reply, ReplyBody, fresh_id, of_entry};
use super::request::Request;
use super::walks::Walker;
use super::{Proxy, Rules};
use crate::cache::entry::{Entry, Selected};
use crate::cache::public::PublicBase;
use crate::netbox::branch::Branch;

/// Bytes that the lines take which each answer has of its own, at most.
const OF_ITS_OWN: usize = 160;

/// What the road made of a request.
#[derive(Debug)]
pub struct Recall {
    rules: Rules,
    permit: Permit,
    read: Box<Read>,
    base: PublicBase,
    ready: ArcSwapOption<Ready>,
}

/// An answer to it, as far as it stays the same.
#[derive(Debug)]
struct Ready {
    /// Of which entry; it is not held for this one's sake.
    entry: Weak<Entry>,
    status: StatusCode,
    /// The beginning of its head, as HTTP/1.1 writes it.
    head: Bytes,
}

/// An answer, as HTTP/1.1 writes it.
#[derive(Debug)]
pub struct Again {
    /// Its status.
    pub status: StatusCode,
    /// What became of the request: a hit.
    pub outcome: Outcome,
    /// Its id.
    pub request_id: HeaderValue,
    /// Its head, with the empty line.
    pub head: Bytes,
    /// Its body.
    pub body: Bytes,
}

impl Proxy {
    /// What is to be known of a request when it comes again that has been judged by these rules; `None` for what has to be looked at each time: visitors, branches,
    /// callers that are counted or held to filters.
    pub fn recall(&self, rules: &Rules, caller: &Caller, request: &Request) -> Option<Recall> {
        let inner = &self.inner;
        let access = &rules.0;
        let known = matches!(caller, Caller::Client(_) | Caller::Anonymous(_));
        let counted = access.rate(Some(caller), &request.origin).is_some();
        if !known || counted || access.strict(caller) != Strictness::Off {
            return None;
        }
        let permit = access.acl.permit(caller, &request.target, Intent::Read).ok()?;
        if permit.view().branch != Branch::Main {
            return None;
        }
        let walker = Walker::of(caller, request);
        match inner.plan(&permit, Some(walker), request, Standing::Sure) {
            Plan::Read(read) if !read.head => Some(Recall {
                rules: rules.clone(),
                permit,
                read,
                base: request.base.clone(),
                ready: ArcSwapOption::empty(),
            }),
            Plan::Read(_) | Plan::Pass(_) | Plan::NotCached | Plan::Write(_) => None,
        }
    }

    /// The answer to a request that has come before, if memory has it.
    pub fn again(&self, recall: &Recall) -> Option<Again> {
        let inner = &self.inner;
        if !Arc::ptr_eq(&inner.access.load(), &recall.rules.0) {
            return None;
        }
        let (read, now) = (&recall.read, inner.clock.now());
        let Found::Fresh(entry) = inner.look_up(&recall.permit, read, now) else { return None };
        let outcome = inner.outcome(read, &entry, now, StaleReason::MaxStale);
        let selected = entry.select(&recall.base, read.accepted).filter(|selected| selected.missing.is_none())?;
        if !matches!(outcome, Outcome::Hit { .. }) {
            return None;
        }
        let body = selected.body.clone();
        let ready = recall.ready.load_full().filter(|ready| std::ptr::eq(ready.entry.as_ptr(), Arc::as_ptr(&entry)));
        let ready = match ready {
            Some(ready) => ready,
            None => {
                let to = Recipient { base: &recall.base, links: &inner.links, head: false, known: &read.known, now };
                let ready = Arc::new(Ready::of(&entry, selected, outcome, &to)?);
                recall.ready.store(Some(Arc::clone(&ready)));
                ready
            }
        };
        inner.feed.asked(now);
        inner.hit(&recall.permit, read, &recall.base, &entry, now);
        let core = entry.core();
        let cache_status = match inner.breaks_walk(read, &core.witness, core.continues(), now) {
            true => outcome.cache_status_because(WALK_CHANGED),
            false => outcome.cache_status(),
        };
        let request_id = fresh_id();
        let mut head = BytesMut::with_capacity(ready.head.len() + OF_ITS_OWN);
        head.extend_from_slice(&ready.head);
        line(&mut head, AGE.as_str(), &HeaderValue::from(now.since(core.stored).as_secs()));
        line(&mut head, REQUEST_ID.as_str(), &request_id);
        line(&mut head, CACHE_STATUS.as_str(), &cache_status);
        head.put_slice(b"\r\n");
        let body = if ready.status == StatusCode::NOT_MODIFIED { Bytes::new() } else { body };
        Some(Again { status: ready.status, outcome, request_id, head: head.freeze(), body })
    }
}

impl Ready {
    /// `None` where the answer is not like all others: without the time at which NetBox gave it.
    fn of(entry: &Arc<Entry>, selected: Selected, outcome: Outcome, to: &Recipient<'_>) -> Option<Self> {
        let Reply { status, mut headers, body, .. } = of_entry(entry, selected, outcome, None, to);
        headers.contains_key(DATE).then_some(())?;
        if let ReplyBody::Whole(bytes) = body {
            headers.insert(CONTENT_LENGTH, bytes.len().into());
        }
        Some(Self { entry: Arc::downgrade(entry), status, head: begin(status, &headers) })
    }
}

/// Status line and headers, without those that each answer has of its own.
fn begin(status: StatusCode, headers: &HeaderMap) -> Bytes {
    let mut head = BytesMut::with_capacity(1024);
    head.put_slice(format!("HTTP/1.1 {} {}\r\n", status.as_str(), status.canonical_reason().unwrap_or("")).as_bytes());
    for (name, value) in headers.iter().filter(|(name, _)| ![AGE, REQUEST_ID, CACHE_STATUS].contains(name)) {
        line(&mut head, name.as_str(), value);
    }
    head.freeze()
}

fn line(head: &mut BytesMut, name: &str, value: &HeaderValue) {
    head.put_slice(name.as_bytes());
    head.put_slice(b": ");
    head.put_slice(value.as_bytes());
    head.put_slice(b"\r\n");
}
