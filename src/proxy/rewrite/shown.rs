//! Which types of objects a body holds: every object that NetBox shows has a `url`, and all of them have been found while
//! they were moved.

use crate::netbox::object_type::{ObjectType, TypeSet};

/// The types of the objects whose URLs' paths begin at these places, below `/api/`; `None` when one is of no known type.
pub(super) fn types<'a>(places: impl Iterator<Item = &'a [u8]>) -> Option<TypeSet> {
    let mut types = TypeSet::EMPTY;
    // Objects of one type come in a row, or in a few.
    let mut last: [&[u8]; 4] = [&[]; 4];
    let mut next = 0;
    for rest in places {
        if last.iter().any(|name| !name.is_empty() && rest.starts_with(name)) {
            continue;
        }
        let name = endpoint(rest)?;
        types.insert(ObjectType::of_endpoint(std::str::from_utf8(name).ok()?.trim_end_matches('/'))?);
        if let Some(place) = last.get_mut(next) {
            *place = name;
        }
        next = (next + 1) % last.len();
    }
    Some(types)
}

/// `dcim/sites/` of `dcim/sites/1/"…`.
fn endpoint(rest: &[u8]) -> Option<&[u8]> {
    let mut slashes = memchr::memchr_iter(b'/', rest);
    let end = slashes.nth(1)?;
    rest.get(..=end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(places: &[&str]) -> Option<Vec<&'static str>> {
        let types = types(places.iter().map(|place| place.as_bytes()))?;
        Some(types.iter().map(ObjectType::endpoint).collect())
    }

    #[test]
    fn types_are_known_by_their_urls() {
        assert_eq!(of(&[]), Some(vec![]));
        let places =
            ["dcim/sites/1/\",", "dcim/sites/?limit=1", "dcim/site-groups/2/", "ipam/vlans/3/", "dcim/sites/4/"];
        assert_eq!(of(&places), Some(vec!["dcim/site-groups", "dcim/sites", "ipam/vlans"]));
        for unknown in ["plugins/x/things/1/", "dcim/unheard-of/1/", "dcim/sites", "status/", "", "dcim/s\u{e4}/"] {
            assert_eq!(of(&["dcim/sites/1/", unknown]), None, "{unknown}");
        }
    }
}
