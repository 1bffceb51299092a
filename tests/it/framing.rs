//! Requests that two readers could take for different ones, over raw sockets: each is refused and its connection closed,
//! or understood in one way and sent to NetBox in nbproxy's own framing. After each, the connection it came on and a new
//! one give the right answer to a good request, and NetBox has seen exactly what it should.
//!
//! The rows are judged by RFC 9112. Where hyper and httparse are more lenient than it asks for, the row says so, and what
//! it shows is that nothing comes of it: what nbproxy understood is what NetBox gets.

mod chunks;
mod codings;
mod expectations;
mod fields;
mod lengths;
mod lines;
mod pipelines;
mod row;
mod targets;
mod unread;
mod wire;

use std::time::Duration;

use fake_netbox::{FakeNetbox, Received};

use crate::support::{TestProxy, client, within};
use row::{Expected, GOOD, Row, Seen, Then};
use wire::{Connection, Reply};

/// Where [`GOOD`] leads.
const GOOD_TARGET: &str = "/api/dcim/sites/3/";

/// What nbproxy may say to NetBox, by name.
const SENT: [&str; 6] = ["accept", "authorization", "content-length", "content-type", "host", "user-agent"];

/// For a row; what hangs would hang for ever.
const PATIENCE: Duration = Duration::from_secs(30);

struct Bench {
    netbox: FakeNetbox,
    proxy: TestProxy,
}

impl Bench {
    async fn new() -> Self {
        let netbox = FakeNetbox::start().await;
        let settings = "[server]\nmax_request_body = \"64KiB\"\n[access]\nanonymous = \"deny\"\n";
        let settings =
            [settings.to_owned(), client("reader", "access = \"read\""), client("writer", "access = \"write\"")]
                .concat();
        let proxy = TestProxy::builder(&netbox).settings(&settings).start().await;
        Self { netbox, proxy }
    }

    /// What is wrong with what becomes of a row, if anything is.
    async fn try_row(&self, row: &Row) -> Result<(), String> {
        self.netbox.clear_log();
        let mut connection = Connection::to(self.proxy.address()).await;
        connection.send(&row.sent).await;
        let mut replies = Vec::new();
        while replies.len() < row.answers() {
            replies.extend(Some(connection.reply(row.head).await?.ok_or("closed without an answer")?));
            if let Some(after) = row.after.as_ref().filter(|_| replies.len() == 1) {
                connection.send(after).await;
            }
        }
        if !are_right(row, &replies) {
            return Err(format!("answered {replies:?}"));
        }
        let more = match row.becomes() {
            Then::Closed => connection.rest().await?,
            Then::HungUp => {
                connection.hang_up().await;
                connection.rest().await?
            }
            Then::Open | Then::InStep => connection.rest_after(GOOD).await?,
        };
        if !may_follow(row.becomes(), &more) {
            return Err(format!("answered {replies:?}, and then {more:?}"));
        }
        self.calm().await;
        let fresh = Connection::to(self.proxy.address()).await.rest_after(GOOD).await?;
        if !matches!(fresh.as_slice(), [reply] if is_good(reply)) {
            return Err(format!("a new connection gives {fresh:?}"));
        }
        self.judge_log(row, &replies)
    }

    /// Waits until nothing is under way, so that whatever will reach NetBox has.
    async fn calm(&self) {
        within(async {
            while self.proxy.metric("nbproxy_requests_in_progress").await > 0.0
                || self.proxy.metric("nbproxy_upstream_in_flight").await > 0.0
            {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    fn judge_log(&self, row: &Row, replies: &[Reply]) -> Result<(), String> {
        let log = self.netbox.log();
        let token = format!("Token {}", self.netbox.token());
        if let Some(odd) = log.iter().find(|received| !is_own(received, &token)) {
            return Err(format!("that is not nbproxy's own: {odd:?}"));
        }
        let seen: Vec<Seen> = log.iter().filter(|received| received.target != GOOD_TARGET).map(Seen::of).collect();
        let fine = match &row.expected {
            Expected::Reframed { seen: expected, .. } => seen == *expected,
            Expected::Either { seen: expected, .. } => {
                let refused = seen.is_empty() && replies.iter().all(Reply::is_refusal);
                refused || seen == [expected.clone()]
            }
            Expected::Rejected => seen.is_empty(),
        };
        if fine { Ok(()) } else { Err(format!("NetBox saw {seen:?}")) }
    }
}

/// Whether these are the answers that the row wants.
fn are_right(row: &Row, replies: &[Reply]) -> bool {
    match &row.expected {
        Expected::Rejected => replies.iter().all(Reply::is_refusal),
        Expected::Reframed { answers, says, .. } => {
            replies.iter().map(|reply| reply.status).eq(answers.iter().copied())
                && says.iter().zip(replies).all(|(says, reply)| reply.body.contains(says))
        }
        Expected::Either { .. } => true,
    }
}

/// Whether this is what the connection may give after them.
fn may_follow(then: Then, more: &[Reply]) -> bool {
    match then {
        Then::Open => more.len() == 1 && more.iter().all(is_good),
        Then::Closed => more.is_empty(),
        Then::InStep => more.len() <= 2 && more.iter().all(is_good),
        Then::HungUp => more.len() <= 1 && more.iter().all(Reply::is_refusal),
    }
}

fn is_good(reply: &Reply) -> bool {
    reply.status == 200 && reply.body.starts_with("{\"id\":3,")
}

/// Whether a request is framed as nbproxy frames, and says nothing but what nbproxy says.
fn is_own(received: &Received, token: &str) -> bool {
    let count = |name: &str| received.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)).count();
    let length = received.header("content-length").map_or(Some(0), |length| length.parse().ok());
    received.headers.iter().all(|(name, _)| SENT.contains(&name.to_ascii_lowercase().as_str()))
        && count("content-length") <= 1
        && length == Some(received.body_len)
        && (count("host"), count("authorization")) == (1, 1)
        && received.header("authorization") == Some(token)
}

/// Tries all rows, so that one run shows every fault; but one that hangs is enough.
async fn hold(rows: Vec<Row>) {
    let bench = Bench::new().await;
    let mut faults = Vec::new();
    for row in &rows {
        match tokio::time::timeout(PATIENCE, bench.try_row(row)).await {
            Ok(Ok(())) => {}
            Ok(Err(fault)) => faults.push(format!("{}: {fault}", row.name)),
            Err(_) => {
                faults.push(format!("{}: it hangs", row.name));
                break;
            }
        }
    }
    assert!(faults.is_empty(), "{} of {} rows:\n{}", faults.len(), rows.len(), faults.join("\n"));
}

#[tokio::test]
async fn lengths_are_read_in_one_way() {
    hold(lengths::rows()).await;
}

#[tokio::test]
async fn transfer_codings_are_read_in_one_way() {
    hold(codings::rows()).await;
}

#[tokio::test]
async fn chunks_are_read_in_one_way() {
    hold(chunks::rows()).await;
}

#[tokio::test]
async fn request_lines_are_read_in_one_way() {
    hold(lines::rows()).await;
}

#[tokio::test]
async fn targets_are_read_in_one_way() {
    hold(targets::rows()).await;
}

#[tokio::test]
async fn fields_are_read_in_one_way() {
    hold(fields::rows()).await;
}

#[tokio::test]
async fn pipelines_stay_in_step() {
    hold(pipelines::rows()).await;
}

#[tokio::test]
async fn bodies_that_are_not_read_are_no_requests() {
    hold(unread::rows()).await;
}

#[tokio::test]
async fn expectations_and_upgrades_change_no_framing() {
    hold(expectations::rows()).await;
}

#[test]
fn the_table_is_whole() {
    let rows = [
        lengths::rows(),
        codings::rows(),
        chunks::rows(),
        lines::rows(),
        targets::rows(),
        fields::rows(),
        pipelines::rows(),
        unread::rows(),
        expectations::rows(),
    ]
    .concat();
    let mut names: Vec<_> = rows.iter().map(|row| row.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), rows.len(), "each row has a name of its own");
    assert!(rows.len() >= 100, "{}", rows.len());
}
