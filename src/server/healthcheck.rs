//! Asks a running nbproxy whether it is alive, for containers that have no shell and no curl.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Docker's and Kubernetes' own limits are of this order.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whether the admin listener at this address says that it is alive.
///
/// # Errors
/// Why it could not be asked, or what it said.
pub async fn ask(address: SocketAddr) -> io::Result<()> {
    let answer = tokio::time::timeout(PATIENCE, exchange(address)).await;
    let answer = answer.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    if answer.starts_with("HTTP/1.1 200 ") {
        Ok(())
    } else {
        Err(io::Error::other(answer.lines().next().unwrap_or("no answer").to_owned()))
    }
}

async fn exchange(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    // Alive is said in a few hundred bytes; whatever else listens there may talk for ever.
    stream.take(4096).read_to_string(&mut answer).await?;
    Ok(answer)
}
