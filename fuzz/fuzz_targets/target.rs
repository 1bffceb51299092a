//! Request targets of any text are sent as what they mean, in one way; two that mean different things have two keys.
//!
//! `cargo fuzz run target` in this folder's parent (nightly Rust, cargo-fuzz). The laws are those of the tests
//! (`tests/it/canonical.rs`), which hold them to made-up targets on stable Rust.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/canonical/django.rs"]
mod django;
#[expect(dead_code, reason = "the tests use all of them")]
#[path = "../../tests/it/canonical/laws.rs"]
mod laws;

fuzz_target!(|targets: (&str, &str)| {
    let (one, other) = targets;
    let (path, query) = one.split_once('?').unwrap_or((one, ""));
    laws::query(query);
    laws::branch(query);
    laws::path(path, "");
    laws::path(&format!("/nbx/api/{path}"), "/nbx");
    laws::key(one, other);
    laws::key(&format!("/api/{one}"), &format!("/api/{other}"));
});
