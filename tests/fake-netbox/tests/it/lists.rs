//! Pages, filters, fields and order.

use fake_netbox::FakeNetbox;
use serde_json::{Value, json};

use crate::client::{Reply, ask};

async fn get(fake: &FakeNetbox, rest: &str) -> Reply {
    ask(fake, "GET", &format!("/api/dcim/devices/{rest}"), "").await
}

#[tokio::test]
async fn next_and_previous_repeat_the_query_sorted() {
    let fake = FakeNetbox::start().await;
    let url = format!("{}/api/dcim/devices/", fake.url());
    for (query, next, previous) in [
        ("?limit=3&offset=3", "?limit=3&offset=6", "?limit=3"),
        ("?limit=3&offset=117", "", "?limit=3&offset=114"),
        ("?limit=3&offset=5000", "", "?limit=3&offset=4997"),
        ("?limit=abc&fields=id", "?fields=id&limit=50&offset=50", ""),
        ("?limit=0&bogus=1&fields=id", "", ""),
        ("?limit=1&no_such_filter=1&fields=id", "?fields=id&limit=1&no_such_filter=1&offset=1", ""),
        (
            "?limit=2&site=dc001&site=dc002&fields=id,name",
            "?fields=id%2Cname&limit=2&offset=2&site=dc001&site=dc002",
            "",
        ),
        ("?start=1&limit=3", "?limit=3&start=4", ""),
        ("?start=119&limit=3", "", ""),
    ] {
        let json = get(&fake, query).await.json();
        let link = |rest: &str| if rest.is_empty() { Value::Null } else { json!(format!("{url}{rest}")) };
        assert_eq!((&json["next"], &json["previous"]), (&link(next), &link(previous)), "{query}");
    }
    let page = get(&fake, "?limit=3&offset=5000").await.json();
    assert_eq!((&page["count"], &page["results"]), (&json!(120), &json!([])));
    assert_eq!(get(&fake, "?start=1&limit=3").await.json()["count"], Value::Null);
}

#[tokio::test]
async fn page_sizes_have_a_default_and_a_cap() {
    let fake = FakeNetbox::builder().page_default(7).max_page_size(100).start().await;
    for (query, length) in [("", 7), ("?limit=0", 100), ("?limit=500", 100), ("?limit=-1", 7)] {
        assert_eq!(get(&fake, query).await.ids().len(), length, "{query}");
    }
    fake.set_page_size(50, 0);
    assert_eq!(get(&fake, "?limit=0").await.ids().len(), 120);
}

#[tokio::test]
async fn a_cursor_goes_by_id_and_bears_neither_offset_nor_ordering() {
    let fake = FakeNetbox::start().await;
    let mut target = "/api/dcim/devices/?limit=50&start=0&fields=id".to_owned();
    let mut ids = Vec::new();
    loop {
        let reply = ask(&fake, "GET", &target, "").await;
        ids.extend(reply.ids());
        match reply.json()["next"].as_str() {
            Some(next) => target = next.replace(&fake.url(), ""),
            None => break,
        }
    }
    assert_eq!(ids, (1..=120).collect::<Vec<_>>());
    for query in ["?start=1&offset=1", "?start=1&ordering=name", "?start=abc", "?start=-1"] {
        let reply = get(&fake, query).await;
        assert_eq!(reply.status, 400, "{query}");
        assert!(reply.json()[0].is_string());
    }
}

#[tokio::test]
async fn filters_choose_as_netbox_chooses() {
    let fake = FakeNetbox::start().await;
    for (query, count) in [
        ("?name=dev-00001", 1),
        ("?name=dev-00001&name=dev-00002", 2),
        ("?name__ic=0011", 11),
        ("?site=dc001", 12),
        ("?site_id=2&site_id=3", 24),
        ("?site=dc001&status=active", 12),
        ("?region=region-0", 60),
        ("?region=region-3", 24),
        ("?manufacturer=cisco", 30),
        ("?tag=tag0", 12),
        ("?tag=tag0&tag=tag1", 0),
        ("?q=DEV-0001", 10),
        ("?rack_id=null", 80),
        ("?id=1&id=2&id=999", 2),
        ("?id__gt=118", 2),
        ("?has_primary_ip=true", 120),
        ("?no_such_filter=1", 120),
    ] {
        assert_eq!(get(&fake, query).await.json()["count"], count, "{query}");
    }
    let reply = get(&fake, "?id=abc").await;
    assert_eq!((reply.status, reply.text().as_str()), (400, r#"{"id":["Enter a whole number."]}"#));
    let reply = get(&fake, "?limit=1&site=nope").await;
    let text = r#"{"site":["Select a valid choice. nope is not one of the available choices."]}"#;
    assert_eq!((reply.status, reply.text().as_str()), (400, text));
}

#[tokio::test]
async fn networks_are_filtered_and_ordered_as_networks() {
    let fake = FakeNetbox::start().await;
    let count = |target: &'static str| {
        let fake = &fake;
        async move { ask(fake, "GET", target, "").await.json()["count"].clone() }
    };
    assert_eq!(count("/api/ipam/prefixes/?within=192.168.0.0/16").await, 2);
    assert_eq!(count("/api/ipam/prefixes/?within_include=192.168.0.0/16").await, 3);
    assert_eq!(count("/api/ipam/prefixes/?contains=192.168.0.7").await, 2);
    assert_eq!(count("/api/ipam/ip-addresses/?parent=10.0.0.0/28").await, 15);
    assert_eq!(count("/api/ipam/ip-addresses/?device_id=3").await, 1);
    let reply = ask(&fake, "GET", "/api/ipam/ip-addresses/?limit=0&fields=address", "").await.json();
    assert_eq!(reply["results"][9]["address"], "10.0.0.10/24");
}

#[tokio::test]
async fn fields_beat_omit_and_omit_beats_brief() {
    let fake = FakeNetbox::start().await;
    let keys = |query: &'static str| {
        let fake = &fake;
        async move {
            let text = get(fake, query).await.text();
            let row = text.split_once("\"results\":[").unwrap().1.to_owned();
            let json: Value = serde_json::from_str(row.trim_end_matches("]}")).unwrap();
            json.as_object().unwrap().len()
        }
    };
    let brief = get(&fake, "?limit=1&brief=0").await.text();
    assert!(brief.ends_with(&format!(
        r#""results":[{{"id":1,"url":"{}/api/dcim/devices/1/","display":"dev-00000","name":"dev-00000","description":""}}]}}"#,
        fake.url()
    )));
    assert_eq!(keys("?limit=1&fields=id,name&brief=1").await, 2);
    assert_eq!(keys("?limit=1&omit=name&brief=1").await, keys("?limit=1").await - 1);
    assert_eq!(keys("?limit=1&exclude=config_context").await, keys("?limit=1").await - 1);
    assert_eq!(keys("?limit=1&brief=").await, keys("?limit=1").await);
}

#[tokio::test]
async fn a_device_has_its_fields_in_netbox_order() {
    let fake = FakeNetbox::start().await;
    let text = get(&fake, "1/").await.text();
    let url = fake.url();
    let start = format!(
        concat!(
            r#"{{"id":1,"url":"{0}/api/dcim/devices/1/","display_url":"{0}/dcim/devices/1/","display":"dev-00000","#,
            r#""name":"dev-00000","device_type":{{"id":1,"url":"{0}/api/dcim/device-types/1/","display":"Model-0","#,
            r#""manufacturer":{{"id":1,"url":"{0}/api/dcim/manufacturers/1/","display":"Cisco","name":"Cisco","#,
            r#""slug":"cisco","description":""}},"model":"Model-0","slug":"model-0","description":"","#,
            r#""device_count":15}},"role":{{"id":1,"url":"{0}/api/dcim/device-roles/1/","display":"Role 0","#,
            r#""name":"Role 0","slug":"role-0","description":"","device_count":0,"virtualmachine_count":0,"_depth":0}},"#
        ),
        url
    );
    assert!(text.starts_with(&start), "{text}");
    let end = r#""interface_count":2,"front_port_count":0,"rear_port_count":0,"device_bay_count":0,"module_bay_count":0,"inventory_item_count":0}"#;
    assert!(text.ends_with(end), "{text}");
}

#[tokio::test]
async fn an_object_is_byte_for_byte_its_row_in_the_list() {
    let fake = FakeNetbox::start().await;
    for (endpoint, id) in [
        ("dcim/devices", 1),
        ("dcim/sites", 1),
        ("dcim/interfaces", 2),
        ("ipam/prefixes", 1),
        ("extras/tags", 1),
        ("core/object-changes", 1),
        ("dcim/cables", 1),
    ] {
        let one = ask(&fake, "GET", &format!("/api/{endpoint}/{id}/"), "").await;
        let list = ask(&fake, "GET", &format!("/api/{endpoint}/?id={id}"), "").await.text();
        assert!(list.ends_with(&format!("\"results\":[{}]}}", one.text())), "{endpoint}");
    }
}

#[tokio::test]
async fn unknown_filters_and_lookups_are_ignored() {
    let fake = FakeNetbox::start().await;
    let count = async |query: &str| get(&fake, query).await.json()["count"].clone();
    for query in ["?nmae=x", "?name__contains=x", "?site__ic=x", "?cf_none=x", "?cf_none__ic=x", "?limit__n=x"] {
        assert_eq!(count(query).await, 120, "{query}");
    }
    assert_eq!(count("?name__ic=x").await, 0);
}

#[tokio::test]
async fn custom_fields_have_filters_unless_disabled() {
    let fake = FakeNetbox::start().await;
    let types = ["dcim.device"];
    fake.create("extras/custom-fields", json!({"name": "team", "type": "text", "object_types": types}));
    fake.create("extras/custom-fields", json!({"name": "size", "type": "integer", "object_types": types}));
    let off = json!({"name": "off", "type": "text", "object_types": types, "filter_logic": "disabled"});
    fake.create("extras/custom-fields", off);
    fake.create("extras/custom-fields", json!({"name": "else", "type": "text", "object_types": ["dcim.site"]}));
    fake.edit("dcim/devices", 1, json!({"custom_fields": {"team": "Red", "size": 4, "off": "x"}}));
    for (query, expected) in [
        ("?cf_team=Red", 1),
        ("?cf_team=red", 0),
        ("?cf_team=null", 119),
        ("?cf_team__ic=ED", 1),
        ("?cf_team__n=Red", 119),
        ("?cf_team__empty=false", 1),
        ("?cf_size__gte=4", 1),
        ("?cf_size__gt=4", 0),
        ("?cf_size__ic=4", 120),
        ("?cf_off=y", 120),
        ("?cf_else=y", 120),
    ] {
        assert_eq!(get(&fake, query).await.json()["count"], expected, "{query}");
    }
    let wrong = get(&fake, "?cf_size=x").await;
    assert_eq!((wrong.status, wrong.json()), (400, json!({"cf_size": ["Enter a whole number."]})));
}

/// NetBox keeps its OpenAPI document in a cache of its own.
#[tokio::test]
async fn the_document_says_how_old_it_is() {
    let fake = FakeNetbox::start().await;
    let age = async || ask(&fake, "GET", "/api/schema/?format=json", "").await.header("age").map(str::to_owned);
    assert_eq!(age().await, None);
    fake.set_schema_age(Some(90));
    assert_eq!(age().await.as_deref(), Some("90"));
}
