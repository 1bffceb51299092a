//! A connection on which bytes are written as they are, and answers are read strictly.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection, and what was read of it beyond the last answer.
pub(super) struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: String,
}

impl Reply {
    /// Whether the request was refused for what it is. 505 is for its version.
    pub(super) fn is_refusal(&self) -> bool {
        (400..500).contains(&self.status) || self.status == 505
    }
}

impl Connection {
    pub(super) async fn to(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.expect("nbproxy listens"), unread: Vec::new() }
    }

    /// Sends what can be sent: the other side may have closed already, which is judged by what it said.
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        let _sent = self.stream.write_all(bytes).await;
    }

    /// Sends no more.
    pub(super) async fn hang_up(&mut self) {
        let _told = self.stream.shutdown().await;
    }

    /// The next answer, or nothing once the other side has closed. `head`: it is one to a HEAD. An interim answer is one
    /// like the others.
    pub(super) async fn reply(&mut self, head: bool) -> Result<Option<Reply>, String> {
        let end = loop {
            if let Some(end) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            if !self.fill().await {
                let rest = String::from_utf8_lossy(&self.unread);
                return if rest.is_empty() { Ok(None) } else { Err(format!("half an answer: {rest:?}")) };
            }
        };
        let text = String::from_utf8(self.take(end + 4)).map_err(|_| "a head that is no text")?;
        let mut lines = text.lines();
        let line = lines.next().unwrap_or_default();
        let status: u16 = line.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or("no status")?;
        if !line.starts_with("HTTP/1.") {
            return Err(format!("no answer: {line:?}"));
        }
        let length =
            lines.find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:").map(str::to_owned));
        let length = match length {
            _ if head || status < 200 || status == 204 => 0,
            Some(length) => length.trim().parse().map_err(|_| "no length")?,
            None => return Err(format!("an answer whose end is not told: {text:?}")),
        };
        while self.unread.len() < length {
            if !self.fill().await {
                return Err(format!("an answer that broke off: {text:?}"));
            }
        }
        Ok(Some(Reply { status, body: String::from_utf8_lossy(&self.take(length)).into_owned() }))
    }

    /// All further answers until the other side closes.
    pub(super) async fn rest(&mut self) -> Result<Vec<Reply>, String> {
        let mut replies = Vec::new();
        while let Some(reply) = self.reply(false).await? {
            replies.push(reply);
        }
        Ok(replies)
    }

    /// All further answers, after one more request and no others.
    pub(super) async fn rest_after(&mut self, request: &str) -> Result<Vec<Reply>, String> {
        self.send(request.as_bytes()).await;
        let mut replies = Vec::from_iter(self.reply(false).await?);
        self.hang_up().await;
        replies.extend(self.rest().await?);
        Ok(replies)
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        let rest = self.unread.split_off(count);
        std::mem::replace(&mut self.unread, rest)
    }

    /// Reads more; false when there is no more, be it that the other side has closed or reset.
    async fn fill(&mut self) -> bool {
        matches!(self.stream.read_buf(&mut self.unread).await, Ok(read) if read > 0)
    }
}
