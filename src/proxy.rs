//! The road of a request, from who asks to what is answered. Free of axum; each step stands in a file of its own, and
//! what it makes is what the next one needs.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderMap, HeaderValue, Method};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cache::clock::Clock;
use crate::cache::epochs::{Epochs, Scope};
use crate::cache::feed::Feed;
use crate::cache::flight::Flights;
use crate::cache::policy::Policy;
use crate::cache::public::PublicBase;
use crate::cache::store::Store;
use crate::invalidation::bus::Bus;
use crate::invalidation::changed::Precision;
use crate::invalidation::effect::Change;
use crate::invalidation::installation::Watch;
use crate::invalidation::webhook::{Heard, Secret};
use crate::netbox::branch::Branch;
use crate::netbox::object::Resource;
use crate::netbox::session::Session;
use crate::telemetry::metrics::Metrics;

pub mod access;
pub mod acl;
mod ahead;
pub mod arrival;
pub mod auditor;
pub mod auth;
pub mod body;
mod branches;
mod copies;
pub mod error;
mod fetch;
pub mod filters;
pub mod follow;
mod forward;
pub mod headers;
mod health;
pub mod hook;
pub mod jobs;
mod narrow;
pub mod operate;
pub mod outcome;
mod own;
mod plan;
mod probe;
mod question;
pub mod rate;
mod read;
pub mod recall;
pub mod refresh;
mod refusal;
pub mod reply;
pub mod request;
pub mod rewrite;
mod signature;
mod vouch;
mod walks;
pub mod warm;
mod write;

use access::{AccessControl, Strictness};
use acl::{Intent, Permit};
use ahead::Ahead;
use arrival::Arrival;
use auditor::Auditor;
use auth::{Caller, Denied, Origin};
use branches::Branches;
use error::ProxyError;
use fetch::Landing;
use filters::{Asker, Filters};
use health::Health;
use jobs::{Jobs, Pace};
use outcome::Outcome;
use plan::Plan;
use rate::Throttle;
use refresh::Unasked;
use reply::Reply;
use request::{Request, Target};
use rewrite::Links;
use vouch::Vouches;
use walks::{Walker, Walks};
use write::Author;

/// What a proxy is made of.
#[derive(Debug)]
pub struct Parts {
    /// The way to NetBox.
    pub session: Session,
    /// The memory.
    pub store: Store,
    /// What may be remembered.
    pub policy: Policy,
    /// Up to when changes made elsewhere are known.
    pub feed: Arc<Feed>,
    /// How finely changes are told apart.
    pub precision: Precision,
    /// Which hits are looked at twice.
    pub auditor: Auditor,
    /// The judge of coherence.
    pub epochs: Arc<Epochs>,
    /// Where changes are published.
    pub bus: Arc<Bus>,
    /// What is known of NetBox's version and plugins.
    pub watch: Watch,
    /// Who is let in, and to what; replaced as a whole when the settings change.
    pub access: ArcSwap<AccessControl>,
    /// What NetBox's webhooks are known by; likewise.
    pub webhook_secret: ArcSwapOption<Secret>,
    /// What is rewritten.
    pub links: Links,
    /// The time.
    pub clock: Clock,
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// Pages of a list that are fetched before they are asked for; zero for none.
    pub read_ahead: usize,
    /// The base that clients are given, if it is not the name each used.
    pub public_base: Option<PublicBase>,
    /// How much is fetched unasked.
    pub refresh: refresh::Config,
    /// How jobs are followed.
    pub pace: Pace,
    /// Fetches and writes under way; shutdown waits for them.
    pub tasks: TaskTracker,
    /// Ends what waits for things to happen.
    pub stop: CancellationToken,
}

/// Answers requests in NetBox's stead.
#[derive(Debug, Clone)]
pub struct Proxy {
    inner: Arc<Inner>,
}

/// The rules that were in force at one time.
#[derive(Debug, Clone)]
pub struct Rules(Arc<AccessControl>);

impl PartialEq for Rules {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// What all requests share: the parts, and what is under way.
#[derive(Debug)]
struct Inner {
    parts: Parts,
    flights: Flights<Landing, Arc<Arrival>>,
    health: Health,
    throttle: Throttle,
    vouches: Vouches,
    filters: Filters,
    walks: Walks,
    ahead: Ahead,
    branches: Branches,
    jobs: Jobs,
    hooks: Semaphore,
    hooks_heard: Heard,
    unasked: Unasked,
    copying: Arc<Semaphore>,
}

impl Deref for Inner {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl Proxy {
    /// Puts a proxy together.
    pub fn new(parts: Parts) -> Self {
        let throttle = Throttle::new(parts.clock.clone());
        let (health, vouches, flights) = (Health::default(), Vouches::default(), Flights::new());
        let (filters, walks, ahead) = (Filters::default(), Walks::default(), Ahead::new(parts.read_ahead));
        let (branches, jobs) = (Branches::default(), Jobs::default());
        let hooks_heard = Heard::default();
        let (hooks, copying) = (Semaphore::new(hook::AT_ONCE), Arc::new(Semaphore::new(copies::AT_ONCE)));
        let unasked = Unasked::new(parts.refresh);
        let inner = Inner {
            parts,
            flights,
            health,
            throttle,
            vouches,
            filters,
            walks,
            ahead,
            branches,
            jobs,
            hooks,
            hooks_heard,
            unasked,
            copying,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Whether clients must call nbproxy by a loopback name.
    pub fn takes_loopback_names_only(&self) -> bool {
        self.inner.access.load().takes_loopback_names_only()
    }

    /// By whose rules requests are judged now.
    pub fn rules(&self) -> Rules {
        Rules(self.inner.access.load_full())
    }

    /// Lets in whom these settings let in, from the next request on.
    pub fn replace_access(&self, access: AccessControl) {
        self.inner.access.store(Arc::new(access));
        self.inner.filters.ask();
    }

    /// Who sent this request, if they may ask just now.
    ///
    /// NetBox hands out its OpenAPI document without a token, and with a wrong one; pynetbox 7.8 relies on it and sends
    /// none. So does nbproxy: the document describes an API, not what is in it.
    ///
    /// # Errors
    /// [`Denied`] when nobody is known by what it brought, [`ProxyError::TooOften`].
    pub fn identify(
        &self,
        method: &Method,
        target: &Target,
        headers: &HeaderMap,
        origin: &Origin,
    ) -> Result<Caller, ProxyError> {
        let access = self.inner.access.load();
        let identified = match access.auth.identify(headers, origin) {
            Err(Denied::NoKey | Denied::UnknownKey { .. }) | Ok(Caller::Visitor(_)) if is_document(method, target) => {
                Ok(Caller::Reader)
            }
            identified => identified,
        };
        // Who is refused is counted too, by address: keys may be guessed.
        if let Some((rate, whose)) = access.rate(identified.as_ref().ok(), origin) {
            self.inner.throttle.take(rate, &whose).map_err(|wait| ProxyError::TooOften { wait })?;
        }
        Ok(identified?)
    }

    /// Answers an identified caller's request.
    ///
    /// # Errors
    /// [`ProxyError`] when there is no answer of NetBox to give.
    pub async fn handle(&self, caller: Caller, mut request: Request) -> Result<Reply, ProxyError> {
        let inner = &self.inner;
        let intent = Intent::of(&request);
        let cross_site = || is_cross_site(&request.headers, &request.base);
        // A browser adds a certificate by itself; a key it adds for no other site's page.
        let ambient = matches!(caller, Caller::Anonymous(_)) || !request.headers.contains_key(AUTHORIZATION);
        if ambient && intent == Intent::Write && cross_site() {
            return Err(Denied::CrossSite.into());
        }
        let reader = matches!(caller, Caller::Reader);
        if reader {
            // Whoever it is has the document from memory, and no say in how it is fetched.
            let accept = request.headers.remove(ACCEPT);
            request.headers = accept.map(|accept| (ACCEPT, accept)).into_iter().collect();
        }
        let access = inner.access.load_full();
        let permit = access.acl.permit(&caller, &request.target, intent)?;
        // Whoever has no token of NetBox's sees nothing here, outdates nothing, and waits for no place at NetBox.
        inner.vouch(&permit).await?;
        match access.strict(&caller) {
            Strictness::Off => {}
            strict @ (Strictness::Warn | Strictness::Enforce) => {
                let asker = Asker { access: &access, caller: &caller, permit: &permit };
                inner.check_filters(strict, asker, &request.method, &request.target).await?;
            }
        }
        let standing = inner.standing(&permit, &request.target.path).await?;
        let walker = Walker::of(&caller, &request);
        match inner.plan(&permit, Some(walker), &request, standing) {
            Plan::Read(read) => inner.read(&permit, &read, request).await,
            Plan::Pass(_) | Plan::Write(_) if reader => Err(Denied::NoKey.into()),
            Plan::NotCached => Err(ProxyError::NotCached),
            Plan::Pass(reason) => inner.pass(&permit, request, Outcome::Bypass(reason)).await,
            Plan::Write(change) if leaves_its_branch(&caller, &permit, &change) => Err(Denied::Branch.into()),
            Plan::Write(change) => {
                let author = Author::of(&caller, permit.view().branch, access.signature(&caller), &request);
                inner.write(permit, request, change, author).await
            }
        }
    }

    /// NetBox's `API-Version`, once an answer has told it.
    pub fn api_version(&self) -> Option<HeaderValue> {
        self.inner.watch.api_version().and_then(|version| HeaderValue::try_from(version).ok())
    }

    /// How long ago all changes made elsewhere were known up to then; `None` while they are not followed.
    pub fn changelog_lag(&self) -> Option<Duration> {
        self.inner.feed.confirmed().map(|confirmed| self.inner.clock.now().since(confirmed))
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

/// Whether a client that is pinned to a branch would write where that is not proven to stay there: NetBox takes no notice of
/// the branch for what all branches share, nor without the plugin.
fn leaves_its_branch(caller: &Caller, permit: &Permit, change: &Change) -> bool {
    let pinned = matches!(caller, Caller::Client(client) if client.branch.is_some());
    let touched = match change.scope {
        Scope::Everything => None,
        Scope::Branch(branch) => Some(branch),
        // Types are main's alone.
        Scope::Type(_) => Some(Branch::Main),
    };
    pinned && touched != Some(permit.view().branch)
}

/// Whether it asks for the OpenAPI document, and for nothing but its form: each other word would be one more of 13 MB.
fn is_document(method: &Method, target: &Target) -> bool {
    let mut forms = target.query.values("format");
    let plain = matches!((forms.next(), forms.next()), (None | Some(b"json"), None));
    target.path.resource() == Resource::Schema
        && matches!(*method, Method::GET | Method::HEAD)
        && target.branch == Branch::Main
        && target.query.keys().all(|key| key == b"format")
        && plain
}

/// Whether a browser sent it for another site's page. NetBox has its own guard against that, which ends with the cookies.
pub fn is_cross_site(headers: &HeaderMap, base: &PublicBase) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let foreign = text("origin").is_some_and(|origin| !base.is_origin(origin));
    foreign || text("sec-fetch-site").is_some_and(|site| matches!(site, "cross-site" | "same-site"))
}
