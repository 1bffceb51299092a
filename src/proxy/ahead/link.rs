//! The link to the next page, as a page has it: `{"count":120,"next":"http…`.

use std::sync::Arc;

use crate::cache::paging::{Next, Paging};
use crate::netbox::query::Query;
use crate::proxy::plan::Read;
use crate::proxy::walks::PAGING;

/// How far into a page its link begins: after a count of any length.
const HEAD: usize = 64;

/// Longer links are not followed.
const LONGEST: usize = 8 * 1024;

/// What a page is worth being read ahead of, in rows: who asks for one row looks, and does not walk.
const FEWEST_ROWS: u64 = 2;

/// How a list goes on after this page, the answer to `read`; `None` for what is no page of a list that does, unless it was
/// fetched ahead.
pub(in crate::proxy) fn paging(read: &Read, body: &[u8], ahead: bool) -> Option<Arc<Paging>> {
    let link = link(body);
    let next = link.and_then(|link| next(read, body, link));
    (link.is_some() || ahead).then(|| Arc::new(Paging::new(link.is_some(), next, ahead)))
}

fn link(body: &[u8]) -> Option<&[u8]> {
    let found = memchr::memmem::find(body.get(..body.len().min(HEAD))?, b"\"next\":\"")?;
    body.get(found + b"\"next\":\"".len()..)
}

/// The next page, if the link leads to one of the same list.
fn next(read: &Read, body: &[u8], link: &[u8]) -> Option<Next> {
    // What nbproxy reads for itself it does not walk as clients do.
    read.walker?;
    let link = link.get(..link.len().min(LONGEST))?;
    // NetBox's links are percent-encoded: there is nothing to escape in them.
    let end = memchr::memchr2(b'"', b'\\', link).filter(|end| link.get(*end) == Some(&b'"'))?;
    let (place, query) = std::str::from_utf8(link.get(..end)?).ok()?.split_once('?')?;
    let target = read.canonical.path_and_query();
    let (path, asked) = target.split_once('?').unwrap_or((target, ""));
    let (link, asked) = (Query::parse(query), Query::parse(asked));
    let filters = |query: &Query| query.clone().without(&PAGING).without(&["limit"]);
    if !place.ends_with(path) || filters(&link) != filters(&asked) {
        return None;
    }
    let limit = link.values("limit").next().and_then(|limit| std::str::from_utf8(limit).ok()?.parse::<u64>().ok());
    limit.filter(|limit| *limit >= FEWEST_ROWS)?;
    let rows = rows(body);
    // pynetbox asks for all rows at first (limit=0), and then for as many as there are, from where the first page ended.
    let all = link.has("offset") && asked.values("limit").last() == Some(b"0");
    Some(Next::new(&read.canonical, &link, rows, rows.filter(|_| all)))
}

fn rows(body: &[u8]) -> Option<u64> {
    let digits = body.strip_prefix(b"{\"count\":")?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(digits.get(..end)?).ok()?.parse().ok()
}
