//! From a request to its answer, in the order in which NetBox's layers speak.

mod available;
mod branches;
mod graphql;
mod options;
mod path;
mod permission;
mod rest;
mod special;
mod tokens;
mod upload;
mod work;

use path::Route;
pub(crate) use tokens::keep_secret;

use std::sync::Arc;

use crate::answer::{Answer, HTML};
use crate::auth::Identity;
use crate::json::{Json, Style};
use crate::negotiate::{self, Format};
use crate::render::Render;
use crate::request::Received;
use crate::state::{Config, Data, Extra, Shared, View};
use crate::write::Writer;

/// One request on its way through.
struct Context<'a> {
    shared: &'a Arc<Shared>,
    request: &'a Received,
    request_id: &'a str,
    config: Config,
    /// Scheme, host and base path.
    origin: String,
    german: bool,
    style: Style,
    branch: Option<String>,
    /// A header named a branch that is not ready.
    broken_branch: bool,
    who: Option<Identity>,
    /// Set by layers before the view.
    cookies: Vec<String>,
}

/// A refusal that ends the handling of a request.
type Outcome = Result<Answer, Answer>;

impl Context<'_> {
    fn view(&self) -> View {
        self.shared.lock().data.view(self.branch.as_deref())
    }

    fn render<'v>(&'v self, view: &'v View) -> Render<'v> {
        Render::new(view, &self.origin, self.german)
    }

    fn json(&self, status: u16, json: &Json) -> Answer {
        Answer::json(status, json, self.style)
    }

    /// Absolute URL of the path asked for, without query.
    fn own_url(&self) -> String {
        let path = self.request.target.split('?').next().unwrap_or_default();
        let base = self.origin.strip_suffix(&self.config.base_path);
        format!("{}{path}", base.unwrap_or(&self.origin))
    }

    fn author(&self) -> crate::state::Author {
        let anonymous = || crate::state::Author { user: 0, name: String::new(), request: self.request_id.to_owned() };
        self.who.as_ref().map_or_else(anonymous, |who| who.author(self.request_id))
    }

    /// A transaction of who asks.
    fn writer<'d>(&self, data: &'d mut Data) -> Writer<'d> {
        let writer = Writer::new(data, self.branch.as_deref(), self.author());
        if self.config.is_at_least(4, 4) { writer } else { writer.without_messages() }
    }

    /// NetBox's answer when it has lost its way (utilities/error_handlers.py).
    fn server_error(&self, text: &str, exception: &str) -> Answer {
        let version = self.config.version.as_str();
        self.json(
            500,
            &Json::object([
                ("error", Json::from(text)),
                ("exception", Json::from(exception)),
                ("netbox_version", Json::from(version)),
                ("python_version", Json::from("3.12.1")),
            ]),
        )
    }

    fn is_unsafe(&self) -> bool {
        !matches!(self.request.method.as_str(), "GET" | "HEAD" | "OPTIONS")
    }
}

/// Works the answer out; writes are committed when it returns.
pub(crate) fn answer(shared: &Arc<Shared>, request: &Received, request_id: &str) -> Answer {
    let config = shared.lock().config.clone();
    let german = request
        .header("accept-language")
        .is_some_and(|languages| languages.trim_start().to_ascii_lowercase().starts_with("de"));
    let mut answer = match origin(&config, request) {
        Some(origin) => {
            let mut context = Context {
                shared,
                request,
                request_id,
                config,
                origin,
                german,
                style: Style::Compact,
                branch: None,
                broken_branch: false,
                who: None,
                cookies: Vec::new(),
            };
            let mut answer = context.answer().unwrap_or_else(|refusal| refusal);
            answer.extra.extend(context.cookies.into_iter().map(|cookie| ("Set-Cookie", cookie)));
            answer
        }
        None => {
            let mut answer = Answer::html(400, "<h1>Bad Request (400)</h1>");
            answer.api = false;
            answer
        }
    };
    answer.german = german;
    answer
}

/// What absolute URLs begin with; nothing where the host is not one.
fn origin(config: &Config, request: &Received) -> Option<String> {
    if let Some(origin) = &config.public_origin {
        return Some(format!("{origin}{}", config.base_path));
    }
    let host = request.header("x-forwarded-host").or(request.header("host"))?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    if host.is_empty() || !host.bytes().all(plain) {
        return None;
    }
    let secure = request.header("x-forwarded-proto") == Some("https");
    let scheme = if secure { "https" } else { "http" };
    Some(format!("{scheme}://{host}{}", config.base_path))
}

impl Context<'_> {
    fn answer(&mut self) -> Outcome {
        let request = self.request;
        let (path, suffix) = path::suffix(&request.path);
        let path = path.as_ref();
        let is_read = matches!(request.method.as_str(), "GET" | "HEAD");
        if request.outside {
            return Err(Answer { api: false, ..self.nowhere() });
        }
        if path == "/graphql/" {
            self.choose_branch()?;
            return self.graphql();
        }
        if path != "/api" && !path.starts_with("/api/") {
            return Err(self.ui_page(is_read));
        }
        if !path.ends_with('/') {
            let with_slash = format!("{path}/");
            if is_read && self.route(&with_slash).is_some() {
                return Ok(self.add_slash());
            }
            return Err(self.nowhere());
        }
        if path != "/api/status/" {
            self.choose_branch()?;
        }
        let Some(route) = self.route(path).filter(|route| suffix.is_none() || route.ty().is_some()) else {
            return Err(self.nowhere());
        };
        let allow = route.allow();
        let mut answer = self.handle(route, allow, suffix).unwrap_or_else(|refusal| refusal);
        // Answers from before the view have no Allow of their own.
        if answer.allow.is_none() && answer.status != 500 {
            answer.allow = Some(allow);
        }
        Ok(answer)
    }

    fn nowhere(&self) -> Answer {
        Answer::nowhere(&self.config.version)
    }

    /// NetBox's pages for people ask for a login.
    fn ui_page(&self, is_read: bool) -> Answer {
        let base = &self.config.base_path;
        let page = if is_read {
            let place = format!("{base}/login/?next={}", self.request.target);
            Answer::html(302, "").with("Location", place)
        } else {
            self.nowhere()
        };
        Answer { api: false, ..page }
    }

    fn add_slash(&self) -> Answer {
        let target = &self.request.target;
        let place = match target.split_once('?') {
            Some((path, query)) => format!("{path}/?{query}"),
            None => format!("{target}/"),
        };
        Answer { bare: true, ..Answer::new(301, HTML, "").with("Location", place) }
    }

    fn handle(&mut self, route: Route<'_>, allow: &'static str, suffix: Option<&str>) -> Outcome {
        if matches!(route, Route::Schema) {
            return self.schema();
        }
        let format = negotiate::format(self.request, suffix).map_err(|(status, text)| Answer::detail(status, text))?;
        if let Format::Json(style) = format {
            self.style = style;
        }
        self.authorize(&route)?;
        let method = match self.request.method.as_str() {
            "HEAD" => "GET",
            other => other,
        };
        if !allow.split(", ").any(|allowed| allowed == method) {
            let text = format!("Method \"{}\" not allowed.", self.request.method);
            return Err(Answer::detail(405, &text));
        }
        // Tags are branched, and shown with objects that are not.
        let on_branch = route.ty().is_some_and(|ty| ty.branchable || ty.field("tags").is_some());
        if self.broken_branch && on_branch {
            return Err(self.broken_branch());
        }
        let answer = if method == "OPTIONS" { self.options(&route) } else { self.serve(route)? };
        Ok(if format == Format::Page { answer.into_page() } else { answer })
    }

    fn serve(&mut self, route: Route<'_>) -> Outcome {
        match route {
            Route::Root => Ok(self.root()),
            Route::App(app) => Ok(self.app_root(app)),
            Route::Status => Ok(self.status()),
            Route::Schema => self.schema(),
            Route::AuthenticationCheck => self.authentication_check(),
            Route::InstalledPlugins => Ok(self.installed_plugins()),
            Route::UserConfig => self.user_config(),
            Route::Provision => self.provision(),
            Route::List(ty) => self.list(ty),
            Route::Detail(ty, id) => self.detail(ty, id),
            Route::Sub(ty, id, action) => self.sub(ty, id, action),
            Route::Extra(path) => self.extra(path),
        }
    }

    fn extra(&self, path: &str) -> Outcome {
        let extra = self.shared.lock().extras.get(path).cloned();
        match extra {
            Some(Extra::Blob(content_type, bytes)) => {
                let mut answer = Answer::new(200, "", bytes);
                answer.content_type = None;
                Ok(answer.with("Content-Type", content_type))
            }
            Some(Extra::Coded(content_type, coding, bytes)) => {
                let mut answer = Answer::new(200, "", bytes);
                answer.content_type = None;
                Ok(answer.with("Content-Type", content_type).with("Content-Encoding", coding))
            }
            Some(Extra::Endless(total)) => {
                let mut answer = Answer::new(200, crate::answer::JSON, "");
                let url = format!("{}{path}", self.origin);
                answer.body = crate::answer::Body::Endless(total, url);
                Ok(answer)
            }
            None => Err(self.nowhere()),
        }
    }
}
