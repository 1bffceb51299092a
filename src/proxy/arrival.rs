//! A long answer while it arrives: whoever waits for it has what is there already, and it is kept when it is whole.
//!
//! What was announced as long, and as short enough to be kept, is read into memory at NetBox's pace, whatever its clients
//! do: a slow one holds no place at NetBox, one that hangs up ends nothing. A client follows at its own pace, from the
//! beginning; if the answer breaks off, so does what the client is given. What comes without a length is read whole first:
//! nobody knows whether there is memory for it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;

use super::body::{Gathered, Reading, gather, is_roomy};
use super::headers::content_length;
use super::rewrite::Rewriter;
use crate::cache::epochs::Witness;
use crate::cache::paging::Paging;
use crate::cache::public::PublicBase;
use crate::netbox::session::AnswerBody;
use crate::netbox::transport::TransportError as Error;

/// From so many bytes on an answer is shown while it arrives. A shorter one is there soon, can still be replaced by an
/// expired one if it breaks off, and is told with its length and whether it is kept.
const LONG: usize = 256 * 1024;

/// The beginning that is read before anything is shown: all that a page tells of the list that it belongs to.
const BEGINNING: usize = 16 * 1024;

/// What a client is given at once of an answer that is still arriving, in bytes.
const PIECE: usize = 64 * 1024;

/// An answer that is arriving.
#[derive(Debug)]
pub(super) struct Arrival {
    /// What is known of it.
    pub(super) preface: Preface,
    tape: Mutex<Tape>,
    /// The body's length in bytes, where it is certain.
    length: Option<u64>,
}

/// What is known of an answer from its beginning.
#[derive(Debug)]
pub(super) struct Preface {
    pub(super) status: StatusCode,
    /// The headers that belong to it whoever receives it.
    pub(super) headers: HeaderMap,
    /// NetBox's id of the request.
    pub(super) request_id: Option<HeaderValue>,
    /// For clients that use this name; to others its links would lead astray.
    pub(super) base: PublicBase,
    /// What it depends on, before it is known better.
    pub(super) witness: Witness,
    pub(super) paging: Option<Arc<Paging>>,
    /// Whether it may be kept, by what is known.
    pub(super) keepable: bool,
}

/// The body so far, rewritten, and who waits for more.
#[derive(Debug)]
struct Tape {
    body: Recorded,
    /// Its end is told: not before it is known whether it was kept, so that who has all of it finds it in memory.
    ended: bool,
    waiting: Vec<Waker>,
}

#[derive(Debug)]
enum Recorded {
    Growing(BytesMut),
    Whole(Bytes),
    Broken(Broken),
}

/// Why the rest does not come.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Broken {
    /// NetBox's answer broke off.
    #[error("NetBox's answer broke off")]
    Cut(#[source] Arc<Error>),
    /// The task that read it ended.
    #[error("an internal task was lost")]
    Lost,
}

/// The duty to tell the end, which dropping it does: that it was all, or that the rest is lost.
#[derive(Debug)]
pub(super) struct Recorder(Arc<Arrival>);

/// The body of an arriving answer on its way to one client.
#[derive(Debug)]
pub struct ArrivingBody {
    arrival: Arc<Arrival>,
    given: usize,
}

/// Reads a body, as [`gather`] does. A long one is shown to `show` once its beginning is there: what `begin` says of that.
/// Its end is told when the recorder is dropped.
///
/// # Errors
/// What broke the body off.
pub(super) async fn take_in(
    headers: &HeaderMap,
    mut body: AnswerBody,
    rewriter: Option<Rewriter>,
    limit: usize,
    begin: impl FnOnce(&[u8]) -> Preface,
    show: impl FnOnce(Arc<Arrival>),
) -> Result<(Gathered, Option<Recorder>), Arc<Error>> {
    let announced = content_length(headers).and_then(|length| usize::try_from(length).ok());
    let Some(length) = announced.filter(|length| (LONG..=limit).contains(length)) else {
        return Ok((gather(headers, body, rewriter, limit).await.map_err(Arc::new)?, None));
    };
    let certain = rewriter.is_none().then_some(length as u64);
    // Rewritten it is a little longer, most of the time.
    let room = if rewriter.is_none() { length } else { length + length / 16 };
    let (mut out, mut reading) = (BytesMut::with_capacity(room), Reading::new(rewriter));
    while out.len() < BEGINNING {
        let Some(frame) = body.frame().await else { break };
        if let Ok(part) = frame.map_err(Arc::new)?.into_data() {
            reading.feed(&part, &mut out);
        }
    }
    let preface = begin(&out);
    let tape = Mutex::new(Tape { body: Recorded::Growing(out), ended: false, waiting: Vec::new() });
    let arrival = Arc::new(Arrival { preface, tape, length: certain });
    let recorder = Recorder(Arc::clone(&arrival));
    show(arrival);
    while let Some(frame) = body.frame().await {
        match frame.map_err(Arc::new) {
            Ok(frame) => {
                if let Ok(part) = frame.into_data() {
                    recorder.extend(|out| reading.feed(&part, out));
                }
            }
            Err(error) => {
                recorder.close(|_| Recorded::Broken(Broken::Cut(Arc::clone(&error))));
                return Err(error);
            }
        }
    }
    // NetBox's place is free; the rest takes none of its time.
    drop(body);
    recorder.extend(|out| reading.finish(out));
    let (mut whole, mut capacity) = (Bytes::new(), 0);
    recorder.close(|out| {
        capacity = out.capacity();
        whole = out.freeze();
        Recorded::Whole(whole.clone())
    });
    // What is remembered has no more room than it needs; those who follow have the roomy one until they end.
    let body = if is_roomy(capacity, whole.len()) { Bytes::copy_from_slice(&whole) } else { whole };
    Ok((Gathered::Whole(reading.whole(headers, body)), Some(recorder)))
}

impl Arrival {
    /// Its body, from the beginning.
    pub(super) fn body(self: &Arc<Self>) -> ArrivingBody {
        ArrivingBody { arrival: Arc::clone(self), given: 0 }
    }

    fn tape(&self) -> MutexGuard<'_, Tape> {
        self.tape.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recorder {
    fn extend(&self, more: impl FnOnce(&mut BytesMut)) {
        let mut tape = self.0.tape();
        if let Recorded::Growing(out) = &mut tape.body {
            more(out);
        }
        wake(tape);
    }

    fn close(&self, how: impl FnOnce(BytesMut) -> Recorded) {
        let mut tape = self.0.tape();
        if let Recorded::Growing(out) = &mut tape.body {
            tape.body = how(std::mem::take(out));
        }
        wake(tape);
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.close(|_| Recorded::Broken(Broken::Lost));
        let mut tape = self.0.tape();
        tape.ended = true;
        wake(tape);
    }
}

/// Wakes who waits for more, once there is room to look.
fn wake(mut tape: MutexGuard<'_, Tape>) {
    let waiting = std::mem::take(&mut tape.waiting);
    drop(tape);
    waiting.into_iter().for_each(Waker::wake);
}

impl Body for ArrivingBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = &mut *self;
        let mut tape = this.arrival.tape();
        let piece = match &tape.body {
            Recorded::Broken(broken) => return Poll::Ready(Some(Err(broken.clone()))),
            Recorded::Whole(whole) => whole.slice(this.given.min(whole.len())..),
            Recorded::Growing(out) => {
                let more = out.get(this.given..).unwrap_or_default();
                Bytes::copy_from_slice(more.get(..PIECE).unwrap_or(more))
            }
        };
        if piece.is_empty() {
            if tape.ended {
                return Poll::Ready(None);
            }
            if !tape.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                tape.waiting.push(cx.waker().clone());
            }
            return Poll::Pending;
        }
        this.given += piece.len();
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.arrival.length.map(|length| length.saturating_sub(self.given as u64));
        left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
