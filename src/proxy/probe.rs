//! nbproxy's own questions to NetBox: is it there, and is it still the same.

use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::acl::Permit;
use super::body::{Gathered, gather};
use super::error::ProxyError;
use super::{Inner, Proxy};
use crate::netbox::branch::Branch;
use crate::netbox::outgoing::{Outgoing, OutgoingBody};
use crate::netbox::session::Answer;
use crate::netbox::version::Installation;

/// `/api/status/` is some hundred bytes; with many plugins some thousand.
const LONGEST_STATUS: usize = 256 * 1024;

impl Proxy {
    /// Asks NetBox for its status with the shared token, takes note of version and plugins, and returns the version.
    ///
    /// # Errors
    /// Why NetBox could not be asked, [`ProxyError::TokenRefused`] among it; [`ProxyError::NotNetbox`] when what answers
    /// is something else.
    pub async fn probe(&self) -> Result<String, ProxyError> {
        let own = self.inner.access.load().acl.own();
        self.inner.probe(&own).await
    }

    /// Returns when NetBox should be asked out of turn.
    pub async fn probe_wanted(&self) {
        self.inner.watch.asked().await;
    }
}

impl Inner {
    /// Asks by this leave.
    pub(super) async fn probe(&self, permit: &Permit) -> Result<String, ProxyError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(visitor) = permit.visitor() {
            visitor.introduce(&mut headers);
        }
        let outgoing = Outgoing {
            method: Method::GET,
            path_and_query: "/api/status/".to_owned(),
            headers,
            token: permit.token().cloned(),
            branch: Branch::Main,
            body: OutgoingBody::Empty,
        };
        let place = self.session.enter().await.map_err(ProxyError::from_upstream)?;
        let answer = self.send(place, outgoing, self.session.timeout()).await?;
        let Answer { status, headers, body } = answer;
        let gathered = gather(&headers, body, None, LONGEST_STATUS).await.map_err(ProxyError::from_upstream)?;
        let Gathered::Whole(whole) = gathered else { return Err(ProxyError::NotNetbox) };
        self.check_token(permit, status, &headers, &whole.body)?;
        let found = Installation::from_status(&whole.body).filter(|_| status == StatusCode::OK);
        let found = found.ok_or(ProxyError::NotNetbox)?;
        let version = found.version.clone();
        self.watch.observe(found);
        Ok(version)
    }
}
