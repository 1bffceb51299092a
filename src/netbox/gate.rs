//! How many requests NetBox sees at once. The rest queue, first come first served, with a deadline.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::transport::TransportError as Error;

/// Bounds the requests at NetBox and those that wait for it.
#[derive(Debug)]
pub struct Gate {
    places: Arc<Semaphore>,
    /// One place more, for [questions of our own](Self::enter_kept).
    kept: Arc<Semaphore>,
    /// How many of them may be taken [unasked](Self::spare).
    spare: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// Told whenever a place comes free, or somebody does not wait for one any more.
    stirred: Arc<Notify>,
    limits: Limits,
}

/// Places beyond the limit.
const KEPT: usize = 1;

/// How the gate is set.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests at NetBox at once, but for one more of our own.
    pub in_flight: usize,
    /// Requests that may wait for a place.
    pub queue: usize,
    /// How long each may wait.
    pub patience: Duration,
}

/// A place at NetBox: held until the answer has been read, given back on drop.
#[derive(Debug)]
pub struct Place {
    // Dropped in this order: the place is free before that is told.
    _permit: OwnedSemaphorePermit,
    _spare: Option<OwnedSemaphorePermit>,
    _stir: Stir,
}

/// Tells on drop that the gate is not what it was.
#[derive(Debug)]
struct Stir(Arc<Notify>);

impl Drop for Stir {
    fn drop(&mut self) {
        self.0.notify_waiters();
    }
}

impl Gate {
    /// A gate with these limits.
    pub fn new(limits: Limits) -> Self {
        let places = |count| Arc::new(Semaphore::new(count));
        Self {
            places: places(limits.in_flight),
            kept: places(KEPT),
            spare: places(limits.in_flight / 2),
            stirred: Arc::default(),
            waiting: AtomicUsize::new(0),
            limits,
        }
    }

    /// Waits for a place. tokio's semaphore is fair: places go to those who asked first.
    ///
    /// # Errors
    /// [`Error::QueueFull`] at once, [`Error::QueueTimedOut`] after [`Limits::patience`].
    pub async fn enter(&self) -> Result<Place, Error> {
        if let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(self.place(permit));
        }
        let _waiting = self.queue_up()?;
        let place = tokio::time::timeout(self.limits.patience, Arc::clone(&self.places).acquire_owned()).await;
        match place {
            Ok(Ok(permit)) => Ok(self.place(permit)),
            // The semaphore is never closed; were it, no place would ever come free.
            Ok(Err(_)) | Err(_) => Err(Error::QueueTimedOut(self.limits.patience)),
        }
    }

    /// Waits for a place for what is asked so that others are answered rightly: it must not wait behind them. There is one
    /// kept for such questions beyond [`Limits::in_flight`]; few are asked at once.
    ///
    /// # Errors
    /// [`Error::QueueTimedOut`] after [`Limits::patience`].
    pub async fn enter_kept(&self) -> Result<Place, Error> {
        let place = async {
            tokio::select! {
                biased;
                permit = Arc::clone(&self.places).acquire_owned() => permit,
                permit = Arc::clone(&self.kept).acquire_owned() => permit,
            }
        };
        match tokio::time::timeout(self.limits.patience, place).await {
            Ok(Ok(permit)) => Ok(self.place(permit)),
            Ok(Err(_)) | Err(_) => Err(Error::QueueTimedOut(self.limits.patience)),
        }
    }

    /// A place for what nobody has asked for yet: only one that nobody waits for, while another stays free, and no more than
    /// half of all.
    pub fn spare(&self) -> Option<Place> {
        let spare = Arc::clone(&self.spare).try_acquire_owned().ok()?;
        // Those who wait are given what comes free before it can be had here.
        let permit = Arc::clone(&self.places).try_acquire_owned().ok()?;
        (self.places.available_permits() > 0).then(|| Place { _spare: Some(spare), ..self.place(permit) })
    }

    /// Whether a place is free, and nobody waits for one.
    pub fn is_at_leisure(&self) -> bool {
        self.places.available_permits() > 0 && self.waiting() == 0
    }

    /// Returns when [that is so](Self::is_at_leisure): what nobody waits for is asked after what somebody does.
    pub async fn leisure(&self) {
        loop {
            // What is told from here on is not missed.
            let stirred = self.stirred.notified();
            if self.is_at_leisure() {
                return;
            }
            stirred.await;
        }
    }

    /// Requests at NetBox now.
    pub fn in_flight(&self) -> usize {
        let free = self.places.available_permits() + self.kept.available_permits();
        (self.limits.in_flight + KEPT).saturating_sub(free)
    }

    /// Requests that wait for a place now.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    fn place(&self, permit: OwnedSemaphorePermit) -> Place {
        Place { _permit: permit, _spare: None, _stir: Stir(Arc::clone(&self.stirred)) }
    }

    fn queue_up(&self) -> Result<Waiting<'_>, Error> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting(self);
        if before >= self.limits.queue { Err(Error::QueueFull) } else { Ok(waiting) }
    }
}

struct Waiting<'a>(&'a Gate);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
        self.0.stirred.notify_waiters();
    }
}
