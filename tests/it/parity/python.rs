//! pynetbox in a process of its own, one step at a time.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use fake_netbox::FakeNetbox;
use serde_json::Value;

use super::scenario::{Scene, file};

/// A scene being performed by pynetbox.
pub(super) struct Python {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

fn interpreter() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "a test's own setting")]
    let named = std::env::var_os("NBPROXY_TEST_PYTHON");
    named
        .map(PathBuf::from)
        .expect("NBPROXY_TEST_PYTHON must name a Python that has pynetbox; run scripts/test.sh, which makes one")
}

impl Python {
    pub(super) fn start(netbox: &FakeNetbox, scene: &Scene) -> Self {
        let mut child = Command::new(interpreter())
            .arg(file("tests/parity/run.py"))
            .args([netbox.url().as_str(), netbox.token()])
            .arg(file("tests/parity/scenario.json"))
            .arg(&scene.name)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python runs");
        let orders = child.stdin.take().expect("it is piped");
        let answers = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { child, orders, answers }
    }

    /// Performs the next step; all requests of it have been answered when this returns.
    pub(super) fn step(&mut self) -> Value {
        let mut answer = String::new();
        tokio::task::block_in_place(|| {
            self.orders.write_all(b"next\n").expect("python listens");
            self.orders.flush().expect("python listens");
            self.answers.read_line(&mut answer).expect("python answers");
        });
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("pynetbox's answer: {error}: {answer:?}"))
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // It may have ended by itself already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
