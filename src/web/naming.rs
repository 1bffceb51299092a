//! Under which name a client reached nbproxy, so that the URLs it is given lead back the same way.

use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use http::header::{FORWARDED, HOST, VIA};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;

use super::Peer;
use crate::cache::public::PublicBase;
use crate::proxy::auth::Origin;
use crate::proxy::error::BadRequest;

const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// How clients' names for nbproxy are understood.
#[derive(Debug)]
pub struct Naming {
    /// The one name to use, if it is settled.
    fixed: Option<PublicBase>,
    /// Whose `X-Forwarded-Host` and `-Proto` are believed.
    trusted: Vec<IpNet>,
    /// The name that was used last: most clients use the same.
    last: ArcSwapOption<(Box<[u8]>, PublicBase)>,
}

impl Naming {
    /// By `fixed`, if the name is settled; else by what clients say, and what `trusted` proxies say for them.
    pub fn new(fixed: Option<PublicBase>, trusted: Vec<IpNet>) -> Self {
        Self { fixed, trusted, last: ArcSwapOption::empty() }
    }

    /// The base for the URLs that this client is given. `loopback_only`: whether only this machine's own names are taken, from
    /// nobody who passes on for others: a page of the web may have its own name lead here (DNS rebinding), and then read
    /// what is open to whoever comes.
    ///
    /// # Errors
    /// [`BadRequest::Host`] when there is no usable name in the request.
    pub fn base(&self, request: &Parts, peer: &Peer, loopback_only: bool) -> Result<PublicBase, BadRequest> {
        let named = || self.named(request, peer);
        if loopback_only && (is_forwarded(&request.headers) || !named()?.is_loopback()) {
            return Err(BadRequest::ForeignHost);
        }
        self.fixed.clone().map_or_else(named, Ok)
    }

    /// The base by which the client reached nbproxy.
    fn named(&self, request: &Parts, peer: &Peer) -> Result<PublicBase, BadRequest> {
        let trusted = self.trusts(peer.address);
        let https = peer.tls || trusted && request.headers.get(FORWARDED_PROTO).is_some_and(|value| value == "https");
        let forwarded = if trusted { one(&request.headers, &FORWARDED_HOST)? } else { None };
        let name = match (forwarded, request.uri.authority()) {
            (Some(forwarded), _) => forwarded.as_bytes(),
            // A target in absolute form counts before Host (RFC 9112, section 3.2.2).
            (None, Some(target)) => target.as_str().as_bytes(),
            (None, None) => one(&request.headers, &HOST)?.ok_or(BadRequest::Host)?.as_bytes(),
        };
        self.of(https, name)
    }

    fn of(&self, https: bool, name: &[u8]) -> Result<PublicBase, BadRequest> {
        if let Some((text, base)) = self.last.load().as_deref()
            && **text == *name
            && base.is_https() == https
        {
            return Ok(base.clone());
        }
        let base = PublicBase::new(https, authority(name)?);
        self.last.store(Some(Arc::new((name.into(), base.clone()))));
        Ok(base)
    }
}

/// Whether a proxy in front says that it passes this on: then who asks need not be on this machine.
fn is_forwarded(headers: &HeaderMap) -> bool {
    [FORWARDED, VIA, FORWARDED_FOR, FORWARDED_HOST, FORWARDED_PROTO, REAL_IP]
        .iter()
        .any(|name| headers.contains_key(name))
}

impl Naming {
    /// Where a request comes from: the other end of its connection, or what a trusted proxy there says. Each such proxy
    /// adds to the right, so the rightmost address that is not of one of them is the client's; further left anybody may
    /// have written anything.
    pub fn origin(&self, headers: &HeaderMap, peer: &Peer) -> Origin {
        let said = headers.get_all(FORWARDED_FOR).iter().rev();
        let mut said = said.flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
        let mut address = peer.address.to_canonical();
        while self.trusts(address)
            && let Some(before) = said.next().and_then(|text| text.trim().parse::<IpAddr>().ok())
        {
            address = before.to_canonical();
        }
        Origin { address, certificate: peer.certificate.clone() }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address.to_canonical()))
    }
}

fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, BadRequest> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(BadRequest::Host),
    }
}

/// A copy: entries are kept by it, and what stands in a request holds the buffer that the request was read into.
fn authority(name: &[u8]) -> Result<Authority, BadRequest> {
    plain(Authority::try_from(name).map_err(|_| BadRequest::Host)?)
}

/// It is written into JSON as it is, and a user name in it would be somebody's trap.
fn plain(authority: Authority) -> Result<Authority, BadRequest> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    // The type takes any text for a port (RFC 9110, section 7.2: a number, or nothing).
    let port = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
    let ported = matches!(port, "" | ":") || authority.port_u16().is_some();
    if ported && authority.as_str().chars().all(fine) { Ok(authority) } else { Err(BadRequest::Host) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(trusted: &str, headers: &[(&str, &str)]) -> Result<String, BadRequest> {
        let mut request = http::Request::builder().uri("/api/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let trusted = if trusted.is_empty() { Vec::new() } else { vec![trusted.parse().unwrap()] };
        let naming = Naming::new(None, trusted);
        let peer = Peer { address: [10, 0, 0, 9].into(), ..Peer::default() };
        naming.base(&request.body(()).unwrap().into_parts().0, &peer, false).map(|base| base.to_string())
    }

    #[test]
    fn the_clients_own_name_counts() {
        assert_eq!(base("", &[("host", "nb.example:8080")]).unwrap(), "http://nb.example:8080");
        assert_eq!(base("", &[("host", "[::1]:8080")]).unwrap(), "http://[::1]:8080");
        let forwarded = [("host", "inner"), ("x-forwarded-host", "outer"), ("x-forwarded-proto", "https")];
        assert_eq!(base("", &forwarded).unwrap(), "http://inner");
        assert_eq!(base("10.0.0.0/8", &forwarded).unwrap(), "https://outer");
        for headers in [
            &[][..],
            &[("host", "")],
            &[("host", "a b")],
            &[("host", "a\"b")],
            &[("host", "user@host")],
            &[("host", "a"), ("host", "b")],
            &[("host", "a/b")],
            &[("host", "a,b")],
            &[("host", "a:http")],
            &[("host", "a:65536")],
        ] {
            assert_eq!(base("", headers), Err(BadRequest::Host), "{headers:?}");
        }
    }
}
