//! Requests that go to NetBox for one client, and the way of the answer back.

use std::sync::Arc;

use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Method, StatusCode};

use super::Inner;
use super::acl::Permit;
use super::body::{Gathered, gather};
use super::error::ProxyError;
use super::fetch::is_plain_json;
use super::headers::{content_length, from_upstream, localize, to_upstream};
use super::outcome::Outcome;
use super::plan::content;
use super::reply::{CACHE_STATUS, Reply, ReplyBody};
use super::request::{Request, RequestBody, Target};
use super::rewrite::Content;
use crate::cache::public::PublicBase;
use crate::netbox::gate::Place;
use crate::netbox::outgoing::{Outgoing, OutgoingBody, Progress};
use crate::netbox::session::Answer;

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
            content: content(&request.target.path),
            endpoint: request.target.path.name().to_owned(),
            head: request.method == Method::HEAD,
        }
    }
}

/// What to send for a client's request.
pub(super) fn outgoing(permit: &Permit, request: Request, progress: Progress) -> Outgoing {
    let Request { method, headers, target, body, .. } = request;
    let body = match body {
        None => OutgoingBody::Empty,
        Some(RequestBody { stream, length }) => OutgoingBody::Stream { stream, length, progress },
    };
    Outgoing {
        method,
        path_and_query: path_and_query(&target),
        headers: to_upstream(&headers),
        token: permit.token().cloned(),
        branch: permit.view().branch,
        body,
    }
}

fn path_and_query(target: &Target) -> String {
    let (path, query) = (target.path.encode(), target.query.encode());
    if query.is_empty() { path } else { format!("{path}?{query}") }
}

impl Inner {
    /// Passes a request to NetBox and its answer back; nothing is remembered.
    pub(super) async fn pass(&self, permit: &Permit, request: Request, outcome: Outcome) -> Result<Reply, ProxyError> {
        let receiver = Receiver::of(&request);
        let outgoing = outgoing(permit, request, Progress::new());
        let place = self.session.enter().await.map_err(ProxyError::from_upstream)?;
        let answer = self.send(place, outgoing, self.session.timeout()).await?;
        self.relay(answer, &receiver, outcome).await
    }

    /// Sends, and measures how long NetBox takes.
    pub(super) async fn send(
        &self,
        place: Place,
        outgoing: Outgoing,
        patience: std::time::Duration,
    ) -> Result<Answer, ProxyError> {
        let sent = self.clock.now();
        let answer = self.session.send(place, outgoing, patience).await;
        let took = self.clock.now().since(sent);
        let answer = answer.map_err(|error| {
            self.metrics.upstream("none", took);
            tracing::warn!(error = &error as &dyn std::error::Error, "netbox did not answer");
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

    /// Makes a reply of an answer: small ones whole, others while they arrive.
    pub(super) async fn relay(&self, answer: Answer, to: &Receiver, outcome: Outcome) -> Result<Reply, ProxyError> {
        let Answer { status, headers: theirs, body } = answer;
        if status.is_success() {
            self.metrics.endpoint_exists(&to.endpoint);
        }
        let rewriter = is_plain_json(&theirs).then(|| self.links.rewriter(&to.base, to.content));
        let length = content_length(&theirs).filter(|_| to.head && rewriter.is_none());
        let gathered = if to.head {
            None
        } else {
            let gathered = gather(&theirs, body, rewriter, SMALL).await;
            Some(gathered.map_err(|error| ProxyError::AnswerCut(Arc::new(error)))?)
        };
        let body = match gathered {
            None => ReplyBody::None,
            Some(Gathered::Long(body)) => ReplyBody::Long(Box::new(body)),
            Some(Gathered::Whole(whole)) => {
                self.check_token(status, &theirs, &whole.body)?;
                ReplyBody::Whole(whole.body)
            }
        };
        let mut headers = from_upstream(theirs);
        localize(&mut headers, &self.links, &to.base);
        if let Some(length) = length {
            headers.insert(CONTENT_LENGTH, length.into());
        }
        headers.insert(CACHE_STATUS, outcome.cache_status());
        Ok(Reply { status, headers, body, outcome })
    }

    /// NetBox refusing nbproxy's own token is nbproxy's trouble, not the client's.
    ///
    /// # Errors
    /// [`ProxyError::TokenRefused`].
    pub(super) fn check_token(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Result<(), ProxyError> {
        let refused = match status {
            // NetBox itself never says 401 (rest_framework without a WWW-Authenticate header); a gate before it may.
            StatusCode::UNAUTHORIZED => true,
            StatusCode::FORBIDDEN => is_plain_json(headers) && refuses_token(body),
            _ => false,
        };
        if !refused {
            return Ok(());
        }
        self.metrics.token_refused();
        tracing::error!("netbox refuses the upstream token: no client can be served until upstream.token is mended");
        Err(ProxyError::TokenRefused)
    }
}

/// The `detail` texts with which NetBox 4.x refuses a token (netbox/api/authentication.py), told from those with
/// which it refuses a permission.
fn refuses_token(body: &[u8]) -> bool {
    const TEXTS: [&str; 8] = [
        "Invalid v1 token",
        "Invalid v2 token",
        "Invalid token",
        "Invalid authorization header",
        "Token disabled",
        "Token expired",
        "User inactive",
        "Authentication credentials were not provided.",
    ];
    #[derive(serde::Deserialize)]
    struct Refusal {
        detail: String,
    }
    let Ok(Refusal { detail }) = serde_json::from_slice(body) else { return false };
    let address = detail.starts_with("Source IP ") && detail.contains("not permitted to authenticate");
    address || TEXTS.iter().any(|text| detail.starts_with(text))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_token_is_told_from_a_refused_permission() {
        for detail in [
            "Invalid v1 token",
            "Token expired",
            "Source IP 10.0.0.1 is not permitted to authenticate using this token.",
        ] {
            assert!(refuses_token(format!("{{\"detail\":\"{detail}\"}}").as_bytes()), "{detail}");
        }
        for body in [
            "{\"detail\":\"You do not have permission to perform this action.\"}",
            "{\"detail\":\"Invalid username/password\"}",
            "[]",
            "",
        ] {
            assert!(!refuses_token(body.as_bytes()), "{body}");
        }
    }
}
