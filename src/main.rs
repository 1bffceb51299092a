//! The `nbproxy` command: parse, load, start, run. Exit codes: 0 fine, 1 failed, 64 bad settings or arguments.

use std::process::ExitCode;

use clap::Parser;
use nbproxy::cli::Cli;
use nbproxy::command;

/// `EX_USAGE` of sysexits.h.
const USAGE: u8 = 64;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Printing is all that can be done with it; help and version are no faults.
            let _printed = error.print();
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    match command::run(cli.command.unwrap_or_default(), &cli.flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("nbproxy: {error}");
            if error.is_usage() { ExitCode::from(USAGE) } else { ExitCode::FAILURE }
        }
    }
}
