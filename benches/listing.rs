//! Walking 3,000 devices in pages of 50 from a NetBox that takes 100 ms for each: one page after the other, and four at
//! once. `cargo bench --bench listing` prints both times and their ratio, and how much memory the walk took.
//!
//! Figures of one run only mean something as a ratio; the goal is a third or less.

use std::time::{Duration, Instant};

use fake_netbox::FakeNetbox;
use nbproxy::netbox::api::Api;
use nbproxy::netbox::filters::Filters;

const DEVICES: u64 = 3_000;
const PAGE: u64 = 50;
const ROUNDS: usize = 3;

/// The most memory this process has had in use, in KiB; zero where the system does not tell.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

async fn walk(netbox: &FakeNetbox, concurrency: usize) -> Duration {
    let api =
        Api::builder(&netbox.url()).token(netbox.token()).concurrency(concurrency).build().expect("it is set well");
    #[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
    let began = Instant::now();
    let mut devices = api.dcim().endpoint("devices").filter(Filters::new().limit(PAGE));
    let mut rows = 0;
    while let Some(device) = devices.next().await {
        device.expect("a device");
        rows += 1;
    }
    assert_eq!(rows, DEVICES);
    began.elapsed()
}

#[tokio::main]
async fn main() {
    let netbox = FakeNetbox::builder().devices(DEVICES).start().await;
    netbox.latency(Duration::from_millis(100));
    let mut ratios = Vec::new();
    for round in 1..=ROUNDS {
        let before = peak();
        let (one, four) = (walk(&netbox, 1).await, walk(&netbox, 4).await);
        let grown = peak().saturating_sub(before);
        let ratio = four.as_secs_f64() / one.as_secs_f64();
        println!(
            "round {round}: one by one {one:?}, four at once {four:?}, ratio {ratio:.2}, peak grew by {grown} KiB"
        );
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.2}", ratios[ROUNDS / 2]);
}
