//! nbproxy: a caching read-through proxy for NetBox.

pub mod cache;
pub mod netbox;
