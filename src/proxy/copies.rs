//! Copies of bodies in content codings: made once, off the path of the request that wanted one; the next one has it.

use std::sync::Arc;

use super::Inner;
use super::plan::Read;
use crate::cache::coding::Coding;
use crate::cache::entry::Entry;
use crate::cache::public::PublicBase;

/// Copies that are made at once: answers need the processor, too.
pub(super) const AT_ONCE: usize = 1;

impl Inner {
    /// Has a copy made of what is remembered under this key, unless one is being made of it.
    pub(super) fn copy(self: &Arc<Self>, read: &Read, base: &PublicBase, entry: &Arc<Entry>, coding: Coding) {
        let Some((making, body)) = entry.begin_copy(base) else { return };
        let (inner, entry, base, key) = (Arc::clone(self), Arc::clone(entry), base.clone(), read.key);
        self.tasks.spawn(async move {
            // Closed is what it never is; and nothing is lost without a copy.
            let Ok(_turn) = inner.copying.acquire().await else { return };
            if !entry.core().witness.is_current() {
                return;
            }
            let encoded = tokio::task::spawn_blocking(move || coding.encode(&body)).await;
            if let Ok(copy) = encoded {
                inner.store.extend(key, &entry, |current| current.with_copy(&base, coding, copy));
            }
            drop(making);
        });
    }
}
