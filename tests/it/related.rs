//! Finer scopes (`invalidation.precision = "related"`): a change outdates what has to do with it, and little else. The clock
//! of these tests stands still: what is seen anew is seen because it was told of.

use fake_netbox::FakeNetbox;
use serde_json::Value;

use crate::support::{Ask, TestProxy, until};

mod cables;
mod cases;
mod dependence;
mod more_cases;
mod rows;
mod sharing;

use cases::{Act, Case};

const CHANGES: &str = "/api/core/object-changes/";

/// A proxy that tells types apart, and follows the changelog.
async fn following(netbox: &FakeNetbox) -> TestProxy {
    let settings = "[invalidation]\nchangelog_poll = \"5ms\"\nprecision = \"related\"";
    let proxy = TestProxy::builder(netbox).settings(settings).start().await;
    proxy.follows().await;
    proxy
}

/// A proxy that tells types apart, and knows of no change but those made through it.
async fn alone(netbox: &FakeNetbox) -> TestProxy {
    TestProxy::builder(netbox).settings("[invalidation]\nprecision = \"related\"").start().await
}

/// Waits until the changelog has been looked at after now, and what was found was told of.
async fn looked(netbox: &FakeNetbox) {
    let before = netbox.count("GET", CHANGES);
    until(async || netbox.count("GET", CHANGES) >= before + 3).await;
}

/// What NetBox answers now, with its links as the proxy's clients see them.
async fn truth(netbox: &FakeNetbox, proxy: &TestProxy, target: &str) -> Value {
    let authorization = format!("Token {}", netbox.token());
    let answer =
        Ask::new("GET", &format!("{}{target}", netbox.url())).header("authorization", &authorization).send().await;
    assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    let text = answer.text().replace(&format!("{}/api/", netbox.url()), &format!("{}/api/", proxy.url()));
    serde_json::from_str(&text).expect("JSON")
}

/// Fills the answer in, and sees that it is remembered.
async fn remember(proxy: &TestProxy, target: &str) -> Value {
    let first = proxy.get(target).await;
    assert_eq!(first.status, 200, "{target}: {}", first.text());
    let second = proxy.get(target).await;
    assert!(second.is_hit(), "{target}: {}", second.cache());
    second.json()
}

fn json(text: &str, ids: &[u64]) -> Value {
    serde_json::from_str(&filled(text, ids)).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The text with `$0` and so on replaced by these ids.
fn filled(text: &str, ids: &[u64]) -> String {
    let numbered = ids.iter().enumerate().rev();
    numbered.fold(text.to_owned(), |text, (place, id)| text.replace(&format!("${place}"), &id.to_string()))
}

impl Case {
    fn make(&self, netbox: &FakeNetbox) -> Vec<u64> {
        self.made.iter().fold(Vec::new(), |mut ids, (endpoint, body)| {
            ids.push(netbox.create(endpoint, json(body, &ids)));
            ids
        })
    }

    fn act(&self, netbox: &FakeNetbox, ids: &[u64]) {
        let id = |text: &str| filled(text, ids).parse().expect("an id");
        match self.act {
            Act::Create(endpoint, body) => drop(netbox.create(endpoint, json(body, ids))),
            Act::Edit(endpoint, which, patch) => netbox.edit(endpoint, id(which), json(patch, ids)),
            Act::Remove(endpoint, which) => netbox.remove(endpoint, id(which)),
        }
    }

    async fn run(&self) {
        let netbox = FakeNetbox::start().await;
        let ids = self.make(&netbox);
        let proxy = following(&netbox).await;
        let target = format!("/api/{}", filled(self.read, &ids));
        let before = remember(&proxy, &target).await;
        self.act(&netbox, &ids);
        let after = truth(&netbox, &proxy, &target).await;
        assert_ne!(before, after, "{self:?} shows nothing");
        looked(&netbox).await;
        assert_eq!(proxy.get(&target).await.json(), after, "{self:?}");
    }
}

async fn run(cases: &[Case]) {
    futures_util::future::join_all(cases.iter().map(Case::run)).await;
}

#[tokio::test]
async fn places_show_what_stands_in_them() {
    run(cases::PLACES).await;
}

#[tokio::test]
async fn devices_show_what_they_are_made_of() {
    run(cases::DEVICES).await;
}

#[tokio::test]
async fn cabling_shows_however_far_away() {
    run(cables::CABLING).await;
}

#[tokio::test]
async fn circuits_show_their_ends() {
    run(more_cases::CIRCUITS).await;
}

#[tokio::test]
async fn addresses_show_what_they_contain() {
    run(more_cases::ADDRESSES).await;
}

#[tokio::test]
async fn tenants_machines_and_tunnels_show_what_belongs_to_them() {
    run(more_cases::OTHERS).await;
}
