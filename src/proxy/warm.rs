//! Warm: what is fetched before anybody asks, page by page, so that who does finds it in memory.

use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use http::uri::Authority;
use http::{HeaderMap, Method, StatusCode};

use super::auth::Origin;
use super::error::ProxyError;
use super::fetch::{Landed, Landing};
use super::outcome::Bypass;
use super::plan::{Plan, Read};
use super::request::{Request, Target};
use super::{Inner, Proxy};
use crate::cache::entry::{Core, Entry};
use crate::cache::flight::{Boarding, Lost};
use crate::cache::key::Key;
use crate::cache::policy::NotKept;
use crate::cache::public::PublicBase;
use crate::netbox::branch::Branch;

mod page;
mod round;

use page::Head;
pub use round::Warming;

/// What is kept warm.
#[derive(Debug, Clone)]
pub struct Config {
    /// The walks.
    pub walks: Vec<Walk>,
    /// The least time between two rounds.
    pub pause: Duration,
}

/// A path that is kept warm; of a list, with all pages that follow.
#[derive(Debug, Clone)]
pub struct Walk {
    target: Target,
}

/// A page that is in memory now.
#[derive(Debug, Clone)]
pub struct Warmed {
    /// For how long NetBox was at it, if it was asked.
    pub fetched: Option<Duration>,
    /// Its length in bytes.
    pub bytes: usize,
    /// How many objects the list has, where NetBox says so.
    pub count: Option<u64>,
    /// Where the list goes on: path and query as clients ask for them, without NetBox's sub-path.
    pub next: Option<String>,
    /// The second page as pynetbox asks for it, if that is not how the list goes on.
    pub other_next: Option<String>,
    key: Key,
}

/// Why a page is not in memory.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Cold {
    /// It cannot be asked for, or NetBox did not answer.
    #[error(transparent)]
    Unanswered(#[from] ProxyError),
    /// Its like is never remembered.
    #[error("nbproxy does not remember this ({})", .0.as_str())]
    NotRemembered(Bypass),
    /// NetBox's answer was none to keep.
    #[error("the answer ({status}) is not kept ({})", .reason.as_str())]
    NotKept {
        /// Its status.
        status: StatusCode,
        /// Why.
        reason: NotKept,
    },
    /// It is longer than `cache.max_entry`.
    #[error("the answer is too large to be kept (cache.max_entry)")]
    TooLarge,
    /// A write is under way, or a job: nothing is kept meanwhile.
    #[error("something is being changed just now")]
    Unsettled,
    /// Its pages do not end.
    #[error("the list leads in a circle")]
    Circle,
    /// What was fetched first has made room for what came after.
    #[error("memory is too small for all of it (cache.capacity), or was purged meanwhile")]
    NoRoom,
}

impl Walk {
    /// A walk that begins at this path and query of NetBox's API, without NetBox's sub-path.
    ///
    /// # Errors
    /// What is wrong with them, in words for who wrote them.
    pub fn parse(text: &str, branch: Branch) -> Result<Self, String> {
        if !text.starts_with('/') || text.contains(['#', ' ']) {
            return Err("a path such as \"/api/dcim/devices/?limit=1000\" is wanted".to_owned());
        }
        let mut target = read(text, "").map_err(|error| {
            let foreign = matches!(error, ProxyError::NotMirrored);
            if foreign {
                "it is no path of NetBox's API, which begins with /api/".to_owned()
            } else {
                error.to_string()
            }
        })?;
        if !target.path.is_closed() {
            return Err("it must end with a slash, before the query".to_owned());
        }
        if branch != Branch::Main && target.branch != branch && !target.query.has("_branch") {
            target.branch = branch;
        }
        if branch != Branch::Main && target.branch != branch {
            return Err("path and branch name different branches".to_owned());
        }
        Ok(Self { target })
    }

    /// What is asked for first.
    pub fn target(&self) -> &Target {
        &self.target
    }
}

impl fmt::Display for Walk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.target.path.target(&self.target.query))?;
        match self.target.branch {
            Branch::Main => Ok(()),
            branch => write!(f, " in {branch}"),
        }
    }
}

impl Proxy {
    /// Has the first page of this walk in memory, fresh for some time to come, and tells where the list goes on. NetBox is
    /// asked when nobody else wants to.
    ///
    /// # Errors
    /// [`Cold`].
    pub async fn warm(&self, walk: &Walk) -> Result<Warmed, Cold> {
        self.inner.warm(walk.target.clone()).await
    }
}

impl Inner {
    async fn warm(self: &Arc<Self>, target: Target) -> Result<Warmed, Cold> {
        let permit = self.access.load().acl.own_in(target.branch);
        let standing = self.standing(&permit, &target.path).await?;
        let base = self.anybodys_base();
        let origin = Origin { address: Ipv4Addr::LOCALHOST.into(), certificate: None };
        // As tools ask: with no word of languages or types.
        let (method, headers) = (Method::GET, HeaderMap::new());
        let request = Request { method, headers, target, origin, base: base.clone(), body: None, whole: true };
        let read = match self.plan(&permit, None, &request, standing) {
            Plan::Read(read) => *read,
            Plan::Pass(reason) => return Err(Cold::NotRemembered(reason)),
            Plan::NotCached | Plan::Write(_) => return Err(Cold::NotRemembered(Bypass::Method)),
        };
        if let Some(entry) = self.warm_already(&read) {
            return Ok(self.warmed(&read, &entry, None));
        }
        // As those who ask for it had it last: their form need not be made then.
        let known = self.store.get(&read.key);
        let base = known.and_then(|entry| Some(entry.last_form()?.base().clone())).unwrap_or(base);
        let turn = self.turn().await;
        // Somebody may have asked for it meanwhile.
        if let Some(entry) = self.warm_already(&read) {
            return Ok(self.warmed(&read, &entry, None));
        }
        let witness = self.epochs.witness(read.canonical.view().branch);
        if !witness.may_be_kept() {
            return Err(Cold::Unsettled);
        }
        let began = self.clock.now();
        let passenger = match self.flights.board(read.key, witness) {
            Boarding::Join(passenger) => passenger,
            Boarding::Lead(seat, passenger) => {
                self.set_off(seat, &permit, &read, &base);
                passenger
            }
        };
        let landing = passenger.landing().await.map_err(|Lost| ProxyError::Lost);
        drop(turn);
        let took = self.clock.now().since(began);
        let landing = landing.inspect_err(|_| self.metrics.fetched_unasked("warm", false))?;
        self.metrics.fetched_unasked("warm", landing.is_kept());
        match landing {
            Landing::Answer(Landed { entry, kept: Ok(()), .. }) => Ok(self.warmed(&read, &entry, Some(took))),
            // A change came in between, as it may at any time.
            Landing::Answer(Landed { kept: Err(NotKept::Changed), .. }) => Err(Cold::Unsettled),
            Landing::Answer(Landed { entry, kept: Err(reason), .. }) => {
                Err(Cold::NotKept { status: entry.core().status, reason })
            }
            Landing::TooLarge(_) => Err(Cold::TooLarge),
            Landing::Failed(error) => Err(error.into()),
        }
    }

    /// The base that clients are given, or one that no client has: of that a form is made for whoever asks.
    fn anybodys_base(&self) -> PublicBase {
        let nobodys = || PublicBase::new(false, Authority::from_static("nbproxy"));
        self.public_base.clone().unwrap_or_else(nobodys)
    }

    /// What memory holds of it, if that will do for some time to come.
    fn warm_already(&self, read: &Read) -> Option<Arc<Entry>> {
        self.store.get(&read.key).filter(|entry| self.is_warm(entry.core()))
    }

    fn is_warm(&self, core: &Core) -> bool {
        core.witness.is_current() && !self.is_late(core, self.clock.now())
    }

    fn warmed(&self, read: &Read, entry: &Entry, fetched: Option<Duration>) -> Warmed {
        let body: &[u8] = entry.last_form().map_or(&[], |form| form.body());
        let head = Head::of(body);
        let (base_path, target) = (self.session.base().path(), read.canonical.path_and_query());
        let next = head.next(base_path);
        let other_next = next.as_deref().and_then(|next| head.pynetboxs_next(target, next));
        Warmed { fetched, bytes: body.len(), count: head.count(), next, other_next, key: read.key }
    }
}

/// Understands path and query.
fn read(text: &str, base_path: &str) -> Result<Target, ProxyError> {
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    Target::read(path, query, &HeaderMap::new(), base_path)
}
