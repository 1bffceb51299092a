//! nbproxy: a caching read-through proxy for NetBox.
//!
//! Automation is pointed at nbproxy's URL instead of NetBox's and changes nothing else. The floors of this house, from
//! the ground up: [`netbox`] and [`telemetry`], [`cache`], [`invalidation`], [`proxy`], [`web`], [`server`]; a floor
//! uses only what lies below it (see ARCHITECTURE.md).

pub mod cache;
pub mod cli;
pub mod command;
pub mod invalidation;
pub mod netbox;
pub mod proxy;
pub mod server;
pub mod settings;
pub mod telemetry;
pub mod web;
