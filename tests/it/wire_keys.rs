//! Equal keys mean equal bytes to NetBox, and other bytes mean another key.

use http::HeaderMap;
use http::header::{ACCEPT, ACCEPT_LANGUAGE};
use nbproxy::cache::canonical::{Accept, Canonical};
use nbproxy::cache::key::View;
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
    format!("{} {:?} {:?} {}", canonical.path_and_query(), headers, view.identity.as_bytes(), view.branch)
}

prop_compose! {
    fn request()(
        path in prop::sample::select(vec!["/api/", "/api/dcim/sites/", "/api/dcim/%73ites/", "/api/dcim/sites/1/", "/api/a%20b/c/", "/api/a b/c/", "/api/ü/x/", "/api/%C3%BC/x/"]),
        query in "((limit|offset|name|q|_branch)=[ab%2C+&=]{0,3}&?){0,4}",
        accept in prop::sample::select(vec![Accept::Json, Accept::Any, Accept::OpenApiJson, Accept::OpenApiYaml]),
        language in prop::option::of(prop::sample::select(vec!["de", "en", "none", "some"])),
        token in prop::sample::select(vec!["", "a", "b"]),
        branch in prop::option::of(prop::sample::select(vec!["aaaaaaaa", "bbbbbbbb"])),
    ) -> Canonical {
        let branch = branch.map_or(Branch::Main, |id| Branch::Schema(SchemaId::parse(id.as_bytes()).expect("an id")));
        let view = View { identity: Fingerprint::of(token.as_bytes()), branch };
        let path = ApiPath::parse(path, "").expect("a path");
        let language = language.map(|text| text.parse().expect("a header"));
        Canonical::new(view, &path, &Query::parse(&query), accept, language)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn a_key_stands_for_what_is_sent(one in request(), other in request()) {
        prop_assert_eq!(one.key() == other.key(), sent(&one) == sent(&other), "{} | {}", sent(&one), sent(&other));
    }
}
