//! What operators have fetched before anybody asks.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::cache::{BadOrder, read};
use super::{AdminError, AdminState};
use crate::netbox::branch::Branch;
use crate::proxy::warm::Walk;
use crate::web::error::object;

/// What is to be warmed, as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    path: String,
    branch: Option<String>,
}

/// `POST /cache/warm`: one page. Where its list goes on stands in the answer.
pub(in crate::web) async fn warm(
    State(state): State<Arc<AdminState>>,
    request: Request,
) -> Result<Response, AdminError> {
    let Order { path, branch } = read(request.into_body()).await?;
    let branch = branch.map_or(Ok(Branch::Main), |text| Branch::named(&text)).map_err(|_| BadOrder::Branch)?;
    let walk = Walk::parse(&path, branch).map_err(BadOrder::Path)?;
    let warmed = state.proxy.warm(&walk).await?;
    let said = json!({
        "fetched": warmed.fetched.is_some(),
        "bytes": warmed.bytes,
        "count": warmed.count,
        "next": warmed.next,
        "also": warmed.other_next,
    });
    Ok(object(StatusCode::OK, &said))
}
