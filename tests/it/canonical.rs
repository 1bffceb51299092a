//! Targets in canonical form: never two meanings under one key, and what is sent means what was asked. Judged by a second
//! reading of NetBox's, and the same laws that `fuzz/` holds targets to.

mod django;
mod laws;

use proptest::prelude::*;

/// What queries are made of, and what breaks readers of them.
const QUERY: &str = "(([a-c]|limit|offset|q|name|_branch|%5[fF]branch|%6[cC]imit)(=|==|)|&(_|%5[fF])branch=([ab]0000000)?&|&|&&|=|\\+|;|,|%|%[0-9a-fA-F]|%[0-9a-fA-F]{2}|%u00e4|%2[0-9bB]|%[cC]3|%[aA]4|%[eE]2%98|%F0%9F|ä|☃|\u{ff1d}|[ -~]){0,12}";

/// What paths are made of.
const PATH: &str = "(/|api|graphql|dcim|sites|users|tokens|[0-9]{1,3}|%2[fF]|%5[cC]|%2[eE]|\\.|\\.\\.|;|%3[bB]|%00|%0[aAdD]|%[0-9a-fA-F]{2}|%[cC]3%[aA]4|%25|%|%2|ä|☃|\\?|%3[fF]|%23|[ -~]){0,10}/?";

/// The same target in another spelling, or nearly so.
fn respelt(target: &str, choices: &[u8]) -> String {
    let mut out = String::new();
    for (index, character) in target.chars().enumerate() {
        let choice = choices.get(index % choices.len().max(1)).copied().unwrap_or_default();
        let mut buffer = [0; 4];
        let bytes = character.encode_utf8(&mut buffer).bytes();
        match (choice % 16, character) {
            (0, c) if !"/?&=%+".contains(c) => out.extend(bytes.map(|byte| format!("%{byte:02x}"))),
            (1, c) if !"/?&=%+".contains(c) => out.extend(bytes.map(|byte| format!("%{byte:02X}"))),
            (2, '+') => out.push_str("%20"),
            (3, '&') => out.push_str("&&"),
            (4, '=') => out.push_str("%3D"),
            (5, '&') => out.push_str("%26"),
            (6, '+') => out.push_str("%2B"),
            (7, '%') => out.push_str("%25"),
            (8, '&') => out.push_str("=&"),
            (9, '/') => out.push_str("%2f"),
            (10, '?') => out.push_str("?&"),
            (11, c) if c.is_ascii_lowercase() => out.push(c.to_ascii_uppercase()),
            _ => out.push(character),
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn a_query_is_sent_as_what_it_means(raw in QUERY) {
        laws::query(&raw);
        laws::branch(&raw);
    }

    #[test]
    fn a_path_is_decided_on_and_sent_as_what_it_means(raw in PATH, below in prop::bool::ANY, base in prop::sample::select(vec!["", "/nbx", "/a/b"])) {
        let raw = if below { format!("{base}/api/{raw}") } else { raw };
        laws::path(&raw, base);
    }

    #[test]
    fn two_meanings_never_have_one_key(path in PATH, query in QUERY, choices in prop::collection::vec(any::<u8>(), 1..24), other in QUERY) {
        let one = format!("/api/{path}?{query}");
        laws::key(&one, &respelt(&one, &choices));
        laws::key(&one, &format!("/api/{path}?{other}"));
        // The order of different keys means nothing; that of one key's values does.
        let turned: Vec<&str> = query.split('&').rev().collect();
        laws::key(&one, &format!("/api/{path}?{}", turned.join("&")));
    }

    #[test]
    fn any_text_is_read_in_one_way(one in any::<String>(), other in any::<String>()) {
        laws::query(&one);
        laws::branch(&one);
        laws::path(&one, "");
        laws::path(&format!("/api/{one}"), "");
        laws::key(&format!("/api/?{one}"), &format!("/api/?{other}"));
    }
}

/// The laws judge pairs that do have one key, and pairs that nearly do.
#[test]
fn spellings_of_one_target_have_one_key() {
    for (one, other) in [
        ("/api/dcim/sites/?a=1&b=2", "/api/dcim/sites/?b=2&a=1"),
        ("/api/dcim/sites/?a=b+c", "/api/%64cim/sites/?%61=b%20c"),
        ("/api/dcim/sites/?a&&b=ä", "/api/dcim/sites/?b=%c3%A4&a="),
        ("/api/dcim/sites/", "/api/dcim/sites/?"),
        ("/api/dcim/sites/?%ff=1&a=2", "/api/dcim/sites/?a=2&%FF=1"),
    ] {
        assert_eq!(laws::is_one(one, other), Some(true), "{one} {other}");
        laws::key(one, other);
    }
    for (one, other) in [
        ("/api/dcim/sites/?a=1&a=2", "/api/dcim/sites/?a=2&a=1"),
        ("/api/dcim/sites/?a=b+c", "/api/dcim/sites/?a=b%2Bc"),
        // Django takes both keys for one, so that the order of their values counts.
        ("/api/dcim/sites/?%F0%9F=1&%C3=2", "/api/dcim/sites/?%C3=2&%F0%9F=1"),
        ("/api/dcim/sites/?a=%2541", "/api/dcim/sites/?a=A"),
        ("/api/dcim/sites/?a=1&b=2", "/api/dcim/sites/?a=1%26b=2"),
        ("/api/dcim/sites/?a=1;b=2", "/api/dcim/sites/?a=1&b=2"),
        ("/api/dcim/sites/", "/api/dcim/sites"),
        ("/api/dcim/Sites/", "/api/dcim/sites/"),
    ] {
        assert_eq!(laws::is_one(one, other), Some(false), "{one} {other}");
    }
}

/// The second reading, by what Python's `parse_qsl` and `unquote_to_bytes` make of the same.
#[test]
fn the_second_reading_is_djangos() {
    let query = |raw: &str| format!("{:?}", django::query(raw));
    assert_eq!(query("a=1&b=2&a=3"), r#"{"a": ["1", "3"], "b": ["2"]}"#);
    assert_eq!(query("a&&=&b==c"), r#"{"": [""], "a": [""], "b": ["=c"]}"#);
    assert_eq!(query("q=a+b%2Bc;d"), r#"{"q": ["a b+c;d"]}"#);
    assert_eq!(query("q=%zz%4&r=%+41"), r#"{"q": ["%zz%4"], "r": ["% 41"]}"#);
    assert_eq!(query("q=%e2%98ä%ff%41%C3%A4"), "{\"q\": [\"\u{fffd}ä\u{fffd}Aä\"]}");
    let broken = "%C3ä=1&%E2%98☃%F0%9F%98=2&%ed%a0%80=3&%f8%88=4";
    let mut keys: Vec<_> = django::query(broken).into_iter().map(|(key, values)| (values.concat(), key)).collect();
    keys.sort();
    let keys: Vec<_> = keys.into_iter().map(|(_, key)| key).collect();
    assert_eq!(keys, ["\u{fffd}ä", "\u{fffd}☃\u{fffd}", "\u{fffd}\u{fffd}\u{fffd}", "\u{fffd}\u{fffd}"]);
    assert_eq!(django::path("/api/%64cim/s+x/%2541/%zz/%ff/"), "/api/dcim/s+x/%41/%zz/%FF/");
}
