//! Whether NetBox is there, and whether it is still the same.

use http::StatusCode;

use super::acl::Permit;
use super::error::ProxyError;
use super::question::Said;
use super::{Inner, Proxy};
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
        let Said { status, body, .. } = self.ask(permit, "/api/status/".to_owned(), LONGEST_STATUS).await?;
        let found = Installation::from_status(&body).filter(|_| status == StatusCode::OK);
        let found = found.ok_or(ProxyError::NotNetbox)?;
        let version = found.version.clone();
        self.watch.observe(found);
        Ok(version)
    }
}
