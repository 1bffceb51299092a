//! A running server as a test sees it: what it received, and its switches.

mod data;
mod users;

pub(crate) use data::{admin, explain, known, object};

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use crate::answer::Body;
use crate::builder::{Builder, owned};
use crate::control::{Fault, Hold, HoldPoint, Match};
use crate::random;
use crate::request::Received;
use crate::route;
use crate::seed;
use crate::server::Running;
use crate::state::{Extra, Shared};

/// A running server; it stops when dropped.
pub struct FakeNetbox {
    pub(crate) shared: Arc<Shared>,
    pub(crate) address: SocketAddr,
    pub(crate) running: Mutex<Option<Running>>,
}

impl FakeNetbox {
    /// Starts a server with the default data on a free port.
    pub async fn start() -> FakeNetbox {
        Builder::default().start().await
    }

    /// A server to be set up first.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// `http://127.0.0.1:PORT` and the base path, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, self.shared.lock().config.base_path)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// A superuser's token, version 1.
    pub fn token(&self) -> &'static str {
        seed::TOKEN
    }

    /// A superuser's token, version 2.
    pub fn token_v2(&self) -> &'static str {
        seed::TOKEN_V2
    }

    /// The token of a user without any permission.
    pub fn reader_token(&self) -> &'static str {
        seed::READER_TOKEN
    }

    /// What a request would be answered now: status and body, beside the wire. It is not logged, and no fault, hold or
    /// latency is in its way.
    pub fn direct(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> (u16, Bytes) {
        let base_path = self.shared.lock().config.base_path.clone();
        let mut request = Received::new(method, target, &base_path);
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        request.headers = headers.iter().map(owned).collect();
        let answer = route::answer(&self.shared, &request, &random::uuid());
        match answer.body {
            Body::Bytes(bytes) => (answer.status, bytes),
            Body::Endless(..) => (answer.status, Bytes::new()),
        }
    }

    /// The complete requests that arrived, in order of arrival.
    pub fn log(&self) -> Vec<Received> {
        self.shared.lock().log.clone()
    }

    /// How many requests of that method arrived for exactly that path, whatever their query.
    pub fn count(&self, method: &str, path: &str) -> usize {
        let state = self.shared.lock();
        let same = |request: &&Received| request.method == method && request.path == path;
        state.log.iter().filter(same).count()
    }

    /// Forgets what arrived.
    pub fn clear_log(&self) {
        self.shared.lock().log.clear();
    }

    /// The most requests that were being answered at once so far.
    pub fn in_flight_peak(&self) -> usize {
        self.shared.lock().in_flight_peak
    }

    /// How many requests are being answered now.
    pub fn in_flight(&self) -> usize {
        self.shared.lock().in_flight
    }

    /// Begins the peak anew.
    pub fn reset_in_flight_peak(&self) {
        let mut state = self.shared.lock();
        state.in_flight_peak = state.in_flight;
    }

    /// How many connections were accepted so far.
    pub fn connections(&self) -> u64 {
        self.shared.lock().connections
    }

    /// How many reused connections were closed on a request that was never read.
    pub fn dropped(&self) -> usize {
        self.shared.lock().dropped
    }

    /// Waits that long before every answer.
    pub fn latency(&self, latency: Duration) {
        self.shared.lock().controls.latency = latency;
    }

    /// Holds requests of that method (`*` for any), for paths that begin so, at a point.
    pub fn hold(&self, method: &str, path_prefix: &str, point: HoldPoint) -> Hold {
        self.shared.lock().controls.hold(method, path_prefix, point)
    }

    /// Lets a fault strike the requests that match; of several, the first that was set.
    pub fn fault(&self, on: Match, fault: Fault) {
        self.shared.lock().controls.add_fault(on, fault);
    }

    /// Takes all faults back.
    pub fn clear_faults(&self) {
        self.shared.lock().controls.clear_faults();
    }

    /// Closes connections that idle so long after an answer, as gunicorn does after 2 s.
    pub fn idle_close(&self, after: Duration) {
        self.shared.lock().controls.idle_close.send_replace(Some(after));
    }

    /// Lets the next request on a reused connection find it closed: it is not read, not logged,
    /// and the client sees RST without a byte. This is gunicorn's keep-alive race, made certain.
    pub fn close_after_answer_once_reused(&self) {
        self.shared.lock().controls.close_next_reused = true;
    }

    /// Sets NetBox's version.
    pub fn set_version(&self, version: &str) {
        version.clone_into(&mut self.shared.lock().config.version);
    }

    /// Sets the installed plugins.
    pub fn set_plugins(&self, plugins: &[(&str, &str)]) {
        self.shared.lock().config.plugins = owned(plugins);
    }

    /// Lets the OpenAPI document say that it comes from NetBox's own cache and was made that many seconds ago.
    pub fn set_schema_age(&self, seconds: Option<u64>) {
        self.shared.lock().config.schema_age = seconds;
    }

    /// Sets the page sizes, which NetBox lets change while it runs.
    pub fn set_page_size(&self, default: usize, max: usize) {
        let config = &mut self.shared.lock().config;
        config.page_default = default;
        config.max_page_size = max;
    }

    /// Answers a path below `/api/` with that body.
    pub fn blob(&self, path: &str, content_type: &str, body: impl Into<Bytes>) {
        let extra = Extra::Blob(content_type.to_owned(), body.into());
        self.shared.lock().extras.insert(path.to_owned(), extra);
    }

    /// Answers a path below `/api/` with that body, which is in that content coding, whatever the client takes.
    pub fn coded_blob(&self, path: &str, content_type: &str, coding: &str, body: impl Into<Bytes>) {
        let extra = Extra::Coded(content_type.to_owned(), coding.to_owned(), body.into());
        self.shared.lock().extras.insert(path.to_owned(), extra);
    }

    /// Answers a path below `/api/` with so many bytes of JSON, a list made while it is sent.
    pub fn endless(&self, path: &str, total_bytes: u64) {
        let extra = Extra::Endless(total_bytes);
        self.shared.lock().extras.insert(path.to_owned(), extra);
    }

    /// Stops listening and ends all connections; the data stays.
    pub async fn stop(&self) {
        let running = self.running().take();
        if let Some(running) = running {
            running.stop().await;
        }
    }

    /// Listens again on the same port.
    ///
    /// # Panics
    /// If the port was taken by another meanwhile.
    pub async fn restart(&self) {
        self.stop().await;
        let address = self.address.to_string();
        match Running::start(&address, Arc::clone(&self.shared)).await {
            Ok(running) => *self.running() = Some(running),
            Err(error) => panic!("FakeNetbox cannot listen again on {address}: {error}"),
        }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
