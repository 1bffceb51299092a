//! The command line: flags for the few settings that people type, and what to do.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// A caching read-through proxy for NetBox.
#[derive(Debug, Parser)]
#[command(name = "nbproxy", version, about)]
pub struct Cli {
    /// Flags that override settings.
    #[command(flatten)]
    pub flags: Flags,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Flags that override settings.
#[derive(Debug, Clone, Default, Args)]
pub struct Flags {
    /// A settings file (TOML)
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// NetBox's base URL
    #[arg(long, value_name = "URL", global = true)]
    pub upstream_url: Option<String>,
    /// A file that holds NetBox's token
    #[arg(long, value_name = "FILE", global = true)]
    pub upstream_token_file: Option<PathBuf>,
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS:PORT", global = true)]
    pub listen: Option<String>,
}

/// What to do.
#[derive(Debug, Clone, Default, Subcommand)]
pub enum Command {
    /// Serve NetBox's API (what happens without a command)
    #[default]
    Serve,
    /// Check the settings and print them, secrets masked
    Check,
    /// Ask a running nbproxy whether it is alive, for containers without a shell
    Healthcheck,
    /// Tell what NetBox says of itself, and how a running nbproxy does
    Status,
    /// Have a running nbproxy forget what it remembers, or a part of it
    Purge(Purge),
    /// Have a running nbproxy fetch paths before anybody asks, lists with all their pages
    Warm(Warm),
    /// Make and hash client keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Work with NetBox's tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Work with NetBox's webhooks
    #[command(subcommand)]
    Webhook(WebhookCommand),
}

/// What is forgotten: everything, a branch, an endpoint or an object.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = true)]
pub struct Purge {
    /// Everything
    #[arg(long, conflicts_with_all = ["endpoint", "id", "branch"])]
    pub all: bool,
    /// What an endpoint answered: dcim/sites, or several: dcim/*
    #[arg(long, value_name = "NAME")]
    pub endpoint: Option<String>,
    /// Of that endpoint one object only, with the endpoint's lists, which may show it
    #[arg(long, value_name = "ID", requires = "endpoint")]
    pub id: Option<u64>,
    /// What was read in a branch: main, or a branch's schema_id
    #[arg(long, value_name = "BRANCH")]
    pub branch: Option<String>,
}

/// What is fetched before anybody asks.
#[derive(Debug, Clone, Args)]
pub struct Warm {
    /// Paths as clients ask for them, without NetBox's sub-path: '/api/dcim/devices/?limit=1000'
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<String>,
    /// In a branch: its schema_id
    #[arg(long, value_name = "BRANCH")]
    pub branch: Option<String>,
}

/// What to do with client keys.
#[derive(Debug, Clone, Subcommand)]
pub enum KeyCommand {
    /// Make a key: it is printed once, with the settings that let its bearer in
    New {
        /// The client's name
        #[arg(long, value_name = "NAME")]
        name: String,
    },
    /// Hash the key on standard input
    Hash,
}

/// What to do with NetBox's tokens.
#[derive(Debug, Clone, Subcommand)]
pub enum TokenCommand {
    /// Have NetBox make a token for a user; the password is asked for, or read from standard input
    Create(CreateToken),
}

/// What to do with NetBox's webhooks.
#[derive(Debug, Clone, Subcommand)]
pub enum WebhookCommand {
    /// Have NetBox tell nbproxy of changes: makes a webhook and an event rule, or changes them to what they should be.
    ///
    /// The token (upstream.token, --upstream-token-file) must be one that may change both; nbproxy itself needs no such token.
    Install(InstallWebhook),
}

/// Where NetBox's webhooks are to go.
#[derive(Debug, Clone, Args)]
pub struct InstallWebhook {
    /// Where NetBox reaches nbproxy, with /-/webhooks/netbox at its end
    #[arg(long, value_name = "URL", value_parser = web_address)]
    pub url: String,
    /// The name of both the webhook and the event rule
    #[arg(long, value_name = "NAME", default_value = "nbproxy")]
    pub name: String,
}

fn web_address(text: &str) -> Result<String, String> {
    let uri: http::Uri = text.parse().map_err(|_| "it is no URL".to_owned())?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http" | "https"), Some(_)) => Ok(text.to_owned()),
        _ => Err("a URL with http or https and a host is wanted".to_owned()),
    }
}

/// How a token is made.
#[derive(Debug, Clone, Args)]
pub struct CreateToken {
    /// The user
    #[arg(long, value_name = "NAME")]
    pub username: String,
    /// The file the token is written to, readable by its owner alone; it must not exist yet
    #[arg(long, value_name = "FILE", required_unless_present = "print")]
    pub output: Option<PathBuf>,
    /// Print the token instead
    #[arg(long, conflicts_with = "output")]
    pub print: bool,
}
