//! How a list goes on after one of its pages. Worked out once, when the page is put in memory: a hit reads no JSON.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::canonical::Canonical;
use super::key::Key;
use crate::netbox::query::Query;

/// What is known of a page that others follow, or that was fetched ahead of its asker.
#[derive(Debug)]
pub struct Paging {
    continues: bool,
    next: Option<Arc<Next>>,
    /// Fetched before anybody asked for it, and not asked for since.
    ahead: AtomicBool,
}

/// The page after one.
#[derive(Debug, PartialEq, Eq)]
pub struct Next {
    /// As NetBox's link names it.
    link: Page,
    /// As a client names it that reckons where it begins instead of following the link, where that differs.
    reckoned: Option<Page>,
    /// Rows of the whole list; unknown where it is paged by cursor.
    rows: Option<u64>,
}

/// One page's question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What its answer is found by.
    pub key: Key,
    /// Its query, canonical.
    pub query: Box<str>,
}

impl Paging {
    /// Of a page that others follow or not, and which of them is next, if that was understood; `ahead` if it was fetched
    /// before anybody asked for it.
    pub fn new(continues: bool, next: Option<Next>, ahead: bool) -> Self {
        Self { continues, next: next.map(Arc::new), ahead: AtomicBool::new(ahead) }
    }

    /// Whether the list goes on.
    pub fn continues(&self) -> bool {
        self.continues
    }

    /// The page after this one.
    pub fn next(&self) -> Option<&Arc<Next>> {
        self.next.as_ref()
    }

    /// It is asked for; whether it was fetched ahead, and this is the first time.
    pub fn asked(&self) -> bool {
        self.ahead.load(Ordering::Relaxed) && self.ahead.swap(false, Ordering::Relaxed)
    }

    /// Bytes that it takes.
    pub(super) fn weight(&self) -> usize {
        let page = |page: &Page| page.query.len();
        let next =
            |next: &Arc<Next>| size_of::<Next>() + 16 + page(&next.link) + next.reckoned.as_ref().map_or(0, page);
        size_of::<Self>() + self.next.as_ref().map_or(0, next)
    }
}

impl Next {
    /// The page that NetBox's link names by this query, of a list of so many rows. Whoever reckons asks for a page that
    /// begins there with this limit.
    pub fn new(list: &Canonical, link: &Query, rows: Option<u64>, reckoned: Option<u64>) -> Self {
        let reckoned = reckoned.map(|limit| Page::of(list, &link.clone().with("limit", &limit.to_string())));
        Self { link: Page::of(list, link), reckoned, rows }
    }

    /// As NetBox's link names it.
    pub fn link(&self) -> &Page {
        &self.link
    }

    /// As a client names it that reckons.
    pub fn reckoned(&self) -> &Page {
        self.reckoned.as_ref().unwrap_or(&self.link)
    }

    /// The page after that, as its link will name it: known before it has been fetched where pages are counted off.
    pub fn next(&self, list: &Canonical) -> Option<Self> {
        let query = Query::parse(&self.link.query);
        let (limit, offset) = (number(&query, "limit")?, number(&query, "offset")?);
        let offset =
            offset.checked_add(limit).filter(|offset| limit > 0 && self.rows.is_some_and(|rows| *offset < rows))?;
        Some(Self::new(list, &query.with("offset", &offset.to_string()), self.rows, None))
    }
}

impl Page {
    fn of(list: &Canonical, query: &Query) -> Self {
        Self { key: list.with_query(query).key(), query: query.encode().into() }
    }
}

/// The one number that a key has for its value.
fn number(query: &Query, key: &str) -> Option<u64> {
    let mut values = query.values(key);
    let value = values.next().filter(|_| values.next().is_none())?;
    std::str::from_utf8(value).ok()?.parse().ok()
}
