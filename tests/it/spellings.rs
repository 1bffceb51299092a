//! What is closed is closed in every spelling: of its path, of the method, and of the way to it.

use std::fmt::Write as _;

use fake_netbox::{FakeNetbox, Received};
use serde_json::json;

use crate::support::{self, Raw, TestProxy, within};

const SECRET: &str = "not-for-you";

/// A request as it is written, but for who sends it.
#[derive(Debug)]
struct Spelling {
    method: &'static str,
    target: Vec<u8>,
    version: &'static str,
    more: String,
    body: &'static str,
}

impl Spelling {
    fn get(target: impl Into<Vec<u8>>) -> Self {
        Self::by("GET", target)
    }

    fn by(method: &'static str, target: impl Into<Vec<u8>>) -> Self {
        Self { method, target: target.into(), version: "HTTP/1.1", more: "Host: nbproxy\r\n".to_owned(), body: "" }
    }

    fn with(mut self, header: &str) -> Self {
        let _written = write!(self.more, "{header}\r\n");
        self
    }

    fn json(self, body: &'static str) -> Self {
        Self { body, ..self.with("Content-Type: application/json") }
    }

    fn in_http_1_0(self) -> Self {
        Self { version: "HTTP/1.0", ..self }
    }

    fn without_host(self) -> Self {
        Self { more: self.more.replace("Host: nbproxy\r\n", ""), ..self }
    }

    fn bytes(&self, key: Option<&str>) -> Vec<u8> {
        let mut bytes = format!("{} ", self.method).into_bytes();
        bytes.extend_from_slice(&self.target);
        let key = key.map(|key| format!("Authorization: Token {key}\r\n")).unwrap_or_default();
        let length =
            if self.body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", self.body.len()) };
        let rest = format!(" {}\r\n{}{key}{length}Connection: close\r\n\r\n{}", self.version, self.more, self.body);
        bytes.extend_from_slice(rest.as_bytes());
        bytes
    }
}

/// Each letter of it percent-encoded.
fn encoded(text: &str, upper: bool) -> String {
    text.bytes().map(|byte| if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") }).collect()
}

/// The ways to ask for an endpoint of an app, in and out of the rules.
fn spellings(app: &str, name: &str, branch: &str) -> Vec<Spelling> {
    let (first, rest) = name.split_at(1);
    let (once, shout) = (encoded(first, false), encoded(first, true));
    let all = [encoded(app, true), encoded(name, false)].join("/");
    let path = format!("/api/{app}/{name}/");
    let targets = [
        path.clone(),
        format!("/api/{app}/{name}"),
        format!("{path}1/"),
        format!("{path}1"),
        format!("{path}01/"),
        format!("{path}provision/"),
        format!("{path}1/x/"),
        format!("{path}x/../1/"),
        // Encoded, once and twice.
        format!("/api/{app}/{once}{rest}/"),
        format!("/api/{app}/{shout}{rest}/"),
        format!("/%61pi/{app}/{once}{rest}/"),
        format!("/api/{all}/"),
        format!("/api/{app}/%25{}{rest}/", &once[1..]),
        format!("/api/{app}/%%{}{rest}/", &once[1..]),
        format!("/api/{app}/%u00{}{rest}/", &once[1..]),
        format!("/api/{app}/{name}%"),
        // Slashes.
        format!("/api/{app}%2F{name}/"),
        format!("/api/{app}%2f{name}%2f"),
        format!("/api%2F{app}%2F{name}%2F"),
        format!("/api/{app}%252F{name}/"),
        format!("//api/{app}/{name}/"),
        format!("/api//{app}/{name}/"),
        format!("/api/{app}//{name}/"),
        format!("/api/{app}/{name}//"),
        format!("/api/{app}/{name}/%2f"),
        format!("/api\\{app}\\{name}\\"),
        format!("/api/{app}%5C{name}/"),
        format!("/api/{app}%c0%af{name}/"),
        format!("/api/{app}%e0%80%af{name}/"),
        format!("/api/{app}%ef%bc%8f{name}/"),
        // Dots.
        format!("/./api/{app}/{name}/"),
        format!("/api/{app}/./{name}/"),
        format!("/api/%2e/{app}/{name}/"),
        format!("/api/dcim/../{app}/{name}/"),
        format!("/api/dcim/sites/../../{app}/{name}/"),
        format!("/api/dcim/%2e%2e/{app}/{name}/"),
        format!("/api/dcim/.%2E/{app}/{name}/"),
        format!("/api/dcim/%252e%252e/{app}/{name}/"),
        format!("/api/dcim/..%2f{app}/{name}/"),
        format!("/api/dcim/..\\{app}/{name}/"),
        format!("/api/dcim/..;/{app}/{name}/"),
        format!("/api/dcim/%c0%ae%c0%ae/{app}/{name}/"),
        format!("/../api/{app}/{name}/"),
        format!("/graphql/../api/{app}/{name}/"),
        // Formats and parameters in the path.
        format!("/api/{app}/{name}.json"),
        format!("/api/{app}/{name}.json/"),
        format!("/api/{app}/{name}.api"),
        format!("/api/{app}/{name}%2ejson"),
        format!("/api/{app}/{name}/1.json"),
        format!("/api/{app}.json/{name}/"),
        format!("/api/{app}/{name};"),
        format!("/api/{app}/{name};/"),
        format!("/api/{app};v=1/{name};v=2/"),
        format!("/api/{app}/{name}%3B/"),
        format!("/api/{app}/{name};.json"),
        format!("/;/api/{app}/{name}/"),
        // Characters that are not seen, or are taken for others.
        format!("/api/{app}/{name}%00/"),
        format!("/api/{app}/{name}/%00"),
        format!("/api/{app}%00/{name}/"),
        format!("/api/{app}/{name}%20/"),
        format!("/api/{app}/%20{name}/"),
        format!("/api/{app}/{name} /"),
        format!("/api/{app}/{name}+/"),
        format!("/api/{app}/{name}%09/"),
        format!("/api/{app}/{name}%0a/"),
        format!("/api/{app}/{name}/%0d%0aX-Y:%20z"),
        format!("/api/{app}/{name}%7f/"),
        format!("/api/{app}/{name}%c2%ad/"),
        format!("/api/{app}/{name}%e2%80%8b/"),
        format!("/api/{app}/{name}%ff/"),
        format!("/api/{app}/{name}\u{e4}/"),
        format!("/API/{app}/{name}/"),
        format!("/api/{}/{}/", app.to_uppercase(), name.to_uppercase()),
        format!("/api/{app}/{}{rest}/", first.to_uppercase()),
        // Queries and fragments.
        format!("{path}?_branch="),
        format!("{path}?_branch={branch}"),
        format!("{path}?%5Fbranch={branch}"),
        format!("{path}?format=json&limit=0&fields=id,description,secret"),
        format!("{path}?brief=1"),
        format!("{path}?"),
        format!("{path}??x"),
        format!("{path}#x"),
        format!("/api/dcim/sites/#/../../{app}/{name}/"),
        format!("{path}%23"),
        format!("/api/{app}/{name}%3f/"),
        // Other forms of a target.
        format!("http://nbproxy{path}"),
        format!("http://netbox.internal:8000{path}"),
        format!("https://user:secret@netbox.internal{path}"),
        format!("http://nbproxy/{path}"),
        format!("HTTP://nbproxy{path}"),
        format!("file://{path}"),
        format!("nbproxy{path}"),
        path.trim_start_matches('/').to_owned(),
        "*".to_owned(),
    ];
    let mut all: Vec<_> = targets.into_iter().map(Spelling::get).collect();
    let mut bytes = format!("/api/{app}/{name}").into_bytes();
    bytes.extend_from_slice(b"\xc0\xaf");
    all.extend([Spelling::get(bytes), Spelling::get(format!("/api/{app}/{name}\0/"))]);
    for method in ["HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "QUERY", "PROPFIND", "get"]
    {
        all.push(Spelling::by(method, path.clone()).json("[]"));
    }
    // Past memory, so that all that is passed on is.
    let elsewhere = || Spelling::get("/api/dcim/sites/").with("Cache-Control: no-store");
    all.extend([
        Spelling::get(path.clone()).in_http_1_0(),
        Spelling::get(path.clone()).in_http_1_0().without_host(),
        Spelling::get(path.clone()).without_host(),
        Spelling::get(path.clone()).with(&format!("X-NetBox-Branch: {branch}")),
        Spelling::get(path.clone()).with("Accept: text/html"),
        Spelling::get(path.clone()).with("Cache-Control: only-if-cached, max-stale"),
        Spelling::get(path.clone()).with("X-Forwarded-Prefix: /api/dcim").with("X-Forwarded-For: 127.0.0.1"),
        Spelling::by("POST", path.clone()).with("X-HTTP-Method-Override: GET").json("{}"),
        Spelling::get(path.clone()).with("X-HTTP-Method-Override: OPTIONS"),
        Spelling::by("OPTIONS", path.clone()).with("X-HTTP-Method: GET").with("X-Method-Override: GET"),
        elsewhere().with(&format!("X-Original-URL: {path}")),
        elsewhere().with(&format!("X-Rewrite-URL: {path}")),
        elsewhere().with(&format!("X-Forwarded-URI: {path}")).with(&format!("X-Forwarded-Path: {path}")),
        elsewhere().with(&format!("X-Accel-Redirect: {path}")).with(&format!("Destination: {path}")),
        elsewhere().with(&format!("Referer: http://nbproxy{path}")),
    ]);
    all
}

/// What NetBox answers by GraphQL, which reaches everything.
fn by_graphql() -> Vec<Spelling> {
    let query = "{\"query\":\"{ webhook_list { secret } token_list { description } }\"}";
    let in_url = "query=%7B%20webhook_list%20%7B%20secret%20%7D%20%7D";
    let mut all = Vec::new();
    for target in [
        "/graphql/",
        "/graphql",
        "/%67raphql/",
        "/graphql//",
        "/graphql/x/",
        "/Graphql/",
        "/graphql;/",
        "/graphql.json",
    ] {
        all.push(Spelling::by("POST", target).json(query));
        all.push(Spelling::get(format!("{target}?{in_url}")));
    }
    all.push(Spelling::by("POST", "/api/graphql/").json(query));
    all.push(Spelling::by("POST", "http://netbox.internal/graphql/").json(query));
    all.push(Spelling::by("PUT", "/graphql/").json(query));
    all.push(Spelling::by("OPTIONS", "/graphql/").json(query));
    all
}

async fn proxy(netbox: &FakeNetbox) -> TestProxy {
    let client = |name: &str, more: &str| support::client(name, &format!("access = \"write\"\n{more}"));
    let settings = [
        "[access]\nanonymous = \"write\"\ndeny = [\"users/*\", \"extras/webhooks\"]\n".to_owned(),
        client("limited", "allow = [\"dcim/*\"]"),
        client("broad", ""),
        client("star", "allow = [\"*\", \"extras/*\", \"users/tokens-not\"]"),
        client(
            "denied",
            "deny = [\"users/tokens\", \"extras/webhooks\"]\nallow = [\"*\", \"users/tokens\", \"extras/webhooks\"]",
        ),
        client("trusted", "allow = [\"*\", \"users/tokens\", \"extras/webhooks\", \"graphql\"]"),
    ];
    TestProxy::builder(netbox).settings(&settings.concat()).start().await
}

async fn answer(proxy: &TestProxy, spelling: &Spelling, caller: Option<&str>) -> String {
    let key = caller.map(|name| format!("key-of-{name}"));
    let mut raw = Raw::connect(proxy.address()).await;
    raw.write_bytes(&spelling.bytes(key.as_deref())).await;
    within(raw.rest()).await
}

/// The path as the most lenient server in between might read it once it is decoded.
fn flattened(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split(['/', '\\']) {
        let bare = segment.split(';').next().unwrap_or_default();
        let bare = bare.trim_matches(|c: char| c.is_control());
        match bare {
            "" | "." => {}
            ".." => drop(segments.pop()),
            bare => segments.push(bare),
        }
    }
    segments.join("/")
}

/// Whether NetBox has been asked for what is closed, or for everything.
fn is_closed(request: &Received) -> bool {
    let path = flattened(&request.path);
    let of =
        |closed: &&str| path.strip_prefix(*closed).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '.']));
    let told = request.headers.iter().any(|(_, value)| value.contains("webhooks") || value.contains("tokens"));
    ["api/users/tokens", "api/extras/webhooks", "graphql"].iter().any(of) || told
}

#[tokio::test]
async fn no_spelling_opens_what_is_closed() {
    let netbox = FakeNetbox::builder().sites(2).devices(0).start().await;
    netbox.edit("extras/webhooks", 1, json!({"secret": SECRET, "additional_headers": SECRET}));
    netbox.edit_token(netbox.token(), json!({"description": SECRET}));
    let branch = netbox.add_branch("one", "ready");
    let proxy = proxy(&netbox).await;
    let mut all = by_graphql();
    for (app, name) in [("users", "tokens"), ("extras", "webhooks")] {
        let here = spellings(app, name, &branch);
        assert!(here.len() >= 100, "only {}", here.len());
        all.extend(here);
    }
    // Some of them do lead there, for who may go there.
    let mut open = 0;
    for spelling in &all {
        open += usize::from(answer(&proxy, spelling, Some("trusted")).await.contains(SECRET));
    }
    assert!(open >= 30, "only {open} spellings lead anywhere");
    netbox.clear_log();
    for caller in [Some("limited"), Some("broad"), Some("star"), Some("denied"), None] {
        for spelling in &all {
            let answer = answer(&proxy, spelling, caller).await;
            let sent = String::from_utf8_lossy(&spelling.bytes(None)).into_owned();
            assert!(!answer.contains(SECRET), "{caller:?} is shown a secret for {sent}: {answer}");
            let closed = netbox.log().into_iter().find(is_closed);
            assert!(closed.is_none(), "{caller:?} reaches {:?} by {sent}", closed.map(|request| request.target));
            netbox.clear_log();
        }
    }
    // What was shown to who may see it has not stayed.
    assert_eq!(proxy.ask("GET", "/api/dcim/sites/").send().await.status, 200);
}
