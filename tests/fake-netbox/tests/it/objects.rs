//! Writes, what they check, and what they change elsewhere.

use fake_netbox::FakeNetbox;
use serde_json::{Value, json};

use crate::client::{ask, ask_with, raw};

#[tokio::test]
async fn create_answers_with_location_and_etag() {
    let fake = FakeNetbox::start().await;
    let reply = ask(&fake, "POST", "/api/dcim/sites/", r#"{"name":"wire-1","slug":"wire-1"}"#).await;
    assert_eq!(reply.status, 201);
    assert_eq!(reply.names()[3..7], ["Content-Type", "Location", "ETag", "Vary"]);
    assert_eq!(reply.header("location"), Some(format!("{}/api/dcim/sites/11/", fake.url()).as_str()));
    let json = reply.json();
    let stamp = json["last_updated"].as_str().unwrap().trim_end_matches('Z');
    assert_eq!(reply.header("etag"), Some(format!("W/\"{stamp}+00:00\"").as_str()));
    assert_eq!(json["status"], json!({"value": "active", "label": "Active"}));
    let again = ask(&fake, "POST", "/api/dcim/sites/", r#"{"name":"wire-1","slug":"wire-1"}"#).await;
    assert_eq!(
        (again.status, again.text().as_str()),
        (400, r#"{"name":["site with this name already exists."],"slug":["site with this slug already exists."]}"#)
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_in_netbox_words() {
    let fake = FakeNetbox::start().await;
    let reply = ask(&fake, "POST", "/api/dcim/sites/", "{not json").await;
    let text = r#"{"detail":"JSON parse error - Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"}"#;
    assert_eq!((reply.status, reply.text().as_str()), (400, text));
    let token = format!("Token {}", fake.token());
    let headers = [("Authorization", token.as_str()), ("Content-Type", "text/csv")];
    let reply = raw(&fake, "POST", "/api/dcim/sites/", &headers, "a=b").await;
    let text = r#"{"detail":"Unsupported media type \"text/csv\" in request."}"#;
    assert_eq!((reply.status, reply.text().as_str()), (415, text));
    let reply = ask(&fake, "POST", "/api/status/", "{}").await;
    assert_eq!((reply.status, reply.text().as_str()), (405, r#"{"detail":"Method \"POST\" not allowed."}"#));
    for (body, text) in [
        (r#"{"name":"a"}"#, r#"{"slug":["This field is required."]}"#),
        (r#"{"name":"a","slug":"a","status":"x"}"#, r#"{"status":["\"x\" is not a valid choice."]}"#),
        (
            r#"{"name":"a","slug":"a","region":99}"#,
            r#"{"region":["Related object not found using the provided numeric ID: 99"]}"#,
        ),
    ] {
        let reply = ask(&fake, "POST", "/api/dcim/sites/", body).await;
        assert_eq!((reply.status, reply.text().as_str()), (400, text));
    }
}

#[tokio::test]
async fn an_etag_guards_a_write() {
    let fake = FakeNetbox::start().await;
    let before = ask(&fake, "GET", "/api/dcim/sites/1/", "").await;
    let etag = before.header("etag").unwrap().to_owned();
    let stale = [("If-Match", "W/\"2000-01-01T00:00:00+00:00\"")];
    let reply = ask_with(&fake, "PATCH", "/api/dcim/sites/1/", &stale, r#"{"facility":"x"}"#).await;
    assert_eq!((reply.status, reply.text().as_str()), (412, r#"{"detail":"Precondition failed."}"#));
    assert_eq!(reply.header("etag"), Some(etag.as_str()));
    let reply = ask_with(&fake, "PATCH", "/api/dcim/sites/1/", &[("If-Match", &etag)], r#"{"facility":"x"}"#).await;
    assert_eq!((reply.status, &reply.json()["facility"]), (200, &json!("x")));
    assert_ne!(reply.header("etag"), Some(etag.as_str()));
    let reply = ask_with(&fake, "GET", "/api/dcim/sites/1/", &[("If-None-Match", "*")], "").await;
    assert_eq!(reply.status, 200);
    assert_eq!(ask(&fake, "GET", "/api/dcim/sites/", "").await.header("etag"), None);
}

#[tokio::test]
async fn bulk_writes_are_all_or_none() {
    let fake = FakeNetbox::start().await;
    let path = "/api/dcim/sites/";
    let reply = ask(&fake, "POST", path, r#"[{"name":"a","slug":"a"},{"slug":"b"}]"#).await;
    assert_eq!((reply.status, reply.text().as_str()), (400, r#"[{},{"name":["This field is required."]}]"#));
    assert_eq!(ask(&fake, "GET", "/api/dcim/sites/?limit=1", "").await.json()["count"], 10);
    let reply = ask(&fake, "POST", path, r#"[{"name":"a","slug":"a"},{"name":"b","slug":"b"}]"#).await;
    assert_eq!((reply.status, reply.header("location"), reply.header("etag")), (201, None, None));
    let ids: Vec<_> = reply.json().as_array().unwrap().iter().map(|site| site["id"].clone()).collect();
    let patch = json!([{"id": ids[0], "facility": "x"}, {"id": ids[1], "status": "bogus"}]);
    assert_eq!(ask(&fake, "PATCH", path, &patch.to_string()).await.status, 400);
    let seen = ask(&fake, "GET", &format!("{path}{}/", ids[0]), "").await;
    assert_eq!(seen.json()["facility"], "");
    let delete = json!([{"id": ids[0]}, {"id": ids[1]}]).to_string();
    let reply = ask(&fake, "DELETE", path, &delete).await;
    assert_eq!((reply.status, reply.body.len()), (204, 0));
    assert_eq!(reply.header("content-length"), Some("0"));
    let reply = ask(&fake, "DELETE", &format!("{path}{}/", ids[0]), "").await;
    assert_eq!((reply.status, reply.text().as_str()), (404, r#"{"detail":"No Site matches the given query."}"#));
}

#[tokio::test]
async fn deleting_cascades_protects_and_sets_null() {
    let fake = FakeNetbox::start().await;
    let reply = ask(&fake, "DELETE", "/api/dcim/manufacturers/1/", "").await;
    let text = r#"{"detail":"Unable to delete object. 2 dependent objects were found: Model-0 (1), Model-4 (5)"}"#;
    assert_eq!((reply.status, reply.text().as_str()), (409, text));
    let device = fake.get("dcim/devices", 1).unwrap();
    assert!(device["primary_ip"].is_object());
    assert_eq!(ask(&fake, "DELETE", "/api/dcim/interfaces/1/", "").await.status, 204);
    assert_eq!(fake.get("ipam/ip-addresses", 1), None);
    let device = fake.get("dcim/devices", 1).unwrap();
    assert_eq!((&device["primary_ip"], &device["interface_count"]), (&Value::Null, &json!(1)));
    assert_eq!(ask(&fake, "DELETE", "/api/dcim/devices/1/", "").await.status, 204);
    assert_eq!(fake.get("dcim/interfaces", 2), None);
    // The far end of its cable has lost its peer.
    let far = fake.get("dcim/interfaces", 4).unwrap();
    assert_eq!(far["link_peers"], json!([]));
}

#[tokio::test]
async fn one_change_shows_in_many_objects() {
    let fake = FakeNetbox::start().await;
    let etag = ask(&fake, "GET", "/api/dcim/devices/2/", "").await.header("etag").unwrap().to_owned();
    fake.edit("dcim/sites", 2, json!({"name": "Renamed"}));
    let other = fake.create("dcim/sites", json!({"name": "Other", "slug": "other"}));
    let reply = ask(&fake, "GET", "/api/dcim/devices/2/", "").await;
    assert_eq!(reply.json()["site"]["display"], "Renamed");
    let rack = reply.json()["rack"]["id"].as_u64().unwrap();
    fake.edit("dcim/racks", rack, json!({"site": other, "location": null}));
    let reply = ask(&fake, "GET", "/api/dcim/devices/2/", "").await;
    assert_eq!(reply.json()["site"]["id"], other);
    fake.edit("extras/config-contexts", 1, json!({"sites": [], "data": {"dns": ["::1"]}}));
    let reply = ask(&fake, "GET", "/api/dcim/devices/2/", "").await;
    assert_eq!(reply.json()["config_context"]["dns"], json!(["::1"]));
    fake.create("extras/custom-fields", json!({"name": "cf", "type": "text", "object_types": ["dcim.device"]}));
    let reply = ask(&fake, "GET", "/api/dcim/devices/2/", "").await;
    assert_eq!(reply.json()["custom_fields"], json!({"cf": null}));
    assert_eq!(reply.header("etag"), Some(etag.as_str()));
}

#[tokio::test]
async fn prefixes_know_their_place_in_the_tree() {
    let fake = FakeNetbox::start().await;
    let id = fake.create("ipam/prefixes", json!({"prefix": "192.168.0.0/25"}));
    let list = ask(&fake, "GET", "/api/ipam/prefixes/?within_include=192.168.0.0/16", "").await.json();
    let tree: Vec<_> = list["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["prefix"].as_str().unwrap().to_owned(), row["children"].clone(), row["_depth"].clone()))
        .collect();
    let row = |prefix: &str, children: u64, depth: u64| (prefix.to_owned(), json!(children), json!(depth));
    assert_eq!(
        tree,
        [
            row("192.168.0.0/16", 3, 0),
            row("192.168.0.0/24", 1, 1),
            row("192.168.0.0/25", 0, 2),
            row("192.168.1.0/30", 0, 1),
        ]
    );
    fake.remove("ipam/prefixes", id);
    let refused = ask(&fake, "POST", "/api/ipam/prefixes/", r#"{"prefix":"10.0.0.1/24"}"#).await;
    assert_eq!(refused.json()["prefix"][0], "10.0.0.1/24 is not a valid prefix. Did you mean 10.0.0.0/24?");
}

#[tokio::test]
async fn free_addresses_are_listed_taken_and_run_out() {
    let fake = FakeNetbox::start().await;
    let reply = ask(&fake, "GET", "/api/ipam/prefixes/1/available-ips/?limit=2", "").await;
    assert_eq!(
        reply.text(),
        r#"[{"family":4,"address":"10.0.0.121/24","vrf":null},{"family":4,"address":"10.0.0.122/24","vrf":null}]"#
    );
    assert_eq!(reply.header("allow"), Some("GET, POST, HEAD, OPTIONS"));
    let small = ask(&fake, "GET", "/api/ipam/prefixes/?prefix=192.168.1.0/30", "").await.ids()[0];
    let path = format!("/api/ipam/prefixes/{small}/available-ips/");
    let reply = ask(&fake, "POST", &path, r#"[{},{}]"#).await;
    assert_eq!((reply.status, &reply.json()[1]["address"]), (201, &json!("192.168.1.2/30")));
    let reply = ask(&fake, "POST", &path, "{}").await;
    let text = r#"{"detail":"Insufficient resources are available to satisfy the request"}"#;
    assert_eq!((reply.status, reply.text().as_str()), (409, text));
}

#[tokio::test]
async fn tokens_are_shown_once() {
    let fake = FakeNetbox::start().await;
    let json = [("Content-Type", "application/json")];
    let path = "/api/users/tokens/provision/";
    let reply = raw(&fake, "POST", path, &json, r#"{"username":"admin","password":"wrong"}"#).await;
    assert_eq!((reply.status, reply.text().as_str()), (403, r#"{"detail":"Invalid username/password"}"#));
    let reply = raw(&fake, "POST", path, &json, r#"{"username":"admin","password":"admin"}"#).await;
    let made = reply.json();
    assert_eq!((reply.status, &made["version"]), (201, &json!(2)));
    let token = format!("Bearer nbt_{}.{}", made["key"].as_str().unwrap(), made["token"].as_str().unwrap());
    let list = raw(&fake, "GET", "/api/users/tokens/", &[("Authorization", &token)], "").await.json();
    assert_eq!((&list["count"], &list["results"][0]["token"]), (&json!(4), &Value::Null));
    let v1 = list["results"].as_array().unwrap().iter().find(|row| row["version"] == 1).unwrap();
    assert_eq!(v1["display"], format!("{}dcba98", "*".repeat(34)));
}

#[tokio::test]
async fn graphql_answers_lists_and_refuses_the_rest() {
    let fake = FakeNetbox::start().await;
    let query = r#"{"query":"{ site_list(pagination:{offset:0,limit:2}) { id name region { name } } }"}"#;
    let reply = ask(&fake, "POST", "/graphql/", query).await;
    assert_eq!(
        reply.text(),
        r#"{"data": {"site_list": [{"id": "1", "name": "DC000", "region": {"name": "Region 0"}}, {"id": "2", "name": "DC001", "region": {"name": "Region 1"}}]}}"#
    );
    assert_eq!((reply.header("api-version"), reply.header("allow")), (None, None));
    let reply = ask(&fake, "POST", "/graphql/", r#"{"query":"{ nope }"}"#).await;
    assert_eq!((reply.status, &reply.json()["data"]), (200, &Value::Null));
    assert!(reply.json()["errors"][0]["message"].as_str().unwrap().contains("nope"));
}

#[tokio::test]
async fn an_image_is_counted() {
    let fake = FakeNetbox::start().await;
    let part =
        |name: &str, value: &str| format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let file = "Content-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\nContent-Type: image/png";
    let body = format!(
        "{}{}--X\r\n{file}\r\n\r\n{}\r\n--X--\r\n",
        part("object_type", "dcim.site"),
        part("object_id", "1"),
        "i".repeat(100_000)
    );
    let token = format!("Token {}", fake.token());
    let headers = [("Authorization", token.as_str()), ("Content-Type", "multipart/form-data; boundary=X")];
    let reply = raw(&fake, "POST", "/api/extras/image-attachments/", &headers, &body).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(reply.json()["parent"]["name"], "DC000");
    assert_eq!(fake.log()[0].body_len, body.len() as u64);
    assert_eq!(reply.json()["image_size"], body.len() as u64);
}
