//! Users, what they may, and their tokens, set beside the client under test.

use std::sync::Arc;

use serde_json::{Value, json};

use super::FakeNetbox;
use super::data::{insert, known};
use crate::auth;
use crate::rights::{Grant, Rights};
use crate::route::keep_secret;
use crate::state::Data;

impl FakeNetbox {
    /// Adds a user who may what these object permissions say, and nothing else; or gives an existing user just these.
    /// Whatever a user may, related objects show in the brief form inside others, as in NetBox.
    pub fn set_rights(&self, user: &str, grants: &[Grant]) {
        let mut state = self.shared.lock();
        let id = user_id(&mut state.data, user);
        state.data.rights.insert(id, Arc::new(Rights::Granted(grants.to_vec())));
    }

    /// Lets a user in or keeps one out, whatever the token (`is_active`).
    ///
    /// # Panics
    /// If there is no such user.
    pub fn set_active(&self, user: &str, active: bool) {
        let found = auth::user(&self.shared.lock().data, user);
        let Some((id, _)) = found else {
            panic!("there is no user {user}");
        };
        self.edit_unlogged("users/users", id, json!({"is_active": active}));
    }

    /// Lets a token in; a user who does not exist yet becomes a superuser.
    pub fn add_token(&self, token: &str, user: &str, write_enabled: bool) {
        let mut state = self.shared.lock();
        let data = &mut state.data;
        let id = match auth::user(data, user) {
            Some((id, _)) => id,
            None => {
                let id = user_id(data, user);
                data.rights.insert(id, Arc::new(Rights::Superuser));
                id
            }
        };
        let values = [("user", Value::from(id)), ("write_enabled", Value::from(write_enabled))];
        let row = insert(data, "users/tokens", values);
        keep_secret(data, row, token);
    }

    /// Sets fields of a token: `enabled`, `expires`, `allowed_ips`, `write_enabled`, `description`.
    ///
    /// # Panics
    /// If there is no such token or field.
    pub fn edit_token(&self, token: &str, patch: Value) {
        let found = self.shared.lock().data.secrets.get(token).copied();
        let Some(id) = found else {
            panic!("there is no such token");
        };
        self.edit_unlogged("users/tokens", id, patch);
    }

    /// Lets a token in no longer, until it is enabled again.
    ///
    /// # Panics
    /// If there is no such token.
    pub fn disable_token(&self, token: &str) {
        self.edit_token(token, json!({"enabled": false}));
    }

    /// Lets a disabled token in again.
    ///
    /// # Panics
    /// If there is no such token.
    pub fn enable_token(&self, token: &str) {
        self.edit_token(token, json!({"enabled": true}));
    }

    /// Lets a token in no longer: its time has come.
    ///
    /// # Panics
    /// If there is no such token.
    pub fn expire_token(&self, token: &str) {
        self.edit_token(token, json!({"expires": "2001-01-01T00:00:00Z"}));
    }

    /// Lets a token in never again: it is deleted.
    pub fn revoke_token(&self, token: &str) {
        let mut state = self.shared.lock();
        if let Some(id) = state.data.secrets.remove(token) {
            state.data.main.table_mut(known("users/tokens")).remove(&id);
        }
    }
}

/// The user of that name, made where there is none.
fn user_id(data: &mut Data, name: &str) -> u64 {
    if let Some((id, _)) = auth::user(data, name) {
        return id;
    }
    let stamp = data.stamp();
    let values = [("username", Value::from(name)), ("date_joined", Value::from(stamp))];
    insert(data, "users/users", values)
}
