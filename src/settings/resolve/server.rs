//! `[server]`: how clients reach nbproxy, and what it puts up with.

use std::net::IpAddr;

use http::Uri;
use ipnet::IpNet;

use super::{address, pair, places, positive};
use crate::cache::public::PublicBase;
use crate::netbox::session::BaseUrl;
use crate::settings::reader::Reader;
use crate::settings::{ConnectionLimits, Http2Limits, Server, ServerTls};
use crate::web::HeadLimits;

/// hyper's own buffer is not smaller.
const LEAST_HEAD: u64 = 8 * 1024;

/// The `http` crate holds no longer request target.
const LONGEST_URI: u64 = 65_534;

pub(super) fn read(reader: &mut Reader) -> Option<Server> {
    let listen = address(reader, "server.listen");
    let public_base = reader.parsed("server.public_url", public_base);
    let trusted_proxies = reader.list("server.trusted_proxies", |text| {
        let address = || text.parse::<IpAddr>().map(IpNet::from);
        text.parse::<IpNet>().or_else(|_| address()).map_err(|_| "an address or a network is wanted".to_owned())
    });
    let tls = tls(reader);
    let connections = ConnectionLimits {
        count: places(reader, "server.max_connections", "connection"),
        per_address: places(reader, "server.max_connections_per_address", "connection"),
        header: positive(reader, "server.header_timeout"),
        keep_alive: positive(reader, "server.keep_alive"),
        write: positive(reader, "server.write_timeout"),
    };
    let http2 = Http2Limits {
        streams: reader.number("server.http2_max_streams"),
        resets: reader.number("server.http2_max_resets"),
    };
    if http2.streams == 0 {
        reader.fault("server.http2_max_streams", "at least one stream must be let in");
    }
    let head = head(reader);
    let body_timeout = positive(reader, "server.body_timeout");
    let max_request_body = reader.size("server.max_request_body");
    let shutdown_grace = reader.duration("server.shutdown_grace");
    let reload = reader.duration("server.reload_poll");
    Some(Server {
        listen: listen?,
        public_base,
        trusted_proxies,
        tls,
        connections,
        http2,
        head,
        body_timeout,
        max_request_body,
        shutdown_grace,
        reload_poll: (!reload.is_zero()).then_some(reload),
    })
}

fn tls(reader: &mut Reader) -> Option<ServerTls> {
    let identity = pair(reader, "server.tls_cert_file", "server.tls_key_file");
    let client_ca = reader.file("server.tls_client_ca_file");
    if client_ca.is_some() && identity.is_none() {
        reader.fault("server.tls_client_ca_file", "clients can show certificates over TLS only: set tls_cert_file too");
    }
    identity.map(|(certificate, key)| ServerTls { certificate, key, client_ca })
}

fn head(reader: &mut Reader) -> HeadLimits {
    let (bytes, uri) = (reader.size("server.max_header_bytes"), reader.size("server.max_uri"));
    if !(LEAST_HEAD..=u64::from(u32::MAX)).contains(&bytes) {
        reader.fault("server.max_header_bytes", "at least 8KiB are needed");
    }
    if uri == 0 || uri > LONGEST_URI {
        reader.fault("server.max_uri", "from 1 to 65534 bytes are possible");
    }
    let headers: usize = reader.number("server.max_headers");
    if headers == 0 || headers > 1000 {
        reader.fault("server.max_headers", "from 1 to 1000 headers are possible");
    }
    let narrow = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
    HeadLimits { bytes: narrow(bytes), headers, uri: narrow(uri) }
}

fn public_base(text: &str) -> Result<PublicBase, String> {
    let base = BaseUrl::parse(text).map_err(|error| error.to_string())?;
    let uri: Uri = base.as_str().parse().map_err(|_| "it is not a URL".to_owned())?;
    let authority = uri.authority().cloned().ok_or_else(|| "it is not a URL".to_owned())?;
    Ok(PublicBase::mounted(uri.scheme_str() == Some("https"), authority, base.path()))
}
