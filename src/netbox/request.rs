//! One call of NetBox's API: JSON out, JSON in, and errors that say which request they concern.

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Map, Value};

use super::api::Api;
use super::error::{Error, Refusal, RequestLine};
use super::object::ApiPath;
use super::outgoing::{Outgoing, OutgoingBody};
use super::query::Query;

/// The longest answer that is read whole, in bytes: an OpenAPI document has 13 MB, a page of 1,000 some MB.
const LONGEST: usize = 1024 * 1024 * 1024;

/// How much of a page for people is kept in an error.
const LONGEST_MESSAGE: usize = 2000;

/// A call being put together.
#[derive(Debug)]
pub(super) struct Call {
    method: Method,
    /// Path below NetBox's base and query, as they are sent.
    target: String,
    body: Option<Value>,
    accept: &'static str,
    anonymous: bool,
}

/// An answer, read whole.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) request: RequestLine,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Call {
    /// A call of a path below NetBox's base.
    pub(super) fn new(method: Method, path: &str) -> Self {
        Self { method, target: path.to_owned(), body: None, accept: "application/json", anonymous: false }
    }

    pub(super) fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    pub(super) fn query(mut self, query: &Query) -> Self {
        let query = query.encode();
        if !query.is_empty() {
            self.target = format!("{}?{query}", self.target);
        }
        self
    }

    pub(super) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Any type is welcome, not JSON alone.
    pub(super) fn any_type(mut self) -> Self {
        self.accept = "*/*";
        self
    }

    /// Without a token, as pynetbox asks for the OpenAPI document and for a new token.
    pub(super) fn anonymous(mut self) -> Self {
        self.anonymous = true;
        self
    }

    /// Sends it; whatever status comes back is an answer.
    pub(super) async fn send(self, api: &Api) -> Result<Answered, Error> {
        // Names come from users, paths from links: none of them leads out of NetBox's API, token and all.
        let path = self.target.split('?').next().unwrap_or_default();
        ApiPath::parse(path, "").map_err(|_| Error::Argument("the name makes no path of NetBox's API"))?;
        let session = api.session();
        let request =
            RequestLine { method: self.method.clone(), url: format!("{}{}", session.base().as_str(), self.target) };
        let lost = |source| Error::Transport { request: request.clone(), source };
        let outgoing = self.outgoing(api);
        let place = session.enter().await.map_err(lost)?;
        let answer = session.send(place, outgoing, session.timeout()).await.map_err(lost)?;
        let (status, headers, mut body) = (answer.status, answer.headers, answer.body);
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(part) = frame.map_err(lost)?.into_data() else { continue };
            if whole.len() + part.len() > LONGEST {
                return Err(Error::Content { request, what: "the answer is longer than 1 GiB" });
            }
            whole.extend_from_slice(&part);
        }
        Ok(Answered { request, status, headers, body: whole.freeze() })
    }

    /// Sends it; anything but a 2xx is an error.
    pub(super) async fn perform(self, api: &Api) -> Result<Answered, Error> {
        self.send(api).await?.expect_success()
    }

    /// Sends it and reads JSON.
    pub(super) async fn json(self, api: &Api) -> Result<Value, Error> {
        self.perform(api).await?.json()
    }

    fn outgoing(self, api: &Api) -> Outgoing {
        let mut headers = HeaderMap::with_capacity(2);
        headers.insert(ACCEPT, HeaderValue::from_static(self.accept));
        let body = match self.body {
            None => OutgoingBody::Empty,
            Some(body) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                OutgoingBody::Whole(body.to_string().into())
            }
        };
        Outgoing {
            method: self.method,
            path_and_query: self.target,
            headers,
            token: if self.anonymous { None } else { api.token() },
            branch: api.current_branch(),
            body,
        }
    }
}

impl Answered {
    pub(super) fn expect_success(self) -> Result<Self, Error> {
        if self.status.is_success() {
            return Ok(self);
        }
        let conflict = self.status == StatusCode::CONFLICT && self.request.method == Method::POST;
        let message = self.message();
        let refusal = Box::new(Refusal { request: self.request, status: self.status, message });
        Err(if conflict { Error::Allocation(refusal) } else { Error::Request(refusal) })
    }

    pub(super) fn json(&self) -> Result<Value, Error> {
        serde_json::from_slice(&self.body).map_err(|_| self.content("the answer is no JSON"))
    }

    /// The answer, which must be a JSON object.
    pub(super) fn object(&self) -> Result<Map<String, Value>, Error> {
        if let Value::Object(object) = self.json()? { Ok(object) } else { Err(self.content("the answer is no object")) }
    }

    /// The answer, which must be a JSON list.
    pub(super) fn list(&self) -> Result<Vec<Value>, Error> {
        if let Value::Array(rows) = self.json()? { Ok(rows) } else { Err(self.content("the answer is no list")) }
    }

    /// Rows of the answer, which must be JSON objects.
    pub(super) fn rows(&self, rows: Vec<Value>) -> Result<Vec<Map<String, Value>>, Error> {
        let object = |row| {
            if let Value::Object(row) = row {
                Ok(row)
            } else {
                Err(self.content("the list holds something that is no object"))
            }
        };
        rows.into_iter().map(object).collect()
    }

    pub(super) fn content(&self, what: &'static str) -> Error {
        Error::Content { request: self.request.clone(), what }
    }

    /// A header that is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    fn message(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        text.trim().chars().take(LONGEST_MESSAGE).collect()
    }
}
