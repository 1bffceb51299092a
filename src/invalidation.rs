//! Who says "changed". Every source publishes to one [`bus`], the only writer of epochs.

pub mod branches;
pub mod bus;
pub mod changed;
pub mod changelog;
pub mod effect;
pub mod installation;
pub mod jobs;
pub mod quarantine;
pub mod relations;
pub mod webhook;
pub mod writes;
