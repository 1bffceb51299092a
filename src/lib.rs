//! nbproxy.
