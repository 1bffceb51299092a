//! How an [`Api`] is set: whom to trust, how much at once, and what to check before sending.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;

use super::Api;
use crate::netbox::error::Error;
use crate::netbox::gate::Limits;
use crate::netbox::session::{BaseUrl, Config, Session, TlsFiles};
use crate::netbox::token::Token;

/// How lists are walked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pagination {
    /// By `offset`, several pages at once where that was asked for.
    #[default]
    Offset,
    /// By `start` (NetBox ≥ 4.6), one page after the other and without shifting; by offset where NetBox is older.
    Cursor,
}

/// What is done with `next` and `url` that lead to another server than the one that was asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ForeignLinks {
    /// It is an error.
    #[default]
    Refuse,
    /// Their path is asked of the server one knows: for a NetBox behind a proxy that hides its name. The token never
    /// goes anywhere else.
    SamePath,
}

/// An [`Api`] being set.
pub struct ApiBuilder {
    url: String,
    token: Option<String>,
    timeout: Duration,
    connect_timeout: Duration,
    in_flight: usize,
    tls: TlsFiles,
    headers: HeaderMap,
    retries: u32,
    client: Option<reqwest::Client>,
    options: Options,
}

#[derive(Debug, Clone)]
pub(in crate::netbox) struct Options {
    pub(in crate::netbox) pagination: Pagination,
    pub(in crate::netbox) concurrency: usize,
    pub(in crate::netbox) strict_filters: bool,
    pub(in crate::netbox) foreign_links: ForeignLinks,
    pub(in crate::netbox) bulk: Option<usize>,
}

impl fmt::Debug for ApiBuilder {
    /// Token and headers are not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiBuilder").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Default for Options {
    fn default() -> Self {
        let (pagination, foreign_links) = (Pagination::default(), ForeignLinks::default());
        Self { pagination, concurrency: 1, strict_filters: false, foreign_links, bulk: None }
    }
}

impl ApiBuilder {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            token: None,
            timeout: Duration::from_secs(120),
            connect_timeout: Duration::from_secs(10),
            in_flight: 32,
            tls: TlsFiles::default(),
            headers: HeaderMap::new(),
            retries: 0,
            client: None,
            options: Options::default(),
        }
    }

    /// The token, v1 or v2; without one NetBox is asked anonymously.
    #[must_use]
    pub fn token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// How many pages of a list are fetched at once (pynetbox's `threading`); 1 is one after the other.
    #[must_use]
    pub fn concurrency(mut self, pages: usize) -> Self {
        self.options.concurrency = pages.max(1);
        self
    }

    /// Checks the names of filters against NetBox's OpenAPI document before anything is sent.
    #[must_use]
    pub fn strict_filters(mut self, strict: bool) -> Self {
        self.options.strict_filters = strict;
        self
    }

    /// How lists are walked.
    #[must_use]
    pub fn pagination(mut self, pagination: Pagination) -> Self {
        self.options.pagination = pagination;
        self
    }

    /// What is done with links that lead to another server.
    #[must_use]
    pub fn foreign_links(mut self, what: ForeignLinks) -> Self {
        self.options.foreign_links = what;
        self
    }

    /// Sends bulk writes in parts of this many objects. Each part is all or nothing, the whole no longer is: when a later
    /// part fails, [`Error::Partial`] tells what was done.
    #[must_use]
    pub fn bulk_chunk(mut self, objects: usize) -> Self {
        self.options.bulk = Some(objects.max(1));
        self
    }

    /// How long NetBox may be silent, before its answer and within it (default 120 s, as long as its gunicorn lets a
    /// worker live).
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long a connection may take to be made (default 10 s).
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Requests at NetBox at once, over all clones (default 32).
    #[must_use]
    pub fn max_in_flight(mut self, requests: usize) -> Self {
        self.in_flight = requests.max(1);
        self
    }

    /// How often a read is repeated that brought no answer, or 502, 503 or 504 (default 0), after 100 ms, 200 ms and so
    /// on. An answer that breaks off amid its body is an error at once. Writes are never repeated.
    #[must_use]
    pub fn retries(mut self, times: u32) -> Self {
        self.retries = times;
        self
    }

    /// Certificates (PEM) to trust besides the system's.
    #[must_use]
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.tls.ca = Some(path.into());
        self
    }

    /// A client certificate and its key (PEM), for mutual TLS.
    #[must_use]
    pub fn client_certificate(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.tls.identity = Some((certificate.into(), key.into()));
        self
    }

    /// Headers that every request carries; token and branch are set after them.
    #[must_use]
    pub fn headers(mut self, headers: HeaderMap) -> Self {
        self.headers = headers;
        self
    }

    /// A client of your own, in place of all that is said here of connections and certificates. It should follow no
    /// redirects; writes share its connections with reads.
    #[must_use]
    pub fn client(mut self, client: reqwest::Client) -> Self {
        self.client = Some(client);
        self
    }

    /// Makes it; nothing is sent.
    ///
    /// # Errors
    /// [`Error::Argument`] for what is no base URL or no token, [`Error::SetUp`] for certificate files.
    pub fn build(self) -> Result<Api, Error> {
        let base = BaseUrl::parse(&self.url).map_err(Error::Url)?;
        let token = self.token.as_deref().filter(|token| !token.is_empty()).map(Token::parse).transpose();
        let token = token.map_err(|_| Error::Argument("a token is visible ASCII without spaces"))?.map(Arc::new);
        let limits = Limits { in_flight: self.in_flight, queue: usize::MAX, patience: self.timeout };
        let (timeout, connect_timeout) = (self.timeout, self.connect_timeout);
        let config = Config {
            base,
            timeout,
            connect_timeout,
            limits,
            tls: self.tls,
            headers: self.headers,
            retries: self.retries,
            client: self.client,
        };
        Ok(Api::new(Session::new(config)?, token, self.options))
    }
}
