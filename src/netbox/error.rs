//! What can go wrong when NetBox is used as a library: one enum, each variant naming the request it concerns.

use std::fmt;

use http::{Method, StatusCode};

use super::transport::{TransportError, is_gateway_error};

/// Why an operation brought nothing.
///
/// pynetbox's `RequestError`, `AllocationError`, `ContentError` and `ParameterValidationError` are
/// [`Request`](Self::Request), [`Allocation`](Self::Allocation), [`Content`](Self::Content) and
/// [`ParameterValidation`](Self::ParameterValidation).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// NetBox refused: a status of 400 or above, or a redirect.
    #[error("{0}")]
    Request(Box<Refusal>),
    /// NetBox has nothing left to allocate, or sees a conflict: 409 to a POST.
    #[error("the requested allocation could not be fulfilled: {0}")]
    Allocation(Box<Refusal>),
    /// NetBox answered with something that is not what belongs there.
    #[error("{request}: {what}")]
    Content {
        /// The request.
        request: RequestLine,
        /// What is wrong with the answer.
        what: &'static str,
    },
    /// Parameters that NetBox's OpenAPI document does not know; NetBox would have ignored them silently.
    #[error("{path} has no parameter {}", .names.join(", "))]
    ParameterValidation {
        /// The path they were meant for.
        path: String,
        /// Every name that is wrong.
        names: Vec<String>,
    },
    /// NetBox could not be asked, or did not answer.
    #[error("{request}: {source}")]
    Transport {
        /// The request.
        request: RequestLine,
        /// Why.
        source: TransportError,
    },
    /// A link leads to another server; a token must not follow it.
    #[error("the link {url} leads elsewhere than below {base}; ForeignLinks::SamePath asks for its path there")]
    OtherOrigin {
        /// The link.
        url: String,
        /// NetBox's base.
        base: String,
    },
    /// Pages led in a circle.
    #[error("{url} was the next page before")]
    Circle {
        /// The page.
        url: String,
    },
    /// Rows were added or removed while pages were read: rows may be missing or doubled. NetBox's offset paging is no
    /// snapshot; cursor paging does not shift.
    #[error("the list changed while its pages were read, or has no fixed order: {what}")]
    Shifted {
        /// How it was noticed.
        what: &'static str,
    },
    /// More than one object was found where one was asked for.
    #[error("{0}: more than one object matches")]
    Ambiguous(RequestLine),
    /// NetBox has no app of this name; nothing was sent.
    #[error("NetBox has no app named {0:?}")]
    UnknownApp(String),
    /// The record is no branch of netbox-branching's.
    #[error("it is no branch: it has no schema_id")]
    NotABranch,
    /// The record lacks what the operation needs; nothing was sent.
    #[error("the record has no {0}")]
    Incomplete(&'static str),
    /// An argument that cannot be meant; nothing was sent.
    #[error("{0}")]
    Argument(&'static str),
    /// What was given as NetBox's base is none. It is not quoted: there may be a password in it.
    #[error("it is no base URL of NetBox's: {0}")]
    Url(super::session::BaseUrlError),
    /// A bulk operation in parts failed amid them.
    #[error("{done} objects were done, then: {source}")]
    Partial {
        /// How many objects were done before.
        done: usize,
        /// Those, as NetBox answered them; none for a deletion.
        records: Vec<super::record::Record>,
        /// Why the next part was not.
        source: Box<Error>,
    },
    /// The session cannot be set up.
    #[error(transparent)]
    SetUp(#[from] super::session::SetUpError),
    /// A record's values do not fit the type they were asked for as.
    #[error("the record does not fit: {0}")]
    Shape(#[source] serde_json::Error),
}

/// What NetBox said when it refused.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The request.
    pub request: RequestLine,
    /// NetBox's status.
    pub status: StatusCode,
    /// NetBox's own words: the body, shortened when it is a page for people.
    pub message: String,
}

/// A request as it may be shown: no header, so no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestLine {
    /// The method.
    pub method: Method,
    /// The whole URL.
    pub url: String,
}

impl Error {
    /// Whether NetBox as a whole seems unable to answer: out of reach, too slow, broken off, or 502, 503, 504.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Transport { source, .. } => source.is_unavailable(),
            Self::Request(refusal) => is_gateway_error(refusal.status),
            Self::Partial { source, .. } => source.is_unavailable(),
            Self::Allocation(_)
            | Self::Content { .. }
            | Self::ParameterValidation { .. }
            | Self::OtherOrigin { .. }
            | Self::Circle { .. }
            | Self::Shifted { .. }
            | Self::Ambiguous(_)
            | Self::UnknownApp(_)
            | Self::NotABranch
            | Self::Incomplete(_)
            | Self::Argument(_)
            | Self::Url(_)
            | Self::SetUp(_)
            | Self::Shape(_) => false,
        }
    }

    /// What NetBox said, when it refused.
    pub fn refusal(&self) -> Option<&Refusal> {
        if let Self::Partial { source, .. } = self {
            return source.refusal();
        }
        if let Self::Request(refusal) | Self::Allocation(refusal) = self { Some(refusal) } else { None }
    }

    /// NetBox's status, when it refused.
    pub fn status(&self) -> Option<StatusCode> {
        self.refusal().map(|refusal| refusal.status)
    }
}

impl fmt::Display for RequestLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.request, self.status, self.message)
    }
}
