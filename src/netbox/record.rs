//! One object of NetBox: its values as NetBox sent them, and what was changed since.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Index;

use http::Method;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::detail::Detail;
use super::endpoint::Endpoint;
use super::error::Error;
use super::object::{ApiPath, Resource, path_of_url};
use super::request::Call;

mod changes;

/// An object. Values are read by name; changes are kept until they are [saved](Self::save).
///
/// Two records are equal when they are the same object: same endpoint, same id.
#[derive(Clone)]
pub struct Record {
    endpoint: Endpoint,
    values: Map<String, Value>,
    /// What NetBox sent last.
    original: Map<String, Value>,
    complete: bool,
}

impl Record {
    pub(super) fn new(endpoint: Endpoint, values: Map<String, Value>) -> Self {
        Self { endpoint, original: values.clone(), values, complete: false }
    }

    /// Its id; an answer of `available-ips` has none.
    pub fn id(&self) -> Option<u64> {
        self.values.get("id").and_then(Value::as_u64)
    }

    pub(super) fn require_id(&self) -> Result<u64, Error> {
        self.id().ok_or(Error::Incomplete("id"))
    }

    /// The endpoint it belongs to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// All values that are known.
    pub fn values(&self) -> &Map<String, Value> {
        &self.values
    }

    /// A value, if it is known.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// A value that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// A value that is a whole number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.get(name).and_then(Value::as_u64)
    }

    /// A value that is true or false.
    pub fn boolean(&self, name: &str) -> Option<bool> {
        self.get(name).and_then(Value::as_bool)
    }

    /// The value of a choice field: `active` where NetBox sends `{"value": "active", "label": "Active"}`.
    pub fn choice(&self, name: &str) -> Option<&str> {
        self.get(name)?.get("value")?.as_str()
    }

    /// The value of a custom field.
    pub fn custom_field(&self, name: &str) -> Option<&Value> {
        self.get("custom_fields")?.get(name)
    }

    /// An object that this one refers to, as much as NetBox told of it here; see [`full_details`](Self::full_details).
    pub fn nested(&self, name: &str) -> Option<Self> {
        let Value::Object(values) = self.get(name)? else { return None };
        Some(self.neighbour(values.clone()))
    }

    /// The objects of a list that this one refers to: tags, VLANs, terminations.
    pub fn nested_list(&self, name: &str) -> Vec<Self> {
        let rows = self.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        rows.iter().filter_map(Value::as_object).map(|values| self.neighbour(values.clone())).collect()
    }

    fn neighbour(&self, values: Map<String, Value>) -> Self {
        Self::found(&self.endpoint, values)
    }

    /// A record of whichever endpoint its `url` names; of this one where it has none.
    pub(super) fn found(here: &Endpoint, values: Map<String, Value>) -> Self {
        let api = here.api();
        let name =
            values.get("url").and_then(Value::as_str).and_then(|url| endpoint_of(url, api.session().base().path()));
        let endpoint = name.map_or_else(|| here.clone(), |name| Endpoint::new(api.clone(), name));
        Self::new(endpoint, values)
    }

    /// Fetches all values from the record's own `url`. Changes that were not saved are lost.
    ///
    /// # Errors
    /// [`Error::Incomplete`] when it has no `url`, [`Error::OtherOrigin`] when that leads to another server.
    pub async fn full_details(&mut self) -> Result<(), Error> {
        let api = self.endpoint.api().clone();
        let url = self.text("url").ok_or(Error::Incomplete("url"))?;
        let answer = Call::get(&api.target_of(url)?).perform(&api).await?;
        self.take(answer.object()?);
        self.complete = true;
        Ok(())
    }

    /// A value, fetched with all others when it is not known yet. `None` when NetBox has no such value.
    ///
    /// # Errors
    /// Those of [`full_details`](Self::full_details).
    pub async fn fetch(&mut self, name: &str) -> Result<Option<&Value>, Error> {
        if !self.values.contains_key(name) && !self.complete {
            self.full_details().await?;
        }
        Ok(self.values.get(name))
    }

    /// Sets a value; NetBox learns of it by [`save`](Self::save). References are set by id, choices by value.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.values.insert(name.to_owned(), value.into());
    }

    /// The values as NetBox takes them: references as ids, choices as values.
    pub fn serialize(&self) -> Map<String, Value> {
        changes::serialize(&self.values)
    }

    /// What was changed, as NetBox takes it; empty when nothing was. Of custom fields, only those that were set count:
    /// NetBox leaves the others as they are.
    pub fn updates(&self) -> Map<String, Value> {
        changes::between(&self.original, &self.values)
    }

    /// Saves the changes; `false` when there are none, and nothing is sent.
    ///
    /// # Errors
    /// [`Error::Incomplete`] without an `id`, [`Error::Request`] with 400 for values NetBox does not take.
    pub async fn save(&mut self) -> Result<bool, Error> {
        let updates = self.updates();
        if updates.is_empty() {
            return Ok(false);
        }
        let path = self.endpoint.path_of(self.require_id()?, "");
        let answer = Call::new(Method::PATCH, &path).body(Value::Object(updates)).perform(self.endpoint.api()).await?;
        self.take(answer.object()?);
        Ok(true)
    }

    /// Sets several values and saves them.
    ///
    /// # Errors
    /// Those of [`save`](Self::save).
    pub async fn update(&mut self, values: impl IntoIterator<Item = (&str, Value)>) -> Result<bool, Error> {
        for (name, value) in values {
            self.set(name, value);
        }
        self.save().await
    }

    /// Deletes the object.
    ///
    /// # Errors
    /// [`Error::Request`] with 409 when others depend on it.
    pub async fn delete(&self) -> Result<(), Error> {
        let path = self.endpoint.path_of(self.require_id()?, "");
        Call::new(Method::DELETE, &path).perform(self.endpoint.api()).await.map(|_| ())
    }

    /// Something below the object: `available-ips`, `render-config`, `trace`, `sync`. `_` becomes `-`.
    ///
    /// # Errors
    /// [`Error::Incomplete`] without an `id`.
    pub fn detail(&self, name: &str) -> Result<Detail, Error> {
        Detail::new(self, &name.replace('_', "-"))
    }

    /// The values as a type of one's own.
    ///
    /// # Errors
    /// [`Error::Shape`] says which value does not fit.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_value(Value::Object(self.values.clone())).map_err(Error::Shape)
    }

    fn take(&mut self, values: Map<String, Value>) {
        self.values.extend(values);
        self.original = self.values.clone();
    }
}

/// The endpoint that a `url` names: `dcim/sites`, `plugins/branching/branches`. Only its path counts, since behind
/// proxies its host may be any.
fn endpoint_of(url: &str, base_path: &str) -> Option<String> {
    let path = ApiPath::parse(path_of_url(url).split('?').next()?, base_path).ok()?;
    match path.resource() {
        Resource::List(endpoint) | Resource::Object(endpoint, _) | Resource::Below(endpoint, _) => {
            Some(endpoint.to_string())
        }
        Resource::Root
        | Resource::AppRoot
        | Resource::Status
        | Resource::Schema
        | Resource::GraphQl
        | Resource::Single(_) => None,
    }
}

impl Index<&str> for Record {
    type Output = Value;

    /// A value by name; null when it is not known.
    fn index(&self, name: &str) -> &Value {
        self.values.get(name).unwrap_or(&Value::Null)
    }
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        let same_object = self.endpoint == other.endpoint && self.id() == other.id();
        // What has no id yet is what it says.
        same_object && (self.id().is_some() || self.values == other.values)
    }
}

impl Eq for Record {}

impl Hash for Record {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.endpoint.name(), self.id()).hash(state);
    }
}

impl fmt::Debug for Record {
    /// Which object it is; its values may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({} {:?})", self.endpoint.name(), self.id())
    }
}

impl fmt::Display for Record {
    /// Its name, else its label, else what NetBox displays. Nothing is fetched for it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known =
            ["name", "label", "display"].into_iter().find_map(|name| self.text(name).filter(|text| !text.is_empty()));
        f.write_str(known.unwrap_or(self.endpoint.name()))
    }
}
