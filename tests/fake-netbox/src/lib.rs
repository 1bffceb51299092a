//! A NetBox look-alike for tests: the REST API of version 4.6 in memory, with switches for
//! latency and faults and a record of what arrived.
//!
//! What a client can see on the wire is written after a real server: paging, filters, errors,
//! headers and their order, tokens, branches, and a changelog whose ids are taken when a change
//! is made and seen when it is committed. What a test needs beyond that are its switches, all of
//! them methods of [`FakeNetbox`].
//!
//! ```no_run
//! # async fn example() {
//! use fake_netbox::{Fault, FakeNetbox, HoldPoint, Match};
//!
//! let netbox = FakeNetbox::builder().devices(10).start().await;
//! netbox.fault(Match::path("GET", "/api/dcim/sites/").times(1), Fault::ResetMidBody);
//! let hold = netbox.hold("GET", "/api/dcim/devices/", HoldPoint::BeforeAnswer);
//! // ... a client asks for the devices ...
//! hold.arrived(1).await;
//! netbox.edit("dcim/devices", 1, serde_json::json!({"name": "renamed"}));
//! hold.release();
//! # }
//! ```

mod answer;
mod auth;
mod builder;
mod clock;
mod connection;
mod control;
mod encoding;
mod endless;
mod fake;
mod filter;
mod jobs;
mod json;
mod negotiate;
mod net;
mod order;
mod page;
mod random;
mod render;
mod request;
mod rights;
mod route;
mod schema;
mod seed;
mod server;
mod state;
mod transaction;
mod types;
mod write;

pub use builder::Builder;
pub use control::{Fault, Hold, HoldPoint, Match};
pub use fake::FakeNetbox;
pub use request::Received;
pub use rights::Grant;
pub use transaction::Transaction;
