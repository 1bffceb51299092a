//! Writes made through nbproxy: what they touch, and the duty to say so before their answer is released.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};

use super::bus::{Bus, Source};
use crate::cache::epochs::{OpenDoubt, Scope};
use crate::netbox::branch::Branch;
use crate::netbox::object::{ApiPath, Endpoint, Resource};
use crate::netbox::object_type::TypeSet;
use crate::netbox::query::Query;

mod related;

/// How long a write that was lost from sight is taken to be still under way. Nothing bounds it for certain; 120 s is what
/// NetBox's own gunicorn settings (contrib/gunicorn.py) call too long for a worker to be silent.
const LOST: Duration = Duration::from_secs(300);

/// How long a job that a write started may take. Until jobs are followed to their end, nothing is kept that long.
const JOB: Duration = Duration::from_secs(300);

/// What a request does to NetBox's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: it reads, whatever its method.
    None,
    /// It changes the scope before it is answered.
    Now(Scope),
    /// It starts something that changes the scope later.
    Later(Scope),
}

/// A change that a write makes: `Effect` without the case that there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// What it touches.
    pub scope: Scope,
    /// Main's types that it touches as well.
    pub along: TypeSet,
    /// Whether it is made after the write has been answered.
    pub deferred: bool,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// It was never sent.
    Unsent,
    /// It was carried out or refused; nothing more will come of it.
    Known,
    /// It will be carried out later.
    Later,
    /// Nobody can tell whether or when it is carried out.
    Unknown,
}

/// A write under way. However it ends, a panic included, the scope is bumped.
#[derive(Debug)]
#[must_use = "a write must be settled"]
pub struct OpenWrite {
    bus: Arc<Bus>,
    change: Change,
    doubt: Option<OpenDoubt>,
    settled: bool,
}

impl Effect {
    /// What this request does. `has_branching`: whether the branching plugin is known to be installed.
    pub fn of(method: &Method, path: &ApiPath, query: &Query, branch: Branch, has_branching: bool) -> Self {
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return Self::None;
        }
        let resource = path.resource();
        if *method == Method::POST && only_reads(&resource) {
            return Self::None;
        }
        if is_deferred(&resource) || query.has("background") {
            return Self::Later(Scope::Everything);
        }
        // Without the plugin a branch's header means nothing, and models that branching exempts are shared by all
        // branches: then a write concerns everybody.
        let separate = has_branching && is_branchable(&resource);
        Self::Now(if separate { Scope::Branch(branch) } else { Scope::Everything })
    }
}

impl Effect {
    /// The change, if there is one.
    pub fn change(self) -> Option<Change> {
        match self {
            Self::None => None,
            Self::Now(scope) => Some(Change { scope, along: TypeSet::EMPTY, deferred: false }),
            Self::Later(scope) => Some(Change { scope, along: TypeSet::EMPTY, deferred: true }),
        }
    }
}

impl OpenWrite {
    /// Before the write is sent.
    pub fn begin(bus: Arc<Bus>, change: Change) -> Self {
        Self { bus, change, doubt: None, settled: false }
    }

    /// What it does.
    pub fn change(&self) -> Change {
        self.change
    }

    /// The client is answered before the outcome is known; until it is, nothing of the scope is kept.
    pub fn answered_early(&mut self) {
        if self.doubt.is_none() {
            self.doubt = Some(self.bus.open_doubt(self.change.scope, Source::Write));
            self.touch_along();
        }
    }

    /// Says what became of it.
    pub fn settle(mut self, settlement: Settlement) {
        self.conclude(settlement);
    }

    /// What an answer's status says of a write. A gateway's error says nothing: NetBox may be at work behind it.
    pub fn settlement(&self, status: StatusCode) -> Settlement {
        match status.as_u16() {
            202 => Settlement::Later,
            200..=299 if self.change.deferred => Settlement::Later,
            501..=599 => Settlement::Unknown,
            _ => Settlement::Known,
        }
    }

    fn conclude(&mut self, settlement: Settlement) {
        self.settled = true;
        match settlement {
            Settlement::Unsent => {}
            Settlement::Known => {
                self.touch_along();
                self.bus.publish(self.change.scope, Source::Write);
            }
            Settlement::Later => self.bus.doubt_for(Scope::Everything, Source::Write, JOB),
            Settlement::Unknown => {
                self.bus.doubt_for(self.change.scope, Source::Write, LOST);
                self.touch_along();
            }
        }
        // After the bump: who finds the doubt gone must find the new epoch too.
        self.doubt = None;
    }

    /// A doubt about one type is one about all of main; a change is one of each type.
    fn touch_along(&self) {
        self.change.scopes().skip(1).for_each(|scope| self.bus.publish(scope, Source::Write));
    }
}

impl Drop for OpenWrite {
    fn drop(&mut self) {
        if !self.settled {
            self.conclude(Settlement::Unknown);
        }
    }
}

/// POSTs that only render or query (NetBox 4.x; netbox-custom-objects for the preview).
fn only_reads(resource: &Resource<'_>) -> bool {
    match resource {
        Resource::GraphQl => true,
        Resource::Below(Endpoint { app: "dcim", name: "devices", plugin: false }, "render-config")
        | Resource::Below(
            Endpoint { app: "virtualization", name: "virtual-machines", plugin: false },
            "render-config",
        )
        | Resource::Below(Endpoint { app: "extras", name: "config-templates", plugin: false }, "render")
        | Resource::Below(Endpoint { app: "custom-objects", name: "schema", plugin: true }, "preview") => true,
        Resource::Below(..)
        | Resource::Root
        | Resource::AppRoot
        | Resource::Status
        | Resource::Schema
        | Resource::List(_)
        | Resource::Object(..)
        | Resource::Single(_) => false,
    }
}

/// Writes that are answered when a job has been queued, not when it has run.
fn is_deferred(resource: &Resource<'_>) -> bool {
    match resource {
        Resource::Below(Endpoint { app: "branching", name: "branches", plugin: true }, _)
        | Resource::Below(Endpoint { app: "core", name: "data-sources" | "background-tasks", plugin: false }, _)
        | Resource::Object(Endpoint { app: "extras", name: "scripts", plugin: false }, _)
        | Resource::Below(Endpoint { app: "extras", name: "scripts", plugin: false }, _) => true,
        // A data source with an interval queues its first sync when it is saved.
        Resource::List(Endpoint { app: "branching", name: "branches", plugin: true })
        | Resource::List(Endpoint { app: "core", name: "data-sources", plugin: false })
        | Resource::Object(Endpoint { app: "core", name: "data-sources", plugin: false }, _) => true,
        Resource::Below(..)
        | Resource::Root
        | Resource::AppRoot
        | Resource::Status
        | Resource::Schema
        | Resource::GraphQl
        | Resource::List(_)
        | Resource::Object(..)
        | Resource::Single(_) => false,
    }
}

/// Whether a branch has its own copy (netbox-branching 1.1, constants.py): not of core and users, not of what
/// configures NetBox itself, and of a plugin's models nobody knows.
fn is_branchable(resource: &Resource<'_>) -> bool {
    let (Resource::List(endpoint) | Resource::Object(endpoint, _) | Resource::Below(endpoint, _)) = resource else {
        return false;
    };
    match (endpoint.plugin, endpoint.app) {
        (true, _) => false,
        (false, "circuits" | "dcim" | "ipam" | "tenancy" | "virtualization" | "vpn" | "wireless") => true,
        (false, "extras") => {
            matches!(
                endpoint.name,
                "config-contexts" | "config-templates" | "image-attachments" | "journal-entries" | "tags"
            )
        }
        (false, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netbox::branch::SchemaId;

    fn effect(method: &str, raw: &str, has_branching: bool) -> Effect {
        let branch = Branch::Schema(SchemaId::parse(b"aaaaaaaa").unwrap());
        let (path, query) = raw.split_once('?').unwrap_or((raw, ""));
        let path = ApiPath::parse(path, "").unwrap();
        Effect::of(&method.parse().unwrap(), &path, &Query::parse(query), branch, has_branching)
    }

    #[test]
    fn writes_touch_their_branch_where_it_is_sure_to_be_separate() {
        let own = Effect::Now(Scope::Branch(Branch::Schema(SchemaId::parse(b"aaaaaaaa").unwrap())));
        let all = Effect::Now(Scope::Everything);
        assert_eq!(effect("PATCH", "/api/dcim/sites/1/", true), own);
        assert_eq!(effect("POST", "/api/ipam/prefixes/1/available-ips/", true), own);
        assert_eq!(effect("PATCH", "/api/dcim/sites/1/", false), all);
        assert_eq!(effect("PATCH", "/api/extras/custom-fields/1/", true), all);
        assert_eq!(effect("DELETE", "/api/users/tokens/1/", true), all);
        assert_eq!(effect("POST", "/api/plugins/any/things/", true), all);
        assert_eq!(effect("PROPFIND", "/api/dcim/sites/", true), own);
    }

    #[test]
    fn reads_by_post_touch_nothing_and_jobs_touch_all_later() {
        for raw in ["/graphql/", "/api/dcim/devices/1/render-config/", "/api/extras/config-templates/3/render/"] {
            assert_eq!(effect("POST", raw, true), Effect::None, "{raw}");
        }
        for raw in [
            "/api/plugins/branching/branches/1/merge/",
            "/api/core/data-sources/1/sync/",
            "/api/extras/scripts/4/",
            "/api/dcim/sites/?background=true",
        ] {
            assert_eq!(effect("POST", raw, true), Effect::Later(Scope::Everything), "{raw}");
        }
        assert_ne!(effect("PUT", "/api/dcim/devices/1/render-config/", true), Effect::None);
    }
}
