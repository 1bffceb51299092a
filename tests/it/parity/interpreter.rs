//! The scenario performed by this crate's client library, in this process.

use std::collections::{BTreeMap, HashMap};

use fake_netbox::FakeNetbox;
use nbproxy::netbox::api::{Api, Pagination};
use nbproxy::netbox::endpoint::Endpoint;
use nbproxy::netbox::error::Error;
use nbproxy::netbox::filters::Filters;
use nbproxy::netbox::record::Record;
use serde_json::{Map, Value, json};

use super::scenario::{ApiOptions, Scene, Step};

mod lists;
mod records;

/// The `Api` objects of a scene, and what was saved under a name.
pub(super) struct Interpreter {
    url: String,
    token: String,
    options: BTreeMap<String, ApiOptions>,
    apis: HashMap<String, Api>,
    saved: HashMap<String, Saved>,
}

enum Saved {
    One(Record),
    Many(Vec<Record>),
}

impl Interpreter {
    pub(super) fn new(netbox: &FakeNetbox, scene: &Scene) -> Self {
        let (url, token) = (netbox.url(), netbox.token().to_owned());
        Self { url, token, options: scene.apis.clone(), apis: HashMap::new(), saved: HashMap::new() }
    }

    /// Performs a step; what comes of it, in the words of run.py.
    pub(super) async fn perform(&mut self, step: &Step) -> Value {
        match self.dispatch(step).await {
            Ok(value) => json!({"value": value}),
            Err(error) => failure(&error),
        }
    }

    async fn dispatch(&mut self, step: &Step) -> Result<Value, Error> {
        match step.op.as_str() {
            "version" => Ok(self.api(step)?.version().await?.into()),
            "status" => self.api(step)?.status().await,
            "openapi" => {
                let openapi = self.api(step)?.openapi().await?;
                let document: Value = serde_json::from_slice(openapi.document()).expect("it is JSON");
                let paths = document["paths"].as_object().expect("it has paths");
                let paths: Vec<&String> = paths.keys().collect();
                Ok(json!([document["info"]["version"], paths]))
            }
            "create_token" => {
                let (username, password) = (step.text("username"), step.text("password"));
                let record = self.api(step)?.create_token(username, password).await?;
                Ok(self.shown(step, record))
            }
            "installed_plugins" => Ok(self.api(step)?.installed_plugins().await?.into()),
            "config" => self.api(step)?.app(step.text("app"))?.config().await,
            "app" => self.api(step)?.app(step.text("app")).map(|_| Value::Null),
            "all" | "filter" | "as_list" | "unread" | "first" | "get" | "get_by" | "count" | "len_of"
            | "len_then_all" | "choices" | "create" | "create_many" | "update_many" | "update_records"
            | "delete_many" | "set_update" | "set_delete" => self.of_endpoint(step).await,
            _ => self.of_record(step).await,
        }
    }

    /// The `Api` a step works with, in the branch it works in.
    fn api(&mut self, step: &Step) -> Result<Api, Error> {
        let name = step.arguments.get("as").and_then(Value::as_str).unwrap_or("main");
        let api = match self.apis.get(name) {
            Some(api) => api.clone(),
            None => {
                let api = self.make(name)?;
                self.apis.insert(name.to_owned(), api.clone());
                api
            }
        };
        match step.arguments.get("in").and_then(Value::as_str) {
            Some(branch) => api.branch(self.record(branch)),
            None => Ok(api),
        }
    }

    fn make(&self, name: &str) -> Result<Api, Error> {
        let options = self.options.get(name).cloned().unwrap_or_default();
        assert!(name == "main" || self.options.contains_key(name), "the scene has an Api {name}");
        let pagination = match options.pagination.as_deref() {
            Some("cursor") => Pagination::Cursor,
            _ => Pagination::Offset,
        };
        Api::builder(&self.url)
            .token(options.token.as_deref().unwrap_or(&self.token))
            .concurrency(options.concurrency.unwrap_or(1))
            .strict_filters(options.strict)
            .pagination(pagination)
            .build()
    }

    fn endpoint(&mut self, step: &Step) -> Result<Endpoint, Error> {
        let api = self.api(step)?;
        let parts: Vec<&str> = step.text("endpoint").split('.').collect();
        let (app, name) = match parts.as_slice() {
            ["plugins", plugin, name] => (api.plugin(plugin), name),
            [app, name] => (api.app(app)?, name),
            _ => panic!("{parts:?} is no endpoint"),
        };
        Ok(if step.arguments.contains_key("literal") { app.endpoint_named(name) } else { app.endpoint(name) })
    }

    /// What was saved: `site`, or one of several: `made.0`.
    fn record(&self, reference: &str) -> &Record {
        let (name, index) = split(reference);
        match (self.saved.get(name), index) {
            (Some(Saved::One(record)), None) => record,
            (Some(Saved::Many(records)), Some(index)) => records.get(index).expect("there are so many"),
            _ => panic!("no record was saved as {reference}"),
        }
    }

    fn record_mut(&mut self, reference: &str) -> &mut Record {
        let (name, index) = split(reference);
        match (self.saved.get_mut(name), index) {
            (Some(Saved::One(record)), None) => record,
            (Some(Saved::Many(records)), Some(index)) => records.get_mut(index).expect("there are so many"),
            _ => panic!("no record was saved as {reference}"),
        }
    }

    /// A value of the scenario, with references in it resolved: `{"ref": "site.id"}`.
    fn value(&self, given: &Value) -> Value {
        match given {
            Value::Object(members) => match members.get("ref").and_then(Value::as_str) {
                Some(reference) => {
                    let (record, field) = reference.rsplit_once('.').expect("it names a field");
                    self.record(record)[field].clone()
                }
                None => members.iter().map(|(name, value)| (name.clone(), self.value(value))).collect(),
            },
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => given.clone(),
        }
    }

    fn values(&self, step: &Step) -> Map<String, Value> {
        match step.arguments.get("values").map(|values| self.value(values)) {
            Some(Value::Object(values)) => values,
            _ => Map::new(),
        }
    }

    fn objects(&self, step: &Step) -> Vec<Value> {
        let objects = step.arguments.get("objects").and_then(Value::as_array).expect("it has objects");
        objects.iter().map(|object| self.value(object)).collect()
    }

    fn filters(&self, step: &Step) -> Filters {
        let mut filters = Filters::new();
        if let Some(text) = step.arguments.get("search").and_then(Value::as_str) {
            filters = filters.search(text);
        }
        let given = step.arguments.get("filters").map(|filters| self.value(filters));
        for (name, value) in given.as_ref().and_then(Value::as_object).into_iter().flatten() {
            filters = match value {
                Value::Null => filters.with(name, None::<&str>),
                Value::Bool(value) => filters.with(name, *value),
                Value::Array(values) if step.arguments.contains_key("repeated") => {
                    values.iter().fold(filters, |filters, value| filters.with(name, plain_text(value)))
                }
                Value::Array(values) => filters.with(name, values.iter().map(plain_text).collect::<Vec<_>>()),
                Value::Number(_) | Value::String(_) => filters.with(name, plain_text(value)),
                Value::Object(_) => panic!("{name} is no filter"),
            };
        }
        if let Some(limit) = step.number("limit") {
            filters = filters.limit(limit);
        }
        if let Some(offset) = step.number("offset") {
            filters = filters.offset(offset);
        }
        match step.arguments.get("strict").and_then(Value::as_bool) {
            Some(strict) => filters.strict(strict),
            None => filters,
        }
    }

    /// A record as the step wants to see it, saved if it says so.
    fn shown(&mut self, step: &Step, record: Record) -> Value {
        let shown = show(step, &record);
        if let Some(name) = step.arguments.get("save").and_then(Value::as_str) {
            self.saved.insert(name.to_owned(), Saved::One(record));
        }
        shown
    }

    fn all_shown(&mut self, step: &Step, records: Vec<Record>) -> Value {
        let shown = records.iter().map(|record| show(step, record)).collect();
        if let Some(name) = step.arguments.get("save").and_then(Value::as_str) {
            self.saved.insert(name.to_owned(), Saved::Many(records));
        }
        shown
    }

    fn maybe_shown(&mut self, step: &Step, record: Option<Record>) -> Value {
        record.map_or(Value::Null, |record| self.shown(step, record))
    }
}

impl Step {
    fn text(&self, name: &str) -> &str {
        let text = self.arguments.get(name).and_then(Value::as_str);
        text.unwrap_or_else(|| panic!("{} lacks {name}", self.name))
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.arguments.get(name).and_then(Value::as_u64)
    }
}

fn split(reference: &str) -> (&str, Option<usize>) {
    match reference.split_once('.') {
        Some((name, index)) => (name, Some(index.parse().expect("it is an index"))),
        None => (reference, None),
    }
}

fn show(step: &Step, record: &Record) -> Value {
    match step.arguments.get("show") {
        None => Value::Object(record.values().clone()),
        Some(Value::Array(names)) => {
            let field = |name: &Value| record[name.as_str().expect("it is a name")].clone();
            names.iter().map(field).collect()
        }
        Some(_) => record.to_string().into(),
    }
}

fn plain_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What a user can see of an error, under the name of pynetbox's class for it.
fn failure(error: &Error) -> Value {
    let class = match error {
        Error::Request(_) => "RequestError",
        Error::Allocation(_) => "AllocationError",
        Error::Content { .. } => "ContentError",
        Error::ParameterValidation { .. } => "ParameterValidationError",
        Error::Ambiguous(_) | Error::NotABranch | Error::Argument(_) | Error::Incomplete(_) => "ValueError",
        Error::UnknownApp(_) => "AttributeError",
        Error::Transport { .. } => "ConnectionError",
        Error::OtherOrigin { .. } => "OtherOrigin",
        Error::Circle { .. } => "Circle",
        Error::Shifted { .. } => "Shifted",
        Error::Url { .. } | Error::SetUp(_) | Error::Shape(_) | _ => "other",
    };
    let mut answer = Map::from_iter([("error".to_owned(), Value::from(class))]);
    if let Some(refusal) = error.refusal() {
        answer.insert("status".to_owned(), refusal.status.as_u16().into());
        if matches!(error, Error::Request(_)) {
            answer.insert("message".to_owned(), refusal.message.as_str().into());
        }
    }
    if let Error::ParameterValidation { names, .. } = error {
        answer.insert("names".to_owned(), names.clone().into());
    }
    Value::Object(answer)
}
