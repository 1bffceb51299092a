//! What the daemon does unasked: looks whether NetBox is there, and whether it is still the same.

use std::time::Duration;

use http::StatusCode;
use tokio_util::sync::CancellationToken;

use crate::proxy::Proxy;
use crate::web::readiness::Latch;

/// Between the first attempts to reach NetBox; doubled up to [`SELDOM`].
const AGAIN: Duration = Duration::from_secs(1);

/// Between later ones: a NetBox that is started together with nbproxy takes a minute.
const SELDOM: Duration = Duration::from_secs(8);

/// Asks for NetBox's status until it has been reached once, then every `interval` and whenever an answer's
/// `API-Version` was a surprise.
pub(super) async fn probe(proxy: Proxy, interval: Option<Duration>, reached: Latch, stop: CancellationToken) {
    tokio::select! {
        () = forever(proxy, interval, reached) => {}
        () = stop.cancelled() => {}
    }
}

async fn forever(proxy: Proxy, interval: Option<Duration>, reached: Latch) {
    let mut pause = AGAIN;
    while !is_reached(&proxy).await {
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2).min(SELDOM);
    }
    drop(reached);
    loop {
        let wanted = proxy.probe_wanted();
        match interval {
            None => wanted.await,
            // Passing the time is the other way to be wanted.
            Some(interval) => drop(tokio::time::timeout(interval, wanted).await),
        }
        is_reached(&proxy).await;
    }
}

async fn is_reached(proxy: &Proxy) -> bool {
    match proxy.probe().await {
        Ok(StatusCode::OK) => true,
        Ok(status) => {
            tracing::warn!(status = status.as_u16(), "netbox does not tell its status");
            // A NetBox that answers is one that can be asked; old ones and narrow tokens may have no status.
            !status.is_server_error()
        }
        Err(error) => {
            tracing::warn!(reason = error.as_str(), "netbox cannot be asked for its status");
            false
        }
    }
}
