//! One remembered answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use http::header::{ETAG, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::clock::Moment;
use super::coding::{Accepted, Coding, SMALLEST};
use super::epochs::Witness;
use super::freshness::Lifetime;
use super::head::{Head, Heads};
use super::paging::{Next, Paging};
use super::public::PublicBase;
use super::selector::About;
use super::tag::Digest;

mod form;

pub use form::{Form, Selected};

/// Bytes that an entry is counted with besides its headers and forms: its own and what moka keeps of it.
const ENTRY: usize = 768;

/// Forms kept of one entry; that of one more name takes the place of the last.
const MOST_FORMS: usize = 4;

/// An answer of NetBox, complete and immutable.
#[derive(Clone, Debug)]
pub struct Entry {
    core: Arc<Core>,
    head: Arc<Head>,
    /// What its strong tags are made of, where NetBox has given it none.
    digest: Option<Digest>,
    /// Whether it is worth a copy in a coding.
    coded: bool,
    forms: Vec<Form>,
}

/// What all forms of an answer have in common.
#[derive(Debug)]
pub struct Core {
    /// The status.
    pub status: StatusCode,
    /// When it was fetched.
    pub stored: Moment,
    /// How long it may be served.
    pub lifetime: Lifetime,
    /// What it depends on.
    pub witness: Witness,
    /// How its list goes on, if it is a page of one that does.
    pub paging: Option<Arc<Paging>>,
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

impl Core {
    /// Whether it is a page of a list that goes on.
    pub fn continues(&self) -> bool {
        self.paging.as_ref().is_some_and(|paging| paging.continues())
    }

    /// The page after this one.
    pub fn next(&self) -> Option<&Arc<Next>> {
        self.paging.as_ref()?.next()
    }
}

impl Entry {
    /// An entry with its first form; `headers` are those that belong to the answer whoever receives it.
    pub fn new(core: Core, mut headers: HeaderMap, form: Form, heads: &Heads) -> Self {
        let ok = core.status == StatusCode::OK;
        let coded = ok && form.body().len() >= SMALLEST;
        if coded {
            vary(&mut headers);
        }
        let head = heads.keep(&headers);
        let digest = (ok && head.get(&ETAG).is_none()).then(|| form.digest());
        let forms = vec![form.tagged(digest)];
        Self { core: Arc::new(core), head: Arc::new(head), digest, coded, forms }
    }

    /// What all forms have in common.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// Its headers.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The form that was made last: for whoever came last by a new name.
    pub fn last_form(&self) -> Option<&Form> {
        self.forms.last()
    }

    /// The body for clients that use `base`, if it has been made.
    pub fn body(&self, base: &PublicBase) -> Option<Bytes> {
        self.form(base).map(|form| form.body().clone())
    }

    /// What a client is sent that uses `base` and takes these codings, if that form has been made.
    pub fn select(&self, base: &PublicBase, accepted: Accepted) -> Option<Selected> {
        let accepted = if self.coded { accepted } else { Accepted::default() };
        self.form(base).map(|form| form.select(accepted))
    }

    /// The form for `base`. Made by moving the known links over, not by reading the body again.
    pub fn form_for(&self, base: &PublicBase) -> Form {
        let form = match self.forms.first() {
            Some(first) => first.moved_to(base),
            None => Form::plain(base.clone(), Bytes::new()),
        };
        form.tagged(self.digest)
    }

    /// The same answer with one form more.
    #[must_use]
    pub fn with_form(&self, form: Form) -> Self {
        let mut entry = self.clone();
        if entry.forms.len() >= MOST_FORMS {
            entry.forms.pop();
        }
        entry.forms.push(form);
        entry
    }

    /// The same answer with a copy of the form for `base`, or the knowledge that there is no use in one; unless that form has
    /// made room for others.
    pub fn with_copy(&self, base: &PublicBase, coding: Coding, body: Option<Bytes>) -> Option<Self> {
        let mut entry = self.clone();
        let form = entry.forms.iter_mut().find(|form| form.is_for(base))?;
        *form = form.with_copy(coding, body);
        Some(entry)
    }

    /// Whether both are the same answer, in whatever forms.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.core, &other.core)
    }

    /// Bytes that it is counted with; forms that share their bytes are counted with them each.
    pub fn weight(&self) -> usize {
        let forms: usize = self.forms.iter().map(Form::weight).sum();
        let paging = self.core.paging.as_ref().map_or(0, |paging| paging.weight());
        ENTRY + paging + self.core.about.weight() + self.core.witness.weight() + self.head.weight() + forms
    }

    fn form(&self, base: &PublicBase) -> Option<&Form> {
        self.forms.iter().find(|form| form.is_for(base))
    }
}

/// Says that the body may come in a coding, whether this one does or not (RFC 9110, section 12.5.5).
pub fn vary(headers: &mut HeaderMap) {
    let theirs = headers.get_all(VARY).iter().filter_map(|value| value.to_str().ok());
    let all: Vec<&str> = theirs.chain(["Accept-Encoding"]).collect();
    if let Ok(value) = HeaderValue::try_from(all.join(", ")) {
        headers.insert(VARY, value);
    }
}
