//! The objects of a list, lazily: a stream in the server's order, whatever is fetched behind it.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use futures_util::{Stream, StreamExt};
use serde_json::Value;

use super::endpoint::Endpoint;
use super::error::{Error, RequestLine};
use super::filters::Filters;
use super::pagination::{Row, Walk};
use super::record::Record;

/// The objects of a list. Nothing is sent before the first is asked for; rows are held a page at a time.
///
/// As a `Stream` it can be used with all of `futures`' combinators; [`next`](Self::next) alone needs none of them.
pub struct RecordSet {
    endpoint: Endpoint,
    rows: VecDeque<Row>,
    walk: State,
}

/// A page's rows, or the end.
type Fetched = Result<Option<Vec<Row>>, Error>;

enum State {
    Idle(Box<Walk>),
    Fetching(BoxFuture<'static, (Box<Walk>, Fetched)>),
    /// The walk is gone only while it moves between the other two.
    Moving,
}

impl RecordSet {
    pub(super) fn new(endpoint: Endpoint, filters: Filters) -> Self {
        let walk = State::Idle(Box::new(Walk::new(endpoint.clone(), filters)));
        Self { endpoint, rows: VecDeque::new(), walk }
    }

    /// The next object; `None` at the end, and after an error.
    pub async fn next(&mut self) -> Option<Result<Record, Error>> {
        StreamExt::next(self).await
    }

    /// How many objects there are, those already taken included. Asks for the first page if nothing was asked for
    /// yet, and once more where pages are walked by cursor, which do not tell.
    ///
    /// # Errors
    /// Those of reading a page.
    pub async fn len(&mut self) -> Result<u64, Error> {
        let known = |set: &Self| if let State::Idle(walk) = &set.walk { walk.count() } else { None };
        if known(self).is_none() && self.rows.is_empty() {
            std::future::poll_fn(|cx| self.poll_rows(cx)).await?;
        }
        if let Some(count) = known(self) {
            return Ok(count);
        }
        let State::Idle(walk) = &self.walk else { return Err(Error::Argument("the list is being read")) };
        walk.endpoint().count_exactly(walk.filters().clone()).await
    }

    /// Whether there are none; asks as [`len`](Self::len) does.
    ///
    /// # Errors
    /// Those of reading a page.
    pub async fn is_empty(&mut self) -> Result<bool, Error> {
        Ok(self.len().await? == 0)
    }

    /// All objects at once.
    ///
    /// # Errors
    /// The first that occurs.
    pub async fn collect(mut self) -> Result<Vec<Record>, Error> {
        let mut records = Vec::new();
        while let Some(record) = self.next().await {
            records.push(record?);
        }
        Ok(records)
    }

    /// Sets these values in all objects, with one bulk request; those that have them already are left out.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), nbproxy::netbox::error::Error> {
    /// # let fake = fake_netbox::FakeNetbox::start().await;
    /// # let netbox = nbproxy::netbox::api::Api::builder(&fake.url()).token(fake.token()).build()?;
    /// use nbproxy::netbox::filters::Filters;
    ///
    /// let devices = netbox.dcim().endpoint("devices").filter(Filters::new().with("site", "dc001"));
    /// let changed = devices.update(&[("serial", "unknown".into())]).await?;
    /// assert_eq!(changed.len(), 12);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of reading the list, and [`Error::Request`] with 400 for values NetBox does not take.
    pub async fn update(self, values: &[(&str, Value)]) -> Result<Vec<Record>, Error> {
        let endpoint = self.endpoint.clone();
        let mut records = self.collect().await?;
        for record in &mut records {
            values.iter().for_each(|(name, value)| record.set(name, value.clone()));
        }
        endpoint.update_records(&records).await
    }

    /// Deletes all objects with one bulk request.
    ///
    /// # Errors
    /// Those of reading the list, and [`Error::Request`] with 409 when others depend on one of them.
    pub async fn delete(self) -> Result<(), Error> {
        let endpoint = self.endpoint.clone();
        let records = self.collect().await?;
        let ids = records.iter().map(Record::require_id).collect::<Result<Vec<_>, _>>()?;
        endpoint.delete(&ids).await
    }

    /// The last request that was sent for it.
    pub(super) fn request(&self) -> RequestLine {
        if let State::Idle(walk) = &self.walk {
            return walk.request();
        }
        self.endpoint.api().line(http::Method::GET, &self.endpoint.path())
    }

    /// Ready with `true` once there are rows, with `false` at the end.
    fn poll_rows(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Error>> {
        while self.rows.is_empty() {
            self.walk = match std::mem::replace(&mut self.walk, State::Moving) {
                State::Idle(mut walk) => State::Fetching(Box::pin(async move {
                    let page = walk.page().await;
                    (walk, page)
                })),
                State::Fetching(mut fetching) => match fetching.as_mut().poll(cx) {
                    Poll::Pending => {
                        self.walk = State::Fetching(fetching);
                        return Poll::Pending;
                    }
                    Poll::Ready((walk, page)) => {
                        self.walk = State::Idle(walk);
                        match page? {
                            None => return Poll::Ready(Ok(false)),
                            Some(rows) => self.rows.extend(rows),
                        }
                        continue;
                    }
                },
                State::Moving => return Poll::Ready(Ok(false)),
            };
        }
        Poll::Ready(Ok(true))
    }
}

impl Stream for RecordSet {
    type Item = Result<Record, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match std::task::ready!(self.poll_rows(cx)) {
            Err(error) => Poll::Ready(Some(Err(error))),
            Ok(_) => {
                let row = self.rows.pop_front();
                Poll::Ready(row.map(|row| Ok(Record::new(self.endpoint.clone(), row))))
            }
        }
    }
}

impl std::fmt::Debug for RecordSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RecordSet({}, {} rows at hand)", self.endpoint.name(), self.rows.len())
    }
}
