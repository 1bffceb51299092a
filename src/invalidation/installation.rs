//! Notices when NetBox has become another one: a new version, other plugins. Then nothing that was remembered counts.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::bus::{Bus, Source};
use crate::cache::epochs::Scope;
use crate::netbox::version::Installation;

/// What is known of the NetBox behind us.
#[derive(Debug)]
pub struct Watch {
    known: Mutex<Known>,
    bus: Arc<Bus>,
    asked: Notify,
    news: Notify,
}

#[derive(Debug, Default)]
struct Known {
    installation: Option<Installation>,
    /// The `API-Version` last seen, so that a change is noticed before `/api/status/` has been asked.
    api_version: Option<String>,
    /// Counts the installations.
    edition: u64,
}

impl Watch {
    /// Knows nothing yet.
    pub fn new(bus: Arc<Bus>) -> Self {
        Self { known: Mutex::default(), bus, asked: Notify::new(), news: Notify::new() }
    }

    /// Whether it is *known* that branches are separate: as long as it is not, a write in a branch may be one to main.
    pub fn has_branching(&self) -> bool {
        self.lock().installation.as_ref().is_some_and(Installation::has_branching)
    }

    /// Whether it is *known* that there are no branches: then a branch's name means nothing to NetBox.
    pub fn lacks_branching(&self) -> bool {
        self.lock().installation.as_ref().is_some_and(|known| !known.has_branching())
    }

    /// NetBox's full version, where it is known.
    pub fn version(&self) -> Option<String> {
        self.lock().installation.as_ref().map(|known| known.version.clone())
    }

    /// The `API-Version` last seen.
    pub fn api_version(&self) -> Option<String> {
        self.lock().api_version.clone()
    }

    /// A number that stands for version and plugins as they are, where they are known; once they have been others, it is
    /// another.
    pub fn edition(&self) -> Option<u64> {
        let known = self.lock();
        known.installation.is_some().then_some(known.edition)
    }

    /// What `/api/status/` says now.
    pub fn observe(&self, found: Installation) {
        let mut known = self.lock();
        let changed = known.installation.as_ref().is_some_and(|before| *before != found);
        if changed {
            tracing::info!(version = found.version, "netbox has changed its version or plugins; forgetting everything");
            self.bus.publish(Scope::Everything, Source::Status);
        }
        if known.installation.as_ref() != Some(&found) {
            known.installation = Some(found);
            known.edition += 1;
            self.news.notify_one();
        }
    }

    /// The `API-Version` of any answer, which names major and minor version only.
    pub fn observe_api_version(&self, version: &str) {
        let mut known = self.lock();
        if known.api_version.as_deref() == Some(version) {
            return;
        }
        let first = known.api_version.is_none();
        known.api_version = Some(version.to_owned());
        let disagrees = known.installation.as_ref().is_some_and(|before| !before.agrees_with(version));
        if !first || disagrees {
            known.installation = None;
            self.news.notify_one();
            self.bus.publish(Scope::Everything, Source::Status);
            self.asked.notify_one();
        }
    }

    /// Returns when somebody should ask for `/api/status/` out of turn.
    pub async fn asked(&self) {
        self.asked.notified().await;
    }

    /// Returns when the [edition](Self::edition) has changed, or is not known any more, since the last time.
    pub async fn news(&self) {
        self.news.notified().await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
