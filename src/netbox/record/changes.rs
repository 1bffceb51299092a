//! A record's values as NetBox takes them, and what of them was changed.

use serde_json::{Map, Value};

/// NetBox keeps no order in these.
const SETS: [&str; 2] = ["tags", "tagged_vlans"];

/// JSON that is sent as it is: users' own, and what pynetbox 7.8 declares a `JsonField`.
const OPAQUE: [&str; 10] = [
    "action_data",
    "conditions",
    "config_context",
    "constraints",
    "data",
    "local_context_data",
    "object_data",
    "parameters",
    "postchange_data",
    "prechange_data",
];

/// References become ids, choices become values.
pub(super) fn serialize(values: &Map<String, Value>) -> Map<String, Value> {
    values.iter().map(|(name, value)| (name.clone(), field(name, value))).collect()
}

/// The fields whose serialised value differs.
pub(super) fn between(original: &Map<String, Value>, current: &Map<String, Value>) -> Map<String, Value> {
    let changed = |(name, value): (&String, &Value)| {
        let now = field(name, value);
        let before = original.get(name).map(|value| field(name, value));
        let same = match (name.as_str(), &before, &now) {
            (_, None, _) => false,
            ("custom_fields", Some(Value::Object(before)), Value::Object(now)) => {
                now.iter().all(|(name, value)| before.get(name) == Some(value))
            }
            (_, Some(before), now) if SETS.contains(&name.as_str()) => sorted(before) == sorted(now),
            (_, Some(before), now) => before == now,
        };
        (!same).then(|| (name.clone(), now))
    };
    current.iter().filter_map(changed).collect()
}

fn field(name: &str, value: &Value) -> Value {
    if OPAQUE.contains(&name) {
        return value.clone();
    }
    if name == "custom_fields" {
        let Value::Object(fields) = value else { return value.clone() };
        return Value::Object(fields.iter().map(|(name, value)| (name.clone(), custom(value))).collect());
    }
    match value {
        Value::Object(nested) => reference(nested).unwrap_or_else(|| value.clone()),
        Value::Array(members) => Value::Array(members.iter().map(member).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// An object NetBox knows stands for its id, a choice for its value.
fn reference(nested: &Map<String, Value>) -> Option<Value> {
    let known = |name| nested.get(name).filter(|value| !value.is_null());
    known("id").or_else(|| known("value")).cloned()
}

/// Cable terminations keep their type beside the id; mappings without an id of their own stay whole.
fn member(value: &Value) -> Value {
    let Value::Object(nested) = value else { return value.clone() };
    if let (Some(kind), Some(Value::Object(object))) = (nested.get("object_type"), nested.get("object")) {
        let id = object.get("id").cloned().unwrap_or(Value::Null);
        return serde_json::json!({"object_type": kind, "object_id": id});
    }
    nested.get("id").cloned().unwrap_or_else(|| value.clone())
}

/// A selection of NetBox ≥ 4.7 stands for its value; objects, alone or in lists, for their ids.
fn custom(value: &Value) -> Value {
    match value {
        Value::Object(nested) => reference(nested).unwrap_or_else(|| value.clone()),
        Value::Array(members) => Value::Array(members.iter().map(custom).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn sorted(value: &Value) -> Vec<String> {
    let members = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut texts: Vec<String> = members.iter().map(ToString::to_string).collect();
    texts.sort_unstable();
    texts.dedup();
    texts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        let Value::Object(map) = value else { panic!("an object is wanted") };
        map
    }

    #[test]
    fn only_what_changed_is_sent() {
        let original = map(json!({
            "id": 1, "name": "a", "site": {"id": 2, "url": "u"}, "status": {"value": "active", "label": "Active"},
            "tags": [{"id": 1}, {"id": 2}], "custom_fields": {"x": 1, "y": {"id": 5}}, "local_context_data": {"id": 7},
            "a_terminations": [{"object_type": "dcim.interface", "object_id": 3, "object": {"id": 3, "url": "u"}}],
        }));
        assert!(between(&original, &original).is_empty());
        let mut current = original.clone();
        for (name, value) in [
            ("site", json!(2)),
            ("status", json!("active")),
            ("tags", json!([2, 1])),
            ("custom_fields", json!({"x": 1})),
        ] {
            current.insert(name.to_owned(), value);
        }
        assert!(between(&original, &current).is_empty(), "the same in NetBox's own terms");
        for (name, value) in [
            ("site", json!(3)),
            ("status", json!("planned")),
            ("tags", json!([1])),
            ("custom_fields", json!({"x": null})),
            ("local_context_data", json!({"id": 8})),
            ("comments", json!("new")),
        ] {
            current.insert(name.to_owned(), value);
        }
        let expected = json!({"site": 3, "status": "planned", "tags": [1], "custom_fields": {"x": null}, "local_context_data": {"id": 8}, "comments": "new"});
        assert_eq!(Value::Object(between(&original, &current)), expected);
        assert_eq!(serialize(&original)["a_terminations"], json!([{"object_type": "dcim.interface", "object_id": 3}]));
    }
}
