//! Many readers and writers of one counter: no read is older than the last write acknowledged before it began.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fake_netbox::FakeNetbox;
use serde_json::json;

use crate::support::{TestProxy, start};

const READERS: usize = 6;
const WRITES: u64 = 100;

/// One writer counts up in a site's description. What was acknowledged is noted before the next write begins; each
/// reader takes note of it before it asks, and must see at least that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_read_is_older_than_the_last_acknowledged_write() {
    let netbox = Arc::new(FakeNetbox::start().await);
    let proxy = Arc::new(TestProxy::before(&netbox).await);
    let acknowledged = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicU64::new(0));
    let targets = ["/api/dcim/sites/1/", "/api/dcim/sites/?id=1", "/api/dcim/sites/?limit=1"];
    let readers: Vec<_> = (0..READERS)
        .map(|reader| {
            let (proxy, acknowledged, done) = (Arc::clone(&proxy), Arc::clone(&acknowledged), Arc::clone(&done));
            start(async move {
                let (mut stale, mut reads) = (Vec::new(), 0);
                while done.load(Ordering::SeqCst) == 0 {
                    let target = targets[(reader + reads) % targets.len()];
                    let least = acknowledged.load(Ordering::SeqCst);
                    let answer = proxy.get(target).await;
                    let body = answer.json();
                    let site = if body["results"].is_array() { &body["results"][0] } else { &body };
                    let seen: u64 = site["description"].as_str().and_then(|text| text.parse().ok()).unwrap_or(0);
                    if seen < least {
                        stale.push((target, seen, least));
                    }
                    reads += 1;
                }
                stale
            })
        })
        .collect();
    for count in 1..=WRITES {
        let patch = proxy.ask("PATCH", "/api/dcim/sites/1/").json(&json!({"description": count.to_string()}));
        assert_eq!(patch.send().await.status, 200);
        acknowledged.store(count, Ordering::SeqCst);
        // Nobody else writes: what was fetched since must be remembered, or the readers would prove nothing.
        for target in targets {
            proxy.get(target).await;
            assert!(proxy.get(target).await.is_hit(), "{target}");
        }
    }
    done.store(1, Ordering::SeqCst);
    for reader in readers {
        let stale = reader.await.expect("it ran");
        assert!(stale.is_empty(), "stale reads (target, seen, acknowledged): {stale:?}");
    }
}
