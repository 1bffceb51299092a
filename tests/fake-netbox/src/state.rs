//! Everything the server holds, behind one lock that is never held across an await.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use crate::clock;
use crate::control::Controls;
use crate::jobs::Pending;
use crate::request::Received;
use crate::rights::Rights;
use crate::types::{self, Kind, Plain, Preset, Type};

/// One stored object: what is worked out on reading is not in it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) id: u64,
    pub(crate) values: BTreeMap<&'static str, Value>,
}

impl Row {
    /// A row with every field at its initial value.
    pub(crate) fn new(ty: &Type, id: u64, stamp: &str) -> Row {
        let mut values = BTreeMap::new();
        for field in ty.fields.iter().filter(|field| field.is_stored()) {
            let value = match field.default {
                Preset::Int(number) => Value::from(number),
                Preset::Text(text) => Value::from(text),
                Preset::True => Value::Bool(true),
                Preset::ByKind => match field.kind {
                    Kind::Stamp(_) => Value::from(stamp),
                    Kind::Choice(choices) if choices.default.is_empty() => Value::Null,
                    Kind::Choice(choices) if choices.numeric => {
                        Value::from(choices.default.parse::<i64>().unwrap_or_default())
                    }
                    Kind::Choice(choices) => Value::from(choices.default),
                    Kind::Plain(Plain::Text | Plain::Slug) if !field.nullable => Value::from(""),
                    Kind::Plain(Plain::Bool) => Value::Bool(false),
                    Kind::Plain(Plain::Texts | Plain::TagSlugs)
                    | Kind::RefList(_)
                    | Kind::Tags
                    | Kind::Terminations => Value::Array(Vec::new()),
                    Kind::CustomFields => Value::Object(serde_json::Map::new()),
                    Kind::Plain(_) | Kind::Ref(..) | Kind::Derived(_) => Value::Null,
                },
            };
            values.insert(field.name, value);
        }
        Row { id, values }
    }

    pub(crate) fn get(&self, name: &str) -> &Value {
        static NULL: Value = Value::Null;
        self.values.get(name).unwrap_or(&NULL)
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.get(name).as_u64()
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.get(name).as_str().unwrap_or("")
    }

    /// The numbers in a list field.
    pub(crate) fn numbers(&self, name: &str) -> impl Iterator<Item = u64> {
        let list = self.get(name).as_array().map(Vec::as_slice);
        list.unwrap_or_default().iter().filter_map(Value::as_u64)
    }

    /// The weak validator NetBox makes of `last_updated`, or of `created` where that is missing.
    pub(crate) fn etag(&self) -> Option<String> {
        let stamp = self.get("last_updated").as_str().or_else(|| self.get("created").as_str())?;
        Some(format!("W/\"{}+00:00\"", stamp.trim_end_matches('Z')))
    }
}

/// The rows of one type.
pub(crate) type Table = BTreeMap<u64, Arc<Row>>;

/// One copy of the data: main's, or a branch's. Tables are shared until written to.
#[derive(Clone, Default)]
pub(crate) struct Db {
    tables: BTreeMap<&'static str, Arc<Table>>,
}

impl Db {
    pub(crate) fn table(&self, endpoint: &str) -> &Table {
        static EMPTY: Table = Table::new();
        self.tables.get(endpoint).map_or(&EMPTY, |table| table)
    }

    pub(crate) fn table_mut(&mut self, ty: &Type) -> &mut Table {
        Arc::make_mut(self.tables.entry(ty.endpoint).or_default())
    }

    pub(crate) fn insert(&mut self, ty: &Type, row: Row) {
        self.table_mut(ty).insert(row.id, Arc::new(row));
    }
}

/// What a change did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Create,
    Update,
    Delete,
}

/// Who makes a change.
#[derive(Clone, Debug)]
pub(crate) struct Author {
    pub(crate) user: u64,
    pub(crate) name: String,
    pub(crate) request: String,
}

/// One row of the changelog, with its id taken.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) id: u64,
    pub(crate) stamp: String,
    pub(crate) action: Action,
    pub(crate) ty: &'static Type,
    pub(crate) object: u64,
    pub(crate) before: Option<Arc<Row>>,
    pub(crate) after: Option<Arc<Row>>,
    pub(crate) author: Author,
    pub(crate) message: String,
    /// How the object called itself.
    pub(crate) name: String,
}

/// A branch's copy of the data and what was done in it.
#[derive(Clone)]
pub(crate) struct BranchData {
    pub(crate) db: Db,
    pub(crate) changes: Vec<Change>,
    /// What a merge did to main, kept for a revert.
    pub(crate) merged: Vec<Change>,
}

/// All data: main, the branches, and the sequences they share.
#[derive(Clone, Default)]
pub(crate) struct Data {
    pub(crate) main: Db,
    pub(crate) branches: BTreeMap<String, BranchData>,
    next_ids: BTreeMap<&'static str, u64>,
    last_stamp: u64,
    /// Settings of users, by name.
    pub(crate) user_config: BTreeMap<String, Value>,
    /// Plain tokens with the id of their row.
    pub(crate) secrets: BTreeMap<String, u64>,
    /// What users may, by their ids; who is not in it may nothing.
    pub(crate) rights: BTreeMap<u64, Arc<Rights>>,
    /// Jobs that wait.
    pub(crate) pending: Vec<Pending>,
}

impl Data {
    /// The next id of a type; as in PostgreSQL, one taken is never given again.
    pub(crate) fn take_id(&mut self, endpoint: &'static str) -> u64 {
        let next = self.next_ids.entry(endpoint).or_insert(1);
        let id = *next;
        *next += 1;
        id
    }

    /// What a user may.
    pub(crate) fn rights(&self, user: u64) -> Arc<Rights> {
        self.rights.get(&user).cloned().unwrap_or_else(|| Arc::new(Rights::Granted(Vec::new())))
    }

    /// The present time, later than any given before.
    pub(crate) fn stamp(&mut self) -> String {
        self.last_stamp = clock::now().max(self.last_stamp + 1);
        clock::stamp(self.last_stamp)
    }

    /// The copy of the data in which a type is written: exempt types have only main's.
    pub(crate) fn db_mut(&mut self, ty: &Type, branch: Option<&str>) -> &mut Db {
        match branch.and_then(|schema| self.branches.get_mut(schema)) {
            Some(branch) if ty.branchable => &mut branch.db,
            Some(_) | None => &mut self.main,
        }
    }

    /// The row of a branch.
    pub(crate) fn branch_row(&self, schema: &str) -> Option<Arc<Row>> {
        let table = self.main.table("plugins/branching/branches");
        let row = table.values().find(|row| row.text("schema_id") == schema);
        row.cloned()
    }

    pub(crate) fn view(&self, branch: Option<&str>) -> View {
        View {
            main: self.main.clone(),
            branch: branch.and_then(|schema| self.branches.get(schema)).map(|branch| branch.db.clone()),
        }
    }
}

/// The data as one request sees it.
pub(crate) struct View {
    main: Db,
    branch: Option<Db>,
}

impl View {
    pub(crate) fn table(&self, endpoint: &str) -> &Table {
        let branchable = types::at(endpoint).is_some_and(|ty| ty.branchable);
        match &self.branch {
            Some(branch) if branchable => branch.table(endpoint),
            Some(_) | None => self.main.table(endpoint),
        }
    }

    pub(crate) fn row(&self, endpoint: &str, id: u64) -> Option<&Arc<Row>> {
        self.table(endpoint).get(&id)
    }
}

/// An extra path with a body of its own.
#[derive(Clone, Debug)]
pub(crate) enum Extra {
    Blob(String, Bytes),
    Coded(String, String, Bytes),
    Endless(u64),
}

/// Settings that tests may change while the server runs.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Empty, or with a slash in front and none behind.
    pub(crate) base_path: String,
    pub(crate) version: String,
    pub(crate) plugins: Vec<(String, String)>,
    pub(crate) page_default: usize,
    pub(crate) max_page_size: usize,
    pub(crate) login_required: bool,
    pub(crate) public_origin: Option<String>,
    /// How old NetBox's copy of the OpenAPI document is, in seconds; unset, it is made for each request.
    pub(crate) schema_age: Option<u64>,
    /// Jobs wait for `finish_jobs` where this is unset.
    pub(crate) job_delay: Option<Duration>,
}

impl Config {
    /// Major and minor version.
    pub(crate) fn api_version(&self) -> String {
        let parts: Vec<_> = self.version.split('.').take(2).collect();
        parts.join(".")
    }

    /// Whether the version is at least this one.
    pub(crate) fn is_at_least(&self, major: u64, minor: u64) -> bool {
        let mut parts = self.version.split('.').map(|part| part.parse().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (major, minor)
    }

    pub(crate) fn has_plugin(&self, package: &str) -> bool {
        self.plugins.iter().any(|(name, _)| name == package)
    }
}

/// What the lock guards.
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) data: Data,
    pub(crate) controls: Controls,
    pub(crate) extras: BTreeMap<String, Extra>,
    pub(crate) log: Vec<Received>,
    pub(crate) connections: u64,
    pub(crate) in_flight: usize,
    pub(crate) in_flight_peak: usize,
    pub(crate) dropped: usize,
}

/// The state as the server's tasks and the test share it.
pub(crate) struct Shared {
    state: Mutex<State>,
}

impl Shared {
    pub(crate) fn new(state: State) -> Arc<Shared> {
        Arc::new(Shared { state: Mutex::new(state) })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A test that panics while holding the lock should not hide its reason behind ours.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
