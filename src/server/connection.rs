//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tower_service::Service as _;

use super::activity::Activity;
use super::answer::Answer;
use super::listener::{Secure, Site, Terms};
use super::places::Place;
use super::shortcut::{Heads, Shortcut};
use super::shutdown::Signals;
use super::stall::Impatient;
use super::streams::{Streams, Turn};
use super::tls::{Agreed, Tls};
use super::watch::{Verdict, Watcher};
use crate::settings::Http2Limits;
use crate::web::{HeadLimits, Peer};

/// What hyper reads of a head beyond the limit, so that it is the web floor that refuses it, in NetBox's shape. Heads that
/// are longer still are answered by hyper, without a body.
const SLACK: usize = 8 * 1024;

/// hyper's own; where the settings agree with it, heads are read on the stack.
const USUAL_HEADERS: usize = 100;

/// hyper's own for what it buffers of a connection, in bytes.
const USUAL_BUFFER: usize = 8192 + 4096 * 100;

/// What RFC 9113 (section 10.5.1) adds to each header's own bytes.
const H2_OVERHEAD: usize = 32;

/// How much of a request body HTTP/2 clients may send unread, in bytes: of one, and of all of a connection. What one
/// upload that waits for NetBox has used of the latter the others do not have.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// For how long a connection goes by a certificate, which may expire meanwhile; and how long what is under way may take
/// then. An HTTP/2 client could go on asking: it is finished only when the client says that it has heard (RFC 9113, section 6.8).
const SHOWN_AGAIN: Duration = Duration::from_secs(3600);
const PARTING: Duration = Duration::from_secs(300);

/// A connection that has been accepted.
pub(super) struct Connection {
    pub(super) address: IpAddr,
    pub(super) place: Place,
    pub(super) site: Site,
    pub(super) terms: Arc<Terms>,
    pub(super) signals: Signals,
}

impl Connection {
    /// Serves it. Told to stop, it finishes the requests under way; told to end, it does not.
    pub(super) async fn serve(self, stream: TcpStream) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection was gone before it began");
            return;
        }
        let Some(Secure { tls, http2 }) = &self.terms.secure else {
            let peer = Peer { address: self.address, tls: false, certificate: None };
            return self.http1(stream, peer, None).await;
        };
        let Some((stream, agreed)) = self.shake_hands(tls, stream).await else { return };
        let outdated = agreed.certificate.is_some().then_some(agreed.outdated);
        let peer = Peer { address: self.address, tls: true, certificate: agreed.certificate };
        if agreed.http2 {
            self.http2(stream, peer, outdated, *http2).await;
        } else {
            self.http1(stream, peer, outdated).await;
        }
    }

    async fn shake_hands(&self, tls: &Tls, stream: TcpStream) -> Option<(TlsStream<TcpStream>, Agreed)> {
        let shaken = tokio::select! {
            biased;
            shaken = tokio::time::timeout(self.terms.pace.header, tls.accept(stream)) => shaken,
            () = self.place.activity().asked_to_leave() => return None,
            () = self.signals.stop.cancelled() => return None,
        };
        match shaken {
            Ok(Ok(agreed)) => return Some(agreed),
            Ok(Err(error)) => tracing::debug!(%error, "tls was not agreed on"),
            Err(_) => tracing::debug!("tls was not agreed on in time"),
        }
        None
    }

    async fn http1(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        peer: Peer,
        outdated: Option<CancellationToken>,
    ) {
        let Terms { pace, head, .. } = &*self.terms;
        let mut builder = http1::Builder::new();
        // A watcher keeps the time: hyper would set a timer for each request, and count what is idle time as a head's.
        builder.header_read_timeout(None);
        builder.max_header_size(head.bytes + SLACK).max_buf_size(USUAL_BUFFER.max(head.bytes + SLACK));
        if head.headers != USUAL_HEADERS {
            builder.max_headers(head.headers);
        }
        let (activity, peer) = (self.place.activity(), Arc::new(peer));
        let stream = Impatient::http1(stream, pace.write, Arc::clone(activity));
        let heads = Heads::default();
        let service = self.service(Arc::clone(&peer), heads.clone());
        let app = self.site.public().cloned();
        let stream = Shortcut::new(stream, app, peer, Arc::clone(activity), heads);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        self.attend(connection, outdated, |connection| connection.graceful_shutdown()).await;
    }

    async fn http2(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        peer: Peer,
        outdated: Option<CancellationToken>,
        limits: Http2Limits,
    ) {
        let Terms { pace, head, .. } = &*self.terms;
        let mut builder = http2::Builder::new(Streams::new(self.signals.connections.clone(), pace.write));
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams)
            .max_pending_accept_reset_streams(limits.resets)
            .max_header_list_size(list_size(head))
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            // Whoever is gone without a word does not answer this either.
            .keep_alive_interval(pace.write)
            .keep_alive_timeout(pace.write);
        let stream = Impatient::http2(stream, pace.write, Arc::clone(self.place.activity()));
        let connection = builder.serve_connection(TokioIo::new(stream), self.service(Arc::new(peer), Heads::default()));
        self.attend(connection, outdated, |connection| connection.graceful_shutdown()).await;
    }

    fn service(
        &self,
        peer: Arc<Peer>,
        heads: Heads,
    ) -> impl Service<Request<Incoming>, Response = Response<Answer>, Error = Infallible, Future: Send + 'static> + use<>
    {
        let (site, activity): (Site, Arc<Activity>) = (self.site.clone(), Arc::clone(self.place.activity()));
        service_fn(move |request: Request<Incoming>| {
            let doing = activity.begin();
            let (site, peer, head) = (site.clone(), Arc::clone(&peer), heads.take());
            // In a box: hyper moves it about, and it is large.
            Box::pin(async move {
                let mut request = request.map(Body::new);
                let response = match site {
                    Site::Public(app) => app.answer(&peer, request, head).await,
                    Site::Admin(mut router) => {
                        request.extensions_mut().insert(Peer::clone(&peer));
                        router.call(request).await?
                    }
                };
                let turn = Turn::current();
                Ok(response.map(|body| Answer::new(body, turn, doing)))
            })
        })
    }

    /// Sees a connection through. `outdated` tells when the certificate that its client has shown needs to be shown again;
    /// `finish` lets it begin nothing new.
    async fn attend<C>(&self, connection: C, outdated: Option<CancellationToken>, finish: impl Fn(Pin<&mut C>))
    where
        C: Future<Output = hyper::Result<()>>,
    {
        let activity = self.place.activity();
        let mut watcher = Watcher::new(Arc::clone(activity), self.terms.pace);
        let (mut stopping, mut parting) = (false, false);
        let age = tokio::time::sleep(SHOWN_AGAIN);
        tokio::pin!(connection, age);
        loop {
            let told = if stopping { &self.signals.end } else { &self.signals.stop };
            tokio::select! {
                // What has come is looked at before time is.
                biased;
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection ended early");
                    }
                    return;
                }
                () = told.cancelled() => {
                    if stopping {
                        return;
                    }
                    stopping = true;
                    finish(connection.as_mut());
                }
                () = lapsed(outdated.as_ref(), parting, age.as_mut()) => {
                    if parting {
                        tracing::debug!("a connection did not finish in time for its client to show its certificate again");
                        return;
                    }
                    parting = true;
                    age.set(tokio::time::sleep(PARTING));
                    finish(connection.as_mut());
                }
                () = activity.asked_to_leave() => {
                    if activity.is_idle() {
                        tracing::debug!("an idle connection made room");
                        return;
                    }
                }
                verdict = watcher.verdict() => match verdict {
                    Verdict::Idle => finish(connection.as_mut()),
                    Verdict::End => {
                        tracing::debug!("a connection that brought no whole request was ended");
                        return;
                    }
                },
            }
        }
    }
}

/// Returns when a certificate that was shown needs to be shown again; once that has been told, when time is up.
async fn lapsed(outdated: Option<&CancellationToken>, told: bool, age: Pin<&mut Sleep>) {
    let Some(outdated) = outdated else { return std::future::pending().await };
    tokio::select! {
        () = outdated.cancelled(), if !told => {}
        () = age => {}
    }
}

/// HTTP/2 counts more than the bytes of a head.
fn list_size(head: &HeadLimits) -> u32 {
    let size = head.bytes + SLACK + H2_OVERHEAD * (head.headers + 8);
    u32::try_from(size).unwrap_or(u32::MAX)
}
