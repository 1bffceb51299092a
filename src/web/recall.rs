//! Heads of requests that have come before, byte for byte, and what is known of each. Whoever sends the same bytes from the
//! same place over the same kind of connection asks for the same.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::Request;
use bytes::Bytes;
use http::header::{CONNECTION, EXPECT, UPGRADE};
use http::{Method, Version};
use http_body::Body as _;

use super::access_log::Line;
use super::mirror::Peer;
use super::{App, AppParts};
use crate::proxy::Rules;
use crate::proxy::auth::Caller;
use crate::proxy::recall::{Again, Recall};
use crate::proxy::request::Request as Asked;
use crate::telemetry::metrics::Hits;

/// Heads of one generation: when there are so many, the generation before is forgotten.
const GENERATION: usize = 4096;

/// While many others come than there is room for, one of so many is remembered: to remember costs more than it brings then.
const ONE_IN: u64 = 16;

/// Longer heads are not worth it, in bytes.
pub const LONGEST: usize = 2048;

/// Bytes that stand before a head: where it comes from.
pub const FROM: usize = 17;

/// Known heads.
#[derive(Debug, Default)]
pub(super) struct Recalls {
    generations: RwLock<Generations>,
    refused: AtomicU64,
}

#[derive(Debug, Default)]
struct Generations {
    /// By which all of them were judged.
    rules: Option<Rules>,
    young: HashMap<Box<[u8]>, Arc<Known>>,
    old: HashMap<Box<[u8]>, Arc<Known>>,
}

#[derive(Debug)]
pub(super) struct Known {
    recall: Recall,
    caller: Arc<str>,
    endpoint: Arc<str>,
    hits: Hits,
}

/// Where a head comes from: whether by TLS, and the address.
pub fn from(peer: &Peer) -> [u8; FROM] {
    let mut from = [0; FROM];
    let octets = match peer.address {
        std::net::IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        std::net::IpAddr::V6(address) => address.octets(),
    };
    from.iter_mut().zip([u8::from(peer.tls)].into_iter().chain(octets)).for_each(|(slot, byte)| *slot = byte);
    from
}

impl App {
    /// The answer to a request whose head, with where it [comes from](from) before it, has come before; `None` where the road
    /// has to be taken.
    pub fn again(&self, peer: &Peer, head: &[u8]) -> Option<(Bytes, Bytes)> {
        let app = &self.0;
        let known = app.recalls.get(head)?;
        let began = app.clock.now();
        let Again { status, outcome, request_id, head, body } = app.proxy.again(&known.recall)?;
        let mut line = Line::since(began, app, Method::GET, peer.address);
        line.endpoint(Arc::clone(&known.endpoint));
        line.caller(Arc::clone(&known.caller));
        line.outcome(outcome.as_str(), outcome.detail());
        line.request_id(Some(&request_id));
        line.written(status, body.len() as u64, &known.hits);
        Some((head, body))
    }
}

/// Whether a request is one that its head says everything of, and after which the connection goes on.
pub(super) fn is_plain(request: &Request, head: &[u8]) -> bool {
    let stays =
        request.headers().get_all(CONNECTION).iter().all(|value| value.as_bytes().eq_ignore_ascii_case(b"keep-alive"));
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    let line = head.get(FROM..).and_then(|head| head.strip_prefix(b"GET ")?.strip_prefix(target.as_bytes()));
    *request.method() == Method::GET
        && request.version() == Version::HTTP_11
        && request.body().is_end_stream()
        && stays
        && !request.headers().contains_key(EXPECT)
        && !request.headers().contains_key(UPGRADE)
        && line.is_some_and(|rest| rest.starts_with(b" HTTP/1.1\r\n"))
}

impl Recalls {
    fn get(&self, head: &[u8]) -> Option<Arc<Known>> {
        let generations = self.generations.read().unwrap_or_else(PoisonError::into_inner);
        generations.young.get(head).or_else(|| generations.old.get(head)).cloned()
    }

    /// Whether it is worth to remember one more.
    pub(super) fn has_room(&self) -> bool {
        let crowded = !self.generations.read().unwrap_or_else(PoisonError::into_inner).old.is_empty();
        !crowded || self.refused.fetch_add(1, Ordering::Relaxed).is_multiple_of(ONE_IN)
    }

    /// Remembers what became of a request with this head, which was judged by these rules and memory has answered. What was
    /// judged by others is forgotten, with the keys that stand in it.
    pub(super) fn put(&self, app: &AppParts, rules: &Rules, head: Box<[u8]>, caller: &Caller, asked: &Asked) {
        let Some(recall) = app.proxy.recall(rules, caller, asked) else { return };
        let endpoint = asked.target.path.name();
        let hits = app.metrics.hits(endpoint);
        let known = Known { recall, caller: caller.name().into(), endpoint: endpoint.into(), hits };
        let mut generations = self.generations.write().unwrap_or_else(PoisonError::into_inner);
        if generations.rules.as_ref() != Some(rules) {
            *generations = Generations { rules: Some(rules.clone()), ..Generations::default() };
        }
        if generations.young.len() >= GENERATION {
            generations.old = std::mem::take(&mut generations.young);
        }
        generations.young.insert(head, Arc::new(known));
    }
}
