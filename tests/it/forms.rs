//! One answer, many forms: as it is, in a coding, only its head, or not at all because the client has it. All say the same.

use std::io::Read;

use fake_netbox::FakeNetbox;
use serde_json::json;

use crate::support::{Answer, Ask, TestProxy, until};

const LIST: &str = "/api/dcim/devices/?limit=50";
const SITE: &str = "/api/dcim/sites/1/";

async fn following(netbox: &FakeNetbox) -> TestProxy {
    let proxy = TestProxy::builder(netbox).settings("[invalidation]\nchangelog_poll = \"5ms\"").start().await;
    proxy.follows().await;
    proxy
}

/// Asks until a copy in this coding has been made.
async fn coded(proxy: &TestProxy, target: &str, coding: &str) -> Answer {
    let ask = async || proxy.ask("GET", target).header("accept-encoding", coding).send().await;
    until(async || ask().await.header("content-encoding") == coding).await;
    ask().await
}

fn decoded(answer: &Answer) -> Vec<u8> {
    let (body, mut plain) = (&answer.body[..], Vec::new());
    match answer.header("content-encoding") {
        "" => plain = body.to_vec(),
        "zstd" => plain = zstd::decode_all(body).expect("zstd"),
        "gzip" => drop(flate2::read::GzDecoder::new(body).read_to_end(&mut plain).expect("gzip")),
        "br" => drop(brotli::Decompressor::new(body, 4096).read_to_end(&mut plain).expect("brotli")),
        other => panic!("{other}"),
    }
    plain
}

#[tokio::test]
async fn all_forms_say_the_same() {
    let netbox = FakeNetbox::builder().devices(60).start().await;
    let proxy = TestProxy::before(&netbox).await;
    for target in [LIST, "/api/schema/", "/api/dcim/sites/?limit=1000", "/api/dcim/devices/1/"] {
        let filled = proxy.get(target).await;
        let plain = proxy.get(target).await;
        assert!(filled.body == plain.body, "{target}");
        // What was given while it arrived had no tag yet.
        let tag = if filled.cache().ends_with("stored") { plain.header("etag") } else { "" };
        assert_eq!(filled.header("etag"), tag, "{target}");
        assert!(plain.header("vary").ends_with("Accept-Encoding"), "{target}: {}", plain.header("vary"));
        let mut tags = vec![plain.header("etag").to_owned()];
        for coding in ["gzip", "br", "zstd"] {
            let copy = coded(&proxy, target, coding).await;
            assert!(copy.is_hit() && copy.status == 200, "{target} {coding}: {}", copy.cache());
            assert!(decoded(&copy) == plain.body, "{target} {coding}");
            assert!(copy.body.len() < plain.body.len());
            for name in ["content-type", "vary", "allow", "api-version"] {
                assert_eq!(copy.header(name), plain.header(name), "{target} {coding} {name}");
            }
            let head = proxy.ask("HEAD", target).header("accept-encoding", coding).send().await;
            assert!(head.body.is_empty());
            for name in ["content-encoding", "etag", "vary", "content-type"] {
                assert_eq!(head.header(name), copy.header(name), "{target} {coding} {name}");
            }
            assert_eq!(head.header("content-length"), copy.body.len().to_string());
            let strong = [copy.header("etag"), plain.header("etag")].into_iter().filter(|tag| !tag.starts_with("W/"));
            for tag in strong {
                let has = proxy.ask("GET", target).header("accept-encoding", coding).header("if-none-match", tag);
                let has = has.send().await;
                assert_eq!((has.status, has.header("etag")), (304, tag), "{target} {coding}");
                assert!(has.body.is_empty() && has.is_hit());
                assert_eq!(has.header("vary"), plain.header("vary"));
                assert_eq!((has.header("content-type"), has.header("content-encoding")), ("", ""));
            }
            tags.push(copy.header("etag").to_owned());
        }
        let object = target.ends_with("/1/");
        assert!(tags.iter().all(|tag| tag.starts_with("W/") == object), "{target}: {tags:?}");
        if !object {
            tags.sort();
            tags.dedup();
            assert_eq!(tags.len(), 4, "strong tags differ where bytes do: {tags:?}");
        }
    }
    assert_eq!(netbox.count("GET", "/api/dcim/devices/"), 1);
}

#[tokio::test]
async fn the_coding_is_what_the_client_would_rather_have() {
    let netbox = FakeNetbox::builder().devices(60).start().await;
    let proxy = TestProxy::before(&netbox).await;
    proxy.get(LIST).await;
    for coding in ["gzip", "br", "zstd"] {
        coded(&proxy, LIST, coding).await;
    }
    for (accepted, expected) in [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate", "gzip"),
        ("gzip;q=0.5, br;q=0.8", "br"),
        ("gzip;q=0, identity", ""),
        ("deflate", ""),
        ("", ""),
    ] {
        let answer = proxy.ask("GET", LIST).header("accept-encoding", accepted).send().await;
        assert_eq!(answer.header("content-encoding"), expected, "{accepted}");
    }
}

#[tokio::test]
async fn what_is_small_stays_as_it_is() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    for _ in 0..3 {
        let small = proxy.ask("GET", "/api/status/").header("accept-encoding", "gzip").send().await;
        assert_eq!(small.header("content-encoding"), "");
        assert!(!small.header("vary").contains("Accept-Encoding"), "{} bytes", small.body.len());
    }
    assert_ne!(proxy.get("/api/status/").await.header("etag"), "");
}

#[tokio::test]
async fn a_list_that_comes_again_with_the_same_bytes_need_not_be_sent() {
    let netbox = FakeNetbox::start().await;
    let proxy = following(&netbox).await;
    let target = "/api/dcim/racks/";
    let first = proxy.get(target).await;
    let ask = async || proxy.ask("GET", target).header("if-none-match", first.header("etag")).send().await;
    // Another object's change outdates it, and the refetch brings the same.
    netbox.edit("ipam/vlans", 1, json!({"description": "other"}));
    until(async || {
        let again = ask().await;
        assert_eq!(again.status, 304, "{}", again.cache());
        again.cache() == "fwd=stale; stored; detail=outdated"
    })
    .await;
    netbox.edit("dcim/racks", 1, json!({"name": "renamed"}));
    until(async || ask().await.status == 200).await;
    assert_ne!(proxy.get(target).await.header("etag"), first.header("etag"));
}

/// NetBox's tag stays the same when the site that a device shows is renamed (NetBox 4.6), whatever memory holds or held.
#[tokio::test]
async fn by_netboxs_tag_nobody_has_an_answer() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).settings("[access]\nanonymous = \"write\"").start().await;
    let device = "/api/dcim/devices/1/";
    let first = proxy.get(device).await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    let site = first.json()["site"]["id"].as_u64().expect("an id");
    let renamed = proxy.ask("PATCH", &format!("/api/dcim/sites/{site}/")).json(&json!({"name": "renamed"}));
    assert_eq!(renamed.send().await.status, 200);
    for _ in 0..3 {
        let now = proxy.ask("GET", device).header("if-none-match", &tag).send().await;
        assert_eq!((now.status, now.header("etag")), (200, tag.as_str()), "{}", now.cache());
        assert_eq!(now.json()["site"]["name"], "renamed");
    }
}

#[tokio::test]
async fn a_tag_of_one_name_for_nbproxy_is_none_by_another() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let tag = proxy.get("/api/dcim/sites/").await.header("etag").to_owned();
    let by = |host: &str| {
        let url = format!("http://{}/api/dcim/sites/", proxy.address());
        Ask::new("GET", &url).header("host", host).header("if-none-match", &tag)
    };
    let other = by("localhost:1").send().await;
    assert_eq!(other.status, 200, "its links lead elsewhere");
    assert!(other.text().contains("http://localhost:1/api/"));
    assert_ne!(other.header("etag"), tag);
    assert_eq!(by(&proxy.address().to_string()).send().await.status, 304);
}

#[tokio::test]
async fn tags_go_with_writes_as_they_are() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).settings("[access]\nanonymous = \"write\"").start().await;
    let tag = proxy.get(SITE).await.header("etag").to_owned();
    let patch = |tag: &str| proxy.ask("PATCH", SITE).header("if-match", tag).json(&json!({"description": "x"}));
    assert_eq!(patch(&tag).send().await.status, 200);
    assert_eq!(patch(&tag).send().await.status, 412, "it is another's now");
}

/// A server in front of NetBox may compress what nobody has asked it to.
#[tokio::test]
async fn what_comes_compressed_is_understood() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let body = |n: usize| {
        let row = format!("{{\"id\":{n},\"url\":\"{}/api/dcim/cables/{n}/\"}}", netbox.url());
        format!("{{\"count\":1,\"next\":null,\"previous\":null,\"results\":[{row}]}}")
    };
    let gzip = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, text.as_bytes()).expect("memory takes it");
        encoder.finish().expect("memory takes it")
    };
    let br = |text: &str| {
        let mut coded = Vec::new();
        brotli::BrotliCompress(&mut text.as_bytes(), &mut coded, &Default::default()).expect("memory takes it");
        coded
    };
    for (n, coding, coded) in [(1, "gzip", gzip(&body(1))), (2, "br", br(&body(2))), (3, "GZIP", gzip(&body(3)))] {
        let path = "/api/dcim/cables/";
        netbox.coded_blob(path, "application/json", coding, coded.clone());
        let target = format!("{path}?n={n}");
        let first = proxy.get(&target).await;
        assert_eq!((first.status, first.cache(), first.header("content-encoding")), (200, "fwd=miss; stored", ""));
        assert_eq!(first.text(), body(n).replace(&netbox.url(), &proxy.url()), "links lead back");
        assert!(proxy.get(&target).await.body == first.body);
        let passed = proxy.ask("GET", &target).header("cache-control", "no-store").send().await;
        assert_eq!((passed.text(), passed.header("content-encoding")), (first.text(), ""));
        let cut = coded[..coded.len() - 9].to_vec();
        netbox.coded_blob(path, "application/json", coding, cut);
        assert_eq!(proxy.get(&format!("{path}?cut={n}")).await.status, 502, "{coding}");
        netbox.coded_blob(path, "application/json", coding, body(n));
        assert_eq!(proxy.get(&format!("{path}?not={n}")).await.status, 502, "{coding}");
    }
    // What is not known passes as it is, and is not kept.
    netbox.coded_blob("/api/dcim/cables/", "application/json", "lzma", "xyz");
    for _ in 0..2 {
        let unknown = proxy.get("/api/dcim/cables/?n=4").await;
        assert_eq!((unknown.text().as_str(), unknown.header("content-encoding")), ("xyz", "lzma"));
        assert!(!unknown.is_hit());
    }
}
