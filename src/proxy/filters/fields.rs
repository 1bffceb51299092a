//! The custom fields that there are, and may be filtered by.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, CACHE_CONTROL};
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::Value;

use crate::proxy::Inner;

/// Rows asked for at once; NetBox gives fewer where its `MAX_PAGE_SIZE` is less.
const ROWS: usize = 1000;

/// The names of custom fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CustomFields(BTreeSet<Box<str>>);

#[derive(Deserialize)]
struct Page {
    count: usize,
    next: Option<Value>,
    results: Vec<Field>,
}

#[derive(Deserialize)]
struct Field {
    name: Box<str>,
    #[serde(default)]
    filter_logic: Value,
}

impl CustomFields {
    pub(super) const fn none() -> Self {
        Self(BTreeSet::new())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }

    #[cfg(test)]
    pub(super) fn of(names: &[&str]) -> Self {
        Self(names.iter().map(|name| Box::from(*name)).collect())
    }
}

impl Field {
    /// NetBox makes no filter for a field whose filter logic is `disabled` (netbox/filtersets.py).
    fn is_filter(&self) -> bool {
        self.filter_logic.get("value").and_then(Value::as_str) != Some("disabled")
    }
}

impl Inner {
    /// The custom fields, as memory or NetBox has them; `fresh`: as NetBox does. `None` when they cannot be had. What the
    /// shared token may not see is not among them, so it must be one that may see all.
    pub(super) async fn custom_fields(self: &Arc<Self>, fresh: bool) -> Option<CustomFields> {
        // Who is nobody may not see them, and asking would only sound the alarm for a token that is missing.
        if !self.has_token() {
            return None;
        }
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if fresh {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        }
        let (mut seen, mut names) = (0, BTreeSet::new());
        loop {
            let offset = if seen == 0 { String::new() } else { format!("&offset={seen}") };
            let target = format!("/api/extras/custom-fields/?fields=filter_logic,name&limit={ROWS}{offset}");
            let told = self.own(&target, headers.clone()).await.ok()?;
            let page: Page = serde_json::from_slice(&told.body).ok()?;
            let rows = page.results.len();
            seen += rows;
            names.extend(page.results.into_iter().filter(Field::is_filter).map(|field| field.name));
            if page.next.is_none() {
                // Else rows have moved between pages, and some may be missing.
                return (seen == page.count).then_some(CustomFields(names));
            }
            if rows == 0 {
                return None;
            }
        }
    }

    /// The custom fields as NetBox has them after this call, if it says so soon.
    pub(super) async fn fresh_custom_fields(self: &Arc<Self>, patience: Duration) -> Option<Arc<CustomFields>> {
        let inner = Arc::clone(self);
        let look = async move || inner.custom_fields(true).await.map(Arc::new);
        tokio::time::timeout(patience, self.filters.fields.take(&self.tasks, look)).await.ok()?
    }
}
