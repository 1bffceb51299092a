//! The only `now()`: time since the daemon started, which tests can push forward.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A point in time, counted in nanoseconds from the clock's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

/// A clock that never goes back.
#[derive(Clone, Debug)]
pub struct Clock {
    /// `None` for a clock that stands still unless it is pushed.
    start: Option<Instant>,
    pushed: Arc<AtomicU64>,
}

impl Clock {
    /// A clock that starts now.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else asks")]
    pub fn start() -> Self {
        Self { start: Some(Instant::now()), pushed: Arc::default() }
    }

    /// A clock that stands still unless it is [pushed](Self::push), for tests.
    pub fn standing() -> Self {
        Self { start: None, pushed: Arc::default() }
    }

    /// The time.
    pub fn now(&self) -> Moment {
        let ran = self.start.map_or(0, |start| u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
        Moment(ran.saturating_add(self.pushed.load(Ordering::Relaxed)))
    }

    /// Pushes this clock and all its clones forward: how tests let an entry expire without waiting.
    pub fn push(&self, by: Duration) {
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.pushed.fetch_add(nanos, Ordering::Relaxed);
    }
}

impl Moment {
    /// The clock's start.
    pub const ZERO: Self = Self(0);

    /// How long ago `earlier` was; zero when it was not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The moment `by` later.
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)))
    }

    pub(crate) fn to_nanos(self) -> u64 {
        self.0
    }

    pub(crate) fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }
}
