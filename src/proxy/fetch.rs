//! Fetching an answer to remember it: what the one who leads a flight does, in a task of its own.

use std::sync::{Arc, Mutex};

use http::{HeaderValue, StatusCode};

use super::Inner;
use super::acl::Permit;
use super::body::{Gathered, LongBody, Whole, gather};
use super::error::ProxyError;
use super::headers::{REQUEST_ID, from_upstream};
use super::plan::Read;
use super::refusal::refuses_address;
use crate::cache::clock::Moment;
use crate::cache::entry::{Core, Entry, Form, Late};
use crate::cache::epochs::Witness;
use crate::cache::flight::Seat;
use crate::cache::policy::NotKept;
use crate::cache::public::PublicBase;
use crate::cache::store::Intake;
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

/// When a question was sent, and the leave to keep its answer.
struct Sent {
    at: Moment,
    intake: Intake,
}

/// An answer that flows on to one client.
#[derive(Debug)]
pub(super) struct Streaming {
    pub(super) status: StatusCode,
    pub(super) headers: http::HeaderMap,
    pub(super) body: LongBody,
}

impl Inner {
    /// Fetches and lands.
    pub(super) async fn fly(self: Arc<Self>, seat: Seat<Landing>, permit: Permit, read: Read, base: PublicBase) {
        let landing = match self.fetch(&seat, &permit, &read, base).await {
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
        seat: &Seat<Landing>,
        permit: &Permit,
        read: &Read,
        base: PublicBase,
    ) -> Result<Landing, ProxyError> {
        let outgoing = read.outgoing(permit);
        let place = self.session.enter().await.map_err(ProxyError::from_upstream)?;
        seat.depart();
        let sent = Sent { at: self.clock.now(), intake: self.store.intake() };
        let answer = self.send(place, outgoing, self.session.timeout()).await?;
        if is_gateway_error(answer.status) {
            self.health.failed(self.clock.now());
        }
        self.land(seat.witness(), permit, read, base, sent, answer).await
    }

    async fn land(
        &self,
        witness: &Witness,
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
        let gathered = gather(&headers, body, rewriter, self.store.max_entry()).await;
        let whole = match gathered.map_err(|error| ProxyError::AnswerCut(Arc::new(error)))? {
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
        let witness = self.narrowed(permit, read, &whole, witness);
        let admitted = admit(read, status, &headers, &whole, &witness);
        let mut headers = from_upstream(headers);
        // It names the request that was sent; a hit has an id of its own.
        let request_id = headers.remove(REQUEST_ID);
        let core = Core {
            status,
            headers,
            stored: sent.at,
            lifetime: read.keep.lifetime(),
            witness,
            continues: continues(&whole.body),
            about: read.canonical.about().clone(),
            late: Late::default(),
        };
        let entry = Entry::new(core, Form::new(base, whole.body, whole.links));
        let before = self.store.get(&read.key);
        let entry = Arc::new(match before {
            Some(before) => entry.after(&before),
            None => entry,
        });
        let kept = admitted.and_then(|()| self.store.put(sent.intake, read.key, Arc::clone(&entry)));
        Ok(Landing::Answer(Landed { entry, kept, request_id, refuses_address }))
    }
}

/// Whether this is a page of a list that goes on: `{"count":120,"next":"http…`.
fn continues(body: &[u8]) -> bool {
    let head = body.get(..body.len().min(64)).unwrap_or_default();
    memchr::memmem::find(head, b"\"next\":\"").is_some()
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
