//! The admin listener: who may order what, what it tells of the cache, and `nbproxy purge`.

use std::process::{Command, Output};

use fake_netbox::FakeNetbox;
use serde_json::{Value, json};

use crate::support::{Answer, Ask, Daemon, TestProxy, until};

/// What only operators may ask.
const GUARDED: [(&str, &str); 4] =
    [("GET", "/metrics"), ("GET", "/cache"), ("POST", "/cache/purge"), ("POST", "/cache/warm")];

fn ask(proxy: &TestProxy, method: &str, path: &str) -> Ask {
    let ask = Ask::new(method, &format!("http://{}{path}", proxy.admin_address()));
    match path {
        "/cache/purge" => ask.json(&json!({"all": true})),
        "/cache/warm" => ask.json(&json!({"path": "/api/dcim/racks/"})),
        _ => ask,
    }
}

/// Whether there is anything in memory, seen without a word to the admin listener.
async fn remembers(proxy: &TestProxy, target: &str) -> bool {
    proxy.ask("GET", target).header("cache-control", "only-if-cached").send().await.is_hit()
}

#[tokio::test]
async fn the_token_opens_everything_and_nothing_else_does() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).settings("[admin]\ntoken = \"operators\"").start().await;
    proxy.get("/api/dcim/sites/").await;
    let key = format!("Bearer {}", netbox.token());
    for (method, path) in GUARDED {
        for value in
            ["", "Bearer operator", "Bearer operators-", "Token operators", "Basic operators", "operators", &key]
        {
            let answer = ask(&proxy, method, path).header("authorization", value).send().await;
            assert_eq!((answer.status, answer.detail().as_str()), (403, "the admin token is wanted"), "{path} {value}");
        }
        assert_eq!(ask(&proxy, method, path).send().await.status, 403, "{path}");
    }
    assert!(remembers(&proxy, "/api/dcim/sites/").await, "who is refused has purged nothing");
    for (method, path) in GUARDED {
        // The token itself shows that no page of the web asks.
        let asked = ask(&proxy, method, path).header("authorization", "Bearer operators");
        let answer = asked.header("host", "nbproxy.example").header("origin", "https://dashboard.example").send().await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    assert!(!remembers(&proxy, "/api/dcim/sites/").await);
    assert_eq!((proxy.admin("/healthz").await.status, proxy.admin("/readyz").await.status), (200, 200));
}

#[tokio::test]
async fn beyond_loopback_it_is_closed_without_a_token() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).settings("[admin]\nlisten = \"0.0.0.0:0\"").start().await;
    for (method, path) in GUARDED {
        for value in ["", "Bearer ", "Bearer operators"] {
            let answer = ask(&proxy, method, path).header("authorization", value).send().await;
            assert_eq!((answer.status, answer.detail().contains("admin.token is not set")), (403, true), "{path}");
        }
    }
    assert_eq!((proxy.admin("/healthz").await.status, proxy.admin("/readyz").await.status), (200, 200));
}

/// On loopback whoever comes is an operator. A page of the web, in the browser of somebody who works there, is not.
#[tokio::test]
async fn no_page_of_the_web_is_an_operator() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    proxy.get("/api/dcim/sites/").await;
    let own = proxy.admin_address().to_string();
    let port = proxy.admin_address().port();
    let (local, v6) = (format!("localhost:{port}"), format!("[::1]:{port}"));
    let (own_origin, other_port) = (format!("http://{own}"), format!("http://{}", proxy.address()));
    for (method, path) in GUARDED {
        for host in
            ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8081", "10.0.0.1", "127.0.0.1@evil"]
        {
            let answer = ask(&proxy, method, path).header("host", host).send().await;
            assert_eq!((answer.status, answer.detail().contains("loopback names")), (403, true), "{path} {host}");
        }
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", &other_port),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let answer = ask(&proxy, method, path).header(name, value).send().await;
            assert_eq!((answer.status, answer.detail().as_str()), (403, "another site's page asks"), "{path} {value}");
        }
    }
    assert!(remembers(&proxy, "/api/dcim/sites/").await);
    for (method, path) in GUARDED {
        for (name, value) in [
            ("host", own.as_str()),
            ("host", &local),
            ("host", &v6),
            ("origin", &own_origin),
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "none"),
        ] {
            let answer = ask(&proxy, method, path).header(name, value).send().await;
            assert_eq!(answer.status, 200, "{path} {value}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn the_public_listener_has_none_of_it() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::builder(&netbox).settings("[admin]\ntoken = \"operators\"").start().await;
    proxy.get("/api/dcim/sites/").await;
    netbox.clear_log();
    for path in ["/healthz", "/readyz", "/metrics", "/cache", "/cache/", "/cache/purge", "//cache/purge", "/%63ache"] {
        for method in ["GET", "POST", "PUT", "OPTIONS"] {
            let asked = proxy.ask(method, path).header("authorization", "Bearer operators").json(&json!({"all": true}));
            let answer = asked.send().await;
            let (status, detail) = (answer.status, answer.detail());
            let mirrors = status == 404 && detail.contains("mirrors NetBox's /api/ and /graphql/, and nothing else");
            let ambiguous = status == 400 && path.starts_with("//");
            assert!(mirrors || ambiguous, "{method} {path}: {status} {detail}");
        }
    }
    assert!(netbox.log().is_empty());
    assert!(remembers(&proxy, "/api/dcim/sites/").await);
}

async fn statistics(proxy: &TestProxy) -> Value {
    let answer = proxy.admin("/cache").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{}", answer.text());
    answer.json()
}

fn sum<'a>(parts: impl IntoIterator<Item = &'a Value>, name: &str) -> u64 {
    parts.into_iter().map(|part| part[name].as_u64().unwrap_or_else(|| panic!("{name} in {part}"))).sum()
}

#[tokio::test]
async fn statistics_add_up() {
    let netbox = FakeNetbox::start().await;
    let settings = "[access]\npassthrough = true\n[cache]\ncapacity = \"1MiB\"\npassthrough_capacity = \"256KiB\"\nmax_entry = \"512KiB\"";
    let proxy = TestProxy::builder(&netbox).settings(settings).start().await;
    let visitor = || proxy.ask("GET", "/api/dcim/sites/").header("authorization", &format!("Token {}", netbox.token()));
    for target in ["/api/dcim/sites/", "/api/dcim/sites/", "/api/dcim/sites/1/", "/api/dcim/racks/", "/elsewhere"] {
        proxy.get(target).await;
    }
    assert_eq!((visitor().send().await.cache(), visitor().send().await.is_hit()), ("fwd=miss; stored", true));
    for n in 0..60 {
        netbox.blob(&format!("/api/plugins/many/things-{n}/"), "application/json", "{\"count\":0,\"results\":[]}");
        assert_eq!(proxy.get(&format!("/api/plugins/many/things-{n}/")).await.cache(), "fwd=miss; stored");
    }
    let told = statistics(&proxy).await;
    let shares = [&told["shares"]["common"], &told["shares"]["guests"]];
    assert_eq!(shares.map(|share| share["entries"].as_u64()), [Some(63), Some(1)]);
    assert_eq!(shares.map(|share| share["capacity"].as_u64()), [Some(768 * 1024), Some(256 * 1024)]);
    for name in ["capacity", "entries", "bytes", "evictions"] {
        assert_eq!(told[name].as_u64(), Some(sum(shares, name)), "{name} in {told}");
    }
    let endpoints = told["endpoints"].as_array().expect("a list");
    assert_eq!(endpoints.len(), 50);
    for name in ["entries", "bytes"] {
        let parts = endpoints.iter().chain([&told["other_endpoints"]]);
        assert_eq!(told[name].as_u64(), Some(sum(parts, name)), "{name} in {told}");
    }
    assert!(endpoints.is_sorted_by_key(|endpoint| std::cmp::Reverse(endpoint["bytes"].as_u64())), "{endpoints:?}");
    let sites = endpoints.iter().find(|endpoint| endpoint["endpoint"] == "dcim/sites").expect("they are the largest");
    assert_eq!(sites["entries"], 3, "a list for two, and an object");
    for (name, figure) in [("entries", "nbproxy_cache_entries"), ("bytes", "nbproxy_cache_bytes")] {
        assert_eq!(told[name].as_f64(), Some(proxy.metric(figure).await), "{name}");
    }
    assert_eq!(told["requests"], json!({"filled": 64, "hit": 2, "failed": 1}), "{told}");
    assert_eq!((&told["visitors"], &told["uptime_seconds"]), (&json!(1), &json!(0)));
    proxy.clock.push(std::time::Duration::from_secs(90));
    assert_eq!(statistics(&proxy).await["uptime_seconds"], 90);
}

fn nbproxy(arguments: &[&str], admin: &str, more: &[(&str, &str)]) -> Output {
    let admin = admin.trim_start_matches("http://");
    let mut command = Command::new(env!("CARGO_BIN_EXE_nbproxy"));
    command.args(arguments).env_clear().env("NBPROXY__ADMIN__LISTEN", admin);
    command.env("NBPROXY__UPSTREAM__URL", "http://netbox.invalid").envs(more.iter().copied());
    command.output().expect("it runs")
}

/// Exit code, standard output, standard error.
fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("it prints text").trim().to_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_has_a_running_nbproxy_forget_and_it_is_on_record() {
    let netbox = FakeNetbox::start().await;
    let daemon = Daemon::before(&netbox, "[access]\nanonymous = \"read\"\n[admin]\ntoken = \"operators\"");
    let get = async |target: &str| -> Answer { Ask::new("GET", &format!("{}{target}", daemon.url())).send().await };
    let token = [("NBPROXY__ADMIN__TOKEN", "operators")];
    let targets = ["/api/dcim/sites/", "/api/dcim/sites/1/", "/api/dcim/sites/2/", "/api/dcim/racks/"];
    for (arguments, purged) in [
        (&["purge", "--endpoint", "dcim/sites", "--id", "1"][..], "2 entries were purged"),
        (&["purge", "--endpoint", "dcim/racks", "--branch", "main"], "1 entry was purged"),
        (&["purge", "--branch", "abcd1234"], "0 entries were purged"),
        (&["purge", "--branch", "main"], "4 entries were purged"),
        (&["purge", "--all"], "4 entries were purged"),
    ] {
        for target in targets {
            assert_eq!(get(target).await.status, 200);
        }
        let output = nbproxy(arguments, daemon.admin(), &token);
        assert_eq!(said(&output), (Some(0), purged.to_owned(), String::new()), "{arguments:?}");
    }
    assert_eq!(get("/api/dcim/sites/").await.cache(), "fwd=miss; stored");
    for (arguments, environment, complaint) in [
        (&["purge", "--all"][..], &[][..], "nbproxy: nbproxy says 403 Forbidden: the admin token is wanted"),
        (&["purge", "--branch", "main2"], &token, "nbproxy: nbproxy says 400 Bad Request: branch: it is main, or a"),
    ] {
        let (code, out, error) = said(&nbproxy(arguments, daemon.admin(), environment));
        assert_eq!((code, out.as_str()), (Some(1), ""), "{arguments:?}");
        assert!(error.starts_with(complaint), "{error}");
    }
    let readyz = format!("{}/readyz", daemon.admin());
    until(async || Ask::new("GET", &readyz).send().await.status == 200).await;
    let (_, status, _) = said(&nbproxy(&["status"], daemon.admin(), &token));
    assert!(status.contains("ready: 1 entries"), "the token opens the figures, too: {status}");

    let (_, log) = daemon.stop();
    let lines = log.iter().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let purges: Vec<_> = lines.filter(|line| line["target"] == "nbproxy::audit").collect();
    let told: Vec<_> = purges.iter().map(|line| (line["selector"].as_str(), line["entries"].as_u64())).collect();
    let expected = [
        (Some("dcim/sites/1"), Some(2)),
        (Some("dcim/racks in branch main"), Some(1)),
        (Some("branch abcd1234"), Some(0)),
        (Some("branch main"), Some(4)),
        (Some("everything"), Some(4)),
    ];
    assert_eq!(told, expected);
    for line in &purges {
        let words = ["level", "peer", "message"].map(|name| line[name].as_str().unwrap_or_default());
        assert_eq!(words, ["INFO", "127.0.0.1", "purge"]);
    }
    assert!(log.iter().all(|line| !line.contains("operators")), "a secret in the log");
}

#[test]
fn the_command_says_what_is_wrong() {
    // tcpmux, which nobody has.
    let address = "127.0.0.1:1";
    let (code, out, error) = said(&nbproxy(&["purge", "--all"], address, &[]));
    assert_eq!((code, out.as_str()), (Some(1), ""));
    let expected = format!("nbproxy: the admin listener at {address} (admin.listen): Connection refused");
    assert!(error.starts_with(&expected), "{error}");
    for (arguments, complaint) in [
        (&["purge"][..], "<--all|--endpoint <NAME>|--id <ID>|--branch <BRANCH>>"),
        (&["purge", "--all", "--branch", "main"], "'--all' cannot be used with '--branch <BRANCH>'"),
        (&["purge", "--all", "--endpoint", "dcim/sites"], "'--all' cannot be used with '--endpoint <NAME>'"),
        (&["purge", "--id", "1"], "--endpoint <NAME>"),
        (&["purge", "--endpoint", "dcim/sites", "--id", "one"], "invalid value 'one' for '--id <ID>'"),
    ] {
        let (code, _, error) = said(&nbproxy(arguments, address, &[]));
        assert_eq!(code, Some(64), "{arguments:?}");
        assert!(error.contains(complaint), "{arguments:?}: {error}");
    }
}

/// Beyond loopback the admin listener's token can be read on its way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_in_the_clear_is_told() {
    let netbox = FakeNetbox::start().await;
    for (listen, told) in [("0.0.0.0:0", true), ("127.0.0.1:0", false)] {
        let daemon = Daemon::before(&netbox, &format!("[admin]\nlisten = \"{listen}\"\ntoken = \"operators\""));
        // It is told before anybody is served.
        let url = daemon.url().to_owned();
        assert_eq!(Ask::new("GET", &format!("{url}/api/dcim/sites/1/")).send().await.status, 200);
        let (_, log) = daemon.stop();
        let warned = log.iter().any(|line| line.contains("crosses the network in the clear"));
        assert_eq!(warned, told, "{log:?}");
    }
}
