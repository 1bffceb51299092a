//! The writes that nbproxy made itself: what they changed was told of when they were answered.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use crate::cache::epochs::Scope;
use crate::netbox::branch::Branch;

/// Writes that are remembered: more than are made between two looks at the changelog.
const MOST: usize = 10_000;

/// The ids (`X-Request-ID`, the changelog's `request_id`) of writes that have been answered, and what was told of each.
#[derive(Debug, Default)]
pub struct OwnWrites(Mutex<Writes>);

#[derive(Debug, Default)]
struct Writes {
    told: HashMap<Box<str>, Box<[Scope]>>,
    order: VecDeque<Box<str>>,
}

impl OwnWrites {
    /// This write was answered, and these scopes have been outdated by it.
    pub fn answered(&self, id: &str, scopes: impl IntoIterator<Item = Scope>) {
        let scopes = scopes.into_iter().collect();
        let mut writes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if writes.told.insert(id.into(), scopes).is_none() {
            writes.order.push_back(id.into());
        }
        if writes.order.len() > MOST
            && let Some(oldest) = writes.order.pop_front()
        {
            writes.told.remove(&oldest);
        }
    }

    /// Whether it was one of those, and this scope of main's was outdated by it.
    pub fn told(&self, id: &str, scope: Scope) -> bool {
        let writes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let covers = |told: &Scope| *told == scope || matches!(told, Scope::Everything | Scope::Branch(Branch::Main));
        writes.told.get(id).is_some_and(|told| told.iter().any(covers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netbox::object_type::ObjectType;

    #[test]
    fn a_write_covers_what_it_has_outdated() {
        let own = OwnWrites::default();
        let of = |endpoint: &str| Scope::Type(ObjectType::of_endpoint(endpoint).unwrap());
        own.answered("a", [of("ipam/services"), of("dcim/devices")]);
        own.answered("b", [Scope::Branch(Branch::Main)]);
        assert!(own.told("a", of("dcim/devices")) && own.told("b", of("dcim/devices")));
        assert!(!own.told("a", of("dcim/interfaces")), "what was deleted along with it has not been told of");
        assert!(!own.told("a", Scope::Branch(Branch::Main)) && !own.told("c", of("dcim/devices")));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let (own, scope) = (OwnWrites::default(), Scope::Everything);
        (0..=MOST).for_each(|n| own.answered(&n.to_string(), [scope]));
        assert!(!own.told("0", scope) && own.told("1", scope) && own.told(&MOST.to_string(), scope));
    }
}
