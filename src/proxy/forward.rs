//! Requests that go to NetBox for one client, and the way of the answer back.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};

use super::Inner;
use super::acl::Permit;
use super::body::{Gathered, gather};
use super::error::{BadRequest, ProxyError};
use super::headers::{from_upstream, is_plain_json, localize, to_upstream};
use super::outcome::Outcome;
use super::plan::content;
use super::reply::{CACHE_STATUS, Reply, ReplyBody};
use super::request::{Request, SMALL as LARGEST_QUERY};
use super::rewrite::{Content, Rewriter};
use crate::cache::public::PublicBase;
use crate::netbox::gate::Place;
use crate::netbox::outgoing::{Outgoing, OutgoingBody, Progress};
use crate::netbox::session::Answer;
use crate::netbox::transport::TransportError as UpstreamError;

/// Answers up to this many bytes are read whole, so that their length can be told and a broken one refused.
const SMALL: usize = 1024 * 1024;

/// For whom an answer is passed on.
pub(super) struct Receiver {
    base: PublicBase,
    content: Content,
    endpoint: String,
    head: bool,
}

impl Receiver {
    pub(super) fn of(request: &Request) -> Self {
        Self {
            base: request.base.clone(),
            content: content(&request.target.path.resource()),
            endpoint: request.target.path.name().to_owned(),
            head: request.method == Method::HEAD,
        }
    }
}

/// What to send for a client's request, once a small body has arrived.
pub(super) async fn outgoing(permit: &Permit, request: Request, progress: &Progress) -> Result<Outgoing, BadRequest> {
    let Request { method, headers, target, body, .. } = request;
    let body = match body {
        None => OutgoingBody::Empty,
        Some(body) => body.prepare(progress).await?,
    };
    // The answer to a HEAD says too little: not even whether NetBox refused the token.
    let method = if method == Method::HEAD { Method::GET } else { method };
    Ok(permit.outgoing(method, target.path.target(&target.query), to_upstream(&headers), body))
}

impl Inner {
    /// Passes a request to NetBox and its answer back; nothing is remembered.
    pub(super) async fn pass(&self, permit: &Permit, request: Request, outcome: Outcome) -> Result<Reply, ProxyError> {
        let receiver = Receiver::of(&request);
        let outgoing = outgoing(permit, request, &Progress::new()).await?;
        if matches!(outgoing.body, OutgoingBody::Stream { .. }) {
            // Queries are short. Streamed, they would hold a place at NetBox for as long as who may only read likes.
            return Err(BadRequest::BodyTooLarge { limit: LARGEST_QUERY }.into());
        }
        let place = self.session.enter().await.map_err(ProxyError::from_upstream)?;
        let answer = self.send(place, outgoing, self.session.timeout()).await?;
        self.relay(answer, permit, &receiver, outcome).await
    }

    /// Sends, and measures how long NetBox takes.
    pub(super) async fn send(
        &self,
        place: Place,
        outgoing: Outgoing,
        patience: Duration,
    ) -> Result<Answer, ProxyError> {
        let sent = self.clock.now();
        let answer = self.session.send(place, outgoing, patience).await;
        let took = self.clock.now().since(sent);
        let answer = answer.map_err(|error| {
            if !matches!(error, UpstreamError::RequestBody(_)) {
                self.metrics.upstream("none", took);
                tracing::debug!(error = &error as &dyn std::error::Error, "netbox did not answer");
            }
            if matches!(error, UpstreamError::Unreachable(_)) {
                self.feed.interrupt();
            }
            ProxyError::from_upstream(error)
        })?;
        self.metrics.upstream(class(answer.status), took);
        if !answer.status.is_server_error() {
            self.health.answered();
        }
        if let Some(version) = answer.headers.get("api-version").and_then(|value| value.to_str().ok()) {
            self.watch.observe_api_version(version);
        }
        Ok(answer)
    }

    /// What leads an answer's links back through nbproxy, if it can hold any.
    pub(super) fn rewriter(&self, headers: &HeaderMap, content: Content, base: &PublicBase) -> Option<Rewriter> {
        let linked = content != Content::Document && is_plain_json(headers);
        linked.then(|| self.links.rewriter(base, content))
    }

    /// Makes a reply of an answer: small ones whole, others while they arrive.
    pub(super) async fn relay(
        &self,
        answer: Answer,
        permit: &Permit,
        to: &Receiver,
        outcome: Outcome,
    ) -> Result<Reply, ProxyError> {
        let Answer { status, headers: theirs, body } = answer;
        if status.is_success() {
            self.metrics.endpoint_exists(&to.endpoint);
        }
        let rewriter = self.rewriter(&theirs, to.content, &to.base);
        let gathered = gather(&theirs, body, rewriter, SMALL).await;
        let gathered = gathered.map_err(|error| ProxyError::AnswerCut(Arc::new(error)))?;
        let mut headers = from_upstream(theirs);
        let body = match gathered {
            Gathered::Long(_) if to.head => ReplyBody::None,
            Gathered::Long(body) => ReplyBody::Long(Box::new(body)),
            Gathered::Whole(whole) => {
                self.check_token(permit, status, &headers, &whole.body)?;
                ReplyBody::whole(whole.body, to.head, &mut headers)
            }
        };
        localize(&mut headers, &self.links, &to.base);
        headers.insert(CACHE_STATUS, outcome.cache_status());
        Ok(Reply { status, headers, body, outcome })
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        500..=599 => "5xx",
        _ => "1xx",
    }
}
