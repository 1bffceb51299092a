//! A page of any bytes is read or refused, and what is read as a page says how many rows it holds.
//!
//! `cargo fuzz run page` in this folder's parent (nightly Rust, cargo-fuzz).
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _rows = nbproxy::netbox::pagination::rows_of(bytes);
});
