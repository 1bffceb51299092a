//! One remembered answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use http::header::VARY;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::clock::Moment;
use super::coding::{Accepted, Coding, SMALLEST};
use super::epochs::Witness;
use super::freshness::Lifetime;
use super::public::PublicBase;
use super::selector::About;
use super::tag::Validator;

mod form;

pub use form::{Form, Making, Selected};

/// Bytes that an entry is counted with besides its headers and forms: its own and what moka keeps of it.
const ENTRY: usize = 768;

/// Bytes that a header is counted with besides its text: its place in the map.
const HEADER: usize = 104;

/// Headers that each reply adds to those of the entry: with room for them the map need not be made anew for each.
const PER_REPLY: usize = 5;

/// Forms kept of one entry; that of one more name takes the place of the last.
const MOST_FORMS: usize = 4;

/// An answer of NetBox, complete and immutable.
#[derive(Clone, Debug)]
pub struct Entry {
    core: Arc<Core>,
    validator: Validator,
    /// Whether it is worth a copy in a coding.
    coded: bool,
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

impl Entry {
    /// An entry with its first form.
    pub fn new(mut core: Core, form: Form) -> Self {
        core.headers = of_its_own(&core.headers);
        let ok = core.status == StatusCode::OK;
        let validator = if ok { Validator::of(&core.headers, form.digest()) } else { Validator::None };
        let coded = ok && form.body().len() >= SMALLEST;
        if coded {
            vary(&mut core.headers);
        }
        Self { forms: vec![form.tagged(&validator)], core: Arc::new(core), validator, coded }
    }

    /// The same, in place of that other answer to the same request.
    #[must_use]
    pub fn after(mut self, before: &Self) -> Self {
        self.validator = self.validator.after(&before.validator);
        self
    }

    /// What all forms have in common.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// What tells whether a client has it already.
    pub fn validator(&self) -> &Validator {
        &self.validator
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
        form.tagged(&self.validator)
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

    /// Leave to make a copy of the form for `base`, and what is to be copied; unless somebody is at it.
    pub fn begin_copy(&self, base: &PublicBase) -> Option<(Making, Bytes)> {
        let form = self.form(base)?;
        Some((form.begin()?, form.body().clone()))
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
        let headers: usize =
            self.core.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + HEADER).sum();
        let forms: usize = self.forms.iter().map(Form::weight).sum();
        ENTRY + self.core.about.weight() + self.core.witness.weight() + headers + forms
    }

    fn form(&self, base: &PublicBase) -> Option<&Form> {
        self.forms.iter().find(|form| form.is_for(base))
    }
}

/// The same headers in memory of their own: as they come, each of them holds the whole buffer that its connection was
/// read into, which is many times as large and counted nowhere.
fn of_its_own(headers: &HeaderMap) -> HeaderMap {
    let all: Bytes = headers.values().flat_map(HeaderValue::as_bytes).copied().collect();
    let (mut own, mut from) = (HeaderMap::with_capacity(headers.len() + PER_REPLY), 0);
    for (name, value) in headers {
        let to = from + value.len();
        let copy = HeaderValue::from_maybe_shared(all.slice(from..to));
        own.append(name, copy.unwrap_or_else(|_| value.clone()));
        from = to;
    }
    own
}

/// Says that the body may come in a coding, whether this one does or not (RFC 9110, section 12.5.5).
fn vary(headers: &mut HeaderMap) {
    let theirs = headers.get_all(VARY).iter().filter_map(|value| value.to_str().ok());
    let all: Vec<&str> = theirs.chain(["Accept-Encoding"]).collect();
    if let Ok(value) = HeaderValue::try_from(all.join(", ")) {
        headers.insert(VARY, value);
    }
}
