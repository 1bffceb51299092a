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
    let answer = tokio::time::timeout(PATIENCE, exchange(address, path, token)).await;
    let answer = answer.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.strip_prefix("HTTP/1.1 ").and_then(|head| head.get(..3)?.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("what listens at {address} does not speak HTTP")))?;
    Ok((status, body.to_owned()))
}

async fn exchange(address: SocketAddr, path: &str, token: Option<&Token>) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    // HTTP/1.0: the body is what follows, until the end.
    let mut request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n").into_bytes();
    if let Some(token) = token {
        request.extend_from_slice(b"Authorization: ");
        request.extend_from_slice(token.authorization().as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    stream.write_all(&request).await?;
    let mut answer = String::new();
    stream.take(LONGEST).read_to_string(&mut answer).await?;
    // An answer to HTTP/1.0 may say so.
    Ok(answer.replacen("HTTP/1.0 ", "HTTP/1.1 ", 1))
}
