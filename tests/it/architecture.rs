//! The house keeps its floors: a file uses only what lies below it, and stays small.

use std::fs;
use std::path::{Path, PathBuf};

/// What each floor may use, besides itself. `words` are netbox's pure values; `config` the `Config` types of a floor.
const FLOORS: [(&str, &[&str]); 11] = [
    ("netbox", &[]),
    ("telemetry", &[]),
    ("cache", &["words"]),
    ("invalidation", &["cache", "netbox", "telemetry"]),
    ("proxy", &["invalidation", "cache", "netbox", "telemetry"]),
    ("web", &["proxy", "cache", "words", "telemetry"]),
    ("cli", &[]),
    ("settings", &["cli", "config"]),
    ("server", &["settings", "web", "proxy", "invalidation", "cache", "netbox", "telemetry"]),
    ("command", &["cli", "cache", "netbox", "proxy", "server", "settings", "telemetry"]),
    ("main", &["cli", "command"]),
];

const WORDS: [&str; 9] =
    ["object", "object_type", "branch", "token", "version", "query", "pattern", "transport", "outgoing"];

/// What settings resolve to, beside words: types that hold settings and nothing else.
const CONFIG: [&str; 16] = [
    "cache::public",
    "invalidation::changed::Precision",
    "invalidation::webhook::Secret",
    "cache::freshness::Lifetime",
    "cache::policy",
    "cache::store",
    "netbox::gate::Limits",
    "netbox::session",
    "proxy::access",
    "proxy::refresh",
    "proxy::warm",
    "proxy::auth",
    "proxy::rate::Rate",
    "telemetry::logging",
    "web::HeadLimits",
    "cache::{",
];

fn sources() -> Vec<(PathBuf, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("src can be read") {
            let path = entry.expect("src can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read_to_string(&path).expect("sources are text");
                files.push((path, text));
            }
        }
    }
    assert!(files.len() > 40, "only {} files found", files.len());
    files
}

/// The code of a file, without its tests.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text)
}

/// Every path into the crate that a file names, by `use` or in place.
fn uses(text: &str) -> Vec<String> {
    code(text)
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("crate::").skip(1).map(str::to_owned).collect::<Vec<_>>())
        .map(|rest| rest.split([';', ' ', ')', ',', '>']).next().unwrap_or_default().to_owned())
        .collect()
}

fn floor(path: &Path) -> String {
    let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("it is in src");
    let first = below.iter().next().and_then(|name| name.to_str()).expect("it has a name");
    first.trim_end_matches(".rs").to_owned()
}

fn is_allowed(used: &str, allowed: &[&str]) -> bool {
    let floor = used.split([':', '{']).next().unwrap_or_default();
    allowed.iter().any(|allowed| match *allowed {
        "words" => is_word(used),
        "config" => is_word(used) || CONFIG.iter().any(|config| used.starts_with(config)),
        name => floor == name,
    })
}

fn is_word(used: &str) -> bool {
    used.strip_prefix("netbox::").is_some_and(|word| WORDS.iter().any(|known| word.starts_with(known)))
}

#[test]
fn arrows_point_down() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let floor = floor(&path);
        if floor == "lib" {
            continue;
        }
        let (_, allowed) =
            FLOORS.iter().find(|(name, _)| *name == floor).unwrap_or_else(|| panic!("{floor} is no floor"));
        for used in uses(&text) {
            let own = used.split([':', '{']).next() == Some(floor.as_str());
            if !own && !is_allowed(&used, allowed) {
                wrong.push(format!("{} uses {used}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that point up:\n{}", wrong.join("\n"));
}

#[test]
fn an_upward_arrow_would_be_seen() {
    let text =
        "use crate::web::App;\nfn f() -> crate::proxy::Proxy { todo() }\n// crate::server is fine in a comment\n";
    assert_eq!(uses(text), ["web::App", "proxy::Proxy"]);
    assert!(!is_allowed("web::App", &["cache", "netbox"]));
    assert!(!is_allowed("netbox::session::Session", &["words"]));
    assert!(is_allowed("netbox::object::ApiPath", &["words"]));
}

#[test]
fn files_are_small_and_say_what_belongs_in_them() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= 400, "{} has {lines} lines", path.display());
        assert!(text.starts_with("//!"), "{} has no module docs", path.display());
    }
}

#[test]
fn libraries_have_one_home() {
    for (path, text) in sources() {
        let file = path.display().to_string();
        let text = code(&text);
        let home = |library: &str, homes: &[&str]| {
            let used =
                text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(&format!("{library}::")));
            assert!(!used || homes.iter().any(|home| file.contains(home)), "{file} uses {library}");
        };
        home("reqwest", &["src/netbox/session", "src/netbox/transport.rs", "src/netbox/api/builder.rs"]);
        home("axum", &["src/web", "src/server"]);
        home("moka", &["src/cache/store"]);
        home("governor", &["src/proxy/rate.rs"]);
        ["brotli", "flate2", "zstd"]
            .iter()
            .for_each(|library| home(library, &["src/cache/coding.rs", "src/netbox/session/decoding.rs"]));
        home("tokio_rustls", &["src/server/"]);
        home("x509_parser", &["src/server/"]);
        home("prometheus_client", &["src/telemetry/metrics"]);
        home("tracing_subscriber", &["src/telemetry/logging.rs"]);
    }
}

/// Its first layer builds what is not ours with empty files in place of our targets, and cargo wants all that it is told of.
#[test]
fn the_image_knows_all_targets() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let (manifest, dockerfile) = (read("Cargo.toml"), read("Dockerfile"));
    let benches = dockerfile.split("benches/{").nth(1).and_then(|rest| rest.split('}').next()).expect("benches");
    let mut seen = 0;
    for table in manifest.split("\n[[").skip(1) {
        let (kind, rest) = table.split_once("]]").expect("a table");
        let name = rest.lines().find_map(|line| line.strip_prefix("name = \"")).expect("a name").trim_end_matches('"');
        let known = match kind {
            "bench" => benches.split(',').any(|bench| bench == name),
            "test" => dockerfile.contains(&format!("tests/{name}")),
            _ => true,
        };
        assert!(known, "the Dockerfile has no empty file for the {kind} {name}");
        seen += 1;
    }
    assert!(seen >= 6);
}
