//! What is the same: results and requests without what can only differ, such as origins, times and made-up secrets.

use std::collections::BTreeMap;

use fake_netbox::{FakeNetbox, Received};
use serde_json::{Value, json};

use super::scenario::Step;

/// What differs between two servers that were set up the same way.
pub(super) struct Names {
    url: String,
    known_token: String,
    branches: BTreeMap<String, String>,
}

/// What a step did and brought.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) result: Value,
    pub(super) requests: Vec<Value>,
}

impl Names {
    pub(super) fn new(netbox: &FakeNetbox, branches: BTreeMap<String, String>) -> Self {
        Self { url: netbox.url(), known_token: format!("Bearer {}", netbox.token_v2()), branches }
    }

    /// A step's outcome; the log is the server's since the step began.
    pub(super) fn outcome(&self, step: &Step, result: Value, log: &[Received]) -> Outcome {
        let mut result = self.plain(result);
        let mut requests: Vec<Value> = log.iter().map(|request| self.request(request)).collect();
        if step.any_order {
            requests.sort_by_key(Value::to_string);
            if let Some(rows) = result.get_mut("value").and_then(Value::as_array_mut) {
                rows.sort_by_key(Value::to_string);
            }
        }
        Outcome { result, requests }
    }

    fn request(&self, request: &Received) -> Value {
        let mut query = request.query.clone();
        query.sort();
        let text = String::from_utf8_lossy(&request.body).into_owned();
        let body: Value = match text.as_str() {
            "" => Value::Null,
            text => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
        };
        let kind = if body.is_null() { None } else { request.header("content-type") };
        let authorization = request.header("authorization").map(|value| {
            let made = value.starts_with("Bearer nbt_") && value != self.known_token;
            if made { "Bearer nbt_MADE.HERE" } else { value }
        });
        self.plain(json!({
            "method": request.method,
            "path": request.path,
            "query": query,
            "body": body,
            "content-type": kind,
            "accept": request.header("accept"),
            "authorization": authorization,
            "branch": request.header("x-netbox-branch"),
        }))
    }

    fn plain(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.plain(item)).collect(),
            Value::Object(members) => members.into_iter().map(|(name, value)| (name, self.plain(value))).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) => value,
        }
    }

    fn text(&self, text: &str) -> String {
        if text.len() == 36 && text.split('-').map(str::len).eq([8, 4, 4, 4, 12]) {
            return "UUID".to_owned();
        }
        let mut text = without_times(text).replace(&self.url, "ORIGIN");
        for (name, schema) in &self.branches {
            text = text.replace(schema.as_str(), &format!("BRANCH {name}"));
        }
        text
    }
}

/// The text with TIME for each `2026-11-23T21:13:44.642678Z` in it.
fn without_times(text: &str) -> String {
    const FORM: &str = "0000-00-00T00:00:00.000000Z";
    let digits = |c: char| if c.is_ascii_digit() { '0' } else { c };
    let form: String = text.chars().map(digits).collect();
    let mut plain = String::new();
    let mut rest = (text, form.as_str());
    while let Some(at) = rest.1.find(FORM) {
        plain.push_str(&rest.0[..at]);
        plain.push_str("TIME");
        rest = (&rest.0[at + FORM.len()..], &rest.1[at + FORM.len()..]);
    }
    plain + rest.0
}

/// What is wrong with a step: something differs without a reason, or a reason is stale.
pub(super) fn judge(step: &Step, python: &Outcome, rust: &Outcome) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut look = |what: &str, excuse: &Option<String>, same: bool, told: String| match (excuse, same) {
        (None, false) => wrong.push(format!("{what} differ:\n{told}")),
        (Some(excuse), true) => wrong.push(format!("{what} are the same, yet they are excused by {excuse:?}")),
        (None, true) | (Some(_), false) => {}
    };
    let requests = told(&Value::from(python.requests.clone()), &Value::from(rust.requests.clone()), "requests");
    look("requests", &step.differs.requests, python.requests == rust.requests, requests);
    let result = told(&python.result, &rust.result, "result");
    look("results", &step.differs.result, python.result == rust.result, result);
    wrong
}

/// Where two values differ, as lines.
fn told(python: &Value, rust: &Value, at: &str) -> String {
    if python == rust {
        return String::new();
    }
    let length = |value: &Value| value.as_array().map(Vec::len);
    match (python, rust) {
        (Value::Object(a), Value::Object(b)) => {
            let names = a.keys().chain(b.keys().filter(|name| !a.contains_key(*name)));
            let null = Value::Null;
            let inner = |name: &String| {
                told(a.get(name).unwrap_or(&null), b.get(name).unwrap_or(&null), &format!("{at}.{name}"))
            };
            names.map(inner).collect()
        }
        (Value::Array(a), Value::Array(b)) if length(python) == length(rust) => {
            let pairs = a.iter().zip(b).enumerate();
            pairs.map(|(index, (a, b))| told(a, b, &format!("{at}[{index}]"))).collect()
        }
        _ => {
            let short = |value: &Value| value.to_string().chars().take(1500).collect::<String>();
            format!("  {at}\n    pynetbox: {}\n    nbproxy:  {}\n", short(python), short(rust))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(differs: &Value) -> Step {
        serde_json::from_value(json!({"name": "x", "op": "x", "differs": differs})).expect("it is a step")
    }

    #[test]
    fn a_difference_needs_a_reason_and_a_reason_a_difference() {
        let outcome = |result: u64, requests: &[u64]| Outcome {
            result: result.into(),
            requests: requests.iter().map(|one| Value::from(*one)).collect(),
        };
        let plain = step(&json!({}));
        let excused = step(&json!({"requests": "a", "result": "b"}));
        assert!(judge(&plain, &outcome(1, &[1]), &outcome(1, &[1])).is_empty());
        assert_eq!(judge(&plain, &outcome(1, &[1]), &outcome(2, &[1, 1])).len(), 2);
        assert_eq!(judge(&excused, &outcome(1, &[1]), &outcome(1, &[1])).len(), 2);
        assert!(judge(&excused, &outcome(1, &[1]), &outcome(2, &[2])).is_empty());
    }

    #[test]
    fn times_are_known_by_their_form() {
        assert_eq!(without_times("2026-11-23T21:13:44.642678Z"), "TIME");
        assert_eq!(without_times("ä 2026-11-23T21:13:44.642678Z (info)"), "ä TIME (info)");
        assert_eq!(without_times("10.0.0.1/24 on 2026-11-23"), "10.0.0.1/24 on 2026-11-23");
    }
}
