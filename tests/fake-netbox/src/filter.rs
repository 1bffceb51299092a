//! Filters of a list, as NetBox's filter sets understand the query.

mod special;

use std::sync::Arc;

use serde_json::Value;

use crate::render::Render;
use crate::state::Row;
use crate::types::{self, Choices, Field, Kind, Type};
use crate::write::Refusal;

/// Parameters that are no filters.
const OTHERS: &[&str] =
    &["limit", "offset", "start", "fields", "omit", "brief", "exclude", "ordering", "format", "export", "_branch"];

const TEXT_LOOKUPS: &[&str] = &["empty", "ic", "ie", "iew", "isw", "n", "nic", "nie", "niew", "nisw"];
const NUMBER_LOOKUPS: &[&str] = &["empty", "gt", "gte", "lt", "lte", "n"];

/// Where `q` looks.
const SEARCHED: &[&str] = &[
    "name",
    "slug",
    "model",
    "serial",
    "asset_tag",
    "description",
    "comments",
    "address",
    "prefix",
    "dns_name",
    "facility",
    "username",
    "object_repr",
    "user_name",
    "label",
];

type Test<'a> = Box<dyn Fn(&Row) -> bool + 'a>;

/// The rows of a type that pass every filter of the query, by id.
pub(crate) fn apply(
    render: &Render<'_>,
    ty: &'static Type,
    query: &[(String, String)],
) -> Result<Vec<Arc<Row>>, Refusal> {
    let mut keys: Vec<&str> = Vec::new();
    for (key, _) in query {
        if !keys.contains(&key.as_str()) && !OTHERS.contains(&key.as_str()) {
            keys.push(key);
        }
    }
    let mut tests: Vec<Test<'_>> = Vec::new();
    for key in keys {
        let values: Vec<&str> = query
            .iter()
            .filter(|(other, value)| other == key && !value.is_empty())
            .map(|(_, value)| value.as_str())
            .collect();
        if values.is_empty() {
            continue;
        }
        if let Some(test) = test(render, ty, key, &values)? {
            tests.push(test);
        }
    }
    let rows = render.view.table(ty.endpoint).values();
    let passing = rows.filter(|row| tests.iter().all(|test| test(row)));
    Ok(passing.cloned().collect())
}

fn test<'a>(
    render: &'a Render<'_>,
    ty: &'static Type,
    key: &'a str,
    values: &[&'a str],
) -> Result<Option<Test<'a>>, Refusal> {
    if let Some(test) = special::test(render, ty, key, values)? {
        return Ok(Some(test));
    }
    let values = values.to_vec();
    let (name, lookup) = key.split_once("__").unwrap_or((key, ""));
    if name == "id" {
        let numbers = numbers(key, &values)?;
        return Ok(Some(Box::new(move |row| compare(lookup, Some(row.id.cast_signed()), &numbers))));
    }
    if let Some(field) = ty.field(name) {
        return by_field(render, field, key, lookup, values);
    }
    let stem = name.strip_suffix("_id").and_then(|stem| ty.field(stem));
    if let Some(Field { name, kind: Kind::Ref(..), .. }) = stem {
        let wanted = ids(key, &values)?;
        return Ok(Some(Box::new(move |row| wanted.contains(&row.number(name)) != (lookup == "n"))));
    }
    Ok(None)
}

fn by_field<'a>(
    render: &'a Render<'_>,
    field: &'static Field,
    key: &'a str,
    lookup: &'a str,
    values: Vec<&'a str>,
) -> Result<Option<Test<'a>>, Refusal> {
    let name = field.name;
    let test: Test<'a> = match field.kind {
        Kind::Choice(choices) => {
            if lookup.is_empty() {
                check_choices(key, choices, &values)?;
            }
            Box::new(move |row| text(lookup, &as_text(row.get(name)), &values))
        }
        Kind::Text | Kind::Slug => Box::new(move |row| text(lookup, &as_text(row.get(name)), &values)),
        Kind::Int | Kind::Decimal => {
            let numbers = numbers(key, &values)?;
            #[allow(clippy::cast_possible_truncation)]
            let own = move |row: &Row| row.get(name).as_f64().map(|number| number as i64);
            Box::new(move |row| compare(lookup, own(row), &numbers))
        }
        Kind::Bool => {
            let wanted = truth(values[0]);
            Box::new(move |row| wanted.is_none() || row.get(name).as_bool() == wanted)
        }
        Kind::Time | Kind::Created | Kind::Updated => Box::new(move |row| time(lookup, row.text(name), values[0])),
        Kind::Texts => Box::new(move |row| {
            let list = row.get(name).as_array().map(Vec::as_slice).unwrap_or_default();
            list.iter().any(|item| values.contains(&item.as_str().unwrap_or("")))
        }),
        Kind::Ref(target, ..) => {
            let wanted = special::named(render, target, key, &values)?;
            Box::new(move |row| wanted.contains(&row.number(name)) != (lookup == "n"))
        }
        Kind::RefList(_)
        | Kind::Json
        | Kind::Tags
        | Kind::TagSlugs
        | Kind::CustomFields
        | Kind::Terminations
        | Kind::Generic(_)
        | Kind::AlwaysNull
        | Kind::AlwaysEmpty
        | Kind::AlwaysZero
        | Kind::Count(..)
        | Kind::Counter(..)
        | Kind::Computed(_) => return Ok(None),
    };
    Ok(Some(test))
}

fn check_choices(key: &str, choices: &Choices, values: &[&str]) -> Result<(), Refusal> {
    let known = |value: &&&str| **value == "null" || choices.values.iter().any(|(other, _)| other == *value);
    match values.iter().find(|value| !known(value)) {
        Some(value) => Err(no_choice(key, value)),
        None => Ok(()),
    }
}

fn no_choice(key: &str, value: &str) -> Refusal {
    let text = format!("Select a valid choice. {value} is not one of the available choices.");
    Refusal::of(key, text)
}

fn as_text(value: &Value) -> Option<String> {
    match value.as_str() {
        Some(text) => Some(text.to_owned()),
        None if value.is_null() => None,
        None => Some(value.to_string()),
    }
}

fn text(lookup: &str, own: &Option<String>, values: &[&str]) -> bool {
    let lower = own.as_deref().unwrap_or("").to_lowercase();
    let any = |test: &dyn Fn(&str) -> bool| values.iter().any(|value| test(&value.to_lowercase()));
    match lookup {
        "ic" => any(&|value| lower.contains(value)),
        "ie" => any(&|value| lower == value),
        "isw" => any(&|value| lower.starts_with(value)),
        "iew" => any(&|value| lower.ends_with(value)),
        "nic" => !any(&|value| lower.contains(value)),
        "nie" => !any(&|value| lower == value),
        "nisw" => !any(&|value| lower.starts_with(value)),
        "niew" => !any(&|value| lower.ends_with(value)),
        "empty" => Some(lower.is_empty()) == truth(values[0]),
        "n" => !exact(own, values),
        _ => exact(own, values),
    }
}

fn exact(own: &Option<String>, values: &[&str]) -> bool {
    match own.as_deref() {
        Some(own) => values.contains(&own) || own.is_empty() && values.contains(&"null"),
        None => values.contains(&"null"),
    }
}

fn compare(lookup: &str, own: Option<i64>, wanted: &[Option<i64>]) -> bool {
    let first = wanted.first().copied().flatten();
    let both = own.zip(first);
    match lookup {
        "gt" => both.is_some_and(|(own, first)| own > first),
        "gte" => both.is_some_and(|(own, first)| own >= first),
        "lt" => both.is_some_and(|(own, first)| own < first),
        "lte" => both.is_some_and(|(own, first)| own <= first),
        "n" => !wanted.contains(&own),
        "empty" => own.is_none() == (first == Some(1)),
        _ => wanted.contains(&own),
    }
}

fn time(lookup: &str, own: &str, wanted: &str) -> bool {
    let plain = |text: &str| {
        let text = text.trim_end_matches('Z').replacen(' ', "T", 1);
        text.strip_suffix("+00:00").map(str::to_owned).unwrap_or(text)
    };
    let (own, wanted) = (plain(own), plain(wanted));
    match lookup {
        "gt" => own > wanted,
        "gte" => own >= wanted,
        "lt" => own < wanted,
        "lte" => own <= wanted,
        "n" => own != wanted,
        _ => own == wanted,
    }
}

fn truth(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "1" => Some(true),
        "false" | "False" | "0" => Some(false),
        _ => None,
    }
}

fn numbers(key: &str, values: &[&str]) -> Result<Vec<Option<i64>>, Refusal> {
    let number = |value: &&str| match *value {
        "null" => Ok(None),
        "true" if key.ends_with("__empty") => Ok(Some(1)),
        "false" if key.ends_with("__empty") => Ok(Some(0)),
        text => match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(Refusal::of(key, "Enter a whole number.")),
        },
    };
    values.iter().map(number).collect()
}

fn ids(key: &str, values: &[&str]) -> Result<Vec<Option<u64>>, Refusal> {
    let id = |value: &&str| match value.parse() {
        Ok(id) => Ok(Some(id)),
        Err(_) if *value == "null" => Ok(None),
        Err(_) => Err(no_choice(key, value)),
    };
    values.iter().map(id).collect()
}

/// Names of all query parameters that a list of the type understands.
pub(crate) fn parameters(ty: &Type) -> Vec<String> {
    let plain = ["brief", "fields", "id", "limit", "offset", "omit", "ordering", "q", "start"];
    let mut names: Vec<String> = plain.iter().map(|name| (*name).to_owned()).collect();
    let mut add = |name: &str, lookups: &[&str]| {
        names.push(name.to_owned());
        names.extend(lookups.iter().map(|lookup| format!("{name}__{lookup}")));
    };
    add("id", NUMBER_LOOKUPS);
    for field in ty.fields {
        match field.kind {
            Kind::Text | Kind::Slug | Kind::Choice(_) => add(field.name, TEXT_LOOKUPS),
            Kind::Int | Kind::Decimal | Kind::Time | Kind::Created | Kind::Updated => {
                add(field.name, NUMBER_LOOKUPS);
            }
            Kind::Bool | Kind::Texts => add(field.name, &[]),
            Kind::Ref(target, ..) => {
                if types::at(target).is_some_and(|target| target.field("slug").is_some()) {
                    add(field.name, &["n"]);
                }
                add(&format!("{}_id", field.name), &["n"]);
            }
            Kind::Tags => {
                add("tag", &["n"]);
                add("tag_id", &["n"]);
            }
            Kind::RefList(_)
            | Kind::Json
            | Kind::TagSlugs
            | Kind::CustomFields
            | Kind::Terminations
            | Kind::Generic(_)
            | Kind::AlwaysNull
            | Kind::AlwaysEmpty
            | Kind::AlwaysZero
            | Kind::Count(..)
            | Kind::Counter(..)
            | Kind::Computed(_) => {}
        }
    }
    special::parameters(ty, &mut add);
    names.sort_unstable();
    names.dedup();
    names
}
