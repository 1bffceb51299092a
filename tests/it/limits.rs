//! What connections, heads and bodies are held to, so that nobody's are in the way of anybody else's.

use std::time::Duration;

use fake_netbox::{FakeNetbox, HoldPoint};

use crate::support::{Daemon, Raw, TestProxy, start, until, within};

const SITE: &str = "/api/dcim/sites/1/";
const GET: &str = "GET /api/dcim/sites/1/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

/// Asks on a connection that stays open, and reads the answer's head and body.
async fn ask(raw: &mut Raw) {
    raw.write(GET).await;
    let answer = within(raw.until("\r\n\r\n{")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let mut answer = answer;
    while !answer.ends_with('}') {
        answer.push_str(&within(raw.until("}")).await);
    }
}

async fn proxy(netbox: &FakeNetbox, settings: &str) -> TestProxy {
    TestProxy::builder(netbox).settings(&format!("[server]\n{settings}")).start().await
}

#[tokio::test]
async fn an_address_has_its_share_of_connections() {
    let netbox = FakeNetbox::start().await;
    let settings = "max_connections_per_address = 2\ntrusted_proxies = [\"127.0.0.9\"]";
    let proxy = proxy(&netbox, settings).await;
    let mut held = Vec::new();
    for source in [[127, 0, 0, 2], [127, 0, 0, 2], [127, 0, 0, 3], [127, 0, 0, 9], [127, 0, 0, 9], [127, 0, 0, 9]] {
        let mut raw = Raw::connect_from(source, proxy.address()).await;
        ask(&mut raw).await;
        held.push(raw);
    }
    let mut third = Raw::connect_from([127, 0, 0, 2], proxy.address()).await;
    assert_eq!(within(third.rest()).await, "", "it is hung up on");
    drop(held.remove(0));
    within(async {
        loop {
            let mut again = Raw::connect_from([127, 0, 0, 2], proxy.address()).await;
            if again.try_write(GET).await && again.until("\r\n\r\n").await.starts_with("HTTP/1.1 200") {
                break;
            }
        }
    })
    .await;
    for raw in &mut held {
        ask(raw).await;
    }
}

#[tokio::test]
async fn who_has_idled_longest_makes_room() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox, "max_connections = 3").await;
    let mut idle = Vec::new();
    for _ in 0..3 {
        let mut raw = Raw::connect(proxy.address()).await;
        ask(&mut raw).await;
        idle.push(raw);
    }
    ask(&mut idle[0]).await;
    let mut newcomer = Raw::connect(proxy.address()).await;
    ask(&mut newcomer).await;
    assert_eq!(within(idle.remove(1).rest()).await, "", "the second has idled longest");
    for raw in &mut idle {
        ask(raw).await;
    }
}

/// Whoever never says anything has no more right to a place than others, and whoever is being answered has all of it.
#[tokio::test]
async fn who_is_being_answered_makes_no_room() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox, "max_connections = 2").await;
    let hold = netbox.hold("GET", SITE, HoldPoint::BeforeAnswer);
    let mut busy = Vec::new();
    for _ in 0..2 {
        let mut raw = Raw::connect(proxy.address()).await;
        raw.write(GET).await;
        busy.push(raw);
    }
    proxy.wait_for_requests(2).await;
    hold.arrived(1).await;
    let address = proxy.address();
    let newcomer = start(async move {
        let mut raw = Raw::connect(address).await;
        ask(&mut raw).await;
    });
    // It waits: nobody is idle. What could still be taken from the others would be taken by now.
    for _ in 0..100 {
        proxy.metric("nbproxy_requests_in_progress").await;
    }
    assert!(!newcomer.is_finished());
    hold.release();
    for raw in &mut busy {
        assert!(within(raw.until("\r\n\r\n{")).await.starts_with("HTTP/1.1 200"));
    }
    within(newcomer).await.expect("it is answered once somebody idles");
}

/// A hit is handed to the connection whole; it is the connection that then takes its time.
#[tokio::test]
async fn who_still_reads_makes_no_room() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox, "max_connections = 2").await;
    let length = 8 * 1024 * 1024;
    netbox.blob("/api/dcim/cables/", "application/octet-stream", vec![b'x'; length]);
    let mut reader = Raw::connect(proxy.address()).await;
    for _ in 0..2 {
        // Once to fill the cache, once to be given it.
        reader = Raw::connect(proxy.address()).await;
        reader.write("GET /api/dcim/cables/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        reader.until("\r\n\r\n").await;
    }
    until(async || proxy.metric("nbproxy_requests_in_progress").await <= 0.0).await;
    let mut idle = Raw::connect(proxy.address()).await;
    ask(&mut idle).await;
    ask(&mut Raw::connect(proxy.address()).await).await;
    assert_eq!(within(idle.rest()).await, "", "it has nothing to do");
    let rest = within(reader.rest()).await;
    assert!(rest.len() > length - 64 * 1024, "it has all of it: {}", rest.len());
}

#[tokio::test]
async fn a_head_that_dawdles_is_not_waited_for_and_an_idle_connection_is() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox, "header_timeout = \"200ms\"\nkeep_alive = \"10m\"").await;
    let (mut fresh, mut healthy) = (Raw::connect(proxy.address()).await, Raw::connect(proxy.address()).await);
    ask(&mut healthy).await;
    for beginning in ["", GET] {
        let mut slow = Raw::connect(proxy.address()).await;
        if !beginning.is_empty() {
            ask(&mut slow).await;
        }
        within(async {
            let mut letters = "GET /api/ HTTP/1.1\r\nHost: x\r\nX: ".chars().chain(std::iter::repeat('y'));
            while slow.try_write(&letters.next().expect("there is no end").to_string()).await {
                if slow.is_ended_within(Duration::from_millis(10)).await {
                    break;
                }
            }
        })
        .await;
    }
    ask(&mut healthy).await;
    ask(&mut fresh).await;
}

#[tokio::test]
async fn an_idle_connection_is_closed_in_time_and_no_other() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox, "keep_alive = \"200ms\"\nheader_timeout = \"200ms\"").await;
    let hold = netbox.hold("GET", "/api/dcim/racks/", HoldPoint::BeforeAnswer);
    let mut busy = Raw::connect(proxy.address()).await;
    busy.write("GET /api/dcim/racks/ HTTP/1.1\r\nHost: x\r\n\r\n").await;
    hold.arrived(1).await;
    let (mut fresh, mut used) = (Raw::connect(proxy.address()).await, Raw::connect(proxy.address()).await);
    ask(&mut used).await;
    assert_eq!(within(fresh.rest()).await, "");
    assert_eq!(within(used.rest()).await, "");
    for _ in 0..3 {
        assert_eq!(within(Raw::connect(proxy.address()).await.rest()).await, "");
    }
    hold.release();
    assert!(within(busy.until("\r\n\r\n")).await.starts_with("HTTP/1.1 200"), "it was not idle");
}

/// The many and the slow, all at once, from five addresses: nobody else notices, and nothing of them is left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_is_in_nobodys_way() {
    allow_descriptors();
    let netbox = FakeNetbox::start().await;
    netbox.blob("/api/dcim/cables/", "application/octet-stream", vec![7u8; 3 * 1024 * 1024]);
    // However long a busy machine takes to gather it, the crowd stays together.
    let times =
        ["header_timeout", "keep_alive", "body_timeout", "write_timeout"].map(|name| format!("{name} = \"10m\"\n"));
    let queue = "[upstream]\nqueue_timeout = \"10m\"";
    let settings = format!("{queue}\n[server]\n{}[access]\nanonymous = \"write\"", times.concat());
    let daemon = Daemon::before(&netbox, &settings);
    let address = daemon.address();
    let mut healthy = Raw::connect(address).await;
    ask(&mut healthy).await;
    let long = "GET /api/dcim/cables/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    let slow_head = "GET /api/dcim/sites/1/ HTTP/1.1\r\nHos";
    let slow_body = "PATCH /api/dcim/sites/1/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{";
    let mut first = Raw::connect(address).await;
    first.write(long).await;
    within(first.until("\r\n\r\n")).await;
    drop(first);
    ask(&mut healthy).await;
    let before = daemon.descriptors();
    let mut crowd = Vec::new();
    for number in 0..2500u32 {
        let source = [127, 0, 0, 2 + u8::try_from(number % 5).expect("it is small")];
        let mut raw = Raw::connect_from(source, address).await;
        match number {
            0..167 => raw.write(slow_head).await,
            167..334 => raw.write(slow_body).await,
            334..500 => raw.write(long).await,
            _ => {}
        }
        crowd.push(raw);
    }
    until(async || daemon.descriptors() >= crowd.len()).await;
    for _ in 0..200 {
        ask(&mut healthy).await;
        ask(&mut Raw::connect(address).await).await;
    }
    drop(crowd);
    until(async || daemon.descriptors() <= before).await;
    ask(&mut healthy).await;
}

/// Nor is a crowd that takes more than there is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_descriptors_run_out_idle_connections_make_room() {
    let netbox = FakeNetbox::start().await;
    let daemon = Daemon::with_descriptors(64, &netbox, "[access]\nanonymous = \"read\"");
    // Remembered, so that nobody has to be asked for it by one connection more.
    ask(&mut Raw::connect(daemon.address()).await).await;
    let mut idle = Vec::new();
    for _ in 0..200 {
        idle.push(Raw::connect(daemon.address()).await);
    }
    ask(&mut Raw::connect(daemon.address()).await).await;
    let (_, log) = daemon.stop();
    assert!(log.iter().any(|line| line.contains("connections cannot be accepted")), "{log:?}");
}

/// Lets this process and those that it starts open as many files as they may be allowed to.
fn allow_descriptors() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("it is allowed");
}

/// What a request is answered with, on a connection of its own, and whether another one is answered on it.
async fn verdict(proxy: &TestProxy, request: &str) -> (String, String) {
    let mut raw = Raw::connect(proxy.address()).await;
    raw.try_write(request).await;
    let answer = within(raw.rest()).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    (head.split(' ').nth(1).unwrap_or_default().to_owned(), body.to_owned())
}

#[tokio::test]
async fn heads_are_bounded() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox, "max_header_bytes = \"8KiB\"\nmax_headers = 20\nmax_uri = \"1KiB\"").await;
    netbox.clear_log();
    let get =
        |target: &str, headers: &str| format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
    let target = |length: usize| format!("/api/dcim/sites/?q={}", "x".repeat(length - 19));
    // The head counts from its first byte to the empty line.
    let padded = |length: usize| {
        let bare = get("/api/dcim/sites/", "X: \r\n").len();
        get("/api/dcim/sites/", &format!("X: {}\r\n", "y".repeat(length - bare)))
    };
    let many = |count: usize| (0..count).map(|n| format!("X-{n}: y\r\n")).collect::<String>();
    for (request, status, detail) in [
        (get(&target(1024), ""), "200", ""),
        (get(&target(1025), ""), "414", "path and query are longer than 1024 bytes"),
        (padded(8 * 1024), "200", ""),
        (padded(8 * 1024 + 1), "431", "the request's head is larger than 8192 bytes"),
        (get(SITE, &many(18)), "200", ""),
    ] {
        let (answered, body) = verdict(&proxy, &request).await;
        assert_eq!(answered, status, "{} bytes: {body}", request.len());
        assert!(body.contains(detail), "{body}");
    }
    // These are not even read to their end.
    for request in [get(SITE, &many(19)), padded(17 * 1024)] {
        assert_eq!(verdict(&proxy, &request).await, ("431".to_owned(), String::new()));
    }
    assert_eq!(proxy.get(SITE).await.status, 200);
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_refused() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox, "public_url = \"http://nb.example\"").await;
    netbox.clear_log();
    for headers in [
        "Host: x\r\nHost: x",
        "Host: x\r\nHost: y",
        "Accept: */*",
        "Host: x\r\nAuthorization: Token a\r\nAuthorization: Token b",
        "Host: x\r\nAuthorization: Token a\r\nauthorization: Token a",
        "Host: x\r\nContent-Length: 2\r\nContent-Length: 3",
        "Host: x\r\nContent-Length: 2, 2",
        "Host: x\r\nContent-Length: +2",
        "Host: x\r\nTransfer-Encoding: gzip",
        "Host: x\r\nTransfer-Encoding: chunked, gzip",
    ] {
        let (status, _) =
            verdict(&proxy, &format!("PATCH {SITE} HTTP/1.1\r\n{headers}\r\nConnection: close\r\n\r\n{{}}")).await;
        assert_eq!(status, "400", "{headers}");
    }
    assert!(netbox.log().is_empty());
    // Of both lengths the coding counts, and the connection ends (RFC 9112, section 6.3): what follows is no request.
    for headers in
        ["Content-Length: 44\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 44"]
    {
        let mut raw = Raw::connect(proxy.address()).await;
        let request = format!(
            "PATCH {SITE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{headers}\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
        );
        raw.write(&format!("{request}{GET}")).await;
        let answer = within(raw.rest()).await;
        assert_eq!((answer.matches("HTTP/1.1 ").count(), answer.contains("HTTP/1.1 200")), (1, true), "{answer}");
    }
    let lengths: Vec<_> =
        netbox.log().iter().map(|request| request.header("content-length").map(str::to_owned)).collect();
    assert_eq!(lengths, [Some("2".to_owned()), Some("2".to_owned())]);
}

#[tokio::test]
async fn a_body_that_dawdles_is_not_waited_for() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox, "body_timeout = \"200ms\"").await;
    netbox.clear_log();
    for (head, drips) in [
        ("Content-Length: 50\r\n\r\n{", false),
        ("Content-Length: 9000\r\n\r\n{", true),
        ("Transfer-Encoding: chunked\r\n\r\n", true),
        ("Content-Length: 9000\r\nExpect: 100-continue\r\n\r\n", false),
    ] {
        let mut slow = Raw::connect(proxy.address()).await;
        slow.write(&format!("PATCH {SITE} HTTP/1.1\r\nHost: x\r\n{head}")).await;
        let answer = within(async {
            let part = if head.contains("chunked") { "1\r\n \r\n" } else { " " };
            while drips && slow.try_write(part).await {
                if slow.has_something_within(Duration::from_millis(10)).await {
                    break;
                }
            }
            slow.rest().await
        })
        .await;
        let answer = answer.trim_start_matches("HTTP/1.1 100 Continue\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 408"), "{head}: {answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
        assert!(
            answer.contains("{\"detail\":\"Bad request: too little of the request's body arrived within 200ms.\"}")
        );
    }
    assert!(netbox.log().is_empty());
}

/// An upload that NetBox has begun to receive ends there, too.
#[tokio::test]
async fn an_upload_that_dawdles_is_broken_off() {
    let netbox = FakeNetbox::start().await;
    let settings = "[server]\nbody_timeout = \"200ms\"\n[upstream]\nmax_in_flight = 1";
    let proxy = TestProxy::builder(&netbox).settings(settings).start().await;
    let mut slow = Raw::connect(proxy.address()).await;
    let head = format!(
        "PATCH {SITE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9000000\r\n\r\n"
    );
    slow.write(&format!("{head}{{\"comments\": \"{}", "x".repeat(3_000_000))).await;
    let answer = within(slow.rest()).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert_eq!(proxy.get(SITE).await.json()["comments"], "", "the place at NetBox is free again");
}

/// Slow is not the same as dawdling.
#[tokio::test]
async fn an_upload_may_take_longer_than_its_parts() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox, "body_timeout = \"2s\"").await;
    let mut steady = Raw::connect(proxy.address()).await;
    let comments = "x".repeat(20 * 16 * 1024);
    let length = comments.len() + 16;
    steady
        .write(&format!(
            "PATCH {SITE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        ))
        .await;
    steady.write("{\"comments\": \"").await;
    for part in comments.as_bytes().chunks(16 * 1024) {
        steady.write(std::str::from_utf8(part).expect("text")).await;
        assert!(!steady.has_something_within(Duration::from_millis(150)).await, "it is not refused");
    }
    steady.write("\"}").await;
    assert!(within(steady.until("\r\n\r\n")).await.starts_with("HTTP/1.1 200"));
}
