//! `nbproxy webhook install`: what NetBox holds afterwards, run once or often.

use std::process::{Command, Output};

use fake_netbox::{FakeNetbox, Fault, Match};
use serde_json::{Value, json};

const SECRET: &str = "s3cret-of-the-hook";
const URL: &str = "https://nbproxy.example.com/-/webhooks/netbox";
const WEBHOOKS: &str = "/api/extras/webhooks/";
const RULES: &str = "/api/extras/event-rules/";

fn run(netbox: &FakeNetbox, token: &str, secret: &str, more: &[&str]) -> Output {
    let url = netbox.url();
    let mut command = Command::new(env!("CARGO_BIN_EXE_nbproxy"));
    command.env_clear().envs([
        ("NBPROXY__UPSTREAM__URL", url.as_str()),
        ("NBPROXY__UPSTREAM__TOKEN", token),
        ("NBPROXY__INVALIDATION__WEBHOOK_SECRET", secret),
    ]);
    command.args(["webhook", "install"]).args(more).output().expect("it runs")
}

fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn install(netbox: &FakeNetbox) -> String {
    let output = run(netbox, netbox.token(), SECRET, &["--url", URL]);
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(!text.contains(SECRET) && !text.contains(netbox.token()), "{text}");
    text
}

fn names(value: &Value) -> Vec<&str> {
    value.as_array().expect("a list").iter().map(|name| name.as_str().expect("a name")).collect()
}

/// How often something was changed there.
fn writes(netbox: &FakeNetbox) -> usize {
    netbox.log().iter().filter(|request| request.method != "GET").count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_makes_a_webhook_and_a_rule_and_run_again_nothing_more() {
    let netbox = FakeNetbox::start().await;
    let text = install(&netbox);
    // The seed has a webhook of its own.
    let (webhook, rule) = (netbox.get("extras/webhooks", 2), netbox.get("extras/event-rules", 1));
    let (webhook, rule) = (webhook.expect("it was made"), rule.expect("it was made"));
    let expected = json!({"name": "nbproxy", "payload_url": URL, "http_method": "POST", "secret": SECRET,
                          "http_content_type": "application/json", "body_template": "", "ssl_verification": true});
    for (name, value) in expected.as_object().expect("it is one") {
        assert_eq!(&webhook[name], value, "{name}");
    }
    let expected = json!({"name": "nbproxy", "enabled": true, "conditions": null, "action_object_id": 2,
                          "action_object_type": "extras.webhook"});
    for (name, value) in expected.as_object().expect("it is one") {
        assert_eq!(&rule[name], value, "{name}");
    }
    let types = names(&rule["object_types"]);
    assert!(types.contains(&"dcim.site") && types.contains(&"netbox_branching.branch"), "{types:?}");
    assert!(!types.contains(&"users.token"), "no rule may name it: {types:?}");
    let events = names(&rule["event_types"]);
    assert!(events.starts_with(&["object_created", "object_updated", "object_deleted", "branch_provisioned"]));
    let breaks = |event: &&str| event.starts_with("job_") || *event == "branch_deprovisioned";
    assert!(!events.iter().any(breaks), "a rule that hears of these breaks NetBox: {events:?}");
    assert!(text.contains("webhook \"nbproxy\" (2): created; POST https://nbproxy.example.com/"), "{text}");
    assert!(text.contains(&format!("event rule \"nbproxy\" (1): created; {} object types, ", types.len())), "{text}");

    // The order of a set is nobody's.
    let reversed = |list: &Value| list.as_array().expect("a list").iter().rev().cloned().collect::<Value>();
    let other = json!({"object_types": reversed(&rule["object_types"]), "event_types": reversed(&rule["event_types"])});
    netbox.edit("extras/event-rules", 1, other);
    netbox.clear_log();
    let text = install(&netbox);
    assert_eq!((writes(&netbox), text.matches("as it should be").count()), (0, 2), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_mends_what_is_not_as_it_should_be_and_that_alone() {
    let netbox = FakeNetbox::start().await;
    install(&netbox);
    netbox.edit("extras/webhooks", 2, json!({"secret": "old", "ssl_verification": false, "description": "ours"}));
    netbox.edit("extras/event-rules", 1, json!({"enabled": false, "object_types": ["dcim.site"]}));
    netbox.clear_log();
    let text = install(&netbox);
    assert_eq!((writes(&netbox), text.matches("): changed;").count()), (2, 2), "{text}");
    let webhook = netbox.get("extras/webhooks", 2).expect("it is there");
    assert_eq!((&webhook["secret"], &webhook["ssl_verification"]), (&json!(SECRET), &json!(false)));
    assert_eq!(webhook["description"], "ours");
    let rule = netbox.get("extras/event-rules", 1).expect("it is there");
    assert!(rule["enabled"] == true && names(&rule["object_types"]).len() > 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_netbox_refuses_is_left_out_and_told() {
    let netbox = FakeNetbox::start().await;
    let refuse = |text: &str| Fault::Status(400, "application/json", text.to_owned());
    let types = r#"{"object_types":["Ungültiger Inhaltstyp: dcim.rack"]}"#;
    netbox.fault(Match::path("POST", RULES).times(1), refuse(types));
    let events = r#"{"event_types":{"7":["\"branch_reverted\" is not a valid choice."]}}"#;
    netbox.fault(Match::path("POST", RULES).times(1), refuse(events));
    let text = install(&netbox);
    assert!(text.contains("no event rules for it: dcim.rack, branch_reverted"), "{text}");
    let rule = netbox.get("extras/event-rules", 1).expect("it was made");
    let (types, events) = (names(&rule["object_types"]), names(&rule["event_types"]));
    assert!(!types.contains(&"dcim.rack") && types.contains(&"dcim.site"), "{types:?}");
    assert!(!events.contains(&"branch_reverted") && events.contains(&"branch_merged"), "{events:?}");
    // What is refused for another reason is no matter of leaving out.
    netbox.fault(Match::path("PATCH", "/api/extras/event-rules/1/"), refuse(r#"{"name":["Too long."]}"#));
    netbox.edit("extras/event-rules", 1, json!({"enabled": false}));
    let output = run(&netbox, netbox.token(), SECRET, &["--url", URL]);
    assert_eq!(output.status.code(), Some(1));
    assert!(printed(&output).contains("Too long."), "{}", printed(&output));
}

/// Before 4.4 object types stood elsewhere, and did not tell which of them rules may name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_netbox_is_asked_where_it_has_them() {
    let netbox = FakeNetbox::start().await;
    netbox.fault(Match::path("GET", "/api/core/object-types/"), Fault::Status(404, "text/html", String::new()));
    let row = |(id, app, model): (u64, &str, &str)| json!({"id": id, "app_label": app, "model": model});
    let rows = [(1, "auth", "group"), (2, "dcim", "site"), (3, "users", "token"), (4, "ipam", "prefix")].map(row);
    let page = json!({"count": 4, "next": null, "previous": null, "results": rows});
    netbox.blob("/api/extras/object-types/", "application/json", page.to_string());
    let text = install(&netbox);
    let rule = netbox.get("extras/event-rules", 1).expect("it was made");
    assert_eq!(names(&rule["object_types"]), ["dcim.site", "ipam.prefix"]);
    assert_eq!(names(&rule["event_types"]), ["object_created", "object_updated", "object_deleted"]);
    assert!(text.contains("no event rules for it: auth.group, users.token"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_missing_is_said_in_words() {
    let netbox = FakeNetbox::start().await;
    let output = run(&netbox, netbox.reader_token(), SECRET, &["--url", URL]);
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("403") && text.contains("view, add and change extras.webhook"), "{text}");
    for (secret, url, word) in [
        ("", URL, "invalidation.webhook_secret: NetBox and nbproxy must share a secret"),
        (SECRET, "ftp://nbproxy.example.com/", "http or https"),
        (SECRET, "nbproxy.example.com", "http or https"),
    ] {
        let output = run(&netbox, netbox.token(), secret, &["--url", url]);
        assert_eq!(output.status.code(), Some(64), "{}", printed(&output));
        assert!(printed(&output).contains(word), "{}", printed(&output));
    }
    assert_eq!(netbox.count("POST", WEBHOOKS), 0);
    let elsewhere = run(&netbox, netbox.token(), SECRET, &["--url", "http://proxy.example/hooks", "--name", "other"]);
    assert!(printed(&elsewhere).contains("takes webhooks at /-/webhooks/netbox"), "{}", printed(&elsewhere));
}
