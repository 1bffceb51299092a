//! NetBox's OpenAPI document, read once into what is needed of it: which parameters a list takes.

use bytes::Bytes;

use super::error::Error;
use super::filters::Filters;

mod parameters;

pub use parameters::{Parameters, holds};

/// The document, and a compact table of its paths.
pub struct OpenApi {
    document: Bytes,
    parameters: Parameters,
}

impl std::fmt::Debug for OpenApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenApi({} paths, {} bytes)", self.parameters.len(), self.document.len())
    }
}

impl OpenApi {
    /// Reads a document; `base_path` is NetBox's sub-path, which its paths begin with.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(document: Bytes, base_path: &str) -> Result<Self, &'static str> {
        let parameters = Parameters::parse(&document, base_path)?;
        Ok(Self { document, parameters })
    }

    /// The document as NetBox sent it.
    pub fn document(&self) -> &Bytes {
        &self.document
    }

    /// The names of the parameters that a GET of this path (`/api/dcim/sites/`) takes, sorted.
    pub fn parameters(&self, path: &str) -> Option<&[Box<str>]> {
        self.parameters.of(path)
    }

    /// Checks the names of filters. Custom fields' (`cf_…`) are not in the document and pass.
    ///
    /// # Errors
    /// [`Error::ParameterValidation`] with every wrong name, or with all when the document lacks the path.
    pub fn check(&self, path: &str, filters: &Filters) -> Result<(), Error> {
        let known = self.parameters(path).unwrap_or_default();
        let names = filters.names();
        let wrong = names.into_iter().filter(|name| !name.starts_with("cf_"));
        let wrong = wrong.filter(|name| !holds(known, name));
        let names: Vec<String> = wrong.map(str::to_owned).collect();
        if names.is_empty() { Ok(()) } else { Err(Error::ParameterValidation { path: path.to_owned(), names }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{"openapi":"3.0.3","paths":{"/nbx/api/dcim/sites/":{"get":{"parameters":[{"in":"query","name":"name"},{"in":"query","name":"id"}]},"post":{}},"/x/":{"post":{}}}}"#;

    fn check(filters: &Filters) -> Result<(), Error> {
        OpenApi::parse(Bytes::from_static(DOCUMENT.as_bytes()), "/nbx").unwrap().check("/api/dcim/sites/", filters)
    }

    #[test]
    fn every_wrong_name_is_named() {
        assert!(check(&Filters::new().with("name", "x").with("id", 1u64).with("cf_x", "y")).is_ok());
        let error = check(&Filters::new().with("nmae", "x").with("id", 1u64).with("zzz", "y")).unwrap_err();
        let Error::ParameterValidation { names, .. } = &error else { panic!("{error}") };
        assert_eq!(names, &["nmae", "zzz"]);
    }

    #[test]
    fn half_a_document_is_none() {
        let half = DOCUMENT.as_bytes().get(..DOCUMENT.len() / 2).unwrap();
        assert!(OpenApi::parse(Bytes::from_static(half), "").is_err());
        assert!(OpenApi::parse(Bytes::from_static(b"{\"paths\":[]}"), "").is_err());
    }
}
