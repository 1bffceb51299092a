//! Pages of a list: by limit and offset, or by `start`.

use std::sync::Arc;

use crate::encoding::sorted_query;
use crate::filter;
use crate::json::Json;
use crate::order;
use crate::render::{Render, Selection};
use crate::request::Received;
use crate::state::{Config, Row};
use crate::types::Type;

/// A list that cannot be given: 400 with that body.
pub(crate) struct BadList(pub(crate) Json);

/// Answers a list of the objects that who asks may see.
pub(crate) fn list(
    render: &Render<'_>,
    ty: &'static Type,
    request: &Received,
    config: &Config,
    selection: &Selection,
    url: &str,
    is_seen: impl Fn(&Row) -> bool,
) -> Result<Json, BadList> {
    let start = match request.param("start") {
        Some(_) if request.param("offset").is_some() => {
            return Err(bad("'start' and 'offset' are mutually exclusive."));
        }
        Some(_) if request.param("ordering").is_some() => {
            return Err(bad("Ordering cannot be specified in conjunction with 'start'."));
        }
        Some(start) => match start.parse::<u64>() {
            Ok(start) => Some(start),
            Err(_) => return Err(bad("Invalid 'start' parameter: must be a non-negative integer.")),
        },
        None => None,
    };
    let mut rows = filter::apply(render, ty, &request.query).map_err(|refusal| BadList(refusal.json()))?;
    rows.retain(|row| is_seen(row));
    let links = Links { url, query: &request.query };
    let (count, next, previous, rows) = match start {
        Some(start) => from_start(rows, start, limit(request, config), &links),
        None => {
            let mut rows = rows;
            order::sort(render, ty, &mut rows, request.param("ordering"));
            by_offset(rows, request, limit(request, config), &links)
        }
    };
    let results = rows.iter().map(|row| render.object(ty, row, selection));
    Ok(Json::object([
        ("count", count),
        ("next", next),
        ("previous", previous),
        ("results", Json::List(results.collect())),
    ]))
}

type Page = (Json, Json, Json, Vec<Arc<Row>>);

fn from_start(rows: Vec<Arc<Row>>, start: u64, limit: Option<usize>, links: &Links<'_>) -> Page {
    let limit = limit.unwrap_or(rows.len().max(1));
    let here: Vec<_> = rows.into_iter().filter(|row| row.id >= start).take(limit).collect();
    let last = here.last().filter(|_| here.len() == limit);
    let next = last.map_or(Json::NULL, |row| links.to(&[("limit", Some(limit as u64)), ("start", Some(row.id + 1))]));
    (Json::NULL, next, Json::NULL, here)
}

fn by_offset(rows: Vec<Arc<Row>>, request: &Received, limit: Option<usize>, links: &Links<'_>) -> Page {
    let count = rows.len();
    let unlimited = limit.is_none();
    let limit = limit.unwrap_or(count.max(1));
    let offset: usize = request.param("offset").and_then(|offset| offset.parse().ok()).unwrap_or(0);
    let link = |offset: Option<usize>| {
        links.to(&[("limit", Some(limit as u64)), ("offset", offset.map(|offset| offset as u64))])
    };
    let end = offset.saturating_add(limit);
    let next = if end < count { link(Some(end)) } else { Json::NULL };
    let previous = match offset {
        0 => Json::NULL,
        _ if unlimited => Json::NULL,
        _ => link(offset.checked_sub(limit).filter(|offset| *offset > 0)),
    };
    let here = rows.into_iter().skip(offset).take(limit).collect();
    (Json::from(count as u64), next, previous, here)
}

/// The page size in force; nothing where a page holds everything.
fn limit(request: &Received, config: &Config) -> Option<usize> {
    let max = config.max_page_size;
    let asked = request.param("limit").and_then(|limit| limit.parse::<usize>().ok());
    match asked.unwrap_or(config.page_default) {
        0 if max == 0 => None,
        0 => Some(max),
        limit if max == 0 => Some(limit),
        limit => Some(limit.min(max)),
    }
}

struct Links<'a> {
    url: &'a str,
    query: &'a [(String, String)],
}

impl Links<'_> {
    /// The same list with some parameters replaced or taken out.
    fn to(&self, changes: &[(&str, Option<u64>)]) -> Json {
        let mut query = self.query.to_vec();
        query.retain(|(key, _)| !changes.iter().any(|(name, _)| name == key));
        for (name, value) in changes {
            if let Some(value) = value {
                query.push(((*name).to_owned(), value.to_string()));
            }
        }
        Json::from(format!("{}?{}", self.url, sorted_query(&query)))
    }
}

fn bad(text: &str) -> BadList {
    BadList(Json::List(vec![Json::from(text)]))
}

/// What the query says about the fields to show.
pub(crate) fn selection(ty: &Type, request: &Received) -> Selection {
    let names = |text: &str| text.split(',').map(str::to_owned).collect();
    let given = |name: &str| request.param(name).filter(|value| !value.is_empty());
    let without_context = request.param("exclude").is_some_and(|value| value.contains("config_context"))
        && ty.field("config_context").is_some();
    if let Some(fields) = given("fields") {
        Selection::Only(names(fields))
    } else if let Some(omit) = given("omit") {
        Selection::Without(names(omit))
    } else if given("brief").is_some() {
        Selection::Brief
    } else if without_context {
        Selection::Without(vec!["config_context".to_owned()])
    } else {
        Selection::All
    }
}
