//! NetBox's paths: decoded once, decided on the decoded segments, sent re-encoded.
//!
//! `/api/users%2Ftokens/` reaches NetBox's tokens view, so whatever decides by path must see what NetBox sees. What
//! two readers could take for different paths is refused here.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use percent_encoding::percent_decode_str;

use super::query::{Query, encode};

/// The path of a request below NetBox's base, decoded; begins with `/api` or `/graphql`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ApiPath {
    decoded: String,
    /// Where its [name](Self::name) stands in it: it is asked for several times on each request's road.
    name: Range<usize>,
}

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource<'a> {
    /// `/api/`
    Root,
    /// `/api/dcim/`, `/api/plugins/` or `/api/plugins/<plugin>/`
    AppRoot,
    /// `/api/status/`
    Status,
    /// `/api/schema/`, the OpenAPI document
    Schema,
    /// `/graphql/`
    GraphQl,
    /// `/api/dcim/sites/`
    List(Endpoint<'a>),
    /// `/api/dcim/sites/1/`
    Object(Endpoint<'a>, u64),
    /// Anything below an endpoint that is no object: `/api/dcim/interfaces/1/trace/`, `/api/users/tokens/provision/`.
    /// The last segment is named.
    Below(Endpoint<'a>, &'a str),
    /// `/api/authentication-check/` and whatever else stands directly below `/api/`
    Single(&'a str),
}

/// An endpoint of an app, or of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint<'a> {
    /// `dcim`, or the plugin's name.
    pub app: &'a str,
    /// `sites`
    pub name: &'a str,
    /// Whether it stands below `/api/plugins/`.
    pub plugin: bool,
}

/// NetBox's own apps (4.0 to 4.7) and the plugins' folder.
pub const APPS: [&str; 11] =
    ["circuits", "core", "dcim", "extras", "ipam", "plugins", "tenancy", "users", "virtualization", "vpn", "wireless"];

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It lies outside of what NetBox's API and nbproxy have in common.
    #[error("nbproxy mirrors /api/ and /graphql/ only")]
    NotMirrored,
    /// It could be read in more than one way.
    #[error("the path holds {0}")]
    Ambiguous(&'static str),
}

impl ApiPath {
    /// Reads a request's raw path, which must stand below NetBox's own sub-path `base` (`""` or `/netbox`).
    ///
    /// # Errors
    /// [`PathError::Ambiguous`] for encoded slashes, backslashes, NUL, control bytes, `;`, dot segments, empty
    /// segments, format suffixes (`sites.json`) and broken encoding; [`PathError::NotMirrored`] for what is not below `/api` or `/graphql`.
    pub fn parse(raw: &str, base: &str) -> Result<Self, PathError> {
        let decoded = decode(raw)?;
        let below = decoded.strip_prefix(base).ok_or(PathError::NotMirrored)?;
        let mut segments = segments(below);
        let rooted = segments.next() == Some("");
        if !matches!(segments.next(), Some("api" | "graphql") if rooted) {
            return Err(PathError::NotMirrored);
        }
        // Django REST framework serves `webhooks.json` by the view of `webhooks`: another name for what rules and
        // rights know by one. No endpoint of NetBox's has a dot in its own name.
        if segments.any(|segment| segment.contains('.')) {
            return Err(PathError::Ambiguous("a dot, which NetBox takes for the beginning of a format"));
        }
        let name = name(below);
        Ok(Self { decoded: below.to_owned(), name })
    }

    /// The path to send, below NetBox's base: every character outside RFC 3986's unreserved ones is encoded.
    pub fn encode(&self) -> String {
        let mut out = String::with_capacity(self.decoded.len());
        for (index, segment) in segments(&self.decoded).enumerate() {
            if index > 0 {
                out.push('/');
            }
            encode(segment.as_bytes(), &mut out);
        }
        out
    }

    /// The request target to send, below NetBox's base: path and query in canonical form.
    pub fn target(&self, query: &Query) -> String {
        let (path, query) = (self.encode(), query.encode());
        if query.is_empty() { path } else { format!("{path}?{query}") }
    }

    /// Whether it ends with a slash, as all of NetBox's paths do; without one NetBox redirects.
    pub fn is_closed(&self) -> bool {
        self.decoded.ends_with('/')
    }

    /// What the path names, closed or not.
    pub fn resource(&self) -> Resource<'_> {
        let mut parts = segments(&self.decoded).filter(|part| !part.is_empty());
        if parts.next() == Some("graphql") {
            return Resource::GraphQl;
        }
        let Some(first) = parts.next() else { return Resource::Root };
        if !APPS.contains(&first) {
            return match (first, parts.next()) {
                ("status", None) => Resource::Status,
                ("schema", None) => Resource::Schema,
                (name, None) => Resource::Single(name),
                (app, Some(name)) => below(Endpoint { app, name, plugin: false }, parts),
            };
        }
        let plugin = first == "plugins";
        let Some(second) = parts.next() else { return Resource::AppRoot };
        if !plugin {
            return below(Endpoint { app: first, name: second, plugin }, parts);
        }
        match parts.next() {
            // The list of plugins is an endpoint of `plugins` itself, not a plugin's root.
            None if second == "installed-plugins" => Resource::Single(second),
            None => Resource::AppRoot,
            Some(name) => below(Endpoint { app: second, name, plugin }, parts),
        }
    }

    /// What rules, rights and metrics call it: `dcim/sites` for all of an endpoint, `plugins/branching/branches`,
    /// `dcim` for an app's root, `graphql`, and `api` for `/api/` itself.
    pub fn name(&self) -> &str {
        self.decoded.get(self.name.clone()).unwrap_or_default()
    }

    /// The id of the object that is named, or below which something is.
    pub fn object_id(&self) -> Option<u64> {
        let below = self.decoded.strip_prefix("/api/")?.strip_prefix(self.name())?;
        segments(below).find(|segment| !segment.is_empty())?.parse().ok()
    }

    /// The decoded path.
    pub fn as_str(&self) -> &str {
        &self.decoded
    }
}

impl fmt::Debug for ApiPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.decoded)
    }
}

impl fmt::Display for Endpoint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plugins = if self.plugin { "plugins/" } else { "" };
        write!(f, "{plugins}{}/{}", self.app, self.name)
    }
}

/// Where a path's name stands in it.
fn name(path: &str) -> Range<usize> {
    const ROOT: &str = "/api/";
    if !path.starts_with(ROOT) || path.len() == ROOT.len() {
        let end = path.trim_end_matches('/').len();
        return path.len().min(1)..end.max(1);
    }
    let rest = path.get(ROOT.len()..).unwrap_or_default();
    let wanted = if rest.starts_with("plugins/") { 3 } else { 2 };
    let named = segments(rest).take(wanted).map(|segment| segment.len() + 1).sum::<usize>().saturating_sub(1);
    let end = rest.get(..named).unwrap_or_default().trim_end_matches('/').len();
    ROOT.len()..ROOT.len() + end
}

/// What stands between slashes. Paths are short: the standard library's search, made for long texts, takes longer.
pub(super) fn segments(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(path);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(at) = text.bytes().position(|byte| byte == b'/') else { return rest.take() };
        rest = text.get(at + 1..);
        text.get(..at)
    })
}

/// The path of a URL, its query included; of a path, itself.
pub(super) fn path_of_url(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, rest)| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or(""))
}

fn below<'a>(endpoint: Endpoint<'a>, mut rest: impl Iterator<Item = &'a str>) -> Resource<'a> {
    let Some(first) = rest.next() else { return Resource::List(endpoint) };
    match (first.parse(), rest.last()) {
        (Ok(id), None) => Resource::Object(endpoint, id),
        (Err(_), None) => Resource::Below(endpoint, first),
        (_, Some(last)) => Resource::Below(endpoint, last),
    }
}

fn decode(raw: &str) -> Result<Cow<'_, str>, PathError> {
    use PathError::Ambiguous;
    check_encoding(raw)?;
    let forbidden = |c: char| matches!(c, '\\' | ';') || c.is_control();
    // A slash that is encoded is another one when it has been decoded.
    let decoded = |text| percent_decode_str(text).decode_utf8().map_err(|_| Ambiguous("bytes that are not UTF-8"));
    let encoded = raw.contains('%');
    for segment in segments(raw) {
        let segment = if encoded { decoded(segment)? } else { Cow::Borrowed(segment) };
        match segment.as_ref() {
            "." | ".." => return Err(Ambiguous("a dot segment")),
            text if text.contains(|c| c == '/' || forbidden(c)) => {
                return Err(Ambiguous("an encoded slash, a backslash, a semicolon or a control character"));
            }
            _ => {}
        }
    }
    let path = if encoded { decoded(raw)? } else { Cow::Borrowed(raw) };
    if path.contains("//") { Err(Ambiguous("an empty segment")) } else { Ok(path) }
}

/// percent-encoding leaves a lone `%` as it is; another reader may not.
fn check_encoding(raw: &str) -> Result<(), PathError> {
    let mut parts = raw.split('%');
    parts.next();
    let broken = |part: &str| !part.as_bytes().get(..2).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
    if parts.any(broken) { Err(PathError::Ambiguous("a broken percent-encoding")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(raw: &str) -> ApiPath {
        ApiPath::parse(raw, "").unwrap()
    }

    #[test]
    fn paths_name_resources() {
        let sites = Endpoint { app: "dcim", name: "sites", plugin: false };
        assert_eq!(path("/api/").resource(), Resource::Root);
        assert_eq!(path("/api/dcim/").resource(), Resource::AppRoot);
        assert_eq!(path("/api/status/").resource(), Resource::Status);
        assert_eq!(path("/api/schema/").resource(), Resource::Schema);
        assert_eq!(path("/graphql/").resource(), Resource::GraphQl);
        assert_eq!(path("/api/dcim/sites").resource(), Resource::List(sites));
        assert_eq!(path("/api/dcim/sites/7/").resource(), Resource::Object(sites, 7));
        assert_eq!(path("/api/dcim/sites/7/x/").resource(), Resource::Below(sites, "x"));
        assert_eq!(path("/api/plugins/installed-plugins/").resource(), Resource::Single("installed-plugins"));
        let branches = Endpoint { app: "branching", name: "branches", plugin: true };
        assert_eq!(path("/api/plugins/branching/branches/").resource(), Resource::List(branches));
        assert_eq!(path("/api/plugins/branching/branches/1/sync/").resource(), Resource::Below(branches, "sync"));
        assert_eq!(branches.to_string(), "plugins/branching/branches");
    }

    #[test]
    fn names_are_those_of_endpoints() {
        for (raw, name) in [
            ("/api/", "api"),
            ("/api", "api"),
            ("/api/dcim/", "dcim"),
            ("/api/dcim/sites", "dcim/sites"),
            ("/api/dcim/sites/1/x/", "dcim/sites"),
            ("/api/plugins/branching/branches/1/sync/", "plugins/branching/branches"),
            ("/api/plugins/branching/", "plugins/branching"),
            ("/graphql/", "graphql"),
            ("/api/status/", "status"),
            ("/api/users%2dx/%74okens/", "users-x/tokens"),
        ] {
            assert_eq!(path(raw).name(), name, "{raw}");
        }
    }

    #[test]
    fn objects_are_known_by_id_below_them_too() {
        for (raw, id) in [
            ("/api/dcim/sites/7/", Some(7)),
            ("/api/dcim/sites/7", Some(7)),
            ("/api/dcim/interfaces/7/trace/", Some(7)),
            ("/api/plugins/branching/branches/7/", Some(7)),
            ("/api/dcim/sites/", None),
            ("/api/dcim/7/", None),
            ("/api/users/config/", None),
            ("/api/users/tokens/provision/7/", None),
            ("/api/", None),
            ("/graphql/", None),
        ] {
            assert_eq!(path(raw).object_id(), id, "{raw}");
        }
    }

    #[test]
    fn encoded_letters_are_what_they_stand_for() {
        assert_eq!(path("/api/%64cim/sites/"), path("/api/dcim/sites/"));
        assert_eq!(path("/%61pi/dcim/s%20x/").encode(), "/api/dcim/s%20x/");
    }

    #[test]
    fn what_can_be_read_two_ways_is_refused() {
        for raw in [
            "/api/users%2Ftokens/",
            "/api/users%2ftokens/",
            "/api/dcim%5Csites/",
            "/api/dcim/sites;x/",
            "/api/dcim/%00/",
            "/api/./users/",
            "/api/dcim/../users/",
            "/api/dcim/%2e%2e/users/",
            "/api//users/",
            "/api/dcim/%zz/",
            "/api/dcim/%f",
            "/api/dcim/%ff/",
            "/api/dcim/%0a/",
            "/api/dcim/a%3Bb/",
            "/api/extras/webhooks.json",
            "/api/extras/webhooks%2ejson/",
            "/api/dcim/sites/1.api/",
        ] {
            assert!(matches!(ApiPath::parse(raw, ""), Err(PathError::Ambiguous(_))), "{raw}");
        }
        for raw in ["/", "/API/", "/apix/", "/login/", "/api%20/", "api/", "/netbox/api/"] {
            assert_eq!(ApiPath::parse(raw, ""), Err(PathError::NotMirrored), "{raw}");
        }
    }

    #[test]
    fn the_sub_path_is_taken_off_by_segment() {
        assert_eq!(ApiPath::parse("/nbx/api/dcim/", "/nbx").unwrap().encode(), "/api/dcim/");
        assert_eq!(ApiPath::parse("/nbxapi/dcim/", "/nbx"), Err(PathError::NotMirrored));
        assert_eq!(ApiPath::parse("/api/dcim/", "/nbx"), Err(PathError::NotMirrored));
    }

    proptest! {
        #[test]
        fn sending_and_reading_again_gives_the_same(raw in "/api(/[a-z0-9%_~ ä;-]{0,6}){0,4}/?") {
            if let Ok(first) = ApiPath::parse(&raw, "") {
                let again = ApiPath::parse(&first.encode(), "").unwrap();
                prop_assert_eq!(&first, &again);
            }
        }
    }
}
