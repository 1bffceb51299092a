//! What is fetched although nobody waits for it: with few places at NetBox, and none that anybody else wants. Here: answers
//! that are asked for often, before they expire.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Inner;
use super::acl::Permit;
use super::plan::Read;
use crate::cache::clock::Moment;
use crate::cache::entry::Core;
use crate::cache::flight::Boarding;
use crate::cache::public::PublicBase;
use crate::netbox::branch::Branch;

/// Of its time, the last part in which an answer is late.
const LATE: u32 = 5;

/// How much is fetched unasked.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Requests at NetBox at once that nobody waits for.
    pub at_once: usize,
    /// Requests for an answer late in its time that have it fetched anew; zero for never.
    pub often: u32,
}

/// The leave to ask NetBox for what nobody waits for.
#[derive(Debug)]
pub(super) struct Unasked {
    turns: Arc<Semaphore>,
    often: u32,
}

/// One's turn, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    /// There always is one: turns are never closed.
    _permit: Option<OwnedSemaphorePermit>,
}

impl Unasked {
    pub(super) fn new(config: Config) -> Self {
        Self { turns: Arc::new(Semaphore::new(config.at_once)), often: config.often }
    }

    fn try_turn(&self) -> Option<Turn> {
        Arc::clone(&self.turns).try_acquire_owned().ok().map(|permit| Turn { _permit: Some(permit) })
    }
}

impl Inner {
    /// Waits until something may be fetched that nobody waits for.
    pub(super) async fn turn(&self) -> Turn {
        let permit = Arc::clone(&self.unasked.turns).acquire_owned().await.ok();
        self.session.gate().leisure().await;
        Turn { _permit: permit }
    }

    /// Takes note of a hit, and has the answer fetched anew behind the client's back if it is late and was asked for often
    /// enough since it is. One attempt for each answer: whatever it brings, the answer may be served until it expires.
    pub(super) fn refresh_ahead(
        self: &Arc<Self>,
        permit: &Permit,
        read: &Read,
        base: &PublicBase,
        core: &Core,
        now: Moment,
    ) {
        let often = self.unasked.often;
        // Visitors' tokens are used for what they ask for, and nothing else.
        if often == 0 || permit.visitor().is_some() || !self.is_late(core, now) || !core.late.is_the(often) {
            return;
        }
        if !self.fetch_ahead(permit, read, base) {
            // Another time.
            core.late.set(often - 1);
        }
    }

    fn fetch_ahead(self: &Arc<Self>, permit: &Permit, read: &Read, base: &PublicBase) -> bool {
        let witness = self.epochs.witness(read.canonical.view().branch);
        if !witness.may_be_kept() || !self.session.gate().is_at_leisure() {
            return false;
        }
        let Some(turn) = self.unasked.try_turn() else { return false };
        if let Boarding::Lead(seat, passenger) = self.flights.board(read.key, witness) {
            self.set_off(seat, permit, read, base);
            let metrics = Arc::clone(&self.metrics);
            self.tasks.spawn(async move {
                let kept = passenger.landing().await.is_ok_and(|landing| landing.is_kept());
                metrics.fetched_unasked("ahead", kept);
                drop(turn);
            });
        }
        true
    }

    /// Whether a coherent answer is in the last part of its time. That time is counted as if what is known of changes made
    /// elsewhere stayed as good as it is.
    pub(super) fn is_late(&self, core: &Core, now: Moment) -> bool {
        let followed = core.about.branch() == Branch::Main && self.feed.confirmed().is_some();
        let lifetime = core.lifetime;
        let ttl = if followed { lifetime.ttl } else { lifetime.ttl.min(lifetime.unfollowed) };
        now.since(core.stored) >= ttl.saturating_sub(ttl / LATE)
    }
}
