//! Which branches there are and which of them can be used, as netbox-branching's own list of them says.
//!
//! A branch's status is changed by `queryset.update`: nothing tells of it but the list. So what it says is compared with what
//! it said before, and a branch that is not what it was has changed. A sync of a few changes takes less than a second and
//! leaves the status as it was; `last_sync` is what it moves.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use crate::netbox::branch::SchemaId;

/// Branches asked for at once; NetBox's `MAX_PAGE_SIZE` may make it fewer.
const PAGE: usize = 1000;

/// All branches, as of one look.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Directory {
    branches: HashMap<SchemaId, Row>,
}

#[derive(Debug, PartialEq, Eq)]
struct Row {
    /// The number by which the API's paths name it.
    id: u64,
    status: Box<str>,
    last_sync: Option<Box<str>>,
    merged_time: Option<Box<str>>,
}

/// What a directory knows of a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<'a> {
    /// It can be read and written.
    Ready,
    /// It cannot just now, or never again; its status, in NetBox's word.
    NotReady(&'a str),
    /// There is none of that `schema_id`.
    Nothing,
}

/// What came is no page of the list of branches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("plugins/branching/branches is not what it should be")]
pub struct NotADirectory;

#[derive(Deserialize)]
struct Page {
    next: Option<String>,
    results: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    id: u64,
    schema_id: String,
    status: Choice,
    #[serde(default)]
    last_sync: Option<Box<str>>,
    #[serde(default)]
    merged_time: Option<Box<str>>,
}

#[derive(Deserialize)]
struct Choice {
    value: Box<str>,
}

/// The path and query of the branches above this number. By number and not by offset: a branch that is deleted between two
/// pages moves no other over the edge of one.
pub fn question(above: u64) -> String {
    format!("/api/plugins/branching/branches/?id__gt={above}&ordering=id&limit={PAGE}")
}

impl Directory {
    /// Takes a page in; returns the number above which the next one begins, if there is one.
    ///
    /// # Errors
    /// [`NotADirectory`].
    pub fn take(&mut self, page: &[u8]) -> Result<Option<u64>, NotADirectory> {
        let Page { next, results } = serde_json::from_slice(page).map_err(|_| NotADirectory)?;
        let last = results.iter().map(|listed| listed.id).max();
        for Listed { id, schema_id, status: Choice { value: status }, last_sync, merged_time } in results {
            let schema_id = SchemaId::parse(schema_id.as_bytes()).map_err(|_| NotADirectory)?;
            self.branches.insert(schema_id, Row { id, status, last_sync, merged_time });
        }
        Ok(last.filter(|_| next.is_some()))
    }

    /// What is known of this branch.
    pub fn find(&self, schema_id: SchemaId) -> Found<'_> {
        match self.branches.get(&schema_id) {
            Some(row) if row.status.as_ref() == "ready" => Found::Ready,
            Some(row) => Found::NotReady(&row.status),
            None => Found::Nothing,
        }
    }

    /// The `schema_id` of the branch that the API's paths name by this number; it is given once and for all.
    pub fn schema_of(&self, id: u64) -> Option<SchemaId> {
        self.branches.iter().find_map(|(schema_id, row)| (row.id == id).then_some(*schema_id))
    }

    /// The branches that are not what they were in an earlier directory: all, where there is none to compare with.
    pub fn changed_since(&self, earlier: Option<&Self>) -> HashSet<SchemaId> {
        let before = |schema_id: &SchemaId| earlier.and_then(|earlier| earlier.branches.get(schema_id));
        let gone = earlier.into_iter().flat_map(|earlier| earlier.branches.keys());
        let gone = gone.filter(|schema_id| !self.branches.contains_key(*schema_id));
        let other = self.branches.iter().filter(|(schema_id, row)| before(schema_id) != Some(*row));
        gone.chain(other.map(|(schema_id, _)| schema_id)).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(next: &str, rows: &[(u64, &str, &str, &str)]) -> Vec<u8> {
        let row = |(id, schema_id, status, synced): &(u64, &str, &str, &str)| {
            format!(
                r#"{{"id":{id},"schema_id":"{schema_id}","name":"x","status":{{"value":"{status}","label":"X"}},
                "last_sync":{synced},"merged_time":null}}"#
            )
        };
        let rows: Vec<_> = rows.iter().map(row).collect();
        format!(r#"{{"count":9,"next":{next},"previous":null,"results":[{}]}}"#, rows.join(",")).into_bytes()
    }

    fn id(text: &str) -> SchemaId {
        SchemaId::parse(text.as_bytes()).unwrap()
    }

    fn directory(rows: &[(u64, &str, &str, &str)]) -> Directory {
        let mut directory = Directory::default();
        assert_eq!(directory.take(&page("null", rows)), Ok(None));
        directory
    }

    #[test]
    fn pages_follow_each_other_by_number() {
        let mut directory = Directory::default();
        let first =
            page(r#""http://x/?offset=2""#, &[(3, "aaaaaaaa", "ready", "null"), (7, "bbbbbbbb", "merged", "null")]);
        assert_eq!(directory.take(&first), Ok(Some(7)));
        assert_eq!(directory.take(&page("null", &[(9, "cccccccc", "ready", "null")])), Ok(None));
        assert_eq!(directory.find(id("aaaaaaaa")), Found::Ready);
        assert_eq!(directory.find(id("bbbbbbbb")), Found::NotReady("merged"));
        assert_eq!(directory.find(id("dddddddd")), Found::Nothing);
        assert_eq!((directory.schema_of(9), directory.schema_of(8)), (Some(id("cccccccc")), None));
        assert_eq!(directory.take(b"<html>"), Err(NotADirectory));
        assert_eq!(directory.take(&page("null", &[(1, "main", "ready", "null")])), Err(NotADirectory));
    }

    #[test]
    fn whatever_is_not_as_it_was_has_changed() {
        let before = directory(&[
            (1, "aaaaaaaa", "ready", "null"),
            (2, "bbbbbbbb", "ready", "\"1\""),
            (3, "cccccccc", "ready", "null"),
            (4, "dddddddd", "ready", "null"),
        ]);
        let after = directory(&[
            (1, "aaaaaaaa", "ready", "null"),
            (2, "bbbbbbbb", "ready", "\"2\""),
            (3, "cccccccc", "merging", "null"),
            (5, "eeeeeeee", "new", "null"),
        ]);
        let changed = ["bbbbbbbb", "cccccccc", "dddddddd", "eeeeeeee"].map(id).into_iter().collect();
        assert_eq!(after.changed_since(Some(&before)), changed);
        assert_eq!(after.changed_since(None).len(), 4);
        assert!(after.changed_since(Some(&after)).is_empty());
    }
}
