//! All that knows axum: requests become the road's own, replies become responses, errors become status codes.

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, post};

use crate::cache::clock::Clock;
use crate::proxy::Proxy;
use crate::proxy::request::Room;
use crate::telemetry::metrics::Metrics;

mod access_log;
mod admin;
mod error;
mod head;
mod mirror;
mod naming;
pub mod readiness;
pub mod recall;
mod upload;
mod webhook;

pub use head::Limits as HeadLimits;
pub use mirror::Peer;
pub use naming::Naming;
pub use upload::Limits as BodyLimits;

use admin::AdminState;
use readiness::Readiness;
use recall::Recalls;

/// What the public listener's handlers share.
#[derive(Debug, Clone)]
pub struct App(Arc<Shared>);

/// What an [`App`] is made of.
#[derive(Debug)]
pub struct AppParts {
    /// The road.
    pub proxy: Proxy,
    /// How clients' names for nbproxy are understood.
    pub naming: Naming,
    /// NetBox's sub-path.
    pub base_path: String,
    /// What requests' heads are held to.
    pub head: HeadLimits,
    /// What their bodies are.
    pub body: BodyLimits,
    /// Where the small ones are held.
    pub room: Room,
    /// The time.
    pub clock: Clock,
    /// The metrics.
    pub metrics: Arc<Metrics>,
}

/// The parts, and what is known of requests.
#[derive(Debug)]
struct Shared {
    parts: AppParts,
    recalls: Recalls,
}

impl Deref for Shared {
    type Target = AppParts;

    fn deref(&self) -> &AppParts {
        &self.parts
    }
}

impl App {
    /// Shares these.
    pub fn new(parts: AppParts) -> Self {
        Self(Arc::new(Shared { parts, recalls: Recalls::default() }))
    }

    /// Answers on the public listener: whatever comes is NetBox's, or nobody's, but for NetBox's webhooks. A router would take
    /// as long to say so as all the rest of a hit.
    ///
    /// `head`: the request's head as it came, with where it [comes from](recall::from) before it, where it was all that came.
    pub async fn answer(&self, peer: &Peer, request: Request, head: Option<Box<[u8]>>) -> Response {
        if request.uri().path() == webhook::PATH && self.0.proxy.takes_webhooks() {
            webhook::webhook(&self.0, peer, request).await
        } else {
            mirror::mirror(&self.0, peer, request, head).await
        }
    }
}

/// The admin listener. Whether it lives and can serve it tells anybody.
pub fn admin(proxy: Proxy, metrics: Arc<Metrics>, readiness: Readiness, access: admin::Access) -> Router {
    let state = Arc::new(AdminState { proxy, metrics, readiness, access });
    Router::new()
        .route("/metrics", get(admin::metrics))
        .route("/cache", get(admin::cache::statistics))
        .route("/cache/purge", post(admin::cache::purge))
        .route("/cache/warm", post(admin::warm::warm))
        .route_layer(from_fn_with_state(Arc::clone(&state), admin::access::guard))
        .route("/healthz", get(admin::healthz))
        .route("/readyz", get(admin::readyz))
        .fallback(admin::nothing_here)
        .with_state(state)
}

pub use admin::Access as AdminAccess;
