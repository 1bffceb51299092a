//! What the tests stand on: a proxy in this process before a FakeNetbox, and a client that shows what it got.

use std::net::SocketAddr;
use std::time::Duration;

use fake_netbox::FakeNetbox;
use nbproxy::cache::clock::Clock;
use nbproxy::server::Server;
use nbproxy::settings::Settings;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

mod client;
mod daemon;
mod frames;
mod keys;
mod python;
mod raw;
mod tls;

pub(crate) use client::{Answer, Ask};
pub(crate) use daemon::Daemon;
pub(crate) use frames::{Frame, Frames};
pub(crate) use keys::{client, client_with_key};
pub(crate) use python::python;
pub(crate) use raw::Raw;
pub(crate) use tls::{Authority, Identity, Secure, trusting};

/// A running nbproxy.
pub(crate) struct TestProxy {
    /// Turns the hands of the proxy's clock.
    pub(crate) clock: Clock,
    address: SocketAddr,
    admin: SocketAddr,
    base_path: String,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<()>>,
}

/// A proxy to be started.
pub(crate) struct Builder {
    upstream: String,
    token: String,
    base_path: String,
    more: String,
    clock: Clock,
}

impl TestProxy {
    /// A proxy before this NetBox, with its superuser's token, where anybody may write.
    pub(crate) async fn before(netbox: &FakeNetbox) -> Self {
        Self::builder(netbox).start().await
    }

    pub(crate) fn builder(netbox: &FakeNetbox) -> Builder {
        Self::at(&netbox.url(), netbox.token())
    }

    /// A proxy before the NetBox at this URL, with this token.
    pub(crate) fn at(url: &str, token: &str) -> Builder {
        let base_path = url.splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap_or_default();
        let (upstream, token) = (url.to_owned(), token.to_owned());
        Builder { upstream, token, base_path, more: String::new(), clock: Clock::standing() }
    }

    /// The base that clients are given.
    pub(crate) fn url(&self) -> String {
        format!("http://{}{}", self.address, self.base_path)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn admin_address(&self) -> SocketAddr {
        self.admin
    }

    /// A request for `target`, which begins with `/`, below NetBox's sub-path.
    pub(crate) fn ask(&self, method: &str, target: &str) -> Ask {
        Ask::new(method, &format!("{}{target}", self.url()))
    }

    pub(crate) async fn get(&self, target: &str) -> Answer {
        self.ask("GET", target).send().await
    }

    /// A request to the admin listener.
    pub(crate) async fn admin(&self, path: &str) -> Answer {
        Ask::new("GET", &format!("http://{}{path}", self.admin)).send().await
    }

    /// A figure of `/metrics`, by the beginning of its line; zero when there is none.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        figure(&format!("http://{}", self.admin), name).await
    }

    /// Waits until this many requests have arrived and are not answered yet. In the tests' one thread each of them has
    /// gone as far as it can by then.
    pub(crate) async fn wait_for_requests(&self, count: u32) {
        until(async || self.metric("nbproxy_requests_in_progress").await >= f64::from(count)).await;
    }

    /// Waits until nbproxy has asked NetBox for its status, so that nothing of its own is still to come.
    pub(crate) async fn ready(&self) {
        until(async || self.admin("/readyz").await.status == 200).await;
    }

    /// Waits until changes made elsewhere are followed.
    pub(crate) async fn follows(&self) {
        until(async || self.metric("nbproxy_changelog_following").await >= 1.0).await;
    }

    /// Tells it to stop; returns what to wait for.
    pub(crate) fn stop(mut self) -> JoinHandle<()> {
        drop(self.stop.take());
        self.running.take().expect("it is stopped once")
    }
}

impl Builder {
    /// TOML that is added to the settings.
    pub(crate) fn settings(mut self, toml: &str) -> Self {
        self.more.push_str(toml);
        self.more.push('\n');
        self
    }

    pub(crate) fn token(mut self, token: &str) -> Self {
        token.clone_into(&mut self.token);
        self
    }

    /// Lets time pass by itself.
    pub(crate) fn in_real_time(mut self) -> Self {
        self.clock = Clock::start();
        self
    }

    pub(crate) async fn start(self) -> TestProxy {
        let proxy = self.start_unready().await;
        proxy.ready().await;
        proxy
    }

    /// Before a NetBox that cannot be reached.
    pub(crate) async fn start_unready(self) -> TestProxy {
        let Self { upstream, token, base_path, more, clock } = self;
        let settings = with_tables(
            &[
                ("upstream", &format!("url = {upstream:?}\ntoken = {token:?}\nprobe_interval = \"0s\"")),
                ("server", "listen = \"127.0.0.1:0\""),
                ("admin", "listen = \"127.0.0.1:0\""),
                ("invalidation", "changelog_poll = \"0s\""),
                ("access", "anonymous = \"write\"\ndeny = []"),
            ],
            &more,
        );
        let settings = Settings::from_toml(&settings).unwrap_or_else(|problems| panic!("{problems}"));
        let server = Server::build(settings, clock.clone()).await.expect("the addresses are free");
        let (address, admin) = (server.address(), server.admin_address());
        let (stop, told) = oneshot::channel::<()>();
        #[expect(clippy::disallowed_methods, reason = "the test itself waits for it")]
        let running = tokio::spawn(server.run(async move {
            let _told_or_dropped = told.await;
        }));
        TestProxy { clock, address, admin, base_path, stop: Some(stop), running: Some(running) }
    }
}

/// Merges the defaults of the tests with a test's own settings, key by key: TOML takes a table only once.
fn with_tables(defaults: &[(&str, &str)], more: &str) -> String {
    let mut sections: Vec<(String, Vec<String>)> = Vec::new();
    let mut add = |section: &str, line: &str| {
        let key = line.split('=').next().unwrap_or_default().trim().to_owned();
        if section.starts_with("[[") {
            match sections.last_mut() {
                Some((name, lines)) if name == section && !lines.iter().any(|l| l.starts_with(&key)) => {
                    lines.push(line.to_owned())
                }
                _ => sections.push((section.to_owned(), vec![line.to_owned()])),
            }
            return;
        }
        if !sections.iter().any(|(name, _)| name == section) {
            sections.push((section.to_owned(), Vec::new()));
        }
        for (name, lines) in &mut sections {
            if name == section {
                lines.retain(|l| l.split('=').next().unwrap_or_default().trim() != key);
                lines.push(line.to_owned());
            }
        }
    };
    for (section, lines) in defaults {
        lines.lines().for_each(|line| add(&format!("[{section}]"), line));
    }
    let mut section = String::new();
    for line in more.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with('[') && !line.contains('=') {
            line.clone_into(&mut section);
        } else {
            add(&section, line);
        }
    }
    sections.into_iter().map(|(name, lines)| format!("{name}\n{}\n", lines.join("\n"))).collect()
}

/// A figure of the `/metrics` of this admin listener, by the beginning of its line; zero when there is none.
pub(crate) async fn figure(admin: &str, name: &str) -> f64 {
    let text = Ask::new("GET", &format!("{admin}/metrics")).send().await.text();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|value| value.trim().parse().ok()).unwrap_or(0.0)
}

/// Waits for something that must happen. A test that waits in vain fails; it does not hang.
pub(crate) async fn within<F: Future>(happening: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(30), happening).await.expect("it was waited for in vain")
}

/// Waits until this is so.
pub(crate) async fn until(it_is_so: impl AsyncFn() -> bool) {
    within(async {
        while !it_is_so().await {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Runs both and waits for both: for requests that must be under way at once.
pub(crate) fn start<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    #[expect(clippy::disallowed_methods, reason = "the test itself waits for it")]
    tokio::spawn(future)
}
