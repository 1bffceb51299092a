//! What the daemon does unasked: looks whether NetBox is there, and whether it is still the same.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::proxy::Proxy;
use crate::proxy::follow::{Following, NotFollowed};
use crate::settings::Invalidation;
use crate::telemetry::metrics::Metrics;
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

/// How many times less often the changelog is looked at while nobody asks for anything.
const QUIET: u32 = 5;

/// Between two looks at the changelog however much reason there is: a thousand webhooks are one.
const BREATH: Duration = Duration::from_millis(200);

/// Between attempts to follow a changelog that the token may not read: somebody has to change that first.
const FORBIDDEN: Duration = Duration::from_secs(60);

/// Follows NetBox's changelog: every `poll`, and whenever there is reason to look at once.
pub(super) async fn follow(proxy: Proxy, settings: Invalidation, metrics: Arc<Metrics>, stop: CancellationToken) {
    let Some(poll) = settings.changelog_poll else { return };
    let follow = async {
        let mut following = Following::new(settings.longest_transaction);
        let mut told = Told::default();
        loop {
            let followed = proxy.follow(&mut following).await;
            metrics.followed(followed.as_ref().ok().copied(), following.gaps());
            let pause = match &followed {
                Err(NotFollowed::Forbidden) => FORBIDDEN.max(poll),
                Ok(_) | Err(_) if proxy.is_quiet() => poll.saturating_mul(QUIET),
                Ok(_) | Err(_) => poll,
            };
            told.tell(followed.err().map(|error| error.to_string()));
            let breath = BREATH.min(poll);
            tokio::time::sleep(breath).await;
            // Passing the time is the other way to be wanted.
            drop(tokio::time::timeout(pause.saturating_sub(breath), proxy.follow_wanted()).await);
        }
    };
    tokio::select! {
        () = follow => {}
        () = stop.cancelled() => {}
    }
}

/// Says whether changes made elsewhere are followed, when that has changed.
#[derive(Debug, Default)]
struct Told {
    last: Option<Option<String>>,
}

impl Told {
    fn tell(&mut self, trouble: Option<String>) {
        if self.last.as_ref() == Some(&trouble) {
            return;
        }
        match &trouble {
            None => tracing::info!("netbox's changelog is followed"),
            Some(reason) => tracing::warn!(
                reason,
                "netbox's changelog is not followed; what is remembered counts for cache.ttl_without_feed only"
            ),
        }
        self.last = Some(trouble);
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
