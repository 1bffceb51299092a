//! Metrics in Prometheus' text format: typed methods, bounded labels. A label never holds a raw path.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::AtomicU64;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

mod labels;

use labels::{
    AuditLabels, EndpointLabel, OutcomeLabel, OwnEndpointLabel, RequestLabels, ResultLabel, SourceLabel, StatusLabel,
    UnaskedLabels,
};

/// How many endpoints get a label of their own; the rest is `other`.
const MOST_ENDPOINTS: usize = 256;

/// The upper bounds of time histograms, in seconds: a hit takes microseconds, a first OpenAPI document half a minute.
const SECONDS: [f64; 14] = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

/// All of nbproxy's metrics.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    seconds: Family<OutcomeLabel, Histogram>,
    upstream_seconds: Family<StatusLabel, Histogram>,
    bumps: Family<SourceLabel, Counter>,
    refused_token: Counter,
    settings_read: Family<ResultLabel, Counter>,
    settings_current: Gauge,
    looks: Counter,
    changes: Counter,
    following: Gauge,
    missing_ids: Gauge,
    audits: Family<AuditLabels, Counter>,
    walks_broken: Counter,
    pages_ahead: Counter,
    pages_ahead_used: Counter,
    recalled: Counter,
    unknown_filters: Family<OwnEndpointLabel, Counter>,
    unasked: Family<UnaskedLabels, Counter>,
    jobs: Gauge,
    in_progress: Gauge,
    gauges: Gauges,
    endpoints: RwLock<HashSet<EndpointLabel>>,
}

/// Where the hits of one endpoint are counted that are answered without the road, since the same request has come before.
#[derive(Debug, Clone)]
pub struct Hits {
    requests: Counter,
    seconds: Histogram,
    recalled: Counter,
}

impl Hits {
    /// A request was answered.
    pub fn count(&self, took: Duration) {
        self.requests.inc();
        self.recalled.inc();
        self.seconds.observe(took.as_secs_f64());
    }
}

/// Figures that are read when they are asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Snapshot {
    /// Entries in the cache.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Entries that had to make room so far.
    pub evictions: u64,
    /// Requests at NetBox.
    pub in_flight: usize,
    /// Requests that wait for a place there.
    pub waiting: usize,
    /// Whether the daemon is ready.
    pub ready: bool,
    /// Whether requests' filters can be checked.
    pub filters_known: bool,
    /// How long ago changes made elsewhere were known up to then; `None` while they are not followed.
    pub changelog_lag: Option<Duration>,
}

#[derive(Debug, Default)]
struct Gauges {
    entries: Gauge,
    bytes: Gauge,
    evictions: Gauge,
    in_flight: Gauge,
    waiting: Gauge,
    ready: Gauge,
    filters_known: Gauge,
    changelog_lag: Gauge<f64, AtomicU64>,
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("nbproxy");
        let histogram: fn() -> Histogram = || Histogram::new(SECONDS);
        let seconds = Family::new_with_constructor(histogram);
        let upstream_seconds = Family::new_with_constructor(histogram);
        let (requests, bumps) = (Family::default(), Family::default());
        let (refused_token, gauges) = (Counter::default(), Gauges::default());
        registry.register("requests", "Requests answered, by outcome and endpoint", requests.clone());
        let help = "Time from a request's head to its answer's head";
        registry.register_with_unit("request", help, Unit::Seconds, seconds.clone());
        let help = "Time NetBox took from a request's dispatch to its answer's head";
        registry.register_with_unit("upstream", help, Unit::Seconds, upstream_seconds.clone());
        registry.register("epoch_bumps", "Changes told of, by source", bumps.clone());
        let help = "Answers in which NetBox refused the shared token";
        registry.register("upstream_token_refused", help, refused_token.clone());
        let (settings_read, settings_current) = (Family::default(), Gauge::default());
        let help = "Times that the settings were read anew, by whether they could be followed";
        registry.register("settings_read", help, Family::clone(&settings_read));
        let help = "1 while the settings in force are those of the files; 0 when these are at fault";
        registry.register("settings_current", help, Gauge::clone(&settings_current));
        settings_current.set(1);
        let (changes, following, missing_ids) = (Counter::default(), Gauge::default(), Gauge::default());
        let looks = Counter::default();
        registry.register("changelog_looks", "Looks at NetBox's changelog that have ended", looks.clone());
        registry.register("changelog_rows", "Changes made elsewhere that the changelog told of", changes.clone());
        registry.register("changelog_following", "1 while NetBox's changelog is followed", Gauge::clone(&following));
        let help = "Changelog rows that have an id below newer ones and are not there (yet)";
        registry.register("changelog_missing", help, Gauge::clone(&missing_ids));
        let (audits, walks_broken) = (Family::default(), Counter::default());
        let help = "Answers from memory compared with NetBox's, by what was found, endpoint and age";
        registry.register("audits", help, Family::clone(&audits));
        let help = "Pages that were of another state than the page before them";
        registry.register("walks_broken", help, walks_broken.clone());
        let (pages_ahead, pages_ahead_used) = (Counter::default(), Counter::default());
        let help = "Pages of lists fetched before they were asked for";
        registry.register("pages_read_ahead", help, pages_ahead.clone());
        let help = "Pages that were asked for after they had been fetched, or while they were, before that";
        registry.register("pages_read_ahead_used", help, pages_ahead_used.clone());
        let recalled = Counter::default();
        registry.register("recalled", "Hits answered by what was known of the same request", recalled.clone());
        let unknown_filters = Family::default();
        let help = "Filters that NetBox does not know, in requests of who is held to those it does, by endpoint";
        registry.register("unknown_filters", help, unknown_filters.clone());
        let unasked = Family::default();
        let help = "Fetches that nobody waited for, by reason and result";
        registry.register("unasked_fetches", help, Family::clone(&unasked));
        let jobs = Gauge::default();
        let help = "Jobs started through nbproxy whose end is awaited; nothing that they may change is kept meanwhile";
        registry.register("jobs_followed", help, Gauge::clone(&jobs));
        let in_progress = Gauge::default();
        let help = "Requests that have arrived and are not answered yet";
        registry.register("requests_in_progress", help, in_progress.clone());
        registry.register("cache_entries", "Entries in the cache", gauges.entries.clone());
        registry.register_with_unit("cache", "Bytes the cache is counted with", Unit::Bytes, gauges.bytes.clone());
        registry.register("cache_evictions", "Entries that had to make room", gauges.evictions.clone());
        registry.register("upstream_in_flight", "Requests at NetBox", gauges.in_flight.clone());
        registry.register("upstream_waiting", "Requests that wait for a place at NetBox", gauges.waiting.clone());
        registry.register("ready", "1 when ready to serve", gauges.ready.clone());
        let help = "1 when requests' filters can be checked by NetBox's OpenAPI document";
        registry.register("filters_known", help, gauges.filters_known.clone());
        let help = "For how long changes made elsewhere may have gone unseen; infinite while they are not followed";
        registry.register_with_unit("changelog_lag", help, Unit::Seconds, gauges.changelog_lag.clone());
        let endpoints = RwLock::default();
        Self {
            registry,
            requests,
            seconds,
            upstream_seconds,
            bumps,
            refused_token,
            settings_read,
            settings_current,
            looks,
            changes,
            following,
            missing_ids,
            audits,
            walks_broken,
            pages_ahead,
            pages_ahead_used,
            recalled,
            unknown_filters,
            unasked,
            jobs,
            in_progress,
            gauges,
            endpoints,
        }
    }

    /// A request has arrived.
    pub fn request_arrived(&self) {
        self.in_progress.inc();
    }

    /// A request that had [arrived](Self::request_arrived) was answered, or its client has gone.
    pub fn request_left(&self) {
        self.in_progress.dec();
    }

    /// A request was answered.
    pub fn request(&self, outcome: &'static str, endpoint: &str, took: Duration) {
        let endpoint = self.label(endpoint);
        self.requests.get_or_create(&RequestLabels { outcome, endpoint }).inc();
        self.seconds.get_or_create(&OutcomeLabel { outcome }).observe(took.as_secs_f64());
    }

    /// Where hits of this endpoint are counted: found once, so that each costs two additions.
    pub fn hits(&self, endpoint: &str) -> Hits {
        let outcome = "hit";
        let endpoint = self.label(endpoint);
        let requests = self.requests.get_or_create_owned(&RequestLabels { outcome, endpoint });
        Hits {
            requests,
            seconds: self.seconds.get_or_create_owned(&OutcomeLabel { outcome }),
            recalled: self.recalled.clone(),
        }
    }

    /// NetBox answered, with a status of this class (`2xx`), or did not (`none`).
    pub fn upstream(&self, status: &'static str, took: Duration) {
        self.upstream_seconds.get_or_create(&StatusLabel { status }).observe(took.as_secs_f64());
    }

    /// NetBox has this endpoint: it answered 2xx there. Only such names become labels.
    pub fn endpoint_exists(&self, endpoint: &str) {
        if self.endpoints.read().unwrap_or_else(PoisonError::into_inner).contains(endpoint) {
            return;
        }
        let mut known = self.endpoints.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MOST_ENDPOINTS {
            known.insert(EndpointLabel(endpoint.into()));
        }
    }

    /// A change was told of.
    pub fn bump(&self, source: &'static str) {
        self.bumps.get_or_create(&SourceLabel { source }).inc();
    }

    /// NetBox refused the shared token.
    pub fn token_refused(&self) {
        self.refused_token.inc();
    }

    /// The settings were read anew, and are in force or were at fault.
    pub fn settings_read(&self, good: bool) {
        let result = if good { "applied" } else { "refused" };
        self.settings_read.get_or_create(&ResultLabel { result }).inc();
        self.settings_current.set(good.into());
    }

    /// The changelog was looked at: how many changes it told of, if it could be; how many rows may still appear.
    pub fn followed(&self, changes: Option<usize>, missing: u64) {
        self.looks.inc();
        self.following.set(changes.is_some().into());
        self.changes.inc_by(changes.unwrap_or(0) as u64);
        self.missing_ids.set(i64::try_from(missing).unwrap_or(i64::MAX));
    }

    /// An answer from memory of this age was compared with NetBox's.
    pub fn audited(&self, finding: &'static str, endpoint: &str, age: Duration) {
        let endpoint = self.label(endpoint);
        let age = match age.as_secs() {
            0..=9 => "10s",
            10..=59 => "1m",
            60..=599 => "10m",
            _ => "longer",
        };
        self.audits.get_or_create(&AuditLabels { finding, endpoint, age }).inc();
    }

    /// A page was of another state than the page before it.
    pub fn walk_broken(&self) {
        self.walks_broken.inc();
    }

    /// A page is fetched before it is asked for.
    pub fn read_ahead(&self) {
        self.pages_ahead.inc();
    }

    /// A page that was [read ahead](Self::read_ahead) is asked for.
    pub fn read_ahead_used(&self) {
        self.pages_ahead_used.inc();
    }

    /// A request named so many filters that NetBox does not know.
    pub fn unknown_filters(&self, endpoint: &str, count: usize) {
        if count > 0 {
            let endpoint = self.label(endpoint);
            self.unknown_filters.get_or_create(&OwnEndpointLabel { endpoint }).inc_by(count as u64);
        }
    }

    /// Something was fetched that nobody waited for, for this reason, and was kept or not.
    pub fn fetched_unasked(&self, reason: &'static str, kept: bool) {
        let result = if kept { "kept" } else { "failed" };
        self.unasked.get_or_create(&UnaskedLabels { reason, result }).inc();
    }

    /// A job is followed that a write has started.
    pub fn job_begun(&self) {
        self.jobs.inc();
    }

    /// A job that had [begun](Self::job_begun) is not followed any more.
    pub fn job_ended(&self) {
        self.jobs.dec();
    }

    /// Everything, as Prometheus reads it.
    pub fn render(&self, now: Snapshot) -> String {
        let set = |gauge: &Gauge, value: u64| gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        set(&self.gauges.entries, now.entries);
        set(&self.gauges.bytes, now.bytes);
        set(&self.gauges.evictions, now.evictions);
        set(&self.gauges.in_flight, now.in_flight as u64);
        set(&self.gauges.waiting, now.waiting as u64);
        set(&self.gauges.ready, now.ready.into());
        set(&self.gauges.filters_known, now.filters_known.into());
        self.gauges.changelog_lag.set(now.changelog_lag.map_or(f64::INFINITY, |lag| lag.as_secs_f64()));
        let mut out = String::new();
        // Writing to a String does not fail.
        let _written = text::encode(&mut out, &self.registry);
        out
    }

    /// Requests answered so far, by outcome. A family cannot be walked, so they are read from the text it is shown as.
    pub fn requests_by_outcome(&self) -> BTreeMap<String, u64> {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _written = text::encode(&mut text, &self.registry);
        let mut outcomes = BTreeMap::new();
        for line in text.lines().filter_map(|line| line.strip_prefix("nbproxy_requests_total{outcome=\"")) {
            if let (Some((outcome, _)), Some((_, count))) = (line.split_once('"'), line.rsplit_once(' ')) {
                *outcomes.entry(outcome.to_owned()).or_default() += count.parse::<u64>().unwrap_or(0);
            }
        }
        outcomes
    }

    fn label(&self, endpoint: &str) -> EndpointLabel {
        let known = self.endpoints.read().unwrap_or_else(PoisonError::into_inner);
        known.get(endpoint).cloned().unwrap_or_else(|| EndpointLabel("other".into()))
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_bounded_by_what_netbox_has() {
        let metrics = Metrics::new();
        metrics.endpoint_exists("dcim/sites");
        metrics.request("hit", "dcim/sites", Duration::from_millis(1));
        metrics.request("bypass", "dcim/made-up-\"name", Duration::from_millis(1));
        metrics.request("hit", "ipam/prefixes", Duration::from_millis(1));
        let outcomes: Vec<_> = metrics.requests_by_outcome().into_iter().collect();
        assert_eq!(outcomes, [("bypass".to_owned(), 1), ("hit".to_owned(), 2)]);
        (0..1000).for_each(|n| metrics.endpoint_exists(&format!("plugins/x/{n}")));
        let text = metrics.render(Snapshot { entries: 3, ..Snapshot::default() });
        assert!(text.contains("nbproxy_requests_total{outcome=\"hit\",endpoint=\"dcim/sites\"} 1"), "{text}");
        assert!(text.contains("nbproxy_requests_total{outcome=\"bypass\",endpoint=\"other\"} 1"), "{text}");
        assert!(text.contains("nbproxy_cache_entries 3"), "{text}");
        assert!(!text.contains("made-up"), "{text}");
        assert_eq!(metrics.endpoints.read().unwrap().len(), MOST_ENDPOINTS);
    }
}
