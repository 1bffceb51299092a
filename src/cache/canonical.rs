//! The upstream request in canonical form: what is sent for a read, and what its key is made of.

use http::header::{ACCEPT, ACCEPT_LANGUAGE};
use http::{HeaderMap, HeaderValue, Method};

use super::key::{Key, View};
use super::selector::About;
use crate::netbox::object::ApiPath;
use crate::netbox::query::Query;

/// A read as nbproxy sends it. Everything that is sent is in here, and in the key.
#[derive(Clone, Debug)]
pub struct Canonical {
    view: View,
    verb: Verb,
    path_and_query: String,
    accept: Accept,
    language: Option<HeaderValue>,
    about: About,
}

/// What is asked of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// What it holds: `GET`, which answers a `HEAD` as well.
    Get,
    /// What may be done there, and what it takes: `OPTIONS`.
    Options,
}

impl Verb {
    /// The method that is sent.
    pub fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Options => Method::OPTIONS,
        }
    }
}

/// The representation that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    /// `application/json`, which all but the OpenAPI document is always asked for as.
    Json,
    /// The OpenAPI document without a preference: NetBox answers in YAML.
    Any,
    /// The OpenAPI document as `application/vnd.oai.openapi+json`.
    OpenApiJson,
    /// The OpenAPI document as `application/vnd.oai.openapi`.
    OpenApiYaml,
}

impl Accept {
    /// The header's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Any => "*/*",
            Self::OpenApiJson => "application/vnd.oai.openapi+json",
            Self::OpenApiYaml => "application/vnd.oai.openapi",
        }
    }
}

impl Canonical {
    /// The one way to make one takes everything an answer depends on. NetBox translates choice labels, so the
    /// client's `Accept-Language` (where it sent one) is among it.
    pub fn new(
        view: View,
        verb: Verb,
        path: &ApiPath,
        query: &Query,
        accept: Accept,
        language: Option<HeaderValue>,
    ) -> Self {
        let about = About::of(path, view.branch);
        Self { view, verb, path_and_query: path.target(query), accept, language, about }
    }

    /// The same read with another query: another page of the same list.
    #[must_use]
    pub fn with_query(&self, query: &Query) -> Self {
        let path = self.path_and_query.split('?').next().unwrap_or_default();
        let path_and_query = format!("{path}?{}", query.encode());
        Self { path_and_query, ..self.clone() }
    }

    /// The key of its answer.
    pub fn key(&self) -> Key {
        let language = self.language.as_ref().map(HeaderValue::as_bytes);
        Key::new(&self.view, self.verb.method().as_str(), &self.path_and_query, self.accept.as_str(), language)
    }

    /// Whose eyes see the answer.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// What is asked of the path.
    pub fn verb(&self) -> Verb {
        self.verb
    }

    /// What the answer is about.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// What is sent as request target, below NetBox's base.
    pub fn path_and_query(&self) -> &str {
        &self.path_and_query
    }

    /// What is sent as headers, besides what the session adds for the view.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(4);
        headers.insert(ACCEPT, HeaderValue::from_static(self.accept.as_str()));
        if let Some(language) = &self.language {
            headers.insert(ACCEPT_LANGUAGE, language.clone());
        }
        headers
    }
}
