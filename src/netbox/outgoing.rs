//! One request to NetBox, put together from parts that are allowed, never copied from a client's request.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use http::{HeaderMap, Method};
use tokio::sync::watch;

use super::branch::Branch;
use super::token::Token;
use super::transport::BodyError;

/// A request for [`Session::send`](super::session::Session::send).
///
/// Token and branch are injected by the session; `headers` holds neither.
#[derive(Debug)]
pub struct Outgoing {
    /// The method.
    pub method: Method,
    /// Path below NetBox's base, and query, both in canonical form.
    pub path_and_query: String,
    /// Allow-listed headers.
    pub headers: HeaderMap,
    /// Whose token is used; `None` asks anonymously.
    pub token: Option<Arc<Token>>,
    /// Which branch is meant.
    pub branch: Branch,
    /// The body.
    pub body: OutgoingBody,
}

/// A request without its body, which can be sent twice.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) method: Method,
    pub(super) path_and_query: String,
    pub(super) headers: HeaderMap,
    pub(super) token: Option<Arc<Token>>,
    pub(super) branch: Branch,
}

impl Outgoing {
    pub(super) fn split(self) -> (Head, OutgoingBody) {
        let Self { method, path_and_query, headers, token, branch, body } = self;
        (Head { method, path_and_query, headers, token, branch }, body)
    }
}

/// A stream of a request body's parts.
pub type BodyStream = Pin<Box<dyn Stream<Item = Result<Bytes, BodyError>> + Send>>;

/// The body of a request to NetBox.
pub enum OutgoingBody {
    /// None at all.
    Empty,
    /// All of it, at hand.
    Whole(Bytes),
    /// Passed on as it arrives.
    Stream {
        /// Its parts.
        stream: BodyStream,
        /// Its length in bytes, where the client said it. Django reads no body whose length it was not told.
        length: Option<u64>,
        /// Counts what was passed on.
        progress: Progress,
    },
}

impl std::fmt::Debug for OutgoingBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Whole(bytes) => write!(f, "Whole({})", bytes.len()),
            Self::Stream { length, .. } => write!(f, "Stream({length:?})"),
        }
    }
}

/// Tells whether a request's body still moves, so that a long upload is not taken for a silent NetBox.
#[derive(Clone, Debug)]
pub struct Progress(Arc<watch::Sender<Moved>>);

#[derive(Clone, Copy, Debug, Default)]
struct Moved {
    bytes: u64,
    whole: bool,
}

/// Fewer bytes than this in a whole time-out are no progress: a client that sends a byte now and then would hold a place at
/// NetBox for ever.
pub const LEAST: u64 = 16 * 1024;

impl Progress {
    /// Of a request of which nothing has been sent.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Moved::default())))
    }

    /// Returns once too little has moved for `limit`.
    pub async fn stalled(&self, limit: Duration) {
        let mut moved = self.0.subscribe();
        loop {
            let before = *moved.borrow_and_update();
            let on = |now: &Moved| now.bytes >= before.bytes + LEAST || now.whole != before.whole;
            if tokio::time::timeout(limit, moved.wait_for(on)).await.is_err() {
                return;
            }
        }
    }

    /// Whether anything of a streamed body has been handed on.
    pub fn has_begun(&self) -> bool {
        self.0.borrow().bytes > 0
    }

    /// Whether the whole body has been handed on.
    pub fn is_whole(&self) -> bool {
        self.0.borrow().whole
    }

    fn moved(&self, bytes: usize) {
        self.0.send_modify(|moved| moved.bytes += bytes as u64);
    }

    fn whole(&self) {
        self.0.send_modify(|moved| moved.whole = true);
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

/// A body stream that reports its progress, and which failure ended it.
///
/// The error type alone does not survive every layer of the client below, hence the note kept beside it.
pub(super) struct Watched {
    stream: BodyStream,
    /// Bytes still to come, where that is known: whoever sends them does not ask for the end then.
    left: Option<u64>,
    progress: Progress,
    failure: Failure,
}

/// Remembers what ended a request body.
#[derive(Clone, Debug, Default)]
pub(super) struct Failure(Arc<Mutex<Option<BodyError>>>);

impl Failure {
    pub(super) fn take(&self) -> Option<BodyError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn note(&self, error: &BodyError) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
    }
}

impl Watched {
    pub(super) fn new(stream: BodyStream, length: Option<u64>, progress: Progress, failure: Failure) -> Self {
        Self { stream, left: length, progress, failure }
    }
}

impl Stream for Watched {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = std::task::ready!(self.stream.as_mut().poll_next(cx));
        match &item {
            Some(Ok(part)) => {
                self.progress.moved(part.len());
                let left = self.left.map(|left| left.saturating_sub(part.len() as u64));
                self.left = left;
                if left == Some(0) {
                    self.progress.whole();
                }
            }
            Some(Err(error)) => self.failure.note(error),
            None => self.progress.whole(),
        }
        Poll::Ready(item)
    }
}
