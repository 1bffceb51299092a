//! `[access]`: who is let in, and what is closed to whom.

use std::net::SocketAddr;
use std::sync::Arc;

use super::upstream::Tokens;
use super::{clients, pattern};
use crate::proxy::access::{Config, Strictness};
use crate::proxy::auth::Access;
use crate::proxy::rate::Rate;
use crate::settings::reader::Reader;

pub(super) fn read(reader: &mut Reader, listen: Option<SocketAddr>, tokens: &Tokens) -> Config {
    let strict = strictness(reader, "access.strict_filters").unwrap_or(Strictness::Off);
    let rate = rate(reader, "access.rate_limit");
    let clients = reader.tables("clients", |table| clients::read(table, tokens, strict));
    let mut names: Vec<_> = clients.iter().map(|client| Arc::clone(&client.name)).collect();
    names.sort();
    names.dedup();
    if names.len() != clients.len() {
        reader.fault("clients", "each client needs a name of its own");
    }
    if twice(clients.iter().filter_map(|client| client.key_hash.map(|hash| hash.to_string()))) {
        reader.fault("clients", "two clients have one key_hash, and only one of them would be known by it");
    }
    if twice(clients.iter().filter_map(|client| client.certificate.as_ref())) {
        reader.fault("clients", "two clients have one certificate, and only one of them would be known by it");
    }
    let passthrough = reader.boolean("access.passthrough");
    let known = !clients.is_empty() || passthrough;
    let (anonymous, by_default) = anonymous(reader, listen, known);
    let deny = reader.list("access.deny", pattern);
    let changelog_message = reader.boolean("access.changelog_message");
    Config { token: None, clients, anonymous, by_default, passthrough, deny, rate, strict, changelog_message }
}

fn twice<T: PartialEq>(all: impl Iterator<Item = T>) -> bool {
    let mut seen = Vec::new();
    for one in all {
        if seen.contains(&one) {
            return true;
        }
        seen.push(one);
    }
    false
}

/// What anybody may do, and whether only because nothing else was said. `known`: whether anybody else is known by a key, a certificate or a token.
fn anonymous(reader: &mut Reader, listen: Option<SocketAddr>, known: bool) -> (Option<Access>, bool) {
    let loopback = listen.is_none_or(|address| address.ip().is_loopback());
    let anonymous = reader.parsed("access.anonymous", |text| match text {
        "auto" | "deny" | "read" | "write" => Ok(text.to_owned()),
        _ => Err("auto, deny, read or write is wanted".to_owned()),
    });
    let by_default = !known && anonymous.as_deref() == Some("auto");
    let anonymous = match anonymous.as_deref() {
        Some("read") => Some(Access::Read),
        Some("write") => Some(Access::Write),
        Some("deny") => None,
        _ if !loopback && !known => {
            let message = "beyond loopback, nbproxy needs to know its clients ([[clients]] or access.passthrough), or an \
                           explicit access.anonymous = \"read\", \"write\" or \"deny\"";
            reader.fault("server.listen", message);
            None
        }
        // Clients with keys are known by them; letting others in besides would have to be said.
        _ if known => None,
        _ => Some(Access::Read),
    };
    (anonymous, by_default)
}

pub(super) fn strictness(reader: &mut Reader, key: &str) -> Option<Strictness> {
    reader.parsed(key, |text| match text {
        "off" => Ok(Strictness::Off),
        "warn" => Ok(Strictness::Warn),
        "enforce" => Ok(Strictness::Enforce),
        _ => Err("off, warn or enforce is wanted".to_owned()),
    })
}

pub(super) fn rate(reader: &mut Reader, key: &str) -> Option<Rate> {
    reader.parsed(key, |text| Rate::parse(text).map_err(|error| error.to_string()))
}
