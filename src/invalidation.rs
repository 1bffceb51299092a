//! Who says "changed". Every source publishes to one [`bus`], the only writer of epochs.

pub mod bus;
pub mod installation;
pub mod writes;
