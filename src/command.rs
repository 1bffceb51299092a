//! What each command does.

use std::io;
use std::net::SocketAddr;

use http::StatusCode;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

use crate::cache::clock::Clock;
use crate::cli::{Command, Flags, KeyCommand, TokenCommand, WebhookCommand};
use crate::netbox::api::Api;
use crate::netbox::error::Error as NetboxError;
use crate::netbox::session::Session;
use crate::server::{Server, StartError, neighbour};
use crate::settings::{self, Problems, Source, Upstream};
use crate::telemetry::logging::{self, InvalidFilter};

mod key;
mod purge;
mod status;
mod token;
mod warm;
mod webhook;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The settings are at fault.
    #[error(transparent)]
    Settings(#[from] Problems),
    /// Logging cannot begin.
    #[error(transparent)]
    Logging(#[from] InvalidFilter),
    /// The daemon cannot start.
    #[error("{error}{}", causes(error))]
    Start {
        /// Why.
        error: StartError,
    },
    /// NetBox could not be asked, or refused.
    #[error(transparent)]
    Netbox(#[from] NetboxError),
    /// NetBox does not let the token do that.
    #[error("{error}\n{wanted}")]
    Rights {
        /// What NetBox said.
        error: NetboxError,
        /// What the token would have to be let do.
        wanted: &'static str,
    },
    /// A running nbproxy is not well.
    #[error("nbproxy says {status}: {text}")]
    Unwell {
        /// Its status.
        status: StatusCode,
        /// Its words.
        text: String,
    },
    /// What was typed is no good.
    #[error("{0}")]
    Arguments(String),
    /// Some of what was to be warmed is not.
    #[error("{failed} of {count} could not be warmed")]
    Cold {
        /// So many.
        failed: usize,
        /// Of so many.
        count: usize,
    },
    /// The system refused something.
    #[error(transparent)]
    System(#[from] io::Error),
}

impl Failure {
    /// Whether the settings have to be mended before another try.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Settings(_)
            | Self::Arguments(_)
            | Self::Start { error: StartError::Session(_) | StartError::Tls(_) } => true,
            Self::Logging(_)
            | Self::Start { .. }
            | Self::Netbox(_)
            | Self::Rights { .. }
            | Self::Unwell { .. }
            | Self::Cold { .. }
            | Self::System(_) => false,
        }
    }
}

/// Runs a command to its end.
///
/// # Errors
/// [`Failure`], in words for whoever typed the command.
pub fn run(command: Command, flags: &Flags) -> Result<(), Failure> {
    match command {
        Command::Serve => serve(Source::of_process(flags.clone())),
        Command::Check => {
            settings::load(flags)?.shown.iter().for_each(|line| println!("{line}"));
            Ok(())
        }
        Command::Healthcheck => {
            let address = settings::admin_address(flags)?;
            let asked = runtime()?.block_on(neighbour::ask(address, "/healthz", None));
            let (status, text) = asked.map_err(|error| unheard(address, &error))?;
            if status == StatusCode::OK { Ok(()) } else { Err(Failure::Unwell { status, text }) }
        }
        Command::Status => runtime()?.block_on(status::tell(settings::load(flags)?)),
        Command::Purge(what) => runtime()?.block_on(purge::purge(&what, &settings::load(flags)?.admin)),
        Command::Warm(what) => {
            let walks = warm::read(&what)?;
            runtime()?.block_on(warm::warm(&walks, &settings::load(flags)?.admin))
        }
        Command::Key(KeyCommand::New { name }) => {
            key::new(&name);
            Ok(())
        }
        Command::Key(KeyCommand::Hash) => Ok(key::hash()?),
        Command::Token(TokenCommand::Create(how)) => {
            let upstream = settings::load(flags)?.upstream;
            runtime()?.block_on(token::create(&how, &api(&upstream)?))
        }
        Command::Webhook(WebhookCommand::Install(how)) => {
            let settings = settings::load(flags)?;
            let secret = webhook::secret(&settings.invalidation)?;
            runtime()?.block_on(webhook::install(&how, secret, &api(&settings.upstream)?))
        }
    }
}

fn serve(source: Source) -> Result<(), Failure> {
    let settings = source.load()?;
    logging::start(&settings.log)?;
    runtime()?.block_on(async {
        // First of all: unheard, a hang-up ends the process.
        let hangups = signal(SignalKind::hangup())?;
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let server = Server::build(settings, Clock::start()).await.map_err(|error| Failure::Start { error })?;
        let server = server.reloading(source, hangups);
        let told = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        let (mut again, mut again_by_key) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let told_twice = async {
            for _ in 0..2 {
                tokio::select! {
                    _ = again.recv() => {}
                    _ = again_by_key.recv() => {}
                }
            }
        };
        tokio::select! {
            () = server.run(told) => {}
            () = told_twice => tracing::warn!("told twice to stop; what was under way is lost"),
        }
        Ok(())
    })
}

/// The library, over the session that the daemon would use.
fn api(upstream: &Upstream) -> Result<Api, Failure> {
    let session = Session::new(upstream.session.clone()).map_err(NetboxError::from)?;
    Ok(Api::over(session, upstream.token.clone()))
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().build()
}

/// Says which listener could not be asked.
fn unheard(address: SocketAddr, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("the admin listener at {address} (admin.listen): {error}"))
}

/// The `detail` of an answer in NetBox's shape, or the answer itself.
fn detail(text: &str) -> String {
    let detail = serde_json::from_str::<Value>(text).ok();
    let detail = detail.as_ref().and_then(|value| value.get("detail")?.as_str());
    detail.unwrap_or(text).trim().to_owned()
}

fn causes(error: &StartError) -> String {
    let mut text = String::new();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
