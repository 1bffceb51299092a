//! An OpenAPI document of any bytes is read or refused; names that are checked against it never panic.
//!
//! `cargo fuzz run openapi` in this folder's parent (nightly Rust, cargo-fuzz).
#![no_main]

use libfuzzer_sys::fuzz_target;
use nbproxy::netbox::filters::Filters;
use nbproxy::netbox::openapi::OpenApi;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(document) = OpenApi::parse(bytes.to_vec().into(), "/nbx") {
        let _checked = document.check("/api/dcim/sites/", &Filters::new().with("name", "x").with("cf_x", "y"));
    }
});
