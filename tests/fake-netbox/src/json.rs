//! JSON whose keys keep the order in which they were put, as NetBox's answers do.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::Value;

/// A JSON document under construction.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    /// Anything whose order of keys does not matter.
    Value(Value),
    List(Vec<Json>),
    Object(Vec<(Cow<'static, str>, Json)>),
}

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Without any blank, as Django REST framework writes it.
    Compact,
    /// One key a line, indented by so many blanks.
    Indent(usize),
    /// A blank after each comma and colon, as Python's `json.dumps` writes it.
    Python,
}

impl Json {
    pub(crate) const NULL: Json = Json::Value(Value::Null);

    pub(crate) fn key(name: &'static str) -> Cow<'static, str> {
        Cow::Borrowed(name)
    }

    /// An object of few fixed keys.
    pub(crate) fn object<const N: usize>(members: [(&'static str, Json); N]) -> Json {
        Json::Object(members.into_iter().map(|(key, value)| (Cow::Borrowed(key), value)).collect())
    }

    /// NetBox's shape of a refusal.
    pub(crate) fn detail(text: impl Into<String>) -> Json {
        Json::object([("detail", Json::from(text.into()))])
    }

    pub(crate) fn text(&self, style: Style) -> String {
        let mut out = String::new();
        self.write(&mut out, style, 0);
        out
    }

    fn write(&self, out: &mut String, style: Style, depth: usize) {
        match self {
            Json::Value(value) => write_value(value, out, style, depth),
            Json::List(items) => {
                let parts = items.iter().map(|item| (None, Part::Json(item)));
                write_group(parts, ['[', ']'], out, style, depth);
            }
            Json::Object(members) => {
                let parts = members.iter().map(|(key, value)| (Some(key.as_ref()), Part::Json(value)));
                write_group(parts, ['{', '}'], out, style, depth);
            }
        }
    }
}

enum Part<'a> {
    Json(&'a Json),
    Value(&'a Value),
}

fn write_value(value: &Value, out: &mut String, style: Style, depth: usize) {
    if style == Style::Compact || !(value.is_array() || value.is_object()) {
        // Writing to a String cannot fail.
        let _ = write!(out, "{value}");
    } else if let Some(items) = value.as_array() {
        let parts = items.iter().map(|item| (None, Part::Value(item)));
        write_group(parts, ['[', ']'], out, style, depth);
    } else if let Some(members) = value.as_object() {
        let parts = members.iter().map(|(key, value)| (Some(key.as_str()), Part::Value(value)));
        write_group(parts, ['{', '}'], out, style, depth);
    }
}

fn write_group<'a>(
    parts: impl Iterator<Item = (Option<&'a str>, Part<'a>)>,
    brackets: [char; 2],
    out: &mut String,
    style: Style,
    depth: usize,
) {
    out.push(brackets[0]);
    let mut empty = true;
    for (key, part) in parts {
        if !empty {
            out.push_str(if style == Style::Python { ", " } else { "," });
        }
        empty = false;
        new_line(out, style, depth + 1);
        if let Some(key) = key {
            let _ = write!(out, "{}", Value::from(key));
            out.push_str(if style == Style::Compact { ":" } else { ": " });
        }
        match part {
            Part::Json(json) => json.write(out, style, depth + 1),
            Part::Value(value) => write_value(value, out, style, depth + 1),
        }
    }
    if !empty {
        new_line(out, style, depth);
    }
    out.push(brackets[1]);
}

fn new_line(out: &mut String, style: Style, depth: usize) {
    if let Style::Indent(width) = style {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', width * depth));
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Json {
        Json::Value(value)
    }
}

impl From<String> for Json {
    fn from(text: String) -> Json {
        Json::Value(Value::String(text))
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Json {
        Json::Value(Value::from(text))
    }
}

impl From<u64> for Json {
    fn from(number: u64) -> Json {
        Json::Value(Value::from(number))
    }
}

impl From<bool> for Json {
    fn from(truth: bool) -> Json {
        Json::Value(Value::Bool(truth))
    }
}

impl From<Vec<Json>> for Json {
    fn from(items: Vec<Json>) -> Json {
        Json::List(items)
    }
}

#[cfg(test)]
mod tests {
    use super::{Json, Style};

    #[test]
    fn the_order_of_keys_is_kept_in_every_style() {
        let json = Json::object([
            ("b", Json::from(1)),
            ("a", Json::List(vec![Json::NULL, Json::from("ü")])),
            ("c", Json::List(vec![])),
        ]);
        assert_eq!(json.text(Style::Compact), r#"{"b":1,"a":[null,"ü"],"c":[]}"#);
        assert_eq!(json.text(Style::Python), r#"{"b": 1, "a": [null, "ü"], "c": []}"#);
        assert_eq!(
            json.text(Style::Indent(2)),
            "{\n  \"b\": 1,\n  \"a\": [\n    null,\n    \"ü\"\n  ],\n  \"c\": []\n}"
        );
    }
}
