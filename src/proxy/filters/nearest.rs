//! What was probably meant by a name that nobody knows.

use strsim::osa_distance;

/// The longest name that is compared, in bytes; NetBox's own are half as long.
const LONGEST: usize = 96;

/// The candidate that is reached by the fewest slips of the keyboard (a letter too many, too few, another one, two
/// changed about), if there is one within a slip for every three letters, and three in all.
pub(super) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST {
        return None;
    }
    let length = name.chars().count();
    let most = (length / 3).min(3);
    let close = |candidate: &'a str| {
        let far = candidate.chars().count().abs_diff(length) > most;
        let slips = if far { usize::MAX } else { osa_distance(name, candidate) };
        (slips <= most).then_some((slips, candidate))
    };
    candidates.filter_map(close).min().map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KNOWN: [&str; 9] = ["id", "name", "name__ic", "q", "role", "site", "site_id", "status", "virtual_chassis_id"];

    fn near(name: &str) -> Option<&'static str> {
        nearest(name, KNOWN.into_iter())
    }

    #[test]
    fn slips_are_seen_through_and_nonsense_suggests_nothing() {
        for (name, meant) in [
            ("nmae", "name"),
            ("sites", "site"),
            ("siteid", "site_id"),
            ("Status", "status"),
            ("statsu", "status"),
            ("name__ci", "name__ic"),
            ("virtual-chassis-id", "virtual_chassis_id"),
        ] {
            assert_eq!(near(name), Some(meant), "{name}");
        }
        for name in [
            "",
            "x",
            "di",
            "no_such_filter",
            "name__icontains",
            "virtual_machine_id",
            "ééé",
            "zzzz",
            &"site".repeat(40),
        ] {
            assert_eq!(near(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn one_letter_too_many_is_always_seen_through(at in 0..6usize, letter in "[a-z]") {
            let mut name = "status".to_owned();
            name.insert_str(at, &letter);
            prop_assert_eq!(near(&name), Some("status"));
        }

        #[test]
        fn what_is_suggested_is_known(name in "[a-z_é]{0,12}") {
            prop_assert!(near(&name).is_none_or(|meant| KNOWN.contains(&meant)));
        }
    }
}
