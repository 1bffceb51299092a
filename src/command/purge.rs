//! `nbproxy purge`: a running nbproxy forgets.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::{Failure, detail, unheard};
use crate::cli::Purge;
use crate::server::neighbour;
use crate::settings::Admin;

/// To go through a memory of millions of entries takes seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Has it forget, and tells how much that was.
pub(super) async fn purge(what: &Purge, admin: &Admin) -> Result<(), Failure> {
    let address = admin.local();
    let said = neighbour::order(address, "/cache/purge", admin.token.as_deref(), &order_of(what), PATIENCE).await;
    let (status, text) = said.map_err(|error| unheard(address, &error))?;
    let purged = serde_json::from_str::<Value>(&text).ok().and_then(|answer| answer.get("purged")?.as_u64());
    match (status, purged) {
        (StatusCode::OK, Some(1)) => println!("1 entry was purged"),
        (StatusCode::OK, Some(purged)) => println!("{purged} entries were purged"),
        _ => return Err(Failure::Unwell { status, text: detail(&text) }),
    }
    Ok(())
}

/// The order as the admin listener takes it, which knows what it may say.
fn order_of(what: &Purge) -> String {
    let Purge { all, endpoint, id, branch } = what;
    json!({ "all": all.then_some(true), "endpoint": endpoint, "id": id, "branch": branch }).to_string()
}
