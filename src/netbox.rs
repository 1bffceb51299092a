//! The client core: NetBox as a library, with pynetbox's ease. Usable alone (`default-features = false`); it knows
//! nothing of proxies or caches.
//!
//! Begin at [`api::Api`]. Pure words ([`object`], [`branch`], [`token`], [`version`], [`query`], [`pattern`]) may be used
//! by every floor above; [`session`] is the only user of reqwest, and [`gate`] bounds how much NetBox sees at once.

pub mod api;
pub mod app;
pub mod branch;
pub mod detail;
pub mod endpoint;
pub mod error;
pub mod filters;
pub mod gate;
pub mod object;
pub mod object_type;
pub mod openapi;
pub mod outgoing;
#[doc(hidden)]
pub mod pagination;
pub mod pattern;
pub mod query;
pub mod record;
pub mod record_set;
mod request;
pub mod session;
pub mod token;
pub mod transport;
pub mod version;

/// The HTTP client whose types [`api::ApiBuilder::client`] takes.
pub use reqwest;
