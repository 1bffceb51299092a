//! The admin listener's handlers: is it alive, is it ready, what does it count.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use subtle::ConstantTimeEq;

use super::error::json;
use super::readiness::{Readiness, Stage};
use crate::netbox::token::{Fingerprint, Token};
use crate::proxy::Proxy;
use crate::proxy::auth::credentials;
use crate::telemetry::metrics::{Metrics, Snapshot};

/// What opens the figures.
#[derive(Debug, Clone)]
pub enum Access {
    /// Whoever reaches the listener: it is on loopback.
    Open,
    /// `Authorization: Bearer` with this token.
    Token(Arc<Token>),
    /// Nothing: the listener is beyond loopback, and there is no token.
    Closed,
}

/// What the admin listener's handlers share.
#[derive(Debug)]
pub(super) struct AdminState {
    pub(super) proxy: Proxy,
    pub(super) metrics: Arc<Metrics>,
    pub(super) readiness: Readiness,
    pub(super) access: Access,
}

pub(super) async fn healthz() -> Response {
    json(StatusCode::OK, "alive")
}

pub(super) async fn readyz(State(state): State<Arc<AdminState>>) -> Response {
    match state.readiness.stage() {
        Stage::Ready => match state.proxy.feed_trouble() {
            None => json(StatusCode::OK, "ready"),
            Some(reason) => json(StatusCode::OK, &format!("ready; changes made elsewhere are not followed: {reason}")),
        },
        Stage::Starting => json(StatusCode::SERVICE_UNAVAILABLE, "NetBox has not been reached with the token yet"),
        Stage::Draining => json(StatusCode::SERVICE_UNAVAILABLE, "shutting down"),
    }
}

pub(super) async fn metrics(State(state): State<Arc<AdminState>>, headers: HeaderMap) -> Response {
    if !state.access.admits(&headers) {
        return json(StatusCode::FORBIDDEN, "the admin token is wanted");
    }
    let (entries, bytes) = state.proxy.store().size();
    let gate = state.proxy.session().gate();
    let text = state.metrics.render(Snapshot {
        entries,
        bytes,
        evictions: state.proxy.store().evictions(),
        in_flight: gate.in_flight(),
        waiting: gate.waiting(),
        ready: state.readiness.stage() == Stage::Ready,
    });
    ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}

pub(super) async fn nothing_here() -> Response {
    json(StatusCode::NOT_FOUND, "the admin listener has /healthz, /readyz and /metrics")
}

impl Access {
    fn admits(&self, headers: &HeaderMap) -> bool {
        let token = match self {
            Self::Open => return true,
            Self::Closed => return false,
            Self::Token(token) => token,
        };
        let given = credentials(headers, &["bearer"]).unwrap_or_default();
        Fingerprint::of(given.as_bytes()).as_bytes().ct_eq(token.fingerprint().as_bytes()).into()
    }
}
