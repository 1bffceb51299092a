//! `nbproxy status`: what NetBox says of itself, and how a running nbproxy does.

use http::StatusCode;
use serde_json::Value;

use super::{Failure, api, detail};
use crate::server::neighbour;
use crate::settings::{Admin, Settings};

/// What of `/metrics` is worth telling people.
const FIGURES: [(&str, &str); 5] = [
    ("nbproxy_cache_entries ", "entries"),
    ("nbproxy_cache_bytes ", "bytes"),
    ("nbproxy_cache_evictions ", "evictions"),
    ("nbproxy_upstream_in_flight ", "requests at netbox"),
    ("nbproxy_upstream_waiting ", "requests waiting"),
];

/// Tells both; fails when NetBox cannot be asked. An nbproxy that does not run is no failure.
pub(super) async fn tell(settings: Settings) -> Result<(), Failure> {
    println!("nbproxy  {}", proxy(&settings.admin).await);
    let base = settings.upstream.session.base.as_str().to_owned();
    let status = api(&settings.upstream)?.status().await?;
    println!("netbox   {base}: {}", netbox(&status));
    Ok(())
}

async fn proxy(admin: &Admin) -> String {
    let address = admin.local();
    let ready = match neighbour::ask(address, "/readyz", None).await {
        Ok((StatusCode::OK, _)) => "ready".to_owned(),
        Ok((_, text)) => detail(&text),
        Err(error) => return format!("not running at {address} ({error})"),
    };
    let figures = match neighbour::ask(address, "/metrics", admin.token.as_deref()).await {
        Ok((StatusCode::OK, text)) => figures(&text),
        Ok((_, text)) => detail(&text),
        Err(error) => error.to_string(),
    };
    format!("{ready}: {figures}")
}

fn figures(metrics: &str) -> String {
    let figure = |(line, name): &(&str, &str)| {
        let value = metrics.lines().find_map(|found| found.strip_prefix(line))?;
        Some(format!("{value} {name}"))
    };
    FIGURES.iter().filter_map(figure).collect::<Vec<_>>().join(", ")
}

fn netbox(status: &Value) -> String {
    let text = |name: &str| status.get(name).and_then(Value::as_str);
    let version = text("netbox-full-version").or_else(|| text("netbox-version")).unwrap_or("of unknown version");
    let plugins = status.get("plugins").and_then(Value::as_object).into_iter().flatten();
    let plugins: Vec<_> =
        plugins.map(|(name, version)| format!("{name} {}", version.as_str().unwrap_or("?"))).collect();
    let workers = status.get("rq-workers-running").and_then(Value::as_u64).unwrap_or_default();
    let plugins = if plugins.is_empty() { "no plugins".to_owned() } else { plugins.join(", ") };
    format!("{version}, {plugins}, {workers} workers")
}
