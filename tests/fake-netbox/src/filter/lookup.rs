//! The comparisons that a filter's lookup asks for, such as `__ic` or `__gte`.

use serde_json::Value;

pub(super) fn as_text(value: &Value) -> Option<String> {
    match value.as_str() {
        Some(text) => Some(text.to_owned()),
        None if value.is_null() => None,
        None => Some(value.to_string()),
    }
}

pub(super) fn text(lookup: &str, own: &Option<String>, values: &[&str]) -> bool {
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

pub(super) fn compare(lookup: &str, own: Option<i64>, wanted: &[Option<i64>]) -> bool {
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

pub(super) fn time(lookup: &str, own: &str, wanted: &str) -> bool {
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

pub(super) fn truth(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "1" => Some(true),
        "false" | "False" | "0" => Some(false),
        _ => None,
    }
}
