//! Settings: what was typed becomes what is true, or every fault is reported at once with its key and where it came
//! from. Embedded defaults ← file ← environment ← flags.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use crate::cache::public::PublicBase;
use crate::cache::{policy, store};
use crate::cli::Flags;
use crate::invalidation::changed::Precision;
use crate::invalidation::webhook::Secret;
use crate::netbox::session;
use crate::netbox::token::Token;
use crate::proxy::access;
use crate::proxy::refresh;
use crate::proxy::warm;
use crate::telemetry::logging;
use crate::web::HeadLimits;

mod problem;
mod raw;
mod reader;
mod resolve;

pub use problem::{Problem, Problems};

/// All that is to be known before the daemon starts.
#[derive(Debug)]
pub struct Settings {
    /// How NetBox is reached.
    pub upstream: Upstream,
    /// How clients reach nbproxy.
    pub server: Server,
    /// How operators do.
    pub admin: Admin,
    /// What is remembered.
    pub cache: Cache,
    /// What is fetched before anybody asks.
    pub warm: warm::Config,
    /// Who is let in, and to what.
    pub access: access::Config,
    /// How changes made elsewhere are learned of.
    pub invalidation: Invalidation,
    /// How logs are written.
    pub log: logging::Config,
    /// The resolved settings as text, secrets masked, a line each.
    pub shown: Vec<String>,
    /// The files that values were read from or name, besides the settings file itself.
    pub files: Vec<PathBuf>,
}

/// How NetBox is reached.
#[derive(Debug)]
pub struct Upstream {
    /// The session's settings.
    pub session: session::Config,
    /// The shared token.
    pub token: Option<Arc<Token>>,
    /// Where `display_url` leads, without a slash at its end; `None` leaves it alone.
    pub ui_url: Option<String>,
    /// How often NetBox's status is asked for; `None` only until it was reached once.
    pub probe_interval: Option<Duration>,
}

/// How clients reach nbproxy.
#[derive(Debug, Clone)]
pub struct Server {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The base of URLs that clients are given, if it is not the name each used.
    pub public_base: Option<PublicBase>,
    /// Whose `X-Forwarded-*` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// TLS, if it is spoken.
    pub tls: Option<ServerTls>,
    /// What connections are held to.
    pub connections: ConnectionLimits,
    /// What HTTP/2 connections are held to besides.
    pub http2: Http2Limits,
    /// What requests' heads are held to.
    pub head: HeadLimits,
    /// For the next part of a request's body to arrive.
    pub body_timeout: Duration,
    /// Bytes of a request's body.
    pub max_request_body: u64,
    /// How long a shutdown may take.
    pub shutdown_grace: Duration,
    /// How often files are looked at for changes; `None` for on SIGHUP only.
    pub reload_poll: Option<Duration>,
}

/// The files of TLS in front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerTls {
    /// The certificate chain (PEM).
    pub certificate: PathBuf,
    /// Its key (PEM).
    pub key: PathBuf,
    /// Who signs clients' certificates (PEM), where clients may show one.
    pub client_ca: Option<PathBuf>,
}

/// What connections are held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections at once.
    pub count: usize,
    /// From one address.
    pub per_address: usize,
    /// For a request's head to arrive.
    pub header: Duration,
    /// For an idle connection to send the next request.
    pub keep_alive: Duration,
    /// For a client to take the next part of its answer.
    pub write: Duration,
}

/// What HTTP/2 connections are held to besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Http2Limits {
    /// Requests at once on one connection.
    pub streams: u32,
    /// Requests that a client takes back before they were begun; more end the connection.
    pub resets: usize,
}

/// How operators reach nbproxy.
#[derive(Debug, Clone)]
pub struct Admin {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The token that opens `/metrics` beyond loopback.
    pub token: Option<Arc<Token>>,
}

/// How changes made elsewhere are learned of.
#[derive(Debug, Clone)]
pub struct Invalidation {
    /// How often NetBox's changelog is looked at; `None` for never.
    pub changelog_poll: Option<Duration>,
    /// How long a transaction at NetBox may take: for so long a missing row may still appear.
    pub longest_transaction: Duration,
    /// How finely changes are told apart.
    pub precision: Precision,
    /// One of so many hits is compared with NetBox; zero for none.
    pub audit_one_in: u64,
    /// How often a job is looked at, at first, that a write has started.
    pub job_poll: Duration,
    /// How long nothing is kept of what such a job may change, if it is not seen to end.
    pub longest_job: Duration,
    /// What NetBox's webhooks are known by; `None` takes none.
    pub webhook_secret: Option<Arc<Secret>>,
}

/// What is remembered.
#[derive(Debug)]
pub struct Cache {
    /// How much.
    pub store: store::Config,
    /// What, and for how long.
    pub policy: policy::Config,
    /// Pages of a list that are fetched before they are asked for; zero for none.
    pub read_ahead: usize,
    /// What of it is fetched unasked.
    pub refresh: refresh::Config,
}

/// Where settings come from besides the defaults, so that they can be read again.
#[derive(Debug, Clone)]
pub struct Source {
    flags: Flags,
    environment: BTreeMap<String, String>,
}

impl Source {
    /// This process's flags and environment, and the file that the flags name.
    pub fn of_process(flags: Flags) -> Self {
        Self { flags, environment: environment() }
    }

    /// Reads them.
    ///
    /// # Errors
    /// All faults at once.
    pub fn load(&self) -> Result<Settings, Problems> {
        from_environment(&self.flags, self.environment.clone())
    }

    /// The settings file, if there is one.
    pub fn file(&self) -> Option<PathBuf> {
        self.flags.config.clone()
    }
}

/// Loads the settings of this process.
///
/// # Errors
/// All faults at once.
pub fn load(flags: &Flags) -> Result<Settings, Problems> {
    Source::of_process(flags.clone()).load()
}

/// Where this process's admin listener is. A health check needs nothing else, and the container that it runs in may be
/// given the rest in ways it does not see.
///
/// # Errors
/// What is wrong with that setting, or with the file.
pub fn admin_address(flags: &Flags) -> Result<SocketAddr, Problems> {
    resolve::admin_address(raw::layers(flags, environment())?).map(local)
}

fn environment() -> BTreeMap<String, String> {
    std::env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?))).collect()
}

/// Loads the settings, given the environment.
///
/// # Errors
/// All faults at once.
pub fn from_environment(flags: &Flags, environment: BTreeMap<String, String>) -> Result<Settings, Problems> {
    let tree = raw::layers(flags, environment)?;
    resolve::resolve(tree)
}

impl Settings {
    /// The settings of a TOML text over the defaults, as tests and embedders use them.
    ///
    /// # Errors
    /// All faults at once.
    pub fn from_toml(text: &str) -> Result<Self, Problems> {
        resolve::resolve(raw::text(text)?)
    }
}

impl Admin {
    /// Where the admin listener is reached from the same machine.
    pub fn local(&self) -> SocketAddr {
        local(self.listen)
    }
}

/// How an address that is listened on is reached from the same machine.
fn local(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let v4 = address.is_ipv4();
        address.set_ip(if v4 { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    address
}
