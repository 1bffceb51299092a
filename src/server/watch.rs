//! Who idles too long, and whose next request takes too long to arrive.
//!
//! Time is looked at in ticks, a quarter of the shortest limit, and what has happened in between is read from the
//! connection's [`Activity`]: a request costs no timer. So what is due at a limit comes at the limit at the earliest, and
//! two ticks later at the latest.

use std::sync::Arc;
use std::time::Duration;

use super::activity::Activity;

/// What a connection is given time for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// For a request's head to arrive, from its first byte on; and for TLS to be agreed.
    pub(super) header: Duration,
    /// For the next request to begin.
    pub(super) keep_alive: Duration,
    /// For the client to take the next part of its answer.
    pub(super) write: Duration,
}

/// What is to become of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has idled long enough: it is to be closed as it should be.
    Idle,
    /// It is to end as it is.
    End,
}

/// Watches over one connection.
#[derive(Debug)]
pub(super) struct Watcher {
    activity: Arc<Activity>,
    tick: Duration,
    header: u32,
    keep_alive: u32,
    seen: u64,
    /// For how many ticks nothing at all has happened, or for how many a head has been arriving.
    quiet: u32,
    arriving: u32,
    closing: bool,
}

impl Watcher {
    /// Of a connection that has just been opened.
    pub(super) fn new(activity: Arc<Activity>, pace: Pace) -> Self {
        let tick = (pace.header.min(pace.keep_alive) / 4).max(Duration::from_millis(1));
        let ticks = |limit: Duration| u32::try_from(limit.as_nanos().div_ceil(tick.as_nanos())).unwrap_or(u32::MAX);
        let (header, keep_alive) = (ticks(pace.header), ticks(pace.keep_alive));
        Self { activity, tick, header, keep_alive, seen: 0, quiet: 0, arriving: 0, closing: false }
    }

    /// Returns when something is due; may be dropped and called again.
    pub(super) async fn verdict(&mut self) -> Verdict {
        loop {
            tokio::time::sleep(self.tick).await;
            if let Some(verdict) = self.judge() {
                return verdict;
            }
        }
    }

    fn judge(&mut self) -> Option<Verdict> {
        let begun = self.activity.begun();
        if !self.activity.is_idle() || begun != self.seen {
            (self.seen, self.quiet, self.arriving) = (begun, 0, 0);
        } else if self.activity.has_head() {
            (self.quiet, self.arriving) = (0, self.arriving + 1);
        } else {
            (self.quiet, self.arriving) = (self.quiet + 1, 0);
        }
        let patience = if self.closing { self.header } else { self.keep_alive };
        if self.arriving > self.header || self.closing && self.quiet > patience {
            return Some(Verdict::End);
        }
        if self.quiet > patience {
            (self.closing, self.quiet) = (true, 0);
            return Some(Verdict::Idle);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::activity::Order;
    use super::*;

    fn watcher(header: u64, keep_alive: u64) -> (Arc<Activity>, Watcher) {
        let activity = Activity::new(Order::default());
        let (header, keep_alive) = (Duration::from_millis(header), Duration::from_millis(keep_alive));
        let pace = Pace { header, keep_alive, write: Duration::from_millis(1) };
        (Arc::clone(&activity), Watcher::new(activity, pace))
    }

    fn ticks_until(watcher: &mut Watcher, verdict: Verdict) -> u32 {
        (1..1000).find(|_| watcher.judge() == Some(verdict)).unwrap()
    }

    #[test]
    fn limits_are_kept_to_within_two_ticks() {
        let (activity, mut idle) = watcher(40, 100);
        assert_eq!(idle.tick, Duration::from_millis(10));
        // The first tick comes up to a whole one after the event, so the eleventh is the first that is surely late enough.
        assert_eq!(ticks_until(&mut idle, Verdict::Idle), 11);
        assert_eq!(ticks_until(&mut idle, Verdict::End), 5, "it does not close");
        let (dripping, mut slow) = watcher(40, 100);
        for _ in 0..4 {
            dripping.read();
            assert_eq!(slow.judge(), None);
        }
        dripping.read();
        assert_eq!(slow.judge(), Some(Verdict::End), "bytes that come bring no new patience");
        drop(activity);
    }

    #[test]
    fn whoever_asks_or_is_answered_is_not_idle() {
        let (activity, mut watcher) = watcher(40, 100);
        let doing = activity.begin();
        activity.read();
        assert!((0..100).all(|_| watcher.judge().is_none()), "a request is under way");
        drop(doing);
        activity.waits(true);
        assert!((0..100).all(|_| watcher.judge().is_none()), "its answer is still on its way");
        activity.waits(false);
        for _ in 0..100 {
            drop(activity.begin());
            assert_eq!(watcher.judge(), None, "short requests between two looks");
        }
        assert_eq!(ticks_until(&mut watcher, Verdict::Idle), 11);
        let _late = activity.begin();
        assert!((0..100).all(|_| watcher.judge().is_none()), "one that came as it was closed is answered");
    }
}
