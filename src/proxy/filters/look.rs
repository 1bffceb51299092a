//! Fresh looks at NetBox, shared by all who wait for one: whoever asks is told what NetBox said *after* it had asked, and
//! NetBox has at most one such question at a time.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

/// The looks of one kind.
#[derive(Debug)]
pub(super) struct Looks<T> {
    /// The look that has not begun yet: who comes by now may still share it.
    next: Arc<Mutex<Option<Look<T>>>>,
    turn: Arc<Semaphore>,
}

/// A look, to be waited for.
pub(super) type Look<T> = Shared<BoxFuture<'static, T>>;

impl<T: Clone + Send + Sync + 'static> Looks<T> {
    /// A look that begins after this call. It is taken whether or not it is waited for, on these tasks.
    pub(super) fn take<F>(&self, tasks: &TaskTracker, look: impl FnOnce() -> F) -> Look<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = &*next {
            return waiting.clone();
        }
        let (slot, turn, look) = (Arc::clone(&self.next), Arc::clone(&self.turn), look());
        let shared = async move {
            // It is never closed.
            let _turn = turn.acquire().await;
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = None;
            look.await
        }
        .boxed()
        .shared();
        tasks.spawn(shared.clone());
        *next = Some(shared.clone());
        shared
    }
}

impl<T> Default for Looks<T> {
    fn default() -> Self {
        Self { next: Arc::default(), turn: Arc::new(Semaphore::new(1)) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use std::time::Duration;

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn who_comes_during_a_look_is_told_by_the_next() {
        tokio::time::timeout(Duration::from_secs(30), three_looks()).await.expect("it was waited for in vain");
    }

    async fn three_looks() {
        let (looks, tasks) = (Looks::<usize>::default(), TaskTracker::new());
        let (begun, go) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let take = || {
            looks.take(&tasks, || {
                let (begun, go) = (Arc::clone(&begun), Arc::clone(&go));
                async move {
                    let own = begun.fetch_add(1, Ordering::SeqCst);
                    go.notified().await;
                    own
                }
            })
        };
        let (first, second) = (take(), take());
        while begun.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let (third, fourth) = (take(), take());
        tokio::task::yield_now().await;
        assert_eq!(begun.load(Ordering::SeqCst), 1, "two at once");
        go.notify_one();
        assert_eq!((first.await, second.await), (0, 0));
        drop(third);
        go.notify_one();
        assert_eq!(fourth.await, 1);
        drop(take());
        go.notify_one();
        tasks.close();
        tasks.wait().await;
        assert_eq!(begun.load(Ordering::SeqCst), 3, "a look that nobody waits for is taken");
    }
}
