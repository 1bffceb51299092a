//! Writes: forward, bump, reply. In that order, in a task of its own, whatever becomes of the client.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::Inner;
use super::acl::Permit;
use super::error::ProxyError;
use super::forward::{Receiver, outgoing};
use super::outcome::Outcome;
use super::reply::Reply;
use super::request::Request;
use crate::cache::epochs::Scope;
use crate::invalidation::writes::{Effect, OpenWrite, Settlement};
use crate::netbox::outgoing::Progress;
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
        effect: Effect,
    ) -> Result<Reply, ProxyError> {
        let (scope, deferred) = match effect {
            Effect::None => return self.pass(&permit, request, Outcome::Written).await,
            Effect::Now(scope) => (scope, false),
            Effect::Later(scope) => (scope, true),
        };
        let (answered, reply) = oneshot::channel();
        self.tasks.spawn(Arc::clone(self).carry_out(permit, request, scope, deferred, answered));
        reply.await.map_err(|_| ProxyError::Lost)?
    }

    async fn carry_out(
        self: Arc<Self>,
        permit: Permit,
        request: Request,
        scope: Scope,
        deferred: bool,
        answered: Answered,
    ) {
        let receiver = Receiver::of(&request);
        let progress = Progress::new();
        let outgoing = outgoing(&permit, request, progress.clone());
        let place = match self.session.enter().await {
            Ok(place) => place,
            // Nothing was sent, so nothing has changed.
            Err(error) => return release(answered, Err(ProxyError::from_upstream(error))),
        };
        let mut write = OpenWrite::begin(Arc::clone(&self.bus), scope, deferred);
        let timeout = self.session.timeout();
        let sending = self.send(place, outgoing, timeout.saturating_add(LINGER));
        tokio::pin!(sending);
        let in_time = tokio::select! {
            sent = &mut sending => Some(sent),
            () = progress.stalled(timeout) => None,
        };
        let Some(sent) = in_time else {
            // The client is told now; what becomes of the write is awaited further, with nothing kept meanwhile.
            write.answered_early();
            release(answered, Err(ProxyError::Upstream(Arc::new(UpstreamError::TimedOut(timeout)))));
            let settlement = settlement(&write, &sending.await);
            return write.settle(settlement);
        };
        let settlement = settlement(&write, &sent);
        write.settle(settlement);
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
        // What NetBox got was shorter than announced, and it carries out nothing of that.
        Err(ProxyError::BadRequest(_)) => Settlement::Known,
        Err(ProxyError::Upstream(error)) if error.nothing_was_sent() => Settlement::Known,
        Err(_) => Settlement::Unknown,
    }
}

/// The client may have hung up, which is no trouble of the write's.
fn release(answered: Answered, reply: Result<Reply, ProxyError>) {
    let _gone = answered.send(reply);
}
