//! What the daemon does unasked: looks whether NetBox is there, and whether it is still the same.

use std::time::Duration;

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
    let mut teller = Teller::default();
    let mut pause = AGAIN;
    while !teller.tell(&proxy.probe().await.map_err(|error| error.as_str())) {
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
        teller.tell(&proxy.probe().await.map_err(|error| error.as_str()));
    }
}

/// Tells of what has changed, and of nothing else.
#[derive(Debug, Default)]
struct Teller {
    last: Option<Result<(), &'static str>>,
}

impl Teller {
    /// Whether NetBox was reached.
    fn tell(&mut self, now: &Result<String, &'static str>) -> bool {
        let found = now.as_ref().map(|_| ()).map_err(|reason| *reason);
        let changed = self.last != Some(found);
        match now {
            Ok(version) if changed => tracing::info!(version, "netbox was reached"),
            Err(reason) if changed => tracing::warn!(reason, "netbox cannot be asked for its status"),
            Ok(_) | Err(_) => {}
        }
        self.last = Some(found);
        now.is_ok()
    }
}
