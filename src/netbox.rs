//! The client core: how one speaks to a NetBox. Usable alone; it knows nothing of proxies or caches.
//!
//! Pure words ([`object`], [`branch`], [`token`], [`version`], [`query`]) may be used by every floor above;
//! [`session`] is the only user of reqwest, and [`gate`] bounds how much NetBox sees at once.

pub mod branch;
pub mod error;
pub mod gate;
pub mod object;
pub mod outgoing;
pub mod pattern;
pub mod query;
pub mod session;
pub mod token;
pub mod version;
