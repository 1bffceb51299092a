//! What must hold of settings, whoever typed them: a test's generators or a fuzzer.

use nbproxy::settings::Settings;

/// A secret that occurs in nothing else.
const SECRET: &str = "sec8gb1ret";

/// Where somebody may have put it, rightly or not; `$` stands for it.
pub(crate) const PLACES: [&str; 29] = [
    "[upstream]\ntoken = \"$\"",
    "[upstream]\ntoken = $",
    "[upstream]\ntoken = \"$",
    "[upstream]\ntoken = [\"$\"]",
    "[upstream]\ntoken = { value = \"$\" }",
    "[upstream]\ntoken = \"a $ with spaces\"",
    "[upstream]\ntoken = \"\"\"\n$\n\"\"\"",
    "upstream.token = '$'",
    "upstream.tokens = [\"$\"]",
    "upstream.tokens = \"$\"",
    "upstream.tokens = [{ name = \"a\", token = \"$\" }]",
    "upstream.tokens = [{ name = \"a\", token = [\"$\"] }]",
    "[[upstream.tokens]]\nname = \"a\"\ntoken = \"$\"\ntoken_file = \"/nowhere\"",
    "[[upstream.tokens]]\ntoken = \"$ $\"",
    "[[upstream.tokens]]\nname = \"a\"\nsecret = \"$\"",
    "upstream.url = \"https://user:$@netbox.example\"",
    "upstream.url = \"https://$@netbox.example\"",
    "upstream.url = \"https://user:$@\"",
    "upstream.ui_url = \"https://user:$@netbox.example\"",
    "server.public_url = \"https://user:$@netbox.example\"",
    "admin.token = \"$\"",
    "admin.token = \"$\\n$\"",
    "invalidation.webhook_secret = \"$\"",
    "[[clients]]\nname = \"a\"\nkey_hash = \"$\"",
    "[[clients]]\nname = \"a\"\nkey_hash = \"blake3:$\"",
    "[[clients]]\nname = \"a\"\nkey = \"$\"",
    "[[clients]]\nname = \"a\"\nkey_hash = [\"$\"]\ntoken = \"$\"",
    "[[clients]]\nname = \"a\"\nupstream_token = \"$\"",
    "clients = [{ name = \"a\", key_hash = \"$\" }, \"x\"]",
];

/// Text is understood or refused, with every fault told; a secret in it is told in no case.
///
/// # Panics
/// If that is not so.
pub(crate) fn settings(text: &str, place: usize) {
    let secret = PLACES[place % PLACES.len()].replace('$', SECRET);
    for text in [text.to_owned(), format!("{secret}\n{text}"), format!("{text}\n{secret}\n")] {
        let told = told(&text);
        assert!(!told.contains(SECRET), "{text:?} tells its secret: {told}");
    }
}

/// All that is ever printed of settings.
fn told(text: &str) -> String {
    match Settings::from_toml(text) {
        Ok(settings) => format!("{settings:?} {}", settings.shown.join("\n")),
        Err(problems) => {
            assert!(!problems.0.is_empty(), "{text:?} is refused for nothing");
            format!("{problems:?} {problems}")
        }
    }
}
