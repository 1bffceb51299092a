//! What is true: the tree of values becomes [`Settings`], section by section.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use config::{Map, Value};
use http::Uri;
use ipnet::IpNet;

use super::problem::Problems;
use super::reader::Reader;
use super::{Admin, Cache, Server, Settings, Upstream, path};
use crate::cache::freshness::Lifetime;
use crate::cache::policy::{self, Rule};
use crate::cache::public::PublicBase;
use crate::cache::store;
use crate::netbox::branch::{Branch, SchemaId};
use crate::netbox::gate::Limits;
use crate::netbox::pattern::Pattern;
use crate::netbox::session::{self, BaseUrl, TlsFiles};
use crate::netbox::token::Token;
use crate::proxy::auth::{self, Access, Client, KeyHash};
use crate::telemetry::logging;

/// An answer that is sent in one piece must fit into what a weight and a length can say.
const LARGEST_ENTRY: u64 = u32::MAX as u64 - 1024 * 1024;

pub(super) fn resolve(tree: Map<String, Value>) -> Result<Settings, Problems> {
    let mut reader = Reader::new(tree);
    let shown = reader.show();
    let upstream = upstream(&mut reader);
    let server = server(&mut reader);
    let admin = admin(&mut reader);
    let cache = cache(&mut reader);
    let (access, deny, by_default) = access(&mut reader, server.as_ref().map(|server| server.listen));
    let log = log(&mut reader);
    not_built_yet(&mut reader);
    reader.finish()?;
    match (upstream, server, admin) {
        (Some(upstream), Some(mut server), Some(admin)) => {
            server.loopback_names_only = by_default;
            Ok(Settings { upstream, server, admin, cache, access, deny, log, shown })
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

fn upstream(reader: &mut Reader) -> Option<Upstream> {
    let base = reader.parsed("upstream.url", |text| BaseUrl::parse(text).map_err(|error| error.to_string()));
    if base.is_none() {
        reader.fault("upstream.url", "it must be set: NetBox's base, for example https://netbox.example.com");
    }
    let token = reader.secret("upstream.token").and_then(|text| token(reader, "upstream.token", &text));
    let ui_url = reader.parsed("upstream.ui_url", |text| {
        BaseUrl::parse(text).map(|url| url.as_str().to_owned()).map_err(|error| error.to_string())
    });
    let timeout = positive(reader, "upstream.timeout");
    let connect_timeout = positive(reader, "upstream.connect_timeout");
    let in_flight: usize = reader.number("upstream.max_in_flight");
    if in_flight == 0 || in_flight > tokio::sync::Semaphore::MAX_PERMITS {
        reader.fault("upstream.max_in_flight", "at least one request must be let through");
    }
    let limits = Limits {
        in_flight,
        queue: reader.number("upstream.queue"),
        patience: reader.duration("upstream.queue_timeout"),
    };
    let probe = reader.duration("upstream.probe_interval");
    let ca = path(reader.text("upstream.ca_file"));
    let certificate = path(reader.text("upstream.client_cert_file"));
    let key = path(reader.text("upstream.client_key_file"));
    if certificate.is_some() != key.is_some() {
        reader.fault("upstream.client_cert_file", "client_cert_file and client_key_file belong together");
    }
    let tls = TlsFiles { ca, identity: certificate.zip(key) };
    Some(Upstream {
        session: session::Config {
            base: base?,
            timeout,
            connect_timeout,
            limits,
            tls,
            headers: http::HeaderMap::new(),
            retries: 0,
            client: None,
        },
        token,
        ui_url,
        probe_interval: (!probe.is_zero()).then_some(probe),
    })
}

fn server(reader: &mut Reader) -> Option<Server> {
    let listen = address(reader, "server.listen");
    let public_base = reader.parsed("server.public_url", public_base);
    let trusted_proxies = reader.list("server.trusted_proxies", |text| {
        let address = || text.parse::<IpAddr>().map(IpNet::from);
        text.parse::<IpNet>().or_else(|_| address()).map_err(|_| "an address or a network is wanted".to_owned())
    });
    let max_connections: usize = reader.number("server.max_connections");
    if max_connections == 0 || max_connections > tokio::sync::Semaphore::MAX_PERMITS {
        reader.fault("server.max_connections", "at least one connection must be let in");
    }
    let header_timeout = positive(reader, "server.header_timeout");
    let write_timeout = positive(reader, "server.write_timeout");
    let max_request_body = reader.size("server.max_request_body");
    let shutdown_grace = reader.duration("server.shutdown_grace");
    Some(Server {
        listen: listen?,
        public_base,
        trusted_proxies,
        max_connections,
        header_timeout,
        write_timeout,
        loopback_names_only: false,
        max_request_body,
        shutdown_grace,
    })
}

fn admin(reader: &mut Reader) -> Option<Admin> {
    let token = reader.secret("admin.token").and_then(|text| token(reader, "admin.token", &text));
    Some(Admin { listen: address(reader, "admin.listen")?, token })
}

fn cache(reader: &mut Reader) -> Cache {
    let capacity = reader.size("cache.capacity");
    let max_entry = reader.size("cache.max_entry");
    if max_entry > capacity || max_entry > LARGEST_ENTRY {
        reader.fault("cache.max_entry", "an entry must fit into cache.capacity, and be smaller than 4 GiB");
    }
    let lifetime = Lifetime {
        ttl: reader.duration("cache.ttl"),
        stale_while_revalidate: reader.duration("cache.stale_while_revalidate"),
        stale_if_error: reader.duration("cache.stale_if_error"),
    };
    let ttl_without_feed = reader.duration("cache.ttl_without_feed");
    let rules = reader.tables("cache.rules", |rule| {
        let pattern = rule.parsed("match", pattern);
        if pattern.is_none() {
            rule.fault("match", "a rule must say what it is for, for example match = \"dcim/sites\"");
        }
        let cache = rule.parsed("cache", |text| text.parse().map_err(|_| "true or false is wanted".to_owned()));
        let ttl = rule.optional_duration("ttl");
        Some(Rule { pattern: pattern?, cache, ttl })
    });
    let longest_ttl = rules.iter().filter_map(|rule| rule.ttl).fold(lifetime.ttl, Duration::max);
    let longest_use = longest_ttl.saturating_add(lifetime.stale_while_revalidate.max(lifetime.stale_if_error));
    // moka refuses more than 1,000 years.
    let longest_use = longest_use.clamp(Duration::from_secs(1), Duration::from_secs(10 * 365 * 86_400));
    let max_entry = usize::try_from(max_entry).unwrap_or(usize::MAX);
    Cache {
        store: store::Config { capacity, max_entry, longest_use },
        policy: policy::Config { lifetime, ttl_without_feed, rules },
    }
}

/// Who is let in, what is closed, and whether anybody is let in only because nothing else was said.
fn access(reader: &mut Reader, listen: Option<SocketAddr>) -> (auth::Config, Vec<Pattern>, bool) {
    let loopback = listen.is_none_or(|address| address.ip().is_loopback());
    let clients = reader.tables("clients", client);
    let mut names: Vec<_> = clients.iter().map(|client| Arc::clone(&client.name)).collect();
    names.sort();
    names.dedup();
    if names.len() != clients.len() {
        reader.fault("clients", "each client needs a name of its own");
    }
    let anonymous = reader.parsed("access.anonymous", |text| match text {
        "auto" | "deny" | "read" | "write" => Ok(text.to_owned()),
        _ => Err("auto, deny, read or write is wanted".to_owned()),
    });
    let by_default = clients.is_empty() && anonymous.as_deref() == Some("auto");
    let anonymous = match anonymous.as_deref() {
        Some("read") => Some(Access::Read),
        Some("write") => Some(Access::Write),
        Some("deny") => None,
        _ if !loopback && clients.is_empty() => {
            let message = "beyond loopback, nbproxy needs to know its clients ([[clients]]), or an explicit \
                           access.anonymous = \"read\", \"write\" or \"deny\"";
            reader.fault("server.listen", message);
            None
        }
        // Clients with keys are known by them; letting others in besides would have to be said.
        _ if !clients.is_empty() => None,
        _ => Some(Access::Read),
    };
    let deny = reader.list("access.deny", pattern);
    (auth::Config { clients, anonymous }, deny, by_default)
}

fn client(reader: &mut Reader) -> Option<Client> {
    let name = reader.parsed("name", |text| Ok(Arc::from(text)));
    let key_hash = reader.parsed("key_hash", |text| {
        KeyHash::parse(text).ok_or_else(|| "blake3: and 64 hexadecimal digits are wanted".to_owned())
    });
    let access = reader.parsed("access", |text| match text {
        "read" => Ok(Access::Read),
        "write" => Ok(Access::Write),
        _ => Err("read or write is wanted".to_owned()),
    });
    let open = !reader.has("allow");
    let mut allow = reader.list("allow", pattern);
    if open {
        allow.extend(Pattern::parse("*"));
    } else if allow.is_empty() {
        reader.fault("allow", "an empty list allows nothing; leave it out to allow everything");
    }
    let deny = reader.list("deny", pattern);
    let branch = reader.parsed("branch", |text| {
        SchemaId::parse(text.as_bytes()).map(Branch::Schema).map_err(|error| error.to_string())
    });
    for (key, harmless) in
        [("max_stale", &["", "0s", "0"][..]), ("strict_filters", &["", "off"]), ("rate_limit", &[""])]
    {
        if !harmless.contains(&reader.text(key).as_str()) {
            reader.fault(key, "this version of nbproxy cannot do that yet");
        }
    }
    if name.is_none() || key_hash.is_none() {
        reader.fault("name", "a client needs a name and a key_hash");
    }
    Some(Client { name: name?, key_hash: key_hash?, access: access.unwrap_or(Access::Read), allow, deny, branch })
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

/// Settings that have their place already, and nothing behind them: better said than silently ignored.
fn not_built_yet(reader: &mut Reader) {
    let _poll = reader.duration("invalidation.changelog_poll");
    let webhook = reader.secret("invalidation.webhook_secret").is_some();
    let passthrough = reader.boolean("access.passthrough");
    let tls = !reader.text("server.tls_cert_file").is_empty() | !reader.text("server.tls_key_file").is_empty();
    for (key, set) in
        [("invalidation.webhook_secret", webhook), ("access.passthrough", passthrough), ("server.tls_cert_file", tls)]
    {
        if set {
            reader.fault(key, "this version of nbproxy cannot do that yet");
        }
    }
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

fn public_base(text: &str) -> Result<PublicBase, String> {
    let base = BaseUrl::parse(text).map_err(|error| error.to_string())?;
    let uri: Uri = base.as_str().parse().map_err(|_| "it is not a URL".to_owned())?;
    let authority = uri.authority().cloned().ok_or_else(|| "it is not a URL".to_owned())?;
    Ok(PublicBase::mounted(uri.scheme_str() == Some("https"), authority, base.path()))
}
