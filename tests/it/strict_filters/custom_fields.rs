//! Filters for custom fields: `cf_…` stands in no document.

use super::*;

const FIELDS: &str = "/api/extras/custom-fields/";

fn field(name: &str) -> Value {
    json!({"name": name, "type": "text", "object_types": ["dcim.site"]})
}

#[tokio::test]
async fn those_that_exist_pass_with_their_lookups() {
    let netbox = FakeNetbox::start().await;
    netbox.create("extras/custom-fields", field("owner_team"));
    netbox.edit("dcim/sites", 1, json!({"custom_fields": {"owner_team": "red"}}));
    let proxy = enforcing(&netbox).await;
    let count = async |query: &str| proxy.get(&format!("{SITES}?{query}")).await.json()["count"].clone();
    assert_eq!(count("cf_owner_team=red").await, 1);
    assert_eq!(count("cf_owner_team__ic=RE").await, 1);
    assert_eq!(count("cf_owner_team__n=red").await, 9);
    let lookups = ["n", "ic", "nic", "ie", "nie", "isw", "nisw", "iew", "niew", "empty", "regex", "iregex"];
    for lookup in lookups.into_iter().chain(["gt", "gte", "lt", "lte"]) {
        let answer = proxy.get(&format!("{SITES}?cf_owner_team__{lookup}=true")).await;
        assert_eq!(answer.status, 200, "{lookup}: {}", answer.text());
    }
    assert_eq!(netbox.count("GET", FIELDS), 1, "they are remembered");
    let wrong = "cf_owner_taem__ic=a&cf_owner_team__icontains=a&cf_else=a&cf_=a&cf_owner_team=red&nmae=b";
    let expected = vec![
        meant("cf_", ""),
        meant("cf_else", ""),
        meant("cf_owner_taem__ic", "cf_owner_team__ic"),
        meant("cf_owner_team__icontains", ""),
        meant("nmae", "name"),
    ];
    assert_eq!(told(&proxy.get(&format!("{SITES}?{wrong}")).await), expected);
}

#[tokio::test]
async fn what_is_made_or_removed_through_nbproxy_counts_at_once() {
    let netbox = FakeNetbox::start().await;
    let proxy = enforcing(&netbox).await;
    let target = format!("{SITES}?cf_new=x");
    assert_eq!(told(&proxy.get(&target).await), [meant("cf_new", "")]);
    let made = proxy.ask("POST", FIELDS).json(&field("new")).send().await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(proxy.get(&target).await.json()["count"], 0);
    assert!(proxy.get(&target).await.is_hit());
    let path = format!("{FIELDS}{}/", made.json()["id"]);
    assert_eq!(proxy.ask("PATCH", &path).json(&json!({"filter_logic": "disabled"})).send().await.status, 200);
    assert_eq!(told(&proxy.get(&target).await), [meant("cf_new", "")], "NetBox has no filter for it");
    assert_eq!(proxy.ask("PATCH", &path).json(&json!({"filter_logic": "exact"})).send().await.status, 200);
    assert_eq!(proxy.get(&target).await.status, 200);
    assert_eq!(proxy.ask("DELETE", &path).send().await.status, 204);
    assert_eq!(told(&proxy.get(&target).await), [meant("cf_new", "")]);
}

/// nbproxy is not told of it, and what it remembers does not have it.
#[tokio::test]
async fn what_was_made_elsewhere_is_not_refused() {
    let netbox = FakeNetbox::start().await;
    let proxy = enforcing(&netbox).await;
    told(&proxy.get(&format!("{SITES}?cf_new=x")).await);
    netbox.create("extras/custom-fields", field("new"));
    assert_eq!(proxy.get(&format!("{SITES}?cf_new=x")).await.json()["count"], 0);
}

#[tokio::test]
async fn all_pages_of_them_count() {
    let netbox = FakeNetbox::builder().max_page_size(3).start().await;
    for n in 0..8 {
        netbox.create("extras/custom-fields", field(&format!("field_{n}")));
    }
    let proxy = enforcing(&netbox).await;
    for n in 0..8 {
        assert_eq!(proxy.get(&format!("{SITES}?cf_field_{n}=x")).await.status, 200, "{n}");
    }
    assert_eq!(told(&proxy.get(&format!("{SITES}?cf_field=x")).await).len(), 1);
    // A row that moved from a page not yet read to one that was: one is missing, and nobody knows which.
    netbox.fault(
        Match::path("GET", FIELDS),
        Fault::WrongJson(r#"{"count":2,"next":null,"results":[{"name":"field_1"}]}"#.to_owned()),
    );
    assert_eq!(proxy.get(&format!("{SITES}?cf_field=x")).await.status, 200);
}

#[tokio::test]
async fn where_they_cannot_be_had_any_may_be_there() {
    let netbox = FakeNetbox::start().await;
    let proxy = enforcing(&netbox).await;
    let target = format!("{SITES}?cf_any=x&cf_other__n=y");
    // Any write outdates what is remembered.
    let forget = async || proxy.ask("PATCH", "/api/dcim/sites/1/").json(&json!({})).send().await;
    let forbidden = r#"{"detail":"You do not have permission to perform this action."}"#.to_owned();
    for fault in [
        Fault::Status(403, "application/json", forbidden),
        Fault::Status(500, "application/json", "{}".to_owned()),
        Fault::WrongJson(r#"{"count":1,"next":null,"results":[{}]}"#.to_owned()),
        Fault::WrongJson(r#"{"count":9,"next":"more","results":[]}"#.to_owned()),
        Fault::Html200,
        Fault::ResetBeforeAnswer,
    ] {
        let shown = format!("{fault:?}");
        netbox.clear_faults();
        netbox.fault(Match::path("GET", FIELDS), fault);
        forget().await;
        let answer = proxy.get(&target).await;
        assert_eq!(answer.status, 200, "{shown}: {}", answer.text());
        assert_eq!(told(&proxy.get(&format!("{target}&nmae=a")).await), [meant("nmae", "name")], "{shown}");
    }
    netbox.clear_faults();
    forget().await;
    assert_eq!(told(&proxy.get(&target).await).len(), 2);
}
