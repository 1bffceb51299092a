//! pynetbox in a process of its own, one step at a time.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use fake_netbox::FakeNetbox;
use serde_json::Value;

use super::scenario::{Scene, file};
use crate::support::python;

/// A scene being performed by pynetbox.
pub(super) struct Python {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Python {
    pub(super) fn start(netbox: &FakeNetbox, scene: &Scene) -> Self {
        let mut child = python()
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
