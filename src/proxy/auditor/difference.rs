//! Where two answers differ.

use serde_json::Value;

/// The first place at which two JSON texts differ, as a path (`results[3].site.name`); `None` when they say the same. Text that
/// is no JSON differs at its root.
pub(super) fn first_difference(ours: &[u8], theirs: &[u8]) -> Option<String> {
    if ours == theirs {
        return None;
    }
    match (serde_json::from_slice(ours), serde_json::from_slice(theirs)) {
        (Ok(ours), Ok(theirs)) => {
            let mut path = String::new();
            differ(&ours, &theirs, &mut path).then(|| if path.is_empty() { ".".to_owned() } else { path })
        }
        (Err(_), _) | (_, Err(_)) => Some(".".to_owned()),
    }
}

/// Whether they differ; the path then leads there.
fn differ(ours: &Value, theirs: &Value, path: &mut String) -> bool {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let missing = theirs.keys().find(|name| !ours.contains_key(*name));
            let by_name = |(name, value): (&String, &Value), path: &mut String| {
                let separator = if path.is_empty() { "" } else { "." };
                within(path, &format!("{separator}{name}"), |path| {
                    theirs.get(name).is_none_or(|other| differ(value, other, path))
                })
            };
            ours.iter().any(|member| by_name(member, path)) || missing.is_some_and(|name| within(path, name, |_| true))
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            let pairs = ours.iter().zip(theirs).enumerate();
            let mut at = |(index, (ours, theirs)): (usize, (&Value, &Value))| {
                within(path, &format!("[{index}]"), |path| differ(ours, theirs, path))
            };
            pairs.into_iter().any(&mut at) || ours.len() != theirs.len()
        }
        (ours, theirs) => ours != theirs,
    }
}

/// Looks further down; the path stays there only if they differ there.
fn within(path: &mut String, step: &str, look: impl FnOnce(&mut String) -> bool) -> bool {
    let length = path.len();
    path.push_str(step);
    let found = look(path);
    if !found {
        path.truncate(length);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        let ours = r#"{"count":2,"results":[{"id":1,"site":{"name":"a"}},{"id":2}]}"#;
        for (theirs, path) in [
            (ours, None),
            (r#"{ "results":[{"site":{"name":"a"},"id":1},{"id":2}], "count":2}"#, None),
            (r#"{"count":2,"results":[{"id":1,"site":{"name":"b"}},{"id":2}]}"#, Some("results[0].site.name")),
            (r#"{"count":3,"results":[]}"#, Some("count")),
            (r#"{"count":2,"results":[{"id":1,"site":{"name":"a"}}]}"#, Some("results")),
            (r#"{"count":2,"results":[{"id":1,"site":{"name":"a"}},{"id":2,"new":1}]}"#, Some("results[1]new")),
            ("<html>", Some(".")),
            ("[]", Some(".")),
        ] {
            assert_eq!(first_difference(ours.as_bytes(), theirs.as_bytes()).as_deref(), path, "{theirs}");
        }
    }
}
