//! A request's body on its way in: counted, bounded, never held, and not waited for in vain.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use http_body::Body as _;

use crate::netbox::outgoing::LEAST;
use crate::netbox::transport::BodyError;
use crate::proxy::error::BadRequest;
use crate::proxy::request::RequestBody;

/// What request bodies are held to.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes.
    pub bytes: u64,
    /// For the next 16 KiB to arrive, or the end.
    pub patience: Duration,
}

/// The body of a request, or `None` when it has none.
///
/// Its parts are handed on by at least [`LEAST`] bytes, so that there is one time for all of them: a client that sends a
/// byte now and then does not come by more. Only the time counts in which the next part is asked for, not the time in
/// which NetBox takes the last one.
///
/// # Errors
/// [`BadRequest::BodyTooLarge`] when it is announced as larger than the limit.
pub(super) fn read(body: Body, limits: Limits) -> Result<Option<RequestBody>, BadRequest> {
    let length = body.size_hint().exact();
    match length {
        Some(0) => return Ok(None),
        Some(length) if length > limits.bytes => return Err(BadRequest::BodyTooLarge { limit: limits.bytes }),
        Some(_) | None => {}
    }
    let incoming = Incoming { inner: body.into_data_stream(), read: 0, limits };
    let stream = stream::try_unfold(incoming, Incoming::next);
    let stream = stream.map_ok(|parts| stream::iter(parts).map(Ok)).try_flatten();
    Ok(Some(RequestBody { stream: Box::pin(stream), length }))
}

struct Incoming {
    inner: BodyDataStream,
    read: u64,
    limits: Limits,
}

impl Incoming {
    /// What comes next, and the rest; `None` at the end.
    async fn next(mut self) -> Result<Option<(Vec<Bytes>, Self)>, BodyError> {
        let Limits { bytes: limit, patience } = self.limits;
        let enough = self.read + LEAST;
        let mut parts = Vec::new();
        let gathering = async {
            while self.read < enough {
                let Some(part) = self.inner.next().await else { break };
                let part = part.map_err(|_| BodyError::Incomplete)?;
                self.read += part.len() as u64;
                if self.read > limit {
                    return Err(BodyError::TooLarge { limit });
                }
                parts.push(part);
            }
            Ok(())
        };
        let gathered = tokio::time::timeout(patience, gathering).await;
        gathered.unwrap_or(Err(BodyError::TimedOut { patience }))?;
        Ok((!parts.is_empty()).then_some((parts, self)))
    }
}
