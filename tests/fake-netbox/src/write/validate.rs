//! Checks of a request body against a type's fields, with NetBox's words for what is wrong.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::json::Json;
use crate::net::Net;
use crate::state::{Row, View};
use crate::types::{self, Choices, Field, Kind, Plain, Type};

/// Errors by field, in the order in which they were found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusal(Vec<(String, Vec<String>)>);

impl Refusal {
    pub(crate) fn of(field: &str, text: impl Into<String>) -> Refusal {
        Refusal(vec![(field.to_owned(), vec![text.into()])])
    }

    pub(crate) fn json(&self) -> Json {
        let member = |(field, texts): &(String, Vec<String>)| {
            let texts = texts.iter().map(|text| Json::from(text.as_str())).collect();
            (std::borrow::Cow::Owned(field.clone()), Json::List(texts))
        };
        Json::Object(self.0.iter().map(member).collect())
    }

    fn add(&mut self, field: &str, text: impl Into<String>) {
        self.0.push((field.to_owned(), vec![text.into()]));
    }
}

type Values = BTreeMap<&'static str, Value>;

/// The values that a body sets, or what is wrong with it.
pub(super) fn values(
    view: &View,
    ty: &Type,
    body: &Map<String, Value>,
    before: Option<&Row>,
    whole: bool,
) -> Result<Values, Refusal> {
    let mut values = Values::new();
    let mut refusal = Refusal::default();
    for field in ty.fields.iter().filter(|field| field.is_writable()) {
        match body.get(field.name) {
            None if field.required && whole => {
                refusal.add(field.name, "This field is required.");
            }
            None => {}
            Some(given) => match value(view, ty, field, given, before) {
                Ok(value) => {
                    values.insert(field.name, value);
                }
                Err(text) => refusal.add(field.name, text),
            },
        }
    }
    for (name, add) in [("add_tags", true), ("remove_tags", false)] {
        let Some(given) = body.get(name) else {
            continue;
        };
        match ids(view, "extras/tags", given) {
            Ok(tags) => change_tags(&mut values, before, &tags, add),
            Err(text) => refusal.add(name, text),
        }
    }
    unique(view, ty, &values, before, &mut refusal);
    if refusal.0.is_empty() { Ok(values) } else { Err(refusal) }
}

fn change_tags(values: &mut Values, before: Option<&Row>, tags: &[u64], add: bool) {
    let mut all: Vec<_> = before.map(|row| row.numbers("tags").collect()).unwrap_or_default();
    all.retain(|tag| !tags.contains(tag));
    if add {
        all.extend_from_slice(tags);
    }
    values.insert("tags", Value::from(all));
}

fn unique(view: &View, ty: &Type, values: &Values, before: Option<&Row>, refusal: &mut Refusal) {
    let others = || {
        let own = before.map(|row| row.id);
        view.table(ty.endpoint).values().filter(move |row| Some(row.id) != own)
    };
    for field in ty.fields.iter().filter(|field| field.unique) {
        let Some(value) = values.get(field.name).filter(|value| !value.is_null()) else {
            continue;
        };
        if others().any(|row| row.get(field.name) == value) {
            let name = field.name.replace('_', " ");
            refusal.add(field.name, format!("{} with this {name} already exists.", ty.verbose));
        }
    }
    let after = |name: &str| {
        let value = values.get(name).or_else(|| before.map(|row| row.get(name)));
        value.cloned().unwrap_or_default()
    };
    let touched = ty.together.iter().any(|name| values.contains_key(name));
    if touched && ty.together.first().is_some_and(|name| !after(name).is_null()) {
        let same = |row: &Row| ty.together.iter().all(|name| *row.get(name) == after(name));
        if others().any(|row| same(row)) {
            if ty.endpoint == "dcim/devices" {
                refusal.add("__all__", "Device name must be unique per site.");
            } else {
                let names = ty.together.join(", ");
                let text = format!("The fields {names} must make a unique set.");
                refusal.add("non_field_errors", text);
            }
        }
    }
    duplicate_network(ty, &after, values, others(), refusal);
}

/// Outside of VRFs no address or prefix may exist twice.
fn duplicate_network<'a>(
    ty: &Type,
    after: &impl Fn(&str) -> Value,
    values: &Values,
    mut others: impl Iterator<Item = &'a std::sync::Arc<Row>>,
    refusal: &mut Refusal,
) {
    let (field, what) = match ty.endpoint {
        "ipam/ip-addresses" => ("address", "IP address"),
        "ipam/prefixes" => ("prefix", "prefix"),
        _ => return,
    };
    let Some(value) = values.get(field).filter(|_| after("vrf").is_null()) else {
        return;
    };
    let host = |value: &Value| {
        let net = value.as_str().and_then(Net::parse);
        net.map(|net| if field == "address" { (net.v6, net.address, 0) } else { (net.v6, net.address, net.length) })
    };
    let found = others.find(|row| row.get("vrf").is_null() && host(row.get(field)) == host(value));
    if let Some(found) = found {
        let found = found.text(field);
        refusal.add(field, format!("Duplicate {what} found in global table: {found}"));
    }
}

fn value(view: &View, ty: &Type, field: &Field, given: &Value, before: Option<&Row>) -> Result<Value, String> {
    if given.is_null() {
        let may = field.nullable || matches!(field.kind, Kind::Choice(_) | Kind::Plain(Plain::Json));
        return if may { Ok(Value::Null) } else { Err("This field may not be null.".to_owned()) };
    }
    match field.kind {
        Kind::Plain(Plain::Text) if matches!(field.name, "prefix" | "address") => network(field, given),
        Kind::Plain(Plain::Text | Plain::Slug) => text(ty, field, given),
        Kind::Plain(Plain::Int) => match given.as_i64().or_else(|| given.as_str()?.parse().ok()) {
            Some(number) => Ok(Value::from(number)),
            None => Err("A valid integer is required.".to_owned()),
        },
        Kind::Plain(Plain::Decimal) => match given.as_f64().or_else(|| given.as_str()?.parse().ok()) {
            Some(number) => Ok(Value::from(number)),
            None => Err("A valid number is required.".to_owned()),
        },
        Kind::Plain(Plain::Bool) if given.is_boolean() => Ok(given.clone()),
        Kind::Plain(Plain::Bool) => Err("Must be a valid boolean.".to_owned()),
        Kind::Choice(choices) => choice(choices, given),
        Kind::Ref(target, ..) => reference(view, target, given).map(Value::from),
        Kind::RefList(target) => ids(view, target, given).map(Value::from),
        Kind::Tags => ids(view, "extras/tags", given).map(Value::from),
        Kind::Plain(Plain::Texts) if ty.endpoint == "extras/event-rules" && field.name == "object_types" => {
            ruled(given)
        }
        Kind::Plain(Plain::Texts | Plain::TagSlugs) | Kind::Terminations => list(given),
        Kind::CustomFields => custom_fields(view, ty, given, before),
        Kind::Plain(Plain::Json | Plain::Time) => Ok(given.clone()),
        Kind::Stamp(_) | Kind::Derived(_) => Err("This field is read-only.".to_owned()),
    }
}

fn text(ty: &Type, field: &Field, given: &Value) -> Result<Value, String> {
    let text = match (given.as_str(), given.as_number()) {
        (Some(text), _) => text.trim().to_owned(),
        (None, Some(number)) => number.to_string(),
        (None, None) => return Err("Not a valid string.".to_owned()),
    };
    if text.is_empty() && (field.required || field.unique && field.nullable) {
        if field.nullable {
            return Ok(Value::Null);
        }
        return Err("This field may not be blank.".to_owned());
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if matches!(field.kind, Kind::Plain(Plain::Slug)) && !text.bytes().all(plain) {
        return Err(
            "Enter a valid \u{201c}slug\u{201d} consisting of letters, numbers, underscores or hyphens.".to_owned()
        );
    }
    if field.name == "name" && text.chars().count() > 100 && ty.endpoint != "extras/webhooks" {
        return Err("Ensure this field has no more than 100 characters.".to_owned());
    }
    Ok(Value::from(text))
}

fn network(field: &Field, given: &Value) -> Result<Value, String> {
    let text = given.as_str().unwrap_or_default();
    let Some(net) = Net::parse(text) else {
        return Err(format!("Invalid IP address format: {text}"));
    };
    if field.name == "prefix" && net.first() != net.address {
        let meant = net.with_address(net.first());
        return Err(format!("{text} is not a valid prefix. Did you mean {meant}?"));
    }
    Ok(Value::from(net.to_string()))
}

fn choice(choices: &Choices, given: &Value) -> Result<Value, String> {
    let text = match given.as_str() {
        Some(text) => text.to_owned(),
        None => given.to_string(),
    };
    if text.is_empty() {
        return Ok(Value::Null);
    }
    if !choices.values.iter().any(|(value, _)| *value == text) {
        return Err(format!("\"{text}\" is not a valid choice."));
    }
    match text.parse::<i64>() {
        Ok(number) if choices.numeric => Ok(Value::from(number)),
        Ok(_) | Err(_) => Ok(Value::from(text)),
    }
}

/// An object named by id or by attributes that only it has.
fn reference(view: &View, target: &str, given: &Value) -> Result<u64, String> {
    if let Some(attributes) = given.as_object() {
        let fits = |row: &Row| {
            attributes.iter().all(|(name, value)| match name.as_str() {
                "id" => value.as_u64() == Some(row.id),
                _ => row.get(name) == value,
            })
        };
        let mut found = view.table(target).values().filter(|row| fits(row));
        return match (found.next(), found.next()) {
            (Some(row), None) => Ok(row.id),
            (Some(_), Some(_)) => Err(format!("Multiple objects match the provided attributes: {given}")),
            (None, _) => Err(format!("Related object not found using the provided attributes: {given}")),
        };
    }
    let Some(id) = given.as_u64().or_else(|| given.as_str()?.parse().ok()) else {
        return Err(format!(
            "Related objects must be referenced by numeric ID or by dictionary of attributes. Received an unrecognized value: {}",
            given.as_str().unwrap_or("")
        ));
    };
    if view.row(target, id).is_none() {
        return Err(format!("Related object not found using the provided numeric ID: {id}"));
    }
    Ok(id)
}

fn ids(view: &View, target: &str, given: &Value) -> Result<Vec<u64>, String> {
    let Some(list) = given.as_array() else {
        return Err("Expected a list of items but got another type.".to_owned());
    };
    let mut ids = Vec::new();
    for item in list {
        let id = reference(view, target, item)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

fn list(given: &Value) -> Result<Value, String> {
    if given.is_array() { Ok(given.clone()) } else { Err("Expected a list of items but got another type.".to_owned()) }
}

/// Event rules hear of types that are logged, and of no others.
fn ruled(given: &Value) -> Result<Value, String> {
    let names = list(given)?;
    let unknown = |name: &&str| !types::of_model(name).is_some_and(|ty| ty.logged);
    match names.as_array().into_iter().flatten().filter_map(Value::as_str).find(unknown) {
        Some(name) => Err(format!("Invalid content type: {name}")),
        None => Ok(names),
    }
}

/// Values of custom fields are merged into what is there.
fn custom_fields(view: &View, ty: &Type, given: &Value, before: Option<&Row>) -> Result<Value, String> {
    let Some(given) = given.as_object() else {
        return Err("Expected a dictionary.".to_owned());
    };
    let known = |name: &str| {
        view.table("extras/custom-fields").values().any(|field| {
            let types = field.get("object_types").as_array();
            field.text("name") == name && types.is_some_and(|types| types.contains(&Value::from(ty.model)))
        })
    };
    let mut merged = before.and_then(|row| row.get("custom_fields").as_object().cloned()).unwrap_or_default();
    for (name, value) in given {
        if !known(name) {
            return Err(format!("Custom field '{name}' does not exist for this object type."));
        }
        merged.insert(name.clone(), value.clone());
    }
    Ok(Value::Object(merged))
}
