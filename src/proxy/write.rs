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
use crate::invalidation::effect::Change;
use crate::invalidation::writes::{OpenWrite, Outlook, Settlement};
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
    pub(super) fn of(caller: &Caller, branch: Branch, signature: Option<&str>, request: &Request) -> Self {
        Self {
            name: caller.name().to_owned(),
            address: request.origin.address,
            method: request.method.clone(),
            path: request.target.path.as_str().to_owned(),
            branch,
            signs: signature.is_some(),
        }
    }

    /// One line for each write, whatever became of it.
    fn audit(&self, sent: &Result<Answer, ProxyError>) {
        let answer = sent.as_ref().ok();
        let id = answer.and_then(request_id);
        tracing::info!(
            target: "nbproxy::audit",
            caller = self.name,
            peer = %self.address,
            method = self.method.as_str(),
            path = self.path,
            branch = %self.branch,
            status = answer.map(|answer| answer.status.as_u16()),
            request_id = id.as_deref(),
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
        let mut outgoing = outgoing(&permit, request, &progress).await?;
        if signed {
            signature::sign(&mut outgoing, &author.name);
        }
        let (answered, reply) = oneshot::channel();
        let write = OpenWrite::begin(Arc::clone(&self.bus), change, self.pace.longest);
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
            // Nobody waits for the reply any more; what the write has started is followed all the same.
            drop(self.conclude(write, sent, &party).await);
            return;
        };
        let reply = self.conclude(write, sent, &party).await;
        release(answered, reply);
    }

    /// Says what became of a write; the reply may be released then.
    async fn conclude(
        self: &Arc<Self>,
        write: OpenWrite,
        sent: Result<Answer, ProxyError>,
        party: &Party,
    ) -> Result<Reply, ProxyError> {
        party.author.audit(&sent);
        let answer = match sent {
            Ok(answer) => answer,
            Err(error) => {
                let unsent = matches!(&error, ProxyError::Upstream(error) if error.nothing_was_sent());
                write.settle(if unsent { Settlement::Known } else { Settlement::Unknown });
                self.forget(party);
                return Err(error);
            }
        };
        let outlook = write.answered(answer.status);
        self.forget(party);
        match outlook {
            Outlook::Known | Outlook::Unknown => {
                self.relay(answer, &party.permit, &party.receiver, Outcome::Written).await
            }
            Outlook::Started(started) => {
                // Its body names the job.
                let reply = self.relay(answer, &party.permit, &party.receiver, Outcome::Written).await;
                self.pursue(started, reply.as_ref().ok(), &party.author.path).await;
                reply
            }
        }
    }

    /// A write may have changed who may use which token, and which branch can be used.
    fn forget(&self, party: &Party) {
        if party.author.path.starts_with("/api/users/") {
            self.vouches.forget_all();
        }
        if party.author.path.starts_with("/api/plugins/branching/") {
            self.branches.outdate();
        }
    }
}

fn request_id(answer: &Answer) -> Option<Box<str>> {
    Some(answer.headers.get(REQUEST_ID)?.to_str().ok()?.into())
}

/// The client may have hung up, which is no trouble of the write's.
fn release(answered: Answered, reply: Result<Reply, ProxyError>) {
    let _gone = answered.send(reply);
}
