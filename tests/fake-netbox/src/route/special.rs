//! Endpoints that belong to no type: roots, status, settings, and what hangs below an object.

use std::borrow::Cow;

use serde_json::Value;

use super::{Context, Outcome};
use crate::answer::Answer;
use crate::clock;
use crate::json::{Json, Style};
use crate::negotiate;
use crate::render::Selection;
use crate::rights::Verb;
use crate::schema;
use crate::state::View;
use crate::types::{self, Type};

/// Methods of what hangs below an object, or nothing where there is no such thing.
pub(super) fn sub_allow(ty: &Type, action: &str) -> Option<&'static str> {
    match (ty.endpoint, action) {
        ("ipam/prefixes", "available-ips" | "available-prefixes") => Some("GET, POST, HEAD, OPTIONS"),
        ("dcim/interfaces", "trace") => Some("GET, HEAD, OPTIONS"),
        ("dcim/devices" | "virtualization/virtual-machines", "render-config") => Some("POST, OPTIONS"),
        ("plugins/branching/branches", "sync" | "merge" | "revert" | "archive") | ("core/data-sources", "sync") => {
            Some("POST, OPTIONS")
        }
        _ => None,
    }
}

impl Context<'_> {
    pub(super) fn root(&self) -> Answer {
        let apps = [
            "circuits",
            "core",
            "dcim",
            "extras",
            "ipam",
            "plugins",
            "status",
            "tenancy",
            "users",
            "virtualization",
            "vpn",
            "wireless",
        ];
        let member = |app: &str| {
            let url = format!("{}/api/{app}/", self.origin);
            (Cow::Owned(app.to_owned()), Json::from(url))
        };
        self.json(200, &Json::Object(apps.into_iter().map(member).collect()))
    }

    pub(super) fn app_root(&self, app: &str) -> Answer {
        let mut names: Vec<String> = types::all()
            .iter()
            .filter(|ty| ty.app() == app)
            .filter_map(|ty| Some(ty.endpoint.rsplit_once('/')?.1.to_owned()))
            .collect();
        if app == "plugins" {
            names.push("installed-plugins".to_owned());
            if self.config.has_plugin("netbox_branching") {
                names.push("branching".to_owned());
            }
        }
        if app == "users" {
            names.push("config".to_owned());
        }
        names.sort_unstable();
        let member = |name: String| {
            let url = format!("{}/api/{app}/{name}/", self.origin);
            (Cow::Owned(name), Json::from(url))
        };
        self.json(200, &Json::Object(names.into_iter().map(member).collect()))
    }

    pub(super) fn status(&self) -> Answer {
        let version = self.config.version.as_str();
        let plugins = self.config.plugins.iter();
        let plugins = plugins.map(|(name, version)| (Cow::Owned(name.clone()), Json::from(version.as_str())));
        let apps = Json::object([
            ("django_filters", Json::from("26.1")),
            ("drf_spectacular", Json::from("0.30.0")),
            ("rest_framework", Json::from("3.17.1")),
        ]);
        self.json(
            200,
            &Json::object([
                ("django-version", Json::from("6.0.8")),
                ("hostname", Json::from("netbox")),
                ("installed_apps", apps),
                ("netbox-version", Json::from(version)),
                ("netbox-full-version", Json::from(version)),
                ("plugins", Json::Object(plugins.collect())),
                ("python-version", Json::from("3.12.1")),
                ("rq-workers-running", Json::from(1)),
            ]),
        )
    }

    pub(super) fn schema(&self) -> Outcome {
        let media = negotiate::schema(self.request).map_err(|(status, text)| Answer::detail(status, text))?;
        if self.request.method == "OPTIONS" {
            return Ok(self.options(&super::Route::Schema));
        }
        if !matches!(self.request.method.as_str(), "GET" | "HEAD") {
            let text = format!("Method \"{}\" not allowed.", self.request.method);
            return Err(Answer::detail(405, &text));
        }
        let document = schema::document(&self.config);
        let (text, suffix) = if media.ends_with("json") {
            (document.text(Style::Compact), "json")
        } else {
            (schema::yaml(&document), "yaml")
        };
        let name = format!("NetBox REST API ({}).{suffix}", self.config.api_version());
        let later = clock::now() / 1_000_000 + 86_400;
        let mut answer = Answer::new(200, media, text)
            .with("Content-Disposition", format!("inline; filename=\"{name}\""))
            .with("Expires", clock::http_date(later))
            .with("Cache-Control", "max-age=86400");
        if let Some(age) = self.config.schema_age {
            answer = answer.with("Age", age.to_string());
        }
        Ok(answer)
    }

    pub(super) fn authentication_check(&self) -> Outcome {
        let view = self.view();
        let render = self.render(&view);
        let user = self.who.as_ref().map(|who| who.user);
        let row = user.and_then(|id| view.row("users/users", id));
        match (types::at("users/users"), row) {
            (Some(ty), Some(row)) => Ok(self.json(200, &render.object(ty, row, &Selection::All))),
            (None, _) | (_, None) => Err(Answer::detail(404, "Not found.")),
        }
    }

    pub(super) fn installed_plugins(&self) -> Answer {
        let plugin = |(package, version): &(String, String)| {
            let (name, description) = match package.as_str() {
                "netbox_branching" => ("NetBox Branching", "A git-like branching implementation for NetBox"),
                other => (other, ""),
            };
            Json::object([
                ("name", Json::from(name)),
                ("package", Json::from(package.as_str())),
                ("author", Json::from("")),
                ("author_email", Json::from("")),
                ("description", Json::from(description)),
                ("version", Json::from(version.as_str())),
                ("release_track", Json::from("")),
            ])
        };
        let plugins = self.config.plugins.iter().map(plugin).collect();
        self.json(200, &Json::List(plugins))
    }

    pub(super) fn user_config(&self) -> Outcome {
        let name = self.who.as_ref().map(|who| who.name.clone()).unwrap_or_default();
        let patch = match self.request.method.as_str() {
            "PATCH" => Some(self.body()?),
            _ => None,
        };
        let mut state = self.shared.lock();
        let empty = || Value::Object(serde_json::Map::new());
        let config = state.data.user_config.entry(name).or_insert_with(empty);
        if let (Some(config), Some(Value::Object(patch))) = (config.as_object_mut(), patch) {
            config.extend(patch);
        }
        let config = Json::Value(config.clone());
        drop(state);
        Ok(self.json(200, &config))
    }

    /// What hangs below an object.
    pub(super) fn sub(&self, ty: &'static Type, id: &str, action: &str) -> Outcome {
        let view = self.view();
        let seen = |id: &u64| view.row(ty.endpoint, *id).is_some_and(|row| self.reaches(&view, ty, Verb::View, row));
        let id = id.parse().ok().filter(seen);
        let Some(id) = id else {
            return Err(self.missing(ty));
        };
        match action {
            "available-ips" => self.available_ips(id),
            "available-prefixes" => self.available_prefixes(id),
            "trace" => Ok(self.trace(&view, id)),
            "render-config" => Ok(self.rendered_config(&view, ty, id)),
            _ if ty.endpoint == "core/data-sources" => self.sync_source(id),
            _ => self.branch_action(id, action),
        }
    }

    fn trace(&self, view: &View, id: u64) -> Answer {
        let render = self.render(view);
        let hop = view.row("dcim/interfaces", id).map(|row| {
            let interfaces = types::at("dcim/interfaces");
            let peers = interfaces.map(|ty| render.peers(ty, row)).unwrap_or_default();
            let brief = |endpoint, id| render.brief_of(endpoint, Some(id));
            let near = Json::List(vec![brief("dcim/interfaces", id)]);
            let cable = render.brief_of("dcim/cables", interfaces.and_then(|ty| render.cable_id(ty, row)));
            Json::List(vec![near, cable, Json::List(peers.iter().map(|(ty, id)| brief(ty.endpoint, *id)).collect())])
        });
        self.json(200, &Json::List(hop.into_iter().collect()))
    }

    /// Renders without changing anything, although it is a POST.
    fn rendered_config(&self, view: &View, ty: &Type, id: u64) -> Answer {
        let name = view.row(ty.endpoint, id).map(|row| row.text("name").to_owned());
        let content = format!("hostname {}\n", name.unwrap_or_default());
        self.json(200, &Json::object([("configtemplate", Json::NULL), ("content", Json::from(content))]))
    }
}
