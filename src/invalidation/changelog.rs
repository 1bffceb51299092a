//! What NetBox's changelog tells of changes made elsewhere (`core/object-changes`).
//!
//! Here is what is asked and what follows from the answers; who asks is another room. Each round asks for what is new
//! from the highest id on, that row once more among it: while it is still there, and the same, nothing was pruned away or
//! restored from a backup in between. It goes on until NetBox says that there is no more, since how much it gives at once
//! (`MAX_PAGE_SIZE`) may change at any time. Then it looks for the [`Gaps`] below.

use std::time::Duration;

use serde::Deserialize;

use super::changed::Changed;
use crate::cache::clock::Moment;

mod gaps;

pub use gaps::{Gaps, Window};

/// Rows asked for at once: as many as NetBox gives by default.
const PAGE: usize = 1000;

/// The same where NetBox may not know `fields` here (before 4.5.1), and sends whole objects, before and after each change.
const HEAVY_PAGE: usize = 100;

/// A row, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Row {
    /// Its id.
    pub id: u64,
    /// When it was inserted (ISO 8601).
    pub time: String,
    /// What was changed: `dcim.site`.
    pub changed_object_type: Option<String>,
}

/// What NetBox answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Some rows.
    pub rows: Vec<Row>,
    /// Whether there are more beyond them; never without any.
    pub more: bool,
    /// How many there are in all, where that was counted: not by `start`.
    pub count: Option<u64>,
}

/// How far the changelog has been followed.
#[derive(Debug)]
pub struct Follower {
    /// The row with the highest id that was seen; `None` while there has been none at all.
    head: Option<Row>,
    gaps: Gaps,
    patience: Duration,
}

/// The changelog is not what it was: rows have gone that were there, or they come in no order. It must be begun anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the changelog is not what it was")]
pub struct Jumped;

/// What to ask next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// The newest rows, newest first.
    Newest,
    /// The newest row that was not inserted after this time (ISO 8601).
    UpTo(String),
    /// Rows from this id on, in order.
    From(u64),
    /// Rows of a range of ids, in order.
    Within(Window),
    /// How many rows there are in a range of ids.
    Count(Window),
}

/// What lies below the rows that a follower begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Below {
    /// Nothing that may still appear: there is a row among them that is older than any transaction.
    Settled,
    /// Of these ids so many rows are there; the others may still appear.
    Unsettled(Window, u64),
}

impl Question {
    /// Its query. `cursor`: whether NetBox pages by `start` (4.6), which spares it to count all rows.
    pub fn query(&self, cursor: bool) -> String {
        let fields = "fields=id,time,changed_object_type";
        let limit = if cursor { PAGE } else { HEAVY_PAGE };
        match self {
            Self::Newest => format!("{fields}&limit={limit}&ordering=-id"),
            Self::UpTo(time) => format!("{fields}&limit=1&ordering=-id&time_before={time}"),
            Self::From(id) if cursor => format!("{fields}&limit={limit}&start={id}"),
            Self::From(id) => format!("{fields}&id__gte={id}&limit={limit}&ordering=id"),
            Self::Within(Window { from, to }) => {
                format!("{fields}&id__gte={from}&id__lte={to}&limit={limit}&ordering=id")
            }
            Self::Count(Window { from, to }) => format!("{fields}&id__gte={from}&id__lte={to}&limit=1&ordering=id"),
        }
    }
}

impl Follower {
    /// Begins with the newest rows, newest first. `recent` tells whether a row is younger than any transaction: below the
    /// newest such rows others may still appear, and if all of them are, in what lies `below`.
    pub fn begin(newest: &[Row], below: Below, patience: Duration, now: Moment, recent: impl Fn(&Row) -> bool) -> Self {
        let mut gaps = Gaps::new(now);
        if let Below::Unsettled(window, there) = below {
            gaps.open_among(window, there, now);
        }
        let young: Vec<&Row> = newest.iter().take_while(|row| recent(row)).collect();
        let settled = newest.get(young.len());
        let mut ids: Vec<u64> = young.iter().copied().chain(settled).map(|row| row.id).collect();
        ids.sort_unstable();
        for pair in ids.windows(2) {
            if let [low, high] = pair
                && let Some(window) = Window::between(*low, *high)
            {
                gaps.open(window, now);
            }
        }
        Self { head: newest.iter().max_by_key(|row| row.id).cloned(), gaps, patience }
    }

    /// Where to go on.
    pub fn next(&self) -> Question {
        Question::From(self.head.as_ref().map_or(0, |head| head.id))
    }

    /// Takes the answer to [`next`](Self::next), or to what this returned, in; returns the new rows, and what to ask then if
    /// there are more.
    ///
    /// # Errors
    /// [`Jumped`].
    pub fn take(&mut self, asked: &Question, page: Page, now: Moment) -> Result<(Vec<Row>, Option<Question>), Jumped> {
        let mut rows = page.rows.into_iter();
        if let Some(head) = &self.head
            && *asked == Question::From(head.id)
            && rows.next().as_ref() != Some(head)
        {
            return Err(Jumped);
        }
        let new: Vec<Row> = rows.collect();
        for row in &new {
            let head = self.head.as_ref().map_or(0, |head| head.id);
            if self.head.is_some() && row.id <= head {
                return Err(Jumped);
            }
            if let Some(window) = Window::between(head, row.id) {
                self.gaps.open(window, now);
            }
            self.head = Some(row.clone());
        }
        let beyond = self.head.as_ref().filter(|_| page.more).and_then(|head| head.id.checked_add(1));
        Ok((new, beyond.map(Question::From)))
    }

    /// Where to look again in a round that begins now.
    pub fn again(&self, now: Moment) -> impl Iterator<Item = Question> + use<> {
        // What nothing has been seen of is as soon read as counted.
        let question = |window| match self.gaps.there(window) {
            0 => Question::Within(window),
            _ => Question::Count(window),
        };
        self.gaps.windows(now).into_iter().map(question).collect::<Vec<_>>().into_iter()
    }

    /// Takes the answer to a question of [`again`](Self::again), or to what this returned, in; returns the rows that may have been
    /// missing, and what to ask then if there are more.
    pub fn take_again(&mut self, asked: &Question, page: Page) -> (Vec<Row>, Option<Question>) {
        match asked {
            Question::Count(window) => {
                let appeared = page.count != Some(self.gaps.there(*window));
                if appeared {
                    self.gaps.read_anew(*window);
                }
                (Vec::new(), appeared.then_some(Question::Within(*window)))
            }
            Question::Within(window) => {
                let last = page.rows.last().map(|row| row.id).filter(|last| page.more && *last >= window.from);
                let more = last.and_then(|last| Window::between(last, window.to.saturating_add(1)));
                let found = page.rows.into_iter().filter(|row| self.gaps.fill(row.id)).collect();
                (found, more.map(Question::Within))
            }
            Question::Newest | Question::UpTo(_) | Question::From(_) => (Vec::new(), None),
        }
    }

    /// Ends a round that began at `began`; returns up to when changes are known. Gives up what has been missing for too long.
    pub fn end_round(&mut self, began: Moment, now: Moment) -> Moment {
        let known = self.gaps.looked_at(began);
        self.gaps.end_round(began, now, self.patience);
        known
    }

    /// The ids that may still appear.
    pub fn gaps(&self) -> &Gaps {
        &self.gaps
    }
}

impl Row {
    /// What has changed by it.
    pub fn changed(&self) -> Changed {
        self.changed_object_type.as_deref().map_or(Changed::Unknown, Changed::of_model)
    }
}

#[cfg(test)]
mod tests;
