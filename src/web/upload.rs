//! A request's body on its way in: counted, bounded, never held, and not waited for in vain.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use http_body::Body as _;

use super::AppParts;
use crate::cache::clock::Clock;
use crate::netbox::outgoing::LEAST;
use crate::netbox::transport::BodyError;
use crate::proxy::error::BadRequest;
use crate::proxy::request::RequestBody;

/// Bytes that a body brings in a second of waiting, on the whole: a long one holds a place at NetBox.
const LEAST_RATE: u64 = 32 * 1024;

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
/// All of it may take as long as one part, and a second for each [`LEAST_RATE`] bytes besides.
///
/// # Errors
/// [`BadRequest::BodyTooLarge`] when it is announced as larger than the limit.
pub(super) fn read(body: Body, app: &AppParts, limits: Limits) -> Result<Option<RequestBody>, BadRequest> {
    let length = body.size_hint().exact();
    match length {
        Some(0) => return Ok(None),
        Some(length) if length > limits.bytes => return Err(BadRequest::BodyTooLarge { limit: limits.bytes }),
        Some(_) | None => {}
    }
    let incoming = Incoming::new(body.into_data_stream(), limits, app.clock.clone());
    let stream = Box::pin(stream::try_unfold(incoming, Incoming::next));
    Ok(Some(RequestBody { stream, length, room: app.room.clone() }))
}

struct Incoming {
    inner: BodyDataStream,
    read: u64,
    waited: Duration,
    limits: Limits,
    clock: Clock,
}

impl Incoming {
    fn new(inner: BodyDataStream, limits: Limits, clock: Clock) -> Self {
        Self { inner, read: 0, waited: Duration::ZERO, limits, clock }
    }

    /// What comes next, and the rest; `None` at the end.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, BodyError> {
        let Limits { bytes: limit, patience } = self.limits;
        let whole = patience.saturating_add(Duration::from_millis(self.read * 1000 / LEAST_RATE));
        let left = whole.saturating_sub(self.waited);
        let (time, patience) = if left < patience { (left, whole) } else { (patience, patience) };
        if time.is_zero() {
            return Err(BodyError::TimedOut { patience });
        }
        let (begun, enough) = (self.clock.now(), self.read + LEAST);
        // Copied: a part may be a byte of a buffer that stays for its sake.
        let mut parts = BytesMut::new();
        let gathering = async {
            while self.read < enough {
                let Some(part) = self.inner.next().await else { break };
                let part = part.map_err(|_| BodyError::Incomplete)?;
                self.read += part.len() as u64;
                if self.read > limit {
                    return Err(BodyError::TooLarge { limit });
                }
                parts.extend_from_slice(&part);
            }
            Ok(())
        };
        let gathered = tokio::time::timeout(time, gathering).await;
        gathered.unwrap_or(Err(BodyError::TimedOut { patience }))?;
        self.waited += self.clock.now().since(begun);
        Ok((!parts.is_empty()).then(|| (parts.freeze(), self)))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// A body that comes by 16 KiB, each of which takes so long.
    async fn upload(parts: u64, each: Duration) -> Result<u64, BodyError> {
        let clock = Clock::standing();
        let clocked = clock.clone();
        let body = stream::iter(0..parts).then(move |_| {
            let clock = clocked.clone();
            async move {
                clock.push(each);
                Ok::<_, Infallible>(Bytes::from(vec![b'x'; LEAST as usize]))
            }
        });
        let limits = Limits { bytes: u64::MAX, patience: Duration::from_secs(30) };
        let mut incoming = Incoming::new(Body::from_stream(body).into_data_stream(), limits, clock);
        loop {
            let read = incoming.read;
            let Some((_, next)) = incoming.next().await? else { return Ok(read) };
            incoming = next;
        }
    }

    #[tokio::test]
    async fn a_whole_body_has_a_time_too() {
        let halves = upload(6400, Duration::from_millis(500)).await;
        assert_eq!(halves.unwrap(), 6400 * LEAST);
        for each in [29, 2] {
            let slow = upload(6400, Duration::from_secs(each)).await;
            assert!(matches!(slow, Err(BodyError::TimedOut { .. })), "{slow:?}");
        }
        assert!(upload(2, Duration::from_secs(15)).await.is_ok(), "a short one may take its time");
    }
}
