//! Takes values out of the tree one by one, noting every fault; what is left in the end is unknown.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;
use config::{Map, Value, ValueKind};

use super::problem::{Problem, Problems};

/// Parts of keys whose values are not quoted in faults: somebody may have put a secret there by mistake.
const UNQUOTED: [&str; 3] = ["key_hash", "secret", "upstream_token"];

/// Keys, without their section, whose values must not be shown.
const SECRETS: [&str; 2] = ["token", "webhook_secret"];

/// The settings still to be read, by full key.
pub(super) struct Reader {
    prefix: String,
    values: BTreeMap<String, Value>,
    /// Where the values that were read came from.
    origins: BTreeMap<String, String>,
    problems: Vec<Problem>,
    /// The files that were read, or are named.
    files: Vec<PathBuf>,
}

impl Reader {
    pub(super) fn new(tree: Map<String, Value>) -> Self {
        let mut values = BTreeMap::new();
        flatten("", tree, &mut values);
        Self { prefix: String::new(), values, origins: BTreeMap::new(), problems: Vec::new(), files: Vec::new() }
    }

    /// A line for each setting, as TOML, secrets masked.
    pub(super) fn show(&self) -> Vec<String> {
        let line = |(key, value): (&String, &Value)| {
            let name = key.rsplit('.').next().unwrap_or_default();
            format!("{key} = {}  # {}", shown(name, value), origin(value))
        };
        self.values.iter().map(line).collect()
    }

    /// Every fault found, unknown keys among them.
    pub(super) fn finish(mut self) -> Result<(), Problems> {
        for (key, value) in std::mem::take(&mut self.values) {
            self.note(&key, &value, "there is no such setting");
        }
        if self.problems.is_empty() { Ok(()) } else { Err(Problems(self.problems)) }
    }

    /// The faults found so far.
    pub(super) fn faults(self) -> Problems {
        Problems(self.problems)
    }

    /// A fault of a value as a whole, or of its absence. What is known to be faulty is not blamed twice.
    pub(super) fn fault(&mut self, key: &str, message: impl Display) {
        let key = format!("{}{key}", self.prefix);
        if self.problems.iter().any(|problem| problem.key == key) {
            return;
        }
        let origin = self.origins.get(&key).cloned().unwrap_or_else(|| "nowhere: it was not given".to_owned());
        self.problems.push(Problem { key, origin, message: message.to_string() });
    }

    /// Whether the value is there, and was not read yet.
    pub(super) fn has(&self, key: &str) -> bool {
        self.values.contains_key(&format!("{}{key}", self.prefix))
    }

    pub(super) fn text(&mut self, key: &str) -> String {
        self.take(key).map(|(_, value)| text_of(&value)).unwrap_or_default()
    }

    /// A value with a form of its own; `None` after a fault, or when it is empty.
    pub(super) fn parsed<T>(&mut self, key: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let (key, value) = self.take(key)?;
        let text = text_of(&value);
        if text.is_empty() {
            return None;
        }
        match parse(&text) {
            Ok(parsed) => Some(parsed),
            Err(message) => {
                let secret = UNQUOTED.iter().any(|part| key.contains(part)) || text.contains('@');
                let quoted = if secret { "the value".to_owned() } else { format!("{text:?}") };
                self.note(&key, &value, format!("{quoted} is no good: {message}"));
                None
            }
        }
    }

    pub(super) fn number<T: FromStr + Default>(&mut self, key: &str) -> T {
        self.parsed(key, |text| text.parse().map_err(|_| "a whole number is wanted".to_owned())).unwrap_or_default()
    }

    pub(super) fn boolean(&mut self, key: &str) -> bool {
        self.parsed(key, |text| text.parse().map_err(|_| "true or false is wanted".to_owned())).unwrap_or_default()
    }

    pub(super) fn duration(&mut self, key: &str) -> Duration {
        self.optional_duration(key).unwrap_or_default()
    }

    pub(super) fn optional_duration(&mut self, key: &str) -> Option<Duration> {
        self.parsed(key, |text| match text {
            "0" => Ok(Duration::ZERO),
            text => humantime::parse_duration(text).map_err(|_| "a time such as 30s or 10m is wanted".to_owned()),
        })
    }

    pub(super) fn size(&mut self, key: &str) -> u64 {
        let parse = |text: &str| text.parse::<ByteSize>().map_err(|_| "a size such as 64MiB is wanted".to_owned());
        self.parsed(key, parse).unwrap_or_default().as_u64()
    }

    /// A list; from the environment, its members are separated by commas.
    pub(super) fn list<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        let Some((key, value)) = self.take(key) else { return Vec::new() };
        let members: Vec<String> = if let ValueKind::Array(members) = &value.kind {
            members.iter().map(text_of).collect()
        } else {
            text_of(&value).split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
        };
        let mut parsed = Vec::with_capacity(members.len());
        for member in members {
            match parse(&member) {
                Ok(one) => parsed.push(one),
                Err(message) => self.note(&key, &value, format!("{member:?} is no good: {message}")),
            }
        }
        parsed
    }

    /// A secret, given as it is or in a file.
    pub(super) fn secret(&mut self, key: &str) -> Option<String> {
        let given = self.text(key);
        let file_key = format!("{key}_file");
        let mut named = None;
        let file = self.parsed(&file_key, |path| {
            named = Some(PathBuf::from(path));
            std::fs::read_to_string(Path::new(path)).map_err(|error| error.to_string())
        });
        self.files.extend(named);
        match (given.is_empty(), file) {
            (true, file) => file.map(|text| text.trim().to_owned()),
            (false, None) => Some(given),
            (false, Some(_)) => {
                self.fault(key, format!("given twice: in {key} and in {file_key}"));
                None
            }
        }
    }

    /// A file that is named, and read by somebody else.
    pub(super) fn file(&mut self, key: &str) -> Option<PathBuf> {
        let path = self.parsed(key, |path| Ok(PathBuf::from(path)))?;
        self.files.push(path.clone());
        Some(path)
    }

    /// The files that were read, or are named, so far.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        self.files.clone()
    }

    /// Reads each table of an array of tables by a reader of its own.
    pub(super) fn tables<T>(&mut self, key: &str, mut read: impl FnMut(&mut Self) -> Option<T>) -> Vec<T> {
        let Some((key, value)) = self.take(key) else { return Vec::new() };
        let ValueKind::Array(tables) = value.kind else {
            self.note(&key, &value, "a list of tables is wanted");
            return Vec::new();
        };
        let mut all = Vec::with_capacity(tables.len());
        for (index, table) in tables.into_iter().enumerate() {
            let name = format!("{key}[{index}]");
            let ValueKind::Table(members) = table.kind else {
                self.note(&name, &table, "a table is wanted");
                continue;
            };
            let mut one = Self::new(members);
            one.values = one.values.into_iter().map(|(key, value)| (format!("{name}.{key}"), value)).collect();
            one.prefix = format!("{name}.");
            all.extend(read(&mut one));
            self.files.append(&mut one.files);
            if let Err(Problems(problems)) = one.finish() {
                self.problems.extend(problems);
            }
        }
        all
    }

    fn take(&mut self, key: &str) -> Option<(String, Value)> {
        let key = format!("{}{key}", self.prefix);
        let value = self.values.remove(&key)?;
        self.origins.insert(key.clone(), origin(&value));
        Some((key, value))
    }

    fn note(&mut self, key: &str, value: &Value, message: impl Into<String>) {
        self.problems.push(Problem { key: key.to_owned(), origin: origin(value), message: message.into() });
    }
}

fn flatten(prefix: &str, tree: Map<String, Value>, into: &mut BTreeMap<String, Value>) {
    for (name, value) in tree {
        let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        if let ValueKind::Table(table) = value.kind {
            flatten(&key, table, into);
        } else {
            into.insert(key, value);
        }
    }
}

fn origin(value: &Value) -> String {
    value.origin().map_or_else(|| "the defaults".to_owned(), str::to_owned)
}

fn text_of(value: &Value) -> String {
    value.clone().into_string().unwrap_or_else(|_| value.to_string())
}

/// A value as TOML, unless it is a secret; an empty one is none.
fn shown(name: &str, value: &Value) -> String {
    let masked = SECRETS.contains(&name) && !text_of(value).is_empty();
    if masked { "\"****\"".to_owned() } else { literal(value) }
}

fn literal(value: &Value) -> String {
    match &value.kind {
        ValueKind::Array(members) => {
            format!("[{}]", members.iter().map(literal).collect::<Vec<_>>().join(", "))
        }
        ValueKind::Table(table) => {
            let members: BTreeMap<_, _> = table.iter().collect();
            let pairs: Vec<_> =
                members.into_iter().map(|(key, value)| format!("{key} = {}", shown(key, value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        ValueKind::Boolean(_)
        | ValueKind::I64(_)
        | ValueKind::I128(_)
        | ValueKind::U64(_)
        | ValueKind::U128(_)
        | ValueKind::Float(_) => text_of(value),
        ValueKind::String(text) => serde_json::Value::from(text.as_str()).to_string(),
        ValueKind::Nil => "\"\"".to_owned(),
    }
}
