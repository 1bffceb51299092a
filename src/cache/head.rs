//! The headers of an answer as it is remembered. Most answers have nearly all of them in common, and an empty map of headers is
//! larger than many an answer's body; so maps are shared, and what each answer has of its own is kept beside them.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use http::header::{AGE, DATE, ETAG};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Bytes that a header is counted with besides its text: its place in a map.
const HEADER: usize = 104;

/// What differs from answer to answer.
const OWN: [HeaderName; 3] = [AGE, DATE, ETAG];

/// Headers that a reply adds: with room for them its map need not grow.
const PER_REPLY: usize = 6;

/// Maps after which those are looked for that nobody needs any more; twice as many as were needed then, if that is more, so that
/// the search costs each answer the same however many there are.
const SWEEP: usize = 512;

/// The maps that are shared.
#[derive(Debug, Default)]
pub struct Heads(Mutex<Shared>);

#[derive(Debug, Default)]
struct Shared {
    maps: HashMap<u64, Weak<HeaderMap>>,
    /// How many of them there were when those were last looked for that nobody needs.
    swept: usize,
}

/// An answer's headers.
#[derive(Debug)]
pub struct Head {
    shared: Arc<HeaderMap>,
    own: Box<[(HeaderName, HeaderValue)]>,
    weight: usize,
}

impl Heads {
    /// These headers, in memory of their own: as they come, each of them holds the whole buffer that its connection was read
    /// into, which is many times as large and counted nowhere.
    pub fn keep(&self, headers: &HeaderMap) -> Head {
        let (mut common, mut own) = (HeaderMap::with_capacity(headers.len() + PER_REPLY), Vec::new());
        let all: Bytes = headers.values().flat_map(HeaderValue::as_bytes).copied().collect();
        let mut from = 0;
        for (name, value) in headers {
            let to = from + value.len();
            if OWN.contains(name) {
                own.push((name.clone(), HeaderValue::from_bytes(value.as_bytes()).unwrap_or_else(|_| value.clone())));
            } else {
                let copy = HeaderValue::from_maybe_shared(all.slice(from..to));
                common.append(name, copy.unwrap_or_else(|_| value.clone()));
            }
            from = to;
        }
        let (shared, new) = self.share(common);
        let counted = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + HEADER;
        let of_own: usize = own.iter().map(|(name, value)| counted((name, value))).sum();
        let of_shared: usize = if new { shared.iter().map(counted).sum() } else { 0 };
        Head { shared, own: own.into(), weight: of_own + of_shared }
    }

    /// The same headers as somebody else has them, or these, as new ones.
    fn share(&self, headers: HeaderMap) -> (Arc<HeaderMap>, bool) {
        let mut hasher = DefaultHasher::new();
        headers.iter().for_each(|header| header.hash(&mut hasher));
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.maps.len() >= SWEEP.max(2 * known.swept) {
            known.maps.retain(|_, headers| headers.strong_count() > 0);
            known.swept = known.maps.len();
        }
        let slot = known.maps.entry(hasher.finish()).or_default();
        match slot.upgrade().filter(|shared| **shared == headers) {
            Some(shared) => (shared, false),
            None => {
                let shared = Arc::new(headers);
                *slot = Arc::downgrade(&shared);
                (shared, true)
            }
        }
    }
}

impl Head {
    /// A header's first value.
    pub fn get(&self, name: &HeaderName) -> Option<&HeaderValue> {
        let own = || self.own.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        if OWN.contains(name) { own() } else { self.shared.get(name) }
    }

    /// All of them, in a map with room for what a reply adds.
    pub fn to_map(&self) -> HeaderMap {
        let mut headers = HeaderMap::clone(&self.shared);
        headers.reserve(PER_REPLY);
        for (name, value) in &self.own {
            headers.append(name.clone(), value.clone());
        }
        headers
    }

    /// Bytes that it takes; a shared map is counted with the first who has it.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn what_is_the_same_is_kept_once_and_nothing_is_lost() {
        let heads = Heads::default();
        let lines = [("allow", "GET"), ("date", "one"), ("etag", "\"1\""), ("vary", "Accept")];
        let first = heads.keep(&headers(&lines));
        let second = heads.keep(&headers(&[("allow", "GET"), ("vary", "Accept"), ("date", "two")]));
        let other = heads.keep(&headers(&[("allow", "GET, POST"), ("vary", "Accept")]));
        assert_eq!(first.to_map(), headers(&lines));
        assert_eq!(first.get(&ETAG).unwrap(), "\"1\"");
        assert_eq!(second.get(&DATE).unwrap(), "two");
        assert_eq!((second.get(&ETAG), second.get(&http::header::VARY).unwrap().as_bytes()), (None, &b"Accept"[..]));
        assert!(Arc::ptr_eq(&first.shared, &second.shared) && !Arc::ptr_eq(&first.shared, &other.shared));
        assert!(second.weight() < first.weight());
        drop((first, second));
        let again = heads.keep(&headers(&[("allow", "GET"), ("vary", "Accept")]));
        assert_eq!(again.to_map().len(), 2);
    }
}
