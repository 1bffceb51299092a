//! Floods that try to make memory grow: whatever is asked for, the cache keeps to its capacity, and the process to little
//! more than that.
//!
//! What is measured is by how much the peak of its resident memory (`VmHWM`) grows over the 18 MiB that the program, as
//! tests build it, takes when it has just begun. When nearly four times a capacity of 32 MiB has been pushed through, in
//! pages of 50 to 130 KB by eight clients at once, that is 9 MiB more than the capacity: their requests in flight, and what
//! the allocator holds in pieces that do not fit. The latter grows with the capacity (19 MiB more than one of 128 MiB). With
//! small answers, other languages, other names or long heads it is less than 4 MiB more than capacities of 4 and 8 MiB.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fake_netbox::FakeNetbox;
use reqwest::{Client, Proxy, RequestBuilder};

use crate::support::{Daemon, client, figure, start};

/// How many clients ask at once.
const CLIENTS: usize = 8;

const MIB: u64 = 1024 * 1024;

/// What the process may grow by beside the cache's capacity, where the cache holds pages.
const OVERHEAD: u64 = 20 * MIB;

/// The same where it holds smaller answers, or fewer.
const LITTLE: u64 = 10 * MIB;

/// What floods of what is not kept may leave behind, once each of their kinds has been seen: less than a KB for each
/// request of those that NetBox is asked for, and 200 bytes for the others.
const RESIDUE: u64 = MIB * 3 / 4;

/// Makes the nth request of a flood, to nbproxy's URL.
type Make = fn(&Client, &str, usize) -> RequestBuilder;

struct Flood {
    /// Answers as long as it lives.
    _netbox: FakeNetbox,
    daemon: Daemon,
    client: Client,
    capacity: u64,
    /// What the process took when it had just begun, in bytes.
    idle: u64,
}

/// A page of some so many bytes, with as many links as NetBox's own have.
fn page(netbox: &FakeNetbox, bytes: usize) -> String {
    let url = netbox.url();
    let row = |id| format!("{{\"id\":{id},\"url\":\"{url}/api/dcim/cables/{id}/\",\"label\":\"{}\"}}", "x".repeat(300));
    let rows: Vec<String> = (0..bytes / 370).map(row).collect();
    format!("{{\"count\":{},\"next\":null,\"previous\":null,\"results\":[{}]}}", rows.len(), rows.join(","))
}

impl Flood {
    async fn before(capacity: u64, more: &str) -> Self {
        let netbox = FakeNetbox::start().await;
        for (name, bytes) in [("cables", 50_000), ("front-ports", 90_000), ("rear-ports", 130_000), ("modules", 370)] {
            netbox.blob(&format!("/api/dcim/{name}/"), "application/json", page(&netbox, bytes));
        }
        let cache =
            format!("[cache]\ncapacity = \"{capacity}\"\npassthrough_capacity = \"1MiB\"\nmax_entry = \"1MiB\"");
        let quiet = "[log]\nfilter = \"info,nbproxy::access=off,nbproxy::audit=off\"";
        let daemon = Daemon::before(&netbox, &format!("[access]\nanonymous = \"read\"\n{cache}\n{quiet}\n{more}"));
        // Fails only where it was installed before.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().build().expect("a client can be built");
        let idle = daemon.peak() * 1024;
        Self { _netbox: netbox, daemon, client, capacity, idle }
    }

    /// Sends so many requests, eight at a time, each of which must be answered so; the cache is looked at all the while.
    async fn pour(&self, count: usize, status: u16, make: Make) {
        let sent = Arc::new(AtomicUsize::new(0));
        let pourers: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (sent, client, capacity) = (Arc::clone(&sent), self.client.clone(), self.capacity);
                let (url, admin) = (self.daemon.url().to_owned(), self.daemon.admin().to_owned());
                start(async move {
                    loop {
                        let n = sent.fetch_add(1, Ordering::Relaxed);
                        if n >= count {
                            return;
                        }
                        let answer = make(&client, &url, n).send().await.expect("an answer");
                        assert_eq!(answer.status(), status, "{n}");
                        answer.bytes().await.expect("a body");
                        if n % 64 == 0 {
                            assert!(bytes(&admin).await <= capacity);
                        }
                    }
                })
            })
            .collect();
        for pourer in pourers {
            pourer.await.expect("all were answered");
        }
    }

    /// How much more memory the process has had at most than when it had just begun, in bytes.
    fn growth(&self) -> u64 {
        self.daemon.peak() * 1024 - self.idle
    }

    /// The cache is full, has been for long, and memory is what it may be.
    async fn holds(&self, evictions: f64, overhead: u64) {
        let admin = self.daemon.admin();
        let (bytes, evicted) = (bytes(admin).await, figure(admin, "nbproxy_cache_evictions").await);
        assert!(bytes > self.capacity * 9 / 10 && evicted >= evictions, "{bytes} bytes, {evicted} evicted");
        let growth = self.growth();
        assert!(growth <= self.capacity + overhead, "{} MiB", growth / MIB);
    }
}

/// What the cache says that it holds.
async fn bytes(admin: &str) -> u64 {
    figure(admin, "nbproxy_cache_bytes").await as u64
}

/// Nearly four times the capacity, in pages that nobody asked for before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_stay_within_the_capacity() {
    let flood = Flood::before(32 * MIB, "").await;
    let ask: Make = |client, url, n| {
        let name = ["cables", "front-ports", "rear-ports"][n % 3];
        client.get(format!("{url}/api/dcim/{name}/?q={n}"))
    };
    flood.pour(1400, 200, ask).await;
    flood.holds(800.0, OVERHEAD).await;
}

/// Twice the capacity, in answers so small that what surrounds them is most of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_answers_stay_within_the_capacity() {
    let flood = Flood::before(4 * MIB, "").await;
    flood.pour(6000, 200, |client, url, n| client.get(format!("{url}/api/dcim/modules/?q={n}"))).await;
    flood.holds(2000.0, LITTLE).await;
}

/// The same page in ever other languages, and pages for clients that call nbproxy by ever other names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn languages_and_names_stay_within_the_capacity() {
    let flood = Flood::before(8 * MIB, "").await;
    let by_language: Make = |client, url, n| {
        let language = format!("x-{n}");
        client.get(format!("{url}/api/dcim/cables/")).header("accept-language", language)
    };
    flood.pour(500, 200, by_language).await;
    let by_name: Make = |client, url, n| {
        let name = format!("name-{n}.example");
        client.get(format!("{url}/api/dcim/cables/?q={}", n % 20)).header("host", name)
    };
    flood.pour(2000, 200, by_name).await;
    flood.holds(300.0, LITTLE).await;
}

/// Copies in a content coding, of pages for clients that call nbproxy by ever other names: what waits to be copied is held.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_that_are_wanted_do_not_pile_up() {
    let flood = Flood::before(8 * MIB, "").await;
    let ask: Make = |client, url, n| {
        let name = format!("name-{}.example", n / CLIENTS / 2);
        client.head(format!("{url}/api/dcim/rear-ports/")).header("host", name).header("accept-encoding", "br")
    };
    flood.pour(6400, 200, ask).await;
    let growth = flood.growth();
    assert!(growth <= flood.capacity + OVERHEAD, "{} MiB", growth / MIB);
}

/// A name in the request target, amid a head of 50 KB that must not stay for the name's sake.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_are_not_kept() {
    let mut flood = Flood::before(8 * MIB, "").await;
    // Whoever asks a proxy says in the target whom it is to ask.
    let proxy = Proxy::all(flood.daemon.url()).expect("a URL");
    flood.client = Client::builder().proxy(proxy).build().expect("a client can be built");
    let ask: Make = |client, _, n| {
        let target = format!("http://name.example/api/dcim/modules/?q={n}");
        client.get(target).header("x-filler", "x".repeat(50_000))
    };
    flood.pour(1000, 200, ask).await;
    let (kept, growth) = (figure(flood.daemon.admin(), "nbproxy_cache_entries").await, flood.growth());
    assert!(kept >= 1000.0 && growth <= flood.capacity + LITTLE, "{kept} entries, {} MiB", growth / MIB);
}

/// What is refused, or not there, or no key, token or branch.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_kept_leaves_nothing() {
    let access = "[access]\npassthrough = true\nrate_limit = \"1000000/s\"";
    let flood = Flood::before(8 * MIB, &format!("{access}\n{}", client("one", ""))).await;
    let floods: [(usize, u16, Make); 7] = [
        (800, 404, |client, url, n| client.get(format!("{url}/api/dcim/sites/{}/", n + 100_000))),
        (800, 404, |client, url, n| client.get(format!("{url}/api/made-up-{n}/things/"))),
        (800, 404, |client, url, n| client.get(format!("{url}/api/dcim/sites/0/?q={n}{}", "x".repeat(8000)))),
        (800, 400, |client, url, n| site(client, url).header("x-netbox-branch", format!("b{n:07}"))),
        // Formed like a token, it is NetBox that is asked.
        (800, 403, |client, url, n| site(client, url).header("authorization", format!("Token {n:040}"))),
        (4000, 403, |client, url, n| {
            client.get(format!("{url}/api/made-up-{n}/things/")).header("authorization", format!("Token made-up-{n}"))
        }),
        (4000, 404, |client, url, n| client.get(format!("{url}/made-up-{n}/"))),
    ];
    for (_, status, make) in floods {
        flood.pour(200, status, make).await;
    }
    let before = flood.growth();
    for (count, status, make) in floods {
        flood.pour(count, status, make).await;
    }
    let residue = flood.growth().saturating_sub(before);
    assert!(residue <= RESIDUE, "{} KiB", residue / 1024);
}

fn site(client: &Client, url: &str) -> RequestBuilder {
    client.get(format!("{url}/api/dcim/sites/1/"))
}
