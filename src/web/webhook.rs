//! The one path of the public listener that is not NetBox's: where its webhooks arrive.

use axum::extract::Request;
use axum::response::Response;
use http::header::ALLOW;
use http::{HeaderValue, Method};

use super::access_log::Line;
use super::mirror::Peer;
use super::{AppParts, BodyLimits, error, head, upload};
use crate::proxy::error::ProxyError;
use crate::proxy::hook;

/// NetBox has no path that begins like this, so none of its own is hidden.
pub(super) const PATH: &str = "/-/webhooks/netbox";

/// Takes a webhook. Without a secret by which NetBox is known, the path is as unknown as any other, and this not asked.
pub(super) async fn webhook(app: &AppParts, peer: &Peer, request: Request) -> Response {
    let mut line = Line::begin(app, &request, peer.address);
    line.endpoint("webhook");
    match hear(app, request).await {
        Ok(()) => {
            line.outcome("webhook", None);
            line.finish(error::nothing_to_say())
        }
        Err(error) => {
            let mut response = error::response(&error, None);
            if matches!(error, ProxyError::Method(_)) {
                response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            }
            line.failed(&error);
            line.request_id(response.headers().get("x-request-id"));
            line.finish(response)
        }
    }
}

async fn hear(app: &AppParts, request: Request) -> Result<(), ProxyError> {
    let (parts, body) = request.into_parts();
    head::check(&parts, app.head)?;
    if parts.method != Method::POST {
        return Err(ProxyError::Method(parts.method));
    }
    let body = upload::read(body, app, BodyLimits { bytes: hook::LONGEST, ..app.body })?;
    app.proxy.hear(&parts.headers, body).await
}
