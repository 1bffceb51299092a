//! Settings read anew: on SIGHUP at once, and when the files they come from have changed.
//!
//! Files are read and compared rather than watched: that sees an edit, a file moved into place, Kubernetes' exchange of a
//! symbolic link two folders up, and a change on a network disk alike. A change is acted upon when two looks in a row have
//! seen the same, since a file that is just being written reads as a shorter one, with fewer clients in it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::Signal;
use tokio_util::sync::CancellationToken;

use super::tls::Tls;
use crate::netbox::token::Fingerprint;
use crate::proxy::Proxy;
use crate::proxy::access::AccessControl;
use crate::settings::{Problems, Settings, Source};
use crate::telemetry::metrics::Metrics;

/// Settings that are followed while the daemon runs, by the beginning of their keys; the others want a restart.
const FOLLOWED: [&str; 5] = ["access.", "clients", "invalidation.webhook_secret", "upstream.token", "upstream.tokens"];

/// Longer than any sensible life of a process, where files are not looked at.
const NEVER: Duration = Duration::from_secs(10 * 365 * 86_400);

/// Reads settings anew and has them followed.
#[derive(Debug)]
pub(super) struct Reloader {
    source: Arc<Source>,
    hangups: Signal,
    tls: Option<Arc<Tls>>,
    proxy: Proxy,
    metrics: Arc<Metrics>,
    poll: Option<Duration>,
    files: Vec<PathBuf>,
    in_force: Digest,
    /// What was wrong with the settings when they were read last.
    refused: Option<Problems>,
    started_with: Started,
}

/// The settings as the daemon started with them.
#[derive(Debug)]
struct Started {
    /// As shown, by line, without where they came from.
    shown: BTreeSet<String>,
    /// What is not shown.
    admin_token: Option<Fingerprint>,
    /// Whether anybody was let in because nothing else was said.
    open_by_default: bool,
}

/// What all the files hold; equal while nothing has changed.
type Digest = [u8; 32];

impl Reloader {
    pub(super) fn new(
        source: Source,
        hangups: Signal,
        settings: &Settings,
        tls: Option<Arc<Tls>>,
        proxy: Proxy,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (files, started_with) = (settings.files.clone(), Started::with(settings));
        let in_force = digest(&all(&source, &files));
        let (source, poll) = (Arc::new(source), settings.server.reload_poll);
        Self { source, hangups, tls, proxy, metrics, poll, files, in_force, refused: None, started_with }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            () = self.follow() => {}
            () = stop.cancelled() => {}
        }
    }

    async fn follow(&mut self) {
        let mut last = self.in_force;
        loop {
            tokio::select! {
                hangup = self.hangups.recv() => {
                    if hangup.is_none() {
                        return;
                    }
                }
                () = tokio::time::sleep(self.poll.unwrap_or(NEVER)) => {
                    let Some(now) = self.look().await else { return };
                    let settled = std::mem::replace(&mut last, now) == now;
                    // What is at fault may be a file that is not there yet, and that nobody looks at.
                    let at_fault = self.refused.is_some();
                    if (now == self.in_force && !at_fault) || !settled {
                        continue;
                    }
                }
            }
            // Before they are read: a change in between is seen by the next look.
            let Some(now) = self.look().await else { return };
            (self.in_force, last) = (now, now);
            self.reload().await;
        }
    }

    async fn reload(&mut self) {
        let source = Arc::clone(&self.source);
        let read = tokio::task::spawn_blocking(move || source.load()).await;
        match read {
            Ok(Ok(settings)) => self.apply(settings),
            Ok(Err(problems)) => self.refuse(problems),
            // The runtime is being shut down.
            Err(_) => {}
        }
    }

    fn apply(&mut self, settings: Settings) {
        let (clients, waiting) = (settings.access.clients.len(), self.started_with.others(&settings));
        // Keys that are gone must be gone, whatever is the matter with certificates.
        let tls = self.tls.as_ref().map_or(Ok(()), |tls| tls.reload());
        if let Err(error) = &tls {
            let error = error as &dyn std::error::Error;
            tracing::error!(error, "the new certificates cannot be used; the old ones stay in force");
        }
        let mut access = settings.access;
        if access.by_default && !self.started_with.open_by_default {
            // Whoever takes the last key away has not said that anybody may come in its stead.
            (access.anonymous, access.by_default) = (None, false);
            tracing::warn!("no client is left, and nobody is let in; to let anybody read, say so by access.anonymous");
        }
        self.proxy.replace_access(AccessControl::new(access));
        self.proxy.replace_webhook_secret(settings.invalidation.webhook_secret);
        self.files = settings.files;
        self.metrics.settings_read(tls.is_ok());
        self.refused = None;
        tracing::info!(clients, "the settings were read anew and are in force");
        if !waiting.is_empty() {
            tracing::warn!(settings = waiting.join(", "), "these have changed and want a restart");
        }
    }

    /// Says what is wrong, once.
    fn refuse(&mut self, problems: Problems) {
        if self.refused.as_ref() != Some(&problems) {
            self.metrics.settings_read(false);
            tracing::error!(%problems, "the new settings are at fault; the old ones stay in force");
        }
        self.refused = Some(problems);
    }

    /// What the files hold now; `None` when the runtime is being shut down.
    async fn look(&self) -> Option<Digest> {
        let files = all(&self.source, &self.files);
        tokio::task::spawn_blocking(move || digest(&files)).await.ok()
    }
}

impl Started {
    fn with(settings: &Settings) -> Self {
        let admin_token = settings.admin.token.as_ref().map(|token| token.fingerprint());
        let shown = settings.shown.iter().map(|line| plain(line).to_owned()).collect();
        Self { shown, admin_token, open_by_default: settings.access.by_default }
    }

    /// The keys of settings that differ and cannot be followed.
    fn others(&self, settings: &Settings) -> Vec<String> {
        let changed = settings.shown.iter().map(|line| plain(line)).filter(|line| !self.shown.contains(*line));
        let keys = changed.filter_map(|line| line.split(" = ").next());
        let others = keys.filter(|key| !FOLLOWED.iter().any(|followed| key.starts_with(followed)));
        let token = Self::with(settings).admin_token != self.admin_token;
        others.map(str::to_owned).chain(token.then(|| "admin.token".to_owned())).collect()
    }
}

/// A line without where its value came from.
fn plain(line: &str) -> &str {
    line.rsplit_once("  # ").map_or(line, |(line, _)| line)
}

/// The settings file, and the files that it names.
fn all(source: &Source, files: &[PathBuf]) -> Vec<PathBuf> {
    source.file().into_iter().chain(files.iter().cloned()).collect()
}

fn digest(files: &[PathBuf]) -> Digest {
    let mut hasher = blake3::Hasher::new();
    for file in files {
        let bytes = std::fs::read(file).ok();
        hasher.update(&bytes.as_ref().map_or(u64::MAX, |bytes| bytes.len() as u64).to_le_bytes());
        hasher.update(&bytes.unwrap_or_default());
    }
    *hasher.finalize().as_bytes()
}
