//! Which paths there are, where they lead, and the methods they take.

use std::borrow::Cow;

use super::Context;
use super::special::sub_allow;
use crate::types::{self, Type};

/// A path without the format that Django REST framework takes at the end of one, with a slash or without
/// (`/api/dcim/sites.json`), and that format.
pub(super) fn suffix(path: &str) -> (Cow<'_, str>, Option<&str>) {
    let bare = path.strip_suffix('/').unwrap_or(path);
    let plain =
        |format: &str| !format.is_empty() && format.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    match bare.rsplit_once('.') {
        Some((stem, format)) if path.starts_with("/api/") && plain(format) => {
            (Cow::Owned(format!("{stem}/")), Some(format))
        }
        Some(_) | None => (Cow::Borrowed(path), None),
    }
}

/// Where a path leads.
#[derive(Clone, Copy)]
pub(super) enum Route<'a> {
    Root,
    App(&'a str),
    Status,
    Schema,
    AuthenticationCheck,
    InstalledPlugins,
    UserConfig,
    Provision,
    List(&'static Type),
    Detail(&'static Type, &'a str),
    Sub(&'static Type, &'a str, &'a str),
    Extra(&'a str),
}

impl Route<'_> {
    /// The type whose objects it is about.
    pub(super) fn ty(&self) -> Option<&'static Type> {
        if let Route::List(ty) | Route::Detail(ty, _) | Route::Sub(ty, ..) = self { Some(ty) } else { None }
    }

    /// The methods it takes, as `Allow` names them.
    pub(super) fn allow(&self) -> &'static str {
        match self {
            Route::UserConfig => "GET, PATCH, HEAD, OPTIONS",
            Route::Provision => "POST, OPTIONS",
            Route::List(ty) => ty.allow_list(),
            Route::Detail(ty, _) => ty.allow_detail(),
            Route::Sub(ty, _, action) => sub_allow(ty, action).unwrap_or("GET, HEAD, OPTIONS"),
            Route::Root
            | Route::App(_)
            | Route::Status
            | Route::Schema
            | Route::AuthenticationCheck
            | Route::InstalledPlugins
            | Route::Extra(_) => "GET, HEAD, OPTIONS",
        }
    }
}

impl Context<'_> {
    /// Where a path leads, or nothing where nothing is.
    pub(super) fn route<'p>(&self, path: &'p str) -> Option<Route<'p>> {
        if self.shared.lock().extras.contains_key(path) {
            return Some(Route::Extra(path));
        }
        let branching = self.config.has_plugin("netbox_branching");
        let at = |endpoint: &str| {
            let ty = types::at(endpoint)?;
            (branching || !ty.endpoint.starts_with("plugins/branching")).then_some(ty)
        };
        let rest = path.strip_prefix("/api/")?.trim_end_matches('/');
        let parts: Vec<&str> = rest.split('/').collect();
        match parts.as_slice() {
            [""] => Some(Route::Root),
            ["status"] => Some(Route::Status),
            ["schema"] => Some(Route::Schema),
            ["authentication-check"] => Some(Route::AuthenticationCheck),
            ["plugins"] => Some(Route::App("plugins")),
            ["plugins", "installed-plugins"] => Some(Route::InstalledPlugins),
            ["plugins", "branching"] if branching => Some(Route::App("plugins/branching")),
            ["users", "config"] => Some(Route::UserConfig),
            ["users", "tokens", "provision"] => Some(Route::Provision),
            [app] => types::all().iter().any(|ty| ty.app() == *app).then_some(Route::App(app)),
            ["plugins", app, model] => Some(Route::List(at(&format!("plugins/{app}/{model}"))?)),
            ["plugins", app, model, id] => Some(Route::Detail(at(&format!("plugins/{app}/{model}"))?, id)),
            ["plugins", app, model, id, action] => {
                let ty = at(&format!("plugins/{app}/{model}"))?;
                sub_allow(ty, action).map(|_| Route::Sub(ty, id, action))
            }
            [app, model] => Some(Route::List(at(&format!("{app}/{model}"))?)),
            [app, model, id] => Some(Route::Detail(at(&format!("{app}/{model}"))?, id)),
            [app, model, id, action] => {
                let ty = at(&format!("{app}/{model}"))?;
                sub_allow(ty, action).map(|_| Route::Sub(ty, id, action))
            }
            _ => None,
        }
    }
}
