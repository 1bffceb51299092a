//! nbproxy's own questions to NetBox: is it there, and is it still the same.

use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::body::{Gathered, gather};
use super::error::ProxyError;
use super::{Inner, Proxy};
use crate::netbox::branch::Branch;
use crate::netbox::outgoing::{Outgoing, OutgoingBody};
use crate::netbox::session::Answer;

/// `/api/status/` is some hundred bytes; with many plugins some thousand.
const LONGEST_STATUS: usize = 256 * 1024;

impl Proxy {
    /// Asks NetBox for its status with the shared token, and takes note of version and plugins.
    ///
    /// # Errors
    /// Why NetBox could not be asked, [`ProxyError::TokenRefused`] among it.
    pub async fn probe(&self) -> Result<StatusCode, ProxyError> {
        self.inner.probe().await
    }

    /// Returns when NetBox should be asked out of turn.
    pub async fn probe_wanted(&self) {
        self.inner.watch.asked().await;
    }
}

impl Inner {
    async fn probe(&self) -> Result<StatusCode, ProxyError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let outgoing = Outgoing {
            method: Method::GET,
            path_and_query: "/api/status/".to_owned(),
            headers,
            token: self.acl.shared_token().cloned(),
            branch: Branch::Main,
            body: OutgoingBody::Empty,
        };
        let place = self.session.enter().await.map_err(ProxyError::from_upstream)?;
        let answer = self.send(place, outgoing, self.session.timeout()).await?;
        let Answer { status, headers, body } = answer;
        let gathered = gather(&headers, body, None, LONGEST_STATUS).await.map_err(ProxyError::from_upstream)?;
        if let Gathered::Whole(whole) = gathered {
            self.check_token(status, &headers, &whole.body)?;
            if status == StatusCode::OK {
                self.watch.observe_status(&whole.body);
            }
        }
        Ok(status)
    }
}
