//! An HTTP/2 connection on which frames are written as they are (RFC 9113, section 6), for what no HTTP library would send.

use std::net::SocketAddr;

use rustls::ClientConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::Secure;

/// Frame types.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

/// `END_STREAM` and `END_HEADERS`; `ACK`.
const WHOLE: u8 = 0x5;
const ACK: u8 = 0x1;

/// A connection.
pub(crate) struct Frames {
    stream: TlsStream<TcpStream>,
    /// What will be written next.
    out: Vec<u8>,
    /// Whether it is told that it has been heard when it asks.
    pub(crate) answers: bool,
}

/// What the tests look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Frame {
    /// An answer's head; whether its status is 200.
    Head { stream: u32, ok: bool },
    /// A part of its body.
    Data { stream: u32, bytes: usize, last: bool },
    /// The stream is over, and why.
    Reset { stream: u32, code: u32 },
    /// The connection is, and why.
    GoAway { code: u32 },
    /// The other side closed.
    Closed,
}

impl Frames {
    /// Shakes hands, and says how much may be sent on each stream unasked; on all of them together any amount may.
    pub(crate) async fn connect(address: SocketAddr, config: &ClientConfig, window: u32) -> Self {
        let stream = Secure::stream(address, config).await.expect("hands are shaken");
        let mut frames = Self { stream, out: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), answers: true };
        // SETTINGS_INITIAL_WINDOW_SIZE.
        let setting = [&4u16.to_be_bytes()[..], &window.to_be_bytes()].concat();
        frames.frame(SETTINGS, 0, 0, &setting);
        frames.grant(0, i32::MAX as u32 - 65_535);
        frames.flush().await;
        frames
    }

    fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).expect("frames are short");
        self.out.extend_from_slice(&length.to_be_bytes()[1..]);
        self.out.extend_from_slice(&[kind, flags]);
        self.out.extend_from_slice(&stream.to_be_bytes());
        self.out.extend_from_slice(payload);
    }

    /// A GET for this target.
    pub(crate) fn get(&mut self, stream: u32, target: &str) {
        // `:method GET` and `:scheme https` by number, `:path` and `:authority` by name and text (RFC 7541, appendix A).
        let mut block = vec![0x82, 0x87];
        for (name, value) in [(0x04, target), (0x01, "x")] {
            block.extend_from_slice(&[name, u8::try_from(value.len()).ok().filter(|n| *n < 127).expect("a short one")]);
            block.extend_from_slice(value.as_bytes());
        }
        self.frame(HEADERS, WHOLE, stream, &block);
    }

    /// Takes a request back.
    pub(crate) fn reset(&mut self, stream: u32) {
        self.frame(RST_STREAM, 0, stream, &8u32.to_be_bytes());
    }

    /// Lets so many bytes more be sent.
    pub(crate) fn grant(&mut self, stream: u32, bytes: u32) {
        self.frame(WINDOW_UPDATE, 0, stream, &bytes.to_be_bytes());
    }

    /// Writes what is there to be written. That the other side would not have it shows in what it says.
    pub(crate) async fn flush(&mut self) -> bool {
        let out = std::mem::take(&mut self.out);
        self.stream.write_all(&out).await.is_ok() && self.stream.flush().await.is_ok()
    }

    /// The next frame of those that are looked for.
    pub(crate) async fn next(&mut self) -> Frame {
        loop {
            let mut head = [0; 9];
            if self.stream.read_exact(&mut head).await.is_err() {
                return Frame::Closed;
            }
            let number = |bytes: &[u8]| bytes.iter().fold(0u32, |number, byte| number << 8 | u32::from(*byte));
            let (length, kind, flags, stream) = (number(&head[..3]), head[3], head[4], number(&head[5..]));
            let mut payload = vec![0; length as usize];
            if self.stream.read_exact(&mut payload).await.is_err() {
                return Frame::Closed;
            }
            return match kind {
                HEADERS => Frame::Head { stream, ok: payload.first() == Some(&0x88) },
                DATA => Frame::Data { stream, bytes: payload.len(), last: flags & 1 == 1 },
                RST_STREAM => Frame::Reset { stream, code: number(&payload) },
                GOAWAY => Frame::GoAway { code: number(&payload[4..8]) },
                PING if flags & ACK == 0 && self.answers => {
                    self.frame(PING, ACK, 0, &payload);
                    self.flush().await;
                    continue;
                }
                _ => continue,
            };
        }
    }

    /// Reads until this frame has come.
    pub(crate) async fn until(&mut self, wanted: &Frame) {
        loop {
            let frame = self.next().await;
            if frame == *wanted {
                return;
            }
            assert_ne!(frame, Frame::Closed, "{wanted:?} never came");
        }
    }
}
