//! Query strings as NetBox (Django) understands them, in one canonical form.
//!
//! Keys are sorted, the values of one key keep their order: Django takes the *last* value of a single-valued
//! parameter (`limit=5&limit=10`), so reordering values would change the answer. Bytes are kept as they are,
//! valid UTF-8 or not: what Django makes of them is Django's business.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

/// Everything but RFC 3986's unreserved characters.
pub(crate) const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The lookup expressions that follow a filter's name after two underscores: how its values are compared (NetBox 4.6,
/// `FILTER_*_LOOKUP_MAP` in `utilities/constants.py`).
pub const LOOKUPS: [&str; 16] =
    ["empty", "gt", "gte", "ic", "ie", "iew", "iregex", "isw", "lt", "lte", "n", "nic", "nie", "niew", "nisw", "regex"];

/// A query's parameters, decoded, keys in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    pairs: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Query {
    /// Reads a raw query string (without `?`). Every string is one: as Django does, `a` reads as `a=` and empty
    /// parts are skipped.
    pub fn parse(raw: &str) -> Self {
        let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = raw
            .split('&')
            .filter(|part| !part.is_empty())
            .map(|part| {
                let (key, value) = part.split_once('=').unwrap_or((part, ""));
                (decode(key), decode(value))
            })
            .collect();
        pairs.sort_by(|a, b| name(&a.0).cmp(&name(&b.0)));
        Self { pairs }
    }

    /// A query of these pairs.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let owned = |(key, value): (&str, &str)| (key.as_bytes().to_vec(), value.as_bytes().to_vec());
        let mut pairs: Vec<_> = pairs.into_iter().map(owned).collect();
        pairs.sort_by(|a: &(Vec<u8>, Vec<u8>), b| a.0.cmp(&b.0));
        Self { pairs }
    }

    /// Whether the key occurs at all.
    pub fn has(&self, key: &str) -> bool {
        self.pairs.iter().any(|(k, _)| k == key.as_bytes())
    }

    /// All values of a key, in order.
    pub fn values<'a>(&'a self, key: &'a str) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        self.pairs.iter().filter(move |(k, _)| k == key.as_bytes()).map(|(_, v)| v.as_slice())
    }

    /// All keys, sorted; a repeated one is named each time.
    pub fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.pairs.iter().map(|(key, _)| key.as_slice())
    }

    /// The canonical form: sorted by key, everything but unreserved characters percent-encoded.
    pub fn encode(&self) -> String {
        let mut out = String::new();
        for (key, value) in &self.pairs {
            if !out.is_empty() {
                out.push('&');
            }
            encode(key, &mut out);
            out.push('=');
            encode(value, &mut out);
        }
        out
    }
}

/// Writes these bytes with everything encoded but unreserved characters; what is all of those goes as it is.
pub(super) fn encode(bytes: &[u8], out: &mut String) {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.iter().all(plain) => out.push_str(text),
        _ => out.extend(percent_encode(bytes, ENCODED)),
    }
}

/// A key as Django sees it: those that are no UTF-8 are one when its replacements make them one, so that the order of
/// their values counts.
fn name(key: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(key)
}

fn decode(text: &str) -> Vec<u8> {
    let spaced: Cow<'_, str> =
        if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { Cow::Borrowed(text) };
    percent_decode_str(&spaced).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_are_sorted_and_values_keep_their_order() {
        assert_eq!(Query::parse("site=b&limit=3&site=a").encode(), "limit=3&site=b&site=a");
        assert_eq!(Query::parse("q=a+b%2Bc&&x").encode(), "q=a%20b%2Bc&x=");
        assert_eq!(Query::parse("%5Fbranch=x").values("_branch").next(), Some(&b"x"[..]));
        assert_eq!(Query::parse("q=%ff%00").encode(), "q=%FF%00");
        assert_eq!(Query::parse("q=100%").encode(), "q=100%25");
    }

    proptest! {
        #[test]
        fn encoding_is_idempotent_and_loses_nothing(raw in "[ -~äß☃]{0,60}") {
            let once = Query::parse(&raw);
            let twice = Query::parse(&once.encode());
            prop_assert_eq!(&once, &twice);
            prop_assert_eq!(once.encode(), twice.encode());
        }
    }
}
