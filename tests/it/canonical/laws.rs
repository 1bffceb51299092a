//! What must hold of any request target, whoever made it up: a test's generators or a fuzzer.

use http::HeaderMap;
use nbproxy::cache::canonical::{Accept, Canonical, Verb};
use nbproxy::cache::key::{Identity, Key, View};
use nbproxy::netbox::branch::Branch;
use nbproxy::netbox::object::ApiPath;
use nbproxy::netbox::query::Query;
use nbproxy::netbox::token::Fingerprint;
use nbproxy::proxy::request::Target;

use super::django;

/// Of a query: what is sent means what was asked, says so in one way only, and is read again as it was.
///
/// # Panics
/// If that is not so.
pub(crate) fn query(raw: &str) {
    let once = Query::parse(raw);
    let sent = once.encode();
    assert_eq!(django::query(&sent), django::query(raw), "{raw:?} is sent as {sent:?}");
    let again = Query::parse(&sent);
    assert_eq!((&again, again.encode()), (&once, sent.clone()), "{raw:?} is sent in two ways");
    assert!(sent.bytes().all(|byte| is_plain(byte) || b"=&".contains(&byte)), "{raw:?} is sent as {sent:?}");
}

/// Of a path below `base`: if it is taken, then what nbproxy decides on, what it sends and what was asked are the same to
/// NetBox, and nobody can read it in another way.
///
/// # Panics
/// If that is not so.
pub(crate) fn path(raw: &str, base: &str) {
    let Ok(path) = ApiPath::parse(raw, base) else { return };
    let sent = path.encode();
    assert_eq!(django::path(raw), format!("{base}{}", path.as_str()), "{raw:?} is decided on as another");
    assert_eq!(django::path(&sent), path.as_str(), "{raw:?} is sent as {sent:?}");
    assert_eq!(ApiPath::parse(&sent, "").as_ref(), Ok(&path), "{raw:?} is sent in two ways");
    assert!(sent.bytes().all(|byte| is_plain(byte) || byte == b'/'), "{raw:?} is sent as {sent:?}");
    let odd = |c: char| c.is_control() || "\\;.".contains(c);
    assert!(!path.as_str().contains(odd) && !path.as_str().contains("//"), "{raw:?} can be read in two ways");
    assert_eq!(
        raw.matches('/').count(),
        format!("{base}{}", path.as_str()).matches('/').count(),
        "{raw:?} hides a slash"
    );
}

/// Of a target: the branch it is answered from is the one that netbox-branching takes, the last that is named.
///
/// # Panics
/// If that is not so.
pub(crate) fn branch(raw: &str) {
    let Ok(target) = Target::read("/api/dcim/sites/", raw, &HeaderMap::new(), "") else { return };
    let named = django::query(raw).get("_branch").and_then(|values| values.last().cloned()).unwrap_or_default();
    let taken = match target.branch {
        Branch::Main => String::new(),
        Branch::Schema(id) => id.as_str().to_owned(),
    };
    assert_eq!(taken, named, "{raw:?}");
}

/// Of two targets: if they have one key, they mean the same to NetBox.
///
/// # Panics
/// If that is not so.
pub(crate) fn key(one: &str, other: &str) {
    let (Some(first), Some(second)) = (canonical(one), canonical(other)) else { return };
    if first == second {
        assert_eq!(meaning(one), meaning(other), "{one:?} and {other:?} have one key");
    }
}

/// Whether two targets have one key, if both are taken.
pub(crate) fn is_one(one: &str, other: &str) -> Option<bool> {
    Some(canonical(one)? == canonical(other)?)
}

fn canonical(target: &str) -> Option<Key> {
    let (path, query) = split(target);
    let path = ApiPath::parse(path, "").ok()?;
    let view = View { identity: Identity::Entrusted(Fingerprint::anonymous()), branch: Branch::Main };
    Some(Canonical::new(view, Verb::Get, &path, &Query::parse(query), Accept::Json, None).key())
}

fn meaning(target: &str) -> (String, django::Meaning) {
    let (path, query) = split(target);
    (django::path(path), django::query(query))
}

fn split(target: &str) -> (&str, &str) {
    target.split_once('?').unwrap_or((target, ""))
}

/// RFC 3986's unreserved characters, and percent signs.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)
}
