//! What stands below an object: allocations, rendered configuration, cable traces, branch operations.

use http::Method;
use serde_json::Value;

use super::api::Api;
use super::endpoint::Endpoint;
use super::error::Error;
use super::filters::Filters;
use super::record::Record;
use super::request::{Answered, Call};

/// Something below an object.
#[derive(Debug, Clone)]
pub struct Detail {
    api: Api,
    path: String,
    /// The endpoint that what is found or made here belongs to, where it has no `url` that says so.
    yields: Endpoint,
}

impl Detail {
    pub(super) fn new(record: &Record, name: &str) -> Result<Self, Error> {
        let id = record.require_id()?;
        let endpoint = record.endpoint();
        let yields = match name {
            "available-ips" => endpoint.api().ipam().endpoint("ip-addresses"),
            "available-prefixes" => endpoint.api().ipam().endpoint("prefixes"),
            "available-vlans" => endpoint.api().ipam().endpoint("vlans"),
            "available-asns" => endpoint.api().ipam().endpoint("asns"),
            _ => endpoint.clone(),
        };
        Ok(Self { api: endpoint.api().clone(), path: endpoint.path_of(id, &format!("{name}/")), yields })
    }

    /// What NetBox has here, as it says it.
    ///
    /// # Errors
    /// [`Error::Request`] with 404 when there is no such thing.
    pub async fn get(&self, parameters: &Filters) -> Result<Value, Error> {
        self.call(parameters).json(&self.api).await
    }

    /// What NetBox has here, as records; of a paged list, the page that was asked for.
    ///
    /// # Errors
    /// [`Error::Content`] when it is no list.
    pub async fn list(&self, parameters: &Filters) -> Result<Vec<Record>, Error> {
        let answer = self.call(parameters).perform(&self.api).await?;
        let rows = match answer.json()? {
            Value::Object(page) => page.get("results").and_then(Value::as_array).cloned(),
            Value::Array(rows) => Some(rows),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        };
        self.records(&answer, rows.ok_or_else(|| answer.content("the answer is no list"))?)
    }

    /// What NetBox has here as text: a rack's elevation with `render=svg`.
    ///
    /// # Errors
    /// [`Error::Content`] when it is no text.
    pub async fn text(&self, parameters: &Filters) -> Result<String, Error> {
        let answer = self.call(parameters).any_type().perform(&self.api).await?;
        String::from_utf8(answer.body.to_vec()).map_err(|_| answer.content("the answer is no text"))
    }

    /// Sends this and returns what NetBox says: a rendered configuration, a job.
    ///
    /// # Errors
    /// [`Error::Allocation`] with 409 for a conflict.
    pub async fn post(&self, body: impl Into<Value>) -> Result<Value, Error> {
        Call::new(Method::POST, &self.path).body(body.into()).json(&self.api).await
    }

    /// Allocates one.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), nbproxy::netbox::error::Error> {
    /// # let fake = fake_netbox::FakeNetbox::start().await;
    /// # let netbox = nbproxy::netbox::api::Api::builder(&fake.url()).token(fake.token()).build()?;
    /// use serde_json::json;
    ///
    /// let prefix = netbox.ipam().endpoint("prefixes").get(1).await?.expect("there is one");
    /// let address = prefix.detail("available-ips")?.create(json!({"dns_name": "db01"})).await?;
    /// assert_eq!(address["address"], "10.0.0.121/24");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Allocation`] when there is none left.
    pub async fn create(&self, values: impl Into<Value>) -> Result<Record, Error> {
        let answer = Call::new(Method::POST, &self.path).body(values.into()).perform(&self.api).await?;
        Ok(Record::found(&self.yields, answer.object()?))
    }

    /// Allocates several: all, or none.
    ///
    /// # Errors
    /// [`Error::Allocation`] when there are not enough left.
    pub async fn create_many(&self, objects: Vec<Value>) -> Result<Vec<Record>, Error> {
        let answer = Call::new(Method::POST, &self.path).body(Value::Array(objects)).perform(&self.api).await?;
        self.records(&answer, answer.list()?)
    }

    fn call(&self, parameters: &Filters) -> Call {
        Call::get(&self.path).query(&parameters.one_query())
    }

    fn records(&self, answer: &Answered, rows: Vec<Value>) -> Result<Vec<Record>, Error> {
        let rows = answer.rows(rows)?;
        Ok(rows.into_iter().map(|values| Record::found(&self.yields, values)).collect())
    }
}
