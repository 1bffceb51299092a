//! Which parameters a GET takes, read out of the OpenAPI document: some hundred kilobytes of its 13 MB.

use std::collections::HashMap;

use serde::Deserialize;

/// The names of parameters, by path.
pub struct Parameters {
    /// Path → the names of its GET's parameters, sorted.
    paths: HashMap<Box<str>, Box<[Box<str>]>>,
}

#[derive(Deserialize)]
struct Document {
    paths: HashMap<Box<str>, Path>,
}

#[derive(Deserialize)]
struct Path {
    get: Option<Get>,
}

#[derive(Deserialize)]
struct Get {
    #[serde(default)]
    parameters: Vec<Parameter>,
}

#[derive(Deserialize)]
struct Parameter {
    name: Box<str>,
}

impl Parameters {
    /// Reads a document (OpenAPI 3.0, in JSON). `base_path` is NetBox's sub-path, which its paths begin with; it is taken
    /// off.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(document: &[u8], base_path: &str) -> Result<Self, &'static str> {
        let read: Document =
            serde_json::from_slice(document).map_err(|_| "it is no OpenAPI document, or not a whole one")?;
        let table = |(path, item): (Box<str>, Path)| {
            let mut names: Vec<Box<str>> = item.get?.parameters.into_iter().map(|parameter| parameter.name).collect();
            names.sort_unstable();
            names.dedup();
            let below = path.strip_prefix(base_path).map(Box::from);
            Some((below.unwrap_or(path), names.into_boxed_slice()))
        };
        Ok(Self { paths: read.paths.into_iter().filter_map(table).collect() })
    }

    /// The names of the parameters that a GET of this path (`/api/dcim/sites/`) takes, sorted.
    pub fn of(&self, path: &str) -> Option<&[Box<str>]> {
        self.paths.get(path).map(AsRef::as_ref)
    }

    /// All paths that can be read, and the names for each.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[Box<str>])> {
        self.paths.iter().map(|(path, names)| (path.as_ref(), names.as_ref()))
    }

    /// How many paths can be read.
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// Whether none can.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }
}

/// Whether these sorted names hold this one.
pub fn holds(names: &[Box<str>], name: &str) -> bool {
    names.binary_search_by(|known| known.as_ref().cmp(name)).is_ok()
}

impl std::fmt::Debug for Parameters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Parameters({} paths)", self.paths.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &[u8] = br#"{"paths":{
        "/nbx/api/dcim/sites/":{"get":{"parameters":[{"name":"name"},{"name":"id"},{"name":"id"}]},"post":{}},
        "/nbx/api/dcim/sites/{id}/":{"get":{}},
        "/other/":{"get":{"parameters":[]}},
        "/nbx/api/written/":{"post":{"parameters":[{"name":"x"}]}}}}"#;

    #[test]
    fn paths_stand_below_the_sub_path() {
        let read = Parameters::parse(DOCUMENT, "/nbx").unwrap();
        let names: Vec<&str> = read.of("/api/dcim/sites/").unwrap().iter().map(AsRef::as_ref).collect();
        assert_eq!(names, ["id", "name"]);
        assert!(read.of("/nbx/api/dcim/sites/").is_none());
        assert_eq!(read.of("/api/dcim/sites/{id}/").map(<[_]>::len), Some(0));
        assert!(read.of("/other/").is_some() && read.of("/api/written/").is_none());
        assert_eq!((read.len(), read.iter().count()), (3, 3));
    }

    #[test]
    fn half_a_document_is_none() {
        assert!(Parameters::parse(DOCUMENT.get(..DOCUMENT.len() / 2).unwrap(), "").is_err());
        for wrong in ["", "[]", "{}", "{\"paths\":[]}", "{\"paths\":{\"/\":{\"get\":{\"parameters\":[{}]}}}}"] {
            assert!(Parameters::parse(wrong.as_bytes(), "").is_err(), "{wrong}");
        }
    }
}
