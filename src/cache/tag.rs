//! Entity tags (RFC 9110, section 8.8.3), and the clients that have an answer already (section 13.1.2).
//!
//! Lists and the OpenAPI document have no tag of NetBox's. nbproxy gives them a strong one, made of their bytes, so that it
//! is the same again when a fetch brings the same bytes. Single objects keep NetBox's own, which is made of their last change
//! (NetBox 4.6): a client sends it back with its writes. It stays the same when what the object shows of others has changed,
//! so it stands for several bodies, and whoever has one of them need not have the one that counts: by it nobody is told that it
//! has the answer, as NetBox tells nobody.

use http::header::IF_NONE_MATCH;
use http::{HeaderMap, HeaderValue};

use super::coding::Coding;
use super::public::PublicBase;

/// Hexadecimal digits of a tag.
const DIGITS: usize = 32;

/// What a body is told by, whoever's name for nbproxy stands in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest([u8; 32]);

/// What a client has: the tags of its `If-None-Match`. A `*` among them says that it has anything at all, which is a writer's
/// question and tells a reader's cache nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known(Vec<HeaderValue>);

impl Digest {
    /// The digest of a body in parts, each of which is hashed with its length before it: where they part tells bodies apart, too.
    pub(super) fn of<'a>(parts: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(*hasher.finalize().as_bytes())
    }

    /// The strong tag of the body with this base in it.
    pub(super) fn tag(&self, base: &PublicBase) -> HeaderValue {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(base.to_string().as_bytes());
        let text = hasher.finalize().to_hex();
        let digits = text.as_str().get(..DIGITS).unwrap_or_default();
        HeaderValue::try_from(format!("\"{digits}\"")).unwrap_or(HeaderValue::from_static("\"\""))
    }
}

/// The tag of the same body in another coding: strong tags differ where bytes do.
pub(super) fn tag_in(tag: &HeaderValue, coding: Coding) -> HeaderValue {
    let coded = |tag: &str| format!("{}-{}\"", tag.trim_end_matches('"'), coding.as_str());
    tag.to_str().ok().and_then(|tag| HeaderValue::try_from(coded(tag)).ok()).unwrap_or_else(|| tag.clone())
}

impl Known {
    /// What the client says it has.
    pub fn of(headers: &HeaderMap) -> Self {
        Self(headers.get_all(IF_NONE_MATCH).iter().cloned().collect())
    }

    /// Whether it says so of nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tag by which the client has what `tag` stands for, in this coding or another.
    pub fn strongly(&self, tag: &HeaderValue) -> Option<HeaderValue> {
        let wanted = plain(opaque(tag)?);
        let found = self.tags().find(|known| plain(known) == wanted)?;
        HeaderValue::try_from(format!("\"{found}\"")).ok()
    }

    fn tags(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|value| value.to_str().ok()).flat_map(quoted)
    }
}

/// A tag of nbproxy's without its coding.
fn plain(opaque: &str) -> &str {
    let coded = |coding: &Coding| opaque.strip_suffix(coding.as_str())?.strip_suffix('-');
    Coding::ALL.iter().find_map(coded).unwrap_or(opaque)
}

fn opaque(tag: &HeaderValue) -> Option<&str> {
    quoted(tag.to_str().ok()?).next()
}

/// What stands between quotes; `W/` and the commas between tags say nothing to a weak comparison.
fn quoted(list: &str) -> impl Iterator<Item = &str> {
    list.split('"').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(lines: &[&str]) -> Known {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(IF_NONE_MATCH, line.parse().unwrap());
        }
        Known::of(&headers)
    }

    fn digest(text: &str) -> Digest {
        Digest::of(std::iter::once(text.as_bytes()))
    }

    #[test]
    fn a_client_has_what_one_of_its_tags_stands_for() {
        let tag = HeaderValue::from_static("\"abc\"");
        let found = |lines: &[&str]| known(lines).strongly(&tag).map(|tag| tag.to_str().unwrap().to_owned());
        assert_eq!(found(&["\"abc\""]).as_deref(), Some("\"abc\""));
        assert_eq!(found(&["W/\"x,y\", W/\"abc-gzip\""]).as_deref(), Some("\"abc-gzip\""));
        assert_eq!(found(&["\"x\"", "\"abc-br\""]).as_deref(), Some("\"abc-br\""), "on a second line");
        for none in
            [&[][..], &[""], &["*"], &["\"abcd\""], &["\"abc-\""], &["\"abc-lzma\""], &["abc"], &["\"ab\", \"c\""]]
        {
            assert_eq!(found(none), None, "{none:?}");
        }
    }

    #[test]
    fn where_a_link_stands_tells_bodies_apart() {
        let of = |parts: [&str; 2]| Digest::of(parts.iter().map(|part| part.as_bytes()));
        assert_ne!(of(["{\"a\":\"", "/1\",\"b\":\"/1\"}"]), of(["{\"a\":\"/1\",\"b\":\"", "/1\"}"]));
    }

    #[test]
    fn the_same_bytes_have_the_same_tag() {
        let base = |name: &'static str| PublicBase::new(false, name.parse().unwrap());
        let tag = digest("x").tag(&base("a"));
        assert_eq!(tag, digest("x").tag(&base("a")));
        assert!(tag != digest("y").tag(&base("a")) && tag != digest("x").tag(&base("b")));
        assert_eq!(tag.len(), DIGITS + 2);
        assert_eq!(tag_in(&tag, Coding::Br), format!("\"{}-br\"", tag.to_str().unwrap().trim_matches('"')));
    }
}
