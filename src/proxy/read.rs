//! Reads: hit, stale, fill or join.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;

use super::Inner;
use super::acl::Permit;
use super::error::ProxyError;
use super::outcome::{Bypass, Miss, Outcome, StaleReason};
use super::plan::Read;
use super::reply::{CACHE_STATUS, Recipient, Reply, of_entry};
use super::request::Request;
use crate::cache::clock::Moment;
use crate::cache::coding::Accepted;
use crate::cache::entry::{Entry, Selected};
use crate::cache::epochs::Witness;
use crate::cache::freshness::{Freshness, Lifetime};
use crate::cache::public::PublicBase;
use crate::netbox::branch::Branch;
use crate::netbox::transport::is_gateway_error;

mod miss;

/// The detail of a page that is of another state than the one before it.
pub(super) const WALK_CHANGED: &str = "walk-changed";

/// What memory holds for a read.
pub(super) enum Found {
    /// An answer that may be served as it is.
    Fresh(Arc<Entry>),
    /// One from before a change, which the client has consented to; and for how long it has been outdated.
    Outdated(Arc<Entry>, Duration),
    /// One that has expired, and may be served while it is fetched anew.
    Revalidate(Arc<Entry>),
    /// One that may be served if NetBox cannot answer.
    IfError(Arc<Entry>),
    /// None.
    Nothing(Miss),
}

impl Inner {
    /// Answers a read.
    pub(super) async fn read(
        self: &Arc<Self>,
        permit: &Permit,
        read: &Read,
        request: Request,
    ) -> Result<Reply, ProxyError> {
        match self.shared(permit, read, &request.base).await? {
            Some(reply) => Ok(reply),
            None => self.pass(permit, request, Outcome::Bypass(Bypass::TooLarge)).await,
        }
    }

    /// Answers with what others are answered with, too; `Ok(None)` when it has to be passed to NetBox for this client alone.
    async fn shared(
        self: &Arc<Self>,
        permit: &Permit,
        read: &Read,
        base: &PublicBase,
    ) -> Result<Option<Reply>, ProxyError> {
        let now = self.clock.now();
        self.feed.asked(now);
        match self.look_up(permit, read, now) {
            Found::Outdated(entry, by) => {
                if !read.directives.only_if_cached {
                    self.refresh(permit, read, base);
                }
                Ok(Some(self.reply(
                    read,
                    base,
                    &entry,
                    Outcome::Stale { by, reason: StaleReason::Outdated },
                    None,
                    now,
                )))
            }
            Found::Fresh(entry) => {
                let reply = self.remembered(read, base, &entry, now, StaleReason::MaxStale);
                self.hit(permit, read, base, &entry, now);
                Ok(Some(reply))
            }
            Found::Revalidate(entry) => {
                self.refresh(permit, read, base);
                Ok(Some(self.remembered(read, base, &entry, now, StaleReason::WhileRevalidate)))
            }
            Found::IfError(_) | Found::Nothing(_) if read.directives.only_if_cached => Err(ProxyError::NotCached),
            Found::IfError(entry) if self.health.is_failing(now) => {
                self.refresh(permit, read, base);
                Ok(Some(self.remembered(read, base, &entry, now, StaleReason::IfError)))
            }
            // Whole, so that the expired one can still take its place.
            Found::IfError(entry) => {
                match self.board(permit, read, base, self.why_not(read, &entry, now), true).await {
                    Err(error) if error.is_unavailable() => {
                        self.instead(read, base).map_or(Err(error), |reply| Ok(Some(reply)))
                    }
                    Ok(Some(reply)) if is_gateway_error(reply.status) => {
                        Ok(Some(self.instead(read, base).unwrap_or(reply)))
                    }
                    other => other,
                }
            }
            Found::Nothing(miss) => self.board(permit, read, base, miss, false).await,
        }
    }

    /// What a hit sets off, however it was answered.
    pub(super) fn hit(
        self: &Arc<Self>,
        permit: &Permit,
        read: &Read,
        base: &PublicBase,
        entry: &Arc<Entry>,
        now: Moment,
    ) {
        self.refresh_ahead(permit, read, base, entry.core(), now);
        self.look_twice(permit, read, base, entry);
        self.given(permit, read, base, entry.core().paging.as_ref(), now);
    }

    pub(super) fn look_up(&self, permit: &Permit, read: &Read, now: Moment) -> Found {
        let Some(entry) = self.store.get(&read.key) else { return Found::Nothing(Miss::Absent) };
        let core = entry.core();
        if let Some(since) = core.witness.outdated_since() {
            let by = now.since(since.max(core.stored));
            let accepted = read.directives.max_stale.unwrap_or_default().max(permit.max_stale());
            let age = now.since(core.stored);
            // What has expired as well is no younger for having been outdated.
            let lives = age <= self.lifetime(read, &entry).ttl.saturating_add(accepted);
            let consented = by < accepted && lives && read.directives.admits(age);
            return if consented { Found::Outdated(entry, by) } else { Found::Nothing(Miss::Outdated) };
        }
        match self.lifetime(read, &entry).judge(core.stored, now, &read.directives) {
            Freshness::Fresh => Found::Fresh(entry),
            Freshness::Revalidate => Found::Revalidate(entry),
            // A visitor's rights may have been narrowed meanwhile, which nobody tells of.
            Freshness::IfError if permit.visitor().is_some() => Found::Nothing(self.why_not(read, &entry, now)),
            Freshness::IfError => Found::IfError(entry),
            Freshness::Gone => Found::Nothing(self.why_not(read, &entry, now)),
        }
    }

    /// How long the entry may be served, as far as changes made elsewhere are known. Those in branches are not.
    pub(super) fn lifetime(&self, read: &Read, entry: &Entry) -> Lifetime {
        let core = entry.core();
        let main = read.canonical.view().branch == Branch::Main;
        let confirmed = if main { self.feed.confirmed() } else { None };
        core.lifetime.as_of(core.stored, confirmed.unwrap_or(Moment::ZERO))
    }

    /// Why a coherent entry did not do: too old, or not what the client wished for.
    fn why_not(&self, read: &Read, entry: &Entry, now: Moment) -> Miss {
        let young = now.since(entry.core().stored) <= self.lifetime(read, entry).ttl;
        if young { Miss::Request } else { Miss::Expired }
    }

    /// An expired answer in place of NetBox's failure, if it has been neither outdated nor purged meanwhile.
    fn instead(self: &Arc<Self>, read: &Read, base: &PublicBase) -> Option<Reply> {
        let entry = self.store.get(&read.key).filter(|entry| entry.core().witness.is_current())?;
        Some(self.remembered(read, base, &entry, self.clock.now(), StaleReason::IfError))
    }

    fn remembered(
        self: &Arc<Self>,
        read: &Read,
        base: &PublicBase,
        entry: &Arc<Entry>,
        now: Moment,
        reason: StaleReason,
    ) -> Reply {
        self.reply(read, base, entry, self.outcome(read, entry, now, reason), None, now)
    }

    /// What it is called to answer from memory with this entry; `reason`: why that is right if it has expired.
    pub(super) fn outcome(&self, read: &Read, entry: &Entry, now: Moment, reason: StaleReason) -> Outcome {
        let (age, ttl) = (now.since(entry.core().stored), self.lifetime(read, entry).ttl);
        match ttl.checked_sub(age) {
            Some(ttl) => Outcome::Hit { ttl },
            None => Outcome::Stale { by: age.saturating_sub(ttl), reason },
        }
    }

    fn reply(
        self: &Arc<Self>,
        read: &Read,
        base: &PublicBase,
        entry: &Arc<Entry>,
        outcome: Outcome,
        request_id: Option<HeaderValue>,
        now: Moment,
    ) -> Reply {
        let selected = self.select(read, base, entry);
        if let Some(coding) = selected.missing.filter(|_| outcome.is_coherent()) {
            self.copy(read, base, entry, coding);
        }
        let to = Recipient { base, links: &self.links, head: read.head, known: &read.known, now };
        let mut reply = of_entry(entry, selected, outcome, request_id, &to);
        self.note_step(read, &entry.core().witness, entry.core().continues(), &mut reply, now);
        reply
    }

    /// Says so if this page is of another state than the one before it.
    fn note_step(&self, read: &Read, witness: &Witness, continues: bool, reply: &mut Reply, now: Moment) {
        if self.breaks_walk(read, witness, continues, now) {
            reply.headers.insert(CACHE_STATUS, reply.outcome.cache_status_because(WALK_CHANGED));
        }
    }

    /// Whether this page is of another state than the one before it, which is counted.
    pub(super) fn breaks_walk(&self, read: &Read, witness: &Witness, continues: bool, now: Moment) -> bool {
        let breaks = self.walks.step(read, witness, continues, now);
        if breaks {
            self.metrics.walk_broken();
        }
        breaks
    }

    /// What this client is sent of the entry. The form for its public base is made now if it is the first to come by that name.
    fn select(&self, read: &Read, base: &PublicBase, entry: &Arc<Entry>) -> Selected {
        entry.select(base, read.accepted).unwrap_or_else(|| {
            let form = entry.form_for(base);
            let selected = form.select(Accepted::default());
            self.store.extend(read.key, entry, |current| Some(current.with_form(form)));
            selected
        })
    }
}
