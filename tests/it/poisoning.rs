//! No header but those that are meant to changes what NetBox receives, and nothing that anybody sends changes what the
//! next client gets: each poisoned request is compared with a clean one.

use std::sync::Arc;

use fake_netbox::{FakeNetbox, Received};

use crate::support::{Raw, TestProxy, within};

mod headers;
mod queries;

/// What differs between two answers that are the same; a tag does where the links name what was asked.
const OF_THE_MOMENT: [&str; 5] = ["age", "cache-status", "date", "etag", "x-request-id"];

/// An answer as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Reply {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
        let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let mut headers: Vec<_> =
            lines.filter_map(header).filter(|(name, _)| !OF_THE_MOMENT.contains(&name.as_str())).collect();
        headers.sort();
        Self { status: status.unwrap_or_default(), headers, body: body.to_owned() }
    }

    fn is_json(&self) -> bool {
        self.headers.iter().any(|(name, value)| name == "content-type" && value == "application/json")
    }
}

/// What NetBox received, but for the order of its headers and those that may differ.
fn received(request: &Received, but_for: &[&str]) -> (String, String, Vec<(String, String)>, usize) {
    let header = |(name, value): &(String, String)| (name.to_lowercase(), value.clone());
    let mut headers: Vec<_> =
        request.headers.iter().map(header).filter(|(name, _)| !but_for.contains(&name.as_str())).collect();
    headers.sort();
    (request.method.clone(), request.target.clone(), headers, request.body.len())
}

/// Sends these bytes on a connection of their own, and reads what comes back.
async fn send(proxy: &TestProxy, bytes: &[u8]) -> Reply {
    let mut raw = Raw::connect(proxy.address()).await;
    raw.offer(bytes).await;
    Reply::read(&within(raw.rest()).await)
}

async fn netbox() -> (Arc<FakeNetbox>, TestProxy) {
    let netbox = Arc::new(FakeNetbox::builder().sites(12).devices(0).start().await);
    let proxy = TestProxy::before(&netbox).await;
    netbox.clear_log();
    (netbox, proxy)
}
