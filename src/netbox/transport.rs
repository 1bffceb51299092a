//! What can go wrong between us and NetBox on the way, and on whose side.

use std::time::Duration;

use http::StatusCode;

/// Why a request brought no (whole) answer.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// No connection could be made: refused, no route, no such name, TLS not agreed.
    #[error("NetBox cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// Nothing was heard for this long.
    #[error("NetBox did not answer within {0:?}")]
    TimedOut(Duration),
    /// The connection died before or amid the answer; whether a write was carried out is unknown.
    #[error("NetBox broke the connection off")]
    Broken(#[source] reqwest::Error),
    /// The answer is not in the content coding that it says; whether a write was carried out is told by its status.
    #[error("NetBox's answer cannot be decoded")]
    Coding(#[source] std::io::Error),
    /// Too many requests wait already; nothing was sent.
    #[error("too many requests wait for NetBox")]
    QueueFull,
    /// No place became free in time; nothing was sent.
    #[error("no place at NetBox became free within {0:?}")]
    QueueTimedOut(Duration),
    /// The caller's own request body failed.
    #[error("the request's body could not be read")]
    RequestBody(#[source] BodyError),
    /// The request could not be put together; nothing was sent.
    #[error("the request cannot be sent")]
    Unsendable(#[source] reqwest::Error),
}

/// Why a request's body ended early. Made by whoever hands the body in.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BodyError {
    /// It is longer than what is accepted.
    #[error("the request body is larger than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The client stopped sending, or sent broken framing.
    #[error("the client did not send the whole body")]
    Incomplete,
    /// The client sends too slowly.
    #[error("the client sent too little of the body within {patience:?}")]
    TimedOut {
        /// How long it was waited for.
        patience: Duration,
    },
}

/// Whether something in front of NetBox says that NetBox cannot answer: 502, 503 or 504.
pub fn is_gateway_error(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}

impl TransportError {
    /// Whether NetBox as a whole seems unable to answer, so that remembered answers may stand in for it.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::TimedOut(_) | Self::Broken(_) | Self::Coding(_) => true,
            Self::QueueFull | Self::QueueTimedOut(_) | Self::RequestBody(_) | Self::Unsendable(_) => false,
        }
    }

    /// Whether it is certain that nothing reached NetBox.
    pub fn nothing_was_sent(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::QueueFull | Self::QueueTimedOut(_) | Self::Unsendable(_) => true,
            Self::TimedOut(_) | Self::Broken(_) | Self::Coding(_) | Self::RequestBody(_) => false,
        }
    }

    /// Sorts an error of reqwest, whose own text may quote the URL; the text never reaches a client.
    pub(super) fn sort(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if let Some(body) = find::<BodyError>(&error) {
            let body = body.clone();
            return Self::RequestBody(body);
        }
        if error.is_connect() {
            Self::Unreachable(error)
        } else if error.is_builder() {
            Self::Unsendable(error)
        } else {
            Self::Broken(error)
        }
    }
}

fn find<'a, E: std::error::Error + 'static>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}
