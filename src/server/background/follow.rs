//! Follows NetBox's changelog, and says whether it is followed.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::proxy::Proxy;
use crate::proxy::follow::{Following, NotFollowed};
use crate::settings::Invalidation;
use crate::telemetry::metrics::Metrics;

/// How many times less often the changelog is looked at while nobody asks for anything.
const QUIET: u32 = 5;

/// Between two looks at the changelog however much reason there is: a thousand webhooks are one.
const BREATH: Duration = Duration::from_millis(200);

/// How many times the time to the next attempt is doubled at the most: who was too slow is not asked more often for it.
const LONGEST_BACK_OFF: u32 = 3;

/// Between attempts to follow a changelog that the token may not read: somebody has to change that first.
const FORBIDDEN: Duration = Duration::from_secs(60);

/// Follows NetBox's changelog: every `poll`, and whenever there is reason to look at once.
pub(in crate::server) async fn follow(
    proxy: Proxy,
    settings: Invalidation,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
) {
    let Some(poll) = settings.changelog_poll else { return };
    let follow = async {
        let mut following = Following::new(settings.longest_transaction);
        let mut told = Told::default();
        let mut failures = 0;
        loop {
            let followed = proxy.follow(&mut following).await;
            metrics.followed(followed.as_ref().ok().copied(), following.gaps());
            failures = if followed.is_ok() { 0 } else { LONGEST_BACK_OFF.min(failures + 1) };
            let pause = match &followed {
                Err(NotFollowed::Forbidden) => FORBIDDEN.max(poll),
                Err(_) if !proxy.is_quiet() => poll.saturating_mul(1 << failures),
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
