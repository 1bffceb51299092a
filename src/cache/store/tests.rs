//! The store as it is used: one key, several hands.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::*;
use crate::cache::canonical::{Accept, Canonical, Verb};
use crate::cache::clock::{Clock, Moment};
use crate::cache::entry::{Core, Form, Late};
use crate::cache::epochs::{Epochs, Pen, Scope};
use crate::cache::freshness::Lifetime;
use crate::cache::key::{Identity, View};
use crate::cache::public::PublicBase;
use crate::cache::selector::About;
use crate::netbox::branch::Branch;
use crate::netbox::object::ApiPath;
use crate::netbox::query::Query;
use crate::netbox::token::Fingerprint;

struct Fixture {
    epochs: Arc<Epochs>,
    pen: Pen,
    store: Store,
}

fn path() -> ApiPath {
    ApiPath::parse("/api/dcim/sites/", "").unwrap()
}

fn key(identity: Identity) -> Key {
    let view = View { identity, branch: Branch::Main };
    Canonical::new(view, Verb::Get, &path(), &Query::default(), Accept::Json, None).key()
}

fn shared() -> Key {
    key(Identity::Entrusted(Fingerprint::anonymous()))
}

fn base(name: &'static str) -> PublicBase {
    PublicBase::new(false, name.parse().unwrap())
}

impl Fixture {
    fn new(guests: u64) -> Self {
        let (epochs, pen) = Epochs::new(Clock::standing());
        let longest_use = Duration::from_secs(600);
        let store = Store::new(Config { capacity: 1 << 20, guests, max_entry: 1 << 20, longest_use });
        Self { epochs, pen, store }
    }

    fn entry(&self, fetched: u64, body: impl Into<Bytes>) -> Arc<Entry> {
        let (ttl, none) = (Duration::from_secs(60), Duration::ZERO);
        let lifetime = Lifetime { ttl, unfollowed: ttl, stale_while_revalidate: none, stale_if_error: none };
        let stored = Moment::ZERO.after(Duration::from_secs(fetched));
        let about = About::of(&path(), Branch::Main);
        let witness = self.epochs.witness(Branch::Main);
        let (status, paging) = (StatusCode::OK, None);
        let core = Core { status, stored, lifetime, witness, paging, about, late: Late::default() };
        let form = Form::new(base("nbproxy"), body.into(), Vec::new());
        Arc::new(Entry::new(core, HeaderMap::new(), form, self.store.heads()))
    }

    fn put(&self, key: Key, fetched: u64, body: impl Into<Bytes>) -> Result<(), NotKept> {
        self.store.put(self.store.intake(), key, self.entry(fetched, body))
    }

    fn body(&self, key: Key) -> Option<Bytes> {
        self.store.get(&key).and_then(|entry| entry.body(&base("nbproxy")))
    }
}

#[test]
fn memory_does_not_go_back_in_time() {
    let f = Fixture::new(0);
    let body = || f.body(shared()).unwrap();
    f.put(shared(), 2, "newer").unwrap();
    f.put(shared(), 1, "older, and late").unwrap();
    assert_eq!(body(), "newer");
    f.put(shared(), 3, "newest").unwrap();
    assert_eq!(body(), "newest");
    f.pen.bump(Scope::Everything);
    f.put(shared(), 1, "the first since the change").unwrap();
    assert_eq!(body(), "the first since the change");
}

#[test]
fn a_token_that_is_also_a_visitors_has_two_places() {
    let f = Fixture::new(1 << 19);
    let token = Fingerprint::of(b"the same");
    let (entrusted, own) = (key(Identity::Entrusted(token)), key(Identity::Own(token)));
    f.put(entrusted, 1, "the clients'").unwrap();
    assert_eq!(f.body(own), None);
    f.put(own, 1, "the visitor's").unwrap();
    assert_eq!((f.body(entrusted).unwrap(), f.body(own).unwrap()), ("the clients'".into(), "the visitor's".into()));
    let census = f.store.census();
    assert_eq!((census.common.held.entries, census.guests.held.entries, census.visitors), (1, 1, 1));
    assert_eq!((census.common.capacity, census.guests.capacity), (1 << 19, 1 << 19));
    assert_eq!(census.common.held.plus(census.guests.held), census.endpoints[0].1);
    let held = census.endpoints[0].1;
    assert_eq!(f.store.size(), (held.entries, held.bytes));
}

#[test]
fn what_does_not_fit_takes_the_older_answer_with_it() {
    let f = Fixture::new(12 << 10);
    let own = key(Identity::Own(Fingerprint::of(b"visitor")));
    f.put(own, 1, "small").unwrap();
    assert_eq!(f.put(own, 2, vec![b'x'; 1 << 10]), Err(NotKept::NoRoom));
    assert_eq!(f.body(own), None, "the older one would be a step back");
    f.put(shared(), 2, vec![b'x'; 1 << 10]).unwrap();
    f.put(own, 3, "small").unwrap();
    let known = f.store.get(&own).unwrap();
    f.store.extend(own, &known, |known| Some(known.with_form(known.form_for(&base("another-name")))));
    assert_eq!(f.body(own).unwrap(), "small", "an answer that fits is not lost for a form that does not");
    let nobody = Fixture::new(0);
    assert_eq!(nobody.put(own, 1, "small"), Err(NotKept::NoRoom));
}

#[test]
fn what_was_purged_does_not_come_back() {
    let f = Fixture::new(1 << 19);
    let own = key(Identity::Own(Fingerprint::of(b"visitor")));
    f.put(shared(), 1, "old").unwrap();
    f.put(own, 1, "old").unwrap();
    let (before, known) = (f.store.intake(), f.store.get(&shared()).unwrap());
    assert_eq!(f.store.purge(&Selector::All), 2);
    assert_eq!((f.body(shared()), f.body(own)), (None, None));
    assert_eq!(f.store.put(before, shared(), f.entry(2, "sent before")), Err(NotKept::Changed));
    f.store.extend(shared(), &known, |known| Some(known.with_form(known.form_for(&base("another-name")))));
    assert_eq!(f.body(shared()), None);
    f.put(shared(), 2, "new").unwrap();
    assert_eq!(f.body(shared()).unwrap(), "new");
    assert_eq!(f.store.evictions(), 0, "to be purged is not to make room");
}

/// Others put in and extend all the while. What they put in is of the age that was current when they took leave to.
#[test]
fn after_a_purge_nothing_older_is_found_whoever_else_is_at_it() {
    let f = Fixture::new(0);
    let (age, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let others = || {
        while !over.load(Ordering::SeqCst) {
            let intake = f.store.intake();
            let fetched = age.load(Ordering::SeqCst);
            let _kept = f.store.put(intake, shared(), f.entry(fetched, "body"));
            if let Some(known) = f.store.get(&shared()) {
                f.store.extend(shared(), &known, |known| Some(known.with_form(known.form_for(&base("another-name")))));
            }
        }
    };
    std::thread::scope(|scope| {
        (0..3).for_each(|_| drop(scope.spawn(others)));
        for round in 1..=2_000 {
            age.store(round, Ordering::SeqCst);
            f.store.purge(&Selector::All);
            let found = f.store.get(&shared()).map(|entry| entry.core().stored);
            let since = Moment::ZERO.after(Duration::from_secs(round));
            if found.is_some_and(|stored| stored < since) {
                over.store(true, Ordering::SeqCst);
                panic!("in round {round} something from before the purge was found");
            }
        }
        over.store(true, Ordering::SeqCst);
    });
}

#[test]
fn more_forms_of_an_older_answer_do_not_replace_a_newer_one() {
    let f = Fixture::new(0);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                if let Some(known) = f.store.get(&shared()) {
                    let other = |known: &Entry| Some(known.with_form(known.form_for(&base("another-name"))));
                    f.store.extend(shared(), &known, other);
                }
            }
        });
        let went_back = (1..=20_000).find(|&round| {
            f.put(shared(), round, "body").unwrap();
            let found = f.store.get(&shared()).map(|entry| entry.core().stored);
            found.is_some_and(|stored| stored < Moment::ZERO.after(Duration::from_secs(round)))
        });
        over.store(true, Ordering::SeqCst);
        assert_eq!(went_back, None);
    });
}
