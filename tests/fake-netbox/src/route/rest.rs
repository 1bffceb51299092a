//! Lists and objects of the modelled types: reading and writing, single and bulk.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Context, Outcome};
use crate::answer::Answer;
use crate::json::Json;
use crate::page;
use crate::render::Selection;
use crate::rights::Verb;
use crate::state::{Row, View};
use crate::types::Type;
use crate::write::{Refusal, WriteError};

type Body = Map<String, Value>;

impl Context<'_> {
    pub(super) fn missing(&self, ty: &Type) -> Answer {
        Answer::detail(404, &format!("No {} matches the given query.", ty.class))
    }

    fn refused(&self, refusal: &Refusal) -> Answer {
        self.json(400, &refusal.json())
    }

    pub(super) fn failed(&self, ty: &Type, error: WriteError) -> Answer {
        match error {
            WriteError::Missing => self.missing(ty),
            WriteError::Refused(refusal) => self.refused(&refusal),
            WriteError::Protected(text) => Answer::detail(409, &text),
            WriteError::Broken(text) => self.server_error(text, "DataError"),
        }
    }

    /// The body as JSON.
    pub(super) fn body(&self) -> Result<Value, Answer> {
        let body = &self.request.body;
        let kind = self.request.header("content-type").unwrap_or_default();
        let media = kind.split(';').next().unwrap_or_default().trim();
        if body.is_empty() {
            return Ok(Value::Object(Map::new()));
        }
        if media != "application/json" {
            let text = format!("Unsupported media type \"{kind}\" in request.");
            return Err(Answer::detail(415, &text));
        }
        serde_json::from_slice(body).map_err(|error| Answer::detail(400, &json_error(body, &error)))
    }

    fn object_body(&self) -> Result<Body, Answer> {
        as_object(self.body()?).map_err(|text| self.refused(&Refusal::of("non_field_errors", text)))
    }

    pub(super) fn list(&self, ty: &'static Type) -> Outcome {
        let later = self.is_unsafe().then(|| self.in_background(ty)).flatten();
        if let Some(accepted) = later {
            return accepted;
        }
        match self.request.method.as_str() {
            "POST" if ty.endpoint == "extras/image-attachments" => self.upload(ty),
            "POST" => self.create(ty),
            "PUT" | "PATCH" => self.bulk_update(ty),
            "DELETE" => self.bulk_delete(ty),
            _ => {
                let view = self.view();
                let selection = page::selection(ty, self.request);
                let url = self.own_url();
                let config = &self.config;
                let render = self.render(&view);
                let seen = |row: &_| self.reaches(&view, ty, Verb::View, row);
                match page::list(&render, ty, self.request, config, &selection, &url, seen) {
                    Ok(json) => Ok(self.json(200, &json)),
                    Err(bad) => Err(self.json(400, &bad.0)),
                }
            }
        }
    }

    fn create(&self, ty: &'static Type) -> Outcome {
        let body = self.body()?;
        if ty.endpoint == "users/tokens" {
            return self.create_token(body);
        }
        let (bodies, many) = one_or_many(body);
        let mut ids = Vec::new();
        let mut errors = Vec::new();
        let mut state = self.shared.lock();
        let mut writer = self.writer(&mut state.data);
        for body in bodies {
            let result = match as_object(body) {
                Ok(body) => writer.create(ty, &body),
                Err(text) => Err(WriteError::Refused(Refusal::of("non_field_errors", text))),
            };
            match result {
                Ok(id) => {
                    ids.push(id);
                    errors.push(Json::Object(Vec::new()));
                }
                Err(WriteError::Refused(refusal)) => errors.push(refusal.json()),
                Err(other) => return Err(self.failed(ty, other)),
            }
        }
        if ids.len() < errors.len() {
            // Dropping the writer takes back what went well.
            return Err(match errors.pop() {
                Some(error) if !many => self.json(400, &error),
                last => self.json(400, &Json::List(errors.into_iter().chain(last).collect())),
            });
        }
        for id in &ids {
            self.validate(&writer, ty, Verb::Add, *id)?;
        }
        writer.commit();
        if ty.endpoint == "plugins/branching/branches" {
            for id in &ids {
                self.provision_branch(&mut state, *id);
            }
        }
        if ty.endpoint == "core/data-sources" {
            for id in &ids {
                self.source_was_saved(&mut state, *id);
            }
        }
        drop(state);
        if many {
            return Ok(self.objects(201, ty, &ids));
        }
        let id = ids.first().copied().unwrap_or_default();
        let mut answer = self.object(201, ty, id)?;
        let url = format!("{}/api/{}/{id}/", self.origin, ty.endpoint);
        answer.extra.insert(0, ("Location", url));
        Ok(answer)
    }

    /// The objects of a bulk write.
    fn objects(&self, status: u16, ty: &'static Type, ids: &[u64]) -> Answer {
        let view = self.view();
        let render = self.render(&view);
        let rows = ids.iter().filter_map(|id| view.row(ty.endpoint, *id));
        let rows = rows.map(|row| render.object(ty, row, &Selection::All));
        self.json(status, &Json::List(rows.collect()))
    }

    /// One object with its validator.
    pub(super) fn object(&self, status: u16, ty: &'static Type, id: u64) -> Outcome {
        let view = self.view();
        let row = view.row(ty.endpoint, id).ok_or_else(|| self.missing(ty))?;
        let reading = matches!(self.request.method.as_str(), "GET" | "HEAD");
        let selection = if reading { page::selection(ty, self.request) } else { Selection::All };
        let json = self.render(&view).object(ty, row, &selection);
        let answer = self.json(status, &json);
        Ok(match row.etag() {
            Some(etag) => answer.with("ETag", etag),
            None => answer,
        })
    }

    pub(super) fn detail(&self, ty: &'static Type, id: &str) -> Outcome {
        let Ok(id) = id.parse::<u64>() else {
            return Err(self.missing(ty));
        };
        // As in NetBox's viewsets, the object is looked for before the body is read.
        let verb = Verb::of(&self.request.method);
        self.find(&self.view(), ty, verb, id)?;
        if self.request.method == "POST" {
            return self.run_script(ty, id);
        }
        if !matches!(self.request.method.as_str(), "PUT" | "PATCH" | "DELETE") {
            return self.object(200, ty, id);
        }
        let body = self.object_body()?;
        let mut state = self.shared.lock();
        let view = state.data.view(self.branch.as_deref());
        let row = self.find(&view, ty, verb, id)?;
        drop(view);
        self.check_match(row.etag())?;
        let mut writer = self.writer(&mut state.data);
        let result = match self.request.method.as_str() {
            "DELETE" => writer.delete(ty, id, &body),
            method => writer.update(ty, id, &body, method == "PUT"),
        };
        result.map_err(|error| self.failed(ty, error))?;
        if verb == Verb::Change {
            self.validate(&writer, ty, verb, id)?;
        }
        writer.commit();
        if ty.endpoint == "plugins/branching/branches" && self.request.method == "DELETE" {
            state.data.branches.remove(row.text("schema_id"));
        }
        if ty.endpoint == "core/data-sources" {
            self.source_was_saved(&mut state, id);
        }
        drop(state);
        if self.request.method == "DELETE" {
            return Ok(Answer::no_content());
        }
        self.object(200, ty, id)
    }

    /// An object with which the user may do this; to others it is not there.
    fn find(&self, view: &View, ty: &Type, verb: Verb, id: u64) -> Result<Arc<Row>, Answer> {
        let row = view.row(ty.endpoint, id).filter(|row| self.reaches(view, ty, verb, row));
        row.cloned().ok_or_else(|| self.missing(ty))
    }

    /// `If-Match` guards a write against one that came between.
    fn check_match(&self, etag: Option<String>) -> Result<(), Answer> {
        let (Some(wanted), Some(etag)) = (self.request.header("if-match"), etag) else {
            return Ok(());
        };
        let fits = |one: &str| one == "*" || one == etag;
        if wanted.split(',').map(str::trim).any(fits) {
            return Ok(());
        }
        Err(Answer::detail(412, "Precondition failed.").with("ETag", etag))
    }

    /// A list of objects with their ids; those that do not exist are passed over, as in NetBox.
    fn bulk(&self) -> Result<Vec<(u64, Body)>, Answer> {
        let refuse = |text: &str| self.refused(&Refusal::of("non_field_errors", text));
        let Value::Array(items) = self.body()? else {
            return Err(refuse("Expected a list of items but got type \"dict\"."));
        };
        let mut bodies = Vec::new();
        for item in items {
            let mut body = as_object(item).map_err(|text| refuse(&text))?;
            let id = body.remove("id");
            let id = id.and_then(|id| id.as_u64().or_else(|| id.as_str()?.parse().ok()));
            let Some(id) = id else {
                return Err(self.refused(&Refusal::of("id", "This field is required.")));
            };
            bodies.push((id, body));
        }
        Ok(bodies)
    }

    fn bulk_update(&self, ty: &'static Type) -> Outcome {
        let bodies = self.bulk()?;
        let whole = self.request.method == "PUT";
        let mut ids = Vec::new();
        let mut state = self.shared.lock();
        let mut writer = self.writer(&mut state.data);
        for (id, body) in bodies {
            if self.find(&writer.view(), ty, Verb::Change, id).is_err() {
                continue;
            }
            writer.update(ty, id, &body, whole).map_err(|error| self.failed(ty, error))?;
            self.validate(&writer, ty, Verb::Change, id)?;
            ids.push(id);
        }
        writer.commit();
        drop(state);
        Ok(self.objects(200, ty, &ids))
    }

    fn bulk_delete(&self, ty: &'static Type) -> Outcome {
        let bodies = self.bulk()?;
        let mut state = self.shared.lock();
        let mut writer = self.writer(&mut state.data);
        for (id, body) in bodies {
            if self.find(&writer.view(), ty, Verb::Delete, id).is_ok() {
                writer.delete(ty, id, &body).map_err(|error| self.failed(ty, error))?;
            }
        }
        writer.commit();
        Ok(Answer::no_content())
    }
}

/// The bodies of a write, and whether they came as a list.
pub(super) fn one_or_many(body: Value) -> (Vec<Value>, bool) {
    if let Value::Array(bodies) = body { (bodies, true) } else { (vec![body], false) }
}

fn as_object(value: Value) -> Result<Body, String> {
    let kind = match value {
        Value::Object(body) => return Ok(body),
        Value::Array(_) => "list",
        Value::String(_) => "str",
        Value::Number(_) => "int",
        Value::Bool(_) => "bool",
        Value::Null => "NoneType",
    };
    Err(format!("Invalid data. Expected a dictionary, but got {kind}."))
}

/// Python's words for a parse error, as far as they are known here.
fn json_error(body: &[u8], error: &serde_json::Error) -> String {
    let bad_key = body.starts_with(b"{") && body.get(1).is_some_and(|byte| *byte != b'"');
    if bad_key {
        return "JSON parse error - Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"
            .to_owned();
    }
    let (line, column) = (error.line(), error.column());
    format!("JSON parse error - Expecting value: line {line} column {column} (char {})", column.saturating_sub(1))
}
