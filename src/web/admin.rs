//! The admin listener's handlers: is it alive, is it ready, what does it count; and what its operators may do.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;

use super::error::{self, json};
use super::readiness::{Readiness, Stage};
use crate::proxy::Proxy;
use crate::proxy::warm::Cold;
use crate::telemetry::metrics::{Metrics, Snapshot};

pub(super) mod access;
pub(super) mod cache;
pub(super) mod warm;

pub use access::Access;

use access::Refusal;
use cache::BadOrder;

/// What the admin listener's handlers share.
#[derive(Debug)]
pub(super) struct AdminState {
    pub(super) proxy: Proxy,
    pub(super) metrics: Arc<Metrics>,
    pub(super) readiness: Readiness,
    pub(super) access: Access,
}

/// Why an operator is not served.
#[derive(Debug, thiserror::Error)]
pub(super) enum AdminError {
    /// It is not known to be one.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The order cannot be understood.
    #[error(transparent)]
    BadOrder(#[from] BadOrder),
    /// What is to be warmed cannot be.
    #[error(transparent)]
    Cold(#[from] Cold),
    /// A task of nbproxy's ended before its end.
    #[error("nbproxy lost track of this")]
    Lost,
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        error::of_admin(&self)
    }
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

pub(super) async fn metrics(State(state): State<Arc<AdminState>>) -> Response {
    let (entries, bytes) = state.proxy.store().size();
    let gate = state.proxy.session().gate();
    let text = state.metrics.render(Snapshot {
        entries,
        bytes,
        evictions: state.proxy.store().evictions(),
        in_flight: gate.in_flight(),
        waiting: gate.waiting(),
        ready: state.readiness.stage() == Stage::Ready,
        filters_known: state.proxy.filters_known(),
        changelog_lag: state.proxy.changelog_lag(),
    });
    ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}

pub(super) async fn nothing_here() -> Response {
    json(
        StatusCode::NOT_FOUND,
        "the admin listener has /healthz, /readyz, /metrics, /cache, /cache/purge and /cache/warm",
    )
}
