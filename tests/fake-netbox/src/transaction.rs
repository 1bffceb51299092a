//! A transaction of somebody else: ids and times are taken now, effects are seen at commit.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::fake::{admin, explain, known, object};
use crate::state::{Author, Change, Db, Shared};
use crate::write::{WriteError, Writer, append, replay};

/// Changes to main that nobody sees before `commit`; dropped, it is rolled back.
pub struct Transaction {
    shared: Arc<Shared>,
    /// Main as this transaction sees it.
    shadow: Db,
    changes: Vec<Change>,
    author: Author,
}

impl Transaction {
    pub(crate) fn new(shared: Arc<Shared>) -> Transaction {
        let shadow = shared.lock().data.main.clone();
        Transaction { shared, shadow, changes: Vec::new(), author: admin() }
    }

    /// Creates an object and gives its id.
    ///
    /// # Panics
    /// If NetBox would refuse it.
    pub fn create(&mut self, endpoint: &str, body: Value) -> u64 {
        let ty = known(endpoint);
        self.write(|writer| writer.create(ty, &object(body)))
    }

    /// Changes fields of an object.
    ///
    /// # Panics
    /// If NetBox would refuse it.
    pub fn edit(&mut self, endpoint: &str, id: u64, patch: Value) {
        let ty = known(endpoint);
        self.write(|writer| writer.update(ty, id, &object(patch), false));
    }

    /// Deletes an object.
    ///
    /// # Panics
    /// If NetBox would refuse it.
    pub fn remove(&mut self, endpoint: &str, id: u64) {
        let ty = known(endpoint);
        self.write(|writer| writer.delete(ty, id, &Map::new()));
    }

    /// What is done from now on stands in the changelog as done by this request: as by a script that an event rule has
    /// started for it.
    pub fn as_request(&mut self, id: &str) {
        self.author.request = id.to_owned();
    }

    /// Ids of the changelog rows taken so far.
    pub fn change_ids(&self) -> Vec<u64> {
        let logged = self.changes.iter().filter(|change| change.id != 0);
        logged.map(|change| change.id).collect()
    }

    /// Makes everything visible at once.
    pub fn commit(self) {
        let mut state = self.shared.lock();
        replay(&mut state.data, None, &self.changes);
        append(&mut state.data, None, self.changes);
    }

    /// Gives everything up; the ids stay taken.
    pub fn rollback(self) {}

    fn write<T>(&mut self, write: impl FnOnce(&mut Writer<'_>) -> Result<T, WriteError>) -> T {
        let mut state = self.shared.lock();
        let data = &mut state.data;
        // Under the lock nobody sees that main is another for a moment.
        std::mem::swap(&mut data.main, &mut self.shadow);
        let mut writer = Writer::new(data, None, self.author.clone());
        let result = match write(&mut writer) {
            Ok(done) => {
                self.changes.extend(writer.into_changes());
                Ok(done)
            }
            Err(error) => {
                drop(writer);
                Err(explain(&error))
            }
        };
        std::mem::swap(&mut data.main, &mut self.shadow);
        drop(state);
        result.unwrap_or_else(|text| panic!("FakeNetbox refuses: {text}"))
    }
}
