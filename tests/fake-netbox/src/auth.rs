//! Who asks: session cookie first, then the token, as in NetBox (netbox/api/authentication.py).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use serde_json::Value;

use crate::clock;
use crate::net::Net;
use crate::request::Received;
use crate::rights::{Rights, Verb};
use crate::state::{Author, Data, Row, View};
use crate::types::Type;

/// Who a request acts as.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) user: u64,
    pub(crate) name: String,
    pub(crate) rights: Arc<Rights>,
    pub(crate) may_write: bool,
    pub(crate) session: bool,
}

/// Why nobody is let in by a token.
pub(crate) enum Unfit {
    /// 403, and what it says.
    Refused(String),
    /// 500: the headers that name the client's address name none.
    BadAddress(String),
}

impl Identity {
    pub(crate) fn author(&self, request_id: &str) -> Author {
        Author { user: self.user, name: self.name.clone(), request: request_id.to_owned() }
    }

    pub(crate) fn may(&self, ty: &Type, verb: Verb) -> bool {
        self.rights.allow(ty, verb)
    }

    pub(crate) fn reaches(&self, view: &View, ty: &Type, verb: Verb, row: &Row) -> bool {
        self.rights.reach(view, ty, verb, row)
    }
}

/// The identity behind a request, nobody, or what is wrong with its token.
pub(crate) fn identify(data: &Data, request: &Received) -> Result<Option<Identity>, Unfit> {
    let by_session = request.cookie("sessionid").and_then(|name| user(data, name));
    if let Some((id, name)) = by_session {
        let rights = data.rights(id);
        return Ok(Some(Identity { user: id, name, rights, may_write: true, session: true }));
    }
    let Some(header) = request.header("authorization") else {
        return Ok(None);
    };
    let mut parts = header.split_ascii_whitespace();
    let scheme = parts.next().unwrap_or_default().to_ascii_lowercase();
    if scheme != "token" && scheme != "bearer" {
        return Ok(None);
    }
    let refused = |text: &str| Unfit::Refused(text.to_owned());
    let (Some(token), None) = (parts.next(), parts.next()) else {
        let text = "Invalid authorization header: Must be in the form \"Bearer <key>.<token>\" or \"Token <token>\"";
        return Err(refused(text));
    };
    let second = token.strip_prefix("nbt_");
    if second.is_some_and(|rest| !rest.contains('.')) {
        return Err(refused("Invalid authorization header: Could not parse key from v2 token"));
    }
    let invalid = if second.is_some() { "Invalid v2 token" } else { "Invalid v1 token" };
    let row = data.secrets.get(token).and_then(|id| data.main.table("users/tokens").get(id));
    let row = row.ok_or_else(|| refused(invalid))?;
    check_address(row, request)?;
    if row.get("enabled").as_bool() == Some(false) {
        return Err(refused("Token disabled"));
    }
    if is_over(row.text("expires")) {
        return Err(refused("Token expired"));
    }
    let user = row.number("user").and_then(|id| data.main.table("users/users").get(&id));
    let user = user.filter(|user| user.get("is_active").as_bool() != Some(false));
    let user = user.ok_or_else(|| refused("User inactive"))?;
    Ok(Some(Identity {
        user: user.id,
        name: user.text("username").to_owned(),
        rights: data.rights(user.id),
        may_write: row.get("write_enabled").as_bool() != Some(false),
        session: false,
    }))
}

/// A token may be bound to the networks in `allowed_ips`.
fn check_address(token: &Row, request: &Received) -> Result<(), Unfit> {
    let allowed = token.get("allowed_ips").as_array().map(Vec::as_slice).unwrap_or_default();
    if allowed.is_empty() {
        return Ok(());
    }
    let address = client_address(request)?;
    let own = Net::parse(&address.to_string());
    let holds = |network: &Value| {
        let network = network.as_str().and_then(Net::parse);
        network.zip(own).is_some_and(|(network, own)| network.holds(own))
    };
    if allowed.iter().any(holds) {
        return Ok(());
    }
    Err(Unfit::Refused(format!("Source IP {address} is not permitted to authenticate using this token.")))
}

/// Where NetBox takes a client to be: what the first of these headers names first, or else the other end
/// (utilities/request.py, `HTTP_CLIENT_IP_HEADERS`).
fn client_address(request: &Received) -> Result<IpAddr, Unfit> {
    for (name, header) in [("x-real-ip", "HTTP_X_REAL_IP"), ("x-forwarded-for", "HTTP_X_FORWARDED_FOR")] {
        let Some(text) = request.header(name) else {
            continue;
        };
        let text = text.split(',').next().unwrap_or_default().trim();
        let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
        let found = text.parse().ok().or_else(with_port);
        return found.ok_or_else(|| Unfit::BadAddress(format!("Invalid IP address set for {header}: {text}")));
    }
    Ok(request.peer)
}

/// Whether a time lies in the past; none does not. To the second, in UTC.
fn is_over(time: &str) -> bool {
    let now = clock::stamp(clock::now());
    match (time.get(..19), now.get(..19)) {
        (Some(time), Some(now)) => time <= now,
        (None, _) | (_, None) => false,
    }
}

/// Id and name of a user.
pub(crate) fn user(data: &Data, name: &str) -> Option<(u64, String)> {
    let mut users = data.main.table("users/users").values();
    let found = users.find(|row| row.text("username") == name);
    found.map(|row| (row.id, name.to_owned()))
}
