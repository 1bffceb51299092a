//! HTTP/2, where many requests share a connection, and one client must not get more by it than others.

use std::time::Duration;

use bytes::Bytes;
use fake_netbox::{FakeNetbox, HoldPoint};
use http_body_util::Full;
use rustls::ClientConfig;
use rustls::version::TLS13;

use crate::support::{Authority, Daemon, Frame, Frames, Secure, TestProxy, trusting, until, within};

const SITE: &str = "/api/dcim/sites/1/";
const LONG: &str = "/api/dcim/cables/";

/// `ENHANCE_YOUR_CALM`, `REFUSED_STREAM`, `CANCEL` (RFC 9113, section 7).
const CALM: u32 = 0xb;
const REFUSED: u32 = 0x7;
const CANCELLED: u32 = 0x8;

/// A proxy that speaks HTTP/2, and what a client of it agrees to.
async fn front(netbox: &FakeNetbox, settings: &str) -> (TestProxy, ClientConfig) {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().expect("a folder"));
    let files = authority.sign("nbproxy", &[]).save(folder.path());
    let proxy = TestProxy::builder(netbox).settings(&files).settings(settings).start().await;
    (proxy, trusting(&authority, "h2", &[&TLS13], None))
}

#[tokio::test]
async fn no_more_streams_than_promised() {
    let netbox = FakeNetbox::start().await;
    let (proxy, config) = front(&netbox, "[server]\nhttp2_max_streams = 3").await;
    let hold = netbox.hold("GET", SITE, HoldPoint::BeforeAnswer);
    let mut client = Frames::connect(proxy.address(), &config, 65_535).await;
    for stream in [1, 3, 5, 7, 9] {
        client.get(stream, SITE);
    }
    client.flush().await;
    for stream in [7, 9] {
        within(client.until(&Frame::Reset { stream, code: REFUSED })).await;
    }
    hold.release();
    let mut answered: Vec<u32> = Vec::new();
    while answered.len() < 3 {
        if let Frame::Head { stream, ok: true } = within(client.next()).await {
            answered.push(stream);
        }
    }
    answered.sort_unstable();
    assert_eq!(answered, [1, 3, 5]);
}

#[tokio::test]
async fn heads_are_bounded_and_unambiguous_here_too() {
    let netbox = FakeNetbox::start().await;
    let (proxy, config) =
        front(&netbox, "[server]\nmax_header_bytes = \"8KiB\"\nmax_headers = 20\nmax_uri = \"1KiB\"").await;
    let address = proxy.address();
    let mut client = Secure::connect(address, &config).await;
    netbox.clear_log();
    let long = format!("/api/dcim/sites/?q={}", "x".repeat(1024 - 19));
    let fine: [(&str, &str, usize); 0] = [];
    for (target, headers, status) in [
        (long.clone(), fine.to_vec(), 200),
        (format!("{long}x"), fine.to_vec(), 414),
        (SITE.to_owned(), vec![("x", "y", 19)], 200),
        (SITE.to_owned(), vec![("x", "y", 20)], 431),
        (
            SITE.to_owned(),
            vec![(
                "x",
                "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy",
                5,
            )],
            200,
        ),
        (SITE.to_owned(), vec![("authorization", "Token a", 2)], 400),
        (SITE.to_owned(), vec![("host", "other.example", 1)], 400),
    ] {
        let mut request = client.request("GET", address, &target);
        for (name, value, count) in headers.iter().copied() {
            request = (0..count).fold(request, |request, _| request.header(name, value));
        }
        let answer = client.send(request.body(Full::<Bytes>::default()).expect("a request")).await.expect("an answer");
        assert_eq!(answer.status, status, "{target} {headers:?}");
    }
    let mut padded = async |length: usize| {
        let request = client.request("GET", address, SITE).header("x", "y".repeat(length));
        client.send(request.body(Full::default()).expect("a request")).await.map(|answer| answer.status)
    };
    for (length, status) in [(7 * 1024, 200), (8 * 1024, 431), (20 * 1024, 431), (0, 200)] {
        assert_eq!(padded(length).await.expect("an answer"), status, "{length}");
    }
    assert!(padded(300 * 1024).await.is_err(), "nobody reads that much");
    let (usual, config) = front(&netbox, "").await;
    let mut client = Secure::connect(usual.address(), &config).await;
    let request = client.request("GET", usual.address(), SITE).header("x", "y".repeat(60 * 1024));
    let answer = client.send(request.body(Full::default()).expect("a request")).await.expect("an answer");
    assert_eq!(answer.status, 200, "what may be long is read");
}

/// What NetBox sends to a client that does not take it holds a place there, but not for long; and the client's other
/// requests have nothing to do with it.
#[tokio::test]
async fn a_stream_that_is_not_taken_is_reset_and_no_other() {
    let netbox = FakeNetbox::start().await;
    let settings = "[upstream]\nmax_in_flight = 1\n[server]\nwrite_timeout = \"300ms\"\n[cache]\nmax_entry = \"1MiB\"";
    let (proxy, config) = front(&netbox, settings).await;
    netbox.endless(LONG, 200 * 1024 * 1024);
    let mut client = Frames::connect(proxy.address(), &config, 65_535).await;
    client.get(1, LONG);
    client.flush().await;
    within(client.until(&Frame::Head { stream: 1, ok: true })).await;
    client.get(3, SITE);
    client.flush().await;
    // Whichever comes first: the site needs the place that the other has.
    let (mut reset, mut answered) = (false, false);
    while !(reset && answered) {
        match within(client.next()).await {
            Frame::Reset { stream: 1, code } => reset = code == CANCELLED,
            Frame::Head { stream: 3, ok } => answered = ok,
            Frame::Data { .. } => {}
            other @ (Frame::Head { .. } | Frame::Reset { .. } | Frame::GoAway { .. } | Frame::Closed) => {
                panic!("{other:?}")
            }
        }
    }
    // Nothing can ever be sent here, or not all of it, although it is in memory, and handed over in one piece.
    netbox.blob("/api/dcim/racks/", "application/octet-stream", vec![7u8; 1024 * 1024]);
    netbox.blob("/api/dcim/devices/", "application/octet-stream", vec![7u8; 200 * 1024]);
    for (window, target) in [
        (0, SITE),
        (1, SITE),
        (65_535, "/api/dcim/racks/"),
        (65_535, "/api/dcim/devices/"),
        (204_799, "/api/dcim/devices/"),
    ] {
        let mut deaf = Frames::connect(proxy.address(), &config, window).await;
        deaf.get(1, target);
        deaf.flush().await;
        within(deaf.until(&Frame::Reset { stream: 1, code: CANCELLED })).await;
    }
    assert_eq!(proxy.metric("nbproxy_requests_in_progress").await, 0.0);
}

/// Slow is not the same as deaf.
#[tokio::test]
async fn a_stream_that_is_taken_slowly_comes_whole() {
    let netbox = FakeNetbox::start().await;
    let (proxy, config) = front(&netbox, "[server]\nwrite_timeout = \"2s\"").await;
    let length = 2 * 1024 * 1024;
    netbox.blob(LONG, "application/octet-stream", vec![7u8; length]);
    let mut client = Frames::connect(proxy.address(), &config, 65_535).await;
    client.get(1, LONG);
    client.flush().await;
    let (mut taken, mut ended) = (0, false);
    while !ended {
        // Eight steps of 400 ms: longer in all than the time for each part.
        while let Ok(frame) = tokio::time::timeout(Duration::from_millis(400), client.next()).await {
            match frame {
                Frame::Data { bytes, last, .. } => (taken, ended) = (taken + bytes, last),
                Frame::Head { ok, .. } => assert!(ok),
                other @ (Frame::Reset { .. } | Frame::GoAway { .. } | Frame::Closed) => {
                    panic!("{other:?} after {taken} bytes")
                }
            }
        }
        client.grant(1, 256 * 1024);
        client.flush().await;
    }
    assert_eq!(taken, length);
}

/// A client that takes nothing from its connection at all: the write that waits would end it, and the question whether it
/// is still there does.
#[tokio::test]
async fn a_connection_that_is_not_taken_ends() {
    let netbox = FakeNetbox::start().await;
    let settings = "[upstream]\nmax_in_flight = 1\n[server]\nwrite_timeout = \"300ms\"\n[cache]\nmax_entry = \"1MiB\"";
    let (proxy, config) = front(&netbox, settings).await;
    netbox.endless(LONG, 200 * 1024 * 1024);
    let mut deaf = Frames::connect(proxy.address(), &config, i32::MAX as u32).await;
    deaf.get(1, LONG);
    deaf.flush().await;
    until(async || proxy.metric("nbproxy_upstream_in_flight").await >= 1.0).await;
    assert_eq!(Secure::connect(proxy.address(), &config).await.get(proxy.address(), SITE).await.status, 200);
    deaf.answers = false;
    while within(deaf.next()).await != Frame::Closed {}
}

#[tokio::test]
async fn an_idle_connection_is_told_so_and_a_silent_one_is_not_kept() {
    let netbox = FakeNetbox::start().await;
    let (proxy, config) = front(&netbox, "[server]\nkeep_alive = \"200ms\"\nheader_timeout = \"200ms\"").await;
    let hold = netbox.hold("GET", LONG, HoldPoint::BeforeAnswer);
    let mut busy = Frames::connect(proxy.address(), &config, 65_535).await;
    busy.get(1, LONG);
    busy.flush().await;
    hold.arrived(1).await;
    let mut idle = Frames::connect(proxy.address(), &config, 65_535).await;
    // It never confirms that it has heard (RFC 9113, section 6.8), and is not waited for.
    idle.answers = false;
    idle.get(1, SITE);
    idle.flush().await;
    within(idle.until(&Frame::Head { stream: 1, ok: true })).await;
    within(idle.until(&Frame::GoAway { code: 0 })).await;
    while within(idle.next()).await != Frame::Closed {}
    let silent = Secure::stream(proxy.address(), &config).await.expect("hands are shaken");
    let (mut read, _write) = tokio::io::split(silent);
    let mut said = Vec::new();
    let _end = within(tokio::io::AsyncReadExt::read_to_end(&mut read, &mut said)).await;
    hold.release();
    within(busy.until(&Frame::Head { stream: 1, ok: true })).await;
}

/// How many may be taken back is a setting.
#[tokio::test]
async fn whoever_may_take_requests_back_may_go_on() {
    let netbox = FakeNetbox::start().await;
    let (proxy, config) = front(&netbox, "[server]\nhttp2_max_resets = 1000").await;
    let mut client = Frames::connect(proxy.address(), &config, 65_535).await;
    for stream in (1..999).step_by(2) {
        client.get(stream, SITE);
        client.reset(stream);
    }
    client.get(999, SITE);
    client.flush().await;
    within(client.until(&Frame::Head { stream: 999, ok: true })).await;
}

/// CVE-2023-44487: requests that are taken back at once cost their client the connection, and nbproxy no memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rapid_reset_costs_nobody_but_its_client() {
    let netbox = FakeNetbox::start().await;
    let (authority, folder) = (Authority::new(), tempfile::tempdir().expect("a folder"));
    let files = authority.sign("nbproxy", &[]).save(folder.path());
    let daemon = Daemon::before(&netbox, &format!("{files}[access]\nanonymous = \"read\""));
    let config = trusting(&authority, "h2", &[&TLS13], None);
    let address = daemon.address();
    let flood = async |connections: usize| {
        for number in 0..connections {
            let mut client = Frames::connect(address, &config, 65_535).await;
            for stream in (1..4000).step_by(2) {
                client.get(stream, &format!("/api/dcim/sites/?q={number}x{stream}"));
                client.reset(stream);
            }
            client.flush().await;
            let mut told = false;
            loop {
                match within(client.next()).await {
                    Frame::GoAway { code } => told = code == CALM,
                    Frame::Closed => break,
                    Frame::Head { .. } | Frame::Data { .. } | Frame::Reset { .. } => {}
                }
            }
            assert!(told, "the client is told why");
        }
    };
    flood(10).await;
    let before = daemon.peak();
    flood(100).await;
    let grown = daemon.peak() - before;
    assert!(grown < 8 * 1024, "memory grew by {grown} KiB");
    assert_eq!(Secure::connect(address, &config).await.get(address, SITE).await.status, 200);
}
