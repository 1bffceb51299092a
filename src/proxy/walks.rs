//! Walks: the pages of one list, read one after the other by one client.
//!
//! Pages that are coherent are of one state: nothing that either depends on has changed since. When something does change
//! amid a walk, the next page is of another state than those the client already has, and rows may be missing or come twice
//! (NetBox's own offset paging has the same fault). That cannot be mended here; it is said, and counted.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use http::header::USER_AGENT;

use super::auth::Caller;
use super::plan::Read;
use super::request::Request;
use crate::cache::clock::Moment;
use crate::cache::epochs::Witness;

/// Walks that are remembered; beyond it the old ones are dropped.
const MOST: usize = 4096;

/// Between two pages of one walk.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// Where a page begins; all else is the same for all pages of a walk.
pub(super) const PAGING: [&str; 2] = ["offset", "start"];

/// Who walks: one client, or whoever comes from one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Walker {
    who: u64,
    reckons: bool,
}

/// The walks under way: what the last page of each was witnessed by, and when it was served.
#[derive(Debug, Default)]
pub(super) struct Walks(Mutex<HashMap<u64, (Witness, Moment)>>);

impl Walker {
    pub(super) fn of(caller: &Caller, request: &Request) -> Self {
        let mut hasher = DefaultHasher::new();
        (caller.name(), request.origin.address).hash(&mut hasher);
        let agent = request.headers.get(USER_AGENT).map(HeaderValue::as_bytes).unwrap_or_default();
        Self { who: hasher.finish(), reckons: agent.starts_with(b"python-requests/") }
    }

    /// Whether it reckons where its second page begins, as pynetbox does, which goes by the name of the library beneath it.
    pub(super) fn reckons(self) -> bool {
        self.reckons
    }
}

/// Whether this part of a query says where a page begins.
fn is_paging(part: &str) -> bool {
    PAGING.contains(&part.split('=').next().unwrap_or_default())
}

/// Whether a read of this target is one of a list's first page.
pub(super) fn is_first(target: &str) -> bool {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    query.split('&').filter(|part| is_paging(part)).all(|part| part.ends_with("=0"))
}

impl Walks {
    /// Takes note of a page that is being served, what it depends on and whether its list goes on; whether it is of another
    /// state than the one before it. Lists that have one page only cost nothing.
    pub(super) fn step(&self, read: &Read, witness: &Witness, continues: bool, now: Moment) -> bool {
        let later = !is_first(read.canonical.path_and_query());
        if read.walker.is_none() || (!later && !continues) {
            return false;
        }
        let mut walks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = walks.insert(walk(read), (witness.clone(), now));
        if walks.len() > MOST {
            walks.retain(|_, (_, then)| now.since(*then) <= LONGEST_PAUSE);
        }
        if walks.len() > MOST {
            walks.clear();
        }
        let in_time = |then: Moment| now.since(then) <= LONGEST_PAUSE;
        // While a change is under way, two pages that nothing has changed since may stand for the time before it and after it.
        let one_state = |before: &Witness| before.is_current() && before.is_settled_with(witness);
        later && before.is_some_and(|(before, then)| in_time(then) && !one_state(&before))
    }

    /// A page was served before all of it was there; now it is known better what it depends on.
    pub(super) fn narrow(&self, read: &Read, from: &Witness, to: &Witness) {
        let mut walks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((last, _)) = walks.get_mut(&walk(read))
            && last.at() == from.at()
        {
            *last = to.clone();
        }
    }
}

/// One walk's name: who walks, and through which list.
fn walk(read: &Read) -> u64 {
    let target = read.canonical.path_and_query();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut hasher = DefaultHasher::new();
    (read.walker, read.canonical.view(), path).hash(&mut hasher);
    let rest = query.split('&').filter(|part| !is_paging(part));
    // The page size of a first page may be left out, and stands in the links to the others.
    rest.filter(|part| !part.is_empty() && !part.starts_with("limit=")).for_each(|part| part.hash(&mut hasher));
    hasher.finish()
}
