//! The program's log: a line for each request, and no secret in any of them.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use fake_netbox::FakeNetbox;
use serde_json::{Value, json};

use crate::support::Ask;

const CLIENT_KEY: &str = "a-clients-own-key";

fn serve(netbox: &FakeNetbox, file: &std::path::Path) -> Child {
    let key = blake3::hash(CLIENT_KEY.as_bytes()).to_hex();
    let toml = format!(
        "[upstream]\nurl = \"{}\"\ntoken = \"{}\"\n[server]\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[log]\nformat = \"json\"\nfilter = \"trace\"\n[[clients]]\nname = \"tests\"\nkey_hash = \"blake3:{key}\"\naccess = \"write\"\n",
        netbox.url(),
        netbox.token(),
    );
    std::fs::write(file, toml).expect("it is written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_nbproxy"));
    command.arg("--config").arg(file).env_clear().stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("it runs")
}

fn terminate(child: &Child) {
    let status = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill runs");
    assert!(status.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_request_has_its_line_and_no_secret_is_in_any() {
    let netbox = FakeNetbox::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = serve(&netbox, &folder.path().join("nbproxy.toml"));
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines().map(|line| line.expect("text"));
    let mut seen = Vec::new();
    let started = lines.by_ref().inspect(|line| seen.push(line.clone()));
    let started =
        started.filter_map(|line| serde_json::from_str::<Value>(&line).ok()).find(|line| line["upstream"].is_string());
    let url = format!("http://{}", started.expect("it says where it listens")["listen"].as_str().expect("an address"));
    let ask = |method: &str, target: &str| {
        Ask::new(method, &format!("{url}{target}")).header("authorization", &format!("Token {CLIENT_KEY}"))
    };
    assert_eq!(ask("GET", "/api/dcim/sites/").send().await.status, 200);
    let hit = ask("GET", "/api/dcim/sites/").send().await;
    assert!(hit.is_hit());
    assert_eq!(ask("PATCH", "/api/dcim/sites/1/").json(&json!({"description": "x"})).send().await.status, 200);
    assert_eq!(Ask::new("GET", &format!("{url}/api/dcim/sites/")).send().await.status, 403);
    netbox.stop().await;
    assert_eq!(ask("GET", "/api/dcim/racks/").send().await.status, 502);
    terminate(&child);
    seen.extend(lines);
    assert_eq!(child.wait().expect("it ends").code(), Some(0), "told to stop, it ends well");

    let requests: Vec<Value> = seen
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("not JSON: {line}")))
        .filter(|line| line["target"] == "nbproxy::access")
        .collect();
    let told: Vec<_> = requests
        .iter()
        .map(|line| {
            format!("{} {} {} {} {}", line["caller"], line["method"], line["endpoint"], line["status"], line["outcome"])
                .replace('"', "")
        })
        .collect();
    assert_eq!(
        told,
        [
            "tests GET dcim/sites 200 filled",
            "tests GET dcim/sites 200 hit",
            "tests PATCH dcim/sites 200 write",
            " GET dcim/sites 403 denied",
            "tests GET dcim/racks 502 failed",
        ]
    );
    assert_eq!(requests[1]["bytes"], hit.body.len());
    assert!(requests.iter().all(|line| line["time_us"].is_u64()));
    for line in &seen {
        assert!(!line.contains(netbox.token()) && !line.contains(CLIENT_KEY), "a secret in {line}");
    }
}
