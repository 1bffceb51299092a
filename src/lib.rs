//! nbproxy: a caching read-through proxy for NetBox.

pub mod cache;
pub mod invalidation;
pub mod netbox;
pub mod proxy;
pub mod telemetry;
