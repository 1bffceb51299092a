//! Settings of any text are understood or refused, never a panic; a secret in them is told in no case.
//!
//! `cargo fuzz run settings` in this folder's parent (nightly Rust, cargo-fuzz). The laws are those of the tests
//! (`tests/it/any_text.rs`), which hold them to spoilt settings on stable Rust.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/any_text/laws.rs"]
mod laws;

fuzz_target!(|settings: (u8, &str)| {
    let (place, text) = settings;
    // Files that settings name are read, be they endless.
    if !text.contains("_file") {
        laws::settings(text, place.into());
    }
});
