//! Callers with tokens of their own have a share of memory, and in it each a part: nobody's flood is at another's cost.

use fake_netbox::FakeNetbox;
use serde_json::Value;

use crate::support::{Answer, TestProxy};

const SETTINGS: &str = "[access]\npassthrough = true\n[cache]\ncapacity = \"1MiB\"\npassthrough_capacity = \"512KiB\"\nmax_entry = \"512KiB\"";

/// What one of the eight segments holds.
const SEGMENT: usize = 64 * 1024;

/// The token of the visitor of that number.
fn token(number: usize) -> String {
    format!("{number:040x}")
}

/// A proxy for visitors, this many of whom NetBox knows.
async fn proxy(netbox: &FakeNetbox, visitors: usize) -> TestProxy {
    for number in 0..visitors {
        netbox.add_token(&token(number), &format!("visitor-{number}"), true);
    }
    TestProxy::builder(netbox).settings(SETTINGS).start().await
}

/// A read by a visitor, or by one who uses the shared token.
async fn read(proxy: &TestProxy, visitor: Option<usize>, target: &str) -> Answer {
    let ask = proxy.ask("GET", target);
    let ask = match visitor {
        Some(number) => ask.header("authorization", &format!("Token {}", token(number))),
        None => ask,
    };
    let answer = ask.send().await;
    assert_eq!(answer.status, 200, "{visitor:?} {target}: {}", answer.text());
    answer
}

/// Many different reads, each so many times: what is read more often is dearer to memory.
async fn flood(proxy: &TestProxy, visitor: Option<usize>, reads: usize, times: usize) {
    for number in 0..reads {
        for _ in 0..times {
            read(proxy, visitor, &format!("/api/dcim/sites/?name=made-up-{number}")).await;
        }
    }
}

async fn statistics(proxy: &TestProxy) -> Value {
    proxy.admin("/cache").await.json()
}

#[tokio::test]
async fn a_visitors_flood_evicts_neither_the_shared_nor_another_visitors() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox, 8).await;
    let readers = [None, Some(0), Some(1), Some(2), Some(3), Some(4), Some(5), Some(6)];
    for reader in readers {
        assert_eq!(read(&proxy, reader, "/api/dcim/racks/").await.cache(), "fwd=miss; stored", "{reader:?}");
    }
    flood(&proxy, Some(7), 150, 4).await;
    let told = statistics(&proxy).await;
    let (common, guests) = (&told["shares"]["common"], &told["shares"]["guests"]);
    assert!(guests["evictions"].as_u64() > Some(50), "the flood was too small to show anything: {told}");
    assert_eq!((&common["evictions"], &common["entries"], &told["visitors"]), (&0.into(), &1.into(), &8.into()));
    for reader in readers {
        assert!(read(&proxy, reader, "/api/dcim/racks/").await.is_hit(), "{reader:?}");
    }
}

#[tokio::test]
async fn the_shared_tokens_flood_evicts_no_visitors() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox, 1).await;
    read(&proxy, Some(0), "/api/dcim/racks/").await;
    flood(&proxy, None, 500, 3).await;
    let told = statistics(&proxy).await;
    assert!(told["shares"]["common"]["evictions"].as_u64() > Some(50), "{told}");
    assert_eq!(told["shares"]["guests"]["evictions"], 0);
    assert!(read(&proxy, Some(0), "/api/dcim/racks/").await.is_hit());
}

/// Nine share eight segments: all have room, and the sum is held.
#[tokio::test]
async fn capacity_is_held_in_sum() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox, 9).await;
    for visitor in 0..9 {
        flood(&proxy, Some(visitor), 60, 2).await;
    }
    flood(&proxy, None, 450, 2).await;
    let told = statistics(&proxy).await;
    for share in [&told["shares"]["common"], &told["shares"]["guests"], &told] {
        let (bytes, capacity) = (share["bytes"].as_u64(), share["capacity"].as_u64());
        assert!(bytes <= capacity && bytes > capacity.map(|capacity| capacity * 8 / 10), "{share}");
        assert!(share["evictions"].as_u64() > Some(0), "{share}");
    }
    assert_eq!(told["capacity"], 1024 * 1024);
    assert!(proxy.metric("nbproxy_cache_bytes").await <= 1024.0 * 1024.0);
}

#[tokio::test]
async fn what_is_larger_than_a_visitors_part_is_passed_on_and_not_kept() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox, 1).await;
    let page = format!("{{\"count\":1,\"results\":[\"{}\"]}}", "x".repeat(SEGMENT));
    netbox.blob("/api/dcim/cables/", "application/json", page.clone());
    for _ in 0..2 {
        let answer = read(&proxy, Some(0), "/api/dcim/cables/").await;
        assert_eq!((answer.cache(), answer.text() == page), ("fwd=miss; detail=no-room", true));
    }
    assert_eq!(read(&proxy, None, "/api/dcim/cables/").await.cache(), "fwd=miss; stored");
    assert_eq!(statistics(&proxy).await["shares"]["guests"]["entries"], 0);
}

/// Whoever brings the shared token itself is a visitor all the same: NetBox may let it be used from some addresses only.
#[tokio::test]
async fn a_visitor_with_the_shared_token_has_its_own_share() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox, 0).await;
    read(&proxy, None, "/api/dcim/racks/").await;
    let own = || proxy.ask("GET", "/api/dcim/racks/").header("authorization", &format!("Token {}", netbox.token()));
    assert_eq!(own().send().await.cache(), "fwd=miss; stored");
    assert!(own().send().await.is_hit());
    assert!(read(&proxy, None, "/api/dcim/racks/").await.is_hit());
}

/// Without passthrough, the whole of memory is for the shared token.
#[tokio::test]
async fn without_visitors_nothing_is_set_aside() {
    let netbox = FakeNetbox::start().await;
    let settings = "[cache]\ncapacity = \"1MiB\"\npassthrough_capacity = \"512KiB\"\nmax_entry = \"512KiB\"";
    let proxy = TestProxy::builder(&netbox).settings(settings).start().await;
    let told = statistics(&proxy).await;
    assert_eq!(
        (&told["shares"]["common"]["capacity"], &told["shares"]["guests"]["capacity"]),
        (&1_048_576.into(), &0.into())
    );
}
