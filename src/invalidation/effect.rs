//! What a request does to NetBox's data, as far as its method and path tell.

use http::Method;

use super::jobs::Starts;
use crate::cache::epochs::Scope;
use crate::netbox::branch::Branch;
use crate::netbox::object::{ApiPath, Endpoint, Resource};
use crate::netbox::object_type::TypeSet;
use crate::netbox::query::Query;

mod related;

/// The object type of what files are synchronized from.
const DATA_SOURCE: &str = "core.datasource";

/// What a request does to NetBox's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: it reads, whatever its method.
    None,
    /// It changes the scope before it is answered.
    Now(Scope),
    /// It starts something that changes the scope, perhaps after its answer.
    Later(Scope, Starts),
}

/// A change that a write makes: `Effect` without the case that there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// What it touches.
    pub scope: Scope,
    /// Main's types that it touches as well.
    pub along: TypeSet,
    /// What it starts that goes on after its answer.
    pub starts: Starts,
}

impl Effect {
    /// What this request does. `has_branching`: whether the branching plugin is known to be installed, and the branch to be
    /// usable.
    pub fn of(method: &Method, path: &ApiPath, query: &Query, branch: Branch, has_branching: bool) -> Self {
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return Self::None;
        }
        let resource = path.resource();
        if *method == Method::POST && only_reads(&resource) {
            return Self::None;
        }
        let starts = starts(method, &resource);
        if starts == Starts::For(DATA_SOURCE) && branch == Branch::Main {
            // It is main's files that are read, and main's objects that are made of them.
            return Self::Later(Scope::Branch(Branch::Main), starts);
        }
        if starts != Starts::Nothing {
            return Self::Later(Scope::Everything, starts);
        }
        // Without the plugin a branch's header means nothing, and models that branching exempts are shared by all
        // branches: then a write concerns everybody.
        let separate = has_branching && is_branchable(&resource);
        let scope = if separate { Scope::Branch(branch) } else { Scope::Everything };
        // From NetBox 4.7 on a job may make the change, and the answer is 202 (`?background=true`).
        if query.has("background") { Self::Later(scope, Starts::IfAccepted) } else { Self::Now(scope) }
    }
}

impl Effect {
    /// The change, if there is one.
    pub fn change(self) -> Option<Change> {
        match self {
            Self::None => None,
            Self::Now(scope) => Some(Change { scope, along: TypeSet::EMPTY, starts: Starts::Nothing }),
            Self::Later(scope, starts) => Some(Change { scope, along: TypeSet::EMPTY, starts }),
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

/// What a write starts that is answered when a job has been queued, not when it has run (NetBox 4.6, branching 1.1).
fn starts(method: &Method, resource: &Resource<'_>) -> Starts {
    let (endpoint, action) = match resource {
        Resource::List(endpoint) | Resource::Object(endpoint, _) => (endpoint, None),
        Resource::Below(endpoint, action) => (endpoint, Some(*action)),
        Resource::Root
        | Resource::AppRoot
        | Resource::Status
        | Resource::Schema
        | Resource::GraphQl
        | Resource::Single(_) => return Starts::Nothing,
    };
    match (endpoint.plugin, endpoint.app, endpoint.name, action) {
        (true, "branching", "branches", Some("sync")) => Starts::Sync,
        // A new branch is provisioned by a job, which changes nothing else: the list of branches tells when it is ready. An
        // archived one is gone when that is answered.
        (true, "branching", "branches", None | Some("archive")) => Starts::Nothing,
        (true, "branching", "branches", Some(_)) => Starts::Named,
        (false, "core", "data-sources", Some(_)) => Starts::For(DATA_SOURCE),
        // With an interval it is synchronized for the first time when it is saved.
        (false, "core", "data-sources", None) if *method != Method::DELETE => Starts::PerhapsFor(DATA_SOURCE),
        (false, "core", "background-tasks", Some(_)) => Starts::Unnamed,
        // Scripts are below their endpoint by name, and so is the place where new ones are put.
        (false, "extras", "scripts", action) if *method == Method::POST && action != Some("upload") => {
            Starts::For("extras.script")
        }
        _ => Starts::Nothing,
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
    fn reads_by_post_touch_nothing() {
        for raw in ["/graphql/", "/api/dcim/devices/1/render-config/", "/api/extras/config-templates/3/render/"] {
            assert_eq!(effect("POST", raw, true), Effect::None, "{raw}");
        }
        assert_ne!(effect("PUT", "/api/dcim/devices/1/render-config/", true), Effect::None);
    }

    #[test]
    fn jobs_touch_what_they_are_for() {
        let branch = Branch::Schema(SchemaId::parse(b"aaaaaaaa").unwrap());
        let (own, all) = (Scope::Branch(branch), Scope::Everything);
        for (method, raw, effect_of) in [
            ("POST", "/api/plugins/branching/branches/1/sync/", Effect::Later(all, Starts::Sync)),
            ("POST", "/api/plugins/branching/branches/1/merge/", Effect::Later(all, Starts::Named)),
            ("POST", "/api/plugins/branching/branches/1/archive/", Effect::Now(all)),
            ("POST", "/api/plugins/branching/branches/", Effect::Now(all)),
            ("POST", "/api/core/data-sources/1/sync/", Effect::Later(all, Starts::For(DATA_SOURCE))),
            ("PATCH", "/api/core/data-sources/1/", Effect::Later(all, Starts::PerhapsFor(DATA_SOURCE))),
            ("DELETE", "/api/core/data-sources/1/", Effect::Now(all)),
            ("POST", "/api/core/background-tasks/x-y/requeue/", Effect::Later(all, Starts::Unnamed)),
            ("POST", "/api/extras/scripts/4/", Effect::Later(all, Starts::For("extras.script"))),
            ("POST", "/api/extras/scripts/upload/", Effect::Now(all)),
            ("POST", "/api/dcim/sites/?background=true", Effect::Later(own, Starts::IfAccepted)),
        ] {
            assert_eq!(effect(method, raw, true), effect_of, "{method} {raw}");
        }
        let sync = ApiPath::parse("/api/core/data-sources/1/sync/", "").unwrap();
        let sync = Effect::of(&Method::POST, &sync, &Query::parse(""), Branch::Main, true);
        assert_eq!(sync, Effect::Later(Scope::Branch(Branch::Main), Starts::For(DATA_SOURCE)));
    }
}
