//! Many readers and writers of one counter: no read is older than the last write acknowledged before it began.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fake_netbox::FakeNetbox;
use serde_json::json;

use crate::support::{TestProxy, start};

const READERS: usize = 6;
const WRITES: u64 = 150;

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
                let (mut stale, mut hits, mut reads) = (Vec::new(), 0u32, 0u32);
                while done.load(Ordering::SeqCst) == 0 {
                    let target = targets[(reader + reads as usize) % targets.len()];
                    let least = acknowledged.load(Ordering::SeqCst);
                    let answer = proxy.get(target).await;
                    let body = answer.json();
                    let site = if body["results"].is_array() { &body["results"][0] } else { &body };
                    let seen: u64 = site["description"].as_str().and_then(|text| text.parse().ok()).unwrap_or(0);
                    if seen < least {
                        stale.push((target, seen, least));
                    }
                    hits += u32::from(answer.is_hit());
                    reads += 1;
                }
                (stale, hits, reads)
            })
        })
        .collect();
    for count in 1..=WRITES {
        let patch = proxy.ask("PATCH", "/api/dcim/sites/1/").json(&json!({"description": count.to_string()}));
        assert_eq!(patch.send().await.status, 200);
        acknowledged.store(count, Ordering::SeqCst);
        // Without a pause nothing would ever be hit; reads of its own are one that depends on no timer.
        for target in targets {
            proxy.get(target).await;
        }
    }
    done.store(1, Ordering::SeqCst);
    let (mut hits, mut reads) = (0, 0);
    for reader in readers {
        let (stale, its_hits, its_reads) = reader.await.expect("it ran");
        assert!(stale.is_empty(), "stale reads (target, seen, acknowledged): {stale:?}");
        (hits, reads) = (hits + its_hits, reads + its_reads);
    }
    assert!(hits * 10 > reads, "{hits} hits of {reads} reads prove little");
}
