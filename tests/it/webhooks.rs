//! NetBox's webhooks: who is believed, what is outdated, and what is not kept while a change may still be under way. The
//! bodies are written after those that NetBox 4.2 to 4.7 sends.

use std::time::{Duration, Instant};

use fake_netbox::{FakeNetbox, HoldPoint};
use ring::hmac;
use serde_json::{Value, json};

use crate::support::{Answer, Ask, Daemon, Raw, TestProxy, client, figure, start, until, within};

pub(crate) const SECRET: &str = "s3cret-of-the-hook";
const SITE: &str = "/api/dcim/sites/1/";
const CHANGES: &str = "/api/core/object-changes/";

fn settings(more: &str) -> String {
    format!("[invalidation]\nwebhook_secret = {SECRET:?}\n{more}")
}

async fn proxy(netbox: &FakeNetbox, more: &str) -> TestProxy {
    TestProxy::builder(netbox).settings(&settings(more)).start().await
}

fn sign(secret: &str, body: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA512, secret.as_bytes()), body);
    tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn post(base: &str) -> Ask {
    Ask::new("POST", &format!("{base}/-/webhooks/netbox")).header("content-type", "application/json")
}

/// Sends a body, rightly signed.
async fn tell(base: &str, body: &str) -> Answer {
    post(base).header("x-hook-signature", &sign(SECRET, body.as_bytes())).body(body.to_owned()).send().await
}

pub(crate) async fn hook(proxy: &TestProxy, body: &Value) {
    let answer = tell(&proxy.url(), &body.to_string()).await;
    assert_eq!((answer.status, answer.body.len()), (204, 0), "{}", answer.text());
}

/// What a version of NetBox says of a change to an object of `app.model`.
fn body(version: (u8, u8), event: &str, app: &str, model: &str, request: &str) -> Value {
    let mut body = json!({
        "event": event,
        "timestamp": "2026-01-02T03:04:05.678901+00:00",
        "data": {"id": 1, "url": format!("/api/{app}/{model}s/1/"), "display": "one", "custom_fields": {"event": "none"}},
        "snapshots": {"prechange": {"description": ""}, "postchange": {"description": "new", "event": "deleted"}},
    });
    let mut set = |name: &str, value: Value| body[name] = value;
    if version >= (4, 4) {
        set("object_type", format!("{app}.{model}").into());
        set("context", json!({"active_branch": null}));
    }
    if version < (4, 5) {
        set("model", model.into());
    }
    if version < (4, 7) {
        set("username", "admin".into());
        set("request_id", request.into());
    }
    if version >= (4, 6) {
        set("request", json!({"id": request, "method": "PATCH", "path": "/api/dcim/sites/1/", "user": "admin"}));
    }
    body
}

const VERSIONS: [(u8, u8); 6] = [(4, 2), (4, 3), (4, 4), (4, 5), (4, 6), (4, 7)];

fn site_changed() -> Value {
    body((4, 6), "updated", "dcim", "site", "84a21ed7-46c8-4a2d-9c51-37086f3abc58")
}

#[tokio::test]
async fn each_form_of_each_version_outdates_what_it_tells_of() {
    let netbox = FakeNetbox::start().await;
    for precision in ["branch", "related"] {
        let proxy = proxy(&netbox, &format!("precision = {precision:?}")).await;
        for (n, version) in VERSIONS.into_iter().enumerate() {
            for event in ["created", "updated", "deleted"] {
                proxy.get(SITE).await;
                assert!(proxy.get(SITE).await.is_hit());
                let text = format!("{precision} {n} {event}");
                netbox.edit_unlogged("dcim/sites", 1, json!({"description": text}));
                hook(&proxy, &body(version, event, "dcim", "site", "x")).await;
                let next = proxy.get(SITE).await;
                assert_eq!(next.json()["description"], text.as_str(), "{version:?}");
                assert!(next.cache().starts_with("fwd=stale"), "{}", next.cache());
                proxy.clock.push(Duration::from_secs(3));
            }
        }
        assert_eq!(proxy.metric("nbproxy_epoch_bumps_total{source=\"webhook\"}").await, 18.0);
    }
}

#[tokio::test]
async fn what_is_not_understood_outdates_all_of_main() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox, "precision = \"related\"").await;
    let merged = json!({"event": "branch_merged", "object_type": "netbox_branching.branch", "request_id": null,
                        "data": {"name": "one", "schema_id": "aaaaaaaa", "status": "merged", "id": 1}});
    let told = [
        (body((4, 6), "updated", "some_plugin", "thing", "x").to_string(), 204),
        (body((4, 6), "painted", "dcim", "rack", "x").to_string(), 204),
        (body((4, 6), "job_ended", "extras", "script", "x").to_string(), 204),
        (merged.to_string(), 204),
        ("{}".to_owned(), 204),
        ("[1, 2".to_owned(), 400),
        ("<html>".to_owned(), 400),
        (String::new(), 400),
    ];
    for (text, status) in told {
        proxy.get(SITE).await;
        assert!(proxy.get(SITE).await.is_hit(), "before {text}");
        assert_eq!(tell(&proxy.url(), &text).await.status, status, "{text}");
        assert!(!proxy.get(SITE).await.is_hit(), "after {text}");
        proxy.clock.push(Duration::from_secs(3));
    }
}

#[tokio::test]
async fn who_has_not_signed_is_not_believed() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox, "").await;
    proxy.get(SITE).await;
    let text = site_changed().to_string();
    let right = sign(SECRET, text.as_bytes());
    let mut changed = text.clone().into_bytes();
    changed[20] ^= 1;
    let changed = String::from_utf8(changed).expect("still text");
    let told = [
        ("none", None, &text),
        ("empty", Some(String::new()), &text),
        ("another secret's", Some(sign("s3cret-of-the-hooj", text.as_bytes())), &text),
        ("one digit short", Some(right[1..].to_owned()), &text),
        ("one byte short", Some(right[2..].to_owned()), &text),
        ("too long", Some(format!("{right}00")), &text),
        ("prefixed", Some(format!("sha512={right}")), &text),
        ("not hexadecimal", Some(right.replace('0', "g")), &text),
        ("of another body", Some(right.clone()), &changed),
        ("a client key", Some("0123456789abcdef0123456789abcdef01234567".to_owned()), &text),
    ];
    for (what, signature, body) in told {
        let mut ask = post(&proxy.url()).body(body.clone());
        if let Some(signature) = &signature {
            ask = ask.header("x-hook-signature", signature);
        }
        let answer = ask.send().await;
        assert_eq!(answer.status, 403, "{what}");
        assert!(answer.detail().ends_with("(nbproxy: the signature is missing or wrong)"), "{what}: {}", answer.text());
        assert!(proxy.get(SITE).await.is_hit(), "{what}");
    }
    let upper = post(&proxy.url()).header("x-hook-signature", &right.to_uppercase()).body(text);
    assert_eq!(upper.send().await.status, 204, "digits are digits");
    assert!(!proxy.get(SITE).await.is_hit());
}

/// Signed by Python's `hmac`, as NetBox signs.
#[tokio::test]
async fn what_another_library_has_signed_is_believed() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox, "").await;
    let text = r#"{"event": "updated", "object_type": "dcim.site", "data": {"id": 1, "name": "Zürich"}}"#;
    let signature = "1d2ee3af3592de1e2d3300e47b11adfd901ad5112998595fe2f0770028267446f301cb6b93bd69ab301b39e3ccd4344f23f76389225c1c0a07b8b9fdccaddbbc";
    let answer = post(&proxy.url()).header("x-hook-signature", signature).body(text).send().await;
    assert_eq!(answer.status, 204);
}

#[tokio::test]
async fn a_body_has_a_mebibyte_at_most() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox, "").await;
    proxy.get(SITE).await;
    let (head, tail) = ("{\"event\": \"updated\", \"data\": \"", "\"}");
    let long = |bytes: usize| format!("{head}{}{tail}", "x".repeat(bytes - head.len() - tail.len()));
    let most = 1024 * 1024;
    let text = long(most + 1);
    let signature = sign(SECRET, text.as_bytes());
    let announced = post(&proxy.url()).header("x-hook-signature", &signature).body(text.clone()).send().await;
    let parts: Vec<_> = text.as_bytes().chunks(64 * 1024).map(|part| Ok::<_, std::io::Error>(part.to_vec())).collect();
    let unannounced = reqwest::Body::wrap_stream(futures_util::stream::iter(parts));
    let unannounced = post(&proxy.url()).header("x-hook-signature", &signature).body(unannounced).send().await;
    for answer in [announced, unannounced] {
        assert_eq!((answer.status, answer.detail().contains("larger than 1048576 bytes")), (413, true));
    }
    assert!(proxy.get(SITE).await.is_hit());
    assert_eq!(tell(&proxy.url(), &long(most)).await.status, 204);
    assert!(!proxy.get(SITE).await.is_hit());
}

/// Who sends a body is not known before it is there. So many are read at once and no more, and none for long.
#[tokio::test]
async fn who_dawdles_keeps_netbox_out_for_a_while_at_most() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox, "").await;
    let head = format!("POST /-/webhooks/netbox HTTP/1.1\r\nhost: x\r\nx-hook-signature: {}\r\n", "0".repeat(128));
    let mut dawdlers = Vec::new();
    for _ in 0..64 {
        let mut dawdler = Raw::connect(proxy.address()).await;
        dawdler.write(&format!("{head}content-length: 1000000\r\n\r\n{{")).await;
        dawdlers.push(dawdler);
    }
    proxy.wait_for_requests(64).await;
    proxy.get(SITE).await;
    let (url, text) = (proxy.url(), site_changed().to_string());
    let right = start(async move { tell(&url, &text).await });
    proxy.wait_for_requests(65).await;
    assert!(proxy.get(SITE).await.is_hit(), "it waits, and nobody else does");
    assert_eq!(within(right).await.expect("it ends").status, 204);
    assert!(!proxy.get(SITE).await.is_hit());
    let told = within(dawdlers.remove(0).until("whole")).await;
    assert!(told.starts_with("HTTP/1.1 400 ") && told.contains("did not arrive whole"), "{told}");
}

#[tokio::test]
async fn the_path_is_there_only_with_a_secret_and_only_for_post() {
    let netbox = FakeNetbox::start().await;
    let with = proxy(&netbox, "").await;
    for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
        let answer = with.ask(method, "/-/webhooks/netbox").send().await;
        assert_eq!((answer.status, answer.header("allow")), (405, "POST"), "{method}");
    }
    for other in ["/-/webhooks/", "/-/webhooks/netbox/x", "/-/webhooks/other"] {
        assert_eq!(with.ask("POST", other).send().await.status, 404, "{other}");
    }
    let without = TestProxy::before(&netbox).await;
    let text = site_changed().to_string();
    for answer in [tell(&without.url(), &text).await, without.get("/-/webhooks/netbox").await] {
        let nowhere = without.get("/-/anything").await;
        assert_eq!((answer.status, answer.text()), (404, nowhere.text()));
    }
}

/// No key is wanted, and none is of use.
#[tokio::test]
async fn a_webhook_needs_no_client_key() {
    let netbox = FakeNetbox::start().await;
    let clients = format!("[access]\nanonymous = \"deny\"\n{}", client("a", ""));
    let proxy = TestProxy::builder(&netbox).settings(&settings("")).settings(&clients).start().await;
    let get = || proxy.ask("GET", SITE).by("a").send();
    get().await;
    assert_eq!(proxy.get(SITE).await.status, 403);
    let unsigned = post(&proxy.url()).by("a").body("{}").send().await;
    assert_eq!(unsigned.status, 403);
    assert!(get().await.is_hit());
    hook(&proxy, &site_changed()).await;
    assert!(!get().await.is_hit());
}

/// NetBox before 4.5.7 sends webhooks amid a merge: what is fetched then is from before it.
#[tokio::test]
async fn what_is_read_between_a_webhook_and_its_commit_is_not_kept() {
    for version in ["4.5.6", "4.6.8"] {
        let netbox = FakeNetbox::builder().version(version).start().await;
        let proxy = proxy(&netbox, "").await;
        let description = async || proxy.get(SITE).await.json()["description"].clone();
        assert_eq!(description().await, "");
        let mut merge = netbox.begin();
        merge.edit("dcim/sites", 1, json!({"description": "merged"}));
        hook(&proxy, &site_changed()).await;
        let early = proxy.get(SITE).await;
        assert_eq!(early.json()["description"], "");
        assert!(early.cache().ends_with("detail=changed"), "{}", early.cache());
        merge.commit();
        assert_eq!(description().await, "merged");
        // The doubt is over, and nothing from before the commit was kept.
        proxy.clock.push(Duration::from_secs(3));
        assert_eq!(description().await, "merged");
        assert!(proxy.get(SITE).await.is_hit());
    }
}

/// A fetch that began before the commit may end after the doubt.
#[tokio::test]
async fn what_was_fetched_in_doubt_is_not_kept_however_late_it_comes() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox, "").await;
    hook(&proxy, &site_changed()).await;
    let held = netbox.hold("GET", SITE, HoldPoint::BeforeAnswer);
    let slow = start(proxy.ask("GET", SITE).send());
    within(held.arrived(1)).await;
    netbox.edit_unlogged("dcim/sites", 1, json!({"description": "committed"}));
    proxy.clock.push(Duration::from_secs(3));
    let next = start(proxy.ask("GET", SITE).send());
    within(held.arrived(2)).await;
    held.release();
    assert_eq!(slow.await.expect("it ends").json()["description"], "");
    assert_eq!(next.await.expect("it ends").json()["description"], "committed", "nobody joins what began in doubt");
    assert_eq!(proxy.get(SITE).await.json()["description"], "committed");
}

async fn followed(netbox: &FakeNetbox, poll: &str) -> TestProxy {
    let proxy = proxy(netbox, &format!("changelog_poll = {poll:?}")).await;
    proxy.follows().await;
    proxy
}

/// NetBox 4.6 sends webhooks after the commit, and what it does not, the changelog tells.
#[tokio::test]
async fn where_changes_are_followed_answers_are_kept_at_once() {
    let netbox = FakeNetbox::start().await;
    let proxy = followed(&netbox, "20ms").await;
    let mut late = netbox.begin();
    late.edit("dcim/sites", 1, json!({"description": "late"}));
    hook(&proxy, &site_changed()).await;
    assert_eq!(proxy.get(SITE).await.json()["description"], "");
    assert!(proxy.get(SITE).await.is_hit());
    late.commit();
    until(async || proxy.get(SITE).await.json()["description"] == "late").await;
    let older = FakeNetbox::builder().version("4.5.6").start().await;
    let proxy = followed(&older, "20ms").await;
    hook(&proxy, &site_changed()).await;
    assert!(proxy.get(SITE).await.cache().ends_with("detail=changed"));
}

#[tokio::test]
async fn a_webhook_has_the_changelog_looked_at_now() {
    let netbox = FakeNetbox::start().await;
    let proxy = followed(&netbox, "1h").await;
    let rack = "/api/dcim/racks/1/";
    proxy.get(rack).await;
    // The webhook tells of one change, the changelog of all that were made with it.
    netbox.edit("dcim/racks", 1, json!({"comments": "cascaded"}));
    let before = netbox.count("GET", CHANGES);
    hook(&proxy, &site_changed()).await;
    until(async || netbox.count("GET", CHANGES) != before).await;
    until(async || proxy.metric("nbproxy_changelog_rows_total").await >= 1.0).await;
    assert_eq!(proxy.get(rack).await.json()["comments"], "cascaded");
}

/// A webhook does not tell in which branch the change was made.
#[tokio::test]
async fn every_branchs_answers_are_outdated() {
    for precision in ["branch", "related"] {
        let netbox = FakeNetbox::start().await;
        let (one, two) = (netbox.add_branch("one", "ready"), netbox.add_branch("two", "ready"));
        let proxy = proxy(&netbox, &format!("precision = {precision:?}")).await;
        let get = |branch: &str| proxy.ask("GET", SITE).header("x-netbox-branch", branch).send();
        for branch in [&one, &two] {
            get(branch).await;
            assert!(get(branch).await.is_hit());
        }
        netbox.edit_in(&one, "dcim/sites", 1, json!({"description": "in one"}));
        hook(&proxy, &site_changed()).await;
        assert_eq!(get(&one).await.json()["description"], "in one");
        assert!(get(&two).await.cache().starts_with("fwd=stale"));
        assert!(get(&one).await.cache().ends_with("detail=changed"), "nor is anything of a branch kept in doubt");
    }
}

#[expect(clippy::disallowed_methods, reason = "how often something may happen is a matter of time")]
#[tokio::test]
async fn a_flood_of_webhooks_costs_netbox_next_to_nothing() {
    let netbox = FakeNetbox::start().await;
    let alone = proxy(&netbox, "").await;
    netbox.clear_log();
    let text = site_changed().to_string();
    for _ in 0..300 {
        assert_eq!(tell(&alone.url(), &text).await.status, 204);
    }
    assert_eq!(netbox.log().len(), 0);
    let followed = followed(&netbox, "1h").await;
    netbox.clear_log();
    let began = Instant::now();
    for _ in 0..300 {
        assert_eq!(tell(&followed.url(), &text).await.status, 204);
    }
    let looks = u128::try_from(netbox.log().len()).expect("a number");
    assert!(looks <= began.elapsed().as_millis() / 200 + 1, "{looks} looks at the changelog");
}

#[tokio::test]
async fn nbproxys_own_writes_are_not_told_of_twice() {
    let netbox = FakeNetbox::start().await;
    let branch = netbox.add_branch("one", "ready");
    let proxy = proxy(&netbox, "").await;
    let patch = |branch: &str| {
        let ask = proxy.ask("PATCH", SITE).json(&json!({"description": branch}));
        if branch.is_empty() { ask } else { ask.header("x-netbox-branch", branch) }
    };
    let id = patch("").send().await.header("x-request-id").to_owned();
    proxy.get(SITE).await;
    for version in VERSIONS {
        hook(&proxy, &body(version, "updated", "dcim", "site", &id)).await;
        assert!(proxy.get(SITE).await.is_hit(), "{version:?}");
    }
    assert_eq!(proxy.metric("nbproxy_epoch_bumps_total{source=\"webhook\"}").await, 0.0);
    for other in [body((4, 6), "job_ended", "dcim", "site", &id), body((4, 6), "updated", "dcim", "site", "other")] {
        hook(&proxy, &other).await;
        assert!(!proxy.get(SITE).await.is_hit(), "{other}");
        proxy.clock.push(Duration::from_secs(3));
        proxy.get(SITE).await;
    }
    // A merge brings a branch's changes to main under their own ids.
    let id = patch(&branch).send().await.header("x-request-id").to_owned();
    proxy.get(SITE).await;
    hook(&proxy, &body((4, 6), "updated", "dcim", "site", &id)).await;
    assert!(!proxy.get(SITE).await.is_hit());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_secret_is_in_no_log_line_and_is_followed() {
    let netbox = FakeNetbox::start().await;
    let log = "[log]\nfilter = \"trace\"\n[server]\nreload_poll = \"0s\"\n";
    let daemon = Daemon::before(&netbox, &format!("{log}{}", settings("changelog_poll = \"0s\"")));
    let text = site_changed().to_string();
    assert_eq!(tell(daemon.url(), &text).await.status, 204);
    let wrong = post(daemon.url()).header("x-hook-signature", &sign("another", text.as_bytes())).body(text.clone());
    assert_eq!(wrong.send().await.status, 403);
    daemon.rewrite(&format!("{log}[invalidation]\nwebhook_secret = \"another\"\nchangelog_poll = \"0s\""));
    daemon.signal("HUP");
    until(async || figure(daemon.admin(), "nbproxy_settings_read_total{result=\"applied\"}").await >= 1.0).await;
    assert_eq!(tell(daemon.url(), &text).await.status, 403, "the old secret opens nothing any more");
    let right = post(daemon.url()).header("x-hook-signature", &sign("another", text.as_bytes())).body(text.clone());
    assert_eq!(right.send().await.status, 204);
    let (_, log) = daemon.stop();
    for line in &log {
        assert!(!line.contains(SECRET) && !line.contains(&sign(SECRET, text.as_bytes())), "a secret in {line}");
    }
    assert!(log.iter().any(|line| line.contains("a webhook tells of a change") && line.contains("DEBUG")));
    let lines: Vec<Value> = log.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let requests = lines.iter().filter(|line| line["endpoint"] == "webhook");
    let outcomes: Vec<_> = requests.map(|line| format!("{} {}", line["status"], line["outcome"])).collect();
    assert_eq!(outcomes, ["204 \"webhook\"", "403 \"denied\"", "403 \"denied\"", "204 \"webhook\""]);
    assert!(log.iter().all(|line| !line.contains("want a restart")));
}
