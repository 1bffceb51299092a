//! Filters of a list, as NetBox's filter sets understand the query.

mod custom;
mod lookup;
mod special;

use std::sync::Arc;

use lookup::{as_text, compare, text, time, truth};

use crate::render::Render;
use crate::state::Row;
use crate::types::{self, Choices, Field, Kind, Plain, Type};
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

/// How the values of a field are compared.
enum Compared {
    Text,
    Number,
    Time,
    Bool,
    Texts,
    /// As the object of that type which the field refers to.
    Ref(&'static str),
}

impl Compared {
    /// Nothing where a field is no filter by itself.
    fn of(field: &Field) -> Option<Compared> {
        match field.kind {
            Kind::Plain(Plain::Text | Plain::Slug) | Kind::Choice(_) => Some(Compared::Text),
            Kind::Plain(Plain::Int | Plain::Decimal) => Some(Compared::Number),
            Kind::Plain(Plain::Time) | Kind::Stamp(_) => Some(Compared::Time),
            Kind::Plain(Plain::Bool) => Some(Compared::Bool),
            Kind::Plain(Plain::Texts) => Some(Compared::Texts),
            Kind::Ref(target, ..) => Some(Compared::Ref(target)),
            Kind::Plain(Plain::Json | Plain::TagSlugs)
            | Kind::RefList(_)
            | Kind::Tags
            | Kind::CustomFields
            | Kind::Terminations
            | Kind::Derived(_) => None,
        }
    }
}

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
    let known = if keys.is_empty() { Vec::new() } else { parameters(ty) };
    let mut tests: Vec<Test<'_>> = Vec::new();
    for key in keys {
        // As in NetBox, an unknown filter is ignored.
        if known.binary_search_by(|name| name.as_str().cmp(key)).is_err() && !key.starts_with(custom::PREFIX) {
            continue;
        }
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
    if key.starts_with(custom::PREFIX) {
        return custom::test(render, ty, key, values);
    }
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
    let Some(sort) = Compared::of(field) else {
        return Ok(None);
    };
    let test: Test<'a> = match sort {
        Compared::Text => {
            if let Some(choices) = field.choices().filter(|_| lookup.is_empty()) {
                check_choices(key, choices, &values)?;
            }
            Box::new(move |row| text(lookup, &as_text(row.get(name)), &values))
        }
        Compared::Number => {
            let numbers = numbers(key, &values)?;
            #[allow(clippy::cast_possible_truncation)]
            let own = move |row: &Row| row.get(name).as_f64().map(|number| number as i64);
            Box::new(move |row| compare(lookup, own(row), &numbers))
        }
        Compared::Bool => {
            let wanted = truth(values[0]);
            Box::new(move |row| wanted.is_none() || row.get(name).as_bool() == wanted)
        }
        Compared::Time => Box::new(move |row| time(lookup, row.text(name), values[0])),
        Compared::Texts => Box::new(move |row| {
            let list = row.get(name).as_array().map(Vec::as_slice).unwrap_or_default();
            list.iter().any(|item| values.contains(&item.as_str().unwrap_or("")))
        }),
        Compared::Ref(target) => {
            let wanted = special::named(render, target, key, &values)?;
            Box::new(move |row| wanted.contains(&row.number(name)) != (lookup == "n"))
        }
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

/// Names of all query parameters that a list of the type understands, sorted; those of custom fields' filters are in no
/// document.
pub(crate) fn parameters(ty: &Type) -> Vec<String> {
    let plain = ["brief", "fields", "id", "limit", "offset", "omit", "ordering", "q", "start"];
    let mut names: Vec<String> = plain.iter().map(|name| (*name).to_owned()).collect();
    let mut add = |name: &str, lookups: &[&str]| {
        names.push(name.to_owned());
        names.extend(lookups.iter().map(|lookup| format!("{name}__{lookup}")));
    };
    add("id", NUMBER_LOOKUPS);
    for field in ty.fields {
        match Compared::of(field) {
            Some(Compared::Text) => add(field.name, TEXT_LOOKUPS),
            Some(Compared::Number | Compared::Time) => add(field.name, NUMBER_LOOKUPS),
            Some(Compared::Bool | Compared::Texts) => add(field.name, &[]),
            Some(Compared::Ref(target)) => {
                if types::at(target).is_some_and(|target| target.field("slug").is_some()) {
                    add(field.name, &["n"]);
                }
                add(&format!("{}_id", field.name), &["n"]);
            }
            None if matches!(field.kind, Kind::Tags) => {
                add("tag", &["n"]);
                add("tag_id", &["n"]);
            }
            None => {}
        }
    }
    special::parameters(ty, &mut add);
    names.sort_unstable();
    names.dedup();
    names
}
