//! The accept loop. Ours, since axum's own has no time-out for a request's head (Slowloris) and no bound on connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};

use super::connection::Connection;
use super::places::{Full, Place, Places, Room};
use super::shutdown::Signals;
use super::tls::Tls;
use super::watch::Pace;
use crate::settings::Http2Limits;
use crate::web::{App, HeadLimits};

/// Bytes that the kernel takes before the client does. With the kernel's own choice a body of some MB is written in many
/// small pieces; more than this brings nothing.
pub(super) const SEND_BUFFER: usize = 256 * 1024;

/// A bound address.
#[derive(Debug)]
pub(super) struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

/// Who answers on a listener.
#[derive(Debug, Clone)]
pub(super) enum Site {
    /// Clients.
    Public(App),
    /// Operators.
    Admin(Router),
}

impl Site {
    /// Who answers clients, if it is they who come here.
    pub(super) fn public(&self) -> Option<&App> {
        match self {
            Self::Public(app) => Some(app),
            Self::Admin(_) => None,
        }
    }
}

/// What a listener puts up with, and what it speaks.
#[derive(Debug)]
pub(super) struct Terms {
    pub(super) room: Room,
    pub(super) pace: Pace,
    pub(super) head: HeadLimits,
    pub(super) secure: Option<Secure>,
}

/// TLS, and with it HTTP/2, which nobody speaks without.
#[derive(Debug)]
pub(super) struct Secure {
    pub(super) tls: Arc<Tls>,
    pub(super) http2: Http2Limits,
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
    pub(super) async fn serve(self, site: Site, terms: Terms, signals: Signals) {
        let mut door = Door { places: Places::new(terms.room.clone()), trouble: None };
        let terms = Arc::new(terms);
        loop {
            let come_in = async {
                let (stream, peer) = door.accept(&self.socket).await;
                door.place(peer).await.map(|place| (stream, peer, place))
            };
            let come = tokio::select! {
                come = come_in => come,
                () = signals.stop.cancelled() => return,
            };
            // Whoever has no place is hung up on.
            let Some((stream, peer, place)) = come else { continue };
            let connection = Connection {
                address: peer.ip().to_canonical(),
                place,
                site: site.clone(),
                terms: Arc::clone(&terms),
                signals: signals.clone(),
            };
            signals.connections.spawn(connection.serve(stream));
        }
    }
}

/// Lets connections in.
struct Door {
    places: Arc<Places>,
    /// What was told last, so that it is told once.
    trouble: Option<&'static str>,
}

impl Door {
    async fn accept(&mut self, socket: &TcpListener) -> (TcpStream, SocketAddr) {
        loop {
            match socket.accept().await {
                Ok(accepted) => return accepted,
                // It was gone before it was let in, which is no trouble of ours.
                Err(error) if is_their_own(error.kind()) => {}
                Err(error) => {
                    // The process is out of file descriptors, as a rule.
                    if self.trouble.replace("accept") != Some("accept") {
                        tracing::warn!(%error, "connections cannot be accepted; idle ones make room");
                    }
                    self.places.make_room().await;
                }
            }
        }
    }

    /// A place for a connection from there, once there is one.
    async fn place(&mut self, peer: SocketAddr) -> Option<Place> {
        let address = peer.ip().to_canonical();
        let mut waited = false;
        loop {
            match self.places.take(address) {
                Ok(place) => {
                    if !waited {
                        self.trouble = None;
                    }
                    return Some(place);
                }
                Err(Full::Address) => {
                    tracing::debug!(%address, "an address has all the connections it may have");
                    return None;
                }
                Err(Full::All) => {
                    waited = true;
                    if self.trouble.replace("full") != Some("full") {
                        tracing::warn!("all connections are taken; idle ones make room");
                    }
                    self.places.make_room().await;
                }
            }
        }
    }
}

fn is_their_own(error: io::ErrorKind) -> bool {
    matches!(
        error,
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
