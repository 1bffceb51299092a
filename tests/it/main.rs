//! nbproxy from the outside: through sockets, before a FakeNetbox, and with the real pynetbox.

mod architecture;
mod branches;
mod caching;
mod coherence;
mod commands;
mod failures;
mod flights;
mod flood;
mod framing;
mod hostile;
mod isolation;
mod library;
mod library_commands;
mod links;
mod logs;
mod mirror;
mod model;
mod operations;
mod parity;
mod pynetbox;
mod shutdown;
mod stale;
mod streaming;
mod support;
mod tokens;
mod wire_keys;
