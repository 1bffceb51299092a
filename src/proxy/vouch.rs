//! Whether NetBox has lately accepted a caller's own token, from where that caller is.
//!
//! What is in memory under a token's view was fetched with that token; it is shown again only to who still may use it.
//! So before memory or another's fetch answers a visitor, NetBox has accepted the token from the visitor's address within
//! the last 30 s. It is asked for `/api/`, which NetBox gives to any accepted token, whatever its user may see.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::Inner;
use super::acl::Permit;
use super::auth::Visitor;
use super::error::ProxyError;
use super::headers::FORWARDED_FOR;
use super::question::Said;
use super::refusal::detail_of;
use crate::cache::clock::Moment;
use crate::netbox::token::Fingerprint;

/// How long NetBox's word counts, from when it was asked.
const BELIEVED: Duration = Duration::from_secs(30);

/// Questions that are open at once for one address: who guesses tokens must not fill NetBox's places with that.
const MOST_QUESTIONS: usize = 8;

/// Words that are kept; beyond it those that do not count any more are dropped.
const MOST: usize = 10_000;

/// `/api/` names some twenty apps.
const LONGEST_ROOT: usize = 64 * 1024;

/// When the question was sent that NetBox said yes to.
type Word = Result<Moment, ProxyError>;
type Place = (Fingerprint, IpAddr);

/// What NetBox has said of which token from where.
#[derive(Debug, Default)]
pub(super) struct Vouches {
    words: Mutex<HashMap<Place, State>>,
    questions: AtomicU64,
}

#[derive(Debug, Clone)]
enum State {
    /// It was accepted by a question sent then.
    Accepted(Moment),
    /// It is being asked for, in a task of its own; all who want to know wait for that.
    Asked { question: u64, word: Shared<BoxFuture<'static, Word>> },
}

impl Vouches {
    /// NetBox has refused the token: its word counts no longer, from nowhere.
    pub(super) fn forget(&self, refused: Fingerprint) {
        self.lock().retain(|(token, _), _| *token != refused);
    }

    /// Tokens or users have been changed through nbproxy: no word from before counts.
    pub(super) fn forget_all(&self) {
        self.lock().clear();
    }

    /// Notes the answer to a question, unless the token was refused meanwhile: a yes from before that does not count.
    fn settle(&self, place: Place, question: u64, word: &Word, now: Moment) {
        let mut words = self.lock();
        match words.get(&place) {
            Some(State::Asked { question: open, .. }) if *open == question => {}
            Some(State::Asked { .. } | State::Accepted(_)) | None => return,
        }
        match word {
            Ok(asked) => drop(words.insert(place, State::Accepted(*asked))),
            Err(_) => drop(words.remove(&place)),
        }
        if words.len() > MOST {
            words.retain(|_, state| !matches!(state, State::Accepted(then) if now.since(*then) > BELIEVED));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Place, State>> {
        self.words.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Returns once NetBox's word for this leave's visitor counts; at once for the leave of who brings no token of NetBox's.
    ///
    /// # Errors
    /// [`ProxyError::Refused`] with NetBox's reason; or why NetBox could not be asked.
    pub(super) async fn vouch(self: &Arc<Self>, permit: &Permit) -> Result<(), ProxyError> {
        let Some(visitor) = permit.visitor() else { return Ok(()) };
        let place = (visitor.fingerprint(), visitor.address);
        let now = self.clock.now();
        loop {
            let word = {
                let mut words = self.vouches.lock();
                match words.get(&place) {
                    Some(State::Accepted(then)) if now.since(*then) <= BELIEVED => return Ok(()),
                    Some(State::Asked { word, .. }) => word.clone(),
                    Some(State::Accepted(_)) | None => {
                        let open = |((_, from), state): &(&Place, &State)| {
                            *from == visitor.address && matches!(state, State::Asked { .. })
                        };
                        if words.iter().filter(open).count() >= MOST_QUESTIONS {
                            return Err(ProxyError::TooOften { wait: Duration::ZERO });
                        }
                        let question = self.vouches.questions.fetch_add(1, Ordering::Relaxed);
                        let word = self.inquire(permit, place, question);
                        words.insert(place, State::Asked { question, word: word.clone() });
                        word
                    }
                }
            };
            // The question may have been open for long already when this visitor came.
            if now.since(word.await?) <= BELIEVED {
                return Ok(());
            }
        }
    }

    /// Asks in a task of its own: were it left to those who wait, a question whose askers all hang up would keep its
    /// place at NetBox, and whoever came next would be given its old answer.
    fn inquire(self: &Arc<Self>, permit: &Permit, place: Place, question: u64) -> Shared<BoxFuture<'static, Word>> {
        let inner = Arc::clone(self);
        let asking = self.tasks.spawn(Arc::clone(self).inquire_now(permit.clone(), place, question));
        let word = async move {
            asking.await.unwrap_or_else(|_| {
                let lost = Err(ProxyError::Lost);
                inner.vouches.settle(place, question, &lost, inner.clock.now());
                lost
            })
        };
        word.boxed().shared()
    }

    async fn inquire_now(self: Arc<Self>, permit: Permit, place: Place, question: u64) -> Word {
        let word = self.ask_root(&permit, place).await;
        self.vouches.settle(place, question, &word, self.clock.now());
        word
    }

    async fn ask_root(&self, permit: &Permit, (token, _): Place) -> Word {
        let Said { asked, status, body, .. } = self.ask(permit, "/api/".to_owned(), LONGEST_ROOT).await?;
        match status {
            StatusCode::OK => Ok(asked),
            // Here nothing but the token can be refused, in whatever words.
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                self.vouches.forget(token);
                Err(ProxyError::Refused { detail: detail_of(&body).into() })
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
