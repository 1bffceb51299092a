//! The streams of HTTP/2 connections: each runs in a task that shutdown knows of, and one whose client does not take its
//! answer is reset, as a connection is ended that speaks HTTP/1.1.
//!
//! An HTTP/2 client may take from one stream and not from another (RFC 9113, section 5.2), and it may promise no room
//! at all: then nothing is ever written, and no write stalls.

use std::sync::Arc;
use std::time::Duration;

use hyper::rt::Executor;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

tokio::task_local! {
    /// The stream in whose task this is.
    static STREAM: Turn;
}

/// Runs streams.
#[derive(Debug, Clone)]
pub(super) struct Streams {
    tasks: TaskTracker,
    patience: Duration,
}

/// Whose turn it is: the client's once it has been handed a part of its answer, until the next one is asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Turn(Arc<watch::Sender<State>>);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct State {
    /// Parts handed over.
    parts: u64,
    theirs: bool,
}

impl Streams {
    /// Those of connections that are tracked there; a client is waited for this long, and no longer.
    pub(super) fn new(tasks: TaskTracker, patience: Duration) -> Self {
        Self { tasks, patience }
    }
}

impl<F> Executor<F> for Streams
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let (turn, patience) = (Turn::default(), self.patience);
        let stream = STREAM.scope(turn.clone(), stream);
        self.tasks.spawn(async move {
            tokio::select! {
                biased;
                _ = stream => {}
                () = turn.kept_waiting(patience) => tracing::debug!("a stream's client did not take its answer"),
            }
        });
    }
}

impl Turn {
    /// That of the stream in whose task this is called.
    pub(super) fn current() -> Option<Self> {
        STREAM.try_with(Self::clone).ok()
    }

    /// The next part is asked for.
    pub(super) fn ours(&self) {
        self.0.send_if_modified(|state| std::mem::replace(&mut state.theirs, false));
    }

    /// A part is handed over.
    pub(super) fn theirs(&self) {
        self.0.send_modify(|state| *state = State { parts: state.parts + 1, theirs: true });
    }

    /// Returns once the client has had one part for longer than this.
    async fn kept_waiting(&self, patience: Duration) {
        let mut turn = self.0.subscribe();
        loop {
            let Ok(handed) = turn.wait_for(|state| state.theirs).await.map(|state| *state) else { return };
            if tokio::time::timeout(patience, turn.wait_for(|state| *state != handed)).await.is_err() {
                return;
            }
        }
    }
}
