//! `[upstream]`: how NetBox is reached, and with which tokens.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{pair, places, positive, token};
use crate::netbox::gate::Limits;
use crate::netbox::session::{self, BaseUrl, TlsFiles};
use crate::netbox::token::Token;
use crate::settings::Upstream;
use crate::settings::reader::Reader;

/// Tokens besides the shared one, by the names that clients call them.
pub(super) type Tokens = BTreeMap<String, Arc<Token>>;

pub(super) fn read(reader: &mut Reader) -> (Option<Upstream>, Tokens) {
    let base = reader.parsed("upstream.url", |text| BaseUrl::parse(text).map_err(|error| error.to_string()));
    if base.is_none() {
        reader.fault("upstream.url", "it must be set: NetBox's base, for example https://netbox.example.com");
    }
    let shared = reader.secret("upstream.token").and_then(|text| token(reader, "upstream.token", &text));
    let tokens = named(reader);
    let ui_url = reader.parsed("upstream.ui_url", |text| {
        BaseUrl::parse(text).map(|url| url.as_str().to_owned()).map_err(|error| error.to_string())
    });
    let timeout = positive(reader, "upstream.timeout");
    let connect_timeout = positive(reader, "upstream.connect_timeout");
    let limits = Limits {
        in_flight: places(reader, "upstream.max_in_flight", "request"),
        queue: reader.number("upstream.queue"),
        patience: reader.duration("upstream.queue_timeout"),
    };
    let probe = reader.duration("upstream.probe_interval");
    let ca = reader.file("upstream.ca_file");
    let identity = pair(reader, "upstream.client_cert_file", "upstream.client_key_file");
    let upstream = base.map(|base| Upstream {
        session: session::Config {
            base,
            timeout,
            connect_timeout,
            limits,
            tls: TlsFiles { ca, identity },
            headers: http::HeaderMap::new(),
            retries: 0,
            client: None,
        },
        token: shared,
        ui_url,
        probe_interval: (!probe.is_zero()).then_some(probe),
    });
    (upstream, tokens)
}

fn named(reader: &mut Reader) -> Tokens {
    let read = reader.tables("upstream.tokens", |table| {
        let name = table.parsed("name", |text| Ok(text.to_owned()));
        let token = table.secret("token").and_then(|text| token(table, "token", &text));
        if name.is_none() || token.is_none() {
            table.fault("name", "a further token needs a name and a token");
        }
        name.zip(token)
    });
    let (count, tokens) = (read.len(), Tokens::from_iter(read));
    if tokens.len() != count {
        reader.fault("upstream.tokens", "each token needs a name of its own");
    }
    tokens
}
