//! Stopping, in this order: not ready any more, accept nothing new, let requests, fetches and writes finish under a
//! grace time, then end what is left.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::web::readiness::Readiness;

/// What a listener is told, and where its connections are counted.
#[derive(Debug, Clone)]
pub(super) struct Signals {
    /// Accept nothing new; finish what is under way.
    pub(super) stop: CancellationToken,
    /// Finish nothing any more.
    pub(super) end: CancellationToken,
    /// The connections.
    pub(super) connections: TaskTracker,
}

/// The stages of a shutdown.
#[derive(Debug)]
pub(super) struct Stages {
    readiness: Readiness,
    public: Signals,
    admin: Signals,
    tasks: TaskTracker,
}

impl Signals {
    fn new() -> Self {
        let (stop, end) = (CancellationToken::new(), CancellationToken::new());
        Self { stop, end, connections: TaskTracker::new() }
    }

    fn finish(&self) {
        self.stop.cancel();
        self.connections.close();
    }
}

impl Stages {
    pub(super) fn new(readiness: Readiness, tasks: TaskTracker) -> Self {
        Self { readiness, public: Signals::new(), admin: Signals::new(), tasks }
    }

    pub(super) fn public(&self) -> Signals {
        self.public.clone()
    }

    pub(super) fn admin(&self) -> Signals {
        self.admin.clone()
    }

    pub(super) async fn run(&self, grace: Duration, background: CancellationToken) {
        tracing::info!(grace_s = grace.as_secs(), "draining");
        self.readiness.drain();
        self.public.finish();
        background.cancel();
        let drained = async {
            self.public.connections.wait().await;
            // Only now can no connection start another fetch.
            self.tasks.close();
            self.tasks.wait().await;
        };
        if tokio::time::timeout(grace, drained).await.is_err() {
            let (connections, tasks) = (self.public.connections.len(), self.tasks.len());
            tracing::warn!(
                grace_s = grace.as_secs(),
                connections,
                tasks,
                "the grace time is over; ending what is left"
            );
        }
        self.public.end.cancel();
        // Operators could watch until here.
        self.admin.finish();
        self.admin.end.cancel();
        self.admin.connections.wait().await;
        tracing::info!("stopped");
    }
}
