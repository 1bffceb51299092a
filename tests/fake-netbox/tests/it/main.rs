//! The look-alike seen through a socket. Expected values are those of a real NetBox 4.6.8.

mod branches;
mod changelog;
mod client;
mod command;
mod faults;
mod jobs;
mod lists;
mod objects;
mod rights;
mod switches;
mod wire;
