//! What a list is narrowed by: parameters as pynetbox takes them, and how many rows a page holds.

use super::query::Query;

/// Filters for a list. A repeated key, or a list of values, matches any of them (`tag` matches all).
///
/// ```
/// use nbproxy::netbox::filters::Filters;
///
/// let filters = Filters::new().with("site", ["ams1", "fra1"]).with("rack_id", None::<u64>).search("core").limit(200);
/// assert_eq!(filters.to_string(), "q=core&rack_id=null&site=ams1&site=fra1");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters {
    /// `None` stands for null.
    pairs: Vec<(String, Option<String>)>,
    limit: u64,
    offset: Option<u64>,
    strict: Option<bool>,
}

/// A value, or several, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterValue(Vec<Option<String>>);

impl Filters {
    /// No filters: all there is.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a parameter. `None` stands for `null`: objects that have no such value. A `limit` or `offset` sets the
    /// [paging](Self::limit).
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<FilterValue>) -> Self {
        let FilterValue(values) = value.into();
        let number = values.last().and_then(|value| value.as_ref()?.parse().ok());
        match (name, number) {
            ("limit", Some(rows)) => return self.limit(rows),
            ("offset", Some(row)) => return self.offset(row),
            _ => {}
        }
        self.pairs.extend(values.into_iter().map(|value| (name.to_owned(), value)));
        self
    }

    /// Adds NetBox's free search.
    #[must_use]
    pub fn search(self, text: &str) -> Self {
        self.with("q", text)
    }

    /// How many rows a page holds; 0 (the default) is as many as NetBox gives at most.
    #[must_use]
    pub fn limit(mut self, rows: u64) -> Self {
        self.limit = rows;
        self
    }

    /// Reads one page only, from this row on. Needs a [`limit`](Self::limit).
    #[must_use]
    pub fn offset(mut self, row: u64) -> Self {
        self.offset = Some(row);
        self
    }

    /// Whether the names are checked before anything is sent, whatever the `Api` says.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = Some(strict);
        self
    }

    pub(super) fn paging(&self) -> (u64, Option<u64>) {
        (self.limit, self.offset)
    }

    pub(super) fn strictness(&self) -> Option<bool> {
        self.strict
    }

    /// The names, each once.
    pub(super) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.pairs.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_deref().unwrap_or(NULL)))
    }

    /// As one query, the paging that was set included: for what is not walked page by page.
    pub(super) fn one_query(&self) -> Query {
        let (limit, offset) = (self.limit.to_string(), self.offset.map(|row| row.to_string()));
        let limit = (self.limit > 0).then_some(("limit", limit.as_str()));
        let offset = offset.as_deref().map(|row| ("offset", row));
        Query::from_pairs(self.pairs().chain(limit).chain(offset))
    }

    /// What `null` stood for is left out: NetBox counts all objects then, as pynetbox's `count` does.
    pub(super) fn without_nulls(mut self) -> Self {
        self.offset = None;
        self.pairs.retain(|(_, value)| value.is_some());
        self
    }
}

const NULL: &str = "null";

impl std::fmt::Display for Filters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&Query::from_pairs(self.pairs()).encode())
    }
}

macro_rules! one_value {
    ($($kind:ty),*) => {
        $(impl From<$kind> for FilterValue {
            fn from(value: $kind) -> Self {
                Self(vec![Some(value.to_string())])
            }
        })*
    };
}

one_value!(&str, String, &String, bool, u8, u16, u32, u64, usize, i32, i64);

impl<T: Into<FilterValue>> From<Option<T>> for FilterValue {
    fn from(value: Option<T>) -> Self {
        value.map_or_else(|| Self(vec![None]), Into::into)
    }
}

impl<T: Into<FilterValue>> From<Vec<T>> for FilterValue {
    fn from(values: Vec<T>) -> Self {
        Self(values.into_iter().flat_map(|value| value.into().0).collect())
    }
}

impl<T: Into<FilterValue>, const N: usize> From<[T; N]> for FilterValue {
    fn from(values: [T; N]) -> Self {
        Self(values.into_iter().flat_map(|value| value.into().0).collect())
    }
}
