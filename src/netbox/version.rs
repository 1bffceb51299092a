//! What kind of NetBox answers: its version and plugins, as `/api/status/` and the `API-Version` header say.

use std::collections::BTreeMap;

use serde::Deserialize;

/// NetBox's full version and its plugins with theirs, from `/api/status/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// For example `4.6.8`.
    pub version: String,
    /// Plugin package → version, for example `netbox_branching` → `1.1.3`.
    pub plugins: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Status {
    /// NetBox ≥ 4.3; below, `netbox-version` is the full one.
    #[serde(rename = "netbox-full-version")]
    full: Option<String>,
    #[serde(rename = "netbox-version")]
    version: String,
    #[serde(default)]
    plugins: BTreeMap<String, serde_json::Value>,
}

impl Installation {
    /// Reads the body of `/api/status/`; `None` when it is not one.
    pub fn from_status(body: &[u8]) -> Option<Self> {
        let status: Status = serde_json::from_slice(body).ok()?;
        let text = |value: serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some(Self {
            version: status.full.unwrap_or(status.version),
            plugins: status.plugins.into_iter().map(|(name, value)| (name, text(value))).collect(),
        })
    }

    /// Whether the branching plugin is installed, so that a branch header has any effect.
    pub fn has_branching(&self) -> bool {
        self.plugins.contains_key("netbox_branching")
    }

    /// Whether a response's `API-Version` (`4.6`) can come from this installation (`4.6.8`).
    pub fn agrees_with(&self, api_version: &str) -> bool {
        self.version.strip_prefix(api_version).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
    }
}

/// Whether a full version (`4.6.8-Docker`) is at least this one.
pub fn is_at_least(version: &str, major: u32, minor: u32) -> bool {
    let number = |text: Option<&str>| {
        let digits = text?.split(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse::<u32>().ok()
    };
    let mut parts = version.split('.');
    match (number(parts.next()), number(parts.next())) {
        (Some(first), Some(second)) => (first, second) >= (major, minor),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_forms_of_status() {
        let new = br#"{"netbox-version":"4.6.8","netbox-full-version":"4.6.8-Docker","plugins":{"netbox_branching":"1.1.3"}}"#;
        let new = Installation::from_status(new).unwrap();
        assert_eq!(new.version, "4.6.8-Docker");
        assert!(new.has_branching());
        let old = Installation::from_status(br#"{"netbox-version":"4.2.1"}"#).unwrap();
        assert_eq!((old.version.as_str(), old.has_branching()), ("4.2.1", false));
        assert_eq!(Installation::from_status(b"<html>"), None);
    }

    #[test]
    fn api_version_is_a_prefix_by_component() {
        let netbox = Installation { version: "4.6.8".to_owned(), plugins: BTreeMap::new() };
        assert!(netbox.agrees_with("4.6"));
        assert!(!netbox.agrees_with("4.7"));
        let later = Installation { version: "4.60.1".to_owned(), plugins: BTreeMap::new() };
        assert!(!later.agrees_with("4.6"));
    }
}
