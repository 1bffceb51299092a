//! Misses: fill or join.

use std::sync::{Arc, PoisonError};

use http::HeaderValue;

use super::Found;
use crate::cache::clock::Moment;
use crate::cache::entry::Entry;
use crate::cache::flight::{Boarding, Lost, Sight};
use crate::cache::public::PublicBase;
use crate::proxy::Inner;
use crate::proxy::acl::Permit;
use crate::proxy::arrival::{Arrival, Preface};
use crate::proxy::error::ProxyError;
use crate::proxy::fetch::{Landed, Landing, Streaming};
use crate::proxy::outcome::{Bypass, Miss, Outcome, StaleReason};
use crate::proxy::plan::Read;
use crate::proxy::reply::{CACHE_STATUS, Reply, ReplyBody, of_arrival};

/// What a flight has brought so far, or memory meanwhile.
enum Brought {
    /// The beginning of an answer that is still arriving.
    Arriving(Arc<Arrival>),
    /// All that it brings.
    Landed(Landing),
    /// The answer was in memory by then.
    Remembered(Arc<Entry>),
}

impl Inner {
    /// Fetches anew behind the client's back, once however many ask.
    pub(super) fn refresh(self: &Arc<Self>, permit: &Permit, read: &Read, base: &PublicBase) {
        let witness = self.epochs.witness(read.canonical.view().branch);
        if let Boarding::Lead(seat, _) = self.flights.board(read.key, witness) {
            self.set_off(seat, permit, read, base);
        }
    }

    /// Joins the fetch under way, or starts one in a task of its own, and answers with what it brings; with `whole` not
    /// before all of it is there.
    pub(super) async fn board(
        self: &Arc<Self>,
        permit: &Permit,
        read: &Read,
        base: &PublicBase,
        miss: Miss,
        whole: bool,
    ) -> Result<Option<Reply>, ProxyError> {
        let must_be_new = read.directives.no_cache || read.directives.max_age.is_some_and(|age| age.is_zero());
        let (leads, brought) = match self.travel(permit, read, base, must_be_new, whole).await? {
            (false, Brought::Landed(landing)) if landing.refuses_address() => {
                // The leader's, which may not be this visitor's.
                self.travel(permit, read, base, true, whole).await?
            }
            travelled => travelled,
        };
        let outcome = |kept| if leads { Outcome::Filled { miss, kept } } else { Outcome::Joined { miss, kept } };
        let now = self.clock.now();
        match brought {
            Brought::Remembered(entry) => {
                self.given(permit, read, base, entry.core().paging.as_ref(), now);
                Ok(Some(self.remembered(read, base, &entry, now, StaleReason::MaxStale)))
            }
            Brought::Arriving(arrival) => {
                if arrival.preface.keepable {
                    self.given(permit, read, base, arrival.preface.paging.as_ref(), now);
                }
                let id = arrival.preface.request_id.clone().filter(|_| leads);
                Ok(Some(self.reply_early(read, &arrival, outcome(None), id, now)))
            }
            Brought::Landed(Landing::Failed(error)) => Err(error),
            Brought::Landed(Landing::Answer(Landed { entry, kept, request_id, .. })) => {
                if kept.is_ok() {
                    self.given(permit, read, base, entry.core().paging.as_ref(), now);
                }
                let id = request_id.filter(|_| leads);
                Ok(Some(self.reply(read, base, &entry, outcome(Some(kept)), id, now)))
            }
            Brought::Landed(Landing::TooLarge(_)) if !leads => Ok(None),
            Brought::Landed(Landing::TooLarge(streaming)) => {
                let streaming = streaming.lock().unwrap_or_else(PoisonError::into_inner).take();
                Ok(streaming.map(|streaming| stream(streaming, read.head)))
            }
        }
    }

    /// Joins the fetch under way unless this one must be alone, or leads one; and says which.
    async fn travel(
        self: &Arc<Self>,
        permit: &Permit,
        read: &Read,
        base: &PublicBase,
        alone: bool,
        whole: bool,
    ) -> Result<(bool, Brought), ProxyError> {
        // The witness is read before anything is sent: what changes from here on is noticed.
        let witness = self.epochs.witness(read.canonical.view().branch);
        let boarding =
            if alone { self.flights.board_alone(read.key, witness) } else { self.flights.board(read.key, witness) };
        let (leads, passenger) = match boarding {
            Boarding::Join(passenger) => (false, passenger),
            Boarding::Lead(seat, passenger) => {
                // A flight that has landed since memory was looked into has left its answer there before.
                if !alone && let Found::Fresh(entry) = self.look_up(permit, read, self.clock.now()) {
                    seat.land(Landing::Answer(Landed::remembered(Arc::clone(&entry))));
                    return Ok((true, Brought::Remembered(entry)));
                }
                self.set_off(seat, permit, read, base);
                (true, passenger)
            }
        };
        self.wanted(permit, read, base, self.clock.now());
        // A head tells the length, who has an answer may have this one, and what nbproxy reads for itself must be whole.
        if !whole && !read.whole && !read.head && read.known.is_empty() && read.walker.is_some() {
            match passenger.sight().await.map_err(|Lost| ProxyError::Lost)? {
                Sight::Shown(arrival) if arrival.preface.base == *base => {
                    return Ok((leads, Brought::Arriving(arrival)));
                }
                Sight::Shown(_) => {}
                Sight::Landed(landing) => return Ok((leads, Brought::Landed(landing))),
            }
        }
        Ok((leads, Brought::Landed(passenger.landing().await.map_err(|Lost| ProxyError::Lost)?)))
    }

    fn reply_early(
        &self,
        read: &Read,
        arrival: &Arc<Arrival>,
        outcome: Outcome,
        request_id: Option<HeaderValue>,
        now: Moment,
    ) -> Reply {
        let mut reply = of_arrival(arrival, outcome, request_id, &self.links);
        let Preface { witness, paging, .. } = &arrival.preface;
        let continues = paging.as_ref().is_some_and(|paging| paging.continues());
        self.note_step(read, witness, continues, &mut reply, now);
        reply
    }
}

fn stream(streaming: Streaming, head: bool) -> Reply {
    let Streaming { status, mut headers, body } = streaming;
    let outcome = Outcome::Bypass(Bypass::TooLarge);
    headers.insert(CACHE_STATUS, outcome.cache_status());
    let body = if head { ReplyBody::None } else { ReplyBody::Long(Box::new(body)) };
    Reply { status, headers, body, outcome }
}
