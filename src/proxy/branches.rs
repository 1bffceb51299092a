//! Whether a branch can be used just now.
//!
//! For a branch that is not ready NetBox's answers are an error of its own (500), a page of HTML, or, worst, main's data
//! under the branch's name (branching 1.1). So the list of branches is asked first, with the shared token, and what is not
//! ready is refused here, before anything is sent that could be carried out in main.
//!
//! That a branch is ready is believed for [`BELIEVED`]. That it is not is believed of no question from before the request:
//! a client that has waited for its branch uses it at once. There is one question at a time, for all who wait.
//!
//! While the list cannot be had, requests are passed to NetBox, nothing is kept of them, and nothing is answered from
//! memory: nobody knows then which of NetBox's answers are the branch's.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use http::StatusCode;

use super::Inner;
use super::acl::Permit;
use super::error::{BadRequest, ProxyError};
use super::question::Said;
use crate::cache::clock::Moment;
use crate::cache::epochs::Scope;
use crate::invalidation::branches::{Directory, Found, NotADirectory, question};
use crate::invalidation::bus::Source;
use crate::netbox::branch::{Branch, SchemaId};
use crate::netbox::object::{ApiPath, Resource};

/// How long a list of branches counts, from when it was asked for.
const BELIEVED: Duration = Duration::from_secs(5);

/// A page of a thousand branches is some MB.
const LONGEST_PAGE: usize = 64 * 1024 * 1024;

/// What is known of the branch that a request is for, if it is not known to be unusable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is ready; or there is nothing to know: main, no branching, a path that branching does not look at.
    Sure,
    /// Nobody knows.
    Unsure,
}

/// What is known of branches.
#[derive(Debug, Default)]
pub(super) struct Branches {
    state: Mutex<State>,
    /// Jobs under way, started here, that change a branch's status.
    jobs: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct State {
    /// What was told last.
    told: Option<Told>,
    /// Questions begun so far; each has the number that it made of this.
    begun: u64,
    /// Questions up to this one were begun before something is known to have changed.
    outdated: u64,
    asking: Option<Shared<BoxFuture<'static, Told>>>,
}

/// What a question has brought.
#[derive(Debug, Clone)]
struct Told {
    number: u64,
    asked: Moment,
    answer: Result<Arc<Directory>, Unlisted>,
}

/// Why there is no list.
#[derive(Debug, Clone)]
enum Unlisted {
    /// NetBox does not give it, for this reason.
    Withheld(Arc<str>),
    /// NetBox could not be asked. Whoever waited would fail as well, and is not made to wait twice.
    Unavailable(ProxyError),
}

/// While it is held, a branch is taken to be ready only if NetBox says so just now.
#[derive(Debug)]
pub(super) struct Wariness(Arc<AtomicUsize>);

impl Branches {
    /// The list of branches is not what it was.
    pub(super) fn outdate(&self) {
        let mut state = self.lock();
        state.outdated = state.begun;
    }

    /// A job is about to change some branch's status.
    pub(super) fn beware(&self) -> Wariness {
        self.jobs.fetch_add(1, Ordering::SeqCst);
        self.outdate();
        Wariness(Arc::clone(&self.jobs))
    }

    /// What was told last, if it still counts, and how many questions were begun.
    fn current(&self, now: Moment) -> (Option<Told>, u64) {
        let state = self.lock();
        let wary = self.jobs.load(Ordering::SeqCst) > 0;
        let counts = |told: &&Told| !wary && told.number > state.outdated && now.since(told.asked) < BELIEVED;
        (state.told.as_ref().filter(counts).cloned(), state.begun)
    }

    fn last(&self) -> Option<Arc<Directory>> {
        self.lock().told.as_ref()?.answer.as_ref().ok().cloned()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Wariness {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Inner {
    /// What is known of the branch that a request is for.
    ///
    /// # Errors
    /// [`BadRequest`] for a branch that does not exist or is not ready; why NetBox could not be asked.
    pub(super) async fn standing(self: &Arc<Self>, permit: &Permit, path: &ApiPath) -> Result<Standing, ProxyError> {
        let Branch::Schema(schema_id) = permit.view().branch else { return Ok(Standing::Sure) };
        if path.resource() == Resource::Status || self.watch.lacks_branching() {
            return Ok(Standing::Sure);
        }
        if !self.has_token() {
            return Ok(Standing::Unsure);
        }
        let (mut counted, before) = self.branches.current(self.clock.now());
        loop {
            let (counts, told) = match counted.take() {
                Some(told) => (true, told),
                None => (false, self.ask_branches().await),
            };
            // Begun after the request came: there is no later word to wait for.
            let last_word = told.number > before;
            match told.answer {
                Err(Unlisted::Withheld(_)) => return Ok(Standing::Unsure),
                Err(Unlisted::Unavailable(error)) => return Err(error),
                Ok(directory) => match directory.find(schema_id) {
                    Found::Ready if counts || last_word || self.counts(told.number) => return Ok(Standing::Sure),
                    Found::NotReady(status) if last_word => {
                        return Err(BadRequest::BranchNotReady { branch: schema_id, status: status.into() }.into());
                    }
                    // The shared token may not see all branches, and NetBox lets everybody choose any.
                    Found::Nothing if last_word && permit.visitor().is_some() => return Ok(Standing::Unsure),
                    Found::Nothing if last_word => return Err(BadRequest::NoBranch(schema_id).into()),
                    Found::Ready | Found::NotReady(_) | Found::Nothing => {}
                },
            }
        }
    }

    fn counts(&self, number: u64) -> bool {
        self.branches.current(self.clock.now()).0.is_some_and(|told| told.number == number)
    }

    /// The `schema_id` of the branch that the API's paths name by this number, if NetBox tells.
    pub(super) async fn schema_of(self: &Arc<Self>, id: u64) -> Option<SchemaId> {
        if let Some(known) = self.branches.last().and_then(|directory| directory.schema_of(id)) {
            return Some(known);
        }
        if !self.has_token() {
            return None;
        }
        self.ask_branches().await.answer.ok()?.schema_of(id)
    }

    /// Joins the question under way, or begins one.
    fn ask_branches(self: &Arc<Self>) -> Shared<BoxFuture<'static, Told>> {
        let mut state = self.branches.lock();
        if let Some(asking) = &state.asking {
            return asking.clone();
        }
        state.begun += 1;
        let (number, asked, this) = (state.begun, self.clock.now(), Arc::clone(self));
        // In a task of its own: one who hangs up must not leave a question half done that others wait for.
        let asking = self.tasks.spawn(Arc::clone(self).list_branches(number, asked));
        let lost = move |_| {
            this.branches.lock().asking = None;
            Told { number, asked, answer: Err(Unlisted::Unavailable(ProxyError::Lost)) }
        };
        let asking = asking.map(|told| told.unwrap_or_else(lost)).boxed().shared();
        state.asking = Some(asking.clone());
        asking
    }

    async fn list_branches(self: Arc<Self>, number: u64, asked: Moment) -> Told {
        let answer = self.read_branches().await;
        let told = Told { number, asked, answer: answer.map(Arc::new) };
        let mut state = self.branches.lock();
        let before = state.told.take();
        let withheld_before = matches!(&before, Some(Told { answer: Err(_), .. }));
        let before = before.and_then(|told| told.answer.ok());
        match &told.answer {
            Ok(now) => {
                // Before anybody is told: who finds a branch ready must not find what is remembered of another time.
                for changed in now.changed_since(before.as_deref()) {
                    self.bus.publish(Scope::Branch(Branch::Schema(changed)), Source::Branches);
                }
                state.told = Some(told.clone());
            }
            Err(Unlisted::Withheld(reason)) => {
                if !withheld_before {
                    tracing::warn!(
                        reason = reason.as_ref(),
                        permission = "netbox_branching.view_branch",
                        "netbox's list of branches cannot be had; nothing is remembered of branches, and who asks for one \
                         that is not ready is given what netbox answers then, main's data among it"
                    );
                }
                state.told = Some(told.clone());
            }
            Err(Unlisted::Unavailable(_)) => {}
        }
        state.asking = None;
        told
    }

    async fn read_branches(&self) -> Result<Directory, Unlisted> {
        let (mut directory, mut above) = (Directory::default(), 0);
        loop {
            let Said { status, body, .. } = self.ask_own(question(above), LONGEST_PAGE).await?;
            if status != StatusCode::OK {
                return Err(Unlisted::Withheld(status.to_string().into()));
            }
            let taken = directory.take(&body);
            match taken.map_err(|error: NotADirectory| Unlisted::Withheld(error.to_string().into()))? {
                Some(last) if last > above => above = last,
                // Who answers the same again would do so forever.
                Some(_) => return Err(Unlisted::Withheld(NotADirectory.to_string().into())),
                None => return Ok(directory),
            }
        }
    }
}

impl From<ProxyError> for Unlisted {
    fn from(error: ProxyError) -> Self {
        if error.is_unavailable() { Self::Unavailable(error) } else { Self::Withheld(error.as_str().into()) }
    }
}
