//! Writes under [`Precision::Related`](crate::invalidation::changed::Precision::Related): what is written to main is told of
//! by type.

use http::Method;

use super::Change;
use crate::cache::epochs::Scope;
use crate::invalidation::changed::{Changed, Precision};
use crate::invalidation::jobs::Starts;
use crate::invalidation::relations::along;
use crate::netbox::branch::Branch;
use crate::netbox::object::{ApiPath, Endpoint, Resource};
use crate::netbox::object_type::{ObjectType, TypeSet};

/// What is created below an object of another type (`ipam/api/urls.py`, NetBox 4.6).
const AVAILABLE: [(&str, &str); 4] = [
    ("available-asns", "ipam/asns"),
    ("available-ips", "ipam/ip-addresses"),
    ("available-prefixes", "ipam/prefixes"),
    ("available-vlans", "ipam/vlans"),
];

impl Change {
    /// The same change, no wider than what it has to do with. Only writes to main are: with no branch named, it is main that
    /// is written to, whether NetBox has branches or not.
    #[must_use]
    pub fn related(self, method: &Method, path: &ApiPath, branch: Branch) -> Self {
        if self.starts != Starts::Nothing || branch != Branch::Main || !super::is_branchable(&path.resource()) {
            return self;
        }
        // What is known to bump nothing but its branch bumps main, at the most.
        let main = Self { scope: Scope::Branch(Branch::Main), ..self };
        let (own, mut with) = match path.resource() {
            Resource::List(endpoint) | Resource::Object(endpoint, _) => match with_others(method, &endpoint) {
                Some(found) => found,
                None => return main,
            },
            Resource::Below(endpoint, last) => {
                let created = AVAILABLE.iter().find(|(name, _)| *name == last);
                let created = created.and_then(|(_, created)| ObjectType::of_endpoint(created));
                let (Some(own), Some(created)) = (ObjectType::of(&endpoint), created) else { return main };
                (own, TypeSet::from_iter([created]))
            }
            Resource::Root
            | Resource::AppRoot
            | Resource::Status
            | Resource::Schema
            | Resource::GraphQl
            | Resource::Single(_) => return main,
        };
        match Changed::of_type(own).scope(Precision::Related) {
            Scope::Type(own) => {
                with.insert(own);
                Self { scope: Scope::Type(own), along: with, ..self }
            }
            Scope::Everything | Scope::Branch(_) => main,
        }
    }

    /// All scopes that it touches.
    pub fn scopes(self) -> impl Iterator<Item = Scope> {
        let along = self.along.iter().map(Scope::Type).filter(move |scope| *scope != self.scope);
        std::iter::once(self.scope).chain(along)
    }
}

/// The type that is written to, and those that may be written along with it.
fn with_others(method: &Method, endpoint: &Endpoint<'_>) -> Option<(ObjectType, TypeSet)> {
    let own = ObjectType::of(endpoint)?;
    match *method {
        Method::POST => Some((own, along::with_created(own))),
        Method::PUT | Method::PATCH => Some((own, TypeSet::EMPTY)),
        Method::DELETE => Some((own, along::with_deleted(own))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Effect;
    use super::*;
    use crate::netbox::branch::SchemaId;
    use crate::netbox::query::Query;

    fn change(method: &str, raw: &str, branch: Branch, has_branching: bool) -> Change {
        let (path, query) = raw.split_once('?').unwrap_or((raw, ""));
        let (method, path) = (method.parse().unwrap(), ApiPath::parse(path, "").unwrap());
        let effect = Effect::of(&method, &path, &Query::parse(query), branch, has_branching);
        effect.change().unwrap().related(&method, &path, branch)
    }

    fn scopes(method: &str, raw: &str) -> Vec<Scope> {
        let without = change(method, raw, Branch::Main, false);
        assert_eq!(without, change(method, raw, Branch::Main, true), "main is main");
        without.scopes().collect()
    }

    fn types(endpoints: &[&str]) -> Vec<Scope> {
        endpoints.iter().map(|name| Scope::Type(ObjectType::of_endpoint(name).unwrap())).collect()
    }

    #[test]
    fn writes_to_main_touch_their_type_and_what_goes_with_it() {
        for method in ["POST", "PUT", "PATCH"] {
            assert_eq!(scopes(method, "/api/ipam/vrfs/"), types(&["ipam/vrfs"]), "{method}");
        }
        assert_eq!(scopes("PATCH", "/api/dcim/sites/1/"), types(&["dcim/sites"]));
        assert!(scopes("POST", "/api/dcim/devices/").ends_with(&types(&["dcim/rear-ports"])));
        assert!(scopes("DELETE", "/api/dcim/devices/").contains(&types(&["ipam/ip-addresses"])[0]));
        let available = scopes("POST", "/api/ipam/prefixes/1/available-ips/");
        assert_eq!(available, types(&["ipam/prefixes", "ipam/ip-addresses"]));
    }

    #[test]
    fn whatever_is_not_understood_touches_main() {
        for (method, raw) in [
            ("DELETE", "/api/extras/tags/1/"),
            ("PATCH", "/api/extras/tags/1/"),
            ("POST", "/api/extras/config-contexts/"),
            ("POST", "/api/dcim/devices/1/some-plugins/"),
            ("PROPFIND", "/api/ipam/vrfs/"),
            ("POST", "/api/dcim/unheard-of/"),
        ] {
            assert_eq!(scopes(method, raw), [Scope::Branch(Branch::Main)], "{method} {raw}");
        }
    }

    #[test]
    fn what_may_not_be_mains_alone_is_as_wide_as_ever() {
        let branch = Branch::Schema(SchemaId::parse(b"aaaaaaaa").unwrap());
        for (method, raw, branch, has_branching, scope) in [
            ("PATCH", "/api/dcim/sites/1/", branch, true, Scope::Branch(branch)),
            ("PATCH", "/api/dcim/sites/1/", branch, false, Scope::Everything),
            ("PATCH", "/api/extras/custom-fields/1/", Branch::Main, true, Scope::Everything),
            ("DELETE", "/api/users/tokens/1/", Branch::Main, false, Scope::Everything),
            ("POST", "/api/plugins/any/things/", Branch::Main, true, Scope::Everything),
            ("POST", "/api/dcim/sites/?background=true", Branch::Main, true, Scope::Branch(Branch::Main)),
        ] {
            let scopes: Vec<_> = change(method, raw, branch, has_branching).scopes().collect();
            assert_eq!(scopes, [scope], "{method} {raw}");
        }
    }
}
