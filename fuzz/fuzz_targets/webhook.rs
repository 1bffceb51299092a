//! A webhook's signature and body of any bytes are read or refused, and what is read leads to a scope.
//!
//! `cargo fuzz run webhook` in this folder's parent (nightly Rust, cargo-fuzz).
#![no_main]

use libfuzzer_sys::fuzz_target;
use nbproxy::invalidation::changed::Precision;
use nbproxy::invalidation::webhook::{Delivery, Signature};

fuzz_target!(|bytes: &[u8]| {
    let _signature = Signature::parse(bytes);
    if let Ok(delivery) = Delivery::read(bytes) {
        let _scopes = [Precision::Branch, Precision::Related].map(|precision| delivery.told.scope(precision));
    }
});
