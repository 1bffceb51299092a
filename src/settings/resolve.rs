//! What is true: the tree of values becomes [`Settings`], section by section.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use config::{Map, Value};
use tokio::sync::Semaphore;

use super::problem::Problems;
use super::reader::Reader;
use super::{Admin, Settings};
use crate::netbox::pattern::Pattern;
use crate::netbox::token::Token;
use crate::telemetry::logging;

mod access;
mod cache;
mod clients;
mod invalidation;
mod server;
mod upstream;
mod warm;

pub(super) fn resolve(tree: Map<String, Value>) -> Result<Settings, Problems> {
    let mut reader = Reader::new(tree);
    let shown = reader.show();
    let (upstream, tokens) = upstream::read(&mut reader);
    let server = server::read(&mut reader);
    let admin = admin(&mut reader);
    let listen = server.as_ref().map(|server| server.listen);
    let mut access = access::read(&mut reader, listen, &tokens);
    let cache = cache::read(&mut reader, access.passthrough);
    let warm = warm::read(&mut reader, &access, &cache.policy);
    let invalidation = invalidation::read(&mut reader);
    let log = log(&mut reader);
    let files = reader.files();
    reader.finish()?;
    match (upstream, server, admin) {
        (Some(upstream), Some(server), Some(admin)) => {
            access.token.clone_from(&upstream.token);
            Ok(Settings { upstream, server, admin, cache, warm, access, invalidation, log, shown, files })
        }
        // A section is missing only after a fault in it was noted, so this is never reached.
        _ => Err(Problems::default()),
    }
}

pub(super) fn admin_address(tree: Map<String, Value>) -> Result<SocketAddr, Problems> {
    let mut reader = Reader::new(tree);
    let found = address(&mut reader, "admin.listen");
    match found {
        Some(address) => Ok(address),
        None => Err(reader.faults()),
    }
}

fn admin(reader: &mut Reader) -> Option<Admin> {
    let token = reader.secret("admin.token").and_then(|text| token(reader, "admin.token", &text));
    Some(Admin { listen: address(reader, "admin.listen")?, token })
}

fn log(reader: &mut Reader) -> logging::Config {
    let format = reader.parsed("log.format", |text| match text {
        "text" => Ok(logging::Format::Text),
        "json" => Ok(logging::Format::Json),
        _ => Err("text or json is wanted".to_owned()),
    });
    let config = logging::Config { format: format.unwrap_or(logging::Format::Text), filter: reader.text("log.filter") };
    if let Err(error) = config.check() {
        reader.fault("log.filter", error);
    }
    config
}

fn token(reader: &mut Reader, key: &str, text: &str) -> Option<Arc<Token>> {
    let token = Token::parse(text).map(Arc::new);
    token.map_err(|error| reader.fault(key, error)).ok()
}

fn positive(reader: &mut Reader, key: &str) -> Duration {
    let duration = reader.duration(key);
    if duration.is_zero() {
        reader.fault(key, "it must be longer than nothing");
    }
    duration
}

/// How many may be let in at once.
fn places(reader: &mut Reader, key: &str, what: &str) -> usize {
    let count: usize = reader.number(key);
    if count == 0 || count > Semaphore::MAX_PERMITS {
        reader.fault(key, format!("at least one {what} must be let in"));
    }
    count
}

/// Two files that are of use together only.
fn pair(reader: &mut Reader, certificate: &str, key: &str) -> Option<(PathBuf, PathBuf)> {
    let (first, second) = (reader.file(certificate), reader.file(key));
    if first.is_some() != second.is_some() {
        reader.fault(certificate, format!("{certificate} and {key} belong together"));
    }
    first.zip(second)
}

fn address(reader: &mut Reader, key: &str) -> Option<SocketAddr> {
    let address = reader.parsed(key, |text| text.parse().map_err(|_| "address:port is wanted".to_owned()));
    if address.is_none() {
        reader.fault(key, "it must be set to address:port");
    }
    address
}

fn pattern(text: &str) -> Result<Pattern, String> {
    Pattern::parse(text).map_err(|error| error.to_string())
}
