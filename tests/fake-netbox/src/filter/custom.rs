//! Filters for custom fields: there is one for each field of the type, with its lookups, unless it is disabled.

use serde_json::Value;

use super::lookup::{as_text, compare, text};
use super::{NUMBER_LOOKUPS, TEXT_LOOKUPS, Test, numbers};
use crate::render::Render;
use crate::state::Row;
use crate::types::Type;
use crate::write::Refusal;

/// How their names begin.
pub(super) const PREFIX: &str = "cf_";

/// The test, if there is such a field.
pub(super) fn test<'a>(
    render: &'a Render<'_>,
    ty: &'static Type,
    key: &'a str,
    values: &[&'a str],
) -> Result<Option<Test<'a>>, Refusal> {
    let name = key.strip_prefix(PREFIX).unwrap_or(key);
    let (name, lookup) = name.split_once("__").unwrap_or((name, ""));
    let of_type = |field: &&Row| {
        let types = field.get("object_types").as_array();
        types.is_some_and(|types| types.contains(&Value::from(ty.model))) && field.text("filter_logic") != "disabled"
    };
    let fields = render.view.table("extras/custom-fields").values().map(AsRef::as_ref);
    let Some(field) = fields.filter(of_type).find(|field| field.text("name") == name) else {
        return Ok(None);
    };
    let is_number = matches!(field.text("type"), "integer" | "object");
    let lookups = if is_number { NUMBER_LOOKUPS } else { TEXT_LOOKUPS };
    if !lookup.is_empty() && !lookups.contains(&lookup) {
        return Ok(None);
    }
    let own = move |row: &'_ Row| row.get("custom_fields").get(name).cloned().unwrap_or(Value::Null);
    if is_number {
        let numbers = numbers(key, values)?;
        return Ok(Some(Box::new(move |row| compare(lookup, own(row).as_i64(), &numbers))));
    }
    let values = values.to_vec();
    Ok(Some(Box::new(move |row| text(lookup, &as_text(&own(row)), &values))))
}
