//! One line for each request, when its answer is handed over or has flowed by; and its figures.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode};
use http_body::{Body as _, Frame, SizeHint};

use super::AppParts;
use crate::cache::clock::{Clock, Moment};
use crate::proxy::error::{ProxyError, Side};
use crate::telemetry::metrics::{Hits, Metrics};

/// nginx's word for a client that hangs up before it was answered; nobody is sent it.
const CLIENT_GONE: StatusCode = match StatusCode::from_u16(499) {
    Ok(status) => status,
    Err(_) => StatusCode::BAD_REQUEST,
};

/// What will be said of a request.
#[derive(Debug)]
pub(super) struct Line {
    metrics: Arc<Metrics>,
    clock: Clock,
    began: Moment,
    peer: IpAddr,
    method: Method,
    endpoint: Option<Arc<str>>,
    caller: Option<Arc<str>>,
    outcome: &'static str,
    detail: Option<&'static str>,
    request_id: Option<HeaderValue>,
    status: StatusCode,
    side: Option<Side>,
    /// The body broke off before its end.
    cut: bool,
    written: bool,
}

impl Line {
    pub(super) fn begin(app: &AppParts, request: &Request, peer: IpAddr) -> Self {
        Self::since(app.clock.now(), app, request.method().clone(), peer)
    }

    pub(super) fn since(began: Moment, app: &AppParts, method: Method, peer: IpAddr) -> Self {
        app.metrics.request_arrived();
        Self {
            metrics: Arc::clone(&app.metrics),
            clock: app.clock.clone(),
            began,
            peer,
            method,
            endpoint: None,
            caller: None,
            // What it is called if its client hangs up before there is an answer.
            outcome: "gone",
            detail: None,
            request_id: None,
            status: CLIENT_GONE,
            side: None,
            cut: false,
            written: false,
        }
    }

    pub(super) fn endpoint(&mut self, name: impl Into<Arc<str>>) {
        self.endpoint = Some(name.into());
    }

    pub(super) fn caller(&mut self, name: impl Into<Arc<str>>) {
        self.caller = Some(name.into());
    }

    pub(super) fn outcome(&mut self, outcome: &'static str, detail: Option<&'static str>) {
        (self.outcome, self.detail) = (outcome, detail);
    }

    pub(super) fn request_id(&mut self, id: Option<&HeaderValue>) {
        self.request_id = id.cloned();
    }

    pub(super) fn failed(&mut self, error: &ProxyError) {
        let denied = matches!(error, ProxyError::Denied(_) | ProxyError::Refused { .. } | ProxyError::TooOften { .. });
        self.outcome = if denied { "denied" } else { "failed" };
        (self.detail, self.side) = (Some(error.as_str()), Some(error.side()));
    }

    /// Counts the request, and writes the line: the body is handed over whole.
    pub(super) fn finish(mut self, response: Response) -> Response {
        let took = self.count(response.status());
        self.write(response.body().size_hint().exact().unwrap_or(0), took);
        response
    }

    /// Counts the request, and writes the line: all of the answer is at hand.
    pub(super) fn written(mut self, status: StatusCode, bytes: u64, hits: &Hits) {
        let took = self.took();
        self.status = status;
        hits.count(took);
        self.write(bytes, took);
    }

    /// Counts the request, and writes the line once the body has flowed by.
    pub(super) fn follow(mut self, response: Response) -> Response {
        self.count(response.status());
        let expected = response.body().size_hint().exact();
        response.map(|inner| Body::new(Counted { inner, line: self, bytes: 0, expected, ended: false }))
    }

    fn count(&mut self, status: StatusCode) -> Duration {
        let took = self.took();
        self.status = status;
        self.metrics.request(self.outcome, self.endpoint.as_deref().unwrap_or_default(), took);
        took
    }

    fn took(&self) -> Duration {
        self.clock.now().since(self.began)
    }

    fn write(&mut self, bytes: u64, took: Duration) {
        self.written = true;
        tracing::info!(
            target: "nbproxy::access",
            caller = self.caller.as_deref().unwrap_or_default(),
            peer = %self.peer,
            method = self.method.as_str(),
            endpoint = self.endpoint.as_deref().unwrap_or_default(),
            status = self.status.as_u16(),
            outcome = self.outcome,
            detail = self.detail,
            side = self.side.map(Side::as_str),
            request_id = self.request_id.as_ref().and_then(|id| id.to_str().ok()),
            time_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            bytes,
            cut = self.cut.then_some(true),
            "request"
        );
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.written {
            let took = self.count(self.status);
            self.write(0, took);
        }
        self.metrics.request_left();
    }
}

/// A body that flows on, and the line that is written when it ends, however it ends.
struct Counted {
    inner: Body,
    line: Line,
    bytes: u64,
    expected: Option<u64>,
    ended: bool,
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = std::task::ready!(Pin::new(&mut self.inner).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => self.bytes += frame.data_ref().map_or(0, Bytes::len) as u64,
            Some(Err(_)) => {}
            None => self.ended = true,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.line.cut = !self.ended && self.expected != Some(self.bytes);
        let took = self.line.took();
        self.line.write(self.bytes, took);
    }
}
