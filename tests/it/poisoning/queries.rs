//! Queries: what NetBox takes for two is kept as two, and what reaches it means what was asked.

use fake_netbox::{FakeNetbox, Received};

use super::{Reply, netbox, send};
use crate::support::TestProxy;

const QUERIES: [&str; 100] = [
    "",
    "limit=5",
    "limit=10",
    "limit=5&limit=10",
    "limit=10&limit=5",
    "limit=5;limit=10",
    "limit=5%26limit=10",
    "limit=5%3Blimit=10",
    "limit=5%3blimit%3d10",
    "limit%3D5",
    "limit=5&",
    "&limit=5",
    "&&limit=5&&",
    "limit=5&=",
    "=limit",
    "=",
    "limit",
    "limit=",
    "limit==5",
    "Limit=5",
    "LIMIT=5",
    "%6Cimit=5",
    "%6cimit=%35",
    "lim%69t=10",
    "limit=%35%30",
    "limit=5%23",
    "limit=+5",
    "limit=%2B5",
    "limit=5%20",
    "limit=5%00",
    "limit%00=5",
    "limit=0x5",
    "limit=5.0",
    "limit=-1",
    "limit=%EF%BC%95",
    "limit[]=5",
    "limit[0]=5",
    "limit.=5",
    " limit=5",
    "+limit=5",
    "limit+=5",
    "limit=5&offset=2",
    "offset=2&limit=5",
    "limit=5&offset=2&offset=3",
    "start=0&limit=1",
    "limit=1&start=2",
    "start=0&offset=1",
    "name=DC000",
    "name=DC001",
    "name=DC000&name=DC001",
    "name=DC001&name=DC000",
    "name=DC000;name=DC001",
    "name=DC000%26name=DC001",
    "name=DC000,DC001",
    "name=DC000&Name=DC001",
    "name=DC%30%30%30",
    "name=dc000",
    "name=DC000%00",
    "name=DC000%0a",
    "name=DC000&utm_source=x",
    "utm_source=x",
    "utm_content=x&name=DC000",
    "utm_content=x%26name%3DDC001&name=DC000",
    "fbclid=1&gclid=2",
    "callback=evil",
    "_=1",
    "_method=DELETE",
    "q=a+b",
    "q=a%20b",
    "q=a%2Bb",
    "q=a%2520b",
    "q=%E2%98%83",
    "q=%e2%98%83",
    "q=\u{2603}",
    "q=%ff",
    "q=%C0%AF",
    "q=%",
    "q=%zz",
    "q=%u2603",
    "q=DC00/../DC001",
    "q=DC00?limit=1",
    "region=region-1&tenant=tenant-1",
    "tenant=tenant-1&region=region-1",
    "region=region-1&region=region-2",
    "brief=1",
    "brief=",
    "brief=0",
    "brief=1&brief=",
    "brief=&brief=1",
    "fields=id&fields=name",
    "fields=name&fields=id",
    "fields=id,name",
    "fields=id%2Cname",
    "ordering=-name",
    "ordering=name&ordering=-name",
    "format=json",
    "format=api",
    "form%61t=api&format=json",
    "format=json&format=api",
    "expor%74=x",
];

/// What NetBox itself answers, with the links that nbproxy's clients are given.
fn expected(netbox: &FakeNetbox, target: &str, reply: &Reply) -> (u16, String) {
    let (token, host) = (format!("Token {}", netbox.token()), netbox.addr().to_string());
    let headers = [("authorization", token.as_str()), ("host", host.as_str()), ("accept", "*/*")];
    let (status, body) = netbox.direct("GET", target, &headers);
    let text = String::from_utf8(body.to_vec()).expect("bodies are text");
    let links =
        if reply.is_json() { text.replace(&format!("http://{host}/api/"), "http://nbproxy/api/") } else { text };
    (status, links)
}

async fn ask(proxy: &TestProxy, target: &str) -> Reply {
    send(proxy, format!("GET {target} HTTP/1.1\r\nHost: nbproxy\r\nConnection: close\r\n\r\n").as_bytes()).await
}

/// The pairs of a query in an order that means nothing to NetBox: by name, values as they came.
fn pairs(request: &Received) -> Vec<(String, String)> {
    let mut pairs = request.query.clone();
    pairs.sort_by(|one, other| one.0.cmp(&other.0));
    pairs
}

#[tokio::test]
async fn no_query_is_answered_by_another_ones_answer() {
    let (netbox, proxy) = netbox().await;
    let mut hits = 0;
    for round in 0..3 {
        let order: Vec<_> = if round == 1 { QUERIES.iter().rev().collect() } else { QUERIES.iter().collect() };
        for query in order {
            let target = format!("/api/dcim/sites/?{query}");
            netbox.clear_log();
            let reply = ask(&proxy, &target).await;
            if reply.status == 400 && netbox.log().is_empty() {
                continue;
            }
            assert_eq!((reply.status, reply.body.clone()), expected(&netbox, &target, &reply), "{query:?}");
            hits += usize::from(netbox.log().is_empty());
        }
    }
    assert!(hits > 150, "memory had a part in it: {hits}");
}

#[tokio::test]
async fn what_reaches_netbox_means_what_was_asked() {
    let (netbox, proxy) = netbox().await;
    let mut asked = 0;
    for query in QUERIES {
        for path in ["/api/dcim/racks/", "/api/core/jobs/"] {
            let target = format!("{path}?{query}");
            // What it means is what the same query means beside nbproxy.
            netbox.clear_log();
            let straight = format!(
                "GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Token {}\r\nConnection: close\r\n\r\n",
                netbox.token()
            );
            let mut raw = crate::support::Raw::connect(netbox.addr()).await;
            raw.write(&straight).await;
            raw.rest().await;
            let meant = netbox.log().pop();
            netbox.clear_log();
            ask(&proxy, &target).await;
            let log = netbox.log();
            if let (Some(meant), Some(told)) = (meant, log.first()) {
                assert_eq!((pairs(told), &told.path), (pairs(&meant), &meant.path), "{query:?}");
                asked += 1;
            }
        }
    }
    assert!(asked > 150, "{asked}");
}
