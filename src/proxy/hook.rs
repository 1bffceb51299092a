//! NetBox's webhooks: a hint that something was changed elsewhere. It outdates at once what it may concern, and has the
//! changelog looked at now; what becomes of the change is the changelog's to say.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use tokio::sync::SemaphorePermit;

use super::auth::Denied;
use super::error::{BadRequest, ProxyError};
use super::request::{RequestBody, SMALL};
use super::{Inner, Proxy};
use crate::cache::epochs::Scope;
use crate::invalidation::bus::Source;
use crate::invalidation::changed::Changed;
use crate::invalidation::webhook::{Delivery, Secret, Signature};
use crate::netbox::outgoing::{OutgoingBody, Progress};
use crate::netbox::version;

/// Bytes of a webhook's body. There is one whole object in it, before and after its change.
pub const LONGEST: u64 = SMALL;

/// Bodies in memory at once: who sends one is not known before it is there.
pub(super) const AT_ONCE: usize = 64;

/// How long a body may take, the wait for others among it. NetBox has it ready when it begins to send.
const BODY_TIME: Duration = Duration::from_secs(10);

/// How long after a webhook the change that it tells of may still be uncommitted. Where NetBox queues webhooks amid its
/// transaction (django-rq before 4.0, so NetBox before 4.5.7, or `COMMIT_MODE` `auto`) nothing bounds it; a worker takes the
/// webhook up within the second, and what is committed later than this is seen by the changelog, as if there were no webhook.
const COMMIT: Duration = Duration::from_secs(2);

/// NetBox's name for it (`extras/webhooks.py`).
const SIGNATURE: &str = "x-hook-signature";

impl Proxy {
    /// Whether webhooks are taken: there is a secret by which NetBox is known.
    pub fn takes_webhooks(&self) -> bool {
        self.inner.webhook_secret.load().is_some()
    }

    /// Knows NetBox's webhooks by this secret, from the next one on; takes none without.
    pub fn replace_webhook_secret(&self, secret: Option<Arc<Secret>>) {
        self.inner.webhook_secret.store(secret);
    }

    /// Takes a webhook. When this returns, what is remembered of the scope that it tells of is outdated; by one that is heard
    /// again nothing is.
    ///
    /// # Errors
    /// [`Denied::Unsigned`]; [`BadRequest`] for a body that is too large, takes too long, or is none of NetBox's. The last of
    /// these outdates all of main: who signed it had something to tell.
    pub async fn hear(&self, headers: &HeaderMap, body: Option<RequestBody>) -> Result<(), ProxyError> {
        let inner = &self.inner;
        let Some(secret) = inner.webhook_secret.load_full() else { return Err(ProxyError::NotMirrored) };
        // Before the body is read: who cannot sign need not send one.
        let signature = headers.get(SIGNATURE).and_then(|value| Signature::parse(value.as_bytes()));
        let signature = signature.ok_or(Denied::Unsigned)?;
        let read = tokio::time::timeout(BODY_TIME, inner.read_hook(body));
        let (body, _place) = read.await.map_err(|_| BadRequest::Body)??;
        if !secret.has_signed(&body, &signature) {
            return Err(Denied::Unsigned.into());
        }
        let delivery = Delivery::read(&body);
        match &delivery {
            Ok(delivery) if delivery.is_dated && !inner.hooks_heard.note(&signature) => {
                tracing::debug!("a webhook was heard before");
                inner.feed.look_now();
            }
            Ok(delivery) => inner.outdate(delivery.told.scope(inner.precision)),
            Err(_) => inner.outdate(Changed::Unknown.scope(inner.precision)),
        }
        delivery.map(drop).map_err(|error| BadRequest::from(error).into())
    }
}

impl Inner {
    /// The body, and its place in memory.
    async fn read_hook(&self, body: Option<RequestBody>) -> Result<(Bytes, SemaphorePermit<'_>), ProxyError> {
        let place = self.hooks.acquire().await.map_err(|_| ProxyError::Lost)?;
        let body = match body {
            None => OutgoingBody::Empty,
            Some(body) => body.prepare(&Progress::new()).await?,
        };
        match body {
            OutgoingBody::Empty => Ok((Bytes::new(), place)),
            OutgoingBody::Whole(body) => Ok((body, place)),
            OutgoingBody::Stream { .. } => Err(BadRequest::BodyTooLarge { limit: LONGEST }.into()),
        }
    }

    fn outdate(&self, scope: Scope) {
        tracing::debug!(?scope, "a webhook tells of a change");
        if self.sees_commits() {
            self.bus.publish(scope, Source::Webhook);
        } else {
            // What is fetched now may be from before the change.
            self.bus.doubt_for(scope, Source::Webhook, COMMIT);
        }
        self.feed.look_now();
    }

    /// Whether NetBox sends webhooks after its commits, unless it is told otherwise, and would be seen through the changelog
    /// if it was. Then answers may be kept again at once: where webhooks come all the time, nothing would be, ever.
    fn sees_commits(&self) -> bool {
        let after = self.watch.version().is_some_and(|version| version::is_at_least(&version, 4, 6));
        after && self.feed.confirmed().is_some()
    }
}
