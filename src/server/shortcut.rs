//! A connection's shorter way: a request whose head has come before, byte for byte, and that memory can answer, is answered
//! here, and hyper never sees it.
//!
//! It stands between the connection's stream and hyper, and does so only where nothing can be confused: hyper has read all
//! that it was given and has written all that it had to write, no request is under way, and what has come at once is one whole
//! head and nothing else. Whatever else comes is hyper's, and from then on so is the connection: what hyper may hold of it is not known
//! here.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use memchr::memmem;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::activity::{Activity, Doing};
use crate::web::recall::{FROM, LONGEST, from};
use crate::web::{App, Peer};

/// The end of a head.
const END: &[u8] = b"\r\n\r\n";

/// A stream with a shorter way.
pub(super) struct Shortcut<S> {
    stream: S,
    app: Option<App>,
    peer: Arc<Peer>,
    activity: Arc<Activity>,
    heads: Heads,
    /// Where requests come from, and what has been read of the next one.
    asked: Vec<u8>,
    /// How much of that hyper has been given, while it is being given.
    given: Option<usize>,
    /// Requests begun when hyper had last written all that it had to write.
    settled: Option<u64>,
    /// Whether all is hyper's.
    off: bool,
    answer: Option<Writing>,
}

/// The head of the request that hyper has been given, for who answers it.
#[derive(Debug, Clone, Default)]
pub(super) struct Heads(Arc<Mutex<Option<Box<[u8]>>>>);

/// An answer on its way.
struct Writing {
    head: Bytes,
    body: Bytes,
    _doing: Doing,
}

impl Heads {
    /// The head, with where it comes from before it, if it was the only thing that came.
    pub(super) fn take(&self) -> Option<Box<[u8]>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, head: &[u8]) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(head.into());
    }
}

impl<S> Shortcut<S> {
    /// For clients of `app`. Whoever has shown a certificate is not only known by what it sends.
    pub(super) fn new(stream: S, app: Option<App>, peer: Arc<Peer>, activity: Arc<Activity>, heads: Heads) -> Self {
        let asked = from(&peer).to_vec();
        let off = app.is_none() || peer.certificate.is_some();
        Self { stream, app, peer, activity, heads, asked, given: None, settled: Some(0), off, answer: None }
    }

    /// Whether hyper has nothing to do, and holds nothing.
    fn is_between(&self) -> bool {
        self.activity.is_idle() && self.settled == Some(self.activity.begun())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Shortcut<S> {
    /// Reads and answers until something has come for hyper, or nothing more comes.
    fn poll_between(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_answer(cx))?;
            let mut bytes = [MaybeUninit::uninit(); LONGEST];
            let mut buffer = ReadBuf::uninit(&mut bytes);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
            self.asked.extend_from_slice(buffer.filled());
            if let Some((head, body)) = self.again() {
                self.answer = Some(Writing { head, body, _doing: self.activity.begin() });
                self.asked.truncate(FROM);
                continue;
            }
            if is_head(self.asked.get(FROM..).unwrap_or_default()) {
                self.heads.put(&self.asked);
            } else {
                self.off = true;
            }
            self.given = Some(0);
            return Poll::Ready(Ok(()));
        }
    }

    /// The answer to what has come, if it is a head that has come before.
    fn again(&self) -> Option<(Bytes, Bytes)> {
        let app = self.app.as_ref().filter(|_| self.asked.ends_with(END))?;
        app.again(&self.peer, &self.asked)
    }

    /// Writes what is left of the answer.
    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(Writing { head, body, .. }) = &mut self.answer {
            if head.is_empty() && body.is_empty() {
                ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
                self.answer = None;
                self.settled = Some(self.activity.begun());
                break;
            }
            let parts = [IoSlice::new(head), IoSlice::new(body)];
            let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, &parts))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            let of_head = written.min(head.len());
            head.advance(of_head);
            body.advance(written - of_head);
        }
        Poll::Ready(Ok(()))
    }

    /// Gives hyper what has been read for it.
    fn give(&mut self, buffer: &mut ReadBuf<'_>) {
        let Some(given) = self.given else { return };
        let rest = self.asked.get(FROM + given..).unwrap_or_default();
        let part = rest.get(..rest.len().min(buffer.remaining())).unwrap_or_default();
        buffer.put_slice(part);
        self.given = if part.len() == rest.len() { None } else { Some(given + part.len()) };
        if self.given.is_none() {
            self.asked.truncate(FROM);
            self.settled = None;
        }
    }
}

/// Whether this is one whole head of a reader, and nothing else.
fn is_head(bytes: &[u8]) -> bool {
    // A reader that takes a lone line feed for a line's end sees the end of the head before we do.
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    bytes.starts_with(b"GET ")
        && memmem::find(bytes, END).is_some_and(|at| at + END.len() == bytes.len())
        && lines.all(|line| line.ends_with(b"\r\n") && !is_of_body(line))
}

/// Whether a line of a head tells of a body: what hyper reads of that is no head.
fn is_of_body(line: &[u8]) -> bool {
    [&b"content-length"[..], b"transfer-encoding"]
        .iter()
        .any(|name| line.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name)))
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Shortcut<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.given.is_none() && !this.off && (this.answer.is_some() || this.is_between()) {
            ready!(this.poll_between(cx))?;
        }
        if this.given.is_some() {
            this.give(buffer);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        // A body, or a request that did not wait for the answer to the last one.
        this.off |= buffer.filled().len() > before;
        read
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Shortcut<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_answer(cx))?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_answer(cx))?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_answer(cx))?;
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        // hyper flushes when it has written all it had; it has all when no request is under way.
        if self.activity.is_idle() {
            self.settled = Some(self.activity.begun());
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_answer(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_head_of_a_reader_is_one() {
        assert!(is_head(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"));
        for other in [
            "",
            "GET /a HTTP/1.1\r\n",
            "GET /a HTTP/1.1\r\nHost: a\r\n\r",
            "POST /a HTTP/1.1\r\n\r\n",
            "\r\nGET /a HTTP/1.1\r\n\r\n",
            "GET /a HTTP/1.1\r\n\r\nGET",
            "GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n",
            "GET /a HTTP/1.1\nHost: a\n\n",
            "GET /a HTTP/1.1\r\nHost: a\n\nGET /b HTTP/1.1\r\n\r\n",
            "GET /a HTTP/1.1\r\ncontent-LENGTH: 5\r\n\r\n",
            "GET /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        ] {
            assert!(!is_head(other.as_bytes()), "{other:?}");
        }
    }
}
