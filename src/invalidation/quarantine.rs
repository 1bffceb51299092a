//! Data that a job is at work on: nothing of it is kept before the job has ended.

use std::sync::Arc;
use std::time::Duration;

use super::bus::{Bus, Source};
use crate::cache::epochs::{OpenDoubt, Scope};

/// What a job may change at any time before it has ended: nothing of it is kept meanwhile. However it ends, a panic
/// included, what it may have changed is outdated.
#[derive(Debug)]
#[must_use = "dropped, it counts as a job that was lost from sight"]
pub struct Quarantine {
    bus: Arc<Bus>,
    scope: Scope,
    longest: Duration,
    doubt: Option<OpenDoubt>,
}

impl Quarantine {
    pub(super) fn open(bus: Arc<Bus>, scope: Scope, longest: Duration) -> Self {
        let doubt = Some(bus.open_doubt(scope, Source::Write));
        Self { bus, scope, longest, doubt }
    }

    /// The job has ended.
    pub fn ended(mut self) {
        // Before the doubt goes: who finds it gone must find the new epoch too.
        self.bus.publish(self.scope, Source::Job);
        self.doubt = None;
    }

    /// Nobody waits for it any longer: it may have changed anything.
    pub fn give_up(mut self) {
        self.bus.publish(Scope::Everything, Source::Job);
        self.doubt = None;
    }
}

impl Drop for Quarantine {
    fn drop(&mut self) {
        if self.doubt.is_some() {
            self.bus.publish(Scope::Everything, Source::Job);
            self.bus.doubt_for(self.scope, Source::Job, self.longest);
            self.doubt = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::clock::Clock;
    use crate::cache::epochs::Epochs;
    use crate::netbox::branch::Branch;
    use crate::telemetry::metrics::Metrics;

    #[test]
    fn a_quarantine_cannot_be_forgotten() {
        let clock = Clock::standing();
        let (epochs, pen) = Epochs::new(clock.clone());
        let bus = Arc::new(Bus::new(pen, clock.clone(), Arc::new(Metrics::new())));
        let (main, longest) = (Scope::Branch(Branch::Main), Duration::from_secs(60));
        let open = || Quarantine::open(Arc::clone(&bus), main, longest);
        type End = fn(Quarantine);
        for (end, is_over) in [(Quarantine::ended as End, true), (Quarantine::give_up, true), (drop, false)] {
            let quarantine = open();
            let during = epochs.witness(Branch::Main);
            assert!(during.is_current() && !during.may_be_kept());
            end(quarantine);
            assert!(!during.is_current());
            assert_eq!(epochs.witness(Branch::Main).may_be_kept(), is_over);
        }
        clock.push(longest);
        assert!(epochs.witness(Branch::Main).may_be_kept());
    }
}
