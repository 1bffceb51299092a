//! One remembered answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::clock::Moment;
use super::epochs::Witness;
use super::freshness::Lifetime;
use super::public::PublicBase;
use super::selector::About;

/// Bytes that an entry is counted with besides its headers and forms: its own and what moka keeps of it.
const ENTRY: usize = 768;

/// Bytes that a header is counted with besides its text: its place in the map.
const HEADER: usize = 104;

/// Bytes that a form is counted with besides its body and links.
const FORM: usize = 384;

/// Forms kept of one entry; that of one more name takes the place of the last.
const MOST_FORMS: usize = 4;

/// An answer of NetBox, complete and immutable.
#[derive(Clone, Debug)]
pub struct Entry {
    core: Arc<Core>,
    forms: Vec<Form>,
}

/// What all forms of an answer have in common.
#[derive(Debug)]
pub struct Core {
    /// The status.
    pub status: StatusCode,
    /// The headers that belong to the answer whoever receives it.
    pub headers: HeaderMap,
    /// When it was fetched.
    pub stored: Moment,
    /// How long it may be served.
    pub lifetime: Lifetime,
    /// What it depends on.
    pub witness: Witness,
    /// Whether it is a page of a list that goes on.
    pub continues: bool,
    /// What it is about.
    pub about: About,
    /// How often it was asked for late in its time.
    pub late: Late,
}

/// Counts requests.
#[derive(Debug, Default)]
pub struct Late(AtomicU32);

impl Late {
    /// One more; whether that makes so many.
    pub fn is_the(&self, count: u32) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed).saturating_add(1) == count
    }

    /// So many, as of now.
    pub fn set(&self, count: u32) {
        self.0.store(count, Ordering::Relaxed);
    }
}

/// The body as clients that use one public base receive it.
#[derive(Clone, Debug)]
pub struct Form {
    base: PublicBase,
    body: Bytes,
    /// Where the base's text stands in the body.
    links: Arc<[u32]>,
}

impl Entry {
    /// An entry with its first form.
    pub fn new(mut core: Core, form: Form) -> Self {
        core.headers = of_its_own(&core.headers);
        Self { core: Arc::new(core), forms: vec![form] }
    }

    /// What all forms have in common.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// The body for clients that use `base`, if it has been made.
    pub fn body(&self, base: &PublicBase) -> Option<Bytes> {
        self.forms.iter().find(|form| form.base == *base).map(|form| form.body.clone())
    }

    /// The body in the form that was made first, whose public base is somebody's.
    pub fn any_body(&self) -> Option<Bytes> {
        self.forms.first().map(|form| form.body.clone())
    }

    /// The same answer with a form for `base`, and that form's body. Made by moving the known links over, not by
    /// reading the body again.
    pub fn with_form(&self, base: &PublicBase) -> (Self, Bytes) {
        let mut entry = self.clone();
        let form = match self.forms.first() {
            Some(first) => first.moved_to(base),
            None => Form::plain(base.clone(), Bytes::new()),
        };
        let body = form.body.clone();
        if entry.forms.len() >= MOST_FORMS {
            entry.forms.pop();
        }
        entry.forms.push(form);
        (entry, body)
    }

    /// Bytes that it is counted with; forms that share their bytes are counted with them each.
    pub fn weight(&self) -> usize {
        let headers: usize =
            self.core.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + HEADER).sum();
        let forms: usize = self.forms.iter().map(|form| form.body.len() + form.links.len() * 4 + FORM).sum();
        ENTRY + self.core.about.weight() + self.core.witness.weight() + headers + forms
    }
}

/// The same headers in memory of their own: as they come, each of them holds the whole buffer that its connection was
/// read into, which is many times as large and counted nowhere.
fn of_its_own(headers: &HeaderMap) -> HeaderMap {
    let all: Bytes = headers.values().flat_map(HeaderValue::as_bytes).copied().collect();
    let (mut own, mut from) = (HeaderMap::with_capacity(headers.len()), 0);
    for (name, value) in headers {
        let to = from + value.len();
        let copy = HeaderValue::from_maybe_shared(all.slice(from..to));
        own.append(name, copy.unwrap_or_else(|_| value.clone()));
        from = to;
    }
    own
}

impl Form {
    /// A body in which `base` stands at `links`.
    pub fn new(base: PublicBase, body: Bytes, links: Vec<u32>) -> Self {
        Self { base, body, links: links.into() }
    }

    /// A body that names no base.
    pub fn plain(base: PublicBase, body: Bytes) -> Self {
        Self::new(base, body, Vec::new())
    }

    fn moved_to(&self, base: &PublicBase) -> Self {
        if self.links.is_empty() {
            return Self { base: base.clone(), ..self.clone() };
        }
        let (old, new) = (self.base.to_string().len(), base.to_string());
        let mut body = BytesMut::with_capacity(self.body.len() + self.links.len() * new.len().saturating_sub(old));
        let mut links = Vec::with_capacity(self.links.len());
        let mut from = 0;
        for &link in self.links.iter() {
            let at = usize::try_from(link).unwrap_or(usize::MAX);
            body.extend_from_slice(self.body.get(from..at).unwrap_or_default());
            links.push(u32::try_from(body.len()).unwrap_or(u32::MAX));
            body.extend_from_slice(new.as_bytes());
            from = at + old;
        }
        body.extend_from_slice(self.body.get(from..).unwrap_or_default());
        Self::new(base.clone(), body.freeze(), links)
    }
}
