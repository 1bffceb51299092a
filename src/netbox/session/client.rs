//! Building the HTTP clients: where NetBox is, whom to trust, and everything reqwest must *not* do for us.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Url;

use super::Config;

/// gunicorn closes idle connections after 2 s; letting go first leaves less to chance.
const IDLE_CONNECTION: Duration = Duration::from_millis(1500);

/// NetBox's base URL: `http` or `https`, an authority, and NetBox's `BASE_PATH` if it has one; no slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    url: String,
    authority: String,
    path_at: usize,
}

/// Why a text is no base URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// It does not parse at all.
    #[error("it is not a URL")]
    NotAUrl,
    /// Neither http nor https.
    #[error("its scheme must be http or https")]
    Scheme,
    /// A user or password in it would end up in logs.
    #[error("it must not hold a user name or password")]
    UserInfo,
    /// A query.
    #[error("it must not hold a query")]
    Query,
    /// The API's own path: the base is what stands before it.
    #[error("it must not end in /api: NetBox's base is what stands before that")]
    Api,
    /// A sub-path that would not survive decoding and encoding.
    #[error("its path may hold letters, digits, '-', '.', '_' and '~' only, and no dot segments")]
    Path,
}

/// Certificate files; empty where none is needed.
#[derive(Debug, Clone, Default)]
pub struct TlsFiles {
    /// Certificates (PEM) to trust besides the system's.
    pub ca: Option<PathBuf>,
    /// A client certificate and its key (PEM).
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// Why no session could be made.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// A file could not be read.
    #[error("{path} cannot be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file holds no usable certificate or key.
    #[error("{path} holds no usable certificate or key")]
    Certificate {
        /// The file.
        path: PathBuf,
    },
    /// The client could not be made.
    #[error("the HTTP client could not be made")]
    Client(#[source] reqwest::Error),
}

impl BaseUrl {
    /// Reads a base URL; slashes at its end are dropped.
    ///
    /// # Errors
    /// [`BaseUrlError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        let trimmed = text.trim_end_matches('/');
        let (scheme, rest) = trimmed.split_once("://").ok_or(BaseUrlError::NotAUrl)?;
        if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
            return Err(BaseUrlError::Scheme);
        }
        if rest.contains(['?', '#']) {
            return Err(BaseUrlError::Query);
        }
        // Checked before the URL is parsed, which would quietly resolve dot segments and encode the rest.
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        let fine = |segment: &str| !matches!(segment, "" | "." | "..") && segment.chars().all(plain);
        if !rest.split('/').skip(1).all(fine) {
            return Err(BaseUrlError::Path);
        }
        // Host and port as they will be sent: in lower case, the scheme's own port left out. NetBox builds its URLs
        // from that, and they are recognised by it.
        let url = Url::parse(trimmed).map_err(|_| BaseUrlError::NotAUrl)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::UserInfo);
        }
        let host = url.host_str().ok_or(BaseUrlError::NotAUrl)?;
        let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let origin = format!("{}://{authority}", url.scheme());
        let path = url.path().trim_end_matches('/');
        if path.ends_with("/api") {
            return Err(BaseUrlError::Api);
        }
        Ok(Self { path_at: origin.len(), url: origin + path, authority })
    }

    /// The whole base, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Host and port, as they stand in the `Host` header that NetBox builds its URLs from.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// NetBox's sub-path: empty, or `/netbox`.
    pub fn path(&self) -> &str {
        self.url.get(self.path_at..).unwrap_or_default()
    }
}

/// One client that keeps connections for reads, one that makes a new one for each write.
pub(super) fn build(config: &Config) -> Result<(reqwest::Client, reqwest::Client), SetUpError> {
    // Fails only when a provider is installed already, which is as good.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    if let Some(client) = &config.client {
        return Ok((client.clone(), client.clone()));
    }
    let keep = config.limits.in_flight;
    let client = |kept| builder(config)?.pool_max_idle_per_host(kept).build().map_err(SetUpError::Client);
    Ok((client(keep)?, client(0)?))
}

fn builder(config: &Config) -> Result<reqwest::ClientBuilder, SetUpError> {
    let mut builder = reqwest::Client::builder()
        // Redirects belong to the client; proxies from the environment are not ours to use.
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .retry(reqwest::retry::never())
        .connect_timeout(config.connect_timeout)
        .pool_idle_timeout(IDLE_CONNECTION)
        .tcp_nodelay(true)
        .http1_only();
    if let Some(path) = &config.tls.ca {
        let pem = read(path)?;
        let certificates = reqwest::Certificate::from_pem_bundle(&pem).unwrap_or_default();
        if certificates.is_empty() {
            return Err(SetUpError::Certificate { path: path.clone() });
        }
        builder = builder.tls_certs_merge(certificates);
    }
    if let Some((certificate, key)) = &config.tls.identity {
        let mut pem = read(certificate)?;
        pem.extend(read(key)?);
        let identity = reqwest::Identity::from_pem(&pem);
        builder = builder.identity(identity.map_err(|_| SetUpError::Certificate { path: certificate.clone() })?);
    }
    Ok(builder)
}

fn read(path: &Path) -> Result<Vec<u8>, SetUpError> {
    std::fs::read(path).map_err(|source| SetUpError::Read { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_taken_apart() {
        let base = BaseUrl::parse("https://netbox.example.com:8443/nbx/").unwrap();
        assert_eq!(base.as_str(), "https://netbox.example.com:8443/nbx");
        assert_eq!((base.authority(), base.path()), ("netbox.example.com:8443", "/nbx"));
        assert_eq!(BaseUrl::parse("http://[::1]:8000").unwrap().path(), "");
    }

    #[test]
    fn a_base_is_what_will_be_sent() {
        for (typed, sent) in [
            ("HTTP://NetBox:80", "http://netbox"),
            ("https://netbox:443/x", "https://netbox/x"),
            ("https://netbox:80", "https://netbox:80"),
            ("http://münchen.example", "http://xn--mnchen-3ya.example"),
        ] {
            assert_eq!(BaseUrl::parse(typed).unwrap().as_str(), sent);
        }
        assert_eq!(BaseUrl::parse("http://NetBox:80").unwrap().authority(), "netbox");
    }

    #[test]
    fn what_is_wrong_with_it_is_said() {
        use BaseUrlError::*;
        for (text, error) in [
            ("", NotAUrl),
            ("netbox", NotAUrl),
            ("/api", NotAUrl),
            ("ftp://netbox", Scheme),
            ("http://u:p@netbox", UserInfo),
            ("http://netbox/?x=1", Query),
            ("http://netbox/nbx/api/", Api),
            ("http://netbox/a/../b", Path),
            ("http://netbox/a%20b", Path),
        ] {
            assert_eq!(BaseUrl::parse(text), Err(error), "{text}");
        }
    }
}
