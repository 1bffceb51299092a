//! nbproxy as a process of its own, for what only a process shows: its log, its memory, its end.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};

use fake_netbox::FakeNetbox;
use serde_json::Value;
use tempfile::TempDir;

use super::with_tables;

/// A running nbproxy, ended when it is dropped.
pub(crate) struct Daemon {
    child: Child,
    url: String,
    admin: String,
    log: Receiver<String>,
    folder: TempDir,
    upstream: String,
}

impl Daemon {
    /// Starts one before this NetBox; `more` is TOML added to the settings. It logs in JSON.
    pub(crate) fn before(netbox: &FakeNetbox, more: &str) -> Self {
        Self::run(Command::new(env!("CARGO_BIN_EXE_nbproxy")), netbox, more)
    }

    /// Starts one that may open so many files and connections.
    pub(crate) fn with_descriptors(count: u32, netbox: &FakeNetbox, more: &str) -> Self {
        let mut shell = Command::new("/bin/sh");
        let script = format!("ulimit -n {count} && exec \"$0\" \"$@\"");
        shell.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_nbproxy"));
        Self::run(shell, netbox, more)
    }

    fn run(mut command: Command, netbox: &FakeNetbox, more: &str) -> Self {
        let upstream = format!("url = {:?}\ntoken = {:?}", netbox.url(), netbox.token());
        let folder = tempfile::tempdir().expect("a folder");
        let file = write(&folder, &upstream, more);
        // Threads take memory; with two of them it is the same on any machine.
        command.arg("--config").arg(&file).env_clear().env("TOKIO_WORKER_THREADS", "2").stdout(Stdio::piped());
        let mut child = command.spawn().expect("it runs");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let (sender, log) = channel();
        std::thread::spawn(move || {
            // It ends with the process, or when nobody reads any more.
            lines.map_while(Result::ok).all(|line| sender.send(line).is_ok())
        });
        let mut daemon = Self { child, url: String::new(), admin: String::new(), log, folder, upstream };
        let started = daemon.log.iter().find_map(|line| {
            let line: Value = serde_json::from_str(&line).ok()?;
            Some((line["listen"].as_str()?.to_owned(), line["admin"].as_str()?.to_owned()))
        });
        let (listen, admin) = started.expect("it says where it listens");
        (daemon.url, daemon.admin) = (format!("http://{listen}"), format!("http://{admin}"));
        daemon
    }

    /// Writes the settings file anew; moved into place, as editors do.
    pub(crate) fn rewrite(&self, more: &str) {
        write(&self.folder, &self.upstream, more);
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let told = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(told.expect("kill runs").success());
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.url.trim_start_matches("http://").parse().expect("an address")
    }

    pub(crate) fn admin(&self) -> &str {
        &self.admin
    }

    /// The most memory that it has had in use, in KiB.
    pub(crate) fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs, on Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it is there");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// The file descriptors that it has open.
    pub(crate) fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("it runs, on Linux").count()
    }

    /// Tells it to stop, waits for its end, and returns what it logged since it started.
    pub(crate) fn stop(mut self) -> (ExitStatus, Vec<String>) {
        self.signal("TERM");
        let ended = self.child.wait().expect("it ends");
        (ended, self.log.iter().collect())
    }
}

fn write(folder: &TempDir, upstream: &str, more: &str) -> PathBuf {
    let loopback = "listen = \"127.0.0.1:0\"";
    // What nbproxy asks of its own accord is not what these tests are about, and outdates everything once.
    let quiet = "changelog_poll = \"0s\"";
    let sections = [
        ("upstream", upstream),
        ("server", loopback),
        ("admin", loopback),
        ("invalidation", quiet),
        ("cache", "read_ahead = 0"),
        ("log", "format = \"json\""),
    ];
    let (file, new) = (folder.path().join("nbproxy.toml"), folder.path().join("new.toml"));
    std::fs::write(&new, with_tables(&sections, more)).expect("it is written");
    std::fs::rename(new, &file).expect("it is moved");
    file
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}
