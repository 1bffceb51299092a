//! Who is an operator. Everything but the health checks stands behind [`guard`].

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::request::Parts;
use subtle::ConstantTimeEq;

use super::{AdminError, AdminState};
use crate::netbox::token::{Fingerprint, Token};
use crate::proxy::auth::credentials;
use crate::proxy::is_cross_site;
use crate::web::{Naming, Peer};

/// What opens the figures and the cache.
#[derive(Debug, Clone)]
pub enum Access {
    /// Whoever reaches the listener: it is on loopback. Not a page of the web by a browser on this machine.
    Open,
    /// `Authorization: Bearer` with this token.
    Token(Arc<Token>),
    /// Nothing: the listener is beyond loopback, and there is no token.
    Closed,
}

/// Why somebody is not taken for an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(in crate::web) enum Refusal {
    /// The token is missing or wrong.
    #[error("the admin token is wanted")]
    NoToken,
    /// No token would do.
    #[error("the admin listener is beyond loopback and closed, since admin.token is not set")]
    Closed,
    /// A page of the web may have its own name lead here (DNS rebinding).
    #[error("the admin listener goes by loopback names, since admin.token is not set")]
    ForeignHost,
    /// A page of another site asks, by the browser of somebody on this machine.
    #[error("another site's page asks")]
    CrossSite,
}

/// Lets operators pass.
pub(in crate::web) async fn guard(
    State(state): State<Arc<AdminState>>,
    request: Request,
    next: Next,
) -> Result<Response, AdminError> {
    let (parts, body) = request.into_parts();
    state.access.admit(&parts)?;
    Ok(next.run(Request::from_parts(parts, body)).await)
}

impl Access {
    fn admit(&self, request: &Parts) -> Result<(), Refusal> {
        match self {
            Self::Open => not_from_the_web(request),
            Self::Closed => Err(Refusal::Closed),
            Self::Token(token) => {
                let given = credentials(&request.headers, &["bearer"]).unwrap_or_default();
                let same = Fingerprint::of(given.as_bytes()).as_bytes().ct_eq(token.fingerprint().as_bytes());
                if same.into() { Ok(()) } else { Err(Refusal::NoToken) }
            }
        }
    }
}

fn not_from_the_web(request: &Parts) -> Result<(), Refusal> {
    let naming = Naming::new(None, Vec::new());
    let base = naming.base(request, &Peer::default(), true).map_err(|_| Refusal::ForeignHost)?;
    if is_cross_site(&request.headers, &base) { Err(Refusal::CrossSite) } else { Ok(()) }
}
