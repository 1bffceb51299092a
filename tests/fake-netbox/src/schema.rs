//! A small OpenAPI document made of the types: every path with its parameters.

use std::borrow::Cow;

use crate::filter;
use crate::json::{Json, Style};
use crate::state::Config;
use crate::types::{self, Derived, Kind, Plain, Type};

/// The document for the present version, plugins and base path.
pub(crate) fn document(config: &Config) -> Json {
    let version = format!("{} ({})", config.version, config.api_version());
    let info = Json::object([
        ("title", Json::from("NetBox REST API")),
        ("version", Json::from(version)),
        ("license", Json::object([("name", Json::from("Apache v2 License"))])),
    ]);
    let mut paths = Vec::new();
    let mut schemas = Vec::new();
    let base = &config.base_path;
    for ty in types::all() {
        if ty.endpoint.starts_with("plugins/branching") && !config.has_plugin("netbox_branching") {
            continue;
        }
        paths.push((format!("{base}/api/{}/", ty.endpoint), methods(ty, false)));
        paths.push((format!("{base}/api/{}/{{id}}/", ty.endpoint), methods(ty, true)));
        schemas.push((ty.class.to_owned(), component(ty)));
    }
    for path in ["status", "authentication-check", "schema", "users/config"] {
        paths.push((format!("{base}/api/{path}/"), Json::object([("get", operation(None, "get"))])));
    }
    paths.sort_by(|a, b| a.0.cmp(&b.0));
    let named = |members: Vec<(String, Json)>| {
        Json::Object(members.into_iter().map(|(name, json)| (Cow::Owned(name), json)).collect())
    };
    let server = Json::object([("url", Json::from("")), ("description", Json::from("NetBox"))]);
    Json::object([
        ("openapi", Json::from("3.0.3")),
        ("info", info),
        ("paths", named(paths)),
        ("components", Json::object([("schemas", named(schemas))])),
        ("servers", Json::List(vec![server])),
    ])
}

fn methods(ty: &Type, detail: bool) -> Json {
    let allow = if detail { ty.allow_detail() } else { ty.allow_list() };
    let mut members = Vec::new();
    for (method, name) in [("GET", "get"), ("PUT", "put"), ("POST", "post"), ("PATCH", "patch"), ("DELETE", "delete")] {
        if allow.split(", ").any(|other| other == method) {
            members.push((Json::key(name), operation(Some((ty, detail)), name)));
        }
    }
    Json::Object(members)
}

fn operation(on: Option<(&Type, bool)>, method: &str) -> Json {
    let mut parameters = Vec::new();
    let mut id = "api".to_owned();
    let mut schema = Json::object([("type", Json::from("object"))]);
    if let Some((ty, detail)) = on {
        let verb = match (method, detail) {
            ("get", false) => "list",
            ("get", true) => "retrieve",
            ("post", _) => "create",
            ("put", _) => "update",
            ("patch", _) => "partial_update",
            _ => "destroy",
        };
        id = format!("{}_{verb}", ty.endpoint.replace(['/', '-'], "_"));
        let query = Json::from("query");
        if detail {
            parameters.push(parameter("id", Json::from("path"), true));
        } else if method == "get" {
            let names = filter::parameters(ty);
            parameters.extend(names.iter().map(|name| parameter(name, query.clone(), false)));
        }
        let reference = Json::from(format!("#/components/schemas/{}", ty.class));
        schema = Json::object([("$ref", reference)]);
    }
    let content = Json::object([("application/json", Json::object([("schema", schema)]))]);
    let answer = Json::object([("content", content), ("description", Json::from(""))]);
    Json::object([
        ("operationId", Json::from(id)),
        ("parameters", Json::List(parameters)),
        ("responses", Json::object([("200", answer)])),
    ])
}

fn parameter(name: &str, place: Json, required: bool) -> Json {
    let mut members = vec![
        (Json::key("in"), place),
        (Json::key("name"), Json::from(name)),
        (Json::key("schema"), Json::object([("type", Json::from("string"))])),
    ];
    if required {
        members.push((Json::key("required"), Json::from(true)));
    }
    Json::Object(members)
}

fn component(ty: &Type) -> Json {
    let mut properties = Vec::new();
    for (name, kind) in [("id", "integer"), ("url", "string"), ("display", "string")] {
        properties.push((Json::key(name), Json::object([("type", Json::from(kind))])));
    }
    for field in ty.fields {
        let kind = match field.kind {
            Kind::Plain(Plain::Int)
            | Kind::Derived(Derived::Zero | Derived::Count(..) | Derived::Counter(..) | Derived::Sum(..)) => "integer",
            Kind::Plain(Plain::Decimal) => "number",
            Kind::Plain(Plain::Bool) | Kind::Derived(Derived::Any(..)) => "boolean",
            Kind::Plain(Plain::Text | Plain::Slug | Plain::Time) | Kind::Stamp(_) => "string",
            Kind::Plain(Plain::Texts | Plain::TagSlugs)
            | Kind::RefList(_)
            | Kind::Tags
            | Kind::Terminations
            | Kind::Derived(Derived::Empty | Derived::Listed(..)) => "array",
            Kind::Plain(Plain::Json) | Kind::Choice(_) | Kind::Ref(..) | Kind::CustomFields | Kind::Derived(_) => {
                "object"
            }
        };
        properties.push((Json::key(field.name), Json::object([("type", Json::from(kind))])));
    }
    Json::object([("type", Json::from("object")), ("properties", Json::Object(properties))])
}

/// The document in block style.
pub(crate) fn yaml(json: &Json) -> String {
    let mut out = String::new();
    write_yaml(json, 0, &mut out);
    out
}

fn write_yaml(json: &Json, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    match json {
        Json::Object(members) => {
            for (key, value) in members {
                out.push_str(&format!("{indent}{}:", key_text(key)));
                write_inner(value, depth, out);
            }
        }
        Json::List(items) => {
            for item in items {
                let mut inner = String::new();
                write_yaml(item, depth + 1, &mut inner);
                out.push_str(&format!("{indent}- {}", inner.trim_start()));
            }
        }
        Json::Value(value) => out.push_str(&format!("{indent}{value}\n")),
    }
}

fn write_inner(value: &Json, depth: usize, out: &mut String) {
    match value {
        Json::Object(members) if !members.is_empty() => {
            out.push('\n');
            write_yaml(value, depth + 1, out);
        }
        Json::List(items) if !items.is_empty() => {
            out.push('\n');
            write_yaml(value, depth, out);
        }
        // What is empty or a scalar reads the same in JSON.
        Json::Object(_) | Json::List(_) | Json::Value(_) => {
            out.push_str(&format!(" {}\n", value.text(Style::Compact)));
        }
    }
}

fn key_text(key: &str) -> String {
    let plain = key.bytes().all(|byte| byte.is_ascii_alphabetic() || b"_/-".contains(&byte));
    if plain { key.to_owned() } else { format!("'{key}'") }
}
