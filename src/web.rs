//! All that knows axum: requests become the road's own, replies become responses, errors become status codes.

use std::sync::Arc;

use axum::Router;
use axum::routing::{any, get};

use crate::cache::clock::Clock;
use crate::proxy::Proxy;
use crate::telemetry::metrics::Metrics;

mod access_log;
mod admin;
mod error;
mod mirror;
mod naming;
pub mod readiness;
mod upload;
mod webhook;

pub use mirror::Peer;
pub use naming::Naming;

use admin::AdminState;
use readiness::Readiness;

/// What the public listener's handlers share.
#[derive(Debug, Clone)]
pub struct App(Arc<AppParts>);

/// What an [`App`] is made of.
#[derive(Debug)]
pub struct AppParts {
    /// The road.
    pub proxy: Proxy,
    /// How clients' names for nbproxy are understood.
    pub naming: Naming,
    /// NetBox's sub-path.
    pub base_path: String,
    /// Bytes of a request's body.
    pub max_request_body: u64,
    /// The time.
    pub clock: Clock,
    /// The metrics.
    pub metrics: Arc<Metrics>,
}

impl App {
    /// Shares these.
    pub fn new(parts: AppParts) -> Self {
        Self(Arc::new(parts))
    }
}

/// The public listener: whatever comes is NetBox's, or nobody's, but for NetBox's webhooks.
pub fn public(app: App) -> Router {
    Router::new().route(webhook::PATH, any(webhook::webhook)).fallback(mirror::mirror).with_state(app)
}

/// The admin listener.
pub fn admin(proxy: Proxy, metrics: Arc<Metrics>, readiness: Readiness, access: admin::Access) -> Router {
    Router::new()
        .route("/healthz", get(admin::healthz))
        .route("/readyz", get(admin::readyz))
        .route("/metrics", get(admin::metrics))
        .fallback(admin::nothing_here)
        .with_state(Arc::new(AdminState { proxy, metrics, readiness, access }))
}

pub use admin::Access as AdminAccess;
