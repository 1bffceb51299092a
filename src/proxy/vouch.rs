//! Whether NetBox has lately accepted a caller's own token, from where that caller is.
//!
//! What is in memory under a token's view was fetched with that token; it is shown again only to who still may use it.
//! So before memory or another's fetch answers a visitor, NetBox has accepted the token from the visitor's address within
//! the last 30 s. It is asked for `/api/`, which NetBox gives to any accepted token, whatever its user may see.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::Inner;
use super::auth::Visitor;
use super::body::{Gathered, gather};
use super::error::ProxyError;
use super::headers::FORWARDED_FOR;
use super::refusal::detail_of;
use crate::cache::clock::Moment;
use crate::netbox::branch::Branch;
use crate::netbox::outgoing::{Outgoing, OutgoingBody};
use crate::netbox::session::Answer;
use crate::netbox::token::Fingerprint;

/// How long NetBox's word counts, from when it was asked.
const BELIEVED: Duration = Duration::from_secs(30);

/// Words that are kept; beyond it those that do not count any more are dropped.
const MOST: usize = 10_000;

/// `/api/` names some twenty apps.
const LONGEST_ROOT: usize = 64 * 1024;

type Word = Result<(), ProxyError>;
type Place = (Fingerprint, IpAddr);

/// What NetBox has said of which token from where.
#[derive(Debug, Default)]
pub(super) struct Vouches {
    words: Mutex<Words>,
}

#[derive(Debug, Default)]
struct Words {
    said: HashMap<Place, State>,
    /// How often tokens or users have been changed; what was asked before the last time counts no longer.
    changed: u64,
}

#[derive(Debug, Clone)]
enum State {
    /// It was accepted by a question sent then.
    Accepted(Moment),
    /// It is being asked for.
    Asked(Shared<BoxFuture<'static, Word>>),
}

impl Vouches {
    /// NetBox has refused the token: its word counts no longer, from nowhere.
    pub(super) fn forget(&self, visitor: &Visitor) {
        self.lock().said.retain(|(token, _), _| *token != visitor.fingerprint());
    }

    /// Tokens or users have been changed through nbproxy: no word from before counts.
    pub(super) fn forget_all(&self) {
        let mut words = self.lock();
        words.said.clear();
        words.changed += 1;
    }

    fn settle(&self, place: Place, word: &Word, asked: Moment, changed: u64) {
        let mut words = self.lock();
        if words.changed != changed {
            return;
        }
        match word {
            Ok(()) => drop(words.said.insert(place, State::Accepted(asked))),
            Err(_) => drop(words.said.remove(&place)),
        }
        if words.said.len() > MOST {
            words.said.retain(|_, state| !matches!(state, State::Accepted(then) if asked.since(*then) > BELIEVED));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Words> {
        self.words.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Returns once NetBox's word for this visitor counts.
    ///
    /// # Errors
    /// [`ProxyError::Refused`] with NetBox's reason; or why NetBox could not be asked.
    pub(super) async fn vouch(self: &Arc<Self>, visitor: &Visitor) -> Result<(), ProxyError> {
        let place = (visitor.fingerprint(), visitor.address);
        let now = self.clock.now();
        let asked = {
            let mut words = self.vouches.lock();
            match words.said.get(&place) {
                Some(State::Accepted(then)) if now.since(*then) <= BELIEVED => return Ok(()),
                Some(State::Asked(word)) => word.clone(),
                Some(State::Accepted(_)) | None => {
                    // In a task of its own: one who hangs up must not leave a question, and a place at NetBox, half done.
                    let asking = self.tasks.spawn(Arc::clone(self).ask(visitor.clone(), place, words.changed));
                    let word = asking.map(|said| said.unwrap_or(Err(ProxyError::Lost))).boxed().shared();
                    words.said.insert(place, State::Asked(word.clone()));
                    word
                }
            }
        };
        let word = asked.await;
        if matches!(word, Err(ProxyError::Lost)) {
            self.vouches.forget(visitor);
        }
        word
    }

    async fn ask(self: Arc<Self>, visitor: Visitor, place: Place, changed: u64) -> Word {
        let (word, asked) = match self.session.enter().await {
            Err(error) => (Err(ProxyError::from_upstream(error)), self.clock.now()),
            Ok(at_netbox) => {
                let sent = self.clock.now();
                (self.ask_root(&visitor, at_netbox).await, sent)
            }
        };
        self.vouches.settle(place, &word, asked, changed);
        word
    }

    async fn ask_root(&self, visitor: &Visitor, place: crate::netbox::gate::Place) -> Word {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        visitor.introduce(&mut headers);
        let outgoing = Outgoing {
            method: Method::GET,
            path_and_query: "/api/".to_owned(),
            headers,
            token: Some(Arc::clone(&visitor.token)),
            branch: Branch::Main,
            body: OutgoingBody::Empty,
        };
        let Answer { status, headers, body } = self.send(place, outgoing, self.session.timeout()).await?;
        let gathered = gather(&headers, body, None, LONGEST_ROOT).await;
        let gathered = gathered.map_err(|error| ProxyError::AnswerCut(Arc::new(error)))?;
        let Gathered::Whole(whole) = gathered else { return Err(ProxyError::NotNetbox) };
        match status {
            StatusCode::OK => Ok(()),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                self.vouches.forget(visitor);
                Err(ProxyError::Refused { detail: detail_of(&whole.body).into() })
            }
            _ => Err(ProxyError::NotNetbox),
        }
    }
}

impl Visitor {
    /// Tells NetBox where the visitor is: a token may be bound to addresses (`allowed_ips`; NetBox 4.6 reads `X-Real-IP`,
    /// then this).
    pub(super) fn introduce(&self, headers: &mut HeaderMap) {
        if let Ok(address) = HeaderValue::try_from(self.address.to_string()) {
            headers.insert(FORWARDED_FOR, address);
        }
    }
}
