//! Writes: forward, bump, reply. In that order, in a task of its own, whatever becomes of the client.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::Inner;
use super::acl::Permit;
use super::error::{BadRequest, ProxyError};
use super::forward::{Receiver, outgoing};
use super::outcome::Outcome;
use super::reply::Reply;
use super::request::Request;
use crate::invalidation::writes::{Change, OpenWrite, Settlement};
use crate::netbox::outgoing::{Outgoing, Progress};
use crate::netbox::session::Answer;
use crate::netbox::transport::TransportError as UpstreamError;

/// How much longer than its client a write waits for its outcome.
const LINGER: Duration = Duration::from_secs(600);

type Answered = oneshot::Sender<Result<Reply, ProxyError>>;

impl Inner {
    /// Carries a write out.
    pub(super) async fn write(
        self: &Arc<Self>,
        permit: Permit,
        request: Request,
        change: Change,
    ) -> Result<Reply, ProxyError> {
        let (receiver, progress) = (Receiver::of(&request), Progress::new());
        // Before anything is sent: a client that hangs up amid a small body has changed nothing.
        let outgoing = outgoing(&permit, request, self.session.timeout(), &progress).await?;
        let (answered, reply) = oneshot::channel();
        let write = OpenWrite::begin(Arc::clone(&self.bus), change);
        self.tasks.spawn(Arc::clone(self).carry_out(write, outgoing, progress, receiver, answered));
        reply.await.map_err(|_| ProxyError::Lost)?
    }

    async fn carry_out(
        self: Arc<Self>,
        mut write: OpenWrite,
        outgoing: Outgoing,
        progress: Progress,
        receiver: Receiver,
        answered: Answered,
    ) {
        let place = match self.session.enter().await {
            Ok(place) => place,
            Err(error) => {
                write.settle(Settlement::Unsent);
                return release(answered, Err(ProxyError::from_upstream(error)));
            }
        };
        let timeout = self.session.timeout();
        let mut sending = Box::pin(self.send(place, outgoing, timeout.saturating_add(LINGER)));
        let in_time = tokio::select! {
            sent = &mut sending => Some(sent),
            () = progress.stalled(timeout) => None,
        };
        let Some(sent) = in_time else {
            if progress.has_begun() && !progress.is_whole() {
                // The client keeps NetBox waiting for the rest of an upload: it is broken off.
                drop(sending);
                write.settle(Settlement::Unknown);
                return release(answered, Err(BadRequest::Body.into()));
            }
            // The client is told now; what becomes of the write is awaited further, with nothing kept meanwhile.
            write.answered_early();
            release(answered, Err(ProxyError::Upstream(Arc::new(UpstreamError::TimedOut(timeout)))));
            let outcome = settlement(&write, &sending.await);
            return write.settle(outcome);
        };
        let outcome = settlement(&write, &sent);
        write.settle(outcome);
        let reply = match sent {
            Ok(answer) => self.relay(answer, &receiver, Outcome::Written).await,
            Err(error) => Err(error),
        };
        release(answered, reply);
    }
}

fn settlement(write: &OpenWrite, sent: &Result<Answer, ProxyError>) -> Settlement {
    match sent {
        Ok(answer) => write.settlement(answer.status),
        Err(ProxyError::Upstream(error)) if error.nothing_was_sent() => Settlement::Known,
        Err(_) => Settlement::Unknown,
    }
}

/// The client may have hung up, which is no trouble of the write's.
fn release(answered: Answered, reply: Result<Reply, ProxyError>) {
    let _gone = answered.send(reply);
}
