//! A plain client: no redirects followed, nothing decoded, a connection for each request unless told otherwise.

use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

/// Built once: reading the system's certificates takes longer than most tests.
static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
    // Fails only where a proxy in this process was first, which is as good.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .pool_max_idle_per_host(0)
        .retry(reqwest::retry::never())
        .timeout(Duration::from_secs(60))
        .build()
        .expect("a plain client can be built")
});

/// Keeps its connections, for tests of many thousand requests.
static KEEPING: LazyLock<reqwest::Client> = LazyLock::new(|| {
    let _installed = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().expect("a plain client can be built")
});

/// A request being put together.
pub(crate) struct Ask {
    request: reqwest::RequestBuilder,
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
}

impl Ask {
    pub(crate) fn new(method: &str, url: &str) -> Self {
        Self { request: CLIENT.request(method.parse().expect("a method"), url) }
    }

    /// The same on a connection that is kept.
    pub(crate) fn kept(method: &str, url: &str) -> Self {
        Self { request: KEEPING.request(method.parse().expect("a method"), url) }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.request = self.request.header("content-type", "application/json").body(body.to_string());
        self
    }

    pub(crate) fn body(mut self, body: impl Into<reqwest::Body>) -> Self {
        self.request = self.request.body(body);
        self
    }

    pub(crate) async fn send(self) -> Answer {
        self.try_send().await.unwrap_or_else(|error| panic!("no answer: {error:?}"))
    }

    pub(crate) async fn try_send(self) -> Result<Answer, reqwest::Error> {
        let response = self.request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { status, headers, body: response.bytes().await? })
    }

    /// The answer with its body still to be read.
    pub(crate) async fn begin(self) -> reqwest::Response {
        self.request.send().await.unwrap_or_else(|error| panic!("no answer: {error:?}"))
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("headers are text"))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).expect("bodies are text")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {:?}", self.body))
    }

    /// What `Cache-Status` says.
    pub(crate) fn cache(&self) -> &str {
        self.header("cache-status").strip_prefix("nbproxy; ").unwrap_or_default()
    }

    pub(crate) fn is_hit(&self) -> bool {
        self.cache().starts_with("hit")
    }

    pub(crate) fn detail(&self) -> String {
        self.json()["detail"].as_str().unwrap_or_default().to_owned()
    }
}
