//! How often each caller may ask: a token bucket each, by governor (GCRA), on nbproxy's own clock.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::cache::clock::{Clock, Moment};

/// Buckets of one rate that are kept; beyond it those that are full again are dropped, and if too many are left, addresses
/// share one with their neighbours.
const MOST_BUCKETS: usize = 10_000;

/// How often full ones are looked for, at most: it takes as long as there are buckets.
const SWEEP: Duration = Duration::from_secs(1);

/// So many requests in a period; as many may come at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    requests: NonZeroU32,
    period: Duration,
}

/// The text is no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a rate such as 50/s, 600/m or 1000/h is wanted")]
pub struct InvalidRate;

/// Whose requests are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Counted {
    /// A client's, by its name.
    Client(Arc<str>),
    /// An address's; of IPv6 a whole /64, which is what one host has.
    Address(IpAddr),
}

/// All buckets.
pub struct Throttle {
    limiters: Mutex<HashMap<Rate, Arc<Buckets>>>,
    clock: Clock,
}

/// Those of one rate.
struct Buckets {
    limiter: Limiter,
    /// When full ones were last looked for.
    swept: AtomicU64,
}

type Limiter = RateLimiter<Counted, HashMapStateStore<Counted>, Ticks, NoOpMiddleware<Nanos>>;

impl Rate {
    /// Reads `50/s`, `600/m` or `1000/h`.
    ///
    /// # Errors
    /// [`InvalidRate`].
    pub fn parse(text: &str) -> Result<Self, InvalidRate> {
        let (requests, unit) = text.split_once('/').ok_or(InvalidRate)?;
        let seconds = match unit.trim() {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return Err(InvalidRate),
        };
        let requests = requests.trim().parse().map_err(|_| InvalidRate)?;
        Ok(Self { requests, period: Duration::from_secs(seconds) })
    }

    fn quota(self) -> Option<Quota> {
        Quota::with_period(self.period / self.requests.get()).map(|quota| quota.allow_burst(self.requests))
    }
}

impl Counted {
    /// Whoever comes from this address.
    pub fn address(address: IpAddr) -> Self {
        Self::Address(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(v6) => IpAddr::from((u128::from(v6) >> 64 << 64).to_be_bytes()),
        })
    }

    /// Together with its neighbours, all of the same /16. There are at most 65,536 of those, of either family. A client is
    /// counted alone always: there are as many as the settings name.
    fn crowded(&self) -> Self {
        match self {
            Self::Client(name) => Self::Client(Arc::clone(name)),
            Self::Address(IpAddr::V4(v4)) => Self::Address(IpAddr::from((u32::from(*v4) >> 16 << 16).to_be_bytes())),
            Self::Address(IpAddr::V6(v6)) => Self::Address(IpAddr::from((u128::from(*v6) >> 112 << 112).to_be_bytes())),
        }
    }
}

impl Throttle {
    /// All buckets full.
    pub fn new(clock: Clock) -> Self {
        Self { limiters: Mutex::default(), clock }
    }

    /// Takes one from the bucket.
    ///
    /// # Errors
    /// How long until there is one again.
    pub fn take(&self, rate: Rate, whose: &Counted) -> Result<(), Duration> {
        let Some(buckets) = self.buckets(rate) else { return Ok(()) };
        let Buckets { limiter, .. } = &*buckets;
        if limiter.len() >= MOST_BUCKETS {
            buckets.sweep(self.clock.now());
        }
        let taken =
            if limiter.len() < MOST_BUCKETS { limiter.check_key(whose) } else { limiter.check_key(&whose.crowded()) };
        taken.map_err(|not_until| not_until.wait_time_from(Ticks(self.clock.clone()).read()))
    }

    fn buckets(&self, rate: Rate) -> Option<Arc<Buckets>> {
        let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = limiters.get(&rate) {
            return Some(Arc::clone(known));
        }
        let limiter = RateLimiter::new(rate.quota()?, HashMapStateStore::default(), Ticks(self.clock.clone()));
        let buckets = Buckets { limiter, swept: AtomicU64::new(0) };
        Some(Arc::clone(limiters.entry(rate).or_insert(Arc::new(buckets))))
    }
}

impl Buckets {
    /// Drops those that are full, unless that was just done.
    fn sweep(&self, now: Moment) {
        let last = self.swept.load(Ordering::Relaxed);
        let due = now.since(Moment::from_nanos(last)) >= SWEEP;
        // Whoever is first does it.
        if due && self.swept.compare_exchange(last, now.to_nanos(), Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.limiter.retain_recent();
        }
    }
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Throttle")
    }
}

/// nbproxy's clock, as governor reads it.
#[derive(Clone, Debug)]
struct Ticks(Clock);

impl clock::Clock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.read()
    }
}

impl Ticks {
    fn read(&self) -> Nanos {
        self.0.now().since(Moment::ZERO).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let clock = Clock::standing();
        let throttle = Throttle::new(clock.clone());
        let rate = Rate::parse("2/s").unwrap();
        let (one, other) = (Counted::Client("one".into()), Counted::Client("other".into()));
        assert_eq!((throttle.take(rate, &one), throttle.take(rate, &one)), (Ok(()), Ok(())));
        let wait = throttle.take(rate, &one).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_millis(500), "{wait:?}");
        assert_eq!(throttle.take(rate, &other), Ok(()), "each has its own");
        clock.push(wait);
        assert_eq!(throttle.take(rate, &one), Ok(()));
        assert!(throttle.take(rate, &one).is_err());
    }

    /// Whoever comes from ever other addresses neither fills the memory nor has it searched at every request.
    #[test]
    fn a_crowd_shares_buckets_and_is_swept_now_and_then() {
        let clock = Clock::standing();
        clock.push(SWEEP);
        let throttle = Throttle::new(clock.clone());
        let rate = Rate::parse("1/h").unwrap();
        let address = |number: u32| Counted::address(IpAddr::from(number.to_be_bytes()));
        let count = || throttle.buckets(rate).unwrap().limiter.len();
        for number in 0..MOST_BUCKETS as u32 {
            assert_eq!(throttle.take(rate, &address(number)), Ok(()));
        }
        assert_eq!(throttle.take(rate, &address(1 << 24)), Ok(()));
        assert!(throttle.take(rate, &address((1 << 24) + 1)).is_err(), "its neighbour has had it");
        assert_eq!(throttle.take(rate, &address(1 << 25)), Ok(()), "others are no neighbours");
        assert_eq!(throttle.take(rate, &Counted::Client("one".into())), Ok(()));
        let v6 = |number: u128| Counted::address(IpAddr::from(((0x2001u128 << 112) + (number << 64)).to_be_bytes()));
        let let_in = (0..100).filter(|number| throttle.take(rate, &v6(*number)).is_ok()).count();
        assert_eq!(let_in, 1);
        assert_eq!(count(), MOST_BUCKETS + 4);
        // All are full again by then, and are dropped by whoever comes first; a second has not passed for the next.
        clock.push(Duration::from_secs(2 * 3600));
        assert_eq!(throttle.take(rate, &address(7)), Ok(()));
        assert_eq!(count(), 1);
        let buckets = throttle.buckets(rate).unwrap();
        clock.push(Duration::from_secs(2 * 3600));
        buckets.sweep(clock.now());
        assert_eq!(buckets.limiter.len(), 0);
        assert_eq!(throttle.take(rate, &address(7)), Ok(()));
        clock.push(SWEEP - Duration::from_nanos(1));
        let swept = buckets.swept.load(Ordering::Relaxed);
        buckets.sweep(clock.now());
        assert_eq!(buckets.swept.load(Ordering::Relaxed), swept, "it was just done");
        clock.push(Duration::from_nanos(1));
        buckets.sweep(clock.now());
        assert_ne!(buckets.swept.load(Ordering::Relaxed), swept);
    }

    #[test]
    fn rates_are_read() {
        assert_eq!(Rate::parse(" 600 / m").map(|rate| rate.requests.get()), Ok(600));
        for bad in ["", "5", "0/s", "5/d", "-1/s", "x/s", "5000000000/s"] {
            assert_eq!(Rate::parse(bad), Err(InvalidRate), "{bad}");
        }
    }

    #[test]
    fn a_host_has_a_whole_prefix() {
        let address = |text: &str| Counted::address(text.parse().unwrap());
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:1"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_ne!(address("10.0.0.1"), address("10.0.0.2"));
    }
}
