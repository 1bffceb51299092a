//! What users see and may by their permissions, and whom a token lets in from where.

use fake_netbox::{FakeNetbox, Grant};
use serde_json::{Value, json};

use crate::client::{Reply, raw};

const NORTH: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// A user who may do everything with the sites of region 1, see sites below 3, and see all prefixes.
async fn north() -> FakeNetbox {
    let fake = FakeNetbox::start().await;
    fake.set_rights(
        "north",
        &[
            Grant::full("dcim/sites").only(json!({"region": 1})),
            Grant::view("dcim/sites").only(json!({"id__lt": 3})),
            Grant::view("dcim/devices").only(json!({"site__region_id": 1})),
            Grant::view("ipam/prefixes"),
        ],
    );
    fake.add_token(NORTH, "north", true);
    fake
}

async fn by(fake: &FakeNetbox, token: &str, method: &str, target: &str, body: &str) -> Reply {
    let token = format!("Token {token}");
    let headers = [("Authorization", token.as_str()), ("Content-Type", "application/json")];
    raw(fake, method, target, &headers, body).await
}

fn detail(reply: &Reply) -> (u16, String) {
    (reply.status, reply.json()["detail"].as_str().unwrap_or_default().to_owned())
}

fn refusal() -> (u16, String) {
    (403, "You do not have permission to perform this action.".to_owned())
}

#[tokio::test]
async fn lists_are_silently_filtered_and_hidden_objects_are_not_there() {
    let fake = north().await;
    let get = |target: &'static str| by(&fake, NORTH, "GET", target, "");
    let sites = get("/api/dcim/sites/").await;
    assert_eq!(sites.ids(), [1, 2, 5, 9]);
    assert_eq!((&sites.json()["count"], &sites.json()["next"]), (&json!(4), &Value::Null));
    assert_eq!(get("/api/dcim/sites/?limit=1&offset=2").await.ids(), [5]);
    assert_eq!(get("/api/dcim/sites/5/").await.status, 200);
    assert_eq!(detail(&get("/api/dcim/sites/3/").await), (404, "No Site matches the given query.".to_owned()));
    assert_eq!(detail(&get("/api/dcim/racks/").await), refusal());
    assert_eq!(detail(&get("/api/dcim/racks/1/").await), refusal());
    // A filter may name what is hidden, and what is hidden is shown inside of others.
    assert_eq!(get("/api/dcim/sites/?region=region-2").await.ids(), Vec::<u64>::new());
    let device = &get("/api/dcim/devices/?limit=1").await.json()["results"][0];
    assert_eq!((&device["site"]["name"], &device["rack"]), (&json!("DC000"), &Value::Null));
    assert!(device["role"]["name"].is_string(), "roles are hidden, but for their brief form");
    assert_eq!(get("/api/").await.status, 200);
    assert_eq!(get("/api/core/object-types/").await.status, 200);
    assert_eq!(get("/api/core/object-changes/").await.status, 403);
    assert_eq!(
        by(&fake, NORTH, "POST", "/graphql/", r#"{"query":"{ site_list { id } }"}"#).await.json()["data"]["site_list"],
        json!([{"id": "1"}, {"id": "2"}, {"id": "5"}, {"id": "9"}])
    );
    // What hangs below a prefix is there for who may see addresses.
    assert_eq!(get("/api/ipam/prefixes/1/available-ips/").await.status, 403);
    assert_eq!(get("/api/ipam/prefixes/1/available-prefixes/").await.status, 200);
}

#[tokio::test]
async fn what_is_written_must_be_the_writers_before_and_after() {
    let fake = north().await;
    let write = |method: &'static str, target: &'static str, body: &'static str| by(&fake, NORTH, method, target, body);
    assert_eq!(write("PATCH", "/api/dcim/sites/1/", r#"{"facility":"x"}"#).await.status, 200);
    // One may be seen, and not written.
    assert_eq!(write("PATCH", "/api/dcim/sites/2/", r#"{"facility":"x"}"#).await.status, 404);
    assert_eq!(detail(&write("PATCH", "/api/dcim/sites/1/", r#"{"region":2}"#).await), refusal());
    assert_eq!(fake.get("dcim/sites", 1).unwrap()["region"]["id"], 1, "it was taken back");
    let elsewhere = r#"{"name":"n","slug":"n","region":2}"#;
    assert_eq!(detail(&write("POST", "/api/dcim/sites/", elsewhere).await), refusal());
    let bulk = write("PATCH", "/api/dcim/sites/", r#"[{"id":5,"facility":"y"},{"id":6,"facility":"y"}]"#).await;
    assert_eq!((bulk.status, bulk.json().as_array().unwrap().len()), (200, 1));
    assert_eq!(fake.get("dcim/sites", 6).unwrap()["facility"], "");
    assert_eq!(write("DELETE", "/api/dcim/sites/", r#"[{"id":6}]"#).await.status, 204);
    assert!(fake.get("dcim/sites", 6).is_some(), "what is not to be seen is passed over");
    assert_eq!(write("POST", "/api/ipam/prefixes/", r#"{"prefix":"10.99.0.0/24"}"#).await.status, 403);
    for (target, put, post) in
        [("/api/dcim/sites/", true, true), ("/api/dcim/sites/2/", false, false), ("/api/ipam/prefixes/", false, false)]
    {
        let actions = &write("OPTIONS", target, "").await.json()["actions"];
        assert_eq!((actions["PUT"].is_object(), actions["POST"].is_object()), (put, post), "{target}");
    }
}

#[tokio::test]
async fn rights_can_be_given_and_taken() {
    let fake = north().await;
    let status = || async { by(&fake, NORTH, "GET", "/api/dcim/racks/", "").await.status };
    assert_eq!(status().await, 403);
    fake.set_rights("north", &[Grant::view("*")]);
    assert_eq!(status().await, 200);
    fake.set_active("north", false);
    let inactive = by(&fake, NORTH, "GET", "/api/dcim/racks/", "").await;
    assert_eq!(detail(&inactive), (403, "User inactive".to_owned()));
    fake.set_active("north", true);
    assert_eq!(status().await, 200);
}

#[tokio::test]
async fn a_token_is_let_in_as_long_as_it_is_in_force() {
    let fake = north().await;
    let get = || by(&fake, NORTH, "GET", "/api/", "");
    fake.disable_token(NORTH);
    assert_eq!(detail(&get().await), (403, "Token disabled".to_owned()));
    fake.enable_token(NORTH);
    assert_eq!(get().await.status, 200);
    fake.edit_token(NORTH, json!({"expires": "2999-01-01T00:00:00Z"}));
    assert_eq!(get().await.status, 200);
    fake.expire_token(NORTH);
    assert_eq!(detail(&get().await), (403, "Token expired".to_owned()));
    let document = by(&fake, NORTH, "GET", "/api/schema/?format=json", "").await;
    assert_eq!(document.status, 200, "no token is looked at there");
}

#[tokio::test]
async fn a_token_may_be_bound_to_addresses() {
    let fake = north().await;
    fake.edit_token(NORTH, json!({"allowed_ips": ["10.1.0.0/16", "2001:db8::/32"]}));
    let token = format!("Token {NORTH}");
    let get = |names: &'static [(&'static str, &'static str)]| {
        let (fake, token) = (&fake, token.as_str());
        async move {
            let headers: Vec<_> = [("Authorization", token)].into_iter().chain(names.iter().copied()).collect();
            raw(fake, "GET", "/api/", &headers, "").await
        }
    };
    let refused =
        |address: &str| (403, format!("Source IP {address} is not permitted to authenticate using this token."));
    assert_eq!(detail(&get(&[]).await), refused("127.0.0.1"));
    assert_eq!(get(&[("X-Forwarded-For", "10.1.2.3, 192.0.2.1")]).await.status, 200, "the leftmost counts");
    assert_eq!(get(&[("X-Forwarded-For", "[2001:db8::1]:80")]).await.status, 200);
    assert_eq!(detail(&get(&[("X-Forwarded-For", "192.0.2.1, 10.1.2.3")]).await), refused("192.0.2.1"));
    let both = get(&[("X-Forwarded-For", "192.0.2.1"), ("X-Real-IP", "10.1.2.3")]).await;
    assert_eq!(both.status, 200, "X-Real-IP comes first");
    let bad = get(&[("X-Forwarded-For", "nonsense")]).await;
    assert_eq!((bad.status, &bad.json()["exception"]), (500, &json!("ValueError")));
    // A wrong address is told before anything else.
    fake.disable_token(NORTH);
    assert_eq!(detail(&get(&[]).await), refused("127.0.0.1"));
    assert!(fake.log().iter().all(|request| request.peer.is_loopback()));
}

#[tokio::test]
async fn a_look_beside_the_wire_leaves_no_trace() {
    let fake = north().await;
    let token = format!("Token {NORTH}");
    let host = fake.addr().to_string();
    let headers = [("Authorization", token.as_str()), ("Host", host.as_str())];
    let (status, body) = fake.direct("GET", "/api/dcim/sites/?fields=id", &headers);
    assert!(fake.log().is_empty());
    let wire = by(&fake, NORTH, "GET", "/api/dcim/sites/?fields=id", "").await;
    assert_eq!((status, body.to_vec()), (wire.status, wire.body));
}

#[tokio::test]
async fn a_format_may_end_a_path() {
    let fake = FakeNetbox::start().await;
    let get = |target: &'static str| by(&fake, fake.token(), "GET", target, "");
    for target in ["/api/dcim/sites.json", "/api/dcim/sites.json/", "/api/dcim/sites/1.json"] {
        let reply = get(target).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")), "{target}");
    }
    assert_eq!(get("/api/dcim/sites.api").await.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(get("/api/dcim/sites.xml").await.status, 404);
    assert_eq!(get("/api/status.json").await.status, 404);
}
