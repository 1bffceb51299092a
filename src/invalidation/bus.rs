//! The one way by which a change is made known to the cache.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::cache::clock::Clock;
use crate::cache::epochs::{OpenDoubt, Pen, Scope};
use crate::telemetry::metrics::Metrics;

/// What told of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A write through nbproxy.
    Write,
    /// A second look at an answer from memory.
    Audit,
    /// NetBox's changelog.
    Changelog,
    /// One of NetBox's webhooks.
    Webhook,
    /// NetBox's version or plugins are not what they were.
    Status,
    /// An operator, by the admin listener.
    Operator,
    /// A job that a write had started.
    Job,
    /// The list of branches.
    Branches,
}

/// Holds the pen of the epochs.
#[derive(Debug)]
pub struct Bus {
    pen: Pen,
    clock: Clock,
    metrics: Arc<Metrics>,
    news: Notify,
}

impl Bus {
    /// A bus that writes with this pen.
    pub fn new(pen: Pen, clock: Clock, metrics: Arc<Metrics>) -> Self {
        Self { pen, clock, metrics, news: Notify::new() }
    }

    /// The scope has changed.
    pub fn publish(&self, scope: Scope, source: Source) {
        self.metrics.bump(source.as_str());
        self.pen.bump(scope);
        self.news.notify_waiters();
    }

    /// Ready when the next change has been told of, from this call on.
    pub fn news(&self) -> Notified<'_> {
        self.news.notified()
    }

    /// The scope changes at some time before the doubt is dropped.
    pub fn open_doubt(&self, scope: Scope, source: Source) -> OpenDoubt {
        self.metrics.bump(source.as_str());
        let doubt = self.pen.open_doubt(scope);
        self.news.notify_waiters();
        doubt
    }

    /// The scope may change unseen during `time` from now.
    pub fn doubt_for(&self, scope: Scope, source: Source, time: Duration) {
        self.metrics.bump(source.as_str());
        self.pen.doubt_until(scope, self.clock.now().after(time));
        self.news.notify_waiters();
    }
}

impl Source {
    /// Its word in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Audit => "audit",
            Self::Changelog => "changelog",
            Self::Webhook => "webhook",
            Self::Status => "status",
            Self::Operator => "operator",
            Self::Job => "job",
            Self::Branches => "branches",
        }
    }
}
