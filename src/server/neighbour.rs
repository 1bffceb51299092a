//! Asking a running nbproxy, on the same machine, by its admin listener: for commands, and for containers that have no
//! shell and no curl.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::netbox::token::Token;

/// Docker's and Kubernetes' own limits are of this order.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is told there fits; whatever else listens there may talk for ever.
const LONGEST: u64 = 1024 * 1024;

/// What the admin listener at this address says at this path.
///
/// # Errors
/// Why it could not be asked, or that what it said is no HTTP.
pub async fn ask(address: SocketAddr, path: &str, token: Option<&Token>) -> io::Result<(StatusCode, String)> {
    let request = head("GET", address, path, token);
    converse(address, [request, b"\r\n".to_vec()].concat(), PATIENCE).await
}

/// Orders something of the admin listener at this address, in JSON; returns what it says within this time.
///
/// # Errors
/// As [`ask`].
pub async fn order(
    address: SocketAddr,
    path: &str,
    token: Option<&Token>,
    json: &str,
    patience: Duration,
) -> io::Result<(StatusCode, String)> {
    let mut request = head("POST", address, path, token);
    let length = json.len();
    let rest = format!("Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{json}");
    request.extend_from_slice(rest.as_bytes());
    converse(address, request, patience).await
}

/// HTTP/1.0: the body is what follows, until the end.
fn head(method: &str, address: SocketAddr, path: &str, token: Option<&Token>) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.0\r\nHost: {address}\r\n").into_bytes();
    if let Some(token) = token {
        // Whatever its form, here it is no token of NetBox's.
        head.extend_from_slice(format!("Authorization: Bearer {}\r\n", token.reveal()).as_bytes());
    }
    head
}

async fn converse(address: SocketAddr, request: Vec<u8>, patience: Duration) -> io::Result<(StatusCode, String)> {
    let answer = tokio::time::timeout(patience, exchange(address, &request)).await;
    let answer = answer.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.strip_prefix("HTTP/1.1 ").and_then(|head| head.get(..3)?.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("what listens at {address} does not speak HTTP")))?;
    Ok((status, body.to_owned()))
}

async fn exchange(address: SocketAddr, request: &[u8]) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request).await?;
    let mut answer = String::new();
    stream.take(LONGEST).read_to_string(&mut answer).await?;
    // An answer to HTTP/1.0 may say so.
    Ok(answer.replacen("HTTP/1.0 ", "HTTP/1.1 ", 1))
}
