//! What operators see of the cache, and what they may have it forget.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{AdminError, AdminState};
use crate::cache::selector::Selector;
use crate::cache::store::{ShareCensus, Tally};
use crate::netbox::branch::Branch;
use crate::netbox::pattern::{InvalidPattern, Pattern};
use crate::web::Peer;
use crate::web::error::object;

/// Endpoints that are told of one by one.
const MOST_ENDPOINTS: usize = 50;

/// Bytes of an order.
const LONGEST_ORDER: usize = 16 * 1024;

/// For an order to arrive: whoever dawdles over one has a connection that the health checks may need.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is to be purged, as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    all: Option<bool>,
    endpoint: Option<String>,
    id: Option<u64>,
    branch: Option<String>,
}

/// What is wrong with an order.
#[derive(Debug, thiserror::Error)]
pub(in crate::web) enum BadOrder {
    /// It has not arrived.
    #[error("the order did not arrive whole within {PATIENCE:?}, or is longer than {LONGEST_ORDER} bytes")]
    Body,
    /// It is not JSON of this form.
    #[error("the order is no good: {0}")]
    Json(#[from] serde_json::Error),
    /// It is empty.
    #[error("say what to purge: \"all\": true, or \"endpoint\" (with \"id\" for an object), or \"branch\"")]
    Nothing,
    /// `false`.
    #[error("all: it is true or left out")]
    NotAll,
    /// All, and something else.
    #[error("all: it goes alone, since it covers whatever else is named")]
    AllAndMore,
    /// An id of nothing.
    #[error("id: it wants an endpoint")]
    IdAlone,
    /// An id in several endpoints.
    #[error("id: it wants one endpoint, without *")]
    IdOfMany,
    /// Not an endpoint's name.
    #[error("endpoint: {0}")]
    Endpoint(#[from] InvalidPattern),
    /// Not a path that can be warmed.
    #[error("path: {0}")]
    Path(String),
    /// Not a branch.
    #[error("branch: it is main, or a schema_id: eight characters of a-z and 0-9")]
    Branch,
}

/// `POST /cache/purge`
pub(in crate::web) async fn purge(
    State(state): State<Arc<AdminState>>,
    request: Request,
) -> Result<Response, AdminError> {
    let operator = request.extensions().get::<Peer>().cloned().unwrap_or_default().address;
    let selector = read::<Order>(request.into_body()).await?.try_into()?;
    let purged = state.proxy.purge(selector, operator).await.map_err(|_| AdminError::Lost)?;
    Ok(object(StatusCode::OK, &json!({ "purged": purged })))
}

/// `GET /cache`
pub(in crate::web) async fn statistics(State(state): State<Arc<AdminState>>) -> Result<Response, AdminError> {
    let census = state.proxy.census().await.map_err(|_| AdminError::Lost)?;
    let (named, other) = census.endpoints.split_at(census.endpoints.len().min(MOST_ENDPOINTS));
    let endpoints = named.iter().map(
        |(endpoint, Tally { entries, bytes })| json!({ "endpoint": endpoint, "entries": entries, "bytes": bytes }),
    );
    let other = other.iter().fold(Tally::default(), |sum, (_, tally)| sum.plus(*tally));
    let ShareCensus { capacity, held, evictions } = census.common.plus(census.guests);
    let statistics = json!({
        "capacity": capacity,
        "bytes": held.bytes,
        "entries": held.entries,
        "evictions": evictions,
        "shares": { "common": share(census.common), "guests": share(census.guests) },
        "visitors": census.visitors,
        "endpoints": endpoints.collect::<Value>(),
        "other_endpoints": { "entries": other.entries, "bytes": other.bytes },
        "requests": state.metrics.requests_by_outcome(),
        "uptime_seconds": state.proxy.uptime().as_secs(),
    });
    Ok(object(StatusCode::OK, &statistics))
}

fn share(census: ShareCensus) -> Value {
    let ShareCensus { capacity, held: Tally { entries, bytes }, evictions } = census;
    json!({ "capacity": capacity, "bytes": bytes, "entries": entries, "evictions": evictions })
}

/// Reads an order.
///
/// # Errors
/// [`BadOrder::Body`] and [`BadOrder::Json`].
pub(super) async fn read<T: DeserializeOwned>(body: Body) -> Result<T, BadOrder> {
    read_within(body, PATIENCE).await
}

async fn read_within<T: DeserializeOwned>(body: Body, patience: Duration) -> Result<T, BadOrder> {
    let arrived = tokio::time::timeout(patience, to_bytes(body, LONGEST_ORDER)).await;
    let body = arrived.map_err(|_| BadOrder::Body)?.map_err(|_| BadOrder::Body)?;
    Ok(serde_json::from_slice(&body)?)
}

impl TryFrom<Order> for Selector {
    type Error = BadOrder;

    fn try_from(order: Order) -> Result<Self, BadOrder> {
        let pattern = order.endpoint.as_deref().map(Pattern::parse).transpose()?;
        let branch = order.branch.as_deref().map(Branch::named).transpose().map_err(|_| BadOrder::Branch)?;
        match (order.all, pattern, order.id, branch) {
            (Some(true), None, None, None) => Ok(Self::All),
            (Some(true), ..) => Err(BadOrder::AllAndMore),
            (Some(false), ..) => Err(BadOrder::NotAll),
            (None, Some(pattern), None, branch) => Ok(Self::Endpoint { pattern, branch }),
            (None, Some(pattern), Some(_), _) if !pattern.is_literal() => Err(BadOrder::IdOfMany),
            (None, Some(pattern), Some(id), branch) => Ok(Self::Object { endpoint: pattern.to_string(), id, branch }),
            (None, None, Some(_), _) => Err(BadOrder::IdAlone),
            (None, None, None, Some(branch)) => Ok(Self::Branch(branch)),
            (None, None, None, None) => Err(BadOrder::Nothing),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use bytes::Bytes;
    use futures_util::{StreamExt, stream};

    use super::*;

    #[tokio::test]
    async fn an_order_that_dawdles_is_not_waited_for() {
        let begun = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"{\"all\":"))]).chain(stream::pending());
        let read = read_within::<Order>(Body::from_stream(begun), Duration::from_millis(20));
        let read = tokio::time::timeout(Duration::from_secs(30), read).await.unwrap();
        assert!(matches!(read, Err(BadOrder::Body)), "{read:?}");
    }
}
