//! Fetching an answer to remember it: what the one who leads a flight does, in a task of its own.

use std::sync::{Arc, Mutex};

use http::{HeaderValue, StatusCode};

use super::Inner;
use super::acl::Permit;
use super::ahead::paging;
use super::arrival::{Arrival, Preface, take_in};
use super::body::{Gathered, LongBody, Whole, gather};
use super::error::ProxyError;
use super::headers::{REQUEST_ID, from_upstream, is_plain_json};
use super::plan::Read;
use super::refusal::refuses_address;
use super::rewrite::Content;
use crate::cache::clock::Moment;
use crate::cache::entry::{Core, Entry, Form, Late, vary};
use crate::cache::epochs::Witness;
use crate::cache::flight::Seat;
use crate::cache::policy::NotKept;
use crate::cache::public::PublicBase;
use crate::cache::store::Intake;
use crate::netbox::gate::Place;
use crate::netbox::session::Answer;
use crate::netbox::transport::is_gateway_error;
use crate::netbox::version::Installation;

/// What a flight brings to all aboard.
#[derive(Debug, Clone)]
pub(super) enum Landing {
    /// A whole answer, kept or not.
    Answer(Landed),
    /// An answer too large to be shared: the first taker has it, the others must ask for themselves.
    TooLarge(Arc<Mutex<Option<Streaming>>>),
    /// None.
    Failed(ProxyError),
}

impl Landing {
    /// Whether NetBox refuses the token from where it was used.
    pub(super) fn refuses_address(&self) -> bool {
        match self {
            Self::Answer(landed) => landed.refuses_address,
            Self::TooLarge(_) | Self::Failed(_) => false,
        }
    }

    /// Whether memory holds it now.
    pub(super) fn is_kept(&self) -> bool {
        matches!(self, Self::Answer(Landed { kept: Ok(()), .. }))
    }
}

/// A whole answer.
#[derive(Debug, Clone)]
pub(super) struct Landed {
    pub(super) entry: Arc<Entry>,
    pub(super) kept: Result<(), NotKept>,
    /// NetBox's id of the one request that was sent.
    pub(super) request_id: Option<HeaderValue>,
    /// It says that NetBox refuses the token from where it was used.
    refuses_address: bool,
}

impl Landed {
    /// What is in memory, as it was kept.
    pub(super) fn remembered(entry: Arc<Entry>) -> Self {
        Self { entry, kept: Ok(()), request_id: None, refuses_address: false }
    }
}

/// Why an answer is fetched.
#[derive(Debug)]
pub(super) enum Errand {
    /// Somebody waits for it, or has been given an older one.
    Asked,
    /// Somebody is expected to ask for it; there was a place at NetBox to spare.
    Ahead(Place),
}

/// When a question was sent, and the leave to keep its answer.
struct Sent {
    at: Moment,
    intake: Intake,
    /// Before anybody asked for it.
    ahead: bool,
}

/// An answer that flows on to one client.
#[derive(Debug)]
pub(super) struct Streaming {
    pub(super) status: StatusCode,
    pub(super) headers: http::HeaderMap,
    pub(super) body: LongBody,
}

impl Inner {
    /// Fetches and lands, for who asks, in a task of its own.
    pub(super) fn set_off(
        self: &Arc<Self>,
        seat: Seat<Landing, Arc<Arrival>>,
        permit: &Permit,
        read: &Read,
        base: &PublicBase,
    ) {
        let flight = Arc::clone(self).fly(seat, permit.clone(), read.clone(), base.clone(), Errand::Asked);
        self.tasks.spawn(flight);
    }

    /// Fetches and lands.
    pub(super) async fn fly(
        self: Arc<Self>,
        seat: Seat<Landing, Arc<Arrival>>,
        permit: Permit,
        read: Read,
        base: PublicBase,
        errand: Errand,
    ) {
        let landing = match self.fetch(&seat, &permit, &read, base, errand).await {
            Ok(landing) => landing,
            Err(error) => {
                if error.means_down() {
                    self.health.failed(self.clock.now());
                }
                Landing::Failed(error)
            }
        };
        seat.land(landing);
    }

    async fn fetch(
        &self,
        seat: &Seat<Landing, Arc<Arrival>>,
        permit: &Permit,
        read: &Read,
        base: PublicBase,
        errand: Errand,
    ) -> Result<Landing, ProxyError> {
        let outgoing = read.outgoing(permit);
        let ahead = matches!(errand, Errand::Ahead(_));
        let place = match errand {
            Errand::Asked => self.session.enter().await.map_err(ProxyError::from_upstream)?,
            Errand::Ahead(place) => place,
        };
        seat.depart();
        let sent = Sent { at: self.clock.now(), intake: self.store.intake(), ahead };
        let answer = self.send(place, outgoing, self.session.timeout()).await?;
        if is_gateway_error(answer.status) {
            self.health.failed(self.clock.now());
        }
        self.land(seat, permit, read, base, sent, answer).await
    }

    async fn land(
        &self,
        seat: &Seat<Landing, Arc<Arrival>>,
        permit: &Permit,
        read: &Read,
        base: PublicBase,
        sent: Sent,
        answer: Answer,
    ) -> Result<Landing, ProxyError> {
        let Answer { status, headers, body } = answer;
        if status.is_success() {
            self.metrics.endpoint_exists(read.canonical.about().endpoint());
        }
        let rewriter = self.rewriter(&headers, read.content, &base);
        let mut shown = None;
        let begin = |beginning: &[u8]| {
            let mut headers = from_upstream(headers.clone());
            let request_id = headers.remove(REQUEST_ID);
            vary(&mut headers);
            let paging = paging(read, beginning, sent.ahead);
            shown = Some(paging.clone());
            let keepable = read.keep.admit_head(status, &headers).is_ok();
            Preface {
                status,
                headers,
                request_id,
                base: base.clone(),
                witness: seat.witness().clone(),
                paging,
                keepable,
            }
        };
        let limit = self.store.max_entry();
        let gathered = if may_be_shown(read, status, &headers) {
            take_in(&headers, body, rewriter, limit, begin, |arrival| seat.show(arrival)).await
        } else {
            gather(&headers, body, rewriter, limit).await.map(|gathered| (gathered, None)).map_err(Arc::new)
        };
        let (gathered, _its_end_is_told_when_it_is_kept) = gathered.map_err(ProxyError::AnswerCut)?;
        let whole = match gathered {
            Gathered::Whole(whole) => whole,
            Gathered::Long(body) => {
                let streaming = Streaming { status, headers: from_upstream(headers), body };
                return Ok(Landing::TooLarge(Arc::new(Mutex::new(Some(streaming)))));
            }
        };
        self.check_token(permit, status, &headers, &whole.body)?;
        if read.status
            && status == StatusCode::OK
            && let Some(installation) = Installation::from_status(&whole.body)
        {
            self.watch.observe(installation);
        }
        let refuses_address = status == StatusCode::FORBIDDEN && refuses_address(&whole.body);
        let witness = self.narrowed(permit, read, &whole, seat.witness());
        if shown.is_some() {
            self.walks.narrow(read, seat.witness(), &witness);
        }
        let admitted = admit(read, status, &headers, &whole, &witness).and_then(|()| fits(&whole, limit));
        let mut headers = from_upstream(headers);
        // It names the request that was sent; a hit has an id of its own.
        let request_id = headers.remove(REQUEST_ID);
        let core = Core {
            status,
            stored: sent.at,
            lifetime: read.keep.lifetime(),
            witness,
            paging: shown.unwrap_or_else(|| paging(read, &whole.body, sent.ahead)),
            about: read.canonical.about().clone(),
            late: Late::default(),
        };
        let form = Form::new(base, whole.body, whole.links);
        let entry = Arc::new(Entry::new(core, headers, form, self.store.heads()));
        let kept = admitted.and_then(|()| self.store.put(sent.intake, read.key, Arc::clone(&entry)));
        Ok(Landing::Answer(Landed { entry, kept, request_id, refuses_address }))
    }
}

/// Whether the answer is one to be shown while it arrives: what is not a plain success may have to be replaced, or may say
/// that a token is refused.
fn may_be_shown(read: &Read, status: StatusCode, headers: &http::HeaderMap) -> bool {
    status == StatusCode::OK && !read.status && (is_plain_json(headers) || read.content == Content::Document)
}

/// Whether it is still no larger than it may be, rewritten.
fn fits(whole: &Whole, limit: usize) -> Result<(), NotKept> {
    if whole.body.len() <= limit { Ok(()) } else { Err(NotKept::NoRoom) }
}

/// Whether the answer may be kept: by its looks, and because nothing changed since it was asked for.
fn admit(
    read: &Read,
    status: StatusCode,
    headers: &http::HeaderMap,
    whole: &Whole,
    witness: &Witness,
) -> Result<(), NotKept> {
    read.keep.admit(status, headers, &whole.body)?;
    if !whole.complete {
        return Err(NotKept::Incomplete);
    }
    if witness.may_be_kept() { Ok(()) } else { Err(NotKept::Changed) }
}
