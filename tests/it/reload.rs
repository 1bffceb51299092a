//! Settings read anew: who is let in changes at once, what is remembered stays.

use std::os::unix::fs::symlink;
use std::path::Path;

use fake_netbox::FakeNetbox;
use rustls::version::TLS13;

use crate::support::{Ask, Authority, Daemon, Secure, client, figure, trusting, until};

fn get(daemon: &Daemon, name: &str, target: &str) -> Ask {
    Ask::new("GET", &format!("{}{target}", daemon.url())).by(name)
}

async fn read(daemon: &Daemon, result: &str) -> f64 {
    figure(daemon.admin(), &format!("nbproxy_settings_read_total{{result=\"{result}\"}}")).await
}

async fn wait_for(daemon: &Daemon, result: &str, count: f64) {
    until(async || read(daemon, result).await >= count).await;
}

const SITES: &str = "/api/dcim/sites/";
const POLL: &str = "[server]\nreload_poll = \"20ms\"\n";
const SIGNAL: &str = "[server]\nreload_poll = \"0s\"\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_key_stops_working_and_the_cache_stays() {
    let netbox = FakeNetbox::start().await;
    let two = client("one", "") + &client("two", "");
    let daemon = Daemon::before(&netbox, &format!("{SIGNAL}{two}"));
    assert_eq!(get(&daemon, "one", SITES).send().await.status, 200);
    assert!(get(&daemon, "two", SITES).send().await.is_hit());
    daemon.rewrite(&format!("{SIGNAL}{}", client("two", "deny = [\"dcim/racks\"]")));
    assert!(get(&daemon, "one", SITES).send().await.is_hit(), "nobody has told it yet");
    daemon.signal("HUP");
    wait_for(&daemon, "applied", 1.0).await;
    let removed = get(&daemon, "one", SITES).send().await;
    assert_eq!((removed.status, removed.detail().as_str()), (403, "Invalid v1 token"));
    assert!(get(&daemon, "two", SITES).send().await.is_hit(), "what was remembered is remembered");
    assert_eq!(get(&daemon, "two", "/api/dcim/racks/").send().await.status, 403, "its rights have changed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_file_leaves_the_old_settings_in_force_and_is_told() {
    let netbox = FakeNetbox::start().await;
    let daemon = Daemon::before(&netbox, &format!("{POLL}{}", client("one", "")));
    daemon.rewrite(&format!("{POLL}{}", client("one", "access = \"s3cret\"") + &client("two", "")));
    wait_for(&daemon, "refused", 1.0).await;
    assert_eq!(get(&daemon, "one", SITES).send().await.status, 200);
    assert_eq!(get(&daemon, "two", SITES).send().await.status, 403);
    assert_eq!(figure(daemon.admin(), "nbproxy_settings_current").await, 0.0);
    daemon.rewrite(&format!("{POLL}{}", client("two", "")));
    wait_for(&daemon, "applied", 1.0).await;
    assert_eq!(get(&daemon, "two", SITES).send().await.status, 200);
    assert_eq!(figure(daemon.admin(), "nbproxy_settings_current").await, 1.0);
    let (_, log) = daemon.stop();
    let told = log.iter().find(|line| line.contains("the old ones stay in force")).expect("it is told");
    assert!(told.contains("clients[0].access"), "{told}");
}

/// Kubernetes mounts a ConfigMap as symbolic links into a folder, and exchanges the link to the folder.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exchanged_link_and_a_changed_token_file_are_noticed() {
    let netbox = FakeNetbox::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let version = |name: &str, token: &str| {
        let version = folder.path().join(name);
        std::fs::create_dir(&version).expect("it is made");
        std::fs::write(version.join("token"), token).expect("it is written");
    };
    let point_at = |name: &str| {
        let (new, link) = (folder.path().join("..new"), folder.path().join("..data"));
        symlink(name, &new).expect("it is made");
        std::fs::rename(new, link).expect("it is exchanged");
    };
    version("..1", "0123456789012345678901234567890123456789");
    version("..2", netbox.token());
    point_at("..1");
    let file = folder.path().join("token");
    symlink(Path::new("..data/token"), &file).expect("it is made");
    let daemon = Daemon::before(&netbox, &format!("{POLL}[upstream]\ntoken = \"\"\ntoken_file = {file:?}\n"));
    let ask = || Ask::new("GET", &format!("{}{SITES}", daemon.url())).send();
    assert_eq!(ask().await.status, 502, "NetBox does not know the first token");
    point_at("..2");
    wait_for(&daemon, "applied", 1.0).await;
    assert_eq!(ask().await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_followed_is_named() {
    let netbox = FakeNetbox::start().await;
    let daemon = Daemon::before(&netbox, SIGNAL);
    daemon.rewrite("[server]\nreload_poll = \"1h\"\n[cache]\ncapacity = \"64MiB\"\n[admin]\ntoken = \"changed\"\n");
    daemon.signal("HUP");
    wait_for(&daemon, "applied", 1.0).await;
    let (_, log) = daemon.stop();
    let told = log.iter().find(|line| line.contains("want a restart")).expect("it is told");
    for key in ["cache.capacity", "server.reload_poll", "admin.token"] {
        assert!(told.contains(key), "{told}");
    }
    assert!(!told.contains("access.") && !told.contains("changed\""), "{told}");
}

/// Whoever takes the last key away has not said that anybody may come in its stead.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_last_key_it_is_closed() {
    let netbox = FakeNetbox::start().await;
    let daemon = Daemon::before(&netbox, &format!("{SIGNAL}{}", client("one", "")));
    assert_eq!(get(&daemon, "one", SITES).send().await.status, 200);
    daemon.rewrite(SIGNAL);
    daemon.signal("HUP");
    wait_for(&daemon, "applied", 1.0).await;
    for name in ["one", "nobody"] {
        assert_eq!(get(&daemon, name, SITES).send().await.status, 403, "{name}");
    }
    daemon.rewrite(&format!("{SIGNAL}[access]\nanonymous = \"read\""));
    daemon.signal("HUP");
    wait_for(&daemon, "applied", 2.0).await;
    assert_eq!(get(&daemon, "nobody", SITES).send().await.status, 200, "now it was said");
}

/// Whoever is known by a certificate shows it again when those who sign them may have changed; nobody else is disturbed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_shown_again() {
    let netbox = FakeNetbox::start().await;
    let (authority, folder) = (Authority::new(), tempfile::tempdir().expect("a folder"));
    let files = authority.sign("nbproxy", &[]).save(folder.path());
    let signers = folder.path().join("clients.pem");
    std::fs::write(&signers, authority.pem()).expect("it is written");
    let access = "[access]\nanonymous = \"read\"\n[[clients]]\nname = \"a\"\ncertificate = \"CN=a\"\n";
    let settings = format!("{files}tls_client_ca_file = {signers:?}\nreload_poll = \"0s\"\n{access}");
    let daemon = Daemon::before(&netbox, &settings);
    let (address, identity) = (daemon.address(), authority.sign("a", &[]));
    let config = |protocol, identity| trusting(&authority, protocol, &[&TLS13], identity);
    let mut known = Vec::new();
    for protocol in ["h2", "http/1.1"] {
        let mut client = Secure::connect(address, &config(protocol, Some(&identity))).await;
        assert_eq!(client.get(address, SITES).await.status, 200);
        known.push(client);
    }
    let mut unknown = Secure::connect(address, &config("http/1.1", None)).await;
    assert_eq!(unknown.get(address, SITES).await.status, 200);
    std::fs::write(&signers, Authority::new().pem()).expect("it is written");
    daemon.signal("HUP");
    wait_for(&daemon, "applied", 1.0).await;
    for client in known {
        until(async || client.is_closed()).await;
    }
    assert_eq!(unknown.get(address, SITES).await.status, 200);
}
