//! What became of a request: one enum, the same words in header, log and metric.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;

use crate::cache::policy::{NotKept, Uncacheable};

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Answered from memory.
    Hit {
        /// How long the answer stays fresh.
        ttl: Duration,
    },
    /// Answered from memory past the answer's expiry, or past a change.
    Stale {
        /// How long ago that was.
        by: Duration,
        /// Why that was right.
        reason: StaleReason,
    },
    /// Fetched for this request.
    Filled {
        /// Why memory could not answer.
        miss: Miss,
        /// Whether the answer was kept; `None` while it has not arrived.
        kept: Option<Result<(), NotKept>>,
    },
    /// Answered by a fetch that was under way.
    Joined {
        /// Why memory could not answer.
        miss: Miss,
        /// Whether the answer was kept; `None` while it has not arrived.
        kept: Option<Result<(), NotKept>>,
    },
    /// Passed to NetBox without a look into memory.
    Bypass(Bypass),
    /// A write, passed to NetBox.
    Written,
}

/// Why an expired answer was served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StaleReason {
    /// It is being fetched anew (RFC 5861, section 3).
    WhileRevalidate,
    /// NetBox cannot answer (RFC 5861, section 4).
    IfError,
    /// The client accepts it by `max-stale` (RFC 9111, section 5.2.1.2).
    MaxStale,
    /// It is from before a change, and the client accepts that by its settings or by `max-stale`.
    Outdated,
}

/// Why memory could not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Miss {
    /// It held nothing.
    Absent,
    /// It held an answer from before a change.
    Outdated,
    /// It held an answer that was too old.
    Expired,
    /// The client wanted NetBox asked.
    Request,
}

/// Why memory was not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bypass {
    /// The method: a browser's `OPTIONS` for another site's page, or a POST that only reads.
    Method,
    /// The policy says so.
    Uncacheable(Uncacheable),
    /// The client wants a type other than JSON.
    Accept,
    /// The client wants nothing kept.
    NoStore,
    /// A GET that comes with a body.
    Body,
    /// No slash at the path's end: NetBox redirects.
    OpenPath,
    /// The answer that was fetched for several was too large to be shared.
    TooLarge,
    /// Nobody knows whether the branch is ready.
    BranchUnknown,
}

impl Outcome {
    /// Its word.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Hit { .. } => "hit",
            Self::Stale { .. } => "stale",
            Self::Filled { .. } => "filled",
            Self::Joined { .. } => "joined",
            Self::Bypass(_) => "bypass",
            Self::Written => "write",
        }
    }

    /// The reason, where there is one to tell.
    pub fn detail(&self) -> Option<&'static str> {
        match self {
            Self::Hit { .. } | Self::Written => None,
            Self::Stale { reason: StaleReason::WhileRevalidate, .. } => Some("stale-while-revalidate"),
            Self::Stale { reason: StaleReason::IfError, .. } => Some("stale-if-error"),
            Self::Stale { reason: StaleReason::MaxStale, .. } => Some("max-stale"),
            Self::Stale { reason: StaleReason::Outdated, .. } => Some("outdated"),
            Self::Filled { miss, kept } | Self::Joined { miss, kept } => match (kept, miss) {
                (Some(Err(reason)), _) => Some(reason.as_str()),
                (Some(Ok(())) | None, Miss::Outdated) => Some("outdated"),
                (Some(Ok(())) | None, Miss::Absent | Miss::Expired | Miss::Request) => None,
            },
            Self::Bypass(bypass) => Some(bypass.as_str()),
        }
    }

    /// Whether the answer comes from memory.
    pub fn is_from_memory(&self) -> bool {
        match self {
            Self::Hit { .. } | Self::Stale { .. } => true,
            Self::Filled { .. } | Self::Joined { .. } | Self::Bypass(_) | Self::Written => false,
        }
    }

    /// Whether the answer comes from memory, and nothing that it depends on has changed since.
    pub fn is_coherent(&self) -> bool {
        match self {
            Self::Hit { .. } => true,
            Self::Stale { reason, .. } => *reason != StaleReason::Outdated,
            Self::Filled { .. } | Self::Joined { .. } | Self::Bypass(_) | Self::Written => false,
        }
    }

    /// The `Cache-Status` header (RFC 9211).
    pub fn cache_status(&self) -> HeaderValue {
        self.status_with(self.detail())
    }

    /// The same, with another detail that is more to the point.
    pub fn cache_status_because(&self, detail: &'static str) -> HeaderValue {
        self.status_with(Some(detail))
    }

    fn status_with(&self, detail: Option<&'static str>) -> HeaderValue {
        if let (Self::Hit { ttl }, None) = (self, detail) {
            return status_of_hit(*ttl);
        }
        let mut text = String::from("nbproxy; ");
        // Writing to a String does not fail.
        let _written = match self {
            Self::Hit { ttl } => write!(text, "hit; ttl={}", ttl.as_secs()),
            Self::Stale { by, .. } => write!(text, "hit; ttl=-{}", by.as_secs()),
            Self::Filled { miss, kept } => write!(text, "{}{}", miss.forward(), stored(*kept)),
            Self::Joined { miss, kept } => write!(text, "{}{}; collapsed", miss.forward(), stored(*kept)),
            Self::Bypass(Bypass::Method) | Self::Written => write!(text, "fwd=method"),
            Self::Bypass(_) => write!(text, "fwd=bypass"),
        };
        if let Some(detail) = detail {
            let _written = write!(text, "; detail={detail}");
        }
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("nbproxy"))
    }
}

/// What nearly all answers say, and without the machinery of formatting.
fn status_of_hit(ttl: Duration) -> HeaderValue {
    const BEGINNING: &[u8] = b"nbproxy; hit; ttl=";
    let mut text = Vec::with_capacity(BEGINNING.len() + 20);
    text.extend_from_slice(BEGINNING);
    text.extend_from_slice(HeaderValue::from(ttl.as_secs()).as_bytes());
    HeaderValue::from_maybe_shared(Bytes::from(text)).unwrap_or(HeaderValue::from_static("nbproxy; hit"))
}

fn stored(kept: Option<Result<(), NotKept>>) -> &'static str {
    if kept == Some(Ok(())) { "; stored" } else { "" }
}

impl Miss {
    fn forward(self) -> &'static str {
        match self {
            Self::Absent => "fwd=miss",
            Self::Outdated | Self::Expired => "fwd=stale",
            Self::Request => "fwd=request",
        }
    }
}

impl Bypass {
    /// The reason in one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Uncacheable(reason) => reason.as_str(),
            Self::Accept => "accept",
            Self::NoStore => "no-store",
            Self::Body => "body",
            Self::OpenPath => "no-trailing-slash",
            Self::TooLarge => "too-large",
            Self::BranchUnknown => "branch-unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_status_says_what_happened() {
        let said = |outcome: Outcome| outcome.cache_status().to_str().unwrap().to_owned();
        assert_eq!(said(Outcome::Hit { ttl: Duration::from_secs(25) }), "nbproxy; hit; ttl=25");
        let stale = Outcome::Stale { by: Duration::from_secs(5), reason: StaleReason::IfError };
        assert_eq!(said(stale), "nbproxy; hit; ttl=-5; detail=stale-if-error");
        assert_eq!(said(Outcome::Filled { miss: Miss::Absent, kept: Some(Ok(())) }), "nbproxy; fwd=miss; stored");
        assert_eq!(said(Outcome::Filled { miss: Miss::Absent, kept: None }), "nbproxy; fwd=miss");
        let outdated = Outcome::Filled { miss: Miss::Outdated, kept: Some(Ok(())) };
        assert_eq!(said(outdated), "nbproxy; fwd=stale; stored; detail=outdated");
        let joined = Outcome::Joined { miss: Miss::Absent, kept: Some(Err(NotKept::Status)) };
        assert_eq!(said(joined), "nbproxy; fwd=miss; collapsed; detail=status");
        assert_eq!(said(Outcome::Bypass(Bypass::Accept)), "nbproxy; fwd=bypass; detail=accept");
        assert_eq!(said(Outcome::Written), "nbproxy; fwd=method");
    }
}
