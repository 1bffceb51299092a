//! How much stays in memory.
