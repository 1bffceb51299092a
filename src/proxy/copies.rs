//! Copies of bodies in content codings: made once, off the path of the request that wanted one; a later one has it.

use std::sync::Arc;

use super::Inner;
use super::plan::Read;
use crate::cache::coding::Coding;
use crate::cache::entry::Entry;
use crate::cache::public::PublicBase;

/// Copies that are made at once: answers need the processor, too. Others are not waited for, which would hold their bodies
/// however many were wanted; whoever asks next may have more luck.
pub(super) const AT_ONCE: usize = 1;

impl Inner {
    /// Has a copy made of what is remembered under this key, if nothing else is being copied.
    pub(super) fn copy(self: &Arc<Self>, read: &Read, base: &PublicBase, entry: &Arc<Entry>, coding: Coding) {
        let Ok(turn) = Arc::clone(&self.copying).try_acquire_owned() else { return };
        let Some(body) = entry.body(base) else { return };
        let (inner, entry, base, key) = (Arc::clone(self), Arc::clone(entry), base.clone(), read.key);
        self.tasks.spawn(async move {
            let encoded = tokio::task::spawn_blocking(move || coding.encode(&body)).await;
            if let Ok(copy) = encoded
                && !inner.store.extend(key, &entry, |current| current.with_copy(&base, coding, copy))
            {
                // There is no room for it: that is known for the next who asks.
                inner.store.extend(key, &entry, |current| current.with_copy(&base, coding, None));
            }
            drop(turn);
        });
    }
}
