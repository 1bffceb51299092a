//! `nbproxy warm`: a running nbproxy fetches what nobody has asked for yet.

use std::collections::HashSet;
use std::io::{IsTerminal, Write as _};
use std::time::Duration;

use bytesize::ByteSize;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::{Failure, detail, unheard};
use crate::cli::Warm;
use crate::netbox::branch::Branch;
use crate::proxy::warm::Walk;
use crate::server::neighbour;
use crate::settings::Admin;

/// For one page: NetBox's slowest takes half a minute, and there may be no place for it for some time.
const PATIENCE: Duration = Duration::from_secs(600);

/// Columns of the bar.
const WIDTH: u64 = 24;

/// A page, as the admin listener tells of it.
#[derive(Debug, Deserialize)]
struct Page {
    fetched: bool,
    bytes: u64,
    count: Option<u64>,
    next: Option<String>,
    also: Option<String>,
}

/// A walk, so far.
#[derive(Debug, Default)]
struct Walked {
    pages: usize,
    fetched: usize,
    bytes: u64,
}

/// Where a progress bar is shown, if anybody looks.
struct Bar {
    shown: bool,
}

/// What is asked for, by path and branch.
///
/// # Errors
/// [`Failure::Arguments`] names the first that cannot be asked for.
pub(super) fn read(what: &Warm) -> Result<Vec<(String, Option<String>)>, Failure> {
    let named =
        |text: &String| Branch::named(text).map_err(|error| Failure::Arguments(format!("--branch {text}: {error}")));
    let branch = what.branch.as_ref().map_or(Ok(Branch::Main), named)?;
    let check = |path: &String| {
        Walk::parse(path, branch).map_err(|error| Failure::Arguments(format!("{path}: {error}")))?;
        Ok((path.clone(), what.branch.clone()))
    };
    what.paths.iter().map(check).collect()
}

/// Walks one after the other, and says of each what became of it.
///
/// # Errors
/// [`Failure::Cold`] when that was not all well, [`Failure::System`] when no nbproxy listens.
pub(super) async fn warm(walks: &[(String, Option<String>)], admin: &Admin) -> Result<(), Failure> {
    let bar = Bar { shown: std::io::stderr().is_terminal() };
    let mut failed = 0;
    for (path, branch) in walks {
        let walked = walk(path, branch.as_deref(), admin, &bar).await;
        bar.clear();
        match walked {
            Ok(walked) => println!("{path}: {walked}"),
            Err(Failure::Unwell { text, .. }) => {
                failed += 1;
                eprintln!("{path}: {text}");
            }
            Err(other) => return Err(other),
        }
    }
    if failed == 0 { Ok(()) } else { Err(Failure::Cold { failed, count: walks.len() }) }
}

async fn walk(path: &str, branch: Option<&str>, admin: &Admin, bar: &Bar) -> Result<Walked, Failure> {
    let (mut walked, mut seen, mut next) = (Walked::default(), HashSet::new(), Some(path.to_owned()));
    bar.show(path, &walked, None);
    while let Some(here) = next.take() {
        let page = ask(&here, branch, admin).await?;
        walked.take(&page);
        if let Some(also) = &page.also {
            walked.take(&ask(also, branch, admin).await?);
        }
        bar.show(path, &walked, done(&page));
        next = page.next;
        if !seen.insert(here) {
            let text = "the list leads in a circle".to_owned();
            return Err(Failure::Unwell { status: StatusCode::OK, text });
        }
    }
    Ok(walked)
}

async fn ask(path: &str, branch: Option<&str>, admin: &Admin) -> Result<Page, Failure> {
    let (address, token) = (admin.local(), admin.token.as_deref());
    let order = json!({ "path": path, "branch": branch }).to_string();
    let said = neighbour::order(address, "/cache/warm", token, &order, PATIENCE).await;
    let (status, text) = said.map_err(|error| unheard(address, &error))?;
    match (status, serde_json::from_str(&text)) {
        (StatusCode::OK, Ok(page)) => Ok(page),
        _ => Err(Failure::Unwell { status, text: detail(&text) }),
    }
}

/// How many of how many objects are there, as far as the link to the next page tells.
fn done(page: &Page) -> Option<(u64, u64)> {
    let count = page.count?;
    let Some((_, query)) = page.next.as_deref().map(|next| next.split_once('?').unwrap_or((next, ""))) else {
        return Some((count, count));
    };
    let offset = query.split('&').find_map(|part| part.strip_prefix("offset="))?;
    Some((offset.parse().ok()?, count))
}

impl Walked {
    fn take(&mut self, page: &Page) {
        self.pages += 1;
        self.fetched += usize::from(page.fetched);
        self.bytes = self.bytes.saturating_add(page.bytes);
    }
}

impl std::fmt::Display for Walked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { pages, fetched, bytes } = self;
        let plural = if *pages == 1 { "" } else { "s" };
        write!(f, "{pages} page{plural}, {fetched} fetched, {}", ByteSize(*bytes))
    }
}

impl Bar {
    /// `done`: so many of so many objects, where that is known.
    fn show(&self, path: &str, walked: &Walked, done: Option<(u64, u64)>) {
        if !self.shown {
            return;
        }
        let bar = done.map(|(done, count)| {
            let full = done.saturating_mul(WIDTH).checked_div(count).unwrap_or(WIDTH).min(WIDTH);
            let bar: String = (0..WIDTH).map(|column| if column < full { '#' } else { '.' }).collect();
            format!("[{bar}] {done}/{count} ")
        });
        self.write(&format!("\r\x1b[K{}{walked}  {path}", bar.unwrap_or_default()));
    }

    fn clear(&self) {
        if self.shown {
            self.write("\r\x1b[K");
        }
    }

    /// Whoever has closed the terminal does not look.
    fn write(&self, text: &str) {
        let mut out = std::io::stderr();
        let _written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_it_is_stands_in_the_link() {
        let page = |count, next: Option<&str>| {
            done(&Page { fetched: true, bytes: 1, count, next: next.map(str::to_owned), also: None })
        };
        assert_eq!(page(Some(120), Some("/api/x/?limit=50&offset=50")), Some((50, 120)));
        assert_eq!(page(Some(120), None), Some((120, 120)));
        assert_eq!(page(Some(120), Some("/api/x/?limit=50&start=7")), None);
        assert_eq!(page(None, None), None);
    }
}
