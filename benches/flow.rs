//! What a client waits for on a cold cache: for a walk through 3,000 devices in pages of 50, of which NetBox takes 150 ms
//! each, and for the first byte of 13 MB that NetBox takes a second to send. `cargo bench --bench flow` prints both, asked
//! of NetBox itself and through nbproxy, and the ratios.
//!
//! Figures of one run only mean something as a ratio; the goals are 0.4 for the walk, and 0.1 for the first byte against the
//! last.

use std::time::{Duration, Instant};

use fake_netbox::{FakeNetbox, Fault, Match};
use nbproxy::cache::clock::Clock;
use nbproxy::server::Server;
use nbproxy::settings::Settings;
use serde_json::Value;
use tokio::sync::oneshot;

const DEVICES: usize = 3_000;
const PAGE: usize = 50;
const LATENCY: Duration = Duration::from_millis(150);
const ROUNDS: usize = 3;

/// As long as NetBox's OpenAPI document, in parts of a hundredth.
const LONG: usize = 13_000_000;

/// A proxy with an empty cache.
struct Proxy {
    url: String,
    stop: oneshot::Sender<()>,
    running: tokio::task::JoinHandle<()>,
}

impl Proxy {
    async fn before(netbox: &FakeNetbox) -> Self {
        let settings = format!(
            "[upstream]\nurl = {:?}\ntoken = {:?}\n[server]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n",
            netbox.url(),
            netbox.token()
        );
        let settings = Settings::from_toml(&settings).unwrap_or_else(|problems| panic!("{problems}"));
        let server = Server::build(settings, Clock::start()).await.expect("the addresses are free");
        let url = format!("http://{}", server.address());
        let (stop, told) = oneshot::channel::<()>();
        #[expect(clippy::disallowed_methods, reason = "the benchmark itself waits for it")]
        let running = tokio::spawn(server.run(async move {
            let _told_or_dropped = told.await;
        }));
        Self { url, stop, running }
    }

    async fn stop(self) {
        drop(self.stop);
        self.running.await.expect("it ends");
    }
}

fn client(token: Option<&str>) -> reqwest::Client {
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let value = |token| format!("Token {token}").parse().expect("a header");
    let headers = token.map(|token| (http::header::AUTHORIZATION, value(token))).into_iter().collect();
    reqwest::Client::builder().no_proxy().default_headers(headers).build().expect("a plain client can be built")
}

/// Follows the links from the first page, as a client does that has one connection.
async fn walk(client: &reqwest::Client, url: &str) -> Duration {
    let began = now();
    let (mut next, mut rows) = (Some(format!("{url}/api/dcim/devices/?limit={PAGE}")), 0);
    while let Some(page) = next {
        let body = client.get(page).send().await.expect("an answer").bytes().await.expect("a body");
        let page: Value = serde_json::from_slice(&body).expect("JSON");
        rows += page["results"].as_array().map_or(0, Vec::len);
        next = page["next"].as_str().map(str::to_owned);
    }
    assert_eq!(rows, DEVICES);
    began.elapsed()
}

/// How long the first byte of the long answer takes, and the last.
async fn first_and_last(client: &reqwest::Client, url: &str) -> (Duration, Duration) {
    let began = now();
    let mut answer = client.get(format!("{url}/api/dcim/cables/")).send().await.expect("an answer");
    let mut read = answer.chunk().await.expect("a body").expect("a first part").len();
    let first = began.elapsed();
    while let Some(part) = answer.chunk().await.expect("all of it") {
        read += part.len();
    }
    assert!(read >= LONG);
    (first, began.elapsed())
}

fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
    Instant::now()
}

fn median(mut ratios: Vec<f64>) -> f64 {
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}

#[tokio::main]
async fn main() {
    let netbox = FakeNetbox::builder().devices(DEVICES as u64).start().await;
    let (client, plain) = (client(Some(netbox.token())), client(None));
    let url = netbox.url();
    netbox.latency(LATENCY);
    let mut ratios = Vec::new();
    for round in 1..=ROUNDS {
        let proxy = Proxy::before(&netbox).await;
        let (direct, through) = (walk(&client, &url).await, walk(&plain, &proxy.url).await);
        proxy.stop().await;
        let ratio = through.as_secs_f64() / direct.as_secs_f64();
        println!("round {round}: a cold walk straight {direct:.2?}, through nbproxy {through:.2?}, ratio {ratio:.2}");
        ratios.push(ratio);
    }
    println!("median ratio {:.2}", median(ratios));

    netbox.latency(Duration::ZERO);
    let row = "x".repeat(997);
    let rows: Vec<_> = (0..LONG / 1000).map(|_| row.as_str()).collect();
    let body = serde_json::json!({"count": rows.len(), "next": null, "previous": null, "results": rows}).to_string();
    netbox.blob("/api/dcim/cables/", "application/json", body);
    let slowly = Fault::Slow { chunk: LONG / 100, pause: Duration::from_millis(10) };
    netbox.fault(Match::path("GET", "/api/dcim/cables/"), slowly);
    let mut ratios = Vec::new();
    for round in 1..=ROUNDS {
        let proxy = Proxy::before(&netbox).await;
        let (straight, last) = first_and_last(&client, &url).await;
        let (first, through) = first_and_last(&plain, &proxy.url).await;
        proxy.stop().await;
        let ratio = first.as_secs_f64() / through.as_secs_f64();
        println!(
            "round {round}: 13 MB straight {straight:.2?} to the first byte and {last:.2?} to the last, \
             through nbproxy {first:.2?} and {through:.2?}, ratio {ratio:.3}"
        );
        ratios.push(ratio);
    }
    println!("median ratio {:.3}", median(ratios));
}
