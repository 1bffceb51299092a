//! What the daemon does unasked: looks whether NetBox is there, and whether it is still the same; learns the filters that
//! it knows; keeps warm what is to be.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::proxy::Proxy;
use crate::proxy::filters::Knowledge;
use crate::web::readiness::Latch;

mod follow;
mod warm;

pub(super) use follow::follow;
pub(super) use warm::warm;

/// Between the first attempts to reach NetBox; doubled up to [`SELDOM`].
const AGAIN: Duration = Duration::from_secs(1);

/// Between later ones: a NetBox that is started together with nbproxy takes a minute.
const SELDOM: Duration = Duration::from_secs(8);

/// Between readings of the OpenAPI document: plugins under work change without a new version, and NetBox, too, keeps the
/// document for some time.
const OFTEN_ENOUGH: Duration = Duration::from_secs(600);

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

/// Learns what lists take, and learns it anew whenever NetBox has become another, the settings are others, or it was some
/// time ago.
pub(super) async fn filters(proxy: Proxy, stop: CancellationToken) {
    tokio::select! {
        () = keep_learning(proxy) => {}
        () = stop.cancelled() => {}
    }
}

async fn keep_learning(proxy: Proxy) {
    let mut teller = FiltersTeller::default();
    let mut pause = AGAIN;
    loop {
        teller.known(proxy.filters_known());
        let learned = proxy.learn_filters().await;
        teller.tell(learned);
        let wait = if learned.is_ok() { OFTEN_ENOUGH } else { pause };
        pause = if learned.is_ok() { AGAIN } else { pause.saturating_mul(2).min(OFTEN_ENOUGH) };
        // Passing the time is the other way to be asked.
        drop(tokio::time::timeout(wait, proxy.filters_asked()).await);
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

/// Tells whether filters are checked, when that changes.
#[derive(Debug, Default)]
struct FiltersTeller {
    last: Option<Result<Knowledge, &'static str>>,
}

impl FiltersTeller {
    /// What was known may count no longer while it is being learned anew.
    fn known(&mut self, still: bool) {
        if !still && matches!(self.last, Some(Ok(Knowledge::Known { .. }))) {
            tracing::warn!("netbox has changed; filters are not checked until its openapi document has been read anew");
            self.last = Some(Ok(Knowledge::Awaited));
        }
    }

    fn tell(&mut self, now: Result<Knowledge, &'static str>) {
        if self.last == Some(now) {
            return;
        }
        match now {
            Ok(Knowledge::Known { lists, plugins: true }) => tracing::info!(lists, "filters are checked"),
            Ok(Knowledge::Known { lists, plugins: false }) => tracing::warn!(
                lists,
                "filters are checked, but not plugins': netbox's openapi document may be older than they are"
            ),
            Err(reason) => tracing::warn!(reason, "filters are not checked: there is no openapi document"),
            Ok(Knowledge::Unwanted | Knowledge::Awaited) => {}
        }
        self.last = Some(now);
    }
}
