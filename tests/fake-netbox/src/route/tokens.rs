//! Tokens: made through the API, or provisioned with a password.

use serde_json::{Map, Value};

use super::{Context, Outcome};
use crate::answer::Answer;
use crate::json::Json;
use crate::random;
use crate::render::Selection;
use crate::state::{Author, Data};
use crate::types;
use crate::write::{Refusal, WriteError, Writer};

/// Users who can provision a token, with their passwords.
const PASSWORDS: &[(&str, &str)] = &[("admin", "admin"), ("reader", "reader")];

impl Context<'_> {
    pub(super) fn provision(&self) -> Outcome {
        let body = self.body()?;
        let mut refusal = None;
        for name in ["username", "password"] {
            if body.get(name).and_then(Value::as_str).is_none() && refusal.is_none() {
                refusal = Some(Refusal::of(name, "This field is required."));
            }
        }
        if let Some(refusal) = refusal {
            return Err(self.json(400, &refusal.json()));
        }
        let known =
            PASSWORDS.iter().find(|(name, password)| body["username"] == *name && body["password"] == *password);
        let Some((name, _)) = known else {
            return Err(Answer::detail(403, "Invalid username/password"));
        };
        let user = crate::auth::user(&self.shared.lock().data, name);
        let mut wanted = Map::new();
        wanted.insert("user".to_owned(), Value::from(user.map(|(id, _)| id)));
        for name in ["version", "description", "expires", "write_enabled"] {
            if let Some(value) = body.get(name) {
                wanted.insert(name.to_owned(), value.clone());
            }
        }
        self.create_token(Value::Object(wanted))
    }

    /// Makes a token; only this answer shows it.
    pub(super) fn create_token(&self, body: Value) -> Outcome {
        let Value::Object(body) = body else {
            let text = "Invalid data. Expected a dictionary, but got list.";
            let refusal = Refusal::of("non_field_errors", text);
            return Err(self.json(400, &refusal.json()));
        };
        let mut state = self.shared.lock();
        let made = make(&mut state.data, &body, self.author());
        drop(state);
        let ty = types::at("users/tokens").ok_or_else(|| self.nowhere())?;
        let (id, plain) = made.map_err(|error| self.failed(ty, error))?;
        let view = self.view();
        let row = view.row(ty.endpoint, id).ok_or_else(|| self.missing(ty))?;
        let mut json = self.render(&view).object(ty, row, &Selection::All);
        if let Json::Object(members) = &mut json {
            for (name, value) in members {
                if name == "token" {
                    *value = Json::from(plain.as_str());
                }
            }
        }
        let url = format!("{}/api/{}/{id}/", self.origin, ty.endpoint);
        Ok(self.json(201, &json).with("Location", url))
    }
}

/// Makes the row and the secret of a token: the id and the part that is shown once.
fn make(data: &mut Data, body: &Map<String, Value>, author: Author) -> Result<(u64, String), WriteError> {
    let Some(ty) = types::at("users/tokens") else {
        return Err(WriteError::Missing);
    };
    let given = body.get("token").and_then(Value::as_str);
    let second = body.get("version").and_then(Value::as_u64) != Some(1);
    let plain = given.map_or_else(|| if second { random::alphanumeric(40) } else { random::hex(40) }, str::to_owned);
    let mut writer = Writer::new(data, None, author);
    let id = writer.create(ty, body)?;
    writer.commit();
    let full = if second { format!("nbt_{}.{plain}", random::alphanumeric(12)) } else { plain.clone() };
    keep_secret(data, id, &full);
    Ok((id, plain))
}

/// Lets a token's plain text in, and marks its row with what NetBox shows of it.
pub(crate) fn keep_secret(data: &mut Data, id: u64, full: &str) {
    data.secrets.insert(full.to_owned(), id);
    let Some(ty) = types::at("users/tokens") else {
        return;
    };
    let Some(row) = data.main.table_mut(ty).get_mut(&id) else {
        return;
    };
    let values = &mut std::sync::Arc::make_mut(row).values;
    match full.strip_prefix("nbt_").and_then(|rest| rest.split_once('.')) {
        Some((key, _)) => {
            values.insert("version", Value::from(2));
            values.insert("key", Value::from(key));
            values.insert("pepper_id", Value::from(1));
        }
        None => {
            let tail = full.get(full.len().saturating_sub(6)..).unwrap_or_default();
            values.insert("version", Value::from(1));
            values.insert("tail", Value::from(tail));
        }
    }
}
