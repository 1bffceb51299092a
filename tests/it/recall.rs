//! What comes again, byte for byte, is answered without the road, and as the road would answer it.

use std::time::Duration;

use fake_netbox::FakeNetbox;
use serde_json::json;

use crate::support::{Daemon, Raw, TestProxy, client, client_with_key, figure, until, within};

const SITE: &str = "/api/dcim/sites/1/";

fn get(target: &str, more: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: nbproxy\r\nAccept: */*\r\n{more}\r\n")
}

/// The next answer on a connection: its head, sorted and without what differs each time, and its body.
async fn answer(connection: &mut Raw) -> (Vec<String>, String) {
    let (head, body) = connection.answer().await;
    let of_its_own = ["age:", "x-request-id:", "cache-status:"];
    let mut lines: Vec<String> =
        head.lines().filter(|line| !of_its_own.iter().any(|name| line.starts_with(name))).map(str::to_owned).collect();
    lines.sort();
    (lines, body)
}

async fn recalled(proxy: &TestProxy) -> f64 {
    proxy.metric("nbproxy_recalled_total").await
}

#[tokio::test]
async fn it_is_what_the_road_says() {
    let netbox = FakeNetbox::builder().devices(60).start().await;
    let proxy = TestProxy::before(&netbox).await;
    let mut connection = Raw::connect(proxy.address()).await;
    connection.write(&get("/api/dcim/racks/", "")).await;
    let (lines, _) = answer(&mut connection).await;
    let tag = lines.iter().find_map(|line| line.strip_prefix("etag: ")).expect("a tag");
    let gzip = "Accept-Encoding: gzip\r\n";
    for (target, more) in [
        (SITE, ""),
        (SITE, "Connection: keep-alive\r\n"),
        ("/api/dcim/devices/?limit=50", ""),
        ("/api/schema/", ""),
        ("/api/dcim/racks/", &*format!("If-None-Match: {tag}\r\n")),
        ("/api/dcim/devices/?limit=20&offset=20", ""),
        ("/api/dcim/devices/?limit=50", gzip),
    ] {
        let mut connection = Raw::connect(proxy.address()).await;
        let head = get(target, more);
        connection.write(&head).await;
        answer(&mut connection).await;
        // A copy in a coding is made for whoever asks later.
        let coded = |lines: &[String]| lines.iter().any(|line| line.starts_with("content-encoding:"));
        let mut by_road = (Vec::new(), String::new());
        while by_road.0.is_empty() || coded(&by_road.0) != (more == gzip) {
            connection.write(&head).await;
            by_road = answer(&mut connection).await;
        }
        let before = recalled(&proxy).await;
        for _ in 0..2 {
            connection.write(&head).await;
            assert!(answer(&mut connection).await == by_road, "{target} {more}");
        }
        assert_eq!(recalled(&proxy).await, before + 2.0, "{target} {more}");
        let (lines, body) = &by_road;
        let not_modified = lines.iter().any(|line| line == "HTTP/1.1 304 Not Modified");
        assert_eq!(
            (not_modified, body.is_empty()),
            (more.contains("None-Match"), more.contains("None-Match")),
            "{lines:?}"
        );
    }
}

#[tokio::test]
async fn a_change_is_seen_by_who_asks_the_same_again() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).settings("[access]\nanonymous = \"write\"").start().await;
    let mut connection = Raw::connect(proxy.address()).await;
    let head = get(SITE, "");
    for round in 0..5 {
        for _ in 0..3 {
            connection.write(&head).await;
            answer(&mut connection).await;
        }
        let name = format!("renamed {round}");
        assert_eq!(proxy.ask("PATCH", SITE).json(&json!({"name": name})).send().await.status, 200);
        connection.write(&head).await;
        let (_, body) = answer(&mut connection).await;
        assert!(body.contains(&name), "{body}");
    }
    assert!(recalled(&proxy).await >= 5.0);
    connection.write(&head).await;
    answer(&mut connection).await;
    let before = recalled(&proxy).await;
    proxy.clock.push(Duration::from_secs(3600));
    connection.write(&head).await;
    let (head, _) = connection.answer().await;
    assert!(head.contains("fwd=stale"), "{head}");
    assert_eq!(recalled(&proxy).await, before, "what has expired is none");
}

#[tokio::test]
async fn who_is_let_in_no_more_is_not_let_in_again() {
    let netbox = FakeNetbox::start().await;
    let key = client_with_key("one", "secret-key", "");
    let proxy = TestProxy::builder(&netbox).settings(&key).start().await;
    let mut connection = Raw::connect(proxy.address()).await;
    let head = get(SITE, "Authorization: Token secret-key\r\n");
    for _ in 0..3 {
        connection.write(&head).await;
        assert!(connection.answer().await.0.starts_with("HTTP/1.1 200"));
    }
    assert_eq!(recalled(&proxy).await, 1.0);
    let other = get(SITE, "Authorization: Token other-key!\r\n");
    connection.write(&other).await;
    assert!(connection.answer().await.0.starts_with("HTTP/1.1 403"), "a byte is another");
    connection.write(&head).await;
    assert!(connection.answer().await.0.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn callers_that_are_counted_take_the_road() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).settings("[access]\nrate_limit = \"3/h\"").start().await;
    let mut connection = Raw::connect(proxy.address()).await;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        connection.write(&get(SITE, "")).await;
        statuses.push(connection.answer().await.0[9..12].to_owned());
    }
    assert_eq!(statuses, ["200", "200", "200", "429", "429"]);
}

/// Whoever passes others' requests on by one connection would give one's answer to another.
#[tokio::test]
async fn a_body_is_not_taken_for_a_head() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let known = get(SITE, "");
    let mut connection = Raw::connect(proxy.address()).await;
    for _ in 0..3 {
        connection.write(&known).await;
        answer(&mut connection).await;
    }
    assert_eq!(recalled(&proxy).await, 1.0);
    // Some are read to their end, others are answered before.
    for line in [&*format!("POST {SITE}"), &*format!("GET {SITE}"), "GET /nowhere/", "POST /nowhere/"] {
        let mut connection = Raw::connect(proxy.address()).await;
        connection.write(&known).await;
        answer(&mut connection).await;
        let before = recalled(&proxy).await;
        let length = known.len();
        connection.write(&format!("{line} HTTP/1.1\r\nHost: nbproxy\r\nContent-Length: {length}\r\n\r\n")).await;
        let early = line.contains("nowhere");
        if early {
            answer(&mut connection).await;
        }
        connection.offer(known.as_bytes()).await;
        connection.offer(get(SITE, "Connection: close\r\n").as_bytes()).await;
        let answers = connection.rest().await.matches("HTTP/1.1 ").count();
        assert!(if early { answers <= 1 } else { answers == 2 }, "{line}: {answers}");
        assert_eq!(recalled(&proxy).await, before, "{line}");
    }
}

#[tokio::test]
async fn however_it_arrives_each_gets_one_answer() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    let known = get(SITE, "");
    let mut connection = Raw::connect(proxy.address()).await;
    connection.write(&known).await;
    let (_, body) = answer(&mut connection).await;
    for _ in 0..2 {
        for byte in known.as_bytes() {
            connection.write_bytes(&[*byte]).await;
        }
        assert_eq!(answer(&mut connection).await.1, body);
    }
    // Before the last was answered: from here on it is hyper's.
    connection.write(&format!("{known}{known}{known}")).await;
    for _ in 0..3 {
        assert_eq!(answer(&mut connection).await.1, body);
    }
    connection.write(&known).await;
    assert_eq!(answer(&mut connection).await.1, body);
    // Lone line feeds end lines, too, for who is lenient; two of them a head.
    let mut connection = Raw::connect(proxy.address()).await;
    let lenient = format!("{}\n{}", known.replace("\r\n", "\n").trim_end(), "");
    for _ in 0..3 {
        connection.write(&format!("{lenient}\n")).await;
        assert_eq!(answer(&mut connection).await.1, body);
    }
    connection.write(&get(SITE, "Connection: close\r\n")).await;
    assert_eq!(connection.rest().await.matches("HTTP/1.1 ").count(), 1);
}

#[tokio::test]
async fn what_comes_again_is_looked_at_twice_like_others() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).settings("[invalidation]\naudit_one_in = 1").start().await;
    let mut connection = Raw::connect(proxy.address()).await;
    for _ in 0..3 {
        connection.write(&get(SITE, "")).await;
        answer(&mut connection).await;
    }
    // One at a time: what comes while another is looked at is not.
    let before = recalled(&proxy).await;
    within(async {
        while netbox.count("GET", SITE) < 4 {
            connection.write(&get(SITE, "")).await;
            answer(&mut connection).await;
        }
    })
    .await;
    assert!(before >= 1.0 && recalled(&proxy).await > before);
}

/// What was judged by other rules is not known any more, on whatever connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rights_that_change_are_looked_at_anew() {
    let netbox = FakeNetbox::start().await;
    let settings = "[server]\nreload_poll = \"0s\"\n";
    let two = client("one", "") + &client("two", "");
    let daemon = Daemon::before(&netbox, &format!("{settings}{two}"));
    let head = get(SITE, "Authorization: Token key-of-one\r\n");
    let recalled = async || figure(daemon.admin(), "nbproxy_recalled_total").await;
    let mut connection = Raw::connect(daemon.address()).await;
    for _ in 0..3 {
        connection.write(&head).await;
        assert!(connection.answer().await.0.starts_with("HTTP/1.1 200"));
    }
    assert_eq!(recalled().await, 1.0);
    for (clients, status) in [(client("two", ""), "403"), (two, "200")] {
        let applied = figure(daemon.admin(), "nbproxy_settings_read_total{result=\"applied\"}").await;
        daemon.rewrite(&format!("{settings}{clients}"));
        daemon.signal("HUP");
        until(async || figure(daemon.admin(), "nbproxy_settings_read_total{result=\"applied\"}").await > applied).await;
        for _ in 0..3 {
            connection.write(&head).await;
            assert_eq!(&connection.answer().await.0[9..12], status);
        }
    }
    assert!(recalled().await > 1.0, "who is let in again is known again");
}
