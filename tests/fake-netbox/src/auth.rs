//! Who asks: session cookie first, then the token, as in NetBox.

use crate::request::Received;
use crate::state::{Author, Data};

/// Who a request acts as.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) user: u64,
    pub(crate) name: String,
    /// The user called `reader` may read no model and write none; everybody else may do all.
    pub(crate) superuser: bool,
    pub(crate) may_write: bool,
    pub(crate) session: bool,
}

impl Identity {
    pub(crate) fn author(&self, request_id: &str) -> Author {
        Author { user: self.user, name: self.name.clone(), request: request_id.to_owned() }
    }
}

/// The identity behind a request, nobody, or what is wrong with its token.
pub(crate) fn identify(data: &Data, request: &Received) -> Result<Option<Identity>, &'static str> {
    let by_session = request.cookie("sessionid").and_then(|name| user(data, name));
    if let Some((id, name)) = by_session {
        return Ok(Some(Identity { user: id, superuser: name != "reader", name, may_write: true, session: true }));
    }
    let Some(header) = request.header("authorization") else {
        return Ok(None);
    };
    let mut parts = header.split_ascii_whitespace();
    let scheme = parts.next().unwrap_or_default().to_ascii_lowercase();
    if scheme != "token" && scheme != "bearer" {
        return Ok(None);
    }
    let (Some(token), None) = (parts.next(), parts.next()) else {
        return Err("Invalid authorization header: Must be in the form \"Bearer <key>.<token>\" or \"Token <token>\"");
    };
    let second = token.strip_prefix("nbt_");
    if second.is_some_and(|rest| !rest.contains('.')) {
        return Err("Invalid authorization header: Could not parse key from v2 token");
    }
    let invalid = if second.is_some() { "Invalid v2 token" } else { "Invalid v1 token" };
    let row = data.secrets.get(token).and_then(|id| data.main.table("users/tokens").get(id)).ok_or(invalid)?;
    if row.get("enabled").as_bool() == Some(false) {
        return Err("Token disabled");
    }
    let user = row.number("user").and_then(|id| data.main.table("users/users").get(&id)).ok_or("User inactive")?;
    if user.get("is_active").as_bool() == Some(false) {
        return Err("User inactive");
    }
    let name = user.text("username").to_owned();
    Ok(Some(Identity {
        user: user.id,
        superuser: name != "reader",
        name,
        may_write: row.get("write_enabled").as_bool() != Some(false),
        session: false,
    }))
}

/// Id and name of a user.
pub(crate) fn user(data: &Data, name: &str) -> Option<(u64, String)> {
    let mut users = data.main.table("users/users").values();
    let found = users.find(|row| row.text("username") == name);
    found.map(|row| (row.id, name.to_owned()))
}
