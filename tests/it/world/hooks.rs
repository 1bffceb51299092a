//! Webhooks, as NetBox 4.6 sends them: one for each row of the changelog, once it is committed.

use std::collections::BTreeSet;
use std::time::Duration;

use fake_netbox::FakeNetbox;
use serde_json::{Value, json};

use crate::support::TestProxy;
use crate::webhooks::{SECRET, hook};

/// So far below others a row may appear, in ids.
const LATE: u64 = 100;

pub(super) fn settings() -> String {
    format!("webhook_secret = {SECRET:?}")
}

fn rows(netbox: &FakeNetbox, query: &str) -> Vec<Value> {
    let token = format!("Token {}", netbox.token());
    let target = format!("/api/core/object-changes/?{query}");
    let host = netbox.addr().to_string();
    let headers = [("authorization", token.as_str()), ("host", &host), ("accept", "application/json")];
    let (status, body) = netbox.direct("GET", &target, &headers);
    assert_eq!(status, 200, "{body:?}");
    let page: Value = serde_json::from_slice(&body).expect("JSON");
    page["results"].as_array().cloned().unwrap_or_default()
}

/// The rows that were sent.
pub(super) struct Sent(BTreeSet<u64>);

impl Sent {
    /// None but those that were there before.
    pub(super) fn none_yet(netbox: &FakeNetbox) -> Self {
        Self(rows(netbox, "ordering=-id&limit=1").iter().map(id).collect())
    }

    /// Sends all others. Then the time has passed in which a commit may still follow.
    pub(super) async fn send(&mut self, netbox: &FakeNetbox, proxy: &TestProxy) {
        let newest = self.0.last().copied().unwrap_or(0);
        let rows = rows(netbox, &format!("id__gt={}&ordering=id&limit=1000", newest.saturating_sub(LATE)));
        let first = self.0.first().copied().unwrap_or(0);
        let new: Vec<_> = rows.iter().filter(|row| id(row) > first && !self.0.contains(&id(row))).collect();
        for row in &new {
            hook(proxy, &body(row)).await;
            self.0.insert(id(row));
        }
        if !new.is_empty() {
            proxy.clock.push(Duration::from_secs(3));
        }
    }
}

fn id(row: &Value) -> u64 {
    row["id"].as_u64().expect("rows have ids")
}

fn body(row: &Value) -> Value {
    let object_type = row["changed_object_type"].as_str().unwrap_or_default();
    let action = row["action"]["value"].as_str().unwrap_or_default();
    let event = if action.ends_with('e') { format!("{action}d") } else { action.to_owned() };
    let request = &row["request_id"];
    json!({
        "event": event,
        "timestamp": row["time"],
        "object_type": object_type,
        "username": "admin",
        "request_id": request,
        "request": {"id": request, "method": "PATCH", "path": "/", "user": "admin"},
        "data": {"id": row["changed_object_id"], "url": "/", "display": row["object_repr"]},
        "context": {"active_branch": null},
        "snapshots": {"prechange": row["prechange_data"], "postchange": row["postchange_data"]},
    })
}
