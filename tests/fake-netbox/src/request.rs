//! Requests as they arrive: reading them from a socket, and the record kept of them.

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::encoding;

/// Bodies beyond this are counted, not kept.
const KEPT: usize = 16 << 20;
const MAX_HEAD: usize = 64 << 10;

/// A complete request that arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// Number of the connection it came on, from 1.
    pub connection: u64,
    /// The other end of that connection.
    pub peer: IpAddr,
    /// The method as sent.
    pub method: String,
    /// The request target as sent.
    pub target: String,
    /// The path, decoded, without the base path.
    pub path: String,
    /// The pairs of the query, decoded, in their order.
    pub query: Vec<(String, String)>,
    /// The headers as sent, in their order.
    pub headers: Vec<(String, String)>,
    /// The body; of one larger than 16 MiB only the beginning.
    pub body: Bytes,
    /// Length of the whole body.
    pub body_len: u64,
    /// The path is not below the base path.
    pub(crate) outside: bool,
}

impl Received {
    /// A request for that target, without headers and body, from this machine.
    pub(crate) fn new(method: &str, target: &str, base_path: &str) -> Received {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = encoding::decode(path, false);
        let inside = path.strip_prefix(base_path).filter(|rest| rest.starts_with('/'));
        Received {
            connection: 0,
            peer: Ipv4Addr::LOCALHOST.into(),
            method: method.to_owned(),
            target: target.to_owned(),
            query: encoding::parse_query(query),
            outside: inside.is_none(),
            path: inside.map(str::to_owned).unwrap_or(path),
            headers: Vec::new(),
            body: Bytes::new(),
            body_len: 0,
        }
    }

    /// The first header of that name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The last value of a query parameter, which is the one that Django takes for single-valued ones.
    pub fn param(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().rfind(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The value of a cookie.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let cookies = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case("cookie"));
        cookies
            .flat_map(|(_, value)| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    /// Whether the client wants the connection to stay open.
    pub(crate) fn keeps_alive(&self) -> bool {
        self.header("connection").is_none_or(|value| !value.to_ascii_lowercase().contains("close"))
    }
}

struct Head {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
}

/// The reading side of a connection.
pub(crate) struct Reader {
    buffer: BytesMut,
    connection: u64,
    peer: IpAddr,
}

impl Reader {
    pub(crate) fn new(connection: u64, peer: IpAddr) -> Reader {
        Reader { buffer: BytesMut::new(), connection, peer }
    }

    /// Whether bytes of a next request were already read.
    pub(crate) fn has_begun(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// The next request, or nothing where the client closed between two.
    pub(crate) async fn next(&mut self, stream: &mut TcpStream, base_path: &str) -> io::Result<Option<Received>> {
        let head = loop {
            if let Some(head) = self.head()? {
                break head;
            }
            if self.buffer.len() > MAX_HEAD {
                return Err(invalid("the head is too long"));
            }
            if stream.read_buf(&mut self.buffer).await? == 0 {
                return if self.buffer.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
        };
        let find = |name: &str| {
            let found = head.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.as_str())
        };
        if find("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        let chunked = find("transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().contains("chunked"));
        let length = match find("content-length") {
            Some(value) => value.parse().map_err(|_| invalid("bad Content-Length"))?,
            None => 0,
        };
        let mut body = Body { kept: BytesMut::new(), length: 0 };
        if chunked {
            self.chunks(stream, &mut body).await?;
        } else {
            self.exactly(stream, length, &mut body).await?;
        }
        let mut request = Received::new(&head.method, &head.target, base_path);
        request.connection = self.connection;
        request.peer = self.peer;
        request.headers = head.headers;
        request.body = body.kept.freeze();
        request.body_len = body.length;
        Ok(Some(request))
    }

    fn head(&mut self) -> io::Result<Option<Head>> {
        let mut headers = [httparse::EMPTY_HEADER; 100];
        let mut request = httparse::Request::new(&mut headers);
        let status = request.parse(&self.buffer).map_err(|error| invalid(&error.to_string()))?;
        let httparse::Status::Complete(length) = status else {
            return Ok(None);
        };
        let head = Head {
            method: request.method.unwrap_or_default().to_owned(),
            target: request.path.unwrap_or_default().to_owned(),
            headers: request
                .headers
                .iter()
                .map(|header| {
                    let value = String::from_utf8_lossy(header.value).into_owned();
                    (header.name.to_owned(), value)
                })
                .collect(),
        };
        self.buffer.advance(length);
        Ok(Some(head))
    }

    async fn fill(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        if stream.read_buf(&mut self.buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }

    async fn exactly(&mut self, stream: &mut TcpStream, mut length: u64, body: &mut Body) -> io::Result<()> {
        while length > 0 {
            if self.buffer.is_empty() {
                self.fill(stream).await?;
            }
            let here = usize::try_from(length).unwrap_or(usize::MAX).min(self.buffer.len());
            body.add(&self.buffer.split_to(here));
            length -= here as u64;
        }
        Ok(())
    }

    async fn chunks(&mut self, stream: &mut TcpStream, body: &mut Body) -> io::Result<()> {
        loop {
            let line = self.line(stream).await?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16).map_err(|_| invalid("bad chunk size"))?;
            if size == 0 {
                while !self.line(stream).await?.is_empty() {}
                return Ok(());
            }
            self.exactly(stream, size, body).await?;
            self.line(stream).await?;
        }
    }

    async fn line(&mut self, stream: &mut TcpStream) -> io::Result<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|two| two == b"\r\n") {
                let line = self.buffer.split_to(end);
                self.buffer.advance(2);
                return Ok(String::from_utf8_lossy(&line).into_owned());
            }
            self.fill(stream).await?;
        }
    }
}

struct Body {
    kept: BytesMut,
    length: u64,
}

impl Body {
    fn add(&mut self, bytes: &[u8]) {
        let room = KEPT - self.kept.len();
        self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.length += bytes.len() as u64;
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
