//! The one place that sends requests to NetBox, and the only user of reqwest.
//!
//! It injects token and branch, keeps to the [gate](super::gate), waits no longer than it was told, and repeats a
//! read that died on a connection which NetBox was just closing (gunicorn closes idle ones after 2 s). A write is
//! never repeated, and always gets a connection of its own, so that it cannot die that death.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use super::branch::{BRANCH_HEADER, Branch};
use super::gate::{Gate, Limits, Place};
use super::outgoing::{Failure, Head, Outgoing, OutgoingBody, Progress, Watched};
use super::transport::{TransportError as Error, is_gateway_error};

mod client;
#[cfg_attr(not(feature = "daemon"), path = "session/as_it_comes.rs")]
mod decoding;

use decoding::Decoding;

pub use client::{BaseUrl, BaseUrlError, SetUpError, TlsFiles};

/// How a session is set.
#[derive(Debug, Clone)]
pub struct Config {
    /// NetBox's base, with its sub-path if it has one.
    pub base: BaseUrl,
    /// How long NetBox may be silent: before its answer, and between two parts of it.
    pub timeout: Duration,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How much is sent at once.
    pub limits: Limits,
    /// Certificates, read when the session is made.
    pub tls: TlsFiles,
    /// Headers that every request carries.
    pub headers: HeaderMap,
    /// How often a read that NetBox could not answer is repeated, besides the once for a connection that died.
    pub retries: u32,
    /// A ready client, in place of one made from all of this.
    pub client: Option<reqwest::Client>,
}

/// A way to talk to one NetBox: connections, limits and time-outs.
pub struct Session {
    base: BaseUrl,
    reads: reqwest::Client,
    writes: reqwest::Client,
    timeout: Duration,
    headers: HeaderMap,
    retries: u32,
    gate: Gate,
}

/// NetBox's answer: its head, and a body still to be read. The place at the gate is held until then.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers, as NetBox sent them.
    pub headers: HeaderMap,
    /// The body.
    pub body: AnswerBody,
}

/// The body of an [`Answer`]; gives up after the session's time-out without a byte.
#[derive(Debug)]
pub struct AnswerBody {
    inner: Pin<Box<reqwest::Body>>,
    /// Undoes a coding that it comes in, until its end.
    decoding: Option<Decoding>,
    /// Runs only while NetBox keeps us waiting.
    idle: Option<Pin<Box<Sleep>>>,
    timeout: Duration,
    _place: Place,
}

impl fmt::Debug for Session {
    /// Headers of one's own may hold secrets, so none is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({})", self.base.as_str())
    }
}

impl Session {
    /// A session; nothing is sent yet.
    ///
    /// # Errors
    /// [`SetUpError`] names the certificate file that could not be used.
    pub fn new(config: Config) -> Result<Self, SetUpError> {
        let (reads, writes) = client::build(&config)?;
        let Config { base, timeout, limits, headers, retries, .. } = config;
        Ok(Self { base, reads, writes, timeout, headers, retries, gate: Gate::new(limits) })
    }

    /// NetBox's base.
    pub fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// How long NetBox may be silent.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The gate, for its figures.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Waits for a place at NetBox.
    ///
    /// # Errors
    /// [`Error::QueueFull`] and [`Error::QueueTimedOut`].
    pub async fn enter(&self) -> Result<Place, Error> {
        self.gate.enter().await
    }

    /// Waits for a place at NetBox, not behind all others.
    ///
    /// # Errors
    /// [`Error::QueueTimedOut`].
    pub async fn enter_kept(&self) -> Result<Place, Error> {
        self.gate.enter_kept().await
    }

    /// A place for what nobody has asked for yet, if there is one to [spare](Gate::spare).
    pub fn spare(&self) -> Option<Place> {
        self.gate.spare()
    }

    /// Sends a request and returns as soon as the head of the answer is there. The place is held until the answer's
    /// body has been read or dropped.
    ///
    /// `patience` is how long NetBox may be silent before that, counted from the last byte of the request.
    ///
    /// # Errors
    /// [`Error`]; its [`nothing_was_sent`](Error::nothing_was_sent) tells whether a write can have happened.
    pub async fn send(&self, place: Place, outgoing: Outgoing, patience: Duration) -> Result<Answer, Error> {
        let (out, body) = outgoing.split();
        let repeatable = matches!(body, OutgoingBody::Empty) && is_idempotent_read(&out.method);
        let mut response = self.attempt(&out, body, patience).await;
        let mut revived = !repeatable;
        let mut repeats = if repeatable { 0..self.retries } else { 0..0 };
        loop {
            if !revived && matches!(response, Err(Error::Broken(_))) {
                revived = true;
            } else if !is_unavailable(&response) {
                break;
            } else if let Some(times) = repeats.next() {
                tokio::time::sleep(BACK_OFF.saturating_mul(1 << times.min(6))).await;
            } else {
                break;
            }
            tracing::debug!("a read brought no answer; asking once more");
            response = self.attempt(&out, OutgoingBody::Empty, patience).await;
        }
        let response = response?;
        let (mut head, body) = http::Response::from(response).into_parts();
        let body = AnswerBody {
            inner: Box::pin(body),
            decoding: Decoding::of(&mut head.headers),
            idle: None,
            timeout: self.timeout,
            _place: place,
        };
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    async fn attempt(&self, out: &Head, body: OutgoingBody, patience: Duration) -> Result<reqwest::Response, Error> {
        let client = if is_idempotent_read(&out.method) { &self.reads } else { &self.writes };
        let failure = Failure::default();
        let (request, progress) = self.assemble(client, out, body, failure.clone())?;
        tokio::select! {
            // An answer that is there counts, however late it is looked at.
            biased;
            sent = client.execute(request) => sent.map_err(|error| match failure.take() {
                Some(body) => Error::RequestBody(body),
                None => Error::sort(error),
            }),
            () = progress.stalled(patience) => Err(Error::TimedOut(patience)),
        }
    }

    fn assemble(
        &self,
        client: &reqwest::Client,
        out: &Head,
        body: OutgoingBody,
        failure: Failure,
    ) -> Result<(reqwest::Request, Progress), Error> {
        let url = format!("{}{}", self.base.as_str(), out.path_and_query);
        let mut headers = self.headers.clone();
        headers.extend(out.headers.clone());
        if let Some(token) = &out.token {
            headers.insert(AUTHORIZATION, token.authorization().clone());
        }
        if let Branch::Schema(id) = &out.branch
            && let Ok(value) = HeaderValue::from_str(id.as_str())
        {
            headers.insert(HeaderName::from_static(BRANCH_HEADER), value);
        }
        let mut request = client.request(out.method.clone(), url);
        let mut progress = Progress::new();
        match body {
            OutgoingBody::Empty => {}
            OutgoingBody::Whole(bytes) => request = request.body(bytes),
            OutgoingBody::Stream { stream, length, progress: watched } => {
                progress = watched;
                if let Some(length) = length {
                    headers.insert(CONTENT_LENGTH, length.into());
                }
                let watched = Watched::new(stream, length, progress.clone(), failure);
                request = request.body(reqwest::Body::wrap_stream(watched));
            }
        }
        let request = request.headers(headers).build().map_err(Error::sort)?;
        Ok((request, progress))
    }
}

/// Before a read is repeated for the first time; doubled each time.
const BACK_OFF: Duration = Duration::from_millis(100);

/// Whether NetBox, or what stands before it, could not answer.
fn is_unavailable(response: &Result<reqwest::Response, Error>) -> bool {
    match response {
        Ok(response) => is_gateway_error(response.status()),
        Err(error) => error.is_unavailable(),
    }
}

fn is_idempotent_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

impl AnswerBody {
    /// What is left to decode of what has come.
    fn next_decoded(&mut self) -> Option<Result<Frame<Bytes>, Error>> {
        let piece = self.decoding.as_mut()?.next().transpose()?;
        Some(piece.map(Frame::data).map_err(Error::Coding))
    }

    /// Takes in what has come: `Some` if it can be handed on.
    fn take_in(&mut self, frame: Option<Result<Frame<Bytes>, Error>>) -> Option<Option<Result<Frame<Bytes>, Error>>> {
        let Some(decoding) = &mut self.decoding else { return Some(frame) };
        match frame {
            Some(Ok(frame)) => {
                decoding.feed(frame.into_data().unwrap_or_default());
                None
            }
            Some(Err(error)) => Some(Some(Err(error))),
            None => {
                let rest = decoding.finish();
                self.decoding = None;
                Some(Some(rest.map(Frame::data).map_err(Error::Coding)))
            }
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        loop {
            if let Some(piece) = self.next_decoded() {
                return Poll::Ready(Some(piece));
            }
            let Poll::Ready(frame) = self.inner.as_mut().poll_frame(cx) else { break };
            self.idle = None;
            let frame = frame.map(|part| part.map_err(Error::sort));
            let Some(frame) = self.take_in(frame) else { continue };
            return Poll::Ready(frame);
        }
        let timeout = self.timeout;
        let idle = self.idle.get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        std::task::ready!(idle.as_mut().poll(cx));
        Poll::Ready(Some(Err(Error::TimedOut(timeout))))
    }

    fn is_end_stream(&self) -> bool {
        self.decoding.is_none() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.decoding.is_none() { self.inner.size_hint() } else { SizeHint::default() }
    }
}
