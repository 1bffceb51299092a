//! A connection whose client does not take what it asked for is ended, so that it holds nothing up: no place at NetBox,
//! no body in memory.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::activity::Activity;
use super::listener::SEND_BUFFER;

/// What the kernel is handed at once of an answer that its buffer takes whole, in bytes. In one piece of 129 KB such an answer
/// costs twice the time that it costs in pieces which a processor's cache holds until the client has read them; one that is
/// longer than the buffer is taken in pieces anyway, and is dearer in these (docs/performance.md).
const PIECE: usize = 64 * 1024;

/// How much of these parts to write at once; `None` for all.
fn at_once(parts: &[io::IoSlice<'_>]) -> Option<usize> {
    let all: usize = parts.iter().map(|part| part.len()).sum();
    (all > PIECE && all <= SEND_BUFFER).then_some(PIECE)
}

/// A connection on which a write may wait this long, and no longer; it tells what comes and goes.
#[derive(Debug)]
pub(super) struct Impatient<S> {
    stream: S,
    patience: Duration,
    activity: Arc<Activity>,
    /// Whether what comes is requests, and not frames, of which most say nothing about any.
    plain: bool,
    /// Runs only while a write waits.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<S> Impatient<S> {
    /// One that speaks HTTP/1.1.
    pub(super) fn http1(stream: S, patience: Duration, activity: Arc<Activity>) -> Self {
        Self { stream, patience, activity, plain: true, waiting: None }
    }

    /// One that speaks HTTP/2.
    pub(super) fn http2(stream: S, patience: Duration, activity: Arc<Activity>) -> Self {
        Self { stream, patience, activity, plain: false, waiting: None }
    }

    fn judge<T>(&mut self, written: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            if self.waiting.take().is_some() {
                self.activity.waits(false);
            }
            return written;
        }
        self.activity.waits(true);
        let patience = self.patience;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        waiting.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Impatient<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if self.plain && buffer.filled().len() > before {
            self.activity.read();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Impatient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.judge(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = match (parts, at_once(parts)) {
            ([first, ..], Some(most)) if first.len() >= most => {
                Pin::new(&mut self.stream).poll_write(cx, first.get(..most).unwrap_or_default())
            }
            ([first, second, ..], Some(most)) => {
                let rest = second.get(..second.len().min(most - first.len())).unwrap_or_default();
                let parts = [io::IoSlice::new(first), io::IoSlice::new(rest)];
                Pin::new(&mut self.stream).poll_write_vectored(cx, &parts)
            }
            _ => Pin::new(&mut self.stream).poll_write_vectored(cx, parts),
        };
        self.judge(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.judge(flushed, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // TLS says goodbye, and waits for its words to be taken.
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.judge(shut, cx)
    }
}
