//! Bodies on their way from NetBox: gathered when they are small enough, else flowing on; rewritten either way.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::TRANSFER_ENCODING;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;

use super::headers::content_length;
use super::rewrite::Rewriter;
use crate::invalidation::relations::Shown;
use crate::netbox::session::AnswerBody;
use crate::netbox::transport::TransportError as Error;

/// A body that has been read, or has proved too long for that.
#[derive(Debug)]
pub(super) enum Gathered {
    /// All of it.
    Whole(Whole),
    /// Its beginning, and the rest still to come.
    Long(LongBody),
}

/// A whole body.
#[derive(Debug)]
pub(super) struct Whole {
    /// The body, rewritten.
    pub(super) body: Bytes,
    /// Where the public base stands in it.
    pub(super) links: Vec<u32>,
    /// Whether its length was announced or its end marked, so that nothing can be missing.
    pub(super) complete: bool,
    /// Who has read it.
    rewriter: Option<Rewriter>,
}

/// A body that is being read: what comes is rewritten into a buffer of its reader's.
#[derive(Debug)]
pub(super) struct Reading {
    rewriter: Option<Rewriter>,
    links: Vec<u32>,
    read: u64,
}

/// A body that flows on while it is read.
#[derive(Debug)]
pub struct LongBody {
    head: Option<Bytes>,
    rest: AnswerBody,
    rewriter: Option<Rewriter>,
    ended: bool,
}

/// Reads up to `limit` bytes of a body; what was announced as longer is not begun.
///
/// # Errors
/// What broke the body off.
pub(super) async fn gather(
    headers: &HeaderMap,
    mut body: AnswerBody,
    rewriter: Option<Rewriter>,
    limit: usize,
) -> Result<Gathered, Error> {
    let announced = content_length(headers);
    if announced.is_some_and(|length| length > limit as u64) {
        return Ok(Gathered::Long(LongBody { head: None, rest: body, rewriter, ended: false }));
    }
    let expected = announced.and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    let (mut out, mut reading) = (BytesMut::with_capacity(expected), Reading::new(rewriter));
    while let Some(frame) = body.frame().await {
        let Ok(part) = frame?.into_data() else { continue };
        reading.feed(&part, &mut out);
        if out.len() > limit {
            let Reading { rewriter, .. } = reading;
            return Ok(Gathered::Long(LongBody { head: Some(out.freeze()), rest: body, rewriter, ended: false }));
        }
    }
    reading.finish(&mut out);
    // A copy of the exact size: the buffer that grew with the body may be twice as large, and is not what is counted.
    let body = if is_roomy(out.capacity(), out.len()) { Bytes::copy_from_slice(&out) } else { out.freeze() };
    Ok(Gathered::Whole(reading.whole(headers, body)))
}

/// Whether a buffer of this capacity holds much more than it must.
pub(super) fn is_roomy(capacity: usize, length: usize) -> bool {
    capacity > length + length / 16
}

impl Reading {
    pub(super) fn new(rewriter: Option<Rewriter>) -> Self {
        Self { rewriter, links: Vec::new(), read: 0 }
    }

    /// Takes the next part.
    pub(super) fn feed(&mut self, part: &[u8], out: &mut BytesMut) {
        self.read += part.len() as u64;
        match &mut self.rewriter {
            Some(rewriter) => rewriter.feed(part, out, &mut self.links),
            None => out.extend_from_slice(part),
        }
    }

    /// There is no more to come.
    pub(super) fn finish(&mut self, out: &mut BytesMut) {
        if let Some(rewriter) = &mut self.rewriter {
            rewriter.finish(out);
        }
    }

    /// The body that was read, the answer with these headers.
    pub(super) fn whole(self, headers: &HeaderMap, body: Bytes) -> Whole {
        let chunked =
            headers.get(TRANSFER_ENCODING).is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
        let complete = content_length(headers).map_or(chunked, |length| length == self.read);
        Whole { body, links: self.links, complete, rewriter: self.rewriter }
    }
}

impl Whole {
    /// Which objects it holds; `None` when that was not understood.
    pub(super) fn shown(&self) -> Option<Shown> {
        self.rewriter.as_ref()?.shown(&self.body, &self.links)
    }
}

impl LongBody {
    /// Its length, where that is certain: nothing is rewritten, and NetBox told it.
    fn length(&self) -> Option<u64> {
        let rest = self.rest.size_hint().exact().filter(|_| self.rewriter.is_none())?;
        Some(rest + self.head.as_ref().map_or(0, Bytes::len) as u64)
    }
}

impl Body for LongBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(head) = self.head.take() {
            return Poll::Ready(Some(Ok(Frame::data(head))));
        }
        loop {
            if self.ended {
                return Poll::Ready(None);
            }
            let frame = std::task::ready!(Pin::new(&mut self.rest).poll_frame(cx));
            let this = &mut *self;
            let Some(rewriter) = &mut this.rewriter else { return Poll::Ready(frame) };
            let mut out = BytesMut::new();
            match frame {
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(frame)) => {
                    let Ok(part) = frame.into_data() else { continue };
                    rewriter.feed(&part, &mut out, &mut Vec::new());
                }
                None => {
                    rewriter.finish(&mut out);
                    this.ended = true;
                }
            }
            if !out.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(out.freeze()))));
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.length().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
