//! Structured logs by tracing-subscriber: text for people, JSON for machines.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

/// The target of lines that tell who changed what.
const AUDIT: &str = "nbproxy::audit";

/// How logs are written.
#[derive(Debug, Clone)]
pub struct Config {
    /// The form of a line.
    pub format: Format,
    /// Which lines are written, in the syntax of tracing's `EnvFilter`: `info`, `info,nbproxy::access=off`.
    pub filter: String,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Fields after a message.
    Text,
    /// One JSON object a line.
    Json,
}

/// The filter cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("it is not a log filter: {0}")]
pub struct InvalidFilter(String);

impl Config {
    /// Checks the filter's syntax.
    ///
    /// # Errors
    /// [`InvalidFilter`] says where it fails.
    pub fn check(&self) -> Result<(), InvalidFilter> {
        self.parse().map(|_| ())
    }

    fn parse(&self) -> Result<EnvFilter, InvalidFilter> {
        // Who wrote what is not lost by wanting fewer lines; who does not want it either has to say so.
        let audit = if self.filter.contains(AUDIT) { String::new() } else { format!(",{AUDIT}=info") };
        let filter = EnvFilter::builder().parse(format!("{}{audit}", self.filter));
        filter.map_err(|error| InvalidFilter(error.to_string()))
    }
}

/// Starts writing logs to standard output.
///
/// # Errors
/// [`InvalidFilter`]; when logging was started before, that stays as it is.
pub fn start(config: &Config) -> Result<(), InvalidFilter> {
    let builder = tracing_subscriber::fmt().with_env_filter(config.parse()?).with_ansi(std::io::stdout().is_terminal());
    // A second start (tests in one process) leaves the first in place.
    let _started = match config.format {
        Format::Text => builder.finish().try_init(),
        Format::Json => builder.json().flatten_event(true).with_current_span(false).finish().try_init(),
    };
    Ok(())
}
