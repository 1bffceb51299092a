//! Equal keys mean equal bytes to NetBox, and other bytes mean another key.

use http::HeaderMap;
use http::header::{ACCEPT, ACCEPT_LANGUAGE};
use nbproxy::cache::canonical::{Accept, Canonical, Verb};
use nbproxy::cache::key::{Identity, View};
use nbproxy::netbox::branch::{Branch, SchemaId};
use nbproxy::netbox::object::ApiPath;
use nbproxy::netbox::query::Query;
use nbproxy::netbox::token::Fingerprint;
use proptest::prelude::*;

/// Everything that decides what NetBox receives for a remembered read.
fn sent(canonical: &Canonical) -> String {
    let headers: HeaderMap = canonical.headers();
    let known = headers.keys().all(|name| name == ACCEPT || name == ACCEPT_LANGUAGE);
    assert!(known, "a header is sent that the key may not know: {headers:?}");
    let view = canonical.view();
    // Of a visitor the address is told, besides.
    let (visitor, token) = (matches!(view.identity, Identity::Own(_)), view.identity.fingerprint());
    let token = token.as_bytes();
    let method = canonical.verb().method();
    format!("{method} {} {headers:?} {visitor} {token:?} {}", canonical.path_and_query(), view.branch)
}

/// A request in parts, so that another can be made of it that differs in some of them only.
#[derive(Clone, Debug)]
struct Parts {
    verb: Verb,
    path: &'static str,
    query: String,
    accept: Accept,
    language: Option<&'static str>,
    token: &'static str,
    branch: Option<&'static str>,
    visitor: bool,
}

prop_compose! {
    fn parts()(
        verb in prop::sample::select(vec![Verb::Get, Verb::Options]),
        path in prop::sample::select(vec!["/api/", "/api/dcim/sites/", "/api/dcim/%73ites/", "/api/dcim/sites/1/", "/api/a%20b/c/", "/api/a b/c/", "/api/ü/x/", "/api/%C3%BC/x/"]),
        query in "((limit|offset|name|q|_branch)=[ab%2C+&=]{0,3}&?){0,4}",
        accept in prop::sample::select(vec![Accept::Json, Accept::Any, Accept::OpenApiJson, Accept::OpenApiYaml]),
        language in prop::option::of(prop::sample::select(vec!["de", "en", "none", "some"])),
        token in prop::sample::select(vec!["", "a", "b"]),
        branch in prop::option::of(prop::sample::select(vec!["aaaaaaaa", "bbbbbbbb"])),
        visitor in any::<bool>(),
    ) -> Parts {
        Parts { verb, path, query, accept, language, token, branch, visitor }
    }
}

impl Parts {
    /// This one, with the parts that `mask` names taken from the other.
    fn crossed(&self, other: &Self, mask: u8) -> Self {
        let takes = |part: u8| mask & (1 << part) != 0;
        Self {
            path: if takes(0) { other.path } else { self.path },
            query: if takes(1) { other.query.clone() } else { self.query.clone() },
            accept: if takes(2) { other.accept } else { self.accept },
            language: if takes(3) { other.language } else { self.language },
            token: if takes(4) { other.token } else { self.token },
            branch: if takes(5) { other.branch } else { self.branch },
            visitor: if takes(6) { other.visitor } else { self.visitor },
            verb: if takes(7) { other.verb } else { self.verb },
        }
    }

    fn canonical(&self) -> Canonical {
        let branch =
            self.branch.map_or(Branch::Main, |id| Branch::Schema(SchemaId::parse(id.as_bytes()).expect("an id")));
        let token = Fingerprint::of(self.token.as_bytes());
        let identity = if self.visitor { Identity::Own(token) } else { Identity::Entrusted(token) };
        let view = View { identity, branch };
        let path = ApiPath::parse(self.path, "").expect("a path");
        let language = self.language.map(|text| text.parse().expect("a header"));
        Canonical::new(view, self.verb, &path, &Query::parse(&self.query), self.accept, language)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8192))]

    #[test]
    fn a_key_stands_for_what_is_sent(one in parts(), other in parts(), part in 0u8..8, also in prop::option::weighted(0.2, 0u8..8)) {
        let mask = (1 << part) | also.map_or(0, |part| 1 << part);
        let (one, other) = (one.canonical(), one.crossed(&other, mask).canonical());
        prop_assert_eq!(one.key() == other.key(), sent(&one) == sent(&other), "{} | {}", sent(&one), sent(&other));
    }
}
