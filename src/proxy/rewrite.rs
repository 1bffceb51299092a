//! NetBox builds absolute URLs; here they are led back through nbproxy, while the body flows by.
//!
//! A value is moved only where it is the value of `url`, `next` or `previous` and begins with NetBox's API base;
//! `display_url` leads people to NetBox's pages, or to `upstream.ui_url`. Text that merely quotes NetBox's address,
//! and the data that users keep as JSON, are never touched. A body is read once, in any number of parts.

use bytes::BytesMut;

use crate::cache::public::PublicBase;
use crate::invalidation::relations::Shown;
use crate::netbox::session::BaseUrl;

mod scan;
mod shown;

use scan::Scanner;

/// Which texts are to be replaced by which.
#[derive(Debug, Clone)]
pub struct Links {
    /// NetBox's base in its two schemes: behind a proxy of its own it may not know that it is reached by https.
    upstream: [String; 2],
    /// NetBox's sub-path, which nbproxy has too.
    path: String,
    ui: Option<String>,
}

/// What a body holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Objects, alone or in lists.
    Objects,
    /// `/api/` or an app's root: a directory whose values all are URLs.
    Directory,
    /// The OpenAPI document: it names no origin, and its 13 MB would be read for nothing.
    Document,
}

/// What is found at the beginning of a value, and what stands there afterwards.
#[derive(Debug)]
struct Move {
    from: Vec<u8>,
    to: Vec<u8>,
}

/// Rewrites one body for one public base.
#[derive(Debug)]
pub struct Rewriter {
    api: Vec<Move>,
    ui: Vec<Move>,
    scanner: Scanner,
}

impl Links {
    /// The links of a NetBox at `base`, whose pages people reach at `ui` (no slash at its end) if that is another
    /// place.
    pub fn new(base: &BaseUrl, ui: Option<&str>) -> Self {
        let root = |scheme| format!("{scheme}://{}{}", base.authority(), base.path());
        Self { upstream: [root("http"), root("https")], path: base.path().to_owned(), ui: ui.map(str::to_owned) }
    }

    /// A rewriter for clients that use this public base.
    pub fn rewriter(&self, base: &PublicBase, content: Content) -> Rewriter {
        let to = format!("{base}{}/api/", self.path).into_bytes();
        let api = self.upstream.iter().map(|root| Move { from: format!("{root}/api/").into_bytes(), to: to.clone() });
        let ui = self.ui.iter().flat_map(|ui| {
            let to = format!("{ui}/").into_bytes();
            self.upstream.iter().map(move |root| Move { from: format!("{root}/").into_bytes(), to: to.clone() })
        });
        Rewriter { api: api.collect(), ui: ui.collect(), scanner: Scanner::new(content) }
    }

    /// Where a `Location` leads through nbproxy, if it leads below NetBox's API.
    pub(super) fn move_location(&self, location: &str, base: &PublicBase) -> Option<String> {
        if location.starts_with('/') {
            return base.mount().map(|mount| format!("{mount}{location}"));
        }
        self.upstream.iter().find_map(|root| {
            let rest = location.strip_prefix(root.as_str())?;
            rest.starts_with("/api/").then(|| format!("{base}{}{rest}", self.path))
        })
    }
}

impl Rewriter {
    /// Reads the next part of the body and appends it, rewritten, to `out`. `links` collects where the public base
    /// stands in `out`.
    pub fn feed(&mut self, part: &[u8], out: &mut BytesMut, links: &mut Vec<u32>) {
        self.scanner.feed(part, &self.api, &self.ui, out, links);
    }

    /// Appends what was held back at the body's end.
    pub fn finish(&mut self, out: &mut BytesMut) {
        self.scanner.finish(out);
    }

    /// What the body that was read holds, rewritten as it is now and with the public base at `links`; `None` when some of it
    /// was not understood.
    pub fn shown(&self, body: &[u8], links: &[u32]) -> Option<Shown> {
        let base = self.api.first()?.to.len();
        let below =
            |link: &u32| usize::try_from(*link).ok().and_then(|link| body.get(link + base..)).unwrap_or_default();
        let has_context = self.scanner.has_understood()?;
        Some(Shown { types: shown::types(links.iter().map(below))?, has_context })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base(authority: &str) -> PublicBase {
        PublicBase::new(true, authority.parse().unwrap())
    }

    fn links() -> Links {
        Links::new(&BaseUrl::parse("http://netbox:8080/nbx").unwrap(), Some("https://ui.example"))
    }

    fn rewrite(parts: &[&[u8]], content: Content) -> (String, Vec<u32>) {
        let (mut out, mut found) = (BytesMut::new(), Vec::new());
        let mut rewriter = links().rewriter(&base("p.example"), content);
        parts.iter().for_each(|part| rewriter.feed(part, &mut out, &mut found));
        rewriter.finish(&mut out);
        (String::from_utf8(out.to_vec()).unwrap(), found)
    }

    fn objects(body: &str) -> String {
        rewrite(&[body.as_bytes()], Content::Objects).0
    }

    #[test]
    fn links_lead_through_nbproxy() {
        let body = r#"{"count":1,"next":"http://netbox:8080/nbx/api/dcim/sites/?limit=1","previous":null,"results":[
            {"url":"http://netbox:8080/nbx/api/dcim/sites/1/","display_url":"http://netbox:8080/nbx/dcim/sites/1/",
             "region":{"url": "https://netbox:8080/nbx/api/dcim/regions/1/"},"list":["url",{"previous" : "http://netbox:8080/nbx/api/x/"}]}]}"#;
        let moved = objects(body);
        assert_eq!(moved.matches("https://p.example/nbx/api/").count(), 4, "{moved}");
        assert!(moved.contains(r#""display_url":"https://ui.example/dcim/sites/1/""#), "{moved}");
        assert!(!moved.contains("netbox:8080"), "{moved}");
    }

    #[test]
    fn text_and_users_own_data_stay() {
        for body in [
            r#"{"comments":"see http://netbox:8080/nbx/api/dcim/sites/1/"}"#,
            r#"{"comments":"{\"url\":\"http://netbox:8080/nbx/api/\"}"}"#,
            r#"{"name":"http://netbox:8080/nbx/api/x/","url":"see http://netbox:8080/nbx/api/"}"#,
            r#"{"url":"http://netbox:8080/nbx/apis/","next":"http://netbox:8080/api/","previous":"http://netbox:80801/nbx/api/"}"#,
            r#"{"url":"http://netbox.evil/nbx/api/","url\"":"http://netbox:8080/nbx/api/"}"#,
            r#"{"custom_fields":{"url":"http://netbox:8080/nbx/api/","next":"http://netbox:8080/nbx/api/"}}"#,
            r#"{"config_context":{"a":[{"url":"http://netbox:8080/nbx/api/"}]},"local_context_data":{"next":"http://netbox:8080/nbx/api/"}}"#,
            r#"["url","http://netbox:8080/nbx/api/"]"#,
            r#""http://netbox:8080/nbx/api/""#,
            r#"{"url":["http://netbox:8080/nbx/api/"]}"#,
        ] {
            assert_eq!(objects(body), body);
        }
        for body in [
            r#"{"custom_fields":{"j":{"url":"http://netbox:8080/nbx/api/"}}}"#,
            r#"{"custom_fields":{"j":{"id":1,"x":{"id":1,"url":"http://netbox:8080/nbx/api/"}}}}"#,
            r#"{"custom_fields":{"j":[[{"id":1,"url":"http://netbox:8080/nbx/api/"}],{"x":1,"id":1,"url":"http://netbox:8080/nbx/api/"}]}}"#,
            r#"{"custom_fields":{"j":{"id":1,"name":"x","url":"http://netbox:8080/nbx/api/","next":"http://netbox:8080/nbx/api/"}}}"#,
        ] {
            assert_eq!(objects(body), body, "a field of JSON is its user's");
        }
        for body in [
            r#"{"custom_fields":{"i":{"id":1,"url":"http://netbox:8080/nbx/api/dcim/interfaces/1/","device":{"id":2,"url":"http://netbox:8080/nbx/api/dcim/devices/2/"}}}}"#,
            r#"{"custom_fields":{"data":{"id":1,"url":"http://netbox:8080/nbx/api/dcim/sites/1/"},"current":[{"id":1,"url":"http://netbox:8080/nbx/api/x/"}]}}"#,
        ] {
            assert_eq!(objects(body).matches("https://p.example/nbx/api/").count(), 2, "{body}");
        }
        let list = r#"{"custom_fields":{"peers":[{"id":1,"url":"http://netbox:8080/nbx/api/dcim/sites/1/"}]}}"#;
        assert!(objects(list).contains("p.example"));
        let nested = r#"{"custom_fields":{"peer":{"id":1,"url":"http://netbox:8080/nbx/api/dcim/sites/1/"}}}"#;
        assert!(objects(nested).contains("p.example"));
        let after = r#"{"config_context":{"a":1},"url":"http://netbox:8080/nbx/api/x/"}"#;
        assert!(objects(after).contains("p.example"));
    }

    /// The types in a body and whether it has a config context; `None` when it was not understood.
    fn shown(body: &str) -> Option<(Vec<&'static str>, bool)> {
        let (mut out, mut found) = (BytesMut::new(), Vec::new());
        let mut rewriter = links().rewriter(&base("p.example"), Content::Objects);
        rewriter.feed(body.as_bytes(), &mut out, &mut found);
        rewriter.finish(&mut out);
        let shown = rewriter.shown(&out, &found)?;
        Some((shown.types.iter().map(|shown| shown.endpoint()).collect(), shown.has_context))
    }

    #[test]
    fn what_a_body_shows_is_told() {
        let site = r#"{"id":1,"url":"http://netbox:8080/nbx/api/dcim/sites/1/"}"#;
        assert_eq!(shown(r#"{"count":0,"next":null,"previous":null,"results":[]}"#), Some((vec![], false)));
        let device = r#"{"id":1,"url":"https://netbox:8080/nbx/api/dcim/devices/1/","site":SITE,"config_context":{"url":"http://x/"},
            "custom_fields":{"url":"http://x/","peer":SITE,"peers":[SITE,SITE],"text":"x","many":["a","b"],"none":null},"tags":[]}"#;
        let device = device.replace("SITE", site);
        assert_eq!(shown(&device), Some((vec!["dcim/devices", "dcim/sites"], true)));
        for unclear in [
            r#"{"id":1,"url":"http://other:8080/nbx/api/dcim/sites/1/"}"#,
            r#"{"id":1,"url":"/nbx/api/dcim/sites/1/"}"#,
            r#"{"id":1,"url":"http://netbox:8080/nbx/api/plugins/x/things/1/"}"#,
            r#"{"id":1,"url":"http://netbox:8080/nbx/api/dcim/unheard-of/1/"}"#,
            r#"{"custom_fields":{"json":{"a":1}}}"#,
            r#"{"custom_fields":{"plugins":{"id":1,"name":"x","url":"http://netbox:8080/nbx/api/dcim/sites/1/"}}}"#,
            r#"{"custom_fields":{"json":[{"a":1}]}}"#,
        ] {
            assert_eq!(shown(unclear), None, "{unclear}");
        }
        let deep = format!("{}1{}", "[".repeat(70), "]".repeat(70));
        assert_eq!(shown(&format!("{{\"x\":{deep}}}")), None);
        assert_eq!(shown(&format!("{{\"local_context_data\":{deep}}}")), Some((vec![], false)), "it is its user's");
    }

    #[test]
    fn deep_json_hides_nothing_that_follows() {
        let deep = format!("{}{}", "[{\"a\":".repeat(300), "1".to_owned() + &"}]".repeat(300));
        let body = format!("{{\"x\":{deep},\"url\":\"http://netbox:8080/nbx/api/x/\"}}");
        assert!(objects(&body).ends_with("\"url\":\"https://p.example/nbx/api/x/\"}"));
    }

    #[test]
    fn a_directory_is_all_links() {
        let body = br#"{"dcim":"http://netbox:8080/nbx/api/dcim/","x":"y"}"#;
        assert_eq!(rewrite(&[body], Content::Directory).0, r#"{"dcim":"https://p.example/nbx/api/dcim/","x":"y"}"#);
    }

    #[test]
    fn a_location_is_moved_only_below_the_api() {
        let moved = |text| links().move_location(text, &base("p.example"));
        assert_eq!(
            moved("http://netbox:8080/nbx/api/dcim/sites/1/").unwrap(),
            "https://p.example/nbx/api/dcim/sites/1/"
        );
        assert_eq!(moved("http://netbox:8080/nbx/login/"), None);
        assert_eq!(moved("/nbx/api/dcim/sites/"), None, "it is relative to the name that the client used");
        let mounted = PublicBase::mounted(true, "p.example".parse().unwrap(), "/tools");
        let moved = links().move_location("/nbx/api/dcim/sites/", &mounted);
        assert_eq!(moved.unwrap(), "/tools/nbx/api/dcim/sites/");
    }

    proptest! {
        /// However the body is cut, the result is the same, and without links to move it is the body itself.
        #[test]
        fn parts_do_not_matter(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "{", "}", "[", "]", ":", ",", "\"", "\\", "\"url\":", "\"next\":\"", "http://netbox:8080/nbx/api/", "https://netbox:8080/nbx/",
                "\"display_url\":\"", "\"custom_fields\":{", "\"config_context\":", "http://net", "null", "ä", "\"x\"", " ",
            ]), 0..40),
            cuts in prop::collection::vec(0usize..400, 0..6),
        ) {
            let body = pieces.concat().into_bytes();
            let whole = rewrite(&[&body], Content::Objects);
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut <= body.len()).collect();
            cuts.extend([0, body.len()]);
            cuts.sort_unstable();
            let parts: Vec<&[u8]> = cuts.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect();
            prop_assert_eq!(&rewrite(&parts, Content::Objects), &whole);
            for link in &whole.1 {
                prop_assert!(whole.0[*link as usize..].starts_with("https://p.example/nbx/api/"));
            }
            let plain = String::from_utf8(body).unwrap().replace("netbox:8080", "other:1");
            prop_assert_eq!(rewrite(&[plain.as_bytes()], Content::Objects).0, plain);
        }
    }
}
