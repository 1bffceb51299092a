//! A crowd that asks at random: thousands of requests of many callers, in waves, while data, rights, NetBox and the clock
//! change. No byte fetched under one view is served under another.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use fake_netbox::{FakeNetbox, Fault, Match};
use nbproxy::cache::clock::Moment;
use serde_json::json;

use super::views::{ALL, MARK, NORTH, Oracle, PLACES, SECRET, SITES, TARGETS, Who, ask, netbox, proxy};
use crate::support::{Answer, TestProxy, start};

const SEED: u64 = 20_260_822;
const WAVES: usize = 450;
const AT_ONCE: usize = 8;

/// SplitMix64: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).expect("it is small")]
    }

    fn happens(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// One request, as the dice fell.
#[derive(Clone, Debug)]
struct Asked {
    who: Who,
    method: &'static str,
    target: &'static str,
    branch: Option<usize>,
    by_parameter: bool,
    headers: Vec<(&'static str, &'static str)>,
}

impl Asked {
    fn roll(dice: &mut Dice, hot: &[&'static str]) -> Self {
        let target = if dice.happens(85) { dice.pick(hot) } else { dice.pick(&TARGETS) };
        let mut headers = Vec::new();
        if dice.happens(50) {
            let wishes = [
                "no-cache",
                "no-store",
                "max-stale",
                "max-stale=600",
                "max-age=0",
                "max-age=5",
                "min-fresh=5",
                "only-if-cached",
                "only-if-cached, max-stale",
            ];
            headers.push(("cache-control", dice.pick(&wishes)));
        }
        if dice.happens(20) {
            headers.push(("if-none-match", dice.pick(&["*", "W/\"x\"", "\"x\""])));
        }
        if dice.happens(10) {
            headers.push(("accept", dice.pick(&["*/*", "application/json;q=0.5", "text/plain, application/json"])));
        }
        Self {
            who: dice.pick(&ALL),
            method: dice.pick(&["GET", "GET", "GET", "GET", "HEAD", "OPTIONS"]),
            target,
            branch: dice.pick(&[None, None, None, Some(0), Some(1)]),
            by_parameter: dice.happens(30),
            headers,
        }
    }

    /// It is on its way once this returns.
    fn send(&self, proxy: &TestProxy, branches: &[String; 2]) -> tokio::task::JoinHandle<Answer> {
        let mut request = match self.branch {
            // A parameter would stand in `next`, and so in what NetBox would answer.
            Some(branch) if self.by_parameter && !self.target.contains("limit") => {
                let joint = if self.target.contains('?') { '&' } else { '?' };
                let target = format!("{}{joint}_branch={}", self.target, branches[branch]);
                ask(proxy, self.who, self.method, &target)
            }
            Some(branch) => ask(proxy, self.who, self.method, self.target).header("x-netbox-branch", &branches[branch]),
            None => ask(proxy, self.who, self.method, self.target),
        };
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        start(request.send())
    }
}

/// Everything, as it stands in one wave.
struct Crowd {
    netbox: FakeNetbox,
    proxy: TestProxy,
    oracle: Oracle,
    dice: Dice,
    revision: u64,
    north_out_since: Option<Moment>,
    tally: BTreeMap<String, usize>,
}

impl Crowd {
    fn push(&mut self) {
        let seconds = self.dice.pick(&[1, 4, 10, 31, 31, 61, 95, 700]);
        self.proxy.clock.push(Duration::from_secs(seconds));
    }

    /// Lets the visitor in, or out.
    fn turn(&mut self) {
        if self.north_out_since.take().is_some() {
            self.netbox.enable_token(NORTH);
            self.oracle.north_is_out = false;
            self.oracle.look(&self.netbox, &PLACES);
        } else {
            self.netbox.disable_token(NORTH);
            self.oracle.north_is_out = true;
            self.north_out_since = Some(self.proxy.clock.now());
        }
    }

    async fn trouble(&mut self) -> bool {
        self.netbox.clear_faults();
        if !self.dice.happens(15) {
            return false;
        }
        let page = || "<html>no</html>".to_owned();
        let reads = Match::prefix("GET", "/api/dcim/");
        match self.dice.below(8) {
            0 => self.netbox.stop().await,
            1 => self.netbox.fault(Match::any(), Fault::Status(503, "text/html", page())),
            2 => self.netbox.fault(reads, Fault::Status(502, "text/html", page())),
            3 => self.netbox.fault(reads, Fault::ResetBeforeAnswer),
            4 => self.netbox.fault(reads, Fault::ResetMidBody),
            5 => self.netbox.fault(reads, Fault::Truncate),
            6 => self.netbox.fault(reads, Fault::Status(403, "application/json", "{\"detail\":\"No.\"}".to_owned())),
            _ => self.netbox.fault(reads.times(2), Fault::Html200),
        }
        true
    }

    /// A write of somebody's, or one beside nbproxy; in the midst of a wave.
    fn write(&mut self) -> (Option<usize>, Option<tokio::task::JoinHandle<Answer>>) {
        self.revision += 1;
        let site = self.dice.below(SITES) + 1;
        let branch = self.dice.pick(&[None, None, Some(0), Some(1)]);
        let place = branch.map_or("main", |branch: usize| ["one", "two"][branch]);
        let patch = json!({"description": format!("{MARK}{place}.{site}.{}", self.revision)});
        if self.dice.happens(30) {
            match branch {
                None => self.netbox.edit("dcim/sites", site, patch),
                Some(branch) => self.netbox.edit_in(&self.oracle.branches[branch], "dcim/sites", site, patch),
            }
            return (branch, None);
        }
        let who = self.dice.pick(&[Who::Wide, Who::Wide, Who::North, Who::Narrow, Who::Anonymous]);
        let mut request = ask(&self.proxy, who, "PATCH", &format!("/api/dcim/sites/{site}/")).json(&patch);
        if let Some(branch) = branch {
            request = request.header("x-netbox-branch", &self.oracle.branches[branch]);
        }
        if self.dice.happens(10) {
            self.netbox.fault(Match::method("PATCH"), Fault::ApplyThenReset);
        }
        (branch, Some(start(request.send())))
    }

    fn count(&mut self, what: impl Into<String>) {
        *self.tally.entry(what.into()).or_default() += 1;
    }

    /// Sees that this answer is one of those that its asker could have had from NetBox.
    fn check(&mut self, asked: &Asked, answer: &Answer, in_trouble: bool) {
        let Asked { who, method, target, branch, .. } = *asked;
        let story = |what: &str, detail: &dyn Debug| {
            format!("seed {SEED}: {what} for {asked:?}: {} {} {detail:?}", answer.status, answer.cache())
        };
        let body = String::from_utf8_lossy(&answer.body);
        if !who.may_ask(target, branch) {
            assert_eq!(answer.status, 403, "{}", story("a closed target was answered", &body));
        }
        let out_for = self.north_out_since.map(|since| self.proxy.clock.now().since(since));
        if who == Who::North && out_for.is_some_and(|time| time > Duration::from_secs(30)) {
            assert!(answer.status >= 400, "{}", story("a disabled token was let in", &body));
        }
        let seen = self.oracle.seen_by(who, branch, method, target);
        let page = answer.header("content-type").starts_with("text/html");
        match answer.status {
            200 if method == "HEAD" => {
                let length = answer.header("content-length").parse().unwrap_or(usize::MAX);
                let known = page || seen.iter().any(|body| body.len() == length);
                assert!(known, "{}", story("the length of another view's answer", &length));
            }
            200 => {
                let known = seen.contains(&answer.body) || page && !body.contains(MARK);
                assert!(known, "{}", story("another view's answer", &body));
            }
            304 => assert!(!seen.is_empty(), "{}", story("something was confirmed that is not to be seen", &"")),
            _ => {
                let clean = !body.contains(MARK) && !body.contains(SECRET);
                assert!(clean, "{}", story("a refusal that tells", &body));
                let ours = who.may_ask(target, branch) && !in_trouble && self.north_out_since.is_none();
                let expected = seen.is_empty() || asked.headers.iter().any(|(_, wish)| wish.contains("cached"));
                assert!(!ours || expected, "{}", story("refused what is to be seen", &body));
            }
        }
        self.count(format!("{who:?} {}", answer.status));
        self.count(answer.cache().replace(|c: char| c.is_ascii_digit(), ""));
    }

    async fn wave(&mut self) {
        if self.dice.happens(30) {
            self.push();
        }
        if self.dice.happens(5) {
            self.turn();
        }
        let in_trouble = self.trouble().await;
        let hot = [self.dice.pick(&TARGETS), self.dice.pick(&TARGETS[..12])];
        let writes_at = self.dice.happens(15).then(|| self.dice.below(AT_ONCE as u64));
        let (mut asked, mut write) = (Vec::new(), None);
        for index in 0..AT_ONCE as u64 {
            if writes_at == Some(index) {
                write = Some(self.write());
            }
            let one = Asked::roll(&mut self.dice, &hot);
            let sent = one.send(&self.proxy, &self.oracle.branches);
            asked.push((one, sent));
        }
        let mut answers = Vec::new();
        for (one, sent) in asked {
            answers.push((one, sent.await.expect("it ran")));
        }
        if let Some((branch, sent)) = write {
            if let Some(sent) = sent {
                sent.await.expect("it ran");
            }
            self.oracle.look(&self.netbox, &[branch]);
        }
        for (one, answer) in answers {
            self.check(&one, &answer, in_trouble || writes_at.is_some());
        }
        if in_trouble {
            self.netbox.clear_faults();
            self.netbox.restart().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_view_is_served_under_another() {
    let (netbox, branches) = netbox().await;
    let proxy = proxy(&netbox, &branches).await;
    let oracle = Oracle::new(&netbox, &proxy, branches);
    // Bytes of one view could not be told from another's otherwise.
    assert_eq!(oracle.indistinct(&netbox, TARGETS[0]), 0);
    let mut crowd =
        Crowd { netbox, proxy, oracle, dice: Dice(SEED), revision: 0, north_out_since: None, tally: BTreeMap::new() };
    for _ in 0..WAVES {
        crowd.wave().await;
    }
    // Where nothing was remembered, nothing could have been mixed up.
    println!("{:#?}", crowd.tally);
    let total = |words: &[&str]| -> usize {
        let fits = |name: &str| words.iter().all(|word| name.contains(word));
        crowd.tally.iter().filter(|(name, _)| fits(name)).map(|(_, count)| count).sum()
    };
    for (words, least) in [
        (&["hit; ttl=", ""][..], 300),
        (&["stale-if-error"], 20),
        (&["hit; ttl=-", "outdated"], 20),
        (&["while-revalidate"], 20),
        (&["collapsed"], 20),
    ] {
        assert!(total(words) >= least, "only {} of {words:?}: {:#?}", total(words), crowd.tally);
    }
    for who in ALL {
        let least = if who == Who::Stranger { 0 } else { 100 };
        assert!(total(&[&format!("{who:?} 200")]) >= least, "{who:?}: {:#?}", crowd.tally);
    }
}
