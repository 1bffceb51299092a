//! `fake-netbox`: the look-alike started by hand, so that a proxy can be tried without a NetBox.

use std::process::ExitCode;
use std::time::Duration;

use fake_netbox::{Builder, FakeNetbox};

const USAGE: &str = "usage: fake-netbox [--listen ADDRESS] [--devices N] [--sites N] \
                     [--latency-ms N] [--base-path PATH] [--help]";

fn main() -> ExitCode {
    if std::env::args().skip(1).any(|arg| matches!(arg.as_str(), "-h" | "--help")) {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let (builder, latency) = match parse(std::env::args().skip(1)) {
        Ok(parsed) => parsed,
        Err(text) => {
            eprintln!("{text}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(run(builder, latency))
}

async fn run(builder: Builder, latency: Duration) -> ExitCode {
    let netbox = match builder.try_start().await {
        Ok(netbox) => netbox,
        Err(error) => {
            eprintln!("cannot listen: {error}");
            return ExitCode::FAILURE;
        }
    };
    netbox.latency(latency);
    println!("url    {}", netbox.url());
    println!("token  {}", netbox.token());
    println!("token  {} (version 2)", netbox.token_v2());
    println!("token  {} (a user without permissions)", netbox.reader_token());
    match tokio::signal::ctrl_c().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<(Builder, Duration), String> {
    let mut builder = FakeNetbox::builder().listen("127.0.0.1:8000").job_delay(Some(Duration::from_secs(1)));
    let mut latency = Duration::ZERO;
    while let Some(name) = args.next() {
        let value = args.next().ok_or(format!("{name} wants a value"))?;
        let number = || value.parse().map_err(|_| format!("{name}: {value} is no number"));
        match name.as_str() {
            "--listen" => builder = builder.listen(&value),
            "--devices" => builder = builder.devices(number()?),
            "--sites" => builder = builder.sites(number()?),
            "--latency-ms" => latency = Duration::from_millis(number()?),
            "--base-path" => builder = builder.base_path(&value),
            _ => return Err(format!("{name} is unknown")),
        }
    }
    Ok((builder, latency))
}
