//! What is not stored flows through, in both directions, without being held.

use bytes::Bytes;
use fake_netbox::{FakeNetbox, HoldPoint};
use futures_util::{StreamExt, stream};

use crate::support::{Ask, Daemon, TestProxy};

const MIB: u64 = 1024 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_huge_answer_is_rewritten_as_it_flows_by() {
    let netbox = FakeNetbox::start().await;
    let daemon = Daemon::before(&netbox, "[cache]\nmax_entry = \"1MiB\"");
    netbox.endless("/api/dcim/cables/", 100 * MIB);
    let before = daemon.peak();
    let response = Ask::new("GET", &format!("{}/api/dcim/cables/", daemon.url())).begin().await;
    assert_eq!(response.status(), 200);
    let status = response.headers()["cache-status"].to_str().expect("text").to_owned();
    assert_eq!(status, "nbproxy; fwd=bypass; detail=too-large");
    let (mut parts, mut bytes, mut tail) = (response.bytes_stream(), 0u64, Vec::new());
    while let Some(part) = parts.next().await {
        let part = part.expect("it arrives");
        bytes += part.len() as u64;
        tail.extend_from_slice(&part);
        let text = String::from_utf8_lossy(&tail);
        assert!(!text.contains(&format!("\"url\":\"{}", netbox.url())), "a link leads past nbproxy");
        let keep = tail.len().min(200);
        tail.drain(..tail.len() - keep);
    }
    assert!(bytes > 90 * MIB, "{bytes}");
    let grown = daemon.peak() - before;
    assert!(grown < 16 * 1024, "memory grew by {grown} KiB");
}

#[tokio::test]
async fn an_answer_too_large_to_share_is_given_to_each() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).settings("[cache]\nmax_entry = \"1KiB\"").start().await;
    let hold = netbox.hold("GET", "/api/dcim/devices/", HoldPoint::BeforeAnswer);
    let askers: Vec<_> = (0..5).map(|_| crate::support::start(proxy.ask("GET", "/api/dcim/devices/").send())).collect();
    hold.arrived(1).await;
    hold.release();
    let mut bodies = Vec::new();
    for asker in askers {
        bodies.push(asker.await.expect("it ran").body);
    }
    assert!(bodies.iter().all(|body| body == &bodies[0] && body.len() > 1024));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_flows_through() {
    let netbox = FakeNetbox::start().await;
    let daemon = Daemon::before(&netbox, "[access]\nanonymous = \"write\"");
    let head = "--x\r\nContent-Disposition: form-data; name=\"object_type\"\r\n\r\ndcim.site\r\n--x\r\nContent-Disposition: form-data; name=\"object_id\"\r\n\r\n1\r\n--x\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n";
    let tail = "\r\n--x--\r\n";
    let part = Bytes::from(vec![7u8; 64 * 1024]);
    let count = 200;
    let length = head.len() + tail.len() + part.len() * count;
    let before = daemon.peak();
    let parts = stream::iter(
        std::iter::once(Bytes::from(head))
            .chain(std::iter::repeat_n(part, count))
            .chain(std::iter::once(Bytes::from(tail)))
            .map(Ok::<_, std::io::Error>),
    );
    let ask = Ask::new("POST", &format!("{}/api/extras/image-attachments/", daemon.url()))
        .header("content-type", "multipart/form-data; boundary=x");
    let ask = ask.header("content-length", &length.to_string()).body(reqwest::Body::wrap_stream(parts));
    let answer = ask.send().await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let arrived = netbox.log().into_iter().find(|request| request.method == "POST").expect("it arrived");
    assert_eq!(arrived.body.len(), length);
    assert_eq!(
        arrived.header("content-length"),
        Some(length.to_string().as_str()),
        "Django reads no body of unknown length"
    );
    let grown = daemon.peak() - before;
    assert!(grown < 8 * 1024, "memory grew by {grown} KiB");
}

#[tokio::test]
async fn a_large_answer_of_another_type_is_passed_as_it_is() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let body: Bytes = (0..3 * MIB).map(|n| (n % 251) as u8).collect::<Vec<_>>().into();
    netbox.blob("/api/dcim/sites/export/", "application/octet-stream", body.clone());
    let answer = proxy.get("/api/dcim/sites/export/").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/octet-stream"));
    assert_eq!(answer.header("content-length"), body.len().to_string(), "what is not rewritten keeps its length");
    assert_eq!(answer.body, body);
}
