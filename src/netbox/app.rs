//! An app of NetBox, or a plugin: a folder of endpoints.

use serde_json::Value;

use super::api::Api;
use super::endpoint::Endpoint;
use super::error::Error;
use super::request::Call;

/// An app.
#[derive(Debug, Clone)]
pub struct App {
    api: Api,
    /// `dcim`, or `plugins/<name>`.
    name: String,
}

impl App {
    pub(super) fn new(api: Api, name: &str) -> Self {
        Self { api, name: name.to_owned() }
    }

    /// An endpoint by its name, `ip-addresses` or `ip_addresses`. Nothing is sent: whether NetBox has it shows when it
    /// is used.
    pub fn endpoint(&self, name: &str) -> Endpoint {
        self.endpoint_named(&name.replace('_', "-"))
    }

    /// An endpoint whose name is taken as it is: plugins may have names with `_`.
    pub fn endpoint_named(&self, name: &str) -> Endpoint {
        Endpoint::new(self.api.clone(), format!("{}/{name}", self.name))
    }

    /// The app's configuration as this user sees it, `/api/<app>/config/`.
    ///
    /// # Errors
    /// [`Error::Request`] with 404 for an app that has none.
    pub async fn config(&self) -> Result<Value, Error> {
        Call::get(&format!("/api/{}/config/", self.name)).json(&self.api).await
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}
