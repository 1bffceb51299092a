//! How many connections there are, from where, and which of them makes room for another.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::Notify;

use super::activity::{Activity, Order};
use crate::proxy::rate::Counted;

/// How long to wait before another connection is asked to make room: the one asked may just have got something to do.
const AGAIN: Duration = Duration::from_millis(50);

/// What a listener has room for.
#[derive(Debug, Clone)]
pub(super) struct Room {
    /// Connections at once.
    pub(super) connections: usize,
    /// From one address; of IPv6, from a /64, which is what one host has.
    pub(super) per_address: usize,
    /// Whose connections are not counted by address: many clients come through them.
    pub(super) exempt: Vec<IpNet>,
}

/// The connections of a listener.
#[derive(Debug)]
pub(super) struct Places {
    room: Room,
    order: Order,
    open: Mutex<Open>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    connections: HashMap<u64, Arc<Activity>>,
    addresses: HashMap<Counted, usize>,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// This address has all that it may have.
    Address,
    /// All are taken.
    All,
}

/// A connection's place, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    number: u64,
    address: Option<Counted>,
    activity: Arc<Activity>,
}

impl Places {
    pub(super) fn new(room: Room) -> Arc<Self> {
        Arc::new(Self { room, order: Order::default(), open: Mutex::default(), freed: Notify::new() })
    }

    /// A place for a connection from this address.
    ///
    /// # Errors
    /// [`Full`].
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Result<Place, Full> {
        let exempt = self.room.exempt.iter().any(|network| network.contains(&address));
        let address = (!exempt).then(|| Counted::address(address));
        let mut open = self.open();
        if let Some(address) = &address
            && open.addresses.get(address).is_some_and(|held| *held >= self.room.per_address)
        {
            return Err(Full::Address);
        }
        if open.connections.len() >= self.room.connections {
            return Err(Full::All);
        }
        if let Some(address) = &address {
            *open.addresses.entry(address.clone()).or_default() += 1;
        }
        let (number, activity) = (open.next, Activity::new(self.order.clone()));
        open.next += 1;
        open.connections.insert(number, Arc::clone(&activity));
        drop(open);
        Ok(Place { places: Arc::clone(self), number, address, activity })
    }

    /// Asks the connection that has idled longest to leave, and waits for a place to become free, or for a while.
    pub(super) async fn make_room(&self) {
        let idlest = {
            let open = self.open();
            let idle = open.connections.values().filter_map(|activity| Some((activity.idle_since()?, activity)));
            idle.min_by_key(|(since, _)| *since).map(|(_, activity)| Arc::clone(activity))
        };
        if let Some(idlest) = idlest {
            idlest.ask_to_leave();
        }
        // Passing the time is the other way to try again.
        let _freed = tokio::time::timeout(AGAIN, self.freed.notified()).await;
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// What the connection in this place is doing.
    pub(super) fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.places.open();
        open.connections.remove(&self.number);
        if let Some(address) = &self.address
            && let Some(held) = open.addresses.get_mut(address)
        {
            *held -= 1;
            if *held == 0 {
                open.addresses.remove(address);
            }
        }
        drop(open);
        self.places.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    fn places(connections: usize, per_address: usize) -> Arc<Places> {
        let exempt = vec!["10.0.0.0/8".parse().unwrap()];
        Places::new(Room { connections, per_address, exempt })
    }

    #[test]
    fn an_address_has_its_share() {
        let places = places(10, 2);
        let (here, proxy) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([10, 1, 1, 1]));
        let first = places.take(here).unwrap();
        let _second = places.take(here).unwrap();
        assert_eq!(places.take(here).unwrap_err(), Full::Address);
        assert!(places.take(Ipv4Addr::new(127, 0, 0, 2).into()).is_ok());
        drop(first);
        assert!(places.take(here).is_ok(), "what is given back can be had again");
        let v6 = |last: u16| IpAddr::from(Ipv6Addr::new(0xfd00, 0, 0, 1, 0, 0, 0, last));
        let _held = [places.take(v6(1)).unwrap(), places.take(v6(2)).unwrap()];
        assert_eq!(places.take(v6(3)).unwrap_err(), Full::Address, "one host has a whole /64");
        let _many: Vec<_> = (0..7).map(|_| places.take(proxy).unwrap()).collect();
        assert_eq!(places.take(proxy).unwrap_err(), Full::All);
    }
}
