//! The switches of a test: faults by request, requests held at a chosen point, latency.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use crate::request::Received;

/// What goes wrong with an answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Never answer; the connection stays open.
    Hang,
    /// RST without a byte; nothing is read or changed.
    ResetBeforeAnswer,
    /// FIN without a byte; nothing is read or changed.
    CloseBeforeAnswer,
    /// The normal answer, but RST after half of the body.
    ResetMidBody,
    /// The normal answer, but FIN before the `Content-Length` is reached.
    Truncate,
    /// 200 with an HTML page.
    Html200,
    /// An answer of that status, content type and body; nothing is read or changed.
    Status(u16, &'static str, String),
    /// The normal answer with a `Set-Cookie` header.
    SetCookie,
    /// The normal answer in chunked coding, without `Content-Length`.
    Chunked,
    /// 302 to that place.
    Redirect(String),
    /// The request is carried out, then RST without a byte.
    ApplyThenReset,
    /// The request is carried out, then answered with that status.
    ApplyThenStatus(u16),
    /// The normal answer, its body in pieces with pauses between.
    Slow {
        /// Bytes in a piece.
        chunk: usize,
        /// Pause after each piece.
        pause: Duration,
    },
    /// 200, `application/json`, with that body.
    WrongJson(String),
}

/// Which requests a fault strikes.
#[derive(Clone, Debug)]
pub struct Match {
    method: Option<String>,
    path: Option<String>,
    prefix: bool,
    skip: usize,
    times: Option<usize>,
}

impl Match {
    /// Every request.
    pub fn any() -> Match {
        Match { method: None, path: None, prefix: false, skip: 0, times: None }
    }

    /// Requests of that method (`*` for any) for exactly that path, whatever their query.
    pub fn path(method: &str, path: &str) -> Match {
        Match { method: Some(method.to_owned()), path: Some(path.to_owned()), ..Match::any() }
    }

    /// Requests of that method for any path that begins so.
    pub fn prefix(method: &str, prefix: &str) -> Match {
        Match { prefix: true, ..Match::path(method, prefix) }
    }

    /// Requests of that method.
    pub fn method(method: &str) -> Match {
        Match { method: Some(method.to_owned()), ..Match::any() }
    }

    /// Only the first so many of them.
    #[must_use]
    pub fn times(self, times: usize) -> Match {
        Match { times: Some(times), ..self }
    }

    /// Not the first so many of them.
    #[must_use]
    pub fn skip(self, skip: usize) -> Match {
        Match { skip, ..self }
    }

    fn covers(&self, request: &Received) -> bool {
        let method = self.method.as_ref().is_none_or(|method| method == "*" || *method == request.method);
        let path = self
            .path
            .as_ref()
            .is_none_or(|path| if self.prefix { request.path.starts_with(path) } else { request.path == *path });
        method && path
    }
}

/// Where a request is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldPoint {
    /// Before the state is read or changed.
    BeforeRead,
    /// After the answer was worked out and a write committed, before the first byte is sent.
    BeforeAnswer,
    /// After half of the body.
    AmidBody,
}

struct Gate {
    method: String,
    prefix: String,
    point: HoldPoint,
    arrived: watch::Sender<usize>,
    permits: Semaphore,
}

impl Gate {
    fn is_for(&self, request: &Received, point: HoldPoint) -> bool {
        self.point == point
            && (self.method == "*" || self.method == request.method)
            && request.path.starts_with(&self.prefix)
    }

    async fn pass(&self) {
        self.arrived.send_modify(|arrived| *arrived += 1);
        // A closed semaphore is the released gate; a permit lets one request pass for good.
        if let Ok(permit) = self.permits.acquire().await {
            permit.forget();
        }
    }
}

/// Requests held at a point; dropping it lets them go.
pub struct Hold {
    gate: Arc<Gate>,
}

impl Hold {
    /// Waits until so many requests, counted from the beginning, have reached the point.
    pub async fn arrived(&self, count: usize) {
        let mut arrived = self.gate.arrived.subscribe();
        // The sender lives in the gate that we hold, so waiting can only end well.
        let _ = arrived.wait_for(|so_far| *so_far >= count).await;
    }

    /// How many have reached it so far.
    pub fn count(&self) -> usize {
        *self.gate.arrived.borrow()
    }

    /// Lets all held requests and all later ones go.
    pub fn release(&self) {
        self.gate.permits.close();
    }

    /// Lets one request go: the one that waits longest, or else the next to arrive.
    pub fn release_one(&self) {
        self.gate.permits.add_permits(1);
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.release();
    }
}

/// The switches as they stand.
#[derive(Default)]
pub(crate) struct Controls {
    faults: Vec<(Match, Fault)>,
    gates: Vec<Arc<Gate>>,
    pub(crate) latency: Duration,
    /// A channel, so that connections which idle already learn of a new limit.
    pub(crate) idle_close: watch::Sender<Option<Duration>>,
    pub(crate) close_next_reused: bool,
}

impl Controls {
    pub(crate) fn hold(&mut self, method: &str, prefix: &str, point: HoldPoint) -> Hold {
        let gate = Arc::new(Gate {
            method: method.to_owned(),
            prefix: prefix.to_owned(),
            point,
            arrived: watch::Sender::new(0),
            permits: Semaphore::new(0),
        });
        self.gates.retain(|gate| !gate.permits.is_closed());
        self.gates.push(Arc::clone(&gate));
        Hold { gate }
    }

    /// Waits at every gate in the way; to be awaited after the lock is let go.
    pub(crate) fn gates(&self, request: &Received, point: HoldPoint) -> impl Future<Output = ()> + Send + 'static {
        let in_the_way: Vec<_> = self.gates.iter().filter(|gate| gate.is_for(request, point)).cloned().collect();
        async move {
            for gate in in_the_way {
                gate.pass().await;
            }
        }
    }

    /// Whether a request is in for it at that point.
    pub(crate) fn holds(&self, request: &Received, point: HoldPoint) -> bool {
        self.gates.iter().any(|gate| gate.is_for(request, point))
    }

    pub(crate) fn add_fault(&mut self, on: Match, fault: Fault) {
        self.faults.push((on, fault));
    }

    pub(crate) fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// The fault that strikes this request, if any; the first that fits counts as used.
    pub(crate) fn strike(&mut self, request: &Received) -> Option<Fault> {
        for (on, fault) in &mut self.faults {
            if !on.covers(request) || on.times == Some(0) {
                continue;
            }
            if on.skip > 0 {
                on.skip -= 1;
                continue;
            }
            if let Some(times) = &mut on.times {
                *times -= 1;
            }
            return Some(fault.clone());
        }
        None
    }
}
