//! Age, expiry, and what a request's `Cache-Control` asks for (RFC 9111, sections 4.2 and 5.2.1).

use std::time::Duration;

use http::HeaderMap;
use http::header::{CACHE_CONTROL, PRAGMA};

use super::clock::Moment;

/// How long an entry may be served, counted from when it was fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// Fresh for this long.
    pub ttl: Duration,
    /// And for no longer than this since changes made elsewhere were last known.
    pub unfollowed: Duration,
    /// After that served at once, and fetched anew behind the client's back, for this long.
    pub stale_while_revalidate: Duration,
    /// After `ttl` served when NetBox cannot answer, for this long.
    pub stale_if_error: Duration,
}

/// What an entry's age allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// It may be served.
    Fresh,
    /// It may be served at once, if it is being fetched anew.
    Revalidate,
    /// It may be served when NetBox cannot answer.
    IfError,
    /// It may not be served at all.
    Gone,
}

/// The directives of a request that bear on a cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Directives {
    /// Ask NetBox first.
    pub no_cache: bool,
    /// Keep nothing of this exchange.
    pub no_store: bool,
    /// Answer from memory or not at all.
    pub only_if_cached: bool,
    /// The greatest age that is acceptable.
    pub max_age: Option<Duration>,
    /// How long past its expiry an answer is acceptable; `Duration::MAX` for any time.
    pub max_stale: Option<Duration>,
    /// How much longer the answer must stay fresh.
    pub min_fresh: Option<Duration>,
}

impl Lifetime {
    /// The same for an entry fetched at `stored`, while changes made elsewhere are known up to `confirmed`.
    #[must_use]
    pub fn as_of(self, stored: Moment, confirmed: Moment) -> Self {
        Self { ttl: self.ttl.min(confirmed.since(stored).saturating_add(self.unfollowed)), ..self }
    }

    /// Judges an entry fetched at `stored`, as seen at `now` by a client with these wishes.
    pub fn judge(&self, stored: Moment, now: Moment, wishes: &Directives) -> Freshness {
        let age = now.since(stored);
        if wishes.no_cache || wishes.max_age.is_some_and(|limit| age > limit) {
            // The client has ruled memory out; NetBox being down does not change that.
            return Freshness::Gone;
        }
        let needed = age.saturating_add(wishes.min_fresh.unwrap_or_default());
        let consented = self.ttl.saturating_add(wishes.max_stale.unwrap_or_default());
        if needed <= self.ttl || (age > self.ttl && wishes.min_fresh.is_none() && age <= consented) {
            return Freshness::Fresh;
        }
        let plain = wishes.max_age.is_none() && wishes.min_fresh.is_none();
        if plain && age > self.ttl && age <= self.ttl.saturating_add(self.stale_while_revalidate) {
            return Freshness::Revalidate;
        }
        if age <= self.ttl.saturating_add(self.stale_if_error) { Freshness::IfError } else { Freshness::Gone }
    }
}

impl Directives {
    /// Whether an answer of this age may come from memory at all.
    pub fn admits(&self, age: Duration) -> bool {
        !self.no_cache && self.max_age.is_none_or(|limit| age <= limit) && self.min_fresh.is_none()
    }

    /// Reads a request's `Cache-Control`, or `Pragma: no-cache` where there is none (RFC 9111, section 5.4). What is
    /// not understood is ignored; a broken number reads as the strictest one.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut found = Self::default();
        if !headers.contains_key(CACHE_CONTROL) {
            found.no_cache = headers.get_all(PRAGMA).iter().any(|v| v.as_bytes().eq_ignore_ascii_case(b"no-cache"));
            return found;
        }
        let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
        for directive in values.flat_map(|value| value.split(',')) {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "no-cache" => found.no_cache = true,
                "no-store" => found.no_store = true,
                "only-if-cached" => found.only_if_cached = true,
                "max-age" => found.max_age = Some(seconds(value)),
                "max-stale" if value.is_empty() => found.max_stale = Some(Duration::MAX),
                "max-stale" => found.max_stale = Some(seconds(value)),
                "min-fresh" => found.min_fresh = Some(value.parse().map_or(Duration::MAX, Duration::from_secs)),
                _ => {}
            }
        }
        found
    }
}

fn seconds(text: &str) -> Duration {
    Duration::from_secs(text.parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Lifetime = Lifetime {
        ttl: Duration::from_secs(30),
        unfollowed: Duration::MAX,
        stale_while_revalidate: Duration::from_secs(60),
        stale_if_error: Duration::from_secs(3600),
    };

    fn at(age: u64, header: &str) -> Freshness {
        let mut headers = HeaderMap::new();
        if !header.is_empty() {
            headers.insert(CACHE_CONTROL, header.parse().unwrap());
        }
        LIFE.judge(Moment::ZERO, Moment::ZERO.after(Duration::from_secs(age)), &Directives::of(&headers))
    }

    #[test]
    fn age_decides() {
        use Freshness::*;
        assert_eq!(
            [at(30, ""), at(31, ""), at(90, ""), at(91, ""), at(3630, ""), at(3631, "")],
            [Fresh, Revalidate, Revalidate, IfError, IfError, Gone]
        );
    }

    #[test]
    fn wishes_are_granted() {
        use Freshness::*;
        assert_eq!(at(0, "no-cache"), Gone);
        assert_eq!(at(5, "max-age=5"), Fresh);
        assert_eq!(at(6, "max-age=5"), Gone);
        assert_eq!(at(1, "max-age=0, x"), Gone);
        assert_eq!(at(1, "max-age=nonsense"), Gone);
        assert_eq!(at(20, "min-fresh=10"), Fresh);
        assert_eq!(at(21, "min-fresh=10"), IfError);
        assert_eq!(at(40, "min-fresh=0"), IfError);
        assert_eq!(at(500, "max-stale=600"), Fresh);
        assert_eq!(at(631, "max-stale=600"), IfError);
        assert_eq!(at(9999, "max-stale"), Fresh);
        assert_eq!(at(40, "max-age=20, max-stale=600"), Gone);
    }

    #[test]
    fn what_is_followed_lives_longer() {
        let life = Lifetime { ttl: Duration::from_secs(600), unfollowed: Duration::from_secs(30), ..LIFE };
        let at = |seconds| Moment::ZERO.after(Duration::from_secs(seconds));
        let ttl = |stored, confirmed| life.as_of(at(stored), at(confirmed)).ttl.as_secs();
        assert_eq!([ttl(100, 0), ttl(100, 100), ttl(100, 250), ttl(100, 900)], [30, 30, 180, 600]);
    }

    #[test]
    fn pragma_counts_only_alone() {
        let mut headers = HeaderMap::new();
        headers.insert(PRAGMA, "no-cache".parse().unwrap());
        assert!(Directives::of(&headers).no_cache);
        headers.insert(CACHE_CONTROL, "max-age=60".parse().unwrap());
        assert!(!Directives::of(&headers).no_cache);
    }
}
