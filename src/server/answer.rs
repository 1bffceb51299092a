//! An answer's body on its way into a connection: as long as it lasts, its request is under way.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::activity::Doing;
use super::streams::Turn;

/// What an HTTP/2 client is handed at once. h2 keeps what it was given until the client has taken it, however long the
/// client takes.
const PIECE: usize = 256 * 1024;

/// A body.
#[derive(Debug)]
pub(super) struct Answer {
    inner: Body,
    /// Where it goes by HTTP/2: what is left of the frame that is being handed over, and whose turn it is.
    pieces: Option<(Bytes, Turn)>,
    _doing: Doing,
}

impl Answer {
    pub(super) fn new(inner: Body, turn: Option<Turn>, doing: Doing) -> Self {
        Self { inner, pieces: turn.map(|turn| (Bytes::new(), turn)), _doing: doing }
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let Some((rest, turn)) = &mut this.pieces else { return Pin::new(&mut this.inner).poll_frame(cx) };
        turn.ours();
        if rest.is_empty() {
            let frame = std::task::ready!(Pin::new(&mut this.inner).poll_frame(cx));
            match frame.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => *rest = data,
                Some(Ok(Err(trailers))) => return Poll::Ready(Some(Ok(trailers))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        turn.theirs();
        Poll::Ready(Some(Ok(Frame::data(rest.split_to(rest.len().min(PIECE))))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.as_ref().is_none_or(|(rest, _)| rest.is_empty()) && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.pieces.as_ref().map_or(0, |(rest, _)| rest.len() as u64);
        match self.inner.size_hint().exact() {
            Some(exact) => SizeHint::with_exact(exact + left),
            None => SizeHint::default(),
        }
    }
}
