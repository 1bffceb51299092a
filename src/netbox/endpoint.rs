//! An endpoint of NetBox: lists, objects, and changes to them, alone or in bulk.

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::api::Api;
use super::error::Error;
use super::filters::Filters;
use super::record::Record;
use super::record_set::RecordSet;
use super::request::Call;

/// An endpoint. Cheap to clone; two are equal when they name the same path.
#[derive(Clone)]
pub struct Endpoint {
    api: Api,
    /// `dcim/sites`, `plugins/branching/branches`.
    name: String,
}

impl Endpoint {
    pub(super) fn new(api: Api, name: String) -> Self {
        Self { api, name }
    }

    /// Its name: `dcim/sites`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The NetBox it belongs to.
    pub fn api(&self) -> &Api {
        &self.api
    }

    pub(super) fn path(&self) -> String {
        format!("/api/{}/", self.name)
    }

    /// The path of one object, or of something below it.
    pub(super) fn path_of(&self, id: u64, below: &str) -> String {
        format!("/api/{}/{id}/{below}", self.name)
    }

    /// All objects, lazily.
    pub fn all(&self) -> RecordSet {
        self.filter(Filters::new())
    }

    /// The objects that match, lazily: nothing is sent before the first is asked for.
    pub fn filter(&self, filters: Filters) -> RecordSet {
        RecordSet::new(self.clone(), filters)
    }

    /// The object with this id; `None` when there is none (404).
    ///
    /// # Errors
    /// [`Error::Request`] for any other refusal.
    pub async fn get(&self, id: u64) -> Result<Option<Record>, Error> {
        let answer = Call::get(&self.path_of(id, "")).send(&self.api).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let answer = answer.expect_success()?;
        Ok(Some(Record::new(self.clone(), answer.object()?)))
    }

    /// The one object that matches; `None` when none does.
    ///
    /// # Errors
    /// [`Error::Ambiguous`] when more than one does.
    pub async fn get_by(&self, filters: Filters) -> Result<Option<Record>, Error> {
        let mut found = self.filter(filters);
        let Some(first) = found.next().await.transpose()? else { return Ok(None) };
        match found.next().await.transpose()? {
            None => Ok(Some(first)),
            Some(_) => Err(Error::Ambiguous(found.request())),
        }
    }

    /// How many objects match. Filters for `null` are left out, as pynetbox leaves them out.
    ///
    /// # Errors
    /// [`Error::Content`] when NetBox does not count.
    pub async fn count(&self, filters: Filters) -> Result<u64, Error> {
        self.count_exactly(filters.without_nulls()).await
    }

    /// The same, nulls included.
    pub(super) async fn count_exactly(&self, filters: Filters) -> Result<u64, Error> {
        let filters = filters.limit(1).with("brief", 1u8);
        let answer = Call::get(&self.path()).query(&filters.one_query()).perform(&self.api).await?;
        let count = answer.json()?.get("count").and_then(Value::as_u64);
        count.ok_or_else(|| answer.content("the answer holds no count"))
    }

    /// The values that choice fields can take: field → list of `{value, display_name}`. Asked anew each time.
    ///
    /// # Errors
    /// [`Error::Content`] when the token may neither create nor change such objects.
    pub async fn choices(&self) -> Result<Map<String, Value>, Error> {
        let answer = Call::new(Method::OPTIONS, &self.path()).perform(&self.api).await?;
        let options = answer.json()?;
        let fields = |action| options.get("actions")?.get(action)?.as_object();
        let fields = fields("POST").or_else(|| fields("PUT"));
        let fields = fields.ok_or_else(|| answer.content("the answer tells no fields"))?;
        let choices = fields.iter().filter_map(|(name, field)| Some((name.clone(), field.get("choices")?.clone())));
        Ok(choices.collect())
    }

    /// Creates one object.
    ///
    /// # Errors
    /// [`Error::Request`] with 400 for values NetBox does not take.
    pub async fn create(&self, values: impl Into<Value>) -> Result<Record, Error> {
        let answer = Call::new(Method::POST, &self.path()).body(values.into()).perform(&self.api).await?;
        Ok(Record::new(self.clone(), answer.object()?))
    }

    /// Creates several objects: all, or none of them (of each part, with
    /// [`bulk_chunk`](super::api::ApiBuilder::bulk_chunk)).
    ///
    /// # Errors
    /// [`Error::Request`] with 400; its message has an entry for each object.
    pub async fn create_many(&self, objects: Vec<Value>) -> Result<Vec<Record>, Error> {
        self.bulk(Method::POST, objects).await
    }

    /// Changes several objects, each of which has an `id` and the values to change.
    ///
    /// # Errors
    /// [`Error::Incomplete`] for one without an `id`; nothing is sent then.
    pub async fn update(&self, objects: Vec<Value>) -> Result<Vec<Record>, Error> {
        if !objects.iter().all(|object| object.get("id").is_some_and(Value::is_u64)) {
            return Err(Error::Incomplete("id"));
        }
        self.bulk(Method::PATCH, objects).await
    }

    /// Saves the changes of several records at once; those without any are left out.
    ///
    /// # Errors
    /// [`Error::Incomplete`] for one without an `id`.
    pub async fn update_records(&self, records: &[Record]) -> Result<Vec<Record>, Error> {
        let mut objects = Vec::new();
        for record in records {
            let mut updates = record.updates();
            if !updates.is_empty() {
                updates.insert("id".to_owned(), record.require_id()?.into());
                objects.push(Value::Object(updates));
            }
        }
        self.bulk(Method::PATCH, objects).await
    }

    /// Deletes the objects with these ids: all, or none of them.
    ///
    /// # Errors
    /// [`Error::Request`] with 409 when others depend on them.
    pub async fn delete(&self, ids: &[u64]) -> Result<(), Error> {
        let objects: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
        let mut done = 0;
        for part in self.parts(&objects) {
            let size = part.as_array().map_or(0, Vec::len);
            let sent = Call::new(Method::DELETE, &self.path()).body(part).perform(&self.api).await;
            sent.map_err(|error| partial(done, Vec::new(), error))?;
            done += size;
        }
        Ok(())
    }

    async fn bulk(&self, method: Method, objects: Vec<Value>) -> Result<Vec<Record>, Error> {
        let mut records = Vec::with_capacity(objects.len());
        for part in self.parts(&objects) {
            match self.bulk_part(method.clone(), part).await {
                Ok(part) => records.extend(part),
                Err(error) => return Err(partial(records.len(), records, error)),
            }
        }
        Ok(records)
    }

    async fn bulk_part(&self, method: Method, part: Value) -> Result<Vec<Record>, Error> {
        let answer = Call::new(method, &self.path()).body(part).perform(&self.api).await?;
        let rows = answer.rows(answer.list()?)?;
        Ok(rows.into_iter().map(|values| Record::new(self.clone(), values)).collect())
    }

    /// The bodies that a bulk operation is sent in; none for no objects.
    fn parts(&self, objects: &[Value]) -> Vec<Value> {
        if objects.is_empty() {
            return Vec::new();
        }
        let size = self.api.options().bulk.unwrap_or(objects.len());
        objects.chunks(size).map(|part| Value::Array(part.to_vec())).collect()
    }
}

/// What failed after some parts were done says so.
fn partial(done: usize, records: Vec<Record>, error: Error) -> Error {
    if done == 0 { error } else { Error::Partial { done, records, source: Box::new(error) } }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Endpoint({})", self.name)
    }
}

impl PartialEq for Endpoint {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
