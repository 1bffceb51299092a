//! A request as the road sees it: free of axum, its path, query and branch already understood.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt};
use http::{HeaderMap, Method};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::auth::Origin;
use super::error::{BadRequest, ProxyError};
use crate::cache::public::PublicBase;
use crate::netbox::branch::{BRANCH_HEADER, BRANCH_PARAMETER, Branch, InvalidBranch, SchemaId};
use crate::netbox::object::{ApiPath, PathError};
use crate::netbox::outgoing::{BodyStream, OutgoingBody, Progress};
use crate::netbox::query::Query;

/// Bodies up to this many bytes are read whole before they are sent.
pub(super) const SMALL: u64 = 1024 * 1024;

/// A client's request.
pub struct Request {
    /// The method.
    pub method: Method,
    /// The headers, as the client sent them; none is passed on unless [allowed](super::headers).
    pub headers: HeaderMap,
    /// What it addresses.
    pub target: Target,
    /// Where it comes from.
    pub origin: Origin,
    /// Under which name the client reached nbproxy.
    pub base: PublicBase,
    /// The body; `None` when there is none.
    pub body: Option<RequestBody>,
    /// Whether the client could not tell an answer that breaks off from one that has ended.
    pub whole: bool,
}

impl Request {
    /// The same without its body.
    pub fn without_body(&self) -> Self {
        Self {
            method: self.method.clone(),
            headers: self.headers.clone(),
            target: self.target.clone(),
            origin: self.origin.clone(),
            base: self.base.clone(),
            body: None,
            whole: self.whole,
        }
    }
}

/// A request's body.
pub struct RequestBody {
    /// Its parts; it ends with an error when the client takes too long over the next one.
    pub stream: BodyStream,
    /// Its length in bytes, if the client said it.
    pub length: Option<u64>,
    /// Where it is held while it is small.
    pub room: Room,
}

/// Memory for the small bodies that are at hand, of all requests together.
#[derive(Clone, Debug)]
pub struct Room(Arc<Semaphore>);

/// A body with the room that it takes, given back when the last of its parts is dropped.
struct Held {
    bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Room {
    /// Room for so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes)))
    }

    fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, BadRequest> {
        let bytes = u32::try_from(bytes).map_err(|_| BadRequest::NoRoom)?;
        Arc::clone(&self.0).try_acquire_many_owned(bytes).map_err(|_| BadRequest::NoRoom)
    }
}

impl RequestBody {
    /// The body as it is sent: a small one is read whole before anything is asked of NetBox, so that a client that
    /// dawdles or hangs up holds nothing up there and leaves nothing half done. Django, too, reads no body whose length
    /// it was not told.
    ///
    /// # Errors
    /// What ended a small one early, and [`BadRequest::NoRoom`].
    pub(super) async fn prepare(self, progress: &Progress) -> Result<OutgoingBody, BadRequest> {
        let Self { mut stream, length, room } = self;
        let (mut bytes, mut taken) = (BytesMut::new(), None::<OwnedSemaphorePermit>);
        while length.unwrap_or(0) <= SMALL && bytes.len() as u64 <= SMALL {
            let Some(part) = stream.try_next().await? else { return Ok(OutgoingBody::Whole(held(bytes, taken))) };
            let more = room.take(part.len())?;
            match &mut taken {
                Some(taken) => taken.merge(more),
                None => taken = Some(more),
            }
            // Copied: a part may be a byte of a buffer that stays for its sake.
            bytes.extend_from_slice(&part);
        }
        let begun = (!bytes.is_empty()).then(|| Ok(held(bytes, taken)));
        let stream = Box::pin(futures_util::stream::iter(begun).chain(stream));
        Ok(OutgoingBody::Stream { stream, length, progress: progress.clone() })
    }
}

fn held(bytes: BytesMut, room: Option<OwnedSemaphorePermit>) -> Bytes {
    Bytes::from_owner(Held { bytes: bytes.freeze(), _room: room })
}

/// What a request addresses.
#[derive(Clone, Debug)]
pub struct Target {
    /// The path below NetBox's base.
    pub path: ApiPath,
    /// The query. A `_branch` stays in it, since NetBox repeats it in `next`.
    pub query: Query,
    /// The branch that header and query agree on.
    pub branch: Branch,
}

impl Target {
    /// Understands a request's target; `base_path` is NetBox's sub-path.
    ///
    /// # Errors
    /// [`ProxyError::NotMirrored`] for what NetBox's API does not cover, [`ProxyError::BadRequest`] for paths that can
    /// be read in two ways and for what is no branch.
    pub fn read(path: &str, query: &str, headers: &HeaderMap, base_path: &str) -> Result<Self, ProxyError> {
        let path = ApiPath::parse(path, base_path).map_err(|error| match error {
            PathError::NotMirrored => ProxyError::NotMirrored,
            PathError::Ambiguous(what) => BadRequest::Path(what).into(),
        })?;
        let query = Query::parse(query);
        let branch = branch(headers, &query)?;
        Ok(Self { path, query, branch })
    }

    /// Whether the client asked for main by name (`?_branch=`), rather than saying nothing of branches.
    pub fn names_main(&self) -> bool {
        self.query.values(BRANCH_PARAMETER).any(<[u8]>::is_empty)
    }
}

fn branch(headers: &HeaderMap, query: &Query) -> Result<Branch, BadRequest> {
    let said = headers.get_all(BRANCH_HEADER).iter().map(|value| schema(value.as_bytes()));
    let asked = query.values(BRANCH_PARAMETER).map(|value| match value {
        b"" => Ok(Branch::Main),
        text => schema(text),
    });
    let mut branches = said.chain(asked);
    let Some(first) = branches.next().transpose()? else { return Ok(Branch::Main) };
    for other in branches {
        if other? != first {
            return Err(BadRequest::BranchesDisagree);
        }
    }
    Ok(first)
}

fn schema(text: &[u8]) -> Result<Branch, BadRequest> {
    SchemaId::parse(text).map(Branch::Schema).map_err(|InvalidBranch| BadRequest::Branch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &[&str], query: &str) -> Result<String, String> {
        let mut headers = HeaderMap::new();
        for value in header {
            headers.append(BRANCH_HEADER, value.parse().unwrap());
        }
        Target::read("/api/dcim/sites/", query, &headers, "")
            .map(|target| target.branch.to_string())
            .map_err(|error| error.to_string())
    }

    /// Bodies that stay until NetBox has them have their room for as long.
    #[tokio::test]
    async fn small_bodies_share_their_room() {
        let room = Room::new(100);
        let body = |bytes: usize| RequestBody {
            stream: Box::pin(futures_util::stream::iter((0..bytes).map(|_| Ok(Bytes::from_static(b"x"))))),
            length: None,
            room: room.clone(),
        };
        let progress = Progress::new();
        let first = body(60).prepare(&progress).await.unwrap();
        assert!(matches!(&first, OutgoingBody::Whole(bytes) if **bytes == [b'x'; 60]), "{first:?}");
        assert_eq!(body(41).prepare(&progress).await.unwrap_err(), BadRequest::NoRoom);
        assert!(body(40).prepare(&progress).await.is_ok(), "what was refused has given it back");
        drop(first);
        assert!(body(100).prepare(&progress).await.is_ok());
    }

    #[test]
    fn header_and_query_must_agree() {
        assert_eq!(read(&[], "").unwrap(), "main");
        assert_eq!(read(&[], "_branch=").unwrap(), "main");
        assert_eq!(read(&["abcd1234"], "").unwrap(), "abcd1234");
        assert_eq!(read(&[], "%5Fbranch=abcd1234").unwrap(), "abcd1234");
        assert_eq!(read(&["abcd1234", "abcd1234"], "_branch=abcd1234").unwrap(), "abcd1234");
        for (header, query) in [
            (&["abcd1234"][..], "_branch="),
            (&["abcd1234", "abcd1235"], ""),
            (&[], "_branch=abcd1234&_branch=other123"),
            (&["Main"], ""),
            (&[""], ""),
            (&[], "_branch=branch_x"),
            (&["abcd1234"], "_branch=abcd1235"),
        ] {
            assert!(read(header, query).is_err(), "{header:?} {query}");
        }
    }
}
