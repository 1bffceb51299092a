//! What nbproxy remembers, and whether it still holds.
//!
//! moka remembers ([`store`]); it does not decide. Whether an entry is coherent is for [`epochs`] alone, whether it
//! is fresh for [`freshness`], what may be remembered at all for [`policy`]; [`clock`] is the only source of time.

pub mod canonical;
pub mod clock;
pub mod coding;
pub mod entry;
pub mod epochs;
pub mod feed;
pub mod flight;
pub mod freshness;
pub mod key;
pub mod policy;
pub mod public;
pub mod selector;
pub mod store;
mod sync;
pub mod tag;
