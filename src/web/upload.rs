//! A request's body on its way in: counted, bounded, and never held.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::Stream;
use http_body::Body as _;

use crate::netbox::transport::BodyError;
use crate::proxy::error::BadRequest;
use crate::proxy::request::RequestBody;

/// The body of a request, or `None` when it has none.
///
/// # Errors
/// [`BadRequest::BodyTooLarge`] when it is announced as larger than `limit` bytes.
pub(super) fn read(body: Body, limit: u64) -> Result<Option<RequestBody>, BadRequest> {
    let length = body.size_hint().exact();
    match length {
        Some(0) => return Ok(None),
        Some(length) if length > limit => return Err(BadRequest::BodyTooLarge { limit }),
        Some(_) | None => {}
    }
    let stream = Bounded { inner: body.into_data_stream(), left: limit, limit };
    Ok(Some(RequestBody { stream: Box::pin(stream), length }))
}

struct Bounded {
    inner: BodyDataStream,
    left: u64,
    limit: u64,
}

impl Stream for Bounded {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let part = match std::task::ready!(Pin::new(&mut self.inner).poll_next(cx)) {
            None => return Poll::Ready(None),
            Some(Err(_)) => return Poll::Ready(Some(Err(BodyError::Incomplete))),
            Some(Ok(part)) => part,
        };
        let left = self.left.checked_sub(part.len() as u64);
        let limit = self.limit;
        Poll::Ready(Some(match left {
            None => Err(BodyError::TooLarge { limit }),
            Some(left) => {
                self.left = left;
                Ok(part)
            }
        }))
    }
}
