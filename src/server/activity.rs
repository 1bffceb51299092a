//! What a connection is doing: told by its stream and its requests, asked by who watches over it and by who needs its
//! place. A few atomics, so that a request costs no timer and no lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use tokio::sync::Notify;

/// A connection's doings.
#[derive(Debug)]
pub(super) struct Activity {
    /// Requests begun since it was opened.
    begun: AtomicU64,
    in_progress: AtomicUsize,
    /// Bytes have come since a request last began or ended: the next one's head.
    head: AtomicBool,
    /// What was asked for waits for the client to take it, though its request has ended.
    writing: AtomicBool,
    /// Its place in the order in which the listener's connections last had anything to do.
    last: AtomicU64,
    order: Order,
    leave: Notify,
}

/// Tells which connection has idled longer, without asking for the time.
#[derive(Debug, Clone, Default)]
pub(super) struct Order(Arc<AtomicU64>);

/// A request under way, from its head to the end of its answer's body.
#[derive(Debug)]
pub(super) struct Doing(Arc<Activity>);

impl Order {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

impl Activity {
    /// Of a connection that has just been opened.
    pub(super) fn new(order: Order) -> Arc<Self> {
        Arc::new(Self {
            begun: AtomicU64::new(0),
            in_progress: AtomicUsize::new(0),
            head: AtomicBool::new(false),
            writing: AtomicBool::new(false),
            last: AtomicU64::new(order.next()),
            order,
            leave: Notify::new(),
        })
    }

    /// A head has come whole.
    pub(super) fn begin(self: &Arc<Self>) -> Doing {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.in_progress.fetch_add(1, Ordering::Relaxed);
        self.head.store(false, Ordering::Relaxed);
        Doing(Arc::clone(self))
    }

    /// Bytes have come.
    pub(super) fn read(&self) {
        self.head.store(true, Ordering::Relaxed);
    }

    /// A write waits for the client, or does so no longer.
    pub(super) fn waits(&self, waits: bool) {
        self.touch();
        self.writing.store(waits, Ordering::Relaxed);
    }

    fn touch(&self) {
        self.last.store(self.order.next(), Ordering::Relaxed);
    }

    /// Requests begun since the connection was opened.
    pub(super) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// Whether no request is under way, and no answer.
    pub(super) fn is_idle(&self) -> bool {
        self.in_progress.load(Ordering::Relaxed) == 0 && !self.writing.load(Ordering::Relaxed)
    }

    /// Whether the next request has begun to arrive.
    pub(super) fn has_head(&self) -> bool {
        self.head.load(Ordering::Relaxed)
    }

    /// Since when it has had nothing to do, in the listener's order; `None` while it has.
    pub(super) fn idle_since(&self) -> Option<u64> {
        self.is_idle().then(|| self.last.load(Ordering::Relaxed))
    }

    /// Tells it to make room, if it is still idle by then.
    pub(super) fn ask_to_leave(&self) {
        self.leave.notify_one();
    }

    /// Returns when it has been told to make room.
    pub(super) async fn asked_to_leave(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Doing {
    fn drop(&mut self) {
        let activity = &self.0;
        // What came meanwhile was this request's body.
        activity.head.store(false, Ordering::Relaxed);
        activity.touch();
        activity.in_progress.fetch_sub(1, Ordering::Relaxed);
    }
}
