//! The core of coherence under thousands of schedules: at each step of any thread another may go on.
//!
//! A number stands for NetBox's data. A write commits it, tells the epochs, and is then acknowledged; whoever begins to read
//! after that must not be shown less, by memory or by a fetch that it shares.
//!
//! `cargo test --features schedules --test schedules`

use std::sync::Arc;

use nbproxy::cache::canonical::{Accept, Canonical, Verb};
use nbproxy::cache::clock::Clock;
use nbproxy::cache::epochs::{Epochs, Pen, Scope, Witness};
use nbproxy::cache::flight::{Boarding, Flights};
use nbproxy::cache::key::{Identity, Key, View};
use nbproxy::netbox::branch::Branch;
use nbproxy::netbox::object::ApiPath;
use nbproxy::netbox::object_type::ObjectType;
use nbproxy::netbox::query::Query;
use nbproxy::netbox::token::Fingerprint;
use shuttle::sync::Mutex;
use shuttle::sync::atomic::{AtomicU64, Ordering};
use shuttle::{future, thread};

const SCHEDULES: usize = 500;
/// Preemptions that a schedule is given; more find nothing that so many do not.
const DEPTH: usize = 4;

/// NetBox, nbproxy's memory, and what has been promised.
struct World {
    netbox: AtomicU64,
    acknowledged: AtomicU64,
    memory: Mutex<Option<(u64, Witness)>>,
    epochs: Arc<Epochs>,
    pen: Pen,
    flights: Flights<u64, ()>,
    key: Key,
    scope: Scope,
    /// Whether entries depend on one type only.
    narrow: bool,
}

impl World {
    fn new(scope: Scope, narrow: bool) -> Arc<Self> {
        let (epochs, pen) = Epochs::new(Clock::standing());
        let view = View { identity: Identity::Entrusted(Fingerprint::anonymous()), branch: Branch::Main };
        let path = ApiPath::parse("/api/dcim/sites/", "").expect("a path");
        let key = Canonical::new(view, Verb::Get, &path, &Query::default(), Accept::Json, None).key();
        let (memory, flights) = (Mutex::new(None), Flights::new());
        let (netbox, acknowledged) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Self { netbox, acknowledged, memory, epochs, pen, flights, key, scope, narrow })
    }

    /// A write: committed, told of, acknowledged.
    fn write(&self, value: u64) {
        self.netbox.fetch_max(value, Ordering::SeqCst);
        self.pen.bump(self.scope);
        self.acknowledged.fetch_max(value, Ordering::SeqCst);
    }

    /// A write whose client is answered before its outcome is known.
    fn write_in_doubt(&self, value: u64) {
        let doubt = self.pen.open_doubt(self.scope);
        self.netbox.fetch_max(value, Ordering::SeqCst);
        self.pen.bump(self.scope);
        drop(doubt);
        self.acknowledged.fetch_max(value, Ordering::SeqCst);
    }

    /// A read: from memory if that holds, by a fetch of one's own or of another's if not.
    fn read(&self) {
        let least = self.acknowledged.load(Ordering::SeqCst);
        let remembered = self.memory.lock().expect("it is whole").clone();
        let seen = match remembered {
            Some((value, witness)) if witness.is_current() => value,
            Some(_) | None => self.fetch(),
        };
        assert!(seen >= least, "saw {seen} after {least} had been acknowledged");
    }

    fn fetch(&self) -> u64 {
        match self.flights.board(self.key, self.epochs.witness(Branch::Main)) {
            Boarding::Join(passenger) => future::block_on(passenger.landing()).expect("it lands"),
            Boarding::Lead(seat, _) => {
                seat.depart();
                let value = self.netbox.load(Ordering::SeqCst);
                let sites = ObjectType::of_endpoint("dcim/sites");
                let witness = seat.witness();
                let witness = if self.narrow { self.epochs.narrowed(witness, sites) } else { witness.clone() };
                if witness.may_be_kept() {
                    *self.memory.lock().expect("it is whole") = Some((value, witness));
                }
                seat.land(value);
                value
            }
        }
    }
}

fn explore(scope: fn() -> Scope, narrow: bool, write: fn(&World, u64)) {
    let run = move || {
        let world = World::new(scope(), narrow);
        let mut threads = Vec::new();
        for value in [1, 2] {
            let world = Arc::clone(&world);
            threads.push(thread::spawn(move || write(&world, value)));
        }
        for _ in 0..2 {
            let world = Arc::clone(&world);
            threads.push(thread::spawn(move || {
                world.read();
                world.read();
            }));
        }
        threads.into_iter().for_each(|thread| thread.join().expect("it ends"));
        world.read();
        assert_eq!(world.acknowledged.load(Ordering::SeqCst), 2);
        assert!(world.flights.is_empty());
    };
    shuttle::check_random(run, SCHEDULES);
    shuttle::check_pct(run, SCHEDULES, DEPTH);
}

fn sites() -> Scope {
    ObjectType::of_endpoint("dcim/sites").map_or(Scope::Everything, Scope::Type)
}

#[test]
fn a_branchs_change_is_never_missed() {
    explore(|| Scope::Branch(Branch::Main), false, World::write);
}

#[test]
fn a_types_change_is_never_missed() {
    explore(sites, false, World::write);
    explore(sites, true, World::write);
}

#[test]
fn a_change_of_everything_is_never_missed() {
    explore(|| Scope::Everything, true, World::write);
}

#[test]
fn a_write_in_doubt_is_never_missed() {
    explore(|| Scope::Branch(Branch::Main), false, World::write_in_doubt);
    explore(sites, true, World::write_in_doubt);
}

/// How long an answer has been outdated is never told too short.
#[test]
fn outdated_is_never_said_to_be_younger() {
    let run = || {
        let clock = Clock::standing();
        let (epochs, pen) = Epochs::new(clock.clone());
        let pen = Arc::new(pen);
        let witness = epochs.witness(Branch::Main);
        let first = clock.now().after(std::time::Duration::from_nanos(1));
        clock.push(std::time::Duration::from_nanos(1));
        pen.bump(Scope::Branch(Branch::Main));
        let teller = {
            let pen = Arc::clone(&pen);
            thread::spawn(move || {
                for _ in 0..20 {
                    clock.push(std::time::Duration::from_nanos(1));
                    pen.bump(Scope::Branch(Branch::Main));
                }
            })
        };
        for _ in 0..5 {
            let since = witness.outdated_since().expect("it is");
            assert!(since <= first, "{since:?} is later than {first:?}");
        }
        teller.join().expect("it ends");
    };
    shuttle::check_random(run, SCHEDULES / 10);
}
