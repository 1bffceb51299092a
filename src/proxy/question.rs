//! nbproxy's own questions to NetBox: asked past memory, of main, and read whole.

use std::sync::Arc;

use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::Inner;
use super::acl::Permit;
use super::body::{Gathered, gather};
use super::error::ProxyError;
use crate::cache::clock::Moment;
use crate::netbox::branch::Branch;
use crate::netbox::outgoing::{Outgoing, OutgoingBody};
use crate::netbox::session::Answer;
use crate::netbox::transport::is_gateway_error;

/// What NetBox has said.
#[derive(Debug)]
pub(super) struct Said {
    /// When the question was sent.
    pub(super) asked: Moment,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Inner {
    /// Asks by this leave; `longest` is in bytes.
    ///
    /// # Errors
    /// Why NetBox could not be asked, [`ProxyError::TokenRefused`] among it; [`ProxyError::NotNetbox`] when what answers
    /// is something else.
    pub(super) async fn ask(
        &self,
        permit: &Permit,
        path_and_query: String,
        longest: usize,
    ) -> Result<Said, ProxyError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let outgoing = permit.outgoing(Method::GET, path_and_query, headers, OutgoingBody::Empty);
        // Whatever branch a visitor looks at.
        let outgoing = Outgoing { branch: Branch::Main, ..outgoing };
        // What is asked for one visitor waits with the rest of what it wants; what is asked for all, behind nobody.
        let place = match permit.visitor() {
            Some(_) => self.session.enter().await,
            None => self.session.enter_kept().await,
        };
        let place = place.map_err(ProxyError::from_upstream)?;
        let asked = self.clock.now();
        let Answer { status, headers, body } = self.send(place, outgoing, self.session.timeout()).await?;
        let gathered = gather(&headers, body, None, longest).await;
        let gathered = gathered.map_err(|error| ProxyError::AnswerCut(Arc::new(error)))?;
        let Gathered::Whole(whole) = gathered else { return Err(ProxyError::NotNetbox) };
        self.check_token(permit, status, &headers, &whole.body)?;
        if is_gateway_error(status) {
            return Err(ProxyError::NotNetbox);
        }
        Ok(Said { asked, status, headers, body: whole.body })
    }

    /// Asks with the shared token.
    ///
    /// # Errors
    /// As [`Inner::ask`].
    pub(super) async fn ask_own(&self, path_and_query: String, longest: usize) -> Result<Said, ProxyError> {
        let own = self.access.load().acl.own();
        self.ask(&own, path_and_query, longest).await
    }

    /// Whether there is a shared token to ask with.
    pub(super) fn has_token(&self) -> bool {
        self.access.load().acl.own().has_token()
    }
}
