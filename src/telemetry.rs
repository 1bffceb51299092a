//! What the daemon tells its operators: log lines and metrics. It knows nothing of the rest of the house.

pub mod logging;
pub mod metrics;
