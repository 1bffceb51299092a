//! Whether NetBox failed to answer just now, so that not every client has to find out by waiting.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::cache::clock::Moment;

/// How long one failure is believed. During it expired answers are served at once, while one fetch tries again.
const BELIEVED: Duration = Duration::from_secs(5);

/// The last failure.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// Nanoseconds of the clock up to which NetBox is taken to be failing.
    failing_until: AtomicU64,
}

impl Health {
    pub(super) fn failed(&self, now: Moment) {
        self.failing_until.fetch_max(now.after(BELIEVED).to_nanos(), Ordering::Relaxed);
    }

    pub(super) fn answered(&self) {
        // Almost always zero already: reading keeps the line shared between cores.
        if self.failing_until.load(Ordering::Relaxed) != 0 {
            self.failing_until.store(0, Ordering::Relaxed);
        }
    }

    pub(super) fn is_failing(&self, now: Moment) -> bool {
        now.to_nanos() < self.failing_until.load(Ordering::Relaxed)
    }
}
