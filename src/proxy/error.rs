//! Why a request is not answered with NetBox's answer, and on whose side the reason lies. Which status code says so
//! is not decided here.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, Method};

use super::auth::Denied;
use crate::invalidation::webhook::Unreadable;
use crate::netbox::branch::SchemaId;
use crate::netbox::transport::{BodyError, TransportError as UpstreamError};

/// Why there is no answer of NetBox.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProxyError {
    /// The path is none of NetBox's API.
    #[error("not mirrored")]
    NotMirrored,
    /// The method is one that no proxy with a token of its own may pass on.
    #[error("method not allowed")]
    Method(Method),
    /// The client's request cannot be understood safely.
    #[error(transparent)]
    BadRequest(#[from] BadRequest),
    /// The client may not do this.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// NetBox refuses the token that the caller brought.
    #[error("NetBox refuses the caller's token")]
    Refused {
        /// NetBox's own words.
        detail: Arc<str>,
    },
    /// The client asks more often than it may.
    #[error("the rate limit is reached")]
    TooOften {
        /// How long until it may ask again.
        wait: Duration,
    },
    /// Filters that NetBox does not know.
    #[error("unknown filters")]
    UnknownFilters(Arc<[UnknownFilter]>),
    /// The client wants an answer from memory, and there is none (RFC 9111, section 5.2.1.7).
    #[error("not in the cache")]
    NotCached,
    /// NetBox could not be asked, or did not answer.
    #[error("upstream failed")]
    Upstream(#[source] Arc<UpstreamError>),
    /// NetBox's answer broke off.
    #[error("NetBox's answer broke off")]
    AnswerCut(#[source] Arc<UpstreamError>),
    /// NetBox does not accept nbproxy's own token.
    #[error("NetBox refuses nbproxy's own token")]
    TokenRefused,
    /// What answers at NetBox's address does not answer as NetBox does.
    #[error("what answers is no NetBox")]
    NotNetbox,
    /// A task of nbproxy's ended without an answer.
    #[error("an internal task was lost")]
    Lost,
}

/// What is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// The path can be read in two ways.
    #[error("the path holds {0}")]
    Path(&'static str),
    /// Not a branch's schema_id.
    #[error("X-NetBox-Branch and _branch take a branch's schema_id: eight characters of a-z and 0-9")]
    Branch,
    /// Header and parameter name different branches.
    #[error("X-NetBox-Branch and _branch name different branches")]
    BranchesDisagree,
    /// There is no such branch.
    #[error("there is no branch {}", .0.as_str())]
    NoBranch(SchemaId),
    /// The branch can be neither read nor written just now, or never again.
    #[error("branch {} is not ready for use, its status is {status}", .branch.as_str())]
    BranchNotReady {
        /// The branch.
        branch: SchemaId,
        /// Its status, in NetBox's word.
        status: Box<str>,
    },
    /// No, or no usable, `Host`.
    #[error("the Host header is missing or is not a host")]
    Host,
    /// A name that is not this machine's own, where nobody was let in by name.
    #[error(
        "nbproxy goes by loopback names here; set server.public_url, access.anonymous or [[clients]] to use others"
    )]
    ForeignHost,
    /// Path and query are too long.
    #[error("path and query are longer than {limit} bytes")]
    UriTooLong {
        /// The limit.
        limit: usize,
    },
    /// The head is too long.
    #[error("the request's head is larger than {limit} bytes")]
    HeadTooLarge {
        /// The limit.
        limit: usize,
    },
    /// There are too many headers.
    #[error("the request has more than {limit} headers")]
    TooManyHeaders {
        /// The limit.
        limit: usize,
    },
    /// A header that says who asks, or whom, is there more than once.
    #[error("the request has more than one header {0}")]
    Twice(HeaderName),
    /// The request's body broke off.
    #[error("the request's body did not arrive whole")]
    Body,
    /// The request's body arrives too slowly.
    #[error("too little of the request's body arrived within {patience:?}")]
    BodyTimedOut {
        /// How long it was waited for.
        patience: Duration,
    },
    /// There is no memory for it, just now.
    #[error("too many request bodies are at hand")]
    NoRoom,
    /// A webhook's body is none of NetBox's.
    #[error(transparent)]
    Webhook(#[from] Unreadable),
    /// The request's body is too large.
    #[error("the request body is larger than {limit} bytes")]
    BodyTooLarge {
        /// The limit.
        limit: u64,
    },
}

impl BadRequest {
    /// The reason in one word.
    fn as_str(&self) -> &'static str {
        match self {
            Self::UriTooLong { .. } => "uri-too-long",
            Self::HeadTooLarge { .. } | Self::TooManyHeaders { .. } => "head-too-large",
            Self::BodyTimedOut { .. } => "body-timed-out",
            Self::BodyTooLarge { .. } => "body-too-large",
            Self::NoRoom => "queue-full",
            Self::NoBranch(_) => "no-branch",
            Self::BranchNotReady { .. } => "branch-not-ready",
            Self::Path(_)
            | Self::Branch
            | Self::BranchesDisagree
            | Self::Webhook(_)
            | Self::Host
            | Self::ForeignHost
            | Self::Twice(_)
            | Self::Body => "bad-request",
        }
    }
}

impl From<BodyError> for BadRequest {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge { limit } => Self::BodyTooLarge { limit },
            BodyError::Incomplete => Self::Body,
            BodyError::TimedOut { patience } => Self::BodyTimedOut { patience },
        }
    }
}

/// A filter that NetBox does not know, and would ignore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownFilter {
    /// As the client spelt it.
    pub name: String,
    /// The nearest that there is.
    pub nearest: Option<String>,
}

/// On whose side an error lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The client's.
    Client,
    /// NetBox's, or the way's to it.
    Upstream,
    /// nbproxy's own.
    Own,
}

impl Side {
    /// Its word in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Upstream => "upstream",
            Self::Own => "own",
        }
    }
}

impl ProxyError {
    /// Sorts what the session reports.
    pub(super) fn from_upstream(error: UpstreamError) -> Self {
        match error {
            UpstreamError::RequestBody(body) => BadRequest::from(body).into(),
            UpstreamError::Unreachable(_)
            | UpstreamError::TimedOut(_)
            | UpstreamError::Broken(_)
            | UpstreamError::Coding(_)
            | UpstreamError::QueueFull
            | UpstreamError::QueueTimedOut(_)
            | UpstreamError::Unsendable(_) => Self::Upstream(Arc::new(error)),
        }
    }

    /// Whether an answer from memory may stand in.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Upstream(error) | Self::AnswerCut(error) => error.is_unavailable(),
            Self::NotMirrored
            | Self::Method(_)
            | Self::BadRequest(_)
            | Self::Denied(_)
            | Self::Refused { .. }
            | Self::TooOften { .. }
            | Self::UnknownFilters(_)
            | Self::NotCached
            | Self::TokenRefused
            | Self::NotNetbox
            | Self::Lost => false,
        }
    }

    /// Whether NetBox as a whole is down, rather than this one answer spoilt.
    pub(super) fn means_down(&self) -> bool {
        matches!(self, Self::Upstream(error) if matches!(**error, UpstreamError::Unreachable(_) | UpstreamError::TimedOut(_)))
    }

    /// Whether NetBox was away, so that anything may have been done to it meanwhile.
    pub(super) fn means_outage(&self) -> bool {
        match self {
            Self::Upstream(error) => match error.as_ref() {
                UpstreamError::Unreachable(_) | UpstreamError::Broken(_) => true,
                UpstreamError::Coding(_) => false,
                UpstreamError::TimedOut(_)
                | UpstreamError::QueueFull
                | UpstreamError::QueueTimedOut(_)
                | UpstreamError::RequestBody(_)
                | UpstreamError::Unsendable(_) => false,
            },
            Self::NotNetbox | Self::TokenRefused => true,
            Self::AnswerCut(_)
            | Self::NotMirrored
            | Self::Method(_)
            | Self::BadRequest(_)
            | Self::Denied(_)
            | Self::Refused { .. }
            | Self::TooOften { .. }
            | Self::UnknownFilters(_)
            | Self::NotCached
            | Self::Lost => false,
        }
    }

    /// On whose side it lies.
    pub fn side(&self) -> Side {
        match self {
            Self::BadRequest(BadRequest::NoRoom) => Side::Own,
            Self::NotMirrored
            | Self::Method(_)
            | Self::BadRequest(_)
            | Self::Denied(_)
            | Self::Refused { .. }
            | Self::TooOften { .. }
            | Self::UnknownFilters(_)
            | Self::NotCached => Side::Client,
            Self::Upstream(error) => match error.as_ref() {
                UpstreamError::Unreachable(_)
                | UpstreamError::TimedOut(_)
                | UpstreamError::Broken(_)
                | UpstreamError::Coding(_) => Side::Upstream,
                UpstreamError::RequestBody(_) => Side::Client,
                UpstreamError::QueueFull | UpstreamError::QueueTimedOut(_) | UpstreamError::Unsendable(_) => Side::Own,
            },
            Self::AnswerCut(_) | Self::NotNetbox => Side::Upstream,
            Self::TokenRefused | Self::Lost => Side::Own,
        }
    }

    /// The reason in one word, for header, log and metric.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NotMirrored => "not-mirrored",
            Self::Method(_) => "method",
            Self::BadRequest(bad) => bad.as_str(),
            Self::Denied(denied) => denied.as_str(),
            Self::Refused { .. } => "refused",
            Self::TooOften { .. } => "rate-limit",
            Self::UnknownFilters(_) => "unknown-filter",
            Self::NotCached => "not-cached",
            Self::Upstream(error) => match error.as_ref() {
                UpstreamError::Unreachable(_) => "unreachable",
                UpstreamError::TimedOut(_) => "timed-out",
                UpstreamError::Broken(_) => "broken-off",
                UpstreamError::Coding(_) => "coding",
                UpstreamError::QueueFull => "queue-full",
                UpstreamError::QueueTimedOut(_) => "queue-timed-out",
                UpstreamError::RequestBody(_) => "request-body",
                UpstreamError::Unsendable(_) => "unsendable",
            },
            Self::AnswerCut(_) => "answer-cut",
            Self::TokenRefused => "token-refused",
            Self::NotNetbox => "not-netbox",
            Self::Lost => "lost",
        }
    }

    /// How long NetBox was waited for, where that was the trouble.
    pub fn waited(&self) -> Option<Duration> {
        match self {
            Self::Upstream(error) => match error.as_ref() {
                UpstreamError::TimedOut(waited) | UpstreamError::QueueTimedOut(waited) => Some(*waited),
                UpstreamError::Unreachable(_)
                | UpstreamError::Broken(_)
                | UpstreamError::Coding(_)
                | UpstreamError::QueueFull
                | UpstreamError::RequestBody(_)
                | UpstreamError::Unsendable(_) => None,
            },
            Self::NotMirrored
            | Self::Method(_)
            | Self::BadRequest(_)
            | Self::Denied(_)
            | Self::Refused { .. }
            | Self::TooOften { .. }
            | Self::UnknownFilters(_)
            | Self::NotCached
            | Self::AnswerCut(_)
            | Self::TokenRefused
            | Self::NotNetbox
            | Self::Lost => None,
        }
    }
}
