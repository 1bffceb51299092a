//! Up to when changes made elsewhere are known.
//!
//! What was fetched before, and not outdated since, is as good as fetched then: an entry's age is bounded by
//! [`Lifetime::unfollowed`](super::freshness::Lifetime) from that moment on, not from its own fetch.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::clock::Moment;

/// Without a request for this long nobody is taken to be interested.
const QUIET: Duration = Duration::from_secs(60);

/// What is known of changes made elsewhere, and whether anybody wants to know.
#[derive(Debug, Default)]
pub struct Feed {
    /// One more than nanoseconds of the clock: every change committed before those has been told of. Zero: nothing is followed.
    confirmed: AtomicU64,
    /// Nanoseconds of the clock: the last request.
    asked: AtomicU64,
    interrupted: AtomicBool,
    look: Notify,
    look_back: Notify,
    /// Why changes are not followed, if they should be.
    trouble: Mutex<Option<Box<str>>>,
}

impl Feed {
    /// Every change committed before this moment has been told of.
    pub fn confirm(&self, moment: Moment) {
        self.confirmed.fetch_max(moment.to_nanos().saturating_add(1), Ordering::SeqCst);
        *self.lock() = None;
        self.look_back.notify_waiters();
    }

    /// Returns when every change is known that was committed before this moment.
    pub async fn confirmed_past(&self, moment: Moment) {
        loop {
            let confirmed = self.look_back.notified();
            if self.confirmed().is_some_and(|confirmed| confirmed > moment) {
                return;
            }
            confirmed.await;
        }
    }

    /// NetBox was out of reach for a moment: what was done to it then need not be told of.
    pub fn interrupt(&self) {
        self.interrupted.store(true, Ordering::SeqCst);
    }

    /// Whether it was since this was last asked.
    pub fn was_interrupted(&self) -> bool {
        self.interrupted.swap(false, Ordering::SeqCst)
    }

    /// Returns when changes are known up to some moment, or cannot be followed.
    pub async fn begun(&self) {
        loop {
            let told = self.look_back.notified();
            if self.confirmed().is_some() || self.lock().is_some() {
                return;
            }
            told.await;
        }
    }

    /// Changes are not followed any more, for this reason.
    pub fn lose(&self, reason: &str) {
        self.confirmed.store(0, Ordering::SeqCst);
        *self.lock() = Some(reason.into());
        self.look_back.notify_waiters();
    }

    /// Why changes are not followed, if they should be.
    pub fn trouble(&self) -> Option<String> {
        self.lock().as_deref().map(str::to_owned)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Box<str>>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Up to when changes are known; `None` when they are not followed.
    pub fn confirmed(&self) -> Option<Moment> {
        self.confirmed.load(Ordering::SeqCst).checked_sub(1).map(Moment::from_nanos)
    }

    /// Somebody asks for something: after a quiet time there is a look at once.
    pub fn asked(&self, now: Moment) {
        let before = Moment::from_nanos(self.asked.load(Ordering::Relaxed));
        // Written only now and then: hits on all cores read this line.
        if now.since(before) > Duration::from_secs(1) {
            self.asked.store(now.to_nanos(), Ordering::Relaxed);
            if now.since(before) > QUIET {
                self.look_now();
            }
        }
    }

    /// Whether nobody has asked for anything lately.
    pub fn is_quiet(&self, now: Moment) -> bool {
        now.since(Moment::from_nanos(self.asked.load(Ordering::Relaxed))) > QUIET
    }

    /// There is reason to look now.
    pub fn look_now(&self) {
        self.look.notify_one();
    }

    /// Returns when there is.
    pub async fn wanted(&self) {
        self.look.notified().await;
    }
}
