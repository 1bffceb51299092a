//! The one handler of the public listener.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::{Method, Version};

use super::access_log::Line;
use super::{Shared, error, head, recall, upload};
use crate::proxy::auth::Subject;
use crate::proxy::error::ProxyError;
use crate::proxy::outcome::Outcome;
use crate::proxy::reply::{Reply, ReplyBody};
use crate::proxy::request::{Request as Asked, Target};

/// Where a connection comes from.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The other end.
    pub address: IpAddr,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// The subject of the certificate it has shown.
    pub certificate: Option<Arc<Subject>>,
}

impl Default for Peer {
    /// Nobody knows where.
    fn default() -> Self {
        Self { address: Ipv4Addr::UNSPECIFIED.into(), tls: false, certificate: None }
    }
}

/// Answers whatever is asked.
pub(super) async fn mirror(app: &Shared, peer: &Peer, request: Request, head: Option<Box<[u8]>>) -> Response {
    let head = head.filter(|head| recall::is_plain(&request, head) && app.recalls.has_room());
    let mut line = Line::begin(app, &request, peer.address);
    match answer(app, request, peer, head, &mut line).await {
        Ok(reply) => {
            line.outcome(reply.outcome.as_str(), reply.outcome.detail());
            line.request_id(reply.headers.get("x-request-id"));
            respond(reply, line)
        }
        Err(error) => {
            let response = error::response(&error, app.proxy.api_version());
            line.failed(&error);
            line.request_id(response.headers().get("x-request-id"));
            line.finish(response)
        }
    }
}

async fn answer(
    app: &Shared,
    request: Request,
    peer: &Peer,
    head: Option<Box<[u8]>>,
    line: &mut Line,
) -> Result<Reply, ProxyError> {
    let (parts, body) = request.into_parts();
    head::check(&parts, app.head)?;
    // TRACE would have a server in front of NetBox repeat the request, nbproxy's token in it (RFC 9110, section 9.3.8).
    if matches!(parts.method, Method::TRACE | Method::CONNECT) {
        return Err(ProxyError::Method(parts.method));
    }
    let target = Target::read(parts.uri.path(), parts.uri.query().unwrap_or_default(), &parts.headers, &app.base_path)?;
    line.endpoint(target.path.name());
    let origin = app.naming.origin(&parts.headers, peer);
    // First of all: what is judged from here on is judged by these or by newer ones.
    let rules = app.proxy.rules();
    let caller = app.proxy.identify(&parts.method, &target, &parts.headers, &origin)?;
    line.caller(caller.name());
    let base = app.naming.base(&parts, peer, app.proxy.takes_loopback_names_only())?;
    let body = upload::read(body, app, app.body)?;
    // Before HTTP/1.1 a body without a length ends with its connection, broken off or not.
    let whole = parts.version < Version::HTTP_11;
    let asked = Asked { method: parts.method, headers: parts.headers, target, origin, base, body, whole };
    let Some(head) = head else { return app.proxy.handle(caller, asked).await };
    let again = (caller.clone(), asked.without_body());
    let reply = app.proxy.handle(caller, asked).await?;
    if let Outcome::Hit { .. } = reply.outcome {
        app.recalls.put(app, &rules, head, &again.0, &again.1);
    }
    Ok(reply)
}

fn respond(reply: Reply, line: Line) -> Response {
    let Reply { status, headers, body, .. } = reply;
    let flows = matches!(body, ReplyBody::Long(_) | ReplyBody::Arriving(_));
    let mut response = Response::new(match body {
        // Its length is not zero but what the headers say, if they do.
        ReplyBody::None => Body::from_stream(futures_util::stream::empty::<Result<Bytes, Infallible>>()),
        ReplyBody::Whole(bytes) => Body::from(bytes),
        ReplyBody::Long(long) => Body::new(*long),
        ReplyBody::Arriving(arriving) => Body::new(arriving),
    });
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    if flows { line.follow(response) } else { line.finish(response) }
}
