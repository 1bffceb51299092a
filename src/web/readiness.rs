//! Whether the daemon can serve. Ready when every latch has been dropped; nobody can close one again, and shutdown is
//! for good.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Tells whether the daemon is ready.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<State>);

#[derive(Debug, Default)]
struct State {
    latches: AtomicUsize,
    draining: AtomicBool,
}

/// Something that has to happen first; dropped when it has.
#[derive(Debug)]
pub struct Latch(Arc<State>);

/// What [`Readiness`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Something has yet to happen.
    Starting,
    /// It serves.
    Ready,
    /// It is being shut down.
    Draining,
}

impl Readiness {
    /// One more thing that has to happen first.
    pub fn latch(&self) -> Latch {
        self.0.latches.fetch_add(1, Ordering::SeqCst);
        Latch(Arc::clone(&self.0))
    }

    /// It is being shut down.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::SeqCst);
    }

    /// How far it is.
    pub fn stage(&self) -> Stage {
        if self.0.draining.load(Ordering::SeqCst) {
            Stage::Draining
        } else if self.0.latches.load(Ordering::SeqCst) > 0 {
            Stage::Starting
        } else {
            Stage::Ready
        }
    }
}

impl Drop for Latch {
    fn drop(&mut self) {
        self.0.latches.fetch_sub(1, Ordering::SeqCst);
    }
}
