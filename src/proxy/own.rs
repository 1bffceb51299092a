//! What nbproxy reads for itself, by the road that clients' reads take: from memory where that may answer, under the same
//! keys, and kept for clients as well.

use std::error::Error;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::AGE;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Limited};

use super::Inner;
use super::acl::Permit;
use super::auth::Origin;
use super::branches::Standing;
use super::outcome::Outcome;
use super::plan::Plan;
use super::reply::{Reply, ReplyBody};
use super::request::{Request, Target};
use crate::cache::clock::Moment;
use crate::cache::key::Key;
use crate::cache::public::PublicBase;

/// The longest answer that is read, in bytes: ten times NetBox's OpenAPI document.
const LONGEST: usize = 128 * 1024 * 1024;

/// What NetBox has said.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) body: Bytes,
    pub(super) origin: Option<Origination>,
}

/// Where an answer comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origination {
    /// When NetBox was asked.
    pub(super) asked: Moment,
    /// How old its answer may have been then: it, too, has a cache.
    pub(super) age: Duration,
}

impl Inner {
    /// Reads `target`, a path and query of NetBox's API without its sub-path, with the shared token.
    ///
    /// # Errors
    /// Why there is no answer, in one word.
    pub(super) async fn own(self: &Arc<Self>, target: &str, headers: HeaderMap) -> Result<Told, &'static str> {
        let permit = self.access.load().acl.own();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let target = Target::read(path, query, &HeaderMap::new(), "").map_err(|error| error.as_str())?;
        let base = PublicBase::new(false, Authority::from_static("nbproxy"));
        let origin = Origin { address: Ipv4Addr::LOCALHOST.into(), certificate: None };
        let request =
            Request { method: Method::GET, headers, target, origin, base: base.clone(), body: None, whole: true };
        let asked = self.clock.now();
        let (reply, key) = self.ask_for_own(&permit, request).await?;
        if reply.status != StatusCode::OK {
            return Err("refused");
        }
        let just_now = match reply.outcome {
            Outcome::Filled { .. } | Outcome::Bypass(_) => true,
            Outcome::Hit { .. } | Outcome::Stale { .. } | Outcome::Joined { .. } | Outcome::Written => false,
        };
        if just_now {
            let origin = Some(Origination { asked, age: age(reply.headers.get(AGE)) });
            return Ok(Told { body: whole(reply.body).await?, origin });
        }
        // Memory knows when it asked.
        let entry = key.and_then(|key| self.store.get(&key));
        if let Some((body, entry)) = entry.and_then(|entry| Some((entry.body(&base)?, entry))) {
            let origin = Origination { asked: entry.core().stored, age: age(entry.head().get(&AGE)) };
            return Ok(Told { body, origin: Some(origin) });
        }
        Ok(Told { body: whole(reply.body).await?, origin: None })
    }

    async fn ask_for_own(
        self: &Arc<Self>,
        permit: &Permit,
        request: Request,
    ) -> Result<(Reply, Option<Key>), &'static str> {
        let failed = |error: super::error::ProxyError| error.as_str();
        match self.plan(permit, None, &request, Standing::Sure) {
            Plan::Read(read) => Ok((self.read(permit, &read, request).await.map_err(failed)?, Some(read.key))),
            Plan::Pass(reason) => {
                Ok((self.pass(permit, request, Outcome::Bypass(reason)).await.map_err(failed)?, None))
            }
            Plan::NotCached | Plan::Write(_) => Err("not-a-read"),
        }
    }
}

/// How old an answer says it may be (RFC 9111, section 5.1). Its seconds are whole ones, cut off.
fn age(said: Option<&HeaderValue>) -> Duration {
    let Some(value) = said else { return Duration::ZERO };
    let seconds = value.to_str().ok().and_then(|text| text.trim().parse::<u64>().ok());
    seconds.map_or(Duration::MAX, |seconds| Duration::from_secs(seconds.saturating_add(1)))
}

async fn whole(body: ReplyBody) -> Result<Bytes, &'static str> {
    match body {
        ReplyBody::None => Ok(Bytes::new()),
        ReplyBody::Whole(bytes) => Ok(bytes),
        ReplyBody::Long(long) => collect(*long).await,
        ReplyBody::Arriving(arriving) => collect(arriving).await,
    }
}

async fn collect(body: impl Body<Data = Bytes, Error: Error + Send + Sync + 'static>) -> Result<Bytes, &'static str> {
    let collected = Limited::new(body, LONGEST).collect().await;
    collected.map(http_body_util::Collected::to_bytes).map_err(|_| "answer-cut")
}
