//! Settings of any text: understood or refused, never a panic, and no secret told. The same laws that `fuzz/` holds them
//! to.

mod laws;

use proptest::prelude::*;

/// Settings that are understood, to be spoilt.
const GOOD: [&str; 8] = [
    "[upstream]\nurl = \"https://netbox.example\"\n",
    "[server]\nlisten = \"0.0.0.0:1\"\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\nmax_uri = \"1KiB\"\n",
    "[admin]\nlisten = \"127.0.0.1:2\"\ntoken_file = \"\"\n",
    "[cache]\ncapacity = \"1GiB\"\nrules = [{ match = \"dcim/*\", cache = false, ttl = \"5s\" }]\n",
    "[access]\nanonymous = \"read\"\npassthrough = true\nrate_limit = \"50/s\"\ndeny = []\n",
    "[[clients]]\nname = \"b\"\ncertificate = \"CN=b\"\nallow = [\"*\"]\nmax_stale = \"1m\"\n",
    "[log]\nformat = \"json\"\nfilter = \"info,nbproxy::access=off\"\n",
    "[invalidation]\nchangelog_poll = \"0s\"\n",
];

/// Settings of whole sections, some of whose characters are others.
fn spoilt() -> impl Strategy<Value = String> {
    let sections = prop::sample::subsequence(GOOD.to_vec(), 0..=GOOD.len());
    let faults = prop::collection::vec((any::<prop::sample::Index>(), "[ -~\n]{0,3}"), 0..4);
    (sections, faults).prop_map(|(sections, faults)| {
        let mut text: Vec<String> = sections.concat().chars().map(String::from).collect();
        for (place, fault) in faults {
            if !text.is_empty() {
                let place = place.index(text.len());
                text[place] = fault;
            }
        }
        text.concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn spoilt_settings_tell_no_secret(text in spoilt(), place in any::<usize>()) {
        laws::settings(&text, place);
    }

    #[test]
    fn any_text_tells_no_secret(text in any::<String>(), place in any::<usize>()) {
        laws::settings(&text, place);
    }
}

#[test]
fn no_place_tells_its_secret() {
    for good in GOOD {
        for place in 0..laws::PLACES.len() {
            laws::settings(good, place);
            laws::settings(&GOOD.concat(), place);
        }
    }
}
