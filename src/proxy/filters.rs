//! Filters that NetBox does not know: it ignores them, and answers with everything. Who is held to it is told instead.
//!
//! A filter that NetBox does know is never refused. So what is remembered may let a request pass, and never refuses one: a
//! request whose names are not all known waits until NetBox has said anew what it is (version and plugins, and its custom
//! fields where one is named), and passes if NetBox is another one, or does not say so soon.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use http::{HeaderMap, Method};
use tokio::sync::Notify;

use super::Inner;
use super::access::{AccessControl, Strictness};
use super::acl::{Intent, Permit};
use super::auth::Caller;
use super::error::ProxyError;
use super::request::Target;

mod fields;
mod learn;
mod look;
mod nearest;
mod table;

pub use learn::Knowledge;

use fields::CustomFields;
use look::Looks;
use table::{Doubtful, Table};

/// How long a request waits for NetBox to confirm that it is to be refused.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is known of lists' filters, and how it is confirmed.
#[derive(Debug, Default)]
pub(super) struct Filters {
    table: ArcSwapOption<Table>,
    asked: Notify,
    /// Whether NetBox has said what it is.
    status: Looks<bool>,
    fields: Looks<Option<Arc<CustomFields>>>,
}

/// Who asks, and by what leave.
pub(super) struct Asker<'a> {
    pub(super) access: &'a AccessControl,
    pub(super) caller: &'a Caller,
    pub(super) permit: &'a Permit,
}

impl Filters {
    /// Others may be held to it now.
    pub(super) fn ask(&self) {
        self.asked.notify_one();
    }
}

impl Inner {
    /// Checks the names of a list's filters.
    ///
    /// # Errors
    /// [`ProxyError::UnknownFilters`] with all that are unknown, where the caller is to be refused.
    pub(super) async fn check_filters(
        self: &Arc<Self>,
        strict: Strictness,
        asker: Asker<'_>,
        method: &Method,
        target: &Target,
    ) -> Result<(), ProxyError> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Ok(());
        }
        let Some((table, doubtful)) = self.doubtful(target) else {
            self.make_acquaintance(asker.permit);
            return Ok(());
        };
        // The document has it.
        let endpoint = target.path.name();
        self.metrics.endpoint_exists(endpoint);
        match strict {
            Strictness::Off => Ok(()),
            Strictness::Warn => {
                // Nobody waits for what is only counted.
                let (inner, endpoint) = (Arc::clone(self), endpoint.to_owned());
                self.tasks.spawn(async move {
                    let unknown = inner.unknown_by_memory(&table, doubtful).await;
                    inner.metrics.unknown_filters(&endpoint, unknown.len());
                });
                Ok(())
            }
            Strictness::Enforce => {
                let Some((unknown, fields)) = self.confirmed(&table, doubtful, asker.permit).await else {
                    return Ok(());
                };
                self.metrics.unknown_filters(endpoint, unknown.len());
                let named = fields.filter(|_| asker.may_see_fields());
                let named = named.as_deref().unwrap_or(&NO_FIELDS);
                Err(ProxyError::UnknownFilters(table.explain(target, &unknown, named).into()))
            }
        }
    }

    /// The names in doubt, by a table that is of NetBox as it was last seen.
    fn doubtful(&self, target: &Target) -> Option<(Arc<Table>, Doubtful)> {
        let table = self.filters.table.load();
        let doubtful = table.as_ref()?.doubtful(target)?;
        let table = table.as_ref().filter(|table| self.watch.edition() == Some(table.edition))?;
        Some((Arc::clone(table), doubtful))
    }

    /// What is unknown by all that is remembered.
    async fn unknown_by_memory(self: &Arc<Self>, table: &Table, mut doubtful: Doubtful) -> Doubtful {
        if !doubtful.fields.is_empty() {
            let fields = tokio::time::timeout(PATIENCE, self.custom_fields(false)).await.ok().flatten();
            retain_unknown(table, &mut doubtful, fields.as_ref());
        }
        doubtful
    }

    /// What NetBox does not know, as it says now, and the custom fields that it has; `None` when all may be known.
    async fn confirmed(
        self: &Arc<Self>,
        table: &Table,
        doubtful: Doubtful,
        permit: &Permit,
    ) -> Option<(Doubtful, Option<Arc<CustomFields>>)> {
        let mut unknown = self.unknown_by_memory(table, doubtful).await;
        if unknown.is_empty() || !self.is_still(table.edition, permit).await {
            return None;
        }
        if unknown.fields.is_empty() {
            return Some((unknown, None));
        }
        let fields = self.fresh_custom_fields(PATIENCE).await;
        retain_unknown(table, &mut unknown, fields.as_deref());
        (!unknown.is_empty()).then_some((unknown, fields))
    }

    /// Whether NetBox says, after this call, that it is still this edition.
    async fn is_still(self: &Arc<Self>, edition: u64, permit: &Permit) -> bool {
        if self.vouch(permit).await.is_err() {
            // That is told on the rest of the road.
            return false;
        }
        let said = tokio::time::timeout(PATIENCE, self.look_at_status(permit)).await;
        said == Ok(true) && self.watch.edition() == Some(edition)
    }

    /// With the shared token, or with the caller's where there is none.
    fn look_at_status(self: &Arc<Self>, permit: &Permit) -> look::Look<bool> {
        let own = self.access.load().acl.own();
        let permit = if own.has_token() { own } else { permit.clone() };
        let inner = Arc::clone(self);
        self.filters.status.take(&self.tasks, async move || inner.probe(&permit).await.is_ok())
    }

    /// Without a token of its own nbproxy is not told which NetBox that is, until a caller's token has asked.
    fn make_acquaintance(self: &Arc<Self>, permit: &Permit) {
        if permit.visitor().is_some() && self.watch.edition().is_none() {
            drop(self.look_at_status(permit));
        }
    }
}

impl Asker<'_> {
    /// Whether custom fields that were read with the shared token may be named to it: what was read for one is not told
    /// to another.
    fn may_see_fields(&self) -> bool {
        let target = Target::read("/api/extras/custom-fields/", "", &HeaderMap::new(), "");
        let permit = target.ok().and_then(|target| self.access.acl.permit(self.caller, &target, Intent::Read).ok());
        permit.is_some_and(|permit| permit.view().identity == self.access.acl.own().view().identity)
    }
}

static NO_FIELDS: CustomFields = CustomFields::none();

/// Where the custom fields cannot be had, any may be there.
fn retain_unknown(table: &Table, doubtful: &mut Doubtful, fields: Option<&CustomFields>) {
    match fields {
        Some(fields) => doubtful.fields.retain(|name| !table.is_field(name, fields)),
        None => doubtful.fields.clear(),
    }
}
