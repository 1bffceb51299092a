//! What was typed: the layers, merged by the crate `config`, each value knowing where it came from.

use std::collections::BTreeMap;

use config::{ConfigBuilder, ConfigError, Environment, File, FileFormat, Map, Source, Value, builder::DefaultState};

use super::problem::{Problem, Problems};
use crate::cli::Flags;

const DEFAULTS: &str = include_str!("../../config/default.toml");

/// Defaults ← file ← environment ← flags.
pub(super) fn layers(flags: &Flags, environment: BTreeMap<String, String>) -> Result<Map<String, Value>, Problems> {
    let mut builder = defaults();
    if let Some(path) = &flags.config {
        builder = builder.add_source(File::from(path.as_path()).format(FileFormat::Toml));
    }
    // An empty variable is how a compose file or a unit says "not set".
    let environment = environment.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let environment =
        Environment::with_prefix("NBPROXY").prefix_separator("__").separator("__").source(Some(environment));
    merge(builder.add_source(environment).add_source(flags.clone()))
}

/// Defaults ← text.
pub(super) fn text(text: &str) -> Result<Map<String, Value>, Problems> {
    merge(defaults().add_source(File::from_str(text, FileFormat::Toml)))
}

fn defaults() -> ConfigBuilder<DefaultState> {
    config::Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml))
}

fn merge(builder: ConfigBuilder<DefaultState>) -> Result<Map<String, Value>, Problems> {
    builder.build().and_then(|merged| merged.collect()).map_err(|error| unreadable(&error))
}

/// Where a file cannot be read. The parser would quote the line, and that may hold a secret.
fn unreadable(error: &ConfigError) -> Problems {
    let (origin, message) = if let ConfigError::FileParse { uri, cause } = error {
        let place = cause.to_string().lines().next().unwrap_or_default().to_owned();
        (uri.clone().unwrap_or_else(|| "the settings text".to_owned()), place)
    } else {
        ("the settings file".to_owned(), error.to_string())
    };
    Problems(vec![Problem { key: String::new(), origin, message }])
}

impl Source for Flags {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        let path = |path: &std::path::PathBuf| path.to_string_lossy().into_owned();
        let given = [
            ("upstream", "url", self.upstream_url.clone()),
            ("upstream", "token_file", self.upstream_token_file.as_ref().map(path)),
            ("server", "listen", self.listen.clone()),
        ];
        let origin = "the command line".to_owned();
        let mut sections: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
        for (section, key, value) in given {
            if let Some(value) = value {
                sections.entry(section).or_default().insert(key.to_owned(), Value::new(Some(&origin), value));
            }
        }
        Ok(sections.into_iter().map(|(name, table)| (name.to_owned(), Value::new(Some(&origin), table))).collect())
    }
}
