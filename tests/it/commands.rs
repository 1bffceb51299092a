//! The program itself: settings checked, faults reported, exit codes kept.

use std::process::{Command, Output};

fn nbproxy(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nbproxy"));
    command.args(arguments).env_clear().envs(environment.iter().copied());
    command.output().expect("it runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("it prints text")
}

const URL: (&str, &str) = ("NBPROXY__UPSTREAM__URL", "http://netbox.invalid:8000/nbx/");

#[test]
fn check_prints_what_is_true_and_masks_secrets() {
    let output = nbproxy(
        &["check", "--listen", "127.0.0.1:9000"],
        &[
            URL,
            ("NBPROXY__UPSTREAM__TOKEN", "0123456789abcdef0123456789abcdef01234567"),
            ("NBPROXY__ADMIN__TOKEN", "s3cret"),
            ("NBPROXY__INVALIDATION__WEBHOOK_SECRET", "hook-s3cret"),
        ],
    );
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for line in [
        "server.listen = \"127.0.0.1:9000\"  # the command line",
        "upstream.token = \"****\"  # the environment",
        "admin.token = \"****\"",
        "invalidation.webhook_secret = \"****\"",
        "cache.capacity = \"512MiB\"  # the defaults",
        "access.deny = [\"users/*\", \"core/background-tasks\", ",
    ] {
        assert!(printed.contains(line), "{line} is not in\n{printed}");
    }
    assert!(!printed.contains("01234567") && !printed.contains("s3cret"), "{printed}");
}

#[test]
fn every_fault_is_reported_at_once_with_its_origin() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("nbproxy.toml");
    let toml = "[upstream]\nurl = \"ftp://x\"\ntoken_file = \"/nowhere/token\"\n[cache]\ncapacity = \"lots\"\nttk = \"1s\"\n[[cache.rules]]\nmatch = \"dcim/si*\"\n[[clients]]\nname = \"a\"\nrate_limit = \"5/d\"";
    std::fs::write(&file, toml).expect("it is written");
    let file = file.to_str().expect("a path");
    let output = nbproxy(
        &["check", "--config", file],
        &[("NBPROXY__SERVER__LISTEN", "somewhere"), ("NBPROXY__LOG__FILTER", "a=b=c")],
    );
    let printed = text(&output.stderr);
    assert_eq!(output.status.code(), Some(64), "{printed}");
    for fault in [
        "upstream.url: \"ftp://x\" is no good: its scheme must be http or https",
        "upstream.token_file: \"/nowhere/token\" is no good",
        "cache.capacity: \"lots\" is no good",
        "cache.ttk: there is no such setting",
        "cache.rules[0].match: \"dcim/si*\" is no good",
        "clients[0].rate_limit: \"5/d\" is no good: a rate such as 50/s, 600/m or 1000/h is wanted",
        "clients[0].name: a client needs a name, and a key_hash or a certificate",
        "server.listen: \"somewhere\" is no good: address:port is wanted (from the environment)",
        "log.filter: ",
    ] {
        assert!(printed.contains(fault), "{fault} is not in\n{printed}");
    }
    assert!(printed.contains("nbproxy.toml)"), "the file is not named in\n{printed}");
}

#[test]
fn nobody_is_known_by_what_is_anothers() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("nbproxy.toml");
    let hash = blake3::hash(b"key").to_hex();
    let toml = |second: &str| {
        let first = format!("[[clients]]\nname = \"a\"\nkey_hash = \"blake3:{hash}\"\ncertificate = \"CN=a, O=b\"");
        format!("{first}\n[[clients]]\nname = \"b\"\n{second}\n")
    };
    let other = blake3::hash(b"other").to_hex();
    for (second, fault) in [
        (format!("key_hash = \"blake3:{}\"", hash.to_uppercase()), "clients: two clients have one key_hash"),
        ("certificate = \"CN = a,O = b\"".to_owned(), "clients: two clients have one certificate"),
        (format!("key_hash = \"blake3:{other}\"\ncertificate = \"CN=a\""), ""),
    ] {
        std::fs::write(&file, toml(&second)).expect("it is written");
        let output = nbproxy(&["check", "--config", file.to_str().expect("a path")], &[URL]);
        let printed = text(&output.stderr);
        assert_eq!(output.status.success(), fault.is_empty(), "{printed}");
        assert!(printed.contains(fault), "{printed}");
    }
}

#[test]
fn a_secret_is_not_quoted_in_its_fault() {
    let output = nbproxy(&["check"], &[URL, ("NBPROXY__UPSTREAM__TOKEN", "two s3crets")]);
    let printed = text(&output.stderr);
    assert_eq!(output.status.code(), Some(64));
    assert!(printed.contains("upstream.token: ") && !printed.contains("s3crets"), "{printed}");
}

#[test]
fn a_file_that_cannot_be_read_is_not_quoted_and_names_the_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("nbproxy.toml");
    std::fs::write(&file, "[upstream]\nurl = \"http://netbox\"\ntoken = \"s3cret-without-an-end\n")
        .expect("it is written");
    let output = nbproxy(&["check", "--config", file.to_str().expect("a path")], &[]);
    let printed = text(&output.stderr);
    assert_eq!(output.status.code(), Some(64));
    assert!(printed.contains("line 3") && printed.contains("nbproxy.toml") && !printed.contains("s3cret"), "{printed}");
}

#[test]
fn what_may_be_a_secret_is_not_quoted() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("nbproxy.toml");
    let toml = "[upstream]\nurl = \"http://admin:hunter2@netbox\"\n[[clients]]\nname = \"a\"\nkey_hash = \"the-key-itself\"\nallow = []\n";
    std::fs::write(&file, toml).expect("it is written");
    let output = nbproxy(&["check", "--config", file.to_str().expect("a path")], &[]);
    let printed = text(&output.stderr);
    for fault in [
        "upstream.url: the value is no good",
        "clients[0].key_hash: the value is no good",
        "clients[0].allow: an empty list",
    ] {
        assert!(printed.contains(fault), "{fault} is not in\n{printed}");
    }
    assert!(!printed.contains("hunter2") && !printed.contains("the-key-itself"), "{printed}");
    assert_eq!(printed.matches("upstream.url").count(), 1, "one mistake, one fault:\n{printed}");
}

#[test]
fn certificate_files_are_read_before_it_starts() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, "hello").expect("it is written");
    for (path, fault) in
        [(file.to_str().expect("a path"), "holds no usable certificate"), ("/nowhere.pem", "cannot be read")]
    {
        let output = nbproxy(&[], &[URL, ("NBPROXY__UPSTREAM__CA_FILE", path)]);
        assert_eq!(output.status.code(), Some(64), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains(fault), "{}", text(&output.stderr));
    }
}

#[test]
fn a_key_is_made_once_and_known_by_its_hash() {
    use std::io::Write;
    let made = text(&nbproxy(&["key", "new", "--name", "ansible"], &[]).stdout);
    let key = made.lines().next().expect("the key comes first");
    assert!(key.starts_with("nbp_") && key.len() == 68, "{made}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_nbproxy"));
    let command =
        command.args(["key", "hash"]).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    writeln!(child.stdin.take().expect("it is piped"), "{key}").expect("it reads");
    let hashed = text(&child.wait_with_output().expect("it ends").stdout);
    assert!(made.contains(&format!("key_hash = {:?}", hashed.trim())), "{made}\n{hashed}");
}

#[test]
fn beyond_loopback_somebody_must_be_let_in_by_name() {
    let listen = ("NBPROXY__SERVER__LISTEN", "0.0.0.0:8080");
    for command in [&[][..], &["serve"], &["check"]] {
        let output = nbproxy(command, &[URL, listen]);
        assert_eq!(output.status.code(), Some(64), "{command:?}");
        assert!(text(&output.stderr).contains("access.anonymous"), "{}", text(&output.stderr));
    }
    for anonymous in ["read", "write", "deny"] {
        let output = nbproxy(&["check"], &[URL, listen, ("NBPROXY__ACCESS__ANONYMOUS", anonymous)]);
        assert_eq!(output.status.code(), Some(0), "{anonymous}: {}", text(&output.stderr));
    }
}

#[test]
fn a_secret_may_come_from_a_file_and_not_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    std::fs::write(&file, "nbt_abcdefghijkl.secret\n").expect("it is written");
    let file = ("NBPROXY__UPSTREAM__TOKEN_FILE", file.to_str().expect("a path"));
    assert_eq!(nbproxy(&["check"], &[URL, file]).status.code(), Some(0));
    let twice = nbproxy(&["check"], &[URL, file, ("NBPROXY__UPSTREAM__TOKEN", "x")]);
    assert_eq!(twice.status.code(), Some(64));
    assert!(text(&twice.stderr).contains("given twice"), "{}", text(&twice.stderr));
}

#[test]
fn arguments_and_addresses_that_cannot_be_used() {
    assert_eq!(nbproxy(&["--nonsense"], &[]).status.code(), Some(64));
    assert_eq!(nbproxy(&["--version"], &[]).status.code(), Some(0));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("an address");
    let address = taken.local_addr().expect("it has one").to_string();
    let output = nbproxy(&["--listen", &address], &[URL, ("NBPROXY__ADMIN__LISTEN", "127.0.0.1:0")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains(&format!("cannot listen on {address}")), "{}", text(&output.stderr));
}

#[test]
fn the_health_check_asks_the_admin_listener_and_needs_no_other_setting() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("an address");
    let address = listener.local_addr().expect("it has one").to_string();
    let answering = std::thread::spawn(move || {
        use std::io::{BufRead, BufReader, Write};
        for status in ["200 OK", "503 Service Unavailable"] {
            let (mut stream, _) = listener.accept().expect("it is asked");
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).expect("it asks");
            assert!(line.starts_with("GET /healthz "), "{line}");
            write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").expect("it listens");
        }
    });
    let environment = [("NBPROXY__ADMIN__LISTEN", address.as_str())];
    assert_eq!(nbproxy(&["healthcheck"], &environment).status.code(), Some(0));
    assert_eq!(nbproxy(&["healthcheck"], &environment).status.code(), Some(1));
    answering.join().expect("it was asked twice");
    assert_eq!(nbproxy(&["healthcheck"], &environment).status.code(), Some(1), "nobody listens any more");
}
