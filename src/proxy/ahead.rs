//! Reading ahead: who has one page of a list is about to ask for the next, so NetBox is asked for it before.
//!
//! A page that is asked for has the pages after it fetched, up to a depth; the window moves as its client moves, and ends
//! with it. What is fetched are the very questions that the client will ask, by its leave and under the rules of every
//! fetch: whoever asks meanwhile joins, and what changes meanwhile outdates them. It takes places at NetBox that nobody
//! waits for, and never the last one.
//!
//! Nothing is read ahead with visitors' own tokens: they are used for what they ask for, and nothing else.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Inner;
use super::acl::Permit;
use super::fetch::Errand;
use super::plan::Read;
use super::walks::is_first;
use crate::cache::clock::Moment;
use crate::cache::entry::Entry;
use crate::cache::flight::Boarding;
use crate::cache::freshness::{Directives, Freshness};
use crate::cache::key::Key;
use crate::cache::paging::{Next, Page, Paging};
use crate::cache::public::PublicBase;
use crate::netbox::query::Query;

mod link;

pub(super) use link::paging;

/// So many times a client's first pages at an endpoint are read on from in vain, and no more until it asks for a second
/// one. Some look at the first page of a list only, again and again.
const IN_VAIN: u8 = 3;

/// Clients and endpoints whose habits are remembered; beyond it all are forgotten.
const MOST: usize = 4096;

/// What is being read ahead.
#[derive(Debug)]
pub(super) struct Ahead {
    /// Pages after the one that is asked for.
    depth: usize,
    /// Pages on their way that nobody asked for, and what comes after each, where that is known already.
    coming: Mutex<HashMap<Key, Option<Arc<Next>>>>,
    in_vain: Mutex<HashMap<u64, u8>>,
    hasher: RandomState,
}

/// A page on its way.
struct Coming {
    inner: Arc<Inner>,
    key: Key,
}

/// Whether a page is on its way.
#[derive(PartialEq, Eq)]
enum Start {
    Begun,
    /// Somebody else fetches it.
    UnderWay,
    /// Just now it cannot be fetched.
    NoLeave,
}

impl Ahead {
    pub(super) fn new(depth: usize) -> Self {
        Self { depth, coming: Mutex::default(), in_vain: Mutex::default(), hasher: RandomState::new() }
    }

    fn coming(&self) -> MutexGuard<'_, HashMap<Key, Option<Arc<Next>>>> {
        self.coming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this client's first pages at this endpoint may be read on from.
    fn has_hope(&self, read: &Read) -> bool {
        let in_vain = self.in_vain.lock().unwrap_or_else(PoisonError::into_inner);
        in_vain.get(&self.habit(read)).is_none_or(|times| *times < IN_VAIN)
    }

    fn begun(&self, read: &Read) {
        let mut in_vain = self.in_vain.lock().unwrap_or_else(PoisonError::into_inner);
        if in_vain.len() >= MOST {
            in_vain.clear();
        }
        let times = in_vain.entry(self.habit(read)).or_default();
        *times = times.saturating_add(1);
    }

    fn followed(&self, read: &Read) {
        self.in_vain.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.habit(read));
    }

    fn habit(&self, read: &Read) -> u64 {
        self.hasher.hash_one((read.walker, read.canonical.about().endpoint()))
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        self.inner.ahead.coming().remove(&self.key);
    }
}

impl Inner {
    /// Reads on from a page that a client is given.
    pub(super) fn given(
        self: &Arc<Self>,
        permit: &Permit,
        read: &Read,
        base: &PublicBase,
        page: Option<&Arc<Paging>>,
        now: Moment,
    ) {
        let Some(paging) = page else { return };
        if paging.asked() {
            self.metrics.read_ahead_used();
            self.ahead.followed(read);
        }
        if let Some(next) = paging.next()
            && self.reads_ahead(permit, read)
        {
            self.read_on(permit, read, base, next, self.ahead.depth, now);
        }
    }

    /// Reads on from a page that memory does not hold: it may be on its way already, and what follows it be known.
    pub(super) fn wanted(self: &Arc<Self>, permit: &Permit, read: &Read, base: &PublicBase, now: Moment) {
        if !self.reads_ahead(permit, read) {
            return;
        }
        if !is_first(read.canonical.path_and_query()) {
            self.ahead.followed(read);
        }
        let next = self.ahead.coming().get(&read.key).cloned().flatten();
        if let Some(next) = next {
            self.read_on(permit, read, base, &next, self.ahead.depth, now);
        }
    }

    /// Whether what follows is worth asking for.
    fn reads_ahead(&self, permit: &Permit, read: &Read) -> bool {
        let Directives { no_cache, only_if_cached, max_age, .. } = read.directives;
        self.ahead.depth > 0
            && read.walker.is_some()
            && !read.head
            && permit.visitor().is_none()
            // The next page will be wanted from NetBox, too, or from memory alone.
            && !no_cache
            && !only_if_cached
            && max_age.is_none_or(|age| !age.is_zero())
    }

    /// Has the next pages fetched, so many, as far as memory does not hold them and they are not on their way.
    fn read_on(
        self: &Arc<Self>,
        permit: &Permit,
        read: &Read,
        base: &PublicBase,
        next: &Arc<Next>,
        depth: usize,
        now: Moment,
    ) {
        let reckons = read.walker.is_some_and(|walker| walker.reckons());
        let first = is_first(read.canonical.path_and_query());
        let (mut next, mut begun) = (Arc::clone(next), false);
        for left in (0..depth).rev() {
            let page = if reckons { next.reckoned() } else { next.link() };
            let after = match self.fresh(&page.key, read, now) {
                Some(entry) => entry.core().next().cloned(),
                None if first && !begun && !self.ahead.has_hope(read) => return,
                None => {
                    let after = next.next(&read.canonical).map(Arc::new);
                    match self.set_out(permit, read, base, page, after.clone(), left) {
                        Start::Begun if first && !begun => self.ahead.begun(read),
                        Start::Begun | Start::UnderWay => {}
                        Start::NoLeave => return,
                    }
                    begun = true;
                    after
                }
            };
            let Some(after) = after else { return };
            next = after;
        }
    }

    fn fresh(&self, key: &Key, read: &Read, now: Moment) -> Option<Arc<Entry>> {
        let entry = self.store.get(key).filter(|entry| entry.core().witness.is_current())?;
        let judged = self.lifetime(read, &entry).judge(entry.core().stored, now, &Directives::default());
        (judged == Freshness::Fresh).then_some(entry)
    }

    /// Fetches a page in a task of its own; where it alone tells what comes next, that is fetched afterwards.
    fn set_out(
        self: &Arc<Self>,
        permit: &Permit,
        read: &Read,
        base: &PublicBase,
        page: &Page,
        after: Option<Arc<Next>>,
        left: usize,
    ) -> Start {
        let witness = self.epochs.witness(read.canonical.view().branch);
        if !witness.may_be_kept() || self.health.is_failing(self.clock.now()) || self.stop.is_cancelled() {
            return Start::NoLeave;
        }
        let Some(place) = self.session.spare() else { return Start::NoLeave };
        let Boarding::Lead(seat, _) = self.flights.board(page.key, witness) else { return Start::UnderWay };
        self.metrics.read_ahead();
        let query = Query::parse(&page.query);
        let ahead = Read {
            canonical: read.canonical.with_query(&query),
            key: page.key,
            directives: Directives::default(),
            ..read.clone()
        };
        let is_told_by_the_page = after.is_none();
        self.ahead.coming().insert(page.key, after);
        let coming = Coming { inner: Arc::clone(self), key: page.key };
        let (inner, permit, base) = (Arc::clone(self), permit.clone(), base.clone());
        self.tasks.spawn(async move {
            Arc::clone(&inner).fly(seat, permit.clone(), ahead.clone(), base.clone(), Errand::Ahead(place)).await;
            drop(coming);
            let now = inner.clock.now();
            if left > 0
                && is_told_by_the_page
                && let Some(next) = inner.fresh(&ahead.key, &ahead, now).and_then(|page| page.core().next().cloned())
            {
                inner.read_on(&permit, &ahead, &base, &next, left, now);
            }
        });
        Start::Begun
    }
}
