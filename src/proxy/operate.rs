//! What operators do to a running proxy, and what they are told of it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::Proxy;
use super::error::ProxyError;
use crate::cache::clock::Moment;
use crate::cache::epochs::Scope;
use crate::cache::selector::Selector;
use crate::cache::store::Census;
use crate::invalidation::bus::Source;

impl Proxy {
    /// Forgets what the selector covers. Once this has returned, no read that begins is answered with what was fetched
    /// before it was called: memory has lost it, nobody joins a fetch that was under way, and its answer is not kept.
    /// `operator` is where the order came from.
    ///
    /// Returns how many entries there were.
    ///
    /// # Errors
    /// [`ProxyError::Lost`] when the task that forgets ended before its end.
    pub async fn purge(&self, selector: Selector, operator: IpAddr) -> Result<u64, ProxyError> {
        let inner = Arc::clone(&self.inner);
        // Every entry is looked at; and whoever ordered it may hang up meanwhile.
        let purging = self.inner.tasks.spawn_blocking(move || {
            // Where a scope is forgotten as a whole, whatever depends on it is in doubt, too.
            match &selector {
                Selector::All => inner.bus.publish(Scope::Everything, Source::Operator),
                Selector::Branch(branch) => inner.bus.publish(Scope::Branch(*branch), Source::Operator),
                Selector::Endpoint { .. } | Selector::Object { .. } => {}
            }
            let purged = inner.store.purge(&selector);
            inner.flights.forget();
            tracing::info!(target: "nbproxy::audit", peer = %operator, %selector, entries = purged, "purge");
            purged
        });
        purging.await.map_err(|_| ProxyError::Lost)
    }

    /// Counts what is in memory, entry by entry.
    ///
    /// # Errors
    /// [`ProxyError::Lost`] when the task that counts ended before its end.
    pub async fn census(&self) -> Result<Census, ProxyError> {
        let inner = Arc::clone(&self.inner);
        let counting = self.inner.tasks.spawn_blocking(move || inner.store.census());
        counting.await.map_err(|_| ProxyError::Lost)
    }

    /// How long it has been running.
    pub fn uptime(&self) -> Duration {
        self.inner.clock.now().since(Moment::ZERO)
    }
}
