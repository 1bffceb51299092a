//! The changelog: when ids are taken, when rows are seen, and what leaves none.

use fake_netbox::FakeNetbox;
use serde_json::{Value, json};

use crate::client::{ask, ask_with};

async fn ids(fake: &FakeNetbox) -> Vec<u64> {
    ask(fake, "GET", "/api/core/object-changes/?start=21&limit=1000&fields=id", "").await.ids()
}

#[tokio::test]
async fn a_row_tells_who_did_what_in_which_request() {
    let fake = FakeNetbox::start().await;
    let patch = r#"{"facility":"x","changelog_message":"why"}"#;
    let reply = ask(&fake, "PATCH", "/api/dcim/sites/1/", patch).await;
    let list = ask(&fake, "GET", "/api/core/object-changes/?limit=1", "").await.json();
    let row = &list["results"][0];
    assert_eq!(row["request_id"].as_str(), reply.header("x-request-id"));
    assert_eq!(row["display"], "DCIM | site DC000 updated by admin");
    assert_eq!(row["action"], json!({"value": "update", "label": "Updated"}));
    assert_eq!((&row["changed_object_type"], &row["changed_object_id"]), (&json!("dcim.site"), &json!(1)));
    assert_eq!((&row["user"]["username"], &row["message"]), (&json!("admin"), &json!("why")));
    assert_eq!((&row["prechange_data"]["facility"], &row["postchange_data"]["facility"]), (&json!(""), &json!("x")));
    assert_eq!(row["changed_object"]["name"], "DC000");
    // A change of nothing moves the ETag but leaves no row.
    let again = ask(&fake, "PATCH", "/api/dcim/sites/1/", patch).await;
    assert_ne!(again.header("etag"), reply.header("etag"));
    let after = ask(&fake, "GET", "/api/core/object-changes/?limit=1", "").await.json();
    assert_eq!(after["count"], list["count"]);
}

#[tokio::test]
async fn ids_are_taken_when_made_and_seen_when_committed() {
    let fake = FakeNetbox::start().await;
    assert_eq!(ids(&fake).await, Vec::<u64>::new());
    let mut slow = fake.begin();
    let site = slow.create("dcim/sites", json!({"name": "slow", "slug": "slow"}));
    slow.edit("dcim/sites", 1, json!({"facility": "slow"}));
    let mut lost = fake.begin();
    lost.edit("dcim/sites", 2, json!({"facility": "lost"}));
    fake.edit("dcim/sites", 3, json!({"facility": "fast"}));
    assert_eq!(ids(&fake).await, [24]);
    assert_eq!((fake.get("dcim/sites", site), slow.change_ids()), (None, vec![21, 22]));
    slow.commit();
    lost.rollback();
    assert_eq!(ids(&fake).await, [21, 22, 24]);
    assert_eq!(fake.get("dcim/sites", site).unwrap()["name"], "slow");
    assert_eq!(fake.get("dcim/sites", 1).unwrap()["facility"], "slow");
    assert_eq!(fake.get("dcim/sites", 2).unwrap()["facility"], "");
    let rows = ask(&fake, "GET", "/api/core/object-changes/?id__gt=20&ordering=id", "").await.json();
    let times: Vec<_> =
        rows["results"].as_array().unwrap().iter().map(|row| row["time"].as_str().unwrap().to_owned()).collect();
    assert!(times.is_sorted());
}

#[tokio::test]
async fn what_netbox_does_not_log_is_not_logged() {
    let fake = FakeNetbox::start().await;
    let etag = ask(&fake, "GET", "/api/dcim/sites/1/", "").await.header("etag").map(str::to_owned);
    fake.edit_unlogged("dcim/sites", 1, json!({"facility": "hidden"}));
    fake.add_token("abc", "ann", true);
    fake.add_branch("b", "ready");
    assert_eq!(ids(&fake).await.len(), 1, "only the branch itself has a row");
    let reply = ask(&fake, "GET", "/api/dcim/sites/1/", "").await;
    assert_eq!((&reply.json()["facility"], reply.header("etag").map(str::to_owned)), (&json!("hidden"), etag));
}

#[tokio::test]
async fn a_cascade_leaves_one_row_for_each_object() {
    let fake = FakeNetbox::start().await;
    fake.remove("dcim/devices", 1);
    let rows = ask(&fake, "GET", "/api/core/object-changes/?id__gt=20&ordering=id&limit=0", "").await.json();
    let rows = rows["results"].as_array().unwrap();
    let mut kinds: Vec<_> = rows
        .iter()
        .map(|row| {
            format!("{} {}", row["action"]["value"].as_str().unwrap(), row["changed_object_type"].as_str().unwrap())
        })
        .collect();
    kinds.sort();
    assert_eq!(
        kinds,
        [
            "delete dcim.cabletermination",
            "delete dcim.device",
            "delete dcim.interface",
            "delete dcim.interface",
            "delete ipam.ipaddress"
        ]
    );
    assert!(rows.iter().all(|row| row["changed_object"] == Value::Null));
    assert!(rows.windows(2).all(|two| two[0]["request_id"] == two[1]["request_id"]));
}

#[tokio::test]
async fn a_branch_has_a_changelog_of_its_own() {
    let fake = FakeNetbox::start().await;
    let schema = fake.add_branch("b", "ready");
    let headers = [("X-NetBox-Branch", schema.as_str())];
    let patch = r#"{"facility":"branch"}"#;
    assert_eq!(ask_with(&fake, "PATCH", "/api/dcim/sites/1/", &headers, patch).await.status, 200);
    fake.edit("dcim/sites", 2, json!({"facility": "main"}));
    let main = ids(&fake).await;
    let path = "/api/core/object-changes/?start=22&fields=id";
    let branch = ask_with(&fake, "GET", path, &headers, "").await.ids();
    // The sequence is shared, so each sees a gap where the other has a row.
    assert_eq!((main, branch), (vec![21, 23], vec![22]));
}

async fn messages(fake: &FakeNetbox) -> Vec<(String, u64, String)> {
    let rows = ask(fake, "GET", "/api/core/object-changes/?id__gt=20&ordering=id&limit=0", "").await.json();
    let row = |row: &Value| {
        let text = |name: &str| row[name].as_str().expect("a text").to_owned();
        (text("changed_object_type"), row["changed_object_id"].as_u64().expect("an id"), text("message"))
    };
    rows["results"].as_array().expect("a list").iter().map(row).collect()
}

#[tokio::test]
async fn each_object_of_a_write_has_its_own_message() {
    let fake = FakeNetbox::start().await;
    let send = |method: &'static str, target: &'static str, body: &'static str| ask(&fake, method, target, body);
    let made = r#"[{"name":"a","slug":"a","changelog_message":"one"},{"name":"b","slug":"b"}]"#;
    assert_eq!(send("POST", "/api/dcim/manufacturers/", made).await.status, 201);
    let bulk = r#"[{"id":6,"description":"x","changelog_message":"two"},{"id":7,"description":"x"}]"#;
    assert_eq!(send("PATCH", "/api/dcim/manufacturers/", bulk).await.status, 200);
    let bulk = r#"[{"id":6},{"id":7,"changelog_message":"three"}]"#;
    assert_eq!(send("DELETE", "/api/dcim/manufacturers/", bulk).await.status, 204);
    // What goes along with a device has no message.
    assert_eq!(send("DELETE", "/api/dcim/devices/1/", r#"{"changelog_message":"four"}"#).await.status, 204);
    let told: Vec<_> = messages(&fake).await.into_iter().filter(|(_, _, message)| !message.is_empty()).collect();
    let told: Vec<_> = told.iter().map(|(kind, id, message)| (kind.as_str(), *id, message.as_str())).collect();
    assert_eq!(
        told,
        [
            ("dcim.manufacturer", 6, "one"),
            ("dcim.manufacturer", 6, "two"),
            ("dcim.manufacturer", 7, "three"),
            ("dcim.device", 1, "four")
        ]
    );
    assert!(messages(&fake).await.len() > told.len(), "what goes along is logged, too");
}

#[tokio::test]
async fn a_message_is_a_text_of_200_characters_at_most() {
    let fake = FakeNetbox::start().await;
    let patch = |message: Value| {
        let body = json!({"facility": "x", "changelog_message": message}).to_string();
        let fake = &fake;
        async move {
            let reply = ask(fake, "PATCH", "/api/dcim/sites/1/", &body).await;
            (reply.status, reply.json()["changelog_message"][0].as_str().unwrap_or_default().to_owned())
        }
    };
    for (message, text) in [
        (json!(""), "This field may not be blank."),
        (Value::Null, "This field may not be null."),
        (json!(["a"]), "Not a valid string."),
    ] {
        assert_eq!(patch(message).await, (400, text.to_owned()));
    }
    assert_eq!(patch(json!("é".repeat(201))).await.0, 500, "only the database minds");
    assert_eq!(fake.get("dcim/sites", 1).unwrap()["facility"], "", "and takes all back");
    assert_eq!(patch(json!("é".repeat(200))).await.0, 200);
    // With no row to keep it in, nobody minds.
    assert_eq!(patch(json!("é".repeat(201))).await.0, 200);
}

#[tokio::test]
async fn who_takes_no_message_ignores_it() {
    let fake = FakeNetbox::start().await;
    let user = r#"{"first_name":"x","changelog_message":""}"#;
    assert_eq!(ask(&fake, "PATCH", "/api/users/users/2/", user).await.status, 200);
    fake.set_version("4.3.7");
    let site = r#"{"facility":"x","changelog_message":""}"#;
    assert_eq!(ask(&fake, "PATCH", "/api/dcim/sites/1/", site).await.status, 200);
    assert_eq!(messages(&fake).await, [("dcim.site".to_owned(), 1, String::new())]);
}
