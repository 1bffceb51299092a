//! What may be remembered, and for how long.
//!
//! Two questions, asked at different times: may this *request* be answered from memory ([`Policy::plan`]), and may
//! this *answer* be kept ([`Keep::admit`])? Sources: netbox-docs and code of NetBox 4.2 to 4.7, netbox-branching 1.1.

use std::time::Duration;

use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, SET_COOKIE, VARY,
};
use http::{HeaderMap, StatusCode};

use super::canonical::Verb;
use super::freshness::Lifetime;
use crate::netbox::object::{ApiPath, Resource};
use crate::netbox::pattern::Pattern;
use crate::netbox::query::Query;

mod tables;

/// `/api/status/` counts RQ workers and is asked before nearly every Ansible task.
const STATUS_TTL: Duration = Duration::from_secs(5);

/// How the policy is set.
#[derive(Debug, Clone)]
pub struct Config {
    /// The lifetime of what changes are followed for.
    pub lifetime: Lifetime,
    /// The longest TTL while changes made elsewhere are not followed.
    pub ttl_without_feed: Duration,
    /// Exceptions; the first that matches counts.
    pub rules: Vec<Rule>,
}

/// An exception from the policy, by endpoint.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Which endpoints.
    pub pattern: Pattern,
    /// `Some(false)`: never remembered. `Some(true)`: remembered although it may hold secrets.
    pub cache: Option<bool>,
    /// Another TTL.
    pub ttl: Option<Duration>,
}

/// Decides what may be remembered.
#[derive(Debug)]
pub struct Policy {
    config: Config,
}

/// Leave to remember the answer, and what it must look like.
#[derive(Debug, Clone, Copy)]
pub struct Keep {
    lifetime: Lifetime,
    shape: Shape,
}

/// What a kept answer looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A page of a list: `{"count":…`.
    Page,
    /// Any JSON object or array.
    Json,
    /// The OpenAPI document in any of its types.
    Document,
    /// What an endpoint takes, as Django REST framework describes it.
    Description,
}

/// Why a request is never answered from memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uncacheable {
    /// Its answer changes without any sign, or differs each time.
    Volatile,
    /// Its answer may hold secrets.
    Secret,
    /// A rule of the settings says so.
    Rule,
    /// A parameter makes the answer depend on more than the data, or gives it another form.
    Parameter,
    /// It is not a path whose answers nbproxy knows how to judge.
    Unknown,
}

/// Why an answer is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotKept {
    /// Not a 200.
    Status,
    /// Not of the type that belongs there, or not beginning and ending as such an answer does.
    NotJson,
    /// It sets a cookie.
    Cookie,
    /// NetBox, or something in front of it, forbids it or gave it another form.
    Header,
    /// Neither its length nor its end was told, so that something may be missing.
    Incomplete,
    /// Something changed while it was fetched, or a write's outcome was open.
    Changed,
    /// It is larger than the share of memory it would be kept in.
    NoRoom,
}

impl Policy {
    /// A policy.
    pub fn new(config: Config) -> Self {
        Self { config }
    }

    /// For how long what this holds may be remembered.
    ///
    /// # Errors
    /// The reason why not.
    pub fn remembers(&self, path: &ApiPath, query: &Query) -> Result<Lifetime, Uncacheable> {
        self.plan(Verb::Get, path, query).map(|keep| keep.lifetime())
    }

    /// Whether a question of this may be answered from memory.
    ///
    /// # Errors
    /// The reason why not.
    pub fn plan(&self, verb: Verb, path: &ApiPath, query: &Query) -> Result<Keep, Uncacheable> {
        let resource = path.resource();
        let shape = match verb {
            Verb::Get => tables::shape(&resource)?,
            Verb::Options => tables::description(&resource)?,
        };
        if tables::is_volatile(path.name()) {
            return Err(Uncacheable::Volatile);
        }
        if tables::has_dependent_parameter(query, shape == Shape::Document) {
            return Err(Uncacheable::Parameter);
        }
        let rule = self.config.rules.iter().find(|rule| rule.pattern.matches(path));
        let allowed = rule.and_then(|rule| rule.cache);
        match allowed {
            Some(false) => return Err(Uncacheable::Rule),
            None if tables::is_secret(path.name()) => return Err(Uncacheable::Secret),
            Some(true) | None => {}
        }
        Ok(Keep { lifetime: self.lifetime(&resource, rule.and_then(|rule| rule.ttl)), shape })
    }

    fn lifetime(&self, resource: &Resource<'_>, ttl: Option<Duration>) -> Lifetime {
        let mut lifetime = self.config.lifetime;
        if let Some(ttl) = ttl {
            lifetime.ttl = ttl;
        }
        match resource {
            // NetBox itself answers it from a cache of 24 hours; a new version or plugin drops it at once.
            Resource::Schema => {}
            Resource::Status => {
                // What it counts leaves no trace anywhere.
                lifetime.ttl = lifetime.ttl.min(STATUS_TTL);
                lifetime.stale_while_revalidate = Duration::ZERO;
            }
            Resource::Root
            | Resource::AppRoot
            | Resource::GraphQl
            | Resource::List(_)
            | Resource::Object(..)
            | Resource::Below(..)
            | Resource::Single(_) => lifetime.unfollowed = self.config.ttl_without_feed,
        }
        lifetime
    }
}

impl Keep {
    /// How long the answer may be served.
    pub fn lifetime(&self) -> Lifetime {
        self.lifetime
    }

    /// Whether this answer, whole, may be kept.
    ///
    /// # Errors
    /// The reason why not.
    pub fn admit(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Result<(), NotKept> {
        self.admit_head(status, headers)?;
        if self.has_shape(headers, body) { Ok(()) } else { Err(NotKept::NotJson) }
    }

    /// Whether an answer with this head may be kept, if its body is as it should be.
    ///
    /// # Errors
    /// The reason why not.
    pub fn admit_head(&self, status: StatusCode, headers: &HeaderMap) -> Result<(), NotKept> {
        if status != StatusCode::OK {
            return Err(NotKept::Status);
        }
        if headers.contains_key(SET_COOKIE) {
            return Err(NotKept::Cookie);
        }
        let forbidden = |name, words: &[&str]| {
            let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
            values.flat_map(|value| value.split(',')).any(|word| words.contains(&word.trim()))
        };
        let document = self.shape == Shape::Document;
        if headers.contains_key(CONTENT_RANGE)
            || headers.contains_key(CONTENT_ENCODING)
            || (headers.contains_key(CONTENT_DISPOSITION) && !document)
            || forbidden(CACHE_CONTROL, &["no-store", "private"])
            || forbidden(VARY, &["*"])
        {
            return Err(NotKept::Header);
        }
        Ok(())
    }

    fn has_shape(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        let kind = media_type(headers);
        let json = kind == "application/json" && tables::is_closed_json(body);
        match self.shape {
            Shape::Page => json && body.starts_with(b"{\"count\":"),
            Shape::Json => json,
            Shape::Description => json && tables::is_description(body),
            Shape::Document => tables::is_document(kind, body),
        }
    }
}

/// The media type of an answer, without parameters.
pub fn media_type(headers: &HeaderMap) -> &str {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

impl Uncacheable {
    /// The reason in one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Volatile => "volatile",
            Self::Secret => "secret",
            Self::Rule => "rule",
            Self::Parameter => "parameter",
            Self::Unknown => "unknown",
        }
    }
}

impl NotKept {
    /// The reason in one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::NotJson => "not-json",
            Self::Cookie => "cookie",
            Self::Header => "header",
            Self::Incomplete => "incomplete",
            Self::Changed => "changed",
            Self::NoRoom => "no-room",
        }
    }
}
