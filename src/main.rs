//! nbproxy.
fn main() {}
