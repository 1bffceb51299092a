//! An origin for benchmarks: answers as NetBox would, at once, whatever is asked.
//!
//! Bodies have NetBox's shape and sizes: a device of 2.6 KB, lists of such rows, an OpenAPI document of 13 MB. A list has
//! 3,000 rows; any id is a device, so that there are as many different paths as a benchmark wants. `/requests` tells how
//! many answers were fetched of what proxies remember, which is how a harness knows that a hit was one.

mod connection;
mod netbox;

use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use netbox::Netbox;

const USAGE: &str = "usage: bench-origin --listen ADDRESS [--latency-ms N]";

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)).and_then(|(listen, latency)| serve(&listen, latency)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("bench-origin: {text}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<(String, Duration), String> {
    let (mut listen, mut latency) = (None, Duration::ZERO);
    while let Some(name) = args.next() {
        let value = args.next().ok_or(format!("{name} wants a value"))?;
        match name.as_str() {
            "--listen" => listen = Some(value),
            "--latency-ms" => {
                latency = Duration::from_millis(value.parse().map_err(|_| format!("{value} is no number"))?);
            }
            _ => return Err(format!("{name} is unknown")),
        }
    }
    Ok((listen.ok_or("where should it listen?")?, latency))
}

fn serve(listen: &str, latency: Duration) -> Result<(), String> {
    let listener = TcpListener::bind(listen).map_err(|error| format!("{listen}: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let netbox = Arc::new(Netbox::new(format!("http://{address}"), latency));
    println!("http://{address}");
    for stream in listener.incoming().flatten() {
        let netbox = Arc::clone(&netbox);
        std::thread::spawn(move || connection::run(&stream, &netbox));
    }
    Ok(())
}
