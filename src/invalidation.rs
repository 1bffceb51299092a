//! Who says "changed". Every source publishes to one [`bus`], the only writer of epochs.

pub mod bus;
pub mod changed;
pub mod changelog;
pub mod installation;
pub mod own;
pub mod relations;
pub mod writes;
