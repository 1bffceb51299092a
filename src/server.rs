//! Build, bind, run until told to stop, drain.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::signal::unix::Signal;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cache::clock::Clock;
use crate::cache::epochs::Epochs;
use crate::cache::policy::Policy;
use crate::cache::store::Store;
use crate::invalidation::bus::Bus;
use crate::invalidation::installation::Watch;
use crate::netbox::session::{Session, SetUpError};
use crate::proxy::access::AccessControl;
use crate::proxy::auditor::Auditor;
use crate::proxy::request::Room as BodyRoom;
use crate::proxy::rewrite::Links;
use crate::proxy::{Parts, Proxy, jobs};
use crate::settings::{self, Settings, Source};
use crate::telemetry::metrics::Metrics;
use crate::web::readiness::Readiness;
use crate::web::{self, AdminAccess, App, AppParts, BodyLimits, HeadLimits, Naming};

mod activity;
mod answer;
mod background;
mod connection;
mod listener;
pub mod neighbour;
mod places;
mod reload;
mod shortcut;
mod shutdown;
mod stall;
mod streams;
mod tls;
mod watch;

pub use tls::TlsError;

use listener::{Listener, Secure, Site, Terms};
use places::Room;
use reload::Reloader;
use tls::Tls;
use watch::Pace;

/// Bytes of request bodies that are read whole before NetBox is asked, of all requests together.
const SMALL_BODIES: usize = 64 * 1024 * 1024;

/// A scraper, a prober and some people.
const ADMIN_CONNECTIONS: usize = 64;

/// What they say.
const ADMIN_HEAD: HeadLimits = HeadLimits { bytes: 8 * 1024, headers: 100, uri: 8 * 1024 };

/// A daemon that is bound to its addresses and has not begun to serve.
#[derive(Debug)]
pub struct Server {
    public: Listener,
    admin: Listener,
    tls: Option<Arc<Tls>>,
    proxy: Proxy,
    readiness: Readiness,
    tasks: TaskTracker,
    /// Ends what is done unasked.
    background: CancellationToken,
    settings: Settings,
    app: App,
    metrics: Arc<Metrics>,
    reloader: Option<Reloader>,
}

/// Why the daemon cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The way to NetBox cannot be prepared.
    #[error(transparent)]
    Session(#[from] SetUpError),
    /// TLS cannot be spoken with the certificates of the settings.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Server {
    /// Builds everything and binds the addresses; nothing is asked of NetBox yet.
    ///
    /// # Errors
    /// [`StartError`] names the address or file that could not be used.
    pub async fn build(settings: Settings, clock: Clock) -> Result<Self, StartError> {
        let metrics = Arc::new(Metrics::new());
        let (epochs, pen) = Epochs::new(clock.clone());
        let bus = Arc::new(Bus::new(pen, clock.clone(), Arc::clone(&metrics)));
        let session = Session::new(settings.upstream.session.clone())?;
        let tls = settings.server.tls.clone().map(Tls::read).transpose()?.map(Arc::new);
        let base_path = session.base().path().to_owned();
        let (tasks, background) = (TaskTracker::new(), CancellationToken::new());
        let proxy = Proxy::new(Parts {
            links: Links::new(session.base(), settings.upstream.ui_url.as_deref()),
            session,
            store: Store::new(settings.cache.store),
            policy: Policy::new(settings.cache.policy.clone()),
            epochs,
            feed: Arc::default(),
            precision: settings.invalidation.precision,
            auditor: Auditor::new(settings.invalidation.audit_one_in),
            watch: Watch::new(Arc::clone(&bus)),
            bus,
            access: ArcSwap::from_pointee(AccessControl::new(settings.access.clone())),
            webhook_secret: ArcSwapOption::from(settings.invalidation.webhook_secret.clone()),
            clock: clock.clone(),
            metrics: Arc::clone(&metrics),
            read_ahead: settings.cache.read_ahead,
            public_base: settings.server.public_base.clone(),
            refresh: settings.cache.refresh,
            pace: jobs::Pace { poll: settings.invalidation.job_poll, longest: settings.invalidation.longest_job },
            tasks: tasks.clone(),
            stop: background.clone(),
        });
        let naming = Naming::new(settings.server.public_base.clone(), settings.server.trusted_proxies.clone());
        let app = App::new(AppParts {
            proxy: proxy.clone(),
            naming,
            base_path,
            head: settings.server.head,
            body: BodyLimits { bytes: settings.server.max_request_body, patience: settings.server.body_timeout },
            room: BodyRoom::new(SMALL_BODIES),
            clock,
            metrics: Arc::clone(&metrics),
        });
        let public = listen(settings.server.listen).await?;
        let admin = listen(settings.admin.listen).await?;
        let readiness = Readiness::default();
        Ok(Self { public, admin, tls, proxy, readiness, tasks, background, settings, app, metrics, reloader: None })
    }

    /// Follows changes of who may do what: on a hang-up signal, and when the files of the settings have changed.
    #[must_use]
    pub fn reloading(mut self, source: Source, hangups: Signal) -> Self {
        let (proxy, metrics) = (self.proxy.clone(), Arc::clone(&self.metrics));
        let tls = self.tls.clone();
        self.reloader = Some(Reloader::new(source, hangups, &self.settings, tls, proxy, metrics));
        self
    }

    /// Where clients are served.
    pub fn address(&self) -> SocketAddr {
        self.public.address()
    }

    /// Where operators are.
    pub fn admin_address(&self) -> SocketAddr {
        self.admin.address()
    }

    /// What answers clients, without the listener: for benchmarks, and for who has a listener of their own.
    pub fn service(&self) -> App {
        self.app.clone()
    }

    /// Serves until `stop` is ready, then drains: not ready, nothing new accepted, what is under way finished.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { public, admin, tls, proxy, readiness, tasks, background, settings, app, metrics, reloader } = self;
        tracing::info!(
            listen = %public.address(),
            admin = %admin.address(),
            tls = tls.is_some(),
            upstream = settings.upstream.session.base.as_str(),
            "serving netbox's api"
        );
        let access = match (&settings.admin.token, admin.address().ip().is_loopback()) {
            (Some(token), _) => AdminAccess::Token(Arc::clone(token)),
            (None, true) => AdminAccess::Open,
            (None, false) => AdminAccess::Closed,
        };
        if let (AdminAccess::Token(_), false) = (&access, admin.address().ip().is_loopback()) {
            tracing::warn!(
                admin = %admin.address(),
                "admin.listen is beyond loopback and speaks no TLS: operators' token crosses the network in the clear"
            );
        }
        let stages = shutdown::Stages::new(readiness.clone(), tasks.clone());
        let reached = readiness.latch();
        tasks.spawn(background::probe(proxy.clone(), settings.upstream.probe_interval, reached, background.clone()));
        let followed = settings.invalidation.changelog_poll.is_some();
        tasks.spawn(background::warm(proxy.clone(), settings.warm, followed, background.clone()));
        let (invalidation, figures) = (settings.invalidation, Arc::clone(&metrics));
        tasks.spawn(background::follow(proxy.clone(), invalidation, figures, background.clone()));
        if let Some(reloader) = reloader {
            tasks.spawn(reloader.run(background.clone()));
        }
        tasks.spawn(background::filters(proxy.clone(), background.clone()));
        let admin_router = web::admin(proxy, metrics, readiness, access);
        let terms = public_terms(&settings.server, tls);
        let admin_terms = admin_terms(terms.pace);
        let clients = public.serve(Site::Public(app), terms, stages.public());
        let operators = admin.serve(Site::Admin(admin_router), admin_terms, stages.admin());
        tokio::join!(clients, operators, async {
            stop.await;
            stages.run(settings.server.shutdown_grace, background).await;
        });
    }
}

async fn listen(address: SocketAddr) -> Result<Listener, StartError> {
    Listener::bind(address).await.map_err(|source| StartError::Bind { address, source })
}

fn public_terms(settings: &settings::Server, tls: Option<Arc<Tls>>) -> Terms {
    let held = settings.connections;
    let exempt = settings.trusted_proxies.clone();
    Terms {
        room: Room { connections: held.count, per_address: held.per_address, exempt },
        pace: Pace { header: held.header, keep_alive: held.keep_alive, write: held.write },
        head: settings.head,
        secure: tls.map(|tls| Secure { tls, http2: settings.http2 }),
    }
}

fn admin_terms(pace: Pace) -> Terms {
    Terms {
        room: Room { connections: ADMIN_CONNECTIONS, per_address: ADMIN_CONNECTIONS, exempt: Vec::new() },
        pace,
        head: ADMIN_HEAD,
        secure: None,
    }
}
