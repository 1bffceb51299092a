//! A world, its NetBox, and the nbproxies before it: what is done, what is compared, and what is counted.

use std::collections::BTreeMap;

use fake_netbox::FakeNetbox;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::hooks::Sent;
use super::stock::{Stock, Write};
use crate::support::{Ask, TestProxy, until};

/// Reads that are under way at once.
const AT_ONCE: usize = 6;
/// After so many differences there is no need for more.
const ENOUGH: usize = 20;

pub(super) enum NetBox {
    Fake(FakeNetbox),
    Real { url: String, token: String },
}

impl NetBox {
    pub(super) fn url(&self) -> String {
        match self {
            Self::Fake(fake) => fake.url(),
            Self::Real { url, .. } => url.clone(),
        }
    }

    pub(super) fn token(&self) -> String {
        match self {
            Self::Fake(fake) => fake.token().to_owned(),
            Self::Real { token, .. } => token.clone(),
        }
    }

    pub(super) fn fake(&self) -> Option<&FakeNetbox> {
        match self {
            Self::Fake(fake) => Some(fake),
            Self::Real { .. } => None,
        }
    }

    pub(super) fn ask(&self, method: &str, target: &str, branch: &str) -> Ask {
        let ask = Ask::kept(method, &format!("{}{target}", self.url()));
        let ask = ask.header("authorization", &format!("Token {}", self.token())).header("accept", "application/json");
        if branch.is_empty() { ask } else { ask.header("x-netbox-branch", branch) }
    }

    /// What NetBox itself answers now.
    async fn truth(&self, target: &str, branch: &str) -> (u16, String) {
        if let Self::Fake(fake) = self {
            let (token, host) = (format!("Token {}", fake.token()), fake.addr().to_string());
            let mut headers = vec![("authorization", token.as_str()), ("host", &host), ("accept", "application/json")];
            headers.extend((!branch.is_empty()).then_some(("x-netbox-branch", branch)));
            let (status, body) = fake.direct("GET", target, &headers);
            return (status, String::from_utf8_lossy(&body).into_owned());
        }
        told(|| self.ask("GET", target, branch)).await.0
    }
}

/// Status, text and `Cache-Status` of an answer; asked again where a connection was closed by its other end.
async fn told(ask: impl Fn() -> Ask) -> ((u16, String), String) {
    let mut tries = 0;
    let answer = loop {
        tries += 1;
        match ask().try_send().await {
            Ok(answer) => break answer,
            Err(error) => assert!(tries < 5, "no answer: {error:?}"),
        }
    };
    ((answer.status, answer.text()), answer.cache().to_owned())
}

/// How a nbproxy is told of what is done beside it.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Told {
    Changelog,
    Webhooks,
}

/// How the last change came about, as the nbproxy that is read from sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    Through,
    Beside,
    InItsBranch,
    WhileItsJobRuns,
    AfterItsJob,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    pub(super) reads: usize,
    pub(super) hits: usize,
    pub(super) stale: usize,
}

/// One of several nbproxies. Its branch is written to by no other way.
pub(super) struct Side {
    pub(super) name: &'static str,
    pub(super) told: Told,
    pub(super) proxy: TestProxy,
    pub(super) branch: String,
    pub(super) counts: BTreeMap<Source, Count>,
}

pub(super) struct World {
    pub(super) netbox: NetBox,
    pub(super) sides: Vec<Side>,
    pub(super) stock: Stock,
    pub(super) writes: usize,
    pub(super) taken: usize,
    /// Everything that was ever made, in that order.
    pub(super) made: Vec<(&'static str, u64)>,
    /// By webhook.
    pub(super) sent: Option<Sent>,
    /// The last writes, told when something is wrong.
    story: Vec<String>,
    pub(super) wrong: Vec<String>,
}

impl World {
    pub(super) fn new(netbox: NetBox, sides: Vec<Side>, stock: Stock) -> Self {
        let (made, story, wrong) = (Vec::new(), Vec::new(), Vec::new());
        let sent = netbox.fake().map(Sent::none_yet);
        Self { netbox, sides, stock, writes: 0, taken: 0, made, sent, story, wrong }
    }

    /// A write: through one of the nbproxies, or beside all.
    pub(super) async fn write(&mut self, through: Option<usize>, branch: &str, write: Write) {
        let path = write.path();
        let mut ask = match through {
            Some(side) => Ask::kept(write.method, &format!("{}{path}", self.sides[side].proxy.url())),
            None => self.netbox.ask(write.method, &path, ""),
        };
        if !branch.is_empty() {
            ask = ask.header("x-netbox-branch", branch);
        }
        if !write.body.is_null() {
            ask = ask.json(&write.body);
        }
        // What is asked meanwhile may show either state, but must not be remembered past the write.
        let meanwhile = through.map(|side| (side, self.stock.read()));
        let overlapping = async {
            if let Some((side, target)) = &meanwhile {
                self.read(*side, target, branch).await;
            }
        };
        let (answer, ()) = tokio::join!(ask.try_send(), overlapping);
        let (status, body) = answer.map_or((0, Value::Null), |answer| {
            let body = serde_json::from_slice(&answer.body).unwrap_or_default();
            (answer.status, body)
        });
        self.writes += 1;
        self.taken += usize::from((200..300).contains(&status));
        if let (201, Some(id)) = (status, body["id"].as_u64()) {
            self.made.push((write.endpoint, id));
        }
        if branch.is_empty() {
            self.stock.learn(&write, status, &body);
        }
        let way = through.map_or("beside all", |side| self.sides[side].name);
        self.story.push(format!("{way} {branch} {} {path} {} → {status}", write.method, write.body));
    }

    async fn read(&self, side: usize, target: &str, branch: &str) -> ((u16, String), String) {
        let url = format!("{}{target}", self.sides[side].proxy.url());
        let ask = || {
            let ask = Ask::kept("GET", &url);
            if branch.is_empty() { ask } else { ask.header("x-netbox-branch", branch) }
        };
        told(ask).await
    }

    /// Reads at random by these nbproxies, each twice, so that what is remembered is seen, too; each answer is compared
    /// with what NetBox says, and counted.
    pub(super) async fn compare(&mut self, sides: &[usize], source: Source, branch: &str, count: usize) {
        let targets: Vec<String> = (0..count).map(|_| self.stock.read()).collect();
        self.compare_these(sides, source, branch, &targets).await;
    }

    pub(super) async fn compare_these(&mut self, sides: &[usize], source: Source, branch: &str, targets: &[String]) {
        for some in targets.chunks(AT_ONCE) {
            let this: &Self = self;
            let answers = join_all(some.iter().map(|target| async move {
                let first = join_all(sides.iter().map(|side| this.read(*side, target, branch))).await;
                let second = join_all(sides.iter().map(|side| this.read(*side, target, branch))).await;
                (target, [first, second], this.netbox.truth(target, branch).await)
            }));
            let answers: Vec<_> = answers.await;
            for (target, ours, truth) in answers {
                for (side, (ours, cache)) in ours.into_iter().flat_map(|ours| sides.iter().zip(ours)) {
                    self.judge(*side, source, (target, branch), (ours, &cache), &truth);
                }
            }
        }
    }

    fn judge(
        &mut self,
        side: usize,
        source: Source,
        (target, branch): (&str, &str),
        (ours, cache): ((u16, String), &str),
        truth: &(u16, String),
    ) {
        let from = format!("{}/api/", self.sides[side].proxy.url());
        let ours = (ours.0, undated(&ours.1.replace(&from, "/api/")));
        let theirs = (truth.0, undated(&truth.1.replace(&format!("{}/api/", self.netbox.url()), "/api/")));
        let count = self.sides[side].counts.entry(source).or_default();
        count.reads += 1;
        count.hits += usize::from(cache.starts_with("hit"));
        if ours == theirs {
            return;
        }
        count.stale += 1;
        let (name, last) = (self.sides[side].name, self.story.len().saturating_sub(12));
        let story = self.story[last..].join("\n  ");
        let text = format!("{name} {source:?} {branch} {target} ({cache})\n  {story}\n{}", difference(&ours, &theirs));
        println!("WRONG: {text}");
        self.wrong.push(text);
        assert!(self.wrong.len() < ENOUGH, "{}", self.wrong.join("\n\n"));
    }

    /// Waits until this nbproxy has been told of all that was done beside it.
    pub(super) async fn tell(&mut self, side: usize) {
        match self.sides[side].told {
            Told::Changelog => {
                // The first look to end may have begun before.
                let looks = || self.sides[side].proxy.metric("nbproxy_changelog_looks_total");
                let before = looks().await;
                until(async || looks().await >= before + 2.0).await;
            }
            Told::Webhooks => {
                let (Some(fake), Some(sent)) = (self.netbox.fake(), &mut self.sent) else {
                    panic!("only FakeNetbox's webhooks are sent by this test");
                };
                sent.send(fake, &self.sides[side].proxy).await;
            }
        }
    }

    pub(super) fn operations(&self) -> usize {
        self.writes + self.sides.iter().flat_map(|side| side.counts.values()).map(|count| count.reads).sum::<usize>()
    }

    /// Prints and gives what was counted: reads and hits of each nbproxy, whatever the source.
    pub(super) fn sum_up(&self) -> Vec<Count> {
        println!("{} operations, {} writes, {} of them taken", self.operations(), self.writes, self.taken);
        let sum = |side: &Side| {
            let mut all = Count::default();
            for (source, Count { reads, hits, stale }) in &side.counts {
                println!("{:>20} {source:<16?} {reads:>6} reads {hits:>6} hits {stale:>3} stale", side.name);
                all = Count { reads: all.reads + reads, hits: all.hits + hits, stale: all.stale + stale };
            }
            all
        };
        self.sides.iter().map(sum).collect()
    }

    /// Has this nbproxy's branch merged, reads while the job waits and runs, and after it.
    pub(super) async fn merge(&mut self, side: usize, branch_id: u64, reads: usize) {
        let path = format!("/api/plugins/branching/branches/{branch_id}/merge/");
        let body = json!({"commit": true, "acknowledge_conflicts": true});
        let answer = self.sides[side].proxy.ask("POST", &path).json(&body).send().await;
        self.story.push(format!("{} POST {path} → {}", self.sides[side].name, answer.status));
        self.writes += 1;
        if self.netbox.fake().is_some() {
            assert!((200..300).contains(&answer.status), "{}", answer.text());
        }
        if let NetBox::Fake(fake) = &self.netbox {
            fake.start_jobs();
            self.compare(&[side], Source::WhileItsJobRuns, "", reads).await;
            self.netbox.fake().into_iter().for_each(FakeNetbox::finish_jobs);
        }
        let proxy = &self.sides[side].proxy;
        until(async || proxy.metric("nbproxy_jobs_followed").await == 0.0).await;
        self.compare(&[side], Source::AfterItsJob, "", reads).await;
    }
}

/// A text without the times of last changes: a PATCH that changes nothing moves them and leaves no trace in the changelog
/// (NetBox 4.6), so beside nbproxy nobody can know.
fn undated(text: &str) -> String {
    let name = "\"last_updated\":\"";
    let mut parts = text.split(name);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + name + part.split_once('"').map_or("", |(_, rest)| rest))
}

/// Where two answers begin to differ, and some of what follows.
fn difference(ours: &(u16, String), theirs: &(u16, String)) -> String {
    let at = ours.1.bytes().zip(theirs.1.bytes()).position(|(one, other)| one != other);
    let from = at.unwrap_or(0).saturating_sub(80);
    let part = |text: &str| text.chars().skip(from).take(240).collect::<String>();
    format!("ours   {} …{}\ntheirs {} …{}", ours.0, part(&ours.1), theirs.0, part(&theirs.1))
}
