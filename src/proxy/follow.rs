//! Asks NetBox's changelog what was changed elsewhere, a round at a time, and tells the bus.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::StatusCode;
use http::header::DATE;
use serde::Deserialize;

use super::error::ProxyError;
use super::question::Said;
use super::{Inner, Proxy};
use crate::cache::epochs::Scope;
use crate::invalidation::bus::Source;
use crate::invalidation::changelog::{Follower, Question, Row};
use crate::netbox::version;

/// A page of rows is some 150 KB; where `fields` is not known yet (NetBox before 4.5.1), some MB.
const LONGEST_PAGE: usize = 64 * 1024 * 1024;

/// How the changelog is followed.
#[derive(Debug)]
pub struct Following {
    follower: Option<Follower>,
    /// How long a transaction may take.
    patience: Duration,
}

/// Why it cannot be followed just now.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NotFollowed {
    /// NetBox does not let the shared token read it.
    #[error("the token may not read core/object-changes")]
    Forbidden,
    /// NetBox could not be asked.
    #[error(transparent)]
    Unanswered(#[from] ProxyError),
    /// What came is no page of the changelog.
    #[error("core/object-changes is not what it should be")]
    Strange,
}

impl Following {
    /// Nothing has been read yet.
    pub fn new(patience: Duration) -> Self {
        Self { follower: None, patience }
    }

    /// Ids that may still appear.
    pub fn gaps(&self) -> u64 {
        self.follower.as_ref().map_or(0, |follower| follower.gaps().len())
    }
}

impl Proxy {
    /// Reads what is new in the changelog and has it outdate what it concerns; returns how many changes there were.
    ///
    /// # Errors
    /// [`NotFollowed`]; after an outage of NetBox's the changelog is begun anew and everything is outdated, since what was
    /// done to it meanwhile (an upgrade, a restored backup) need not stand in it.
    pub async fn follow(&self, following: &mut Following) -> Result<usize, NotFollowed> {
        let inner = &self.inner;
        let followed = inner.follow(following).await;
        match &followed {
            Ok(_) => {}
            // A slow answer is no outage: nothing is missed by asking again from the same place.
            Err(NotFollowed::Unanswered(error)) if !error.means_outage() => {}
            Err(error) => {
                following.follower = None;
                inner.feed.lose(&error.to_string());
            }
        }
        followed
    }

    /// Returns when the changelog should be looked at out of turn.
    pub async fn follow_wanted(&self) {
        self.inner.feed.wanted().await;
    }

    /// Whether nobody has asked for anything lately.
    pub fn is_quiet(&self) -> bool {
        self.inner.feed.is_quiet(self.inner.clock.now())
    }

    /// Why changes made elsewhere are not followed, if they should be.
    pub fn feed_trouble(&self) -> Option<String> {
        self.inner.feed.trouble()
    }
}

impl Inner {
    async fn follow(self: &Arc<Self>, following: &mut Following) -> Result<usize, NotFollowed> {
        // What is committed before this moment is seen by all that is asked from here on.
        let began = self.clock.now();
        let Some(follower) = &mut following.follower else {
            following.follower = Some(self.begin(following.patience).await?);
            self.feed.confirm(began);
            return Ok(0);
        };
        let mut told = 0;
        loop {
            let (rows, _) = self.ask_changelog(&follower.next()).await?;
            let Ok((new, more)) = follower.take(rows, self.clock.now()) else {
                tracing::warn!("the changelog is not what it was; forgetting everything");
                following.follower = Some(self.begin(following.patience).await?);
                break;
            };
            told += self.tell(&new);
            if !more {
                break;
            }
        }
        if let Some(follower) = &mut following.follower {
            told += self.look_again(follower).await?;
            follower.end_round(self.clock.now());
        }
        self.feed.confirm(began);
        Ok(told)
    }

    async fn look_again(&self, follower: &mut Follower) -> Result<usize, NotFollowed> {
        let mut told = 0;
        for question in follower.again() {
            let mut next = Some(question);
            while let Some(Question::Within(window)) = next {
                let (rows, _) = self.ask_changelog(&Question::Within(window)).await?;
                let (found, more) = follower.take_again(window, rows);
                told += self.tell(&found);
                next = more;
            }
        }
        Ok(told)
    }

    /// Begins from now: what happened before is not known, so all that is remembered is outdated.
    async fn begin(&self, patience: Duration) -> Result<Follower, NotFollowed> {
        let (newest, date) = self.ask_changelog(&Question::Newest).await?;
        let young = date.and_then(|date| date.checked_sub(patience));
        let recent = |row: &Row| match (young, humantime::parse_rfc3339_weak(&row.time)) {
            (Some(young), Ok(time)) => time > young,
            // Who cannot tell takes the time to look.
            _ => true,
        };
        let follower = Follower::begin(&newest, patience, self.clock.now(), recent);
        self.bus.publish(Scope::Everything, Source::Changelog);
        Ok(follower)
    }

    /// Has changes outdate what they concern. Those that nbproxy made itself, and told of when they were answered, are not told
    /// apart: the id of their request is also that of what NetBox's event rules have started for it, and that may change
    /// anything at any time.
    fn tell(&self, rows: &[Row]) -> usize {
        for scope in rows.iter().map(|row| row.changed().scope(self.precision)).collect::<HashSet<_>>() {
            self.bus.publish(scope, Source::Changelog);
        }
        rows.len()
    }

    /// The rows of an answer, and when NetBox gave it.
    async fn ask_changelog(&self, question: &Question) -> Result<(Vec<Row>, Option<SystemTime>), NotFollowed> {
        #[derive(Deserialize)]
        struct Page {
            results: Vec<Row>,
        }
        let cursor = self.watch.version().is_some_and(|version| version::is_at_least(&version, 4, 6));
        let path = format!("/api/core/object-changes/?{}", question.query(cursor));
        let Said { status, headers, body, .. } = self.ask_own(path, LONGEST_PAGE).await?;
        match status {
            StatusCode::OK => {}
            StatusCode::FORBIDDEN => return Err(NotFollowed::Forbidden),
            _ => return Err(NotFollowed::Strange),
        }
        let page: Page = serde_json::from_slice(&body).map_err(|_| NotFollowed::Strange)?;
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        Ok((page.results, date.and_then(|date| httpdate::parse_http_date(date).ok())))
    }
}
