//! `[[clients]]`: one tool, what it is known by, and what it may do.

use std::sync::Arc;

use super::access::{rate, strictness};
use super::pattern;
use super::upstream::Tokens;
use crate::netbox::branch::{Branch, SchemaId};
use crate::netbox::pattern::Pattern;
use crate::proxy::access::Strictness;
use crate::proxy::auth::{Access, Client, KeyHash, Subject};
use crate::settings::reader::Reader;

/// `strict`: what holds where the client says nothing.
pub(super) fn read(reader: &mut Reader, tokens: &Tokens, strict: Strictness) -> Option<Client> {
    let name = reader.parsed("name", |text| Ok(Arc::from(text)));
    let key_hash = reader.parsed("key_hash", |text| {
        KeyHash::parse(text).ok_or_else(|| "blake3: and 64 hexadecimal digits are wanted".to_owned())
    });
    let certificate = reader.parsed("certificate", |text| {
        Subject::parse(text).ok_or_else(|| "a subject such as \"CN=ansible, O=Example\" is wanted".to_owned())
    });
    let access = reader.parsed("access", |text| match text {
        "read" => Ok(Access::Read),
        "write" => Ok(Access::Write),
        _ => Err("read or write is wanted".to_owned()),
    });
    let allow = allow(reader);
    let deny = reader.list("deny", pattern);
    let branch = reader.parsed("branch", |text| {
        SchemaId::parse(text.as_bytes()).map(Branch::Schema).map_err(|error| error.to_string())
    });
    let token = reader.parsed("upstream_token", |text| {
        tokens.get(text).cloned().ok_or_else(|| "there is no [[upstream.tokens]] of that name".to_owned())
    });
    let max_stale = reader.duration("max_stale");
    let strict = strictness(reader, "strict_filters").unwrap_or(strict);
    let rate = rate(reader, "rate_limit");
    if name.is_none() || (key_hash.is_none() && certificate.is_none()) {
        reader.fault("name", "a client needs a name, and a key_hash or a certificate");
    }
    let access = access.unwrap_or(Access::Read);
    let name = name?;
    Some(Client { name, key_hash, certificate, access, allow, deny, branch, token, max_stale, strict, rate })
}

fn allow(reader: &mut Reader) -> Vec<Pattern> {
    let open = !reader.has("allow");
    let mut allow = reader.list("allow", pattern);
    if open {
        allow.extend(Pattern::parse("*"));
    } else if allow.is_empty() {
        reader.fault("allow", "an empty list allows nothing; leave it out to allow everything");
    }
    allow
}
