//! `nbproxy webhook install`: NetBox gets a webhook that leads to nbproxy, and an event rule that sends it. Run again, it
//! changes what is not as it should be, and nothing else.

use std::collections::BTreeSet;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::Failure;
use crate::cli::InstallWebhook;
use crate::netbox::api::Api;
use crate::netbox::endpoint::Endpoint;
use crate::netbox::error::Error;
use crate::netbox::filters::Filters;
use crate::netbox::record::Record;
use crate::settings::{Invalidation, Problem, Problems};

/// What becomes of objects.
const CHANGES: [&str; 3] = ["object_created", "object_updated", "object_deleted"];

/// What becomes of branches as a whole (netbox-branching 1.1).
///
/// Two more are left alone, since a rule that hears of them breaks NetBox (seen with 4.6.8 and netbox-branching 1.1.2): with
/// `branch_deprovisioned` no branch can be deleted any more, and with `job_started` or `job_completed` every job without
/// data ends in error, such as a data source's sync.
const OF_BRANCHES: [&str; 4] = ["branch_provisioned", "branch_synced", "branch_merged", "branch_reverted"];

const BRANCH: &str = "netbox_branching.branch";

/// Where nbproxy takes webhooks.
const PATH: &str = "/-/webhooks/netbox";

const WANTED: &str = "the token must be let view core.objecttype, and view, add and change extras.webhook and \
                      extras.eventrule; another one can be given by --upstream-token-file";

/// What the event rule listens to.
#[derive(Debug)]
struct Coverage {
    types: BTreeSet<String>,
    events: Vec<String>,
    /// What NetBox refused.
    refused: Vec<String>,
}

/// What was done with an object.
enum Done {
    Created,
    Changed,
    Nothing,
}

/// The secret, which must be set: without it nbproxy takes no webhooks.
pub(super) fn secret(settings: &Invalidation) -> Result<String, Failure> {
    let secret = settings.webhook_secret.as_ref().map(|secret| secret.reveal().to_owned());
    secret.ok_or_else(|| {
        let message = "NetBox and nbproxy must share a secret, of 32 random characters or more".to_owned();
        let (key, origin) = ("invalidation.webhook_secret".to_owned(), "nowhere: it was not given".to_owned());
        Problems(vec![Problem { key, origin, message }]).into()
    })
}

pub(super) async fn install(how: &InstallWebhook, secret: String, api: &Api) -> Result<(), Failure> {
    put_all(how, secret, api).await.map_err(|error| match error.status() {
        Some(StatusCode::FORBIDDEN) => Failure::Rights { error, wanted: WANTED },
        _ => error.into(),
    })?;
    if !how.url.contains(PATH) {
        println!("nbproxy takes webhooks at {PATH}; see to it that {} leads there", how.url);
    }
    let workers = api.status().await?.get("rq-workers-running").and_then(Value::as_u64);
    if workers == Some(0) {
        println!("NetBox runs no worker just now (manage.py rqworker); webhooks wait for one");
    }
    Ok(())
}

async fn put_all(how: &InstallWebhook, secret: String, api: &Api) -> Result<(), Error> {
    let mut coverage = Coverage::of(object_types(api).await?);
    let extras = api.extras();
    let InstallWebhook { url, name } = how;
    let values = json!({"name": name, "payload_url": url, "http_method": "POST", "http_content_type": "application/json",
                        "body_template": "", "secret": secret});
    // Somebody may have had a reason to set this otherwise.
    let at_first = json!({"ssl_verification": true});
    let (webhook, done) = put(&extras.endpoint("webhooks"), name, &[], &values, &at_first).await?;
    println!("webhook {name:?} ({webhook}): {done}; POST {url}");
    let rules = extras.endpoint("event-rules");
    let (rule, done) = loop {
        let values = coverage.rule(name, webhook);
        match put(&rules, name, &["object_types", "event_types"], &values, &json!({})).await {
            Ok(done) => break done,
            Err(error) if coverage.leave_out(&error) => {}
            Err(error) => return Err(error),
        }
    };
    println!(
        "event rule {name:?} ({rule}): {done}; {} object types, {}",
        coverage.types.len(),
        coverage.events.join(", ")
    );
    if !coverage.refused.is_empty() {
        println!("not covered, as NetBox has no event rules for it: {}", coverage.refused.join(", "));
    }
    Ok(())
}

/// The types that event rules may name; where NetBox does not tell (before 4.4), all.
async fn object_types(api: &Api) -> Result<BTreeSet<String>, Error> {
    let rows = match api.core().endpoint("object-types").all().collect().await {
        // Where they stood before 4.4.
        Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => {
            api.extras().endpoint("object-types").all().collect().await?
        }
        rows => rows?,
    };
    let may = |row: &&Record| match row.get("features").and_then(Value::as_array) {
        Some(features) => features.iter().any(|feature| feature == "event_rules"),
        None => true,
    };
    let name = |row: &Record| Some(format!("{}.{}", row.text("app_label")?, row.text("model")?));
    Ok(rows.iter().filter(may).filter_map(name).collect())
}

/// Makes the object of this name, or changes what is not as it should be. `sets`: values whose order means nothing.
async fn put(
    endpoint: &Endpoint,
    name: &str,
    sets: &[&str],
    values: &Value,
    at_first: &Value,
) -> Result<(u64, Done), Error> {
    let fields = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let values = fields(values);
    let (record, done) = match endpoint.get_by(Filters::new().with("name", name)).await? {
        None => {
            let all: Map<_, _> = values.into_iter().chain(fields(at_first)).collect();
            (endpoint.create(all).await?, Done::Created)
        }
        Some(mut record) => {
            for (field, value) in values {
                if !(sets.contains(&field.as_str()) && is_same_set(&record[field.as_str()], &value)) {
                    record.set(&field, value);
                }
            }
            let changed = record.save().await?;
            (record, if changed { Done::Changed } else { Done::Nothing })
        }
    };
    Ok((record.id().ok_or(Error::Incomplete("id"))?, done))
}

fn is_same_set(one: &Value, other: &Value) -> bool {
    let set = |value: &Value| {
        let members = value.as_array().map(Vec::as_slice).unwrap_or_default();
        members.iter().map(Value::to_string).collect::<BTreeSet<_>>()
    };
    set(one) == set(other)
}

impl Coverage {
    fn of(types: BTreeSet<String>) -> Self {
        let branches = if types.contains(BRANCH) { &OF_BRANCHES[..] } else { &[] };
        let events = CHANGES.iter().chain(branches).map(|event| (*event).to_owned()).collect();
        Self { types, events, refused: Vec::new() }
    }

    fn rule(&self, name: &str, webhook: u64) -> Value {
        json!({"name": name, "object_types": self.types, "event_types": self.events, "enabled": true, "conditions": null,
               "action_type": "webhook", "action_object_type": "extras.webhook", "action_object_id": webhook})
    }

    /// Leaves out what NetBox has refused, and says whether there was anything: the words that it is refused with are in
    /// NetBox's language, the names in them are not.
    fn leave_out(&mut self, error: &Error) -> bool {
        let Some(refusal) = error.refusal().filter(|refusal| refusal.status == StatusCode::BAD_REQUEST) else {
            return false;
        };
        let apart = |c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '_');
        let words: BTreeSet<&str> = refusal.message.split(apart).map(|word| word.trim_end_matches('.')).collect();
        let before = self.refused.len();
        let refused = &mut self.refused;
        let mut keep = |name: &String| {
            let kept = !words.contains(name.as_str());
            if !kept {
                refused.push(name.clone());
            }
            kept
        };
        self.types.retain(&mut keep);
        self.events.retain(&mut keep);
        self.refused.len() > before
    }
}

impl std::fmt::Display for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Nothing => "as it should be",
        })
    }
}
