//! The scenario as data: scenes, each with a NetBox of its own, and the steps performed there.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use fake_netbox::{FakeNetbox, Fault, Match};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Steps before one NetBox.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scene {
    pub(super) name: String,
    #[serde(default)]
    pub(super) netbox: SetUp,
    /// `Api` objects besides `main`.
    #[serde(default)]
    pub(super) apis: BTreeMap<String, ApiOptions>,
    pub(super) steps: Vec<Step>,
}

/// How the NetBox of a scene is set up.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SetUp {
    version: Option<String>,
    base_path: Option<String>,
    max_page_size: Option<usize>,
    public_origin: Option<String>,
    devices: Option<u64>,
    #[serde(default)]
    branches: Vec<String>,
    /// Endpoint and values.
    #[serde(default)]
    create: Vec<(String, Value)>,
    /// What FakeNetbox does not have: path, content type, body.
    #[serde(default)]
    blobs: Vec<(String, String, Value)>,
}

/// How an `Api` is made.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApiOptions {
    /// The superuser's where there is none; empty for no token.
    pub(super) token: Option<String>,
    pub(super) concurrency: Option<usize>,
    #[serde(default)]
    pub(super) strict: bool,
    pub(super) pagination: Option<String>,
}

/// One operation.
#[derive(Debug, Deserialize)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) op: String,
    #[serde(default)]
    pub(super) differs: Differs,
    /// Requests and rows come in no certain order.
    #[serde(default)]
    pub(super) any_order: bool,
    /// What NetBox answers instead, while this step lasts.
    pub(super) fault: Option<Interference>,
    /// Lets NetBox finish its jobs after the step.
    #[serde(default)]
    pub(super) finish_jobs: bool,
    #[serde(flatten)]
    pub(super) arguments: Map<String, Value>,
}

/// Why requests or result are not the same; each reason stands in PARITY.md.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Differs {
    pub(super) requests: Option<String>,
    pub(super) result: Option<String>,
}

/// An answer in place of NetBox's.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Interference {
    method: String,
    path: String,
    #[serde(default)]
    status: u16,
    #[serde(default)]
    body: Value,
    #[serde(default)]
    html: bool,
    /// Where NetBox sends the client instead.
    redirect: Option<String>,
}

impl Scene {
    /// A NetBox as this scene wants it, and the schema ids of its branches by name.
    pub(super) async fn netbox(&self) -> (FakeNetbox, BTreeMap<String, String>) {
        let SetUp { version, base_path, max_page_size, public_origin, devices, branches, create, blobs } = &self.netbox;
        let mut builder = FakeNetbox::builder().public_origin(public_origin.clone());
        if let Some(version) = version {
            builder = builder.version(version);
        }
        if let Some(path) = base_path {
            builder = builder.base_path(path);
        }
        if let Some(size) = max_page_size {
            builder = builder.max_page_size(*size);
        }
        if let Some(devices) = devices {
            builder = builder.devices(*devices);
        }
        let netbox = builder.start().await;
        for (endpoint, values) in create {
            netbox.create(endpoint, values.clone());
        }
        for (path, kind, body) in blobs {
            netbox.blob(path, kind, text_of(body));
        }
        let branches = branches.iter().map(|name| (name.clone(), netbox.add_branch(name, "ready"))).collect();
        (netbox, branches)
    }
}

impl Interference {
    pub(super) fn begin(&self, netbox: &FakeNetbox) {
        let kind = if self.html { "text/html; charset=utf-8" } else { "application/json" };
        let fault = match &self.redirect {
            Some(place) => Fault::Redirect(place.clone()),
            None => Fault::Status(self.status, kind, text_of(&self.body)),
        };
        netbox.fault(Match::path(&self.method, &self.path), fault);
    }
}

/// Text as it is, anything else as JSON.
fn text_of(body: &Value) -> String {
    body.as_str().map_or_else(|| body.to_string(), str::to_owned)
}

/// Where a file of this repository is.
pub(super) fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// All scenes.
pub(super) fn scenes() -> Vec<Scene> {
    let text = fs::read_to_string(file("tests/parity/scenario.json")).expect("the scenario is there");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("scenario.json: {error}"))
}
