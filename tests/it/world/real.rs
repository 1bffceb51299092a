//! The same before a real NetBox with the branching plugin, whose data it leaves as it was: it makes objects of its own,
//! writes to nothing else, and deletes them in the end (but not what the changelog keeps of them).
//!
//! Not part of the suite. `NBPROXY_REAL_NETBOX_URL` and `NBPROXY_REAL_NETBOX_TOKEN` (of version 1, a superuser's) say
//! where; `NBPROXY_REAL_NETBOX_MINUTES` for how long (5), `NBPROXY_REAL_NETBOX_SEED` which life. Nobody else may write to
//! that NetBox meanwhile: what is compared is read one after the other.

use std::time::Duration;

use serde_json::{Value, json};

use super::life::{NetBox, Side, Source, Told, World};
use super::stock::{KINDS, Stock};
use crate::support::{TestProxy, until};

const BRANCHES: &str = "/api/plugins/branching/branches/";
const WRITES: usize = 4;
const READS_AT_ONCE: usize = 6;
const READS: usize = 24;
/// So many steps a branch lives.
const LIFE: usize = 12;
/// What there is of each kind at first.
const FIRST: usize = 3;

#[expect(clippy::disallowed_methods, reason = "which NetBox there is, only who starts the test can say")]
fn setting(name: &str) -> Option<String> {
    std::env::var(format!("NBPROXY_REAL_NETBOX_{name}")).ok()
}

fn number(name: &str, default: u64) -> u64 {
    setting(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

async fn side(name: &'static str, precision: &str, netbox: &NetBox) -> Side {
    let settings =
        format!("[invalidation]\nchangelog_poll = \"100ms\"\njob_poll = \"100ms\"\nprecision = \"{precision}\"");
    let proxy = TestProxy::at(&netbox.url(), &netbox.token()).settings(&settings).in_real_time().start().await;
    proxy.follows().await;
    Side { name, told: Told::Changelog, proxy, branch: String::new(), counts: Default::default() }
}

impl World {
    async fn ask_netbox(&self, method: &str, target: &str, body: Option<&Value>) -> (u16, Value) {
        let ask = self.netbox.ask(method, target, "");
        let ask = match body {
            Some(body) => ask.json(body),
            None => ask,
        };
        let answer = ask.try_send().await;
        answer.map_or((0, Value::Null), |answer| {
            (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
        })
    }

    /// Something of each kind, that later things need.
    async fn stock_up(&mut self) {
        for (endpoint, ..) in KINDS {
            for _ in 0..FIRST {
                let write = self.stock.new_one(endpoint);
                self.write(None, "", write).await;
            }
        }
    }

    /// Asks for a branch, through this nbproxy, and waits until it is ready.
    async fn branch_off(&mut self, side: usize, name: &str) -> u64 {
        let proxy = &self.sides[side].proxy;
        let answer = proxy.ask("POST", BRANCHES).json(&json!({"name": name})).send().await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let id = answer.json()["id"].as_u64().expect("an id");
        self.sides[side].branch = answer.json()["schema_id"].as_str().expect("a name").to_owned();
        self.settled(id, "ready").await;
        let proxy = &self.sides[side].proxy;
        until(async || proxy.metric("nbproxy_jobs_followed").await == 0.0).await;
        id
    }

    async fn settled(&self, branch: u64, status: &str) {
        let target = format!("{BRANCHES}{branch}/");
        until(async || self.ask_netbox("GET", &target, None).await.1["status"]["value"] == status).await;
    }

    async fn step_before_all(&mut self) {
        let through = self.stock.dice.roll(3);
        for _ in 0..WRITES {
            let write = self.stock.write();
            if through == self.sides.len() {
                self.write(None, "", write).await;
            } else {
                self.write(Some(through), "", write).await;
                self.compare(&[through], Source::Through, "", READS_AT_ONCE).await;
            }
        }
        let others: Vec<_> = (0..self.sides.len()).filter(|side| *side != through).collect();
        for side in &others {
            self.tell(*side).await;
        }
        self.compare(&others, Source::Beside, "", READS).await;
    }

    async fn step_in_a_branch(&mut self, side: usize) {
        let branch = self.sides[side].branch.clone();
        for _ in 0..3 {
            let write = self.stock.safe_edit();
            self.write(Some(side), &branch, write).await;
            self.compare(&[side], Source::InItsBranch, &branch, READS_AT_ONCE).await;
        }
    }

    /// Deletes all that was made, what needs others first; gives what is left.
    async fn clean_up(&self, branches: &[u64]) -> Vec<String> {
        let objects = self.made.iter().rev().map(|(endpoint, id)| format!("/api/{endpoint}/{id}/"));
        let mut left: Vec<_> = objects.chain(branches.iter().map(|id| format!("{BRANCHES}{id}/"))).collect();
        for _ in 0..4 {
            let mut still = Vec::new();
            for target in left {
                let (status, _) = self.ask_netbox("DELETE", &target, None).await;
                if status != 204 && status != 404 {
                    still.push(target);
                }
            }
            left = still;
        }
        left
    }
}

#[tokio::test]
#[ignore = "needs a real NetBox: see NBPROXY_REAL_NETBOX_URL in CONTRIBUTING.md"]
async fn nothing_is_stale_before_a_real_netbox() {
    let (url, token) = (setting("URL").expect("its URL"), setting("TOKEN").expect("a token"));
    let (minutes, seed) = (number("MINUTES", 5), number("SEED", 0x5eed));
    let netbox = NetBox::Real { url: url.trim_end_matches('/').to_owned(), token };
    let sides = vec![side("branch", "branch", &netbox).await, side("related", "related", &netbox).await];
    let clock = sides[0].proxy.clock.clone();
    let begin = clock.now();
    let prefix = format!("nbp{:x}-", std::process::id());
    let mut world = World::new(netbox, sides, Stock::empty(seed, &prefix));
    world.stock_up().await;
    let (mut branches, mut steps) = (Vec::new(), 0);
    while clock.now().since(begin) < Duration::from_secs(60 * minutes) && world.wrong.len() < 15 {
        let (life, step) = (steps / LIFE, steps % LIFE);
        if step == 0 {
            for side in 0..world.sides.len() {
                if life > 0 {
                    world.merge(side, branches[branches.len() - world.sides.len()], READS).await;
                }
                branches.push(world.branch_off(side, &format!("{prefix}{life}-{side}")).await);
            }
        }
        match step % 8 {
            2 | 5 => world.step_in_a_branch(usize::from(step % 8 == 5)).await,
            _ => world.step_before_all().await,
        }
        steps += 1;
        if steps % 4 == 0 {
            world.sum_up();
        }
    }
    world.sum_up();
    let left = world.clean_up(&branches).await;
    assert!(left.is_empty(), "not deleted: {left:?}");
    assert!(world.wrong.is_empty(), "{}", world.wrong.join("\n\n"));
}
