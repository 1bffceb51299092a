//! The road of a request, from who asks to what is answered. Free of axum; each step stands in a file of its own, and
//! what it makes is what the next one needs.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method};
use tokio_util::task::TaskTracker;

use crate::cache::clock::Clock;
use crate::cache::epochs::Epochs;
use crate::cache::flight::Flights;
use crate::cache::policy::Policy;
use crate::cache::store::Store;
use crate::invalidation::bus::Bus;
use crate::invalidation::installation::Watch;
use crate::netbox::object::Resource;
use crate::netbox::session::Session;
use crate::telemetry::metrics::Metrics;

pub mod acl;
pub mod auth;
pub mod body;
pub mod error;
mod fetch;
mod forward;
pub mod headers;
mod health;
pub mod outcome;
mod plan;
mod probe;
mod read;
pub mod reply;
pub mod request;
pub mod rewrite;
mod write;

use acl::{Acl, Intent};
use auth::{Access, Auth, Caller, Denied};
use error::ProxyError;
use fetch::Landing;
use health::Health;
use outcome::{Bypass, Outcome};
use plan::Plan;
use reply::Reply;
use request::{Request, Target};
use rewrite::Links;

/// What a proxy is made of.
#[derive(Debug)]
pub struct Parts {
    /// The way to NetBox.
    pub session: Session,
    /// The memory.
    pub store: Store,
    /// What may be remembered.
    pub policy: Policy,
    /// The judge of coherence.
    pub epochs: Arc<Epochs>,
    /// Where changes are published.
    pub bus: Arc<Bus>,
    /// What is known of NetBox's version and plugins.
    pub watch: Watch,
    /// Who is let in.
    pub auth: Auth,
    /// To what.
    pub acl: Acl,
    /// What is rewritten.
    pub links: Links,
    /// The time.
    pub clock: Clock,
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// Fetches and writes under way; shutdown waits for them.
    pub tasks: TaskTracker,
}

/// Answers requests in NetBox's stead.
#[derive(Debug, Clone)]
pub struct Proxy {
    inner: Arc<Inner>,
}

/// What all requests share.
#[derive(Debug)]
struct Inner {
    session: Session,
    store: Store,
    policy: Policy,
    epochs: Arc<Epochs>,
    bus: Arc<Bus>,
    watch: Watch,
    auth: Auth,
    acl: Acl,
    links: Links,
    clock: Clock,
    metrics: Arc<Metrics>,
    tasks: TaskTracker,
    flights: Flights<Landing>,
    health: Health,
}

impl Proxy {
    /// Puts a proxy together.
    pub fn new(parts: Parts) -> Self {
        let Parts { session, store, policy, epochs, bus, watch, auth, acl, links, clock, metrics, tasks } = parts;
        let (flights, health) = (Flights::new(), Health::default());
        let inner = Inner {
            session,
            store,
            policy,
            epochs,
            bus,
            watch,
            auth,
            acl,
            links,
            clock,
            metrics,
            tasks,
            flights,
            health,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Who sent this request.
    ///
    /// NetBox hands out its OpenAPI document without a token, and with a wrong one; pynetbox 7.8 relies on it and sends
    /// none. So does nbproxy: the document describes an API, not what is in it.
    ///
    /// # Errors
    /// [`Denied`] when nobody is known by what it brought.
    pub fn identify(&self, method: &Method, target: &Target, headers: &HeaderMap) -> Result<Caller, Denied> {
        let document = target.path.resource() == Resource::Schema && matches!(*method, Method::GET | Method::HEAD);
        match self.inner.auth.identify(headers) {
            Err(Denied::NoKey | Denied::UnknownKey { .. }) if document => Ok(Caller::Anonymous(Access::Read)),
            identified => identified,
        }
    }

    /// Answers an identified caller's request.
    ///
    /// # Errors
    /// [`ProxyError`] when there is no answer of NetBox to give.
    pub async fn handle(&self, caller: Caller, request: Request) -> Result<Reply, ProxyError> {
        let inner = &self.inner;
        let permit = inner.acl.permit(caller, &request.target, Intent::of(&request))?;
        match plan::plan(&permit, &request, &inner.policy, inner.watch.has_branching()) {
            Plan::Read(read) => match inner.read(&permit, &read, &request.base).await? {
                Some(reply) => Ok(reply),
                None => inner.pass(&permit, request, Outcome::Bypass(Bypass::TooLarge)).await,
            },
            Plan::Pass(reason) => inner.pass(&permit, request, Outcome::Bypass(reason)).await,
            Plan::Write(effect) => inner.write(permit, request, effect).await,
        }
    }

    /// NetBox's `API-Version`, once an answer has told it.
    pub fn api_version(&self) -> Option<HeaderValue> {
        self.inner.watch.api_version().and_then(|version| HeaderValue::try_from(version).ok())
    }

    /// The memory, for its figures.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The way to NetBox, for its figures.
    pub fn session(&self) -> &Session {
        &self.inner.session
    }
}
