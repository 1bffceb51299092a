//! Objects as NetBox's serializers show them: whole, brief or nested.

mod cabling;
mod computed;
mod context;
mod labels;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use serde_json::Value;

use crate::json::Json;
use crate::state::{Row, View};
use crate::types::{self, Choices, Derived, Display, Field, Kind, Shape, Type};
use crate::write::{generic_fields, name_of};

/// Which fields a client asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Selection {
    All,
    Brief,
    Only(Vec<String>),
    Without(Vec<String>),
}

impl Selection {
    fn shows(&self, ty: &Type, name: &str) -> bool {
        match self {
            Selection::All => true,
            Selection::Brief => matches!(name, "id" | "url" | "display") || ty.brief.contains(&name),
            Selection::Only(names) => names.iter().any(|other| other == name),
            Selection::Without(names) => !names.iter().any(|other| other == name),
        }
    }
}

/// The ids of those that refer to each id.
type Referring = Rc<HashMap<u64, Vec<u64>>>;

/// Renders objects of one view for one request.
pub(crate) struct Render<'a> {
    pub(crate) view: &'a View,
    /// Scheme, host and base path that absolute URLs begin with.
    origin: &'a str,
    german: bool,
    referring: RefCell<HashMap<(&'static str, &'static str, &'static str), Referring>>,
    cables: RefCell<Option<Rc<cabling::Cabling>>>,
    trees: RefCell<Option<Rc<computed::PrefixTree>>>,
}

impl<'a> Render<'a> {
    pub(crate) fn new(view: &'a View, origin: &'a str, german: bool) -> Render<'a> {
        Render {
            view,
            origin,
            german,
            referring: RefCell::default(),
            cables: RefCell::default(),
            trees: RefCell::default(),
        }
    }

    /// An object of a list or of its own path.
    pub(crate) fn object(&self, ty: &Type, row: &Row, selection: &Selection) -> Json {
        let mut members = Vec::new();
        let mut put = |name: &'static str, value: &dyn Fn() -> Json| {
            if selection.shows(ty, name) {
                members.push((Cow::Borrowed(name), value()));
            }
        };
        put("id", &|| Json::from(row.id));
        put("url", &|| Json::from(self.url(ty, row.id)));
        if ty.display_url {
            put("display_url", &|| Json::from(self.display_url(ty, row.id)));
        }
        put("display", &|| Json::from(self.display(ty, row)));
        for field in ty.fields {
            put(field.name, &|| self.field(ty, row, field, false));
        }
        Json::Object(members)
    }

    /// An object inside another.
    pub(crate) fn inner(&self, ty: &Type, row: &Row, shape: Shape) -> Json {
        let nested = shape == Shape::Nested;
        let mut members =
            vec![(Json::key("id"), Json::from(row.id)), (Json::key("url"), Json::from(self.url(ty, row.id)))];
        if nested && ty.display_url && ty.endpoint != "ipam/vlans" {
            let url = self.display_url(ty, row.id);
            members.push((Json::key("display_url"), Json::from(url)));
        }
        members.push((Json::key("display"), Json::from(self.display(ty, row))));
        let names = if nested { ty.nested } else { ty.brief };
        for field in ty.fields.iter().filter(|field| names.contains(&field.name)) {
            members.push((Json::key(field.name), self.field(ty, row, field, true)));
        }
        Json::Object(members)
    }

    /// The brief form of an object named by path and id, null where it is missing.
    pub(crate) fn brief_of(&self, endpoint: &str, id: Option<u64>) -> Json {
        self.inner_of(endpoint, id, Shape::Brief)
    }

    fn inner_of(&self, endpoint: &str, id: Option<u64>, shape: Shape) -> Json {
        let row = id.and_then(|id| self.view.row(endpoint, id));
        match (types::at(endpoint), row) {
            (Some(ty), Some(row)) => self.inner(ty, row, shape),
            (None, _) | (_, None) => Json::NULL,
        }
    }

    pub(crate) fn url(&self, ty: &Type, id: u64) -> String {
        format!("{}/api/{}/{id}/", self.origin, ty.endpoint)
    }

    fn display_url(&self, ty: &Type, id: u64) -> String {
        let path = match ty.endpoint {
            "core/object-changes" => "core/changelog",
            other => other,
        };
        format!("{}/{path}/{id}/", self.origin)
    }

    pub(crate) fn display(&self, ty: &Type, row: &Row) -> String {
        match ty.display {
            Display::Field("name") if ty.endpoint == "dcim/devices" && row.text("name").is_empty() => {
                let kind = row.number("device_type");
                let kind = kind.and_then(|id| self.view.row("dcim/device-types", id));
                kind.map_or_else(|| name_of(ty, row), |kind| format!("{} ({})", kind.text("model"), row.id))
            }
            Display::Field(_) => name_of(ty, row),
            Display::Cable => {
                let label = row.text("label");
                if label.is_empty() { format!("#{}", row.id) } else { label.to_owned() }
            }
            Display::Change => self.change_name(row),
            Display::Of(fields) => {
                let parts: Vec<_> = fields.iter().map(|field| self.part_of_name(ty, row, field)).collect();
                parts.join(" ")
            }
            Display::Journal => {
                format!("{} ({})", row.text("created"), row.text("kind"))
            }
            Display::ObjectType => {
                format!("{} > {}", row.text("app_label"), row.text("model_name"))
            }
            Display::Vlan => format!("{} ({})", row.text("name"), row.get("vid")),
            Display::Vrf if row.get("rd").is_null() => row.text("name").to_owned(),
            Display::Vrf => format!("{} ({})", row.text("name"), row.text("rd")),
            Display::Token if row.number("version") == Some(1) => {
                format!("{}{}", "*".repeat(34), row.text("tail"))
            }
            Display::Token => row.text("key").to_owned(),
        }
    }

    /// What a field adds to a name: the name of the object that it refers to, or its value.
    fn part_of_name(&self, ty: &Type, row: &Row, name: &str) -> String {
        let (target, id) = match ty.field(name).map(|field| field.kind) {
            Some(Kind::Ref(target, ..)) => (types::at(target), row.number(name)),
            Some(Kind::Derived(Derived::Generic(prefix))) => {
                let (model, id) = generic_fields(prefix);
                (types::of_model(row.text(model)), row.number(id))
            }
            Some(Kind::Derived(Derived::First(target, by))) => {
                (types::at(target), self.referring(target, by, ty, row).first().copied())
            }
            Some(_) | None => return row.get(name).as_str().map_or_else(|| row.get(name).to_string(), str::to_owned),
        };
        let other = target.zip(id).and_then(|(target, id)| Some((target, self.view.row(target.endpoint, id)?)));
        other.map_or_else(String::new, |(target, row)| self.display(target, row))
    }

    fn change_name(&self, row: &Row) -> String {
        let model = row.text("changed_object_type");
        let verbose = types::of_model(model).map_or(model, |ty| ty.verbose);
        let app = model.split('.').next().unwrap_or_default();
        let app = match app {
            "dcim" | "ipam" => app.to_uppercase(),
            _ => capital(app),
        };
        let action = match row.text("action") {
            "create" => "created",
            "update" => "updated",
            _ => "deleted",
        };
        let (name, user) = (row.text("object_repr"), row.text("user_name"));
        format!("{app} | {verbose} {name} {action} by {user}")
    }

    fn field(&self, ty: &Type, row: &Row, field: &Field, inside: bool) -> Json {
        let stored = row.get(field.name);
        match field.kind {
            Kind::Plain(_) | Kind::Stamp(_) => Json::Value(stored.clone()),
            Kind::Choice(choices) => self.choice(choices, stored),
            Kind::Ref(_, Shape::Key, _) => Json::Value(stored.clone()),
            Kind::Ref(target, shape, _) => self.inner_of(target, stored.as_u64(), shape),
            Kind::RefList(target) => {
                let list = row.numbers(field.name);
                Json::List(list.map(|id| self.brief_of(target, Some(id))).collect())
            }
            Kind::Tags => {
                let list = row.numbers(field.name);
                let tag = |id| self.inner_of("extras/tags", Some(id), Shape::Nested);
                Json::List(list.map(tag).collect())
            }
            Kind::CustomFields => self.custom_fields(ty, stored),
            Kind::Terminations => self.terminations(stored),
            Kind::Derived(what) => self.derived(what, ty, row, inside),
        }
    }

    fn derived(&self, what: Derived, ty: &Type, row: &Row, inside: bool) -> Json {
        match what {
            Derived::Null => Json::NULL,
            Derived::Empty => Json::List(Vec::new()),
            Derived::Zero => Json::from(0),
            Derived::Generic(prefix) => {
                let (model, id) = generic_fields(prefix);
                match types::of_model(row.text(model)) {
                    Some(target) => self.brief_of(target.endpoint, row.number(id)),
                    None => Json::NULL,
                }
            }
            Derived::Count(..) if inside => Json::from(0),
            Derived::Count(target, by) | Derived::Counter(target, by) => {
                Json::from(self.referring(target, by, ty, row).len() as u64)
            }
            Derived::Listed(target, by) => {
                let ids = self.referring(target, by, ty, row);
                Json::List(ids.into_iter().map(|id| self.brief_of(target, Some(id))).collect())
            }
            Derived::First(target, by) => self.brief_of(target, self.referring(target, by, ty, row).first().copied()),
            Derived::Any(target, by) => Json::from(!self.referring(target, by, ty, row).is_empty()),
            Derived::Sum(target, by, of) => {
                let ids = self.referring(target, by, ty, row);
                let values = ids.iter().filter_map(|id| self.view.row(target, *id)?.number(of));
                if ids.is_empty() { Json::NULL } else { Json::from(values.sum::<u64>()) }
            }
            Derived::Computed(what) => self.computed(what, ty, row),
        }
    }

    pub(crate) fn choice(&self, choices: &Choices, stored: &Value) -> Json {
        if stored.is_null() {
            return Json::NULL;
        }
        let text = match stored.as_str() {
            Some(text) => text.to_owned(),
            None => stored.to_string(),
        };
        let label = choices.values.iter().find(|(value, _)| *value == text);
        let label = label.map_or("", |(_, label)| *label);
        let label = if self.german { labels::german(label) } else { label };
        Json::object([("value", Json::Value(stored.clone())), ("label", Json::from(label))])
    }

    /// The rows of a type that refer to this one by that field, by id. A generic relation says of which type it is.
    pub(crate) fn referring(&self, target: &'static str, by: &'static str, ty: &Type, row: &Row) -> Vec<u64> {
        let key = (target, by, ty.endpoint);
        let known = self.referring.borrow().get(&key).cloned();
        let referring = known.unwrap_or_else(|| {
            let kind = by.strip_suffix("_id").map(|stem| format!("{stem}_type"));
            let mut referring: HashMap<u64, Vec<u64>> = HashMap::new();
            for other in self.view.table(target).values() {
                let model = kind.as_deref().map_or("", |kind| other.text(kind));
                let ids = other.number(by).into_iter().chain(other.numbers(by));
                for id in ids.filter(|_| model.is_empty() || model == ty.model) {
                    referring.entry(id).or_default().push(other.id);
                }
            }
            let referring = Rc::new(referring);
            self.referring.borrow_mut().insert(key, Rc::clone(&referring));
            referring
        });
        referring.get(&row.id).cloned().unwrap_or_default()
    }

    /// Every custom field of the type, with its value or default.
    fn custom_fields(&self, ty: &Type, stored: &Value) -> Json {
        let mut members = Vec::new();
        for field in self.view.table("extras/custom-fields").values() {
            let types = field.get("object_types").as_array();
            if types.is_some_and(|types| types.contains(&Value::from(ty.model))) {
                let name = field.text("name");
                let value = stored.get(name).unwrap_or_else(|| field.get("default"));
                members.push((Cow::Owned(name.to_owned()), self.custom_value(field, value)));
            }
        }
        Json::Object(members)
    }

    /// The value of a custom field: an object or a list of them is nested.
    fn custom_value(&self, field: &Row, value: &Value) -> Json {
        let target = types::of_model(field.text("related_object_type"));
        let nested = |id: &Value| target.map_or(Json::NULL, |target| self.brief_of(target.endpoint, id.as_u64()));
        match (field.text("type"), value.as_array()) {
            ("object", _) => nested(value),
            ("multiobject", Some(ids)) => Json::List(ids.iter().map(nested).collect()),
            _ => Json::Value(value.clone()),
        }
    }

    fn terminations(&self, stored: &Value) -> Json {
        let ends = stored.as_array().map(Vec::as_slice).unwrap_or_default();
        let end = |end: &Value| {
            let ty = end["object_type"].as_str().and_then(types::of_model);
            let object = ty.map_or(Json::NULL, |ty| self.brief_of(ty.endpoint, end["object_id"].as_u64()));
            Json::object([
                ("object_type", Json::Value(end["object_type"].clone())),
                ("object_id", Json::Value(end["object_id"].clone())),
                ("object", object),
            ])
        };
        Json::List(ends.iter().map(end).collect())
    }
}

/// The text with its first letter in upper case.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}
