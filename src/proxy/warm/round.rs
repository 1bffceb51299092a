//! Rounds: what has been outdated, expires soon or is gone is fetched anew.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::{Cold, Config, Walk, Warmed, read};
use crate::cache::clock::Moment;
use crate::cache::key::Key;
use crate::proxy::{Inner, Proxy};

/// How often all is looked at while nothing is told of: answers expire, and make room for others.
const LOOK: Duration = Duration::from_secs(1);

/// Before a walk that has failed is begun again; doubled each time up to [`SELDOM`].
const AGAIN: Duration = Duration::from_secs(1);

/// Between later attempts.
const SELDOM: Duration = Duration::from_secs(60);

/// All that is kept warm.
#[derive(Debug)]
pub struct Warming {
    walks: Vec<Kept>,
    pause: Duration,
}

/// One walk.
#[derive(Debug)]
struct Kept {
    walk: Walk,
    /// Its pages; `None` unless it was walked to the end.
    pages: Option<Vec<Key>>,
    /// What was told last: that it is warm, or why not.
    told: Option<Result<(), String>>,
    /// When it may be tried again.
    retry: Moment,
    /// How long after the next failure.
    patience: Duration,
}

/// What a walk has come to.
#[derive(Debug, Default)]
struct Walked {
    pages: Vec<Key>,
    fetched: usize,
    bytes: usize,
    /// How long NetBox was at it.
    took: Duration,
}

impl Warming {
    /// Nothing is warm yet.
    pub fn new(config: Config) -> Self {
        let kept = |walk| Kept { walk, pages: None, told: None, retry: Moment::ZERO, patience: AGAIN };
        Self { walks: config.walks.into_iter().map(kept).collect(), pause: config.pause }
    }

    /// Whether there is nothing to keep warm.
    pub fn is_empty(&self) -> bool {
        self.walks.is_empty()
    }
}

impl Kept {
    /// Says so, if that is new.
    fn tell(&mut self, now: Result<(), String>) {
        if self.told.as_ref() == Some(&now) {
            return;
        }
        match &now {
            Ok(()) => tracing::info!(walk = %self.walk, "this is kept warm"),
            Err(reason) => tracing::warn!(walk = %self.walk, reason, "this cannot be kept warm"),
        }
        self.told = Some(now);
    }
}

impl Proxy {
    /// Returns when it is known whether changes made elsewhere are followed: when that begins, everything is outdated.
    pub async fn feed_begun(&self) {
        self.inner.feed.begun().await;
    }

    /// Walks what is not warm any more. Returns for how long NetBox is left in peace afterwards: as long as it was at
    /// this, at least, so that it is so for half of its time, at most.
    pub async fn warm_round(&self, warming: &mut Warming) -> Duration {
        let mut walking = Vec::new();
        for kept in &mut warming.walks {
            if self.inner.is_wanted(kept) {
                walking.push(self.inner.keep_warm(kept));
            }
        }
        // How many are fetched at once is decided by turns.
        let took = join_all(walking).await.into_iter().fold(Duration::ZERO, Duration::saturating_add);
        warming.pause.max(took)
    }

    /// Returns when there is something for a round to do.
    pub async fn warm_wanted(&self, warming: &Warming) {
        loop {
            // What is told from here on is not missed.
            let news = self.inner.bus.news();
            if warming.walks.iter().any(|kept| self.inner.is_wanted(kept)) {
                return;
            }
            // Passing the time is the other way to have news.
            drop(tokio::time::timeout(LOOK, news).await);
        }
    }
}

impl Inner {
    fn is_wanted(&self, kept: &Kept) -> bool {
        let is_warm = |key: &Key| self.store.get(key).is_some_and(|entry| self.is_warm(entry.core()));
        let all_warm = kept.pages.as_ref().is_some_and(|pages| pages.iter().all(is_warm));
        !all_warm && self.clock.now() >= kept.retry
    }

    /// Walks, and says what is new about it; returns for how long NetBox was at it.
    async fn keep_warm(self: &Arc<Self>, kept: &mut Kept) -> Duration {
        let mut walked = Walked::default();
        let ended = self.walk(&kept.walk, &mut walked).await;
        let now = self.clock.now();
        let Walked { pages, fetched, bytes, took } = walked;
        match ended {
            Ok(()) => {
                tracing::debug!(walk = %kept.walk, pages = pages.len(), fetched, bytes, "this is warm");
                kept.tell(Ok(()));
                (kept.pages, kept.retry, kept.patience) = (Some(pages), now, AGAIN);
            }
            // It passes, and is no fault.
            Err(Cold::Unsettled) => (kept.pages, kept.retry) = (None, now.after(AGAIN)),
            Err(cold) => {
                kept.tell(Err(cold.to_string()));
                (kept.pages, kept.retry) = (None, now.after(kept.patience));
                kept.patience = kept.patience.saturating_mul(2).min(SELDOM);
            }
        }
        took
    }

    /// Walks from the first page to the last.
    async fn walk(self: &Arc<Self>, walk: &Walk, walked: &mut Walked) -> Result<(), Cold> {
        let mut seen = HashSet::new();
        let at = |text: &str| read(text, "").map(|target| super::Target { branch: walk.target.branch, ..target });
        let mut here = Some(walk.target.clone());
        while let Some(target) = here.take() {
            let page = self.warm(target).await?;
            if !seen.insert(page.key) {
                return Err(Cold::Circle);
            }
            if let Some(other) = &page.other_next {
                let other = self.warm(at(other)?).await?;
                walked.take(&other);
            }
            here = page.next.as_deref().map(at).transpose()?;
            walked.take(&page);
        }
        // What was fetched last is known to have been kept; of the first it remains to be seen.
        if walked.pages.iter().any(|key| self.store.get(key).is_none()) {
            return Err(Cold::NoRoom);
        }
        Ok(())
    }
}

impl Walked {
    fn take(&mut self, page: &Warmed) {
        self.pages.push(page.key);
        self.fetched += usize::from(page.fetched.is_some());
        self.took += page.fetched.unwrap_or_default();
        self.bytes += page.bytes;
    }
}
