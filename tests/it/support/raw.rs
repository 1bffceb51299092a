//! A connection on which bytes are written as they are, for what no HTTP library would send.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// A connection.
pub(crate) struct Raw(TcpStream);

impl Raw {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.expect("the proxy listens"))
    }

    /// From another of this machine's addresses.
    pub(crate) async fn connect_from(source: impl Into<IpAddr>, address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind((source.into(), 0).into()).expect("the address is this machine's");
        Self(socket.connect(address).await.expect("the proxy listens"))
    }

    pub(crate) async fn write(&mut self, text: &str) {
        self.write_bytes(text.as_bytes()).await;
    }

    pub(crate) async fn write_bytes(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.expect("the proxy reads");
    }

    /// As much as the other side takes: it may refuse a request amid it.
    pub(crate) async fn offer(&mut self, bytes: &[u8]) {
        let _broken_off = self.0.write_all(bytes).await;
    }

    /// Everything until the other side closes.
    pub(crate) async fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        // A reset after the answer is the other side's right.
        let _end = self.0.read_to_end(&mut bytes).await;
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The next answer, whose length is told: its head and its body.
    pub(crate) async fn answer(&mut self) -> (String, String) {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            let byte = self.0.read_u8().await.expect("the proxy answers");
            bytes.push(byte);
        }
        let head = String::from_utf8(bytes).expect("heads are text");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().expect("a number"))];
        self.0.read_exact(&mut body).await.expect("the proxy answers");
        (head, String::from_utf8_lossy(&body).into_owned())
    }

    /// Reads until the text has arrived.
    pub(crate) async fn until(&mut self, text: &str) -> String {
        let mut bytes = Vec::new();
        let mut part = [0; 4096];
        loop {
            let read = self.0.read(&mut part).await.expect("the proxy answers");
            bytes.extend_from_slice(&part[..read]);
            let so_far = String::from_utf8_lossy(&bytes).into_owned();
            if so_far.contains(text) || read == 0 {
                return so_far;
            }
        }
    }

    /// Writes, and says whether the other side would still have it.
    pub(crate) async fn try_write(&mut self, text: &str) -> bool {
        self.0.write_all(text.as_bytes()).await.is_ok()
    }

    /// Whether an answer or an end comes within this time; it is not read.
    pub(crate) async fn has_something_within(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.0.peek(&mut [0])).await.is_ok()
    }

    /// Whether the other side closes within this time, having said nothing.
    pub(crate) async fn is_ended_within(&mut self, time: Duration) -> bool {
        let peeked = tokio::time::timeout(time, self.0.peek(&mut [0])).await;
        peeked.is_ok_and(|peeked| peeked.map_or(true, |bytes| bytes == 0))
    }
}
