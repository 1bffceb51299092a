//! What each command does.

use std::process::ExitCode;

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

use crate::cache::clock::Clock;
use crate::cli::Command;
use crate::server::{Server, healthcheck};
use crate::settings::Settings;
use crate::telemetry::logging;

/// Runs a command to its end.
pub fn run(command: Command, settings: Settings) -> ExitCode {
    match command {
        Command::Check => {
            settings.shown.iter().for_each(|line| println!("{line}"));
            ExitCode::SUCCESS
        }
        Command::Serve => finish(serve(settings)),
        Command::Healthcheck => finish(ask(&settings)),
    }
}

fn serve(settings: Settings) -> Result<(), Box<dyn std::error::Error>> {
    logging::start(&settings.log)?;
    runtime()?.block_on(async {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let server = Server::build(settings, Clock::start()).await?;
        let told = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        server.run(told).await;
        Ok(())
    })
}

fn ask(settings: &Settings) -> Result<(), Box<dyn std::error::Error>> {
    Ok(runtime()?.block_on(healthcheck::ask(settings.admin.local()))?)
}

fn runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().build()
}

fn finish(result: Result<(), Box<dyn std::error::Error>>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    let mut text = format!("nbproxy: {error}");
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    eprintln!("{text}");
    ExitCode::FAILURE
}
