//! What a hit costs, from the parsed request to the response whose body is ready to be written.
//!
//! `cargo bench --bench hit`. Bodies as NetBox sends them: one device (2.6 KB), a page of 50 (129 KB), one of 1,000
//! (2.6 MB). A hit copies no body, so the three must cost the same; the ratio between them is what to look at.

use std::hint::black_box;

use axum::body::Body;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fake_netbox::FakeNetbox;
use http::Request;
use http_body_util::BodyExt;
use nbproxy::cache::clock::Clock;
use nbproxy::server::Server;
use nbproxy::settings::Settings;
use nbproxy::web::Peer;
use tokio::runtime::Runtime;

const BODIES: [(&str, usize); 3] = [("2.6KB", 2_600), ("129KB", 129_000), ("2.6MB", 2_600_000)];

fn page(bytes: usize) -> String {
    let row =
        "{\"id\":1,\"url\":\"http://127.0.0.1:1/x\",\"name\":\"device\",\"comments\":\"some text of a usual length\"}";
    let rows = vec![row; (bytes / (row.len() + 1)).max(1)];
    format!("{{\"count\":1,\"next\":null,\"previous\":null,\"results\":[{}]}}", rows.join(","))
}

async fn server(netbox: &FakeNetbox) -> Server {
    let (url, token) = (netbox.url(), netbox.token());
    let toml = format!(
        "[upstream]\nurl = {url:?}\ntoken = {token:?}\n[server]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[access]\nanonymous = \"read\"\n[cache]\nttl_without_feed = \"10h\"\nttl = \"10h\"",
    );
    let settings = Settings::from_toml(&toml).unwrap_or_else(|problems| panic!("{problems}"));
    Server::build(settings, Clock::start()).await.expect("the addresses are free")
}

fn hits(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let netbox = runtime.block_on(FakeNetbox::start());
    let server = runtime.block_on(server(&netbox));
    let (app, peer) = (server.service(), Peer::default());
    let mut group = criterion.benchmark_group("hit");
    for (name, bytes) in BODIES {
        let path = format!("/api/dcim/devices/?limit={bytes}");
        netbox.blob("/api/dcim/devices/", "application/json", page(bytes));
        let ask = || {
            let request = Request::get(&path).header("host", "nbproxy:8080").header("accept", "application/json");
            let request = request.body(Body::empty()).expect("a request");
            async {
                let response = app.answer(&peer, request, None).await;
                let status = response.headers()["cache-status"].clone();
                (status, response.into_body().collect().await.expect("a body").to_bytes())
            }
        };
        let (filled, body) = runtime.block_on(ask());
        assert!(filled == "nbproxy; fwd=miss; stored" && body.len() > bytes / 2, "{filled:?}");
        let (hit, _) = runtime.block_on(ask());
        assert!(hit.as_bytes().starts_with(b"nbproxy; hit"), "{hit:?}");
        group.throughput(Throughput::Elements(1));
        group.bench_function(name, |bencher| bencher.iter(|| black_box(runtime.block_on(ask()))));
    }
    group.finish();
}

criterion_group!(benches, hits);
criterion_main!(benches);
