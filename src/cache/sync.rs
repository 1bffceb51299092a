//! What the epochs and flights synchronise by. Built with the feature `schedules`, a test decides at each step which thread goes
//! on (`tests/schedules.rs`); otherwise it is the standard library's.

#[cfg(not(feature = "schedules"))]
pub(super) use std::sync::{
    Mutex,
    atomic::{AtomicU32, AtomicU64},
};

#[cfg(feature = "schedules")]
pub(super) use shuttle::sync::{
    Mutex,
    atomic::{AtomicU32, AtomicU64},
};

/// Scopes that branches share by hash. A schedule's atomics are costly, and few show the same.
pub(super) const BRANCH_SLOTS: usize = if cfg!(feature = "schedules") { 2 } else { 1024 };

/// Changes of a scope whose time is remembered.
pub(super) const REMEMBERED: usize = if cfg!(feature = "schedules") { 2 } else { 16 };
