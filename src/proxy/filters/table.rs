//! Which names a list takes: what its OpenAPI document says, and what NetBox takes besides.

use std::collections::BTreeSet;

use super::fields::CustomFields;
use super::nearest::nearest;
use crate::cache::clock::Moment;
use crate::netbox::object::Resource;
use crate::netbox::openapi::{Parameters, holds};
use crate::netbox::query::LOOKUPS;
use crate::proxy::error::UnknownFilter;
use crate::proxy::request::Target;

/// The parameter that tells a list whose filters the document names in full: it is there where NetBox's filter backends
/// are (netbox/settings.py, `DEFAULT_FILTER_BACKENDS`). Views that read their query by themselves do not have it.
const FILTERED: &str = "ordering";

/// What the document says of any list whose filters it could not find out: of a plugin whose filter set is made at run
/// time, drf-spectacular leaves them out.
const COMMON: [&str; 8] = ["brief", "fields", "format", "limit", "offset", "omit", "ordering", "start"];

/// What any list takes, and no document names in full (NetBox 4.6): the form of the answer (extras/api/mixins.py,
/// netbox/api/viewsets), saved filters (netbox/filtersets.py), and the branch (netbox-branching, utilities.py).
const ALWAYS: [&str; 9] = ["_branch", "brief", "exclude", "export", "fields", "filter", "filter_id", "format", "omit"];

/// Begins the filters for attributes that a module type's profile defines (NetBox 4.3, `AttributeFiltersMixin`): no
/// document names them, and a wrong one finds nothing rather than everything.
const ATTRIBUTE: &str = "attr_";

/// Begins the filters for custom fields.
pub(super) const CUSTOM: &str = "cf_";

/// The lookup that NetBox may have learned only after its document was made up: filter sets that were loaded before it
/// get it with each request (netbox/filtersets.py; netbox-community/netbox#9231).
const LATE: &str = "__empty";

/// Filters that have them all, by whose names in the document those of a later NetBox become known.
const EXEMPLARY: [&str; 3] = ["created__", "id__", "name__"];

/// Names for which others are suggested in one refusal: to compare one with a list's 342 takes half a millisecond.
const MOST_SUGGESTED: usize = 8;

/// What is known of one installation's lists.
#[derive(Debug)]
pub(super) struct Table {
    parameters: Parameters,
    lookups: BTreeSet<Box<str>>,
    /// The [edition](crate::invalidation::installation::Watch::edition) of NetBox that it was learned from.
    pub(super) edition: u64,
    /// Since when, at least, NetBox has been that one.
    pub(super) since: Moment,
    /// Whether it is sure to be as new as the plugins are.
    pub(super) plugins: bool,
}

/// Names that the document does not hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Doubtful {
    /// Unknown, if the document is right.
    pub(super) names: Vec<String>,
    /// A custom field's, if there is one.
    pub(super) fields: Vec<String>,
}

impl Table {
    pub(super) fn new(parameters: Parameters, edition: u64, since: Moment, plugins: bool) -> Self {
        let seen = parameters.iter().flat_map(|(_, names)| names);
        let seen = seen.filter_map(|name| EXEMPLARY.iter().find_map(|begin| name.strip_prefix(begin)));
        let lookups = seen.chain(LOOKUPS).map(Box::from).collect();
        Self { parameters, lookups, edition, since, plugins }
    }

    /// How many lists it knows.
    pub(super) fn lists(&self) -> usize {
        self.parameters.iter().filter(|(_, names)| holds(names, FILTERED)).count()
    }

    /// The names of this request that are in doubt, each once; `None` where none is, or nothing is known of the list.
    pub(super) fn doubtful(&self, target: &Target) -> Option<Doubtful> {
        let known = self.known(target)?;
        let mut found = Doubtful::default();
        let mut last = None;
        for key in target.query.keys() {
            if last.replace(key) == Some(key) {
                continue;
            }
            // What is not UTF-8 reaches NetBox's filters with the same sign in its place.
            let name = String::from_utf8_lossy(key);
            let late = name.strip_suffix(LATE).is_some_and(|filter| holds(known, filter));
            if holds(known, &name) || late || ALWAYS.contains(&name.as_ref()) || name.starts_with(ATTRIBUTE) {
                continue;
            }
            let kind = if name.starts_with(CUSTOM) { &mut found.fields } else { &mut found.names };
            kind.push(name.into_owned());
        }
        (found != Doubtful::default()).then_some(found)
    }

    fn known(&self, target: &Target) -> Option<&[Box<str>]> {
        let Resource::List(endpoint) = target.path.resource() else { return None };
        if endpoint.plugin && !self.plugins {
            return None;
        }
        // No path of the document's lacks its slash: NetBox sends who forgets it to the right one, names and all.
        let names = self.parameters.of(target.path.as_str()).filter(|names| holds(names, FILTERED))?;
        let bare = endpoint.plugin && names.iter().all(|name| COMMON.contains(&name.as_ref()));
        (!bare).then_some(names)
    }

    /// Whether this is the name of a filter for one of these custom fields.
    pub(super) fn is_field(&self, name: &str, fields: &CustomFields) -> bool {
        let Some(name) = name.strip_prefix(CUSTOM) else { return false };
        let by_lookup = |(field, lookup): (&str, &str)| self.lookups.contains(lookup) && fields.has(field);
        fields.has(name) || name.rsplit_once("__").is_some_and(by_lookup)
    }

    /// Says of unknown names what was probably meant. `fields`: those that may be named to who asks.
    pub(super) fn explain(&self, target: &Target, unknown: &Doubtful, fields: &CustomFields) -> Vec<UnknownFilter> {
        let known = self.known(target).unwrap_or_default();
        let plain = |name: &String| nearest(name, known.iter().map(AsRef::as_ref).chain(ALWAYS)).map(str::to_owned);
        let custom = |name: &String| {
            let (field, lookup) = self.split(name.strip_prefix(CUSTOM).unwrap_or(name));
            nearest(field, fields.names()).map(|field| format!("{CUSTOM}{field}{lookup}"))
        };
        let names = unknown.names.iter().map(|name| (name, false));
        let fields = unknown.fields.iter().map(|name| (name, true));
        let told = |(index, (name, is_field)): (usize, (&String, bool))| {
            let nearest = match (index < MOST_SUGGESTED, is_field) {
                (true, false) => plain(name),
                (true, true) => custom(name),
                (false, _) => None,
            };
            UnknownFilter { name: name.clone(), nearest }
        };
        names.chain(fields).enumerate().map(told).collect()
    }

    /// A custom field's name, and the lookup after it with its underscores.
    fn split<'a>(&self, name: &'a str) -> (&'a str, &'a str) {
        let at = name.rfind("__").filter(|at| name.get(at + 2..).is_some_and(|lookup| self.lookups.contains(lookup)));
        at.map_or((name, ""), |at| name.split_at(at))
    }
}

impl Doubtful {
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.fields.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.names.len() + self.fields.len()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    const DOCUMENT: &[u8] = br#"{"paths":{
        "/api/dcim/sites/":{"get":{"parameters":[{"name":"name"},{"name":"name__new"},{"name":"ordering"},{"name":"limit"}]}},
        "/api/dcim/connected-device/":{"get":{"parameters":[{"name":"peer_device"}]}},
        "/api/dcim/sites/{id}/":{"get":{"parameters":[{"name":"ordering"}]}},
        "/api/plugins/x/ys/":{"get":{"parameters":[{"name":"ordering"},{"name":"id"}]}},
        "/api/plugins/x/bare/":{"get":{"parameters":[{"name":"ordering"},{"name":"limit"}]}}}}"#;

    fn table(plugins: bool) -> Table {
        Table::new(Parameters::parse(DOCUMENT, "").unwrap(), 1, Moment::ZERO, plugins)
    }

    fn target(raw: &str) -> Target {
        let (path, query) = raw.split_once('?').unwrap_or((raw, ""));
        Target::read(path, query, &HeaderMap::new(), "").unwrap()
    }

    fn doubtful(raw: &str) -> String {
        let found = table(true).doubtful(&target(raw)).unwrap_or_default();
        [found.names, found.fields].concat().join(" ")
    }

    #[test]
    fn names_are_looked_up_as_netbox_reads_them() {
        for (raw, expected) in [
            ("/api/dcim/sites/", ""),
            ("/api/dcim/sites/?name=a&name=b&limit=1&ordering=-name", ""),
            (
                "/api/dcim/sites/?brief=1&fields=a&omit=b&exclude=c&format=json&export=d&_branch=&filter=e&filter_id=1",
                "",
            ),
            ("/api/dcim/sites/?attr_cores__gt=4", ""),
            ("/api/dcim/sites/?name__empty=true&nmae__empty=true&name__n=a", "name__n nmae__empty"),
            ("/api/dcim/sites/?nmae=a&nmae=b&offset=1", "nmae offset"),
            ("/api/dcim/sites/?%6eame=a&%6Emae", "nmae"),
            ("/api/dcim/sites/?na+me=1&Name=2&=3", " Name na me"),
            ("/api/dcim/sites/?&&", ""),
            ("/api/dcim/sites/?=", ""),
            ("/api/dcim/sites/?%ff=1", "\u{fffd}"),
            ("/api/dcim/sites/?cf_a=1&cf_b__n=1&cf=1", "cf cf_a cf_b__n"),
            ("/api/dcim/sites?nmae=a", ""),
            ("/api/dcim/sites/7/?nmae=a", ""),
            ("/api/dcim/connected-device/?nmae=a", ""),
            ("/api/dcim/unknown/?nmae=a", ""),
            ("/api/plugins/x/ys/?nmae=a", "nmae"),
            ("/api/plugins/x/zs/?nmae=a", ""),
            ("/api/plugins/x/bare/?nmae=a", ""),
        ] {
            assert_eq!(doubtful(raw), expected, "{raw}");
        }
        let empty = table(true).doubtful(&target("/api/dcim/sites/?=")).unwrap();
        assert_eq!(empty.names, [""], "an empty name is one, too");
        assert_eq!(table(false).doubtful(&target("/api/plugins/x/ys/?nmae=a")), None);
        assert_eq!(table(true).lists(), 4);
    }

    #[test]
    fn custom_fields_are_known_with_each_lookup() {
        let table = table(true);
        let fields = CustomFields::of(&["rack_role", "odd__name"]);
        for name in ["cf_rack_role", "cf_rack_role__n", "cf_rack_role__gte", "cf_rack_role__new", "cf_odd__name__ic"] {
            assert!(table.is_field(name, &fields), "{name}");
        }
        for name in
            ["cf_rack", "cf_", "cf_rack_role__", "cf_rack_role__after", "cf_odd", "rack_role", "cf_rack_role__n__n"]
        {
            assert!(!table.is_field(name, &fields), "{name}");
        }
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let unknown = Doubtful {
            names: names(&["nmae", "zzz"]),
            fields: names(&["cf_rakc_role__ic", "cf_zzz", "cf_rack_role__x"]),
        };
        let told = table.explain(&target("/api/dcim/sites/"), &unknown, &fields);
        let nearest: Vec<_> = told.iter().map(|filter| filter.nearest.as_deref()).collect();
        assert_eq!(nearest, [Some("name"), None, Some("cf_rack_role__ic"), None, Some("cf_rack_role")]);
    }
}
