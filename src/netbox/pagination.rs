//! How a list is walked: page after page by `next`, or several pages at once by offset.

use std::collections::HashSet;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use http::Method;
use serde_json::{Map, Value};
use tokio::task::JoinHandle;

use super::api::Api;
use super::endpoint::Endpoint;
use super::error::{Error, RequestLine};
use super::filters::Filters;
use super::query::Query;
use super::request::{Answered, Call};

/// A row of a list.
pub(super) type Row = Map<String, Value>;

/// Pages under way, in the order in which they were asked for.
type Pages = FuturesOrdered<Fetching>;

/// A page that is fetched in a task of its own: whoever works on the rows before it keeps no place at NetBox meanwhile.
/// It ends with the list that asked for it.
struct Fetching(JoinHandle<Result<Page, Error>>);

impl Fetching {
    fn start(api: Api, target: String) -> Self {
        #[expect(clippy::disallowed_methods, reason = "it is aborted when the list is dropped")]
        Self(tokio::spawn(async move { fetch(&api, &target).await }))
    }
}

impl Future for Fetching {
    type Output = Result<Page, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = std::task::ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(ended.unwrap_or(Err(Error::Argument("the runtime was shut down"))))
    }
}

impl Drop for Fetching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A list being walked.
pub(super) struct Walk {
    endpoint: Endpoint,
    filters: Filters,
    state: State,
    count: Option<u64>,
    /// How many rows have been read.
    seen: u64,
    /// The pages that `next` led to, to notice a circle.
    visited: HashSet<String>,
    /// The ids that were seen, to notice a row that comes twice.
    ids: HashSet<u64>,
    request: RequestLine,
}

enum State {
    /// Nothing has been asked.
    Begin,
    /// The page after the one just read.
    Next(String),
    /// Pages under way, and the offsets still to be asked for.
    Parallel { under_way: Pages, plan: Plan },
    /// All has been read.
    End,
}

/// Which pages of this size are still to be asked for.
struct Plan {
    next: u64,
    size: u64,
    count: u64,
}

impl Plan {
    fn has_more(&self) -> bool {
        self.next < self.count
    }

    /// The next page's offset.
    fn take(&mut self) -> Option<u64> {
        let offset = self.next;
        self.has_more().then(|| {
            self.next = offset.saturating_add(self.size);
            offset
        })
    }
}

struct Page {
    count: Option<u64>,
    next: Option<String>,
    rows: Vec<Row>,
    paged: bool,
    request: RequestLine,
}

impl Walk {
    pub(super) fn new(endpoint: Endpoint, filters: Filters) -> Self {
        let request = endpoint.api().line(Method::GET, &endpoint.path());
        let (visited, ids) = (HashSet::new(), HashSet::new());
        Self { endpoint, filters, state: State::Begin, count: None, seen: 0, visited, ids, request }
    }

    /// How many rows NetBox said there are; `None` before the first page, and by cursor.
    pub(super) fn count(&self) -> Option<u64> {
        self.count
    }

    pub(super) fn request(&self) -> RequestLine {
        self.request.clone()
    }

    pub(super) fn filters(&self) -> &Filters {
        &self.filters
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The next page's rows; `None` at the end. After an error there is no more.
    pub(super) async fn page(&mut self) -> Result<Option<Vec<Row>>, Error> {
        let page = match std::mem::replace(&mut self.state, State::End) {
            State::End => return Ok(None),
            State::Begin => self.first().await?,
            State::Next(url) => self.following(url).await?,
            State::Parallel { under_way, plan } => match self.ordered(under_way, plan).await? {
                Some(page) => page,
                None => return Ok(None),
            },
        };
        self.request = page.request;
        self.seen = self.seen.saturating_add(page.rows.len() as u64);
        for row in &page.rows {
            let id = row.get("id").and_then(Value::as_u64);
            if id.is_some_and(|id| !self.ids.insert(id)) {
                self.state = State::End;
                return Err(Error::Shifted { what: "a row came twice" });
            }
        }
        Ok(Some(page.rows))
    }

    async fn first(&mut self) -> Result<Page, Error> {
        let api = self.endpoint.api().clone();
        let (limit, offset) = self.filters.paging();
        if limit == 0 && offset.is_some() {
            return Err(Error::Argument("an offset needs a limit"));
        }
        let strict = self.filters.strictness().unwrap_or(api.options().strict_filters);
        if strict && !self.filters.names().is_empty() {
            api.openapi().await?.check(&self.endpoint.path(), &self.filters)?;
        }
        // NetBox refuses an ordering beside a cursor.
        let cursor = offset.is_none() && !self.filters.names().contains(&"ordering") && api.uses_cursor().await;
        let place = if cursor { Some(("start", 0)) } else { offset.map(|row| ("offset", row)) };
        let page = fetch(&api, &self.target(limit, place)).await?;
        self.count = page.count;
        if offset.is_none() {
            self.go_on(&api, &page)?;
        }
        Ok(page)
    }

    /// What comes after the first page.
    fn go_on(&mut self, api: &Api, page: &Page) -> Result<(), Error> {
        let Some(next) = page.next.clone() else {
            let short = page.count.is_some_and(|count| page.paged && count != page.rows.len() as u64);
            return if short {
                Err(Error::Shifted { what: "there is no next page, yet rows are missing" })
            } else {
                Ok(())
            };
        };
        let size = page.rows.len() as u64;
        if page.count.is_some_and(|count| count <= size) {
            return Err(Error::Shifted { what: "there is a next page, yet no row is missing" });
        }
        self.state = match page.count {
            Some(count) if api.options().concurrency > 1 && size > 0 => {
                let plan = Plan { next: size, size, count };
                State::Parallel { under_way: FuturesOrdered::new(), plan }
            }
            _ => State::Next(next),
        };
        Ok(())
    }

    async fn following(&mut self, url: String) -> Result<Page, Error> {
        let api = self.endpoint.api().clone();
        let target = api.target_of(&url)?;
        if !self.visited.insert(target.clone()) {
            return Err(Error::Circle { url });
        }
        let page = fetch(&api, &target).await?;
        if self.count.is_some() && page.count != self.count {
            return Err(Error::Shifted { what: "the count is another one than before" });
        }
        match page.next.clone() {
            Some(_) if page.rows.is_empty() => {
                return Err(Error::Content { request: page.request, what: "an empty page names a next one" });
            }
            Some(next) => self.state = State::Next(next),
            None if self.count.is_some_and(|count| count != self.seen + page.rows.len() as u64) => {
                return Err(Error::Shifted { what: "there are more or fewer rows than were announced" });
            }
            None => {}
        }
        Ok(page)
    }

    /// Keeps as many pages under way as was allowed, and takes them in order.
    async fn ordered(&mut self, mut under_way: Pages, mut plan: Plan) -> Result<Option<Page>, Error> {
        let api = self.endpoint.api().clone();
        while under_way.len() < api.options().concurrency
            && let Some(offset) = plan.take()
        {
            under_way.push_back(Fetching::start(api.clone(), self.target(plan.size, Some(("offset", offset)))));
        }
        let Some(page) = under_way.next().await.transpose()? else { return Ok(None) };
        let last = !plan.has_more() && under_way.is_empty();
        let rows = page.rows.len() as u64;
        let expected = if last { (plan.count - 1) % plan.size + 1 } else { plan.size };
        if page.count != Some(plan.count) || rows != expected {
            return Err(Error::Shifted { what: "a page holds another number of rows than was announced" });
        }
        if !last {
            self.state = State::Parallel { under_way, plan };
        }
        Ok(Some(page))
    }

    fn target(&self, limit: u64, place: Option<(&str, u64)>) -> String {
        let limit = limit.to_string();
        let place = place.map(|(name, row)| (name, row.to_string()));
        let paging = place.iter().map(|(name, row)| (*name, row.as_str())).chain([("limit", limit.as_str())]);
        format!("{}?{}", self.endpoint.path(), Query::from_pairs(self.filters.pairs().chain(paging)).encode())
    }
}

async fn fetch(api: &Api, target: &str) -> Result<Page, Error> {
    let answer = Call::get(target).perform(api).await?;
    read(&answer)
}

/// What an answer to a list holds.
struct Contents {
    count: Option<u64>,
    next: Option<String>,
    rows: Vec<Row>,
    paged: bool,
}

fn read(answer: &Answered) -> Result<Page, Error> {
    let Contents { count, next, rows, paged } = contents(&answer.body).map_err(|what| answer.content(what))?;
    Ok(Page { count, next, rows, paged, request: answer.request.clone() })
}

/// A page, a plain list (some plugins), or a single object (read as a list of one, as pynetbox does).
fn contents(body: &[u8]) -> Result<Contents, &'static str> {
    let body = serde_json::from_slice(body).map_err(|_| "the answer is no JSON")?;
    let (count, next, rows, paged) = match body {
        Value::Array(rows) => (Some(rows.len() as u64), None, rows, false),
        Value::Object(mut page) => match page.remove("results") {
            Some(Value::Array(rows)) => {
                (page.get("count").and_then(Value::as_u64), next(page.get("next"))?, rows, true)
            }
            Some(_) => return Err("the page's results are no list"),
            None if page.contains_key("count") || page.contains_key("next") => return Err("the page has no results"),
            None => (Some(1), None, vec![Value::Object(page)], false),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return Err("the answer is neither a page nor a list");
        }
    };
    let object =
        |row| if let Value::Object(row) = row { Ok(row) } else { Err("the list holds something that is no object") };
    let rows = rows.into_iter().map(object).collect::<Result<_, _>>()?;
    Ok(Contents { count, next, rows, paged })
}

fn next(next: Option<&Value>) -> Result<Option<String>, &'static str> {
    match next {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(next)) => Ok(Some(next.clone())),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err("the page's next is no URL")
        }
    }
}

/// How many rows an answer to a list holds, or what is wrong with it: the reading of pages by itself, for fuzzing.
#[doc(hidden)]
pub fn rows_of(body: &[u8]) -> Result<usize, &'static str> {
    contents(body).map(|contents| contents.rows.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(pieces in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "\"results\"", "\"count\"", "\"next\"", "null", "1", "-1", "1e999", "\"x\"", "\"", "\\u0000", "true", " ",
        ]), 0..24)) {
            let body = pieces.concat();
            if let Ok(rows) = rows_of(body.as_bytes()) {
                prop_assert!(rows <= body.len());
            }
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (body, what) in [
            ("<html>", "the answer is no JSON"),
            ("{\"count\": 1}", "the page has no results"),
            ("{\"results\": {}}", "the page's results are no list"),
            ("{\"results\": [], \"next\": 7}", "the page's next is no URL"),
            ("[1]", "the list holds something that is no object"),
            ("7", "the answer is neither a page nor a list"),
        ] {
            assert_eq!(rows_of(body.as_bytes()), Err(what), "{body}");
        }
        assert_eq!((rows_of(b"[{}]"), rows_of(b"{\"id\": 1}"), rows_of(b"{\"results\": []}")), (Ok(1), Ok(1), Ok(0)));
    }
}
