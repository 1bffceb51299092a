//! The only file that picks status codes. Shapes are NetBox's; what the cause was stays in the log.

use axum::body::Body;
use axum::response::Response;
use http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde_json::Value;

use super::admin::AdminError;
use crate::netbox::token::TokenVersion;
use crate::netbox::transport::TransportError as UpstreamError;
use crate::proxy::auth::Denied;
use crate::proxy::error::{BadRequest, ProxyError, UnknownFilter};
use crate::proxy::reply::fresh_id;
use crate::proxy::warm::Cold;

/// When to try again after the queue was full: as long as a page of a slow NetBox takes.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("2");

const CLOSE: HeaderValue = HeaderValue::from_static("close");

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The response that says why there is none of NetBox's.
///
/// `api_version`: NetBox's, where it is known; pynetbox reads it from a 403, too.
pub(super) fn response(error: &ProxyError, api_version: Option<HeaderValue>) -> Response {
    let status = status(error);
    let mut response = if let ProxyError::UnknownFilters(filters) = error {
        object(status, &unknown_filters(filters))
    } else {
        json(status, &detail(error))
    };
    let headers = response.headers_mut();
    headers.insert("x-request-id", fresh_id());
    if let Ok(value) = HeaderValue::try_from(format!("nbproxy; detail={}", error.as_str())) {
        headers.insert("cache-status", value);
    }
    if let Some(version) = api_version {
        headers.insert("api-version", version);
    }
    if let ProxyError::TooOften { wait } = error {
        headers.insert(RETRY_AFTER, (wait.as_secs() + 1).into());
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, RETRY_SECONDS);
    }
    if status == StatusCode::REQUEST_TIMEOUT {
        // The rest of the body is not waited for (RFC 9110, section 15.5.9).
        headers.insert(CONNECTION, CLOSE);
    }
    response
}

/// The response that says why an operator is not served.
pub(super) fn of_admin(error: &AdminError) -> Response {
    let status = match error {
        AdminError::Refused(_) => StatusCode::FORBIDDEN,
        AdminError::BadOrder(_) => StatusCode::BAD_REQUEST,
        AdminError::Cold(cold) => return of_cold(cold),
        AdminError::Lost => StatusCode::INTERNAL_SERVER_ERROR,
    };
    json(status, &error.to_string())
}

/// The response that says why a page is not in memory.
fn of_cold(cold: &Cold) -> Response {
    match cold {
        Cold::Unanswered(error) => json(status(error), &detail(error)),
        Cold::NotRemembered(_) => json(StatusCode::BAD_REQUEST, &cold.to_string()),
        Cold::NotKept { .. } | Cold::TooLarge | Cold::Unsettled | Cold::Circle | Cold::NoRoom => {
            json(StatusCode::CONFLICT, &cold.to_string())
        }
    }
}

/// The shape in which NetBox refuses a filter's value: `{"name": ["…"]}`.
fn unknown_filters(filters: &[UnknownFilter]) -> Value {
    let told = |filter: &UnknownFilter| {
        let nearest = filter.nearest.as_ref().map_or_else(String::new, |name| format!(" Did you mean \"{name}\"?"));
        (filter.name.clone(), vec![format!("Unknown filter, which NetBox would ignore.{nearest}")].into())
    };
    Value::Object(filters.iter().map(told).collect())
}

/// `{"detail": …}`, as NetBox answers when it refuses.
pub(super) fn json(status: StatusCode, detail: &str) -> Response {
    object(status, &serde_json::json!({ "detail": detail }))
}

/// What a webhook is answered: NetBox wants a 2xx, and reads nothing else.
pub(super) fn nothing_to_say() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// An answer of nbproxy's own.
pub(super) fn object(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

fn status(error: &ProxyError) -> StatusCode {
    match error {
        ProxyError::NotMirrored => StatusCode::NOT_FOUND,
        ProxyError::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
        ProxyError::BadRequest(bad) => match bad {
            BadRequest::UriTooLong { .. } => StatusCode::URI_TOO_LONG,
            BadRequest::HeadTooLarge { .. } | BadRequest::TooManyHeaders { .. } => {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            BadRequest::BodyTimedOut { .. } => StatusCode::REQUEST_TIMEOUT,
            BadRequest::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            BadRequest::NoRoom => StatusCode::SERVICE_UNAVAILABLE,
            BadRequest::Path(_)
            | BadRequest::Branch
            | BadRequest::BranchesDisagree
            | BadRequest::Webhook(_)
            | BadRequest::NoBranch(_)
            | BadRequest::BranchNotReady { .. }
            | BadRequest::Host
            | BadRequest::ForeignHost
            | BadRequest::Twice(_)
            | BadRequest::Body => StatusCode::BAD_REQUEST,
        },
        // NetBox never says 401, and clients treat its 403 specially.
        ProxyError::Denied(_) | ProxyError::Refused { .. } => StatusCode::FORBIDDEN,
        ProxyError::TooOften { .. } => StatusCode::TOO_MANY_REQUESTS,
        ProxyError::UnknownFilters(_) => StatusCode::BAD_REQUEST,
        ProxyError::NotCached => StatusCode::GATEWAY_TIMEOUT,
        ProxyError::Upstream(error) => match error.as_ref() {
            UpstreamError::Unreachable(_) | UpstreamError::Broken(_) | UpstreamError::Coding(_) => {
                StatusCode::BAD_GATEWAY
            }
            UpstreamError::TimedOut(_) => StatusCode::GATEWAY_TIMEOUT,
            UpstreamError::QueueFull | UpstreamError::QueueTimedOut(_) => StatusCode::SERVICE_UNAVAILABLE,
            UpstreamError::RequestBody(_) => StatusCode::BAD_REQUEST,
            UpstreamError::Unsendable(_) => StatusCode::URI_TOO_LONG,
        },
        ProxyError::AnswerCut(error) => match error.as_ref() {
            UpstreamError::TimedOut(_) => StatusCode::GATEWAY_TIMEOUT,
            UpstreamError::Unreachable(_)
            | UpstreamError::Broken(_)
            | UpstreamError::Coding(_)
            | UpstreamError::QueueFull
            | UpstreamError::QueueTimedOut(_)
            | UpstreamError::RequestBody(_)
            | UpstreamError::Unsendable(_) => StatusCode::BAD_GATEWAY,
        },
        ProxyError::TokenRefused | ProxyError::NotNetbox => StatusCode::BAD_GATEWAY,
        ProxyError::Lost => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn detail(error: &ProxyError) -> String {
    let waited = error.waited().unwrap_or_default();
    match error {
        ProxyError::NotMirrored => {
            "Not found. nbproxy mirrors NetBox's /api/ and /graphql/, and nothing else.".to_owned()
        }
        ProxyError::Method(method) => format!("Method \"{method}\" not allowed."),
        ProxyError::BadRequest(BadRequest::NoRoom) => "Too many requests wait for NetBox already.".to_owned(),
        ProxyError::BadRequest(bad) => format!("Bad request: {bad}."),
        ProxyError::Denied(Denied::NoKey) => "Authentication credentials were not provided.".to_owned(),
        ProxyError::Denied(Denied::UnknownKey { form: TokenVersion::V1 }) => "Invalid v1 token".to_owned(),
        ProxyError::Denied(Denied::UnknownKey { form: TokenVersion::V2 }) => "Invalid v2 token".to_owned(),
        ProxyError::Denied(denied) => {
            format!("You do not have permission to perform this action. (nbproxy: {denied})")
        }
        ProxyError::Refused { detail } => detail.to_string(),
        ProxyError::TooOften { wait } => {
            format!("Request was throttled. Expected available in {} seconds.", wait.as_secs() + 1)
        }
        // They have a shape of their own.
        ProxyError::UnknownFilters(_) => error.to_string(),
        ProxyError::NotCached => "nbproxy holds no current answer, and only-if-cached was asked for.".to_owned(),
        ProxyError::Upstream(error) => match error.as_ref() {
            UpstreamError::Unreachable(_) => "nbproxy cannot reach NetBox.".to_owned(),
            UpstreamError::Broken(_) => "NetBox broke the connection off before it had answered.".to_owned(),
            UpstreamError::Coding(_) => "NetBox's answer is not in the coding that it says.".to_owned(),
            UpstreamError::TimedOut(_) => format!("NetBox did not answer within {waited:?}."),
            UpstreamError::QueueFull => "Too many requests wait for NetBox already.".to_owned(),
            UpstreamError::QueueTimedOut(_) => format!("NetBox was busy with other requests for {waited:?}."),
            UpstreamError::RequestBody(_) => "Bad request: the request's body did not arrive whole.".to_owned(),
            UpstreamError::Unsendable(_) => "The request's path and query are too long to be passed on.".to_owned(),
        },
        ProxyError::AnswerCut(_) => "NetBox's answer broke off before its end.".to_owned(),
        ProxyError::TokenRefused => "NetBox refuses nbproxy's own token; its operator has been told.".to_owned(),
        ProxyError::NotNetbox => "What answers at NetBox's address is no NetBox.".to_owned(),
        ProxyError::Lost => "nbproxy lost track of this request.".to_owned(),
    }
}
