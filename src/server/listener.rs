//! The accept loop. Ours, since axum's own has no time-out for a request's head (Slowloris) and no bound on connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower_service::Service;

use super::shutdown::Signals;
use super::stall::Impatient;
use crate::web::Peer;

/// With the kernel's own choice a body of some MB is written in many small pieces; more than this brings nothing.
const SEND_BUFFER: usize = 256 * 1024;

/// How long to wait when the process has no file descriptor left for another connection.
const EXHAUSTED: Duration = Duration::from_millis(50);

/// A bound address.
#[derive(Debug)]
pub(super) struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

/// What a listener puts up with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Connections at once; further ones wait in the kernel.
    pub(super) connections: usize,
    /// For a request's head to arrive.
    pub(super) header: Duration,
    /// For a client to take the next part of its answer.
    pub(super) write: Duration,
}

impl Listener {
    pub(super) async fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        // Accepted connections inherit it.
        socket2::SockRef::from(&socket).set_send_buffer_size(SEND_BUFFER)?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts until told to stop; the address is given up then, so that new connections are refused.
    pub(super) async fn serve(self, router: Router, limits: Limits, signals: Signals) {
        let places = Arc::new(Semaphore::new(limits.connections));
        loop {
            let place = tokio::select! {
                place = Arc::clone(&places).acquire_owned() => place,
                () = signals.stop.cancelled() => return,
            };
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                () = signals.stop.cancelled() => return,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let connection = converse(stream, peer, router.clone(), limits, signals.clone());
                    signals.connections.spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(EXHAUSTED).await;
                }
            }
        }
    }
}

/// Serves one connection. Told to stop, it finishes the request under way; told to end, it does not.
async fn converse(stream: TcpStream, peer: SocketAddr, router: Router, limits: Limits, signals: Signals) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection was gone before it began");
        return;
    }
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        let address = peer.ip().to_canonical();
        request.extensions_mut().insert(Peer { address, tls: false, certificate: None });
        router.clone().call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header)
        .serve_connection(TokioIo::new(Impatient::new(stream, limits.write)), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = signals.stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection.as_mut() => ended,
                () = signals.end.cancelled() => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
