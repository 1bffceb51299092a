//! OPTIONS: which fields a type takes, and the choices of each.

use std::borrow::Cow;

use super::{Context, Route};
use crate::answer::Answer;
use crate::json::Json;
use crate::render::capital;
use crate::rights::Verb;
use crate::types::{Derived, Field, Kind, Plain, Type};

impl Context<'_> {
    pub(super) fn options(&self, route: &Route<'_>) -> Answer {
        let (name, ty) = if let Route::List(ty) = route {
            (format!("{} List", title(ty)), Some(*ty))
        } else if let Route::Detail(ty, _) = route {
            (title(ty), Some(*ty))
        } else {
            ("API".to_owned(), None)
        };
        let list = |items: &[&str]| Json::List(items.iter().map(|item| Json::from(*item)).collect());
        let mut members = vec![
            (Json::key("name"), Json::from(name)),
            (Json::key("description"), Json::from("")),
            (Json::key("renders"), list(&["application/json", "text/html"])),
            (Json::key("parses"), list(&["application/json", "multipart/form-data"])),
        ];
        if let Some(ty) = ty.filter(|ty| ty.allow_detail().contains("PUT")) {
            let may = |verb| self.who.as_ref().is_some_and(|who| who.may_write && who.may(ty, verb));
            let mut actions = Vec::new();
            if may(Verb::Change) && self.may_change(route) {
                actions.push((Json::key("PUT"), fields(ty)));
            }
            if may(Verb::Add) && matches!(route, Route::List(_)) {
                actions.push((Json::key("POST"), fields(ty)));
            }
            if !actions.is_empty() {
                members.push((Json::key("actions"), Json::Object(actions)));
            }
        }
        self.json(200, &Json::Object(members))
    }
}

impl Context<'_> {
    /// Whether the one object that a path names may be changed.
    fn may_change(&self, route: &Route<'_>) -> bool {
        let Route::Detail(ty, id) = route else {
            return true;
        };
        let view = self.view();
        let row = id.parse().ok().and_then(|id| view.row(ty.endpoint, id));
        row.is_none_or(|row| self.reaches(&view, ty, Verb::Change, row))
    }
}

fn title(ty: &Type) -> String {
    ty.verbose.split(' ').map(capital).collect::<Vec<_>>().join(" ")
}

fn fields(ty: &Type) -> Json {
    let mut members = Vec::new();
    for (name, kind) in [("id", "integer"), ("url", "field"), ("display_url", "field"), ("display", "field")] {
        if name != "display_url" || ty.display_url {
            members.push((Json::key(name), described(name, kind, false, true, None)));
        }
    }
    for field in ty.fields {
        members.push((Json::key(field.name), describe(field)));
    }
    Json::Object(members)
}

fn describe(field: &Field) -> Json {
    let kind = match field.kind {
        Kind::Plain(Plain::Text) => "string",
        Kind::Plain(Plain::Slug) => "slug",
        Kind::Plain(Plain::Int) => "integer",
        Kind::Plain(Plain::Decimal) => "decimal",
        Kind::Plain(Plain::Bool) => "boolean",
        Kind::Plain(Plain::Time) | Kind::Stamp(_) => "datetime",
        Kind::Ref(..) | Kind::Derived(Derived::Null) => "nested object",
        Kind::Plain(Plain::Json | Plain::Texts | Plain::TagSlugs)
        | Kind::Choice(_)
        | Kind::RefList(_)
        | Kind::Tags
        | Kind::CustomFields
        | Kind::Terminations
        | Kind::Derived(_) => "field",
    };
    let choices = field.choices().map(|choices| {
        let choice = |(value, label): &(&'static str, &'static str)| {
            let value = match value.parse::<u64>() {
                Ok(number) if choices.numeric => Json::from(number),
                Ok(_) | Err(_) => Json::from(*value),
            };
            Json::object([("value", value), ("display_name", Json::from(*label))])
        };
        Json::List(choices.values.iter().map(choice).collect())
    });
    described(field.name, kind, field.required, !field.is_writable(), choices)
}

fn described(name: &str, kind: &'static str, required: bool, read_only: bool, choices: Option<Json>) -> Json {
    let label = match name {
        "id" => "ID".to_owned(),
        _ => capital(&name.replace('_', " ")),
    };
    let mut members: Vec<(Cow<'static, str>, Json)> = vec![
        (Json::key("type"), Json::from(kind)),
        (Json::key("required"), Json::from(required)),
        (Json::key("read_only"), Json::from(read_only)),
        (Json::key("label"), Json::from(label)),
    ];
    members.extend(choices.map(|choices| (Json::key("choices"), choices)));
    Json::Object(members)
}
