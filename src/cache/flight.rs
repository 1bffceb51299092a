//! One fetch for all who ask at the same time, unless something changed in between.
//!
//! A flight is boarded by key *and* witness: who asks after a change never joins a fetch that began before it. The
//! fetch runs in a task of its own, so the first asker may leave without harm to the rest; a task that dies wakes
//! everybody who waits for it.
//!
//! A flight may show what it brings before it lands: whoever is aboard, or boards until it lands, may look at that at once.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use tokio::sync::watch;

use super::epochs::Witness;
use super::key::Key;
use super::sync::Mutex;

/// The fetches under way.
///
/// They bring a `T`, and may show an `S` before that.
#[derive(Debug)]
pub struct Flights<T, S> {
    flying: Flying<T, S>,
}

type Flying<T, S> = Arc<Mutex<HashMap<Key, Flight<T, S>>>>;

#[derive(Debug, Clone)]
struct Flight<T, S> {
    id: Arc<()>,
    witness: Witness,
    /// Whether its question has been sent.
    departed: bool,
    landing: watch::Receiver<State<T, S>>,
}

#[derive(Debug, Clone)]
enum State<T, S> {
    Flying,
    Shown(S),
    Landed(T),
}

/// How one gets aboard.
#[derive(Debug)]
pub enum Boarding<T, S> {
    /// Nobody fetches this yet: the caller must, and land the seat. It may wait with the rest.
    Lead(Seat<T, S>, Passenger<T, S>),
    /// Somebody does.
    Join(Passenger<T, S>),
}

/// The duty to land a flight. Dropped without landing, it tells all passengers that the flight is lost.
#[derive(Debug)]
pub struct Seat<T, S> {
    flying: Flying<T, S>,
    key: Key,
    id: Arc<()>,
    witness: Witness,
    landing: watch::Sender<State<T, S>>,
}

/// Waits for a flight.
#[derive(Debug)]
pub struct Passenger<T, S> {
    landing: watch::Receiver<State<T, S>>,
}

/// What a passenger sees first.
#[derive(Debug)]
pub enum Sight<T, S> {
    /// What is shown before the landing.
    Shown(S),
    /// What was brought.
    Landed(T),
}

/// The flight ended without a result: its task was stopped or panicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost;

impl<T: Clone, S: Clone> Flights<T, S> {
    /// No flights.
    pub fn new() -> Self {
        Self { flying: Arc::default() }
    }

    /// Joins the flight for this key if it left under the same witness, else leads a new one, which later askers
    /// will find in its place.
    pub fn board(&self, key: Key, witness: Witness) -> Boarding<T, S> {
        let mut flying = self.flying.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flying.get(&key)
            && flight.witness.covers(&witness)
            // While a change is under way it may come between a question already sent and one that is asked now.
            && (flight.witness.is_settled_with(&witness) || !flight.departed)
        {
            return Boarding::Join(Passenger { landing: flight.landing.clone() });
        }
        self.lead(&mut flying, key, witness)
    }

    /// Leads a new flight whatever is under way: for who must not be given an answer fetched before it asked.
    pub fn board_alone(&self, key: Key, witness: Witness) -> Boarding<T, S> {
        let mut flying = self.flying.lock().unwrap_or_else(PoisonError::into_inner);
        self.lead(&mut flying, key, witness)
    }

    /// Who asks from now on joins none of those under way; their passengers are brought where they wanted to go.
    pub fn forget(&self) {
        self.flying.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn lead(&self, flying: &mut HashMap<Key, Flight<T, S>>, key: Key, witness: Witness) -> Boarding<T, S> {
        let (sender, landing) = watch::channel(State::Flying);
        let id = Arc::new(());
        flying.insert(
            key,
            Flight { id: Arc::clone(&id), witness: witness.clone(), departed: false, landing: landing.clone() },
        );
        let seat = Seat { flying: Arc::clone(&self.flying), key, id, witness, landing: sender };
        Boarding::Lead(seat, Passenger { landing })
    }

    /// How many fetches are under way.
    pub fn len(&self) -> usize {
        self.flying.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether none is under way.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T: Clone, S: Clone> Default for Flights<T, S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, S> Seat<T, S> {
    /// Under which witness the flight left.
    pub fn witness(&self) -> &Witness {
        &self.witness
    }

    /// The question is about to be sent: from here on nobody joins while a change is under way.
    pub fn depart(&self) {
        let mut flying = self.flying.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flying.get_mut(&self.key).filter(|flight| Arc::ptr_eq(&flight.id, &self.id)) {
            flight.departed = true;
        }
    }

    /// Shows everybody aboard, and who boards until the landing, what is being brought.
    pub fn show(&self, sight: S) {
        self.landing.send_replace(State::Shown(sight));
    }

    /// Hands the result to everybody aboard; who asks from now on finds no flight.
    pub fn land(self, result: T) {
        self.leave();
        self.landing.send_replace(State::Landed(result));
    }

    fn leave(&self) {
        let mut flying = self.flying.lock().unwrap_or_else(PoisonError::into_inner);
        if flying.get(&self.key).is_some_and(|flight| Arc::ptr_eq(&flight.id, &self.id)) {
            flying.remove(&self.key);
        }
    }
}

impl<T, S> Drop for Seat<T, S> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl<T: Clone, S: Clone> Passenger<T, S> {
    /// Waits for the landing.
    ///
    /// # Errors
    /// [`Lost`] when the flight's task ended without one.
    pub async fn landing(mut self) -> Result<T, Lost> {
        let state = self.landing.wait_for(|state| matches!(state, State::Landed(_))).await.map_err(|_| Lost)?;
        match &*state {
            State::Landed(result) => Ok(result.clone()),
            State::Flying | State::Shown(_) => Err(Lost),
        }
    }

    /// Waits for the landing, or for what is shown before.
    ///
    /// # Errors
    /// [`Lost`] when the flight's task ended without either.
    pub async fn sight(&self) -> Result<Sight<T, S>, Lost> {
        let mut landing = self.landing.clone();
        let state = landing.wait_for(|state| !matches!(state, State::Flying)).await.map_err(|_| Lost)?;
        match &*state {
            State::Shown(sight) => Ok(Sight::Shown(sight.clone())),
            State::Landed(result) => Ok(Sight::Landed(result.clone())),
            State::Flying => Err(Lost),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::canonical::{Accept, Canonical, Verb};
    use crate::cache::clock::Clock;
    use crate::cache::epochs::{Epochs, Scope};
    use crate::cache::key::{Identity, View};
    use crate::netbox::branch::Branch;
    use crate::netbox::object::ApiPath;
    use crate::netbox::query::Query;
    use crate::netbox::token::Fingerprint;

    fn key() -> Key {
        let view = View { identity: Identity::Entrusted(Fingerprint::anonymous()), branch: Branch::Main };
        let path = ApiPath::parse("/api/dcim/sites/", "").unwrap();
        Canonical::new(view, Verb::Get, &path, &Query::default(), Accept::Json, None).key()
    }

    #[tokio::test]
    async fn who_asks_after_a_change_does_not_join() {
        let (epochs, pen) = Epochs::new(Clock::start());
        let flights = Flights::<u8, ()>::new();
        let Boarding::Lead(old, old_passenger) = flights.board(key(), epochs.witness(Branch::Main)) else {
            panic!("first")
        };
        let Boarding::Join(joined) = flights.board(key(), epochs.witness(Branch::Main)) else { panic!("second") };
        pen.bump(Scope::Branch(Branch::Main));
        let Boarding::Lead(new, _) = flights.board(key(), epochs.witness(Branch::Main)) else {
            panic!("joined an old flight")
        };
        old.land(1);
        assert_eq!(old_passenger.landing().await, Ok(1));
        assert_eq!(joined.landing().await, Ok(1));
        let Boarding::Join(late) = flights.board(key(), epochs.witness(Branch::Main)) else {
            panic!("the old one took the new one away")
        };
        new.land(2);
        assert_eq!(late.landing().await, Ok(2));
        assert!(flights.is_empty());
    }

    #[tokio::test]
    async fn while_a_change_is_under_way_only_what_is_still_to_be_sent_is_joined() {
        let (epochs, pen) = Epochs::new(Clock::start());
        let flights = Flights::<u8, ()>::new();
        let _doubt = pen.open_doubt(Scope::Branch(Branch::Main));
        let board = || flights.board(key(), epochs.witness(Branch::Main));
        let Boarding::Lead(first, _) = board() else { panic!("first") };
        assert!(matches!(board(), Boarding::Join(_)), "it has not been sent");
        first.depart();
        let Boarding::Lead(second, _) = board() else { panic!("joined what may be older than the change") };
        first.depart();
        assert!(matches!(board(), Boarding::Join(_)), "the second has not departed, whatever the first says");
        drop(second);
    }

    #[tokio::test]
    async fn a_forgotten_flight_is_joined_by_nobody_and_lands() {
        let (epochs, _pen) = Epochs::new(Clock::start());
        let flights = Flights::<u8, ()>::new();
        let board = || flights.board(key(), epochs.witness(Branch::Main));
        let Boarding::Lead(old, passenger) = board() else { panic!("lead") };
        flights.forget();
        let Boarding::Lead(new, _) = board() else { panic!("joined a forgotten flight") };
        old.depart();
        old.land(1);
        assert_eq!(passenger.landing().await, Ok(1));
        let Boarding::Join(joined) = board() else { panic!("the old one took the new one away") };
        new.land(2);
        assert_eq!(joined.landing().await, Ok(2));
    }

    #[tokio::test]
    async fn a_lost_flight_wakes_its_passengers() {
        let (epochs, _pen) = Epochs::new(Clock::start());
        let flights = Flights::<u8, ()>::new();
        let Boarding::Lead(seat, passenger) = flights.board(key(), epochs.witness(Branch::Main)) else {
            panic!("lead")
        };
        drop(seat);
        assert_eq!(passenger.landing().await, Err(Lost));
        assert!(flights.is_empty());
    }

    #[tokio::test]
    async fn what_is_shown_before_the_landing_is_seen_by_who_boards_until_then() {
        let (epochs, _pen) = Epochs::new(Clock::start());
        let flights = Flights::<u8, &str>::new();
        let board = || flights.board(key(), epochs.witness(Branch::Main));
        let Boarding::Lead(seat, leader) = board() else { panic!("lead") };
        let Boarding::Join(patient) = board() else { panic!("join") };
        seat.show("shown");
        let Boarding::Join(late) = board() else { panic!("it has not landed") };
        for passenger in [leader, late] {
            assert!(matches!(passenger.sight().await, Ok(Sight::Shown("shown"))));
        }
        seat.land(1);
        assert_eq!(patient.landing().await, Ok(1));
        assert!(matches!(board(), Boarding::Lead(..)));
    }
}
