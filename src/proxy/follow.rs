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
use crate::cache::clock::Moment;
use crate::cache::epochs::Scope;
use crate::invalidation::bus::Source;
use crate::invalidation::changelog::{Below, Follower, Page, Question, Row, Window};
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
    #[error("the token may not read core/object-changes (core.view_objectchange)")]
    Forbidden,
    /// NetBox could not be asked.
    #[error(transparent)]
    Unanswered(#[from] ProxyError),
    /// What came is no page of the changelog.
    #[error("core/object-changes is not what it should be")]
    Strange,
}

/// NetBox's answer.
struct Answered {
    page: Page,
    /// When it gave it.
    date: Option<SystemTime>,
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
    /// [`NotFollowed`]; after an outage of NetBox's, whoever noticed it, the changelog is begun anew and everything is outdated, since what was
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
        if self.feed.was_interrupted() {
            following.follower = None;
        }
        let Some(follower) = &mut following.follower else {
            following.follower = Some(self.begin(following.patience).await?);
            self.feed.confirm(began);
            return Ok(0);
        };
        let mut told = 0;
        let mut next = Some(follower.next());
        while let Some(question) = next {
            let page = self.ask_changelog(&question).await?.page;
            let Ok((new, more)) = follower.take(&question, page, self.clock.now()) else {
                tracing::warn!("the changelog is not what it was; forgetting everything");
                following.follower = Some(self.begin(following.patience).await?);
                self.feed.confirm(began);
                return Ok(told);
            };
            told += self.tell(&new);
            next = more;
        }
        told += self.look_again(follower, began).await?;
        self.feed.confirm(follower.end_round(began, self.clock.now()));
        Ok(told)
    }

    async fn look_again(&self, follower: &mut Follower, began: Moment) -> Result<usize, NotFollowed> {
        let mut told = 0;
        for question in follower.again(began) {
            let mut next = Some(question);
            while let Some(question) = next {
                let page = self.ask_changelog(&question).await?.page;
                let (found, more) = follower.take_again(&question, page);
                told += self.tell(&found);
                next = more;
            }
        }
        Ok(told)
    }

    /// Begins from now: what happened before is not known, so all that is remembered is outdated.
    async fn begin(&self, patience: Duration) -> Result<Follower, NotFollowed> {
        let Answered { page: newest, date } = self.ask_changelog(&Question::Newest).await?;
        let time = |row: &Row| humantime::parse_rfc3339_weak(&row.time).ok();
        // The newest row's time is never later than now.
        let now = date.or_else(|| newest.rows.first().and_then(time));
        let young = now.and_then(|now| now.checked_sub(patience));
        // Who cannot tell takes the time to look.
        let recent = |row: &Row| young.zip(time(row)).is_none_or(|(young, time)| time > young);
        let below = self.below(&newest, young, recent).await?;
        let follower = Follower::begin(&newest.rows, below, patience, self.clock.now(), recent);
        self.bus.publish(Scope::Everything, Source::Changelog);
        Ok(follower)
    }

    /// What may still appear below the newest rows.
    async fn below(
        &self,
        newest: &Page,
        young: Option<SystemTime>,
        recent: impl Fn(&Row) -> bool,
    ) -> Result<Below, NotFollowed> {
        let lowest = newest.rows.iter().map(|row| row.id).min().unwrap_or(0);
        if !newest.rows.iter().all(recent) {
            return Ok(Below::Settled);
        }
        let settled = match young {
            Some(young) if newest.more => {
                let time = humantime::format_rfc3339_micros(young).to_string();
                let page = self.ask_changelog(&Question::UpTo(time)).await?.page;
                page.rows.first().map_or(0, |row| row.id)
            }
            Some(_) | None => 0,
        };
        let Some(window) = Window::between(settled, lowest) else { return Ok(Below::Settled) };
        let there = match newest.more {
            true => self.ask_changelog(&Question::Count(window)).await?.page.count.ok_or(NotFollowed::Strange)?,
            false => 0,
        };
        Ok(Below::Unsettled(window, there))
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

    async fn ask_changelog(&self, question: &Question) -> Result<Answered, NotFollowed> {
        #[derive(Deserialize)]
        struct Listed {
            results: Vec<Row>,
            next: Option<String>,
            count: Option<u64>,
        }
        let cursor = self.watch.version().is_some_and(|version| version::is_at_least(&version, 4, 6));
        let path = format!("/api/core/object-changes/?{}", question.query(cursor));
        let Said { status, headers, body, .. } = self.ask_own(path, LONGEST_PAGE).await?;
        match status {
            StatusCode::OK => {}
            StatusCode::FORBIDDEN => return Err(NotFollowed::Forbidden),
            _ => return Err(NotFollowed::Strange),
        }
        let Listed { results: rows, next, count } = serde_json::from_slice(&body).map_err(|_| NotFollowed::Strange)?;
        let more = next.is_some();
        if more && rows.is_empty() {
            return Err(NotFollowed::Strange);
        }
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
        Ok(Answered { page: Page { rows, more, count }, date })
    }
}
