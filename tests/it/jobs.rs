//! Jobs: until one has ended, nothing is kept of what it may change, and nobody who did not consent is served it from
//! memory. The clock of these tests stands still: what is kept again is kept because the job was seen to have ended.

use std::time::Duration;

use fake_netbox::{FakeNetbox, Fault, HoldPoint, Match};
use serde_json::{Value, json};

use crate::support::{Answer, TestProxy, client, start, until, within};

const SITE: &str = "/api/dcim/sites/1/";
const RACKS: &str = "/api/dcim/racks/";

const SETTINGS: &str = "[invalidation]\njob_poll = \"10ms\"\nlongest_job = \"15m\"\n";

async fn proxy(netbox: &FakeNetbox) -> TestProxy {
    TestProxy::builder(netbox).settings(SETTINGS).start().await
}

async fn get(proxy: &TestProxy, target: &str, branch: &str) -> Answer {
    let ask = proxy.ask("GET", target);
    if branch.is_empty() { ask.send().await } else { ask.header("x-netbox-branch", branch).send().await }
}

async fn post(proxy: &TestProxy, target: &str, body: Value) -> Answer {
    let answer = proxy.ask("POST", target).json(&body).send().await;
    assert!((200..300).contains(&answer.status), "{target}: {}", answer.text());
    answer
}

/// Whether this is remembered: a second look is answered from memory.
async fn is_kept(proxy: &TestProxy, target: &str, branch: &str) -> bool {
    get(proxy, target, branch).await;
    get(proxy, target, branch).await.is_hit()
}

/// Waits until so many jobs are followed.
async fn followed(proxy: &TestProxy, jobs: f64) {
    until(async || proxy.metric("nbproxy_jobs_followed").await == jobs).await;
}

/// Waits until NetBox has been asked as often as this for something that begins so.
async fn asked(netbox: &FakeNetbox, prefix: &str, times: usize) {
    until(async || netbox.log().iter().filter(|request| request.path.starts_with(prefix)).count() >= times).await;
}

#[tokio::test]
async fn while_a_merge_is_under_way_nothing_is_coherent_and_afterwards_all_is_seen() {
    let netbox = FakeNetbox::start().await;
    let branch = netbox.add_branch("one", "ready");
    netbox.edit_in(&branch, "dcim/sites", 1, json!({"description": "merged"}));
    let clients = client("strict", "access = \"write\"") + &client("easy", "access = \"write\"\nmax_stale = \"20s\"");
    let proxy = TestProxy::builder(&netbox).settings(&(SETTINGS.to_owned() + &clients)).start().await;
    let ask = |method: &str, target: &str, name: &str| proxy.ask(method, target).by(name);
    for target in [SITE, RACKS] {
        ask("GET", target, "strict").send().await;
        assert!(ask("GET", target, "strict").send().await.is_hit());
    }
    let merge = ask("POST", "/api/plugins/branching/branches/1/merge/", "strict").json(&json!({"commit": true}));
    assert_eq!(merge.send().await.json()["status"]["value"], "pending");
    // Waiting, then running.
    for _ in 0..2 {
        for _ in 0..2 {
            let strict = ask("GET", SITE, "strict").send().await;
            assert!(strict.cache().ends_with("detail=changed"), "{}", strict.cache());
            assert_eq!(strict.json()["description"], "");
            let easy = ask("GET", SITE, "easy").send().await;
            assert_eq!(easy.cache(), "hit; ttl=-0; detail=outdated");
        }
        assert_eq!(proxy.metric("nbproxy_jobs_followed").await, 1.0);
        netbox.start_jobs();
    }
    netbox.finish_jobs();
    assert_eq!(ask("GET", SITE, "strict").send().await.json()["description"], "merged");
    followed(&proxy, 0.0).await;
    for target in [SITE, RACKS] {
        let first = ask("GET", target, "strict").send().await;
        assert!(first.cache().contains("stored"), "{}", first.cache());
        assert!(ask("GET", target, "strict").send().await.is_hit());
    }
    assert!(proxy.metric("nbproxy_epoch_bumps_total{source=\"job\"}").await >= 1.0);
}

#[tokio::test]
async fn what_was_read_while_a_job_ran_is_not_kept_however_late_it_arrives() {
    let netbox = FakeNetbox::start().await;
    netbox.add_branch("one", "ready");
    let proxy = proxy(&netbox).await;
    post(&proxy, "/api/plugins/branching/branches/1/merge/", json!({})).await;
    let hold = netbox.hold("GET", SITE, HoldPoint::BeforeAnswer);
    let early = start(proxy.ask("GET", SITE).send());
    hold.arrived(1).await;
    netbox.edit_unlogged("dcim/sites", 1, json!({"description": "by the job"}));
    netbox.finish_jobs();
    followed(&proxy, 0.0).await;
    hold.release();
    let early = early.await.expect("it ran");
    assert_eq!((early.json()["description"].as_str(), early.cache()), (Some(""), "fwd=miss; detail=changed"));
    assert_eq!(proxy.get(SITE).await.json()["description"], "by the job");
}

#[tokio::test]
async fn a_revert_is_waited_for() {
    let netbox = FakeNetbox::start().await;
    let branch = netbox.add_branch("one", "ready");
    netbox.edit_in(&branch, "dcim/sites", 1, json!({"description": "merged"}));
    let proxy = proxy(&netbox).await;
    post(&proxy, "/api/plugins/branching/branches/1/merge/", json!({})).await;
    netbox.finish_jobs();
    followed(&proxy, 0.0).await;
    assert!(is_kept(&proxy, SITE, "").await);
    post(&proxy, "/api/plugins/branching/branches/1/revert/", json!({})).await;
    assert!(!is_kept(&proxy, SITE, "").await);
    netbox.finish_jobs();
    assert_eq!(proxy.get(SITE).await.json()["description"], "");
    followed(&proxy, 0.0).await;
    assert!(is_kept(&proxy, SITE, "").await);
}

#[tokio::test]
async fn a_sync_concerns_its_branch_alone() {
    let netbox = FakeNetbox::start().await;
    let (one, two) = (netbox.add_branch("one", "ready"), netbox.add_branch("two", "ready"));
    let proxy = proxy(&netbox).await;
    netbox.edit("dcim/sites", 1, json!({"description": "in main"}));
    for branch in ["", &one, &two] {
        assert!(is_kept(&proxy, SITE, branch).await);
    }
    post(&proxy, "/api/plugins/branching/branches/1/sync/", json!({"commit": true})).await;
    assert!(get(&proxy, SITE, "").await.is_hit() && get(&proxy, SITE, &two).await.is_hit());
    assert!(!is_kept(&proxy, SITE, &one).await);
    assert_eq!(get(&proxy, SITE, &one).await.json()["description"], "");
    // Its status is known at once, since nbproxy knows of the job.
    netbox.start_jobs();
    let refused = get(&proxy, SITE, &one).await;
    assert_eq!((refused.status, refused.detail().contains("its status is syncing")), (400, true), "{}", refused.text());
    netbox.finish_jobs();
    followed(&proxy, 0.0).await;
    assert_eq!(get(&proxy, SITE, &one).await.json()["description"], "in main");
    assert!(is_kept(&proxy, SITE, &one).await && get(&proxy, SITE, "").await.is_hit());
}

/// The answer is the data source, not its job, and nothing of what is done stands in the changelog.
#[tokio::test]
async fn a_data_sources_sync_is_found_and_waited_for() {
    let netbox = FakeNetbox::start().await;
    let source = netbox.create("core/data-sources", json!({"name": "ds", "source_url": "/srv"}));
    let proxy = proxy(&netbox).await;
    let contexts = "/api/dcim/devices/1/";
    assert!(is_kept(&proxy, contexts, "").await);
    post(&proxy, &format!("/api/core/data-sources/{source}/sync/"), json!({})).await;
    netbox.start_jobs();
    asked(&netbox, "/api/core/jobs/", 3).await;
    assert!(!is_kept(&proxy, contexts, "").await);
    netbox.edit_unlogged("dcim/devices", 1, json!({"comments": "by files"}));
    netbox.finish_jobs();
    followed(&proxy, 0.0).await;
    assert_eq!(proxy.get(contexts).await.json()["comments"], "by files");
    assert!(is_kept(&proxy, contexts, "").await);
    let question = netbox.log().into_iter().find(|request| request.path == "/api/core/jobs/").expect("it was asked");
    assert_eq!(question.param("object_id"), Some(source.to_string().as_str()));
    // Saved without an interval it starts nothing; with one it does.
    let save = async |interval: Value| {
        let patch = proxy.ask("PATCH", &format!("/api/core/data-sources/{source}/"));
        assert_eq!(patch.json(&json!({"sync_interval": interval})).send().await.status, 200);
    };
    save(Value::Null).await;
    followed(&proxy, 0.0).await;
    save(json!(60)).await;
    netbox.clear_log();
    asked(&netbox, "/api/core/jobs/", 3).await;
    assert!(!is_kept(&proxy, contexts, "").await);
    netbox.finish_jobs();
    followed(&proxy, 0.0).await;
}

#[tokio::test]
async fn a_script_may_change_anything_until_it_has_run() {
    let netbox = FakeNetbox::start().await;
    let branch = netbox.add_branch("one", "ready");
    let script = format!("/api/extras/scripts/{}/", netbox.create("extras/scripts", json!({"name": "Renumber"})));
    let proxy = proxy(&netbox).await;
    for end in [FakeNetbox::finish_jobs, FakeNetbox::fail_jobs] {
        post(&proxy, &script, json!({"data": {}, "commit": true})).await;
        netbox.start_jobs();
        assert!(!is_kept(&proxy, SITE, "").await && !is_kept(&proxy, SITE, &branch).await);
        end(&netbox);
        followed(&proxy, 0.0).await;
        assert!(is_kept(&proxy, SITE, "").await && is_kept(&proxy, SITE, &branch).await);
    }
    // One that is to run another day is not waited for; what it does then counts as done elsewhere.
    post(&proxy, &script, json!({"data": {}, "commit": true, "schedule_at": "2030-01-01T00:00:00Z"})).await;
    followed(&proxy, 0.0).await;
    assert!(is_kept(&proxy, SITE, "").await);
}

/// From NetBox 4.7 on: 202, and the job in it.
#[tokio::test]
async fn a_bulk_write_in_the_background_is_waited_for_in_its_branch() {
    let netbox = FakeNetbox::builder().version("4.7.0").start().await;
    let branch = netbox.add_branch("one", "ready");
    let proxy = proxy(&netbox).await;
    assert!(is_kept(&proxy, SITE, "").await && is_kept(&proxy, SITE, &branch).await);
    let write = async |body: Value| {
        let patch = proxy.ask("PATCH", "/api/dcim/sites/?background=true").header("x-netbox-branch", &branch);
        patch.json(&body).send().await.status
    };
    assert_eq!(write(json!([{"id": 1, "description": "later"}])).await, 202);
    assert!(get(&proxy, SITE, "").await.is_hit());
    assert!(!is_kept(&proxy, SITE, &branch).await);
    assert_eq!(get(&proxy, SITE, &branch).await.json()["description"], "");
    netbox.finish_jobs();
    assert_eq!(get(&proxy, SITE, &branch).await.json()["description"], "later");
    followed(&proxy, 0.0).await;
    assert!(is_kept(&proxy, SITE, &branch).await);
    // Without a list it is carried out at once, and no job is looked for.
    netbox.clear_log();
    let single = proxy.ask("POST", "/api/dcim/sites/?background=true").json(&json!({"name": "x", "slug": "x"}));
    assert_eq!(single.send().await.status, 201);
    assert!(is_kept(&proxy, SITE, "").await);
    assert_eq!(netbox.count("GET", "/api/core/jobs/"), 0);
}

/// A worker was killed: its job's row says `running` for ever. And if it was not killed, its end is seen all the same.
#[tokio::test]
async fn a_job_that_does_not_end_is_waited_for_so_long_and_no_longer() {
    let netbox = FakeNetbox::start().await;
    netbox.add_branch("one", "ready");
    let proxy = proxy(&netbox).await;
    post(&proxy, "/api/plugins/branching/branches/1/merge/", json!({})).await;
    netbox.start_jobs();
    asked(&netbox, "/api/core/jobs/", 2).await;
    proxy.clock.push(Duration::from_secs(14 * 60));
    asked(&netbox, "/api/core/jobs/", 4).await;
    assert!(!is_kept(&proxy, RACKS, "").await);
    proxy.clock.push(Duration::from_secs(61));
    until(async || is_kept(&proxy, RACKS, "").await).await;
    netbox.edit_unlogged("dcim/sites", 1, json!({"description": "late"}));
    netbox.finish_jobs();
    until(async || !get(&proxy, RACKS, "").await.is_hit()).await;
    followed(&proxy, 0.0).await;
}

#[tokio::test]
async fn a_job_that_nobody_may_see_is_waited_for_unseen() {
    let netbox = FakeNetbox::start().await;
    netbox.add_branch("one", "ready");
    let proxy = proxy(&netbox).await;
    let forbidden = "{\"detail\":\"You do not have permission to perform this action.\"}".to_owned();
    netbox.fault(Match::prefix("GET", "/api/core/jobs/"), Fault::Status(403, "application/json", forbidden));
    post(&proxy, "/api/plugins/branching/branches/1/merge/", json!({})).await;
    asked(&netbox, "/api/core/jobs/", 1).await;
    netbox.finish_jobs();
    proxy.clock.push(Duration::from_secs(14 * 60));
    for _ in 0..20 {
        assert!(!is_kept(&proxy, RACKS, "").await);
    }
    assert_eq!(netbox.log().iter().filter(|request| request.path.starts_with("/api/core/jobs/")).count(), 1);
    proxy.clock.push(Duration::from_secs(61));
    followed(&proxy, 0.0).await;
    assert!(is_kept(&proxy, RACKS, "").await);
}

/// Of a branch's sync that cannot be followed main keeps what it has, until nobody waits any longer.
#[tokio::test]
async fn a_sync_that_nobody_may_see_outdates_everything_in_the_end() {
    let netbox = FakeNetbox::start().await;
    let branch = netbox.add_branch("one", "ready");
    let proxy = proxy(&netbox).await;
    let forbidden = "{\"detail\":\"You do not have permission to perform this action.\"}".to_owned();
    netbox.fault(Match::prefix("GET", "/api/core/jobs/"), Fault::Status(403, "application/json", forbidden));
    assert!(is_kept(&proxy, SITE, &branch).await && is_kept(&proxy, RACKS, "").await);
    post(&proxy, "/api/plugins/branching/branches/1/sync/", json!({})).await;
    asked(&netbox, "/api/core/jobs/", 1).await;
    assert!(get(&proxy, RACKS, "").await.is_hit() && !is_kept(&proxy, SITE, &branch).await);
    proxy.clock.push(Duration::from_secs(15 * 60));
    followed(&proxy, 0.0).await;
    let next = get(&proxy, RACKS, "").await;
    assert_eq!(next.cache(), "fwd=stale; stored; detail=outdated");
}

/// What has no job in its answer, and none to be looked for.
#[tokio::test]
async fn an_accepted_write_without_a_job_is_waited_for_unseen() {
    let netbox = FakeNetbox::start().await;
    let proxy = proxy(&netbox).await;
    netbox.fault(Match::path("POST", "/api/dcim/sites/"), Fault::Status(202, "application/json", "{}".to_owned()));
    post(&proxy, "/api/dcim/sites/", json!({})).await;
    proxy.clock.push(Duration::from_secs(14 * 60));
    assert!(!is_kept(&proxy, RACKS, "").await);
    proxy.clock.push(Duration::from_secs(61));
    followed(&proxy, 0.0).await;
    assert!(is_kept(&proxy, RACKS, "").await);
}

#[tokio::test]
async fn a_job_is_followed_through_netboxs_failures_and_its_own_deletion() {
    let netbox = FakeNetbox::start().await;
    netbox.add_branch("one", "ready");
    let proxy = proxy(&netbox).await;
    let merge = post(&proxy, "/api/plugins/branching/branches/1/merge/", json!({})).await.json();
    let job = merge["id"].as_u64().expect("a job");
    asked(&netbox, "/api/core/jobs/", 1).await;
    netbox.fault(Match::prefix("GET", "/api/core/jobs/"), Fault::Status(502, "text/html", "<html>".to_owned()));
    netbox.clear_log();
    asked(&netbox, "/api/core/jobs/", 3).await;
    assert!(!is_kept(&proxy, RACKS, "").await);
    netbox.clear_faults();
    netbox.remove("core/jobs", job);
    followed(&proxy, 0.0).await;
    assert!(is_kept(&proxy, RACKS, "").await);
}

/// The client was told 504; what NetBox answered afterwards names the job.
#[tokio::test]
async fn a_job_is_followed_whose_answer_came_too_late_for_its_client() {
    let netbox = FakeNetbox::start().await;
    netbox.add_branch("one", "ready");
    let settings = format!("{SETTINGS}[upstream]\ntimeout = \"500ms\"\n");
    let proxy = TestProxy::builder(&netbox).settings(&settings).start().await;
    let hold = netbox.hold("POST", "/api/plugins/branching/branches/1/merge/", HoldPoint::BeforeAnswer);
    let merge = proxy.ask("POST", "/api/plugins/branching/branches/1/merge/").json(&json!({})).send().await;
    assert_eq!(merge.status, 504);
    assert!(!is_kept(&proxy, RACKS, "").await);
    hold.release();
    followed(&proxy, 1.0).await;
    assert!(!is_kept(&proxy, RACKS, "").await);
    netbox.finish_jobs();
    followed(&proxy, 0.0).await;
    assert!(is_kept(&proxy, RACKS, "").await);
}

#[tokio::test]
async fn shutdown_does_not_wait_for_jobs() {
    let netbox = FakeNetbox::start().await;
    netbox.add_branch("one", "ready");
    let settings = format!("{SETTINGS}[server]\nshutdown_grace = \"1h\"\n");
    let proxy = TestProxy::builder(&netbox).settings(&settings).start().await;
    post(&proxy, "/api/plugins/branching/branches/1/merge/", json!({})).await;
    within(proxy.stop()).await.expect("it ends");
}
