//! A world that changes from all sides: what nbproxy answers is at each moment what NetBox would.
//!
//! Tens of thousands of operations at random over related types. Several nbproxies stand before one NetBox; each is
//! written through, and each of these writes is done beside the others, which are told of it by the changelog or by
//! webhooks alone. Transactions are committed late, each nbproxy has a branch, and has it merged by a job. Each answer is
//! compared, whole, with what NetBox says itself. The clock stands still: nothing is right because it expired.

use fake_netbox::{FakeNetbox, HoldPoint};

use crate::support::{Ask, TestProxy, start, within};

mod dice;
mod hooks;
mod life;
mod real;
mod stock;

use life::{NetBox, Side, Source, Told, World};
use stock::Stock;

const SEEDS: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03];
/// Of each of two lives, which together are more than 50,000 operations.
const STEPS: usize = 64;
const OPERATIONS: usize = 25_000;
/// A step's writes, each with reads by the nbproxy that it went through, and reads by all others once they were told.
const WRITES: usize = 12;
const READS_AT_ONCE: usize = 6;
const READS: usize = 60;
/// How often all nbproxies' branches are merged.
const LIVES: usize = 4;

const SIDES: [(&str, &str, Told); 3] = [
    ("branch, changelog", "branch", Told::Changelog),
    ("related, changelog", "related", Told::Changelog),
    ("related, webhooks", "related", Told::Webhooks),
];

async fn sides(netbox: &FakeNetbox) -> Vec<Side> {
    let mut sides = Vec::new();
    for (name, precision, told) in SIDES {
        let how = if told == Told::Changelog { "changelog_poll = \"5ms\"".to_owned() } else { hooks::settings() };
        let settings = format!(
            "[invalidation]\n{how}\njob_poll = \"5ms\"\nprecision = \"{precision}\"\n\
             [cache]\nttl = \"24h\"\nttl_without_feed = \"24h\""
        );
        let proxy = TestProxy::builder(netbox).settings(&settings).start().await;
        if told == Told::Changelog {
            proxy.follows().await;
        }
        sides.push(Side { name, told, proxy, branch: String::new(), counts: Default::default() });
    }
    sides
}

impl World {
    /// Gives each nbproxy a new branch, merges what it had, and lets all know.
    async fn renew_branches(&mut self, life: usize) {
        for side in 0..self.sides.len() {
            if life > 0 {
                let id = life as u64 * SIDES.len() as u64 - SIDES.len() as u64 + side as u64 + 1;
                self.merge(side, id, READS).await;
                self.tell_all_but(side).await;
            }
            let netbox = self.netbox.fake().expect("it is");
            self.sides[side].branch = netbox.add_branch(&format!("{life}-{side}"), "ready");
        }
    }

    /// Tells all but one nbproxy of what was done, and reads from them.
    async fn tell_all_but(&mut self, through: usize) {
        let others: Vec<_> = (0..self.sides.len()).filter(|side| *side != through).collect();
        for side in &others {
            self.tell(*side).await;
        }
        self.compare(&others, Source::Beside, "", READS).await;
        if through < self.sides.len() {
            self.tell(through).await;
        }
    }

    async fn step(&mut self) {
        let through = self.stock.dice.roll(SIDES.len() + 1);
        for _ in 0..WRITES {
            let write = self.stock.write();
            if through == SIDES.len() {
                self.write(None, "", write).await;
            } else {
                self.write(Some(through), "", write).await;
                self.compare(&[through], Source::Through, "", READS_AT_ONCE).await;
            }
        }
        self.tell_all_but(through).await;
    }

    /// Writes in a branch, of which nobody is told but those who read it by the same way.
    async fn step_in_branch(&mut self) {
        let side = self.stock.dice.roll(SIDES.len());
        let branch = self.sides[side].branch.clone();
        for _ in 0..3 {
            let write = self.stock.safe_edit();
            self.write(Some(side), &branch, write).await;
            self.compare(&[side], Source::InItsBranch, &branch, READS_AT_ONCE).await;
        }
    }

    /// A transaction that takes its ids before those of other writes, and is committed after them.
    async fn step_late(&mut self) {
        let netbox = self.netbox.fake().expect("it is");
        let mut late = netbox.begin();
        for _ in 0..3 {
            let write = self.stock.safe_edit();
            if let Some(id) = write.id.filter(|id| netbox.get(write.endpoint, *id).is_some()) {
                late.edit(write.endpoint, id, write.body);
                self.writes += 1;
            }
        }
        for _ in 0..3 {
            let write = self.stock.safe_edit();
            self.write(None, "", write).await;
        }
        self.tell_all_but(SIDES.len()).await;
        late.commit();
        self.tell_all_but(SIDES.len()).await;
    }
}

impl World {
    /// An answer that NetBox made before a write, and that arrives after it: nobody else may be shown it.
    async fn step_overtaken(&mut self) {
        let side = self.stock.dice.roll(SIDES.len());
        let netbox = self.netbox.fake().expect("it is");
        let list = "/api/dcim/sites/";
        let hold = netbox.hold("GET", list, HoldPoint::BeforeAnswer);
        // Nobody has asked for this before.
        let target = format!("{list}?limit=5&name__n=none-{}", self.writes);
        let url = format!("{}{target}", self.sides[side].proxy.url());
        let early = start(Ask::kept("GET", &url).send());
        within(hold.arrived(1)).await;
        let write = self.stock.edit("dcim/sites", &["description"]);
        self.write(Some(side), "", write).await;
        hold.release();
        early.await.expect("it ran");
        self.compare_these(&[side], Source::Through, "", &[target]).await;
        self.tell_all_but(side).await;
    }
}

#[tokio::test]
async fn nothing_is_stale_however_it_changed() {
    live(SEEDS[0]).await;
}

#[tokio::test]
async fn nothing_is_stale_in_another_life() {
    live(SEEDS[1]).await;
}

async fn live(seed: u64) {
    let netbox = FakeNetbox::builder().devices(12).sites(6).start().await;
    let sides = sides(&netbox).await;
    let mut world = World::new(NetBox::Fake(netbox), sides, Stock::seeded(seed));
    for step in 0..STEPS {
        if step % (STEPS / LIVES) == 0 {
            world.renew_branches(step / (STEPS / LIVES)).await;
        }
        match step % 8 {
            1 => world.step_overtaken().await,
            3 => world.step_late().await,
            6 => world.step_in_branch().await,
            _ => world.step().await,
        }
    }
    let sums = world.sum_up();
    assert!(world.wrong.is_empty(), "{}", world.wrong.join("\n\n"));
    assert!(world.operations() >= OPERATIONS, "{} operations", world.operations());
    assert!(world.taken > world.writes / 2, "most writes change something");
    let [branch, related, hooked] = &sums[..] else { panic!("three of them") };
    assert!(branch.hits > 0, "some were answered from memory");
    for finer in [related, hooked] {
        assert!(finer.hits > finer.reads / 4, "changes of other types cost nothing: {finer:?}");
        assert!(finer.hits > branch.hits);
    }
}
