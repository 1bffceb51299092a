//! Looks after itself: some hits are asked of NetBox once more after they have been served, and compared.
//!
//! A difference that the changelog tells of by its next look was within what is promised. Any other shows that something
//! changes which nobody tells of: it is counted, its place is logged, and what it concerns is outdated. From then on answers
//! of that endpoint depend on their whole branch, however finely changes are told apart.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use tokio::sync::Semaphore;

use super::Inner;
use super::acl::Permit;
use super::body::{Gathered, gather};
use super::plan::Read;
use crate::cache::entry::Entry;
use crate::cache::epochs::Scope;
use crate::cache::public::PublicBase;
use crate::invalidation::bus::Source;
use crate::netbox::session::Answer;

mod difference;

use difference::first_difference;

/// How long the changelog may take to tell of a difference. With a look every two seconds it takes two.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which hits are looked at, and what was found.
#[derive(Debug)]
pub struct Auditor {
    /// One of so many; zero for none.
    one_in: u64,
    hits: AtomicU64,
    /// One at a time: however often memory answers, it is not NetBox's load. While one is looked at no other is.
    looking: Arc<Semaphore>,
    /// Endpoints that were found to change unseen.
    mistrusted: RwLock<HashSet<Box<str>>>,
}

/// What a second look has found.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Finding {
    /// The same.
    Same,
    /// Another answer, and a change has been told of that explains it.
    Explained,
    /// Another answer, while changes made elsewhere are not followed.
    Unfollowed,
    /// Another answer, and nobody tells why: the place where it differs.
    Unexplained(String),
    /// NetBox could not be asked.
    Unanswered,
}

impl Auditor {
    /// Looks at one of so many hits; at none for zero.
    pub fn new(one_in: u64) -> Self {
        Self { one_in, hits: AtomicU64::new(0), looking: Arc::new(Semaphore::new(1)), mistrusted: RwLock::default() }
    }

    /// Whether this hit is one to be looked at.
    fn chooses(&self) -> bool {
        self.one_in > 0 && self.hits.fetch_add(1, Ordering::Relaxed) % self.one_in == self.one_in - 1
    }

    /// Whether nothing was found to change unseen at this endpoint. Where something was, the table of what alters its
    /// answers is not all there is to know.
    pub(super) fn trusts(&self, endpoint: &str) -> bool {
        self.one_in == 0 || !self.mistrusted.read().unwrap_or_else(PoisonError::into_inner).contains(endpoint)
    }

    fn mistrust(&self, endpoint: &str) {
        self.mistrusted.write().unwrap_or_else(PoisonError::into_inner).insert(endpoint.into());
    }
}

impl Inner {
    /// Looks at a hit once more, if it is one of those, in a task of its own. Visitors' tokens are used for what they ask
    /// for, and nothing else.
    pub(super) fn look_twice(self: &Arc<Self>, permit: &Permit, read: &Read, base: &PublicBase, entry: &Arc<Entry>) {
        if permit.visitor().is_none()
            && !read.status
            && self.auditor.chooses()
            && let Ok(looking) = Arc::clone(&self.auditor.looking).try_acquire_owned()
            && let Some(body) = entry.body(base)
        {
            let (inner, permit, read) = (Arc::clone(self), permit.clone(), read.clone());
            let (base, entry) = (base.clone(), Arc::clone(entry));
            self.tasks.spawn(async move {
                inner.compare(&permit, &read, &base, &entry, &body).await;
                drop(looking);
            });
        }
    }

    async fn compare(&self, permit: &Permit, read: &Read, base: &PublicBase, entry: &Entry, body: &Bytes) {
        let age = self.clock.now().since(entry.core().stored);
        let finding = self.look(permit, read, base, entry, body).await;
        self.metrics.audited(finding.as_str(), read.canonical.about().endpoint(), age);
        if let Finding::Unexplained(path) = &finding {
            tracing::error!(
                endpoint = read.canonical.about().endpoint(),
                path,
                age_s = age.as_secs(),
                "an answer from memory was not what netbox says, and no change was told of; please report this"
            );
            // Before what is remembered is outdated: what is fetched after that depends on all of main.
            self.auditor.mistrust(read.canonical.about().endpoint());
            self.bus.publish(Scope::Branch(read.canonical.view().branch), Source::Audit);
        }
    }

    async fn look(&self, permit: &Permit, read: &Read, base: &PublicBase, entry: &Entry, body: &Bytes) -> Finding {
        let sent = self.clock.now();
        let Some(theirs) = self.ask_again(permit, read, base).await else { return Finding::Unanswered };
        let Some(path) = first_difference(body, &theirs) else { return Finding::Same };
        let witness = &entry.core().witness;
        if witness.is_current() {
            let told = tokio::time::timeout(PATIENCE, self.feed.confirmed_past(sent)).await;
            if told.is_err() && witness.is_current() {
                return Finding::Unfollowed;
            }
        }
        if witness.is_current() { Finding::Unexplained(path) } else { Finding::Explained }
    }

    /// NetBox's answer now, as this client would receive it.
    async fn ask_again(&self, permit: &Permit, read: &Read, base: &PublicBase) -> Option<Bytes> {
        let place = self.session.enter().await.ok()?;
        let Answer { status, headers, body } =
            self.send(place, read.outgoing(permit), self.session.timeout()).await.ok()?;
        let rewriter = self.rewriter(&headers, read.content, base);
        match gather(&headers, body, rewriter, self.store.max_entry()).await.ok()? {
            Gathered::Whole(whole) if status == StatusCode::OK => Some(whole.body),
            Gathered::Whole(_) | Gathered::Long(_) => None,
        }
    }
}

impl Finding {
    fn as_str(&self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Explained => "explained",
            Self::Unfollowed => "unfollowed",
            Self::Unexplained(_) => "unexplained",
            Self::Unanswered => "unanswered",
        }
    }
}
