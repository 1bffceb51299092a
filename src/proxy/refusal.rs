//! Whether NetBox refuses nbproxy's own token, told from its refusing what the token's user may not do.

use http::header::LOCATION;
use http::{HeaderMap, StatusCode};

use super::Inner;
use super::acl::Permit;
use super::error::ProxyError;

/// How NetBox 4.x begins when it refuses a token (netbox/api/authentication.py).
const TEXTS: [&str; 8] = [
    "Invalid v1 token",
    "Invalid v2 token",
    "Invalid token",
    "Invalid authorization header",
    "Token disabled",
    "Token expired",
    "User inactive",
    "Authentication credentials were not provided.",
];

impl Inner {
    /// NetBox refusing nbproxy's own token is nbproxy's trouble, not the client's.
    ///
    /// # Errors
    /// [`ProxyError::TokenRefused`].
    pub(super) fn check_token(
        &self,
        permit: &Permit,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(), ProxyError> {
        let refused = match status {
            // NetBox itself never says 401; a gate before it may.
            StatusCode::UNAUTHORIZED => true,
            StatusCode::FORBIDDEN => refuses_token(body),
            // GraphQL sends who is nobody to the login page.
            StatusCode::FOUND => headers.get(LOCATION).is_some_and(|to| is_login(to.as_bytes())),
            _ => false,
        };
        if !refused {
            return Ok(());
        }
        if let Some(visitor) = permit.visitor() {
            // The visitor's own trouble, and NetBox's own words for it.
            self.vouches.forget(visitor.fingerprint());
            return Ok(());
        }
        self.metrics.token_refused();
        if permit.has_token() {
            tracing::error!("netbox refuses a token of nbproxy's: what needs it fails until upstream.token is mended");
        } else {
            tracing::error!("netbox wants a token, and upstream.token is empty");
        }
        Err(ProxyError::TokenRefused)
    }
}

/// What NetBox says in an answer that refuses: REST answers in JSON, GraphQL in plain text.
pub(super) fn detail_of(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Refusal {
        detail: String,
    }
    let detail = serde_json::from_slice(body).map(|Refusal { detail }| detail);
    detail.unwrap_or_else(|_| String::from_utf8_lossy(body).trim().to_owned())
}

/// Whether NetBox refuses the token for where it is used (`allowed_ips`), which says nothing of other places.
pub(super) fn refuses_address(body: &[u8]) -> bool {
    let text = detail_of(body);
    text.starts_with("Source IP ") && text.contains("not permitted to authenticate")
}

fn refuses_token(body: &[u8]) -> bool {
    let text = detail_of(body);
    refuses_address(body) || TEXTS.iter().any(|known| text.starts_with(known))
}

fn is_login(location: &[u8]) -> bool {
    let path = location.split(|byte| *byte == b'?').next().unwrap_or_default();
    path.ends_with(b"/login/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_token_is_told_from_a_refused_permission() {
        assert!(refuses_token(b"Invalid v1 token"), "as GraphQL says it");
        assert!(is_login(b"/nbx/login/?next=/graphql/") && !is_login(b"/api/dcim/login/x/"));
        for detail in [
            "Invalid v1 token",
            "Token expired",
            "Source IP 10.0.0.1 is not permitted to authenticate using this token.",
        ] {
            assert!(refuses_token(format!("{{\"detail\":\"{detail}\"}}").as_bytes()), "{detail}");
        }
        for body in [
            "{\"detail\":\"You do not have permission to perform this action.\"}",
            "{\"detail\":\"Invalid username/password\"}",
            "[]",
            "",
        ] {
            assert!(!refuses_token(body.as_bytes()), "{body}");
        }
    }
}
