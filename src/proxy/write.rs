//! Writes: forward, bump, reply. In that order, in a task of its own, whatever becomes of the client.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use tokio::sync::oneshot;

use super::Inner;
use super::acl::Permit;
use super::auth::Caller;
use super::error::{BadRequest, ProxyError};
use super::forward::{Receiver, outgoing};
use super::headers::REQUEST_ID;
use super::outcome::Outcome;
use super::reply::Reply;
use super::request::Request;
use super::signature;
use crate::invalidation::writes::{Change, OpenWrite, Settlement};
use crate::netbox::branch::Branch;
use crate::netbox::outgoing::{Outgoing, Progress};
use crate::netbox::session::Answer;
use crate::netbox::transport::TransportError as UpstreamError;

/// Who writes what, for the audit log.
#[derive(Debug)]
pub(super) struct Author {
    name: String,
    address: IpAddr,
    method: Method,
    path: String,
    branch: Branch,
    /// Whether the client is named in NetBox's changelog.
    signs: bool,
}

impl Author {
    pub(super) fn of(caller: &Caller, signature: Option<&str>, request: &Request) -> Self {
        Self {
            name: caller.name().to_owned(),
            address: request.origin.address,
            method: request.method.clone(),
            path: request.target.path.as_str().to_owned(),
            branch: request.target.branch,
            signs: signature.is_some(),
        }
    }

    /// One line for each write, whatever became of it.
    fn audit(&self, sent: &Result<Answer, ProxyError>) {
        let answer = sent.as_ref().ok();
        let id = answer.and_then(|answer| answer.headers.get(REQUEST_ID)).and_then(|id| id.to_str().ok());
        tracing::info!(
            target: "nbproxy::audit",
            caller = self.name,
            peer = %self.address,
            method = self.method.as_str(),
            path = self.path,
            branch = %self.branch,
            status = answer.map(|answer| answer.status.as_u16()),
            request_id = id,
            error = sent.as_ref().err().map(ProxyError::as_str),
            "write"
        );
    }
}

/// How much longer than its client a write waits for its outcome.
const LINGER: Duration = Duration::from_secs(600);

/// Who asked, with what leave, and who gets the answer.
struct Party {
    permit: Permit,
    receiver: Receiver,
    author: Author,
}

type Answered = oneshot::Sender<Result<Reply, ProxyError>>;

impl Inner {
    /// Carries a write out.
    pub(super) async fn write(
        self: &Arc<Self>,
        permit: Permit,
        request: Request,
        change: Change,
        author: Author,
    ) -> Result<Reply, ProxyError> {
        let (receiver, progress) = (Receiver::of(&request), Progress::new());
        let signed = author.signs && signature::is_taken(&request, self.watch.version().as_deref());
        // Before anything is sent: a client that hangs up amid a small body has changed nothing.
        let mut outgoing = outgoing(&permit, request, self.session.timeout(), &progress).await?;
        if signed {
            signature::sign(&mut outgoing, &author.name);
        }
        let (answered, reply) = oneshot::channel();
        let write = OpenWrite::begin(Arc::clone(&self.bus), change);
        self.tasks.spawn(Arc::clone(self).carry_out(
            write,
            outgoing,
            progress,
            Party { permit, receiver, author },
            answered,
        ));
        reply.await.map_err(|_| ProxyError::Lost)?
    }

    async fn carry_out(
        self: Arc<Self>,
        mut write: OpenWrite,
        outgoing: Outgoing,
        progress: Progress,
        party: Party,
        answered: Answered,
    ) {
        let place = match self.session.enter().await {
            Ok(place) => place,
            Err(error) => {
                write.settle(Settlement::Unsent);
                let error = ProxyError::from_upstream(error);
                party.author.audit(&Err(error.clone()));
                return release(answered, Err(error));
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
                party.author.audit(&Err(BadRequest::Body.into()));
                return release(answered, Err(BadRequest::Body.into()));
            }
            // The client is told now; what becomes of the write is awaited further, with nothing kept meanwhile.
            write.answered_early();
            release(answered, Err(ProxyError::Upstream(Arc::new(UpstreamError::TimedOut(timeout)))));
            let sent = sending.await;
            party.author.audit(&sent);
            let outcome = settlement(&write, &sent);
            self.forget_vouches(&party);
            return write.settle(outcome);
        };
        let (outcome, change) = (settlement(&write, &sent), write.change());
        write.settle(outcome);
        if let Ok(answer) = &sent
            && outcome == Settlement::Known
            && let Some(id) = answer.headers.get(REQUEST_ID).and_then(|id| id.to_str().ok())
        {
            self.own.answered(id, change.scopes());
        }
        party.author.audit(&sent);
        self.forget_vouches(&party);
        let reply = match sent {
            Ok(answer) => self.relay(answer, &party.permit, &party.receiver, Outcome::Written).await,
            Err(error) => Err(error),
        };
        release(answered, reply);
    }
}

impl Inner {
    /// A write may have changed who may use which token.
    fn forget_vouches(&self, party: &Party) {
        if party.author.path.starts_with("/api/users/") {
            self.vouches.forget_all();
        }
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
