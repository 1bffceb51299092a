//! nbproxy: a caching read-through proxy for NetBox.
//!
//! Automation is pointed at nbproxy's URL instead of NetBox's and changes nothing else. The floors of this house, from
//! the ground up: [`netbox`] and `telemetry`, `cache`, `invalidation`, `proxy`, `web`, `server`; a floor
//! uses only what lies below it (see ARCHITECTURE.md).
//!
//! With `default-features = false` only [`netbox`] is built: a client library with pynetbox's ease, without the daemon.

#[cfg(feature = "daemon")]
pub mod cache;
#[cfg(feature = "daemon")]
pub mod cli;
#[cfg(feature = "daemon")]
pub mod command;
#[cfg(feature = "daemon")]
pub mod invalidation;
pub mod netbox;
#[cfg(feature = "daemon")]
pub mod proxy;
#[cfg(feature = "daemon")]
pub mod server;
#[cfg(feature = "daemon")]
pub mod settings;
#[cfg(feature = "daemon")]
pub mod telemetry;
#[cfg(feature = "daemon")]
pub mod web;
