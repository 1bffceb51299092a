//! TLS in front: what is agreed on, whom certificates make known, and what becomes of those who do not agree.

use std::path::PathBuf;
use std::process::Command;

use bytes::Bytes;
use fake_netbox::{FakeNetbox, HoldPoint};
use http_body_util::Full;
use rcgen::DnType;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, HandshakeKind};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{
    Authority, Identity, Raw, Secure, TestProxy, client_with_key, python, start, trusting, until, within,
};

const SITE: &str = "/api/dcim/sites/1/";

/// An authority, and a proxy with a certificate of it.
struct Front {
    authority: Authority,
    proxy: TestProxy,
    folder: TempDir,
}

impl Front {
    async fn start(netbox: &FakeNetbox, more: &str) -> Self {
        let (authority, folder) = (Authority::new(), tempfile::tempdir().expect("a folder"));
        let settings = authority.sign("nbproxy", &[]).save(folder.path());
        let proxy = TestProxy::builder(netbox).settings(&settings).settings(more).start().await;
        Self { authority, proxy, folder }
    }

    fn client(&self, protocol: &str, identity: Option<&Identity>) -> ClientConfig {
        trusting(&self.authority, protocol, &[&TLS13, &TLS12], identity)
    }

    async fn connect(&self, protocol: &str, identity: Option<&Identity>) -> Secure {
        Secure::connect(self.proxy.address(), &self.client(protocol, identity)).await
    }
}

#[tokio::test]
async fn both_versions_and_both_protocols_are_spoken() {
    let netbox = FakeNetbox::start().await;
    let front = Front::start(&netbox, "").await;
    let address = front.proxy.address();
    for (version, protocol) in [(&TLS12, "http/1.1"), (&TLS13, "http/1.1"), (&TLS12, "h2"), (&TLS13, "h2")] {
        let mut client = Secure::connect(address, &trusting(&front.authority, protocol, &[version], None)).await;
        assert_eq!(matches!(client, Secure::Two(_)), protocol == "h2");
        let site = client.get(address, SITE).await;
        assert_eq!(site.json()["url"], format!("https://{address}{SITE}"), "{protocol}");
        assert!(client.get(address, SITE).await.is_hit());
        let patch = client.request("PATCH", address, SITE).header("content-type", "application/json");
        let body = json!({"description": protocol}).to_string();
        let answer = client.send(patch.body(Full::new(body.into())).expect("a request")).await.expect("an answer");
        assert_eq!((answer.status, &answer.json()["description"]), (200, &json!(protocol)));
        let list = client.get(address, "/api/dcim/sites/?limit=1").await;
        let next = list.json()["next"].as_str().expect("there are more").to_owned();
        assert!(next.starts_with(&format!("https://{address}/api/dcim/sites/?")), "{next}");
    }
    let none = Secure::stream(address, &trusting(&front.authority, "h3", &[&TLS13], None)).await;
    assert!(none.is_err(), "a protocol that is not spoken");
}

#[tokio::test]
async fn a_long_answer_comes_whole() {
    let netbox = FakeNetbox::start().await;
    let front = Front::start(&netbox, "").await;
    let body: Bytes = (0..3 * 1024 * 1024).map(|n| (n % 251) as u8).collect::<Vec<_>>().into();
    netbox.blob("/api/dcim/cables/", "application/octet-stream", body.clone());
    for protocol in ["http/1.1", "h2"] {
        let mut client = front.connect(protocol, None).await;
        for _ in 0..2 {
            let answer = within(client.get(front.proxy.address(), "/api/dcim/cables/")).await;
            assert_eq!(answer.header("content-length"), body.len().to_string());
            assert_eq!(answer.body, body, "{protocol}");
        }
        let head = client.request("HEAD", front.proxy.address(), "/api/dcim/cables/").body(Full::default());
        let head = client.send(head.expect("a request")).await.expect("an answer");
        assert_eq!((head.header("content-length"), head.body.len()), (body.len().to_string().as_str(), 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pynetbox_makes_its_tour() {
    let netbox = FakeNetbox::start().await;
    let branch = netbox.add_branch("tour", "ready");
    let client = client_with_key("tour", netbox.token(), "access = \"write\"");
    let front = Front::start(&netbox, &client).await;
    let trusted = front.folder.path().join("ca.pem");
    std::fs::write(&trusted, front.authority.pem()).expect("it is written");
    let (direct, token) = (netbox.url(), netbox.token().to_owned());
    let through = format!("https://{}", front.proxy.address());
    let tour = |url: String| {
        let (token, branch, trusted) = (token.clone(), branch.clone(), trusted.clone());
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/pynetbox/tour.py");
        let run = move || {
            let mut python: Command = python();
            python.env("REQUESTS_CA_BUNDLE", trusted).arg(script).args([&url, &token, "--branch", &branch]);
            let output = python.output().expect("python runs");
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{errors}");
            serde_json::from_slice::<Value>(&output.stdout).expect("JSON")
        };
        async move { tokio::task::spawn_blocking(run).await.expect("it ran") }
    };
    assert_eq!(tour(through).await, tour(direct).await);
}

#[tokio::test]
async fn who_does_not_shake_hands_is_not_waited_for() {
    let netbox = FakeNetbox::start().await;
    let front = Front::start(&netbox, "[server]\nheader_timeout = \"200ms\"\nkeep_alive = \"10m\"").await;
    let mut plain = Raw::connect(front.proxy.address()).await;
    plain.write("GET /api/ HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(!within(plain.rest()).await.contains("HTTP/1.1"), "nothing is said in clear");
    let mut silent = Raw::connect(front.proxy.address()).await;
    assert_eq!(within(silent.rest()).await, "");
    assert_eq!(front.connect("http/1.1", None).await.get(front.proxy.address(), SITE).await.status, 200);
}

/// Whom a certificate makes known, by all of its subject, and whom it does not.
#[tokio::test]
async fn a_certificate_makes_its_client_known() {
    let netbox = FakeNetbox::start().await;
    let authority = Authority::new();
    let folder = tempfile::tempdir().expect("a folder");
    let trusted = folder.path().join("clients.pem");
    std::fs::write(&trusted, authority.pem()).expect("it is written");
    let settings = format!(
        "[server]\ntls_client_ca_file = {trusted:?}\n[access]\nanonymous = \"deny\"\n[[clients]]\nname = \"ansible\"\ncertificate = \
         \"CN=ansible, O=Example\"\naccess = \"write\"\n{}",
        client_with_key("reader", "reader", "")
    );
    let front = Front::start(&netbox, &settings).await;
    let example = [(DnType::OrganizationName, "Example")];
    let ansible = authority.sign("ansible", &example);
    let others = [
        authority.sign("ansible", &[]),
        authority.sign("other", &example),
        authority.sign("ansible, O=Example", &[]),
        authority.sign("ansible", &[(DnType::OrganizationName, "Example"), (DnType::CountryName, "DE")]),
    ];
    for protocol in ["http/1.1", "h2"] {
        let address = front.proxy.address();
        let mut client = front.connect(protocol, Some(&ansible)).await;
        for _ in 0..2 {
            let patch = client.request("PATCH", address, SITE).header("content-type", "application/json");
            let patch = patch.body(Full::new("{\"description\": \"x\"}".into())).expect("a request");
            assert_eq!(client.send(patch).await.expect("an answer").status, 200, "{protocol}");
        }
        // A key is the more particular word: it may be meant to have fewer rights.
        let patch = client.request("PATCH", address, SITE).header("authorization", "Token reader");
        let refused = client.send(patch.body(Full::new("{}".into())).expect("a request")).await.expect("an answer");
        assert_eq!((refused.status, refused.detail().contains("may only read")), (403, true));
        for other in others.iter().map(Some).chain([None]) {
            let answer = front.connect(protocol, other).await.get(address, SITE).await;
            assert_eq!(
                (answer.status, answer.detail().as_str()),
                (403, "Authentication credentials were not provided.")
            );
        }
        // Whoever comes again shows it again: it may have expired meanwhile.
        let config = front.client(protocol, Some(&ansible));
        for _ in 0..2 {
            let (mut stream, request) =
                (Secure::stream(address, &config).await.expect("hands are shaken"), b"x\r\n\r\n");
            assert_eq!(stream.get_ref().1.handshake_kind(), Some(HandshakeKind::Full), "{protocol}");
            // It is refused, after what could be used to come again would have been sent.
            stream.write_all(request).await.expect("it is read");
            let _end = within(stream.read_to_end(&mut Vec::new())).await;
        }
        // Signed by somebody else: the handshake fails, in TLS 1.3 only when the client goes on.
        let forged = Authority::new().sign("ansible", &example);
        if let Ok(stream) = Secure::stream(address, &front.client(protocol, Some(&forged))).await {
            let (mut read, mut write) = tokio::io::split(stream);
            let _gone = write.write_all(format!("GET {SITE} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await;
            let mut said = Vec::new();
            assert!(within(read.read_to_end(&mut said)).await.is_err() && said.is_empty(), "{protocol}");
        }
    }
}

/// Under way is under way, over TLS, too.
#[tokio::test]
async fn shutdown_finishes_what_is_under_way_and_nothing_else() {
    let netbox = FakeNetbox::start().await;
    let front = Front::start(&netbox, "").await;
    let address = front.proxy.address();
    let clients = [front.connect("h2", None).await, front.connect("http/1.1", None).await];
    let mut idle = front.connect("h2", None).await;
    assert_eq!(idle.get(address, SITE).await.status, 200);
    let hold = netbox.hold("GET", "/api/dcim/racks/", HoldPoint::BeforeAnswer);
    let mut under_way = Vec::new();
    for mut client in clients {
        under_way.push(start(async move { (client.get(address, "/api/dcim/racks/").await.status, client) }));
    }
    front.proxy.wait_for_requests(2).await;
    let stopped = front.proxy.stop();
    until(async || idle.is_closed()).await;
    assert!(!stopped.is_finished());
    hold.release();
    for answered in under_way {
        let (status, client) = within(answered).await.expect("it ran");
        assert_eq!(status, 200);
        drop(client);
    }
    within(stopped).await.expect("it ends");
}

/// What cannot be used is said before anything begins, with the file's name.
#[tokio::test]
async fn nobody_begins_with_certificates_that_cannot_be_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
    let one = Authority::new().sign("nbproxy", &[]);
    one.save(folder.path());
    std::fs::write(path("none.pem"), "none").expect("it is written");
    let other = Authority::new().sign("nbproxy", &[]);
    std::fs::write(path("other.key"), &other.key).expect("it is written");
    for (certificate, key, client_ca, told) in [
        ("none.pem", "server.key", "", "none.pem holds no certificate"),
        ("server.pem", "none.pem", "", "none.pem holds no private key"),
        ("server.pem", "other.key", "", "server.pem cannot be used with the key of"),
        ("server.pem", "server.key", "none.pem", "none.pem holds no certificate"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nbproxy"));
        command.env_clear().env("NBPROXY__UPSTREAM__URL", "http://127.0.0.1:1");
        command.env("NBPROXY__SERVER__LISTEN", "127.0.0.1:0").env("NBPROXY__ADMIN__LISTEN", "127.0.0.1:0");
        command.env("NBPROXY__SERVER__TLS_CERT_FILE", path(certificate));
        command.env("NBPROXY__SERVER__TLS_KEY_FILE", path(key));
        if !client_ca.is_empty() {
            command.env("NBPROXY__SERVER__TLS_CLIENT_CA_FILE", path(client_ca));
        }
        let output = command.output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(told), "{said}");
        assert_eq!(output.status.code(), Some(64), "{said}");
    }
}
