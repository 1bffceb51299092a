//! `[cache]`: what is remembered, how much of it, and for how long.

use std::time::Duration;

use super::{pattern, places};
use crate::cache::freshness::Lifetime;
use crate::cache::policy::{self, Rule};
use crate::cache::store;
use crate::proxy::refresh;
use crate::settings::Cache;
use crate::settings::reader::Reader;

/// An answer that is sent in one piece must fit into what a weight and a length can say.
const LARGEST_ENTRY: u64 = u32::MAX as u64 - 1024 * 1024;

/// Each hit looks whether so many pages are there.
const MOST_AHEAD: usize = 32;

/// `passthrough`: whether callers with tokens of their own get a part of it.
pub(super) fn read(reader: &mut Reader, passthrough: bool) -> Cache {
    let capacity = reader.size("cache.capacity");
    let guests = reader.size("cache.passthrough_capacity");
    let guests = if passthrough { guests } else { 0 };
    if guests >= capacity {
        reader.fault("cache.passthrough_capacity", "it is a part of cache.capacity, and must be smaller");
    }
    let max_entry = reader.size("cache.max_entry");
    if max_entry > capacity.saturating_sub(guests) || max_entry > LARGEST_ENTRY {
        let message =
            "an entry must fit into cache.capacity (without cache.passthrough_capacity), and be smaller than 4 GiB";
        reader.fault("cache.max_entry", message);
    }
    let lifetime = Lifetime {
        ttl: reader.duration("cache.ttl"),
        unfollowed: Duration::MAX,
        stale_while_revalidate: reader.duration("cache.stale_while_revalidate"),
        stale_if_error: reader.duration("cache.stale_if_error"),
    };
    let ttl_without_feed = reader.duration("cache.ttl_without_feed");
    let rules = reader.tables("cache.rules", |rule| {
        let pattern = rule.parsed("match", pattern);
        if pattern.is_none() {
            rule.fault("match", "a rule must say what it is for, for example match = \"dcim/sites\"");
        }
        let cache = rule.parsed("cache", |text| text.parse().map_err(|_| "true or false is wanted".to_owned()));
        let ttl = rule.optional_duration("ttl");
        Some(Rule { pattern: pattern?, cache, ttl })
    });
    let longest_ttl = rules.iter().filter_map(|rule| rule.ttl).fold(lifetime.ttl, Duration::max);
    let longest_use = longest_ttl.saturating_add(lifetime.stale_while_revalidate.max(lifetime.stale_if_error));
    // moka refuses more than 1,000 years.
    let longest_use = longest_use.clamp(Duration::from_secs(1), Duration::from_secs(10 * 365 * 86_400));
    let read_ahead: usize = reader.number("cache.read_ahead");
    if read_ahead > MOST_AHEAD {
        reader.fault("cache.read_ahead", format_args!("at most {MOST_AHEAD} pages can be read ahead"));
    }
    let max_entry = usize::try_from(max_entry).unwrap_or(usize::MAX);
    Cache {
        store: store::Config { capacity, guests, max_entry, longest_use },
        refresh: refresh::Config {
            at_once: places(reader, "upstream.max_unasked", "request"),
            often: reader.number("cache.refresh_ahead"),
        },
        policy: policy::Config { lifetime, ttl_without_feed, rules },
        read_ahead,
    }
}
