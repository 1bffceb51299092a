//! Under which name a client reached nbproxy: the base of the URLs it is given.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::uri::Authority;

/// Scheme, authority and mount point that a client uses, for example `https://nbproxy.example.com`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PublicBase {
    https: bool,
    authority: Authority,
    mount: Option<Arc<str>>,
}

impl PublicBase {
    /// The base made of what the client used.
    pub fn new(https: bool, authority: Authority) -> Self {
        Self { https, authority, mount: None }
    }

    /// The same, with a path under which nbproxy is mounted (`/netbox`, without a slash at its end).
    pub fn mounted(https: bool, authority: Authority, mount: &str) -> Self {
        let mount = if mount.is_empty() { None } else { Some(Arc::from(mount)) };
        Self { https, authority, mount }
    }
}

impl PublicBase {
    /// The path under which nbproxy is mounted, if it is.
    pub fn mount(&self) -> Option<&str> {
        self.mount.as_deref()
    }

    /// Whether it is reached by TLS.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Whether the name is this machine's own: what a page of the web cannot make a browser send.
    pub fn is_loopback(&self) -> bool {
        let host = self.authority.host().trim_matches(['[', ']']);
        host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Whether an `Origin` header names this base.
    pub fn is_origin(&self, origin: &str) -> bool {
        let scheme = if self.https { "https" } else { "http" };
        origin
            .strip_prefix(scheme)
            .and_then(|rest| rest.strip_prefix("://"))
            .is_some_and(|authority| self.authority == authority)
    }
}

impl fmt::Display for PublicBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.mount.as_deref().unwrap_or_default())
    }
}
