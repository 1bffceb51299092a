//! Learning what lists take from NetBox's OpenAPI document, while somebody is held to it.

use std::sync::Arc;

use http::HeaderMap;

use super::table::Table;
use crate::netbox::openapi::Parameters;
use crate::proxy::own::Origination;
use crate::proxy::{Inner, Proxy};

/// As Ansible's inventory asks for it, and so under the same key.
const DOCUMENT: &str = "/api/schema/?format=json";

/// What is known of the lists' filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knowledge {
    /// Nobody is held to them.
    Unwanted,
    /// Nothing, until NetBox has said which version it is.
    Awaited,
    /// All.
    Known {
        /// How many lists there are.
        lists: usize,
        /// Whether that goes for plugins' lists.
        plugins: bool,
    },
}

impl Proxy {
    /// Reads the document, and lets requests be checked by it from now on; forgets it where nobody is held to it any more.
    ///
    /// # Errors
    /// Why there is none, in a word. What was known of the same version and plugins stays known.
    pub async fn learn_filters(&self) -> Result<Knowledge, &'static str> {
        self.inner.learn().await
    }

    /// Returns when the document should be read out of turn: NetBox has become another, or others are held to it.
    pub async fn filters_asked(&self) {
        tokio::select! {
            () = self.inner.watch.news() => {}
            () = self.inner.filters.asked.notified() => {}
        }
    }

    /// Whether requests can be checked now.
    pub fn filters_known(&self) -> bool {
        let table = self.inner.filters.table.load();
        table.as_ref().is_some_and(|table| self.inner.watch.edition() == Some(table.edition))
    }
}

impl Inner {
    async fn learn(self: &Arc<Self>) -> Result<Knowledge, &'static str> {
        if !self.access.load().is_strict() {
            self.filters.table.store(None);
            return Ok(Knowledge::Unwanted);
        }
        // Before the document is read: if NetBox becomes another meanwhile, this is not its edition any more.
        let Some(edition) = self.watch.edition() else { return Ok(Knowledge::Awaited) };
        let now = self.clock.now();
        let before = self.filters.table.load_full().filter(|table| table.edition == edition);
        let since = before.map_or(now, |table| table.since);
        let told = self.own(DOCUMENT, HeaderMap::new()).await?;
        let (body, base) = (told.body, self.session.base().path().to_owned());
        // 13 MB take a twentieth of a second.
        let parsing = self.tasks.spawn_blocking(move || Parameters::parse(&body, &base));
        let parameters = parsing.await.map_err(|_| "lost")?.map_err(|_| "no-document")?;
        // NetBox keeps its document for a day, by its version, whatever becomes of its plugins (netbox/urls.py).
        let young = |origin: Origination| origin.asked >= since && origin.age <= origin.asked.since(since);
        let table = Table::new(parameters, edition, since, told.origin.is_some_and(young));
        let (lists, plugins) = (table.lists(), table.plugins);
        if lists == 0 {
            return Err("no-document");
        }
        self.filters.table.store(Some(Arc::new(table)));
        Ok(Knowledge::Known { lists, plugins })
    }
}
