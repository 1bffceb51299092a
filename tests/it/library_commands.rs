//! Commands that are built on the client library: `status`, and `token create`.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use fake_netbox::FakeNetbox;

use crate::support::TestProxy;

fn run(netbox: &FakeNetbox, admin: &str, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nbproxy"));
    let url = netbox.url();
    let environment = [
        ("NBPROXY__UPSTREAM__URL", url.as_str()),
        ("NBPROXY__UPSTREAM__TOKEN", netbox.token()),
        ("NBPROXY__ADMIN__LISTEN", admin),
    ];
    command.args(arguments).env_clear().envs(environment);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    let mut stdin = child.stdin.take().expect("it is piped");
    // A command that fails before it reads may have closed it.
    let _written = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_tells_of_netbox_and_of_a_running_nbproxy() {
    let netbox = FakeNetbox::start().await;
    let proxy = TestProxy::before(&netbox).await;
    proxy.get("/api/dcim/sites/").await;
    let output = run(&netbox, &proxy.admin_address().to_string(), &["status"], "");
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    for expected in ["ready: 1 entries, ", " bytes, 0 evictions", "4.6.8, netbox_branching 1.1.3, ", " workers"] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    netbox.stop().await;
    let output = run(&netbox, "127.0.0.1:1", &["status"], "");
    let text = printed(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("not running at 127.0.0.1:1") && text.contains("NetBox cannot be reached"), "{text}");
    assert!(!text.contains(netbox.token()), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_made_token_goes_into_a_file_of_its_owners() {
    let netbox = FakeNetbox::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    let path = file.to_str().expect("a path");
    let create = ["token", "create", "--username", "admin", "--output", path];
    let output = run(&netbox, "127.0.0.1:1", &create, "admin\n");
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    let token = std::fs::read_to_string(&file).expect("it is there");
    assert!(token.starts_with("nbt_") && !printed(&output).contains(token.trim()), "{}", printed(&output));
    let mode = std::fs::metadata(&file).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // It is a token NetBox takes.
    let proxy = TestProxy::builder(&netbox).token(token.trim()).start().await;
    assert_eq!(proxy.get("/api/dcim/sites/").await.status, 200);

    let again = run(&netbox, "127.0.0.1:1", &create, "admin\n");
    assert_eq!((again.status.code(), Path::new(path).exists()), (Some(1), true), "{}", printed(&again));
    assert_eq!(std::fs::read_to_string(&file).expect("it is there"), token, "a file that exists is left alone");

    let wrong = folder.path().join("wrong");
    let path = wrong.to_str().expect("a path");
    let output =
        run(&netbox, "127.0.0.1:1", &["token", "create", "--username", "admin", "--output", path], "nonsense\n");
    assert_eq!(output.status.code(), Some(1));
    assert!(printed(&output).contains("Invalid username/password"), "{}", printed(&output));
    assert!(!wrong.exists(), "no token, no file");

    let shown = run(&netbox, "127.0.0.1:1", &["token", "create", "--username", "admin", "--print"], "admin\n");
    assert!(printed(&shown).starts_with("nbt_"), "{}", printed(&shown));
    let neither = run(&netbox, "127.0.0.1:1", &["token", "create", "--username", "admin"], "admin\n");
    assert_eq!(neither.status.code(), Some(64), "{}", printed(&neither));
}
