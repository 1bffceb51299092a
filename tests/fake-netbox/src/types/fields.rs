//! Kinds of fields and the small words with which the tables are written.

/// The values of a choice field with their labels.
#[derive(Debug)]
pub(crate) struct Choices {
    pub(crate) values: &'static [(&'static str, &'static str)],
    /// Empty where nothing is chosen by default.
    pub(crate) default: &'static str,
    /// The values are numbers on the wire.
    pub(crate) numeric: bool,
}

/// How a related object is shown inside another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Brief,
    Nested,
}

/// What becomes of an object when the one it refers to goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnDelete {
    Protect,
    Cascade,
    SetNull,
}

/// Values that are worked out when they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Computed {
    Cable,
    CableEnd,
    ConfigContext,
    ChangedObject,
    DataType,
    Depth,
    Endpoints,
    EndpointsReachable,
    EndpointsType,
    /// Family of the network in `address` or `prefix`.
    Family,
    IpAddressCount,
    LinkPeers,
    LinkPeersType,
    Occupied,
    PrefixChildren,
    PrefixDepth,
    PrimaryIp,
    TaggedItems,
}

/// What a field holds and how it is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Text,
    Slug,
    Int,
    Decimal,
    Bool,
    /// Any JSON, shown as it was given.
    Json,
    /// A list of texts, such as content types.
    Texts,
    /// A time that clients may set.
    Time,
    /// Fields of NetBox that this server does not model keep one value.
    AlwaysNull,
    AlwaysEmpty,
    AlwaysZero,
    Choice(&'static Choices),
    Ref(&'static str, Shape, OnDelete),
    RefList(&'static str),
    Tags,
    /// Tags given and shown by their slugs.
    TagSlugs,
    CustomFields,
    /// The object named by `<prefix>_type` and `<prefix>_id`.
    Generic(&'static str),
    /// The ends of a cable.
    Terminations,
    /// How many objects refer here; worked out by NetBox only where asked for, so nested it is 0.
    Count(&'static str, &'static str),
    /// As `Count`, but kept in the row by NetBox, so nested it is right.
    Counter(&'static str, &'static str),
    Computed(Computed),
    Created,
    Updated,
}

/// What a field is before anybody sets it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Preset {
    /// Empty text, null, false, by kind.
    ByKind,
    Int(i64),
    Text(&'static str),
    True,
}

/// One field of a type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    pub(crate) nullable: bool,
    pub(crate) unique: bool,
    /// Clients cannot set it, but the server stores it.
    pub(crate) read_only: bool,
    pub(crate) default: Preset,
}

impl Field {
    pub(crate) const fn required(self) -> Field {
        Field { required: true, ..self }
    }

    pub(crate) const fn nullable(self) -> Field {
        Field { nullable: true, ..self }
    }

    pub(crate) const fn unique(self) -> Field {
        Field { unique: true, ..self }
    }

    pub(crate) const fn read_only(self) -> Field {
        Field { read_only: true, ..self }
    }

    pub(crate) const fn or(self, default: Preset) -> Field {
        Field { default, ..self }
    }

    /// Whether a row holds a value for it at all.
    pub(crate) fn is_stored(&self) -> bool {
        match self.kind {
            Kind::Text
            | Kind::Slug
            | Kind::Int
            | Kind::Decimal
            | Kind::Bool
            | Kind::Json
            | Kind::Texts
            | Kind::Time
            | Kind::Choice(_)
            | Kind::Ref(..)
            | Kind::RefList(_)
            | Kind::Tags
            | Kind::TagSlugs
            | Kind::CustomFields
            | Kind::Terminations
            | Kind::Created
            | Kind::Updated => true,
            Kind::AlwaysNull
            | Kind::AlwaysEmpty
            | Kind::AlwaysZero
            | Kind::Generic(_)
            | Kind::Count(..)
            | Kind::Counter(..)
            | Kind::Computed(_) => false,
        }
    }

    /// The type it refers to, where it refers to one object.
    pub(crate) fn target(&self) -> Option<&'static str> {
        if let Kind::Ref(target, ..) = self.kind { Some(target) } else { None }
    }

    /// The values it may take, where they are a set.
    pub(crate) fn choices(&self) -> Option<&'static Choices> {
        if let Kind::Choice(choices) = self.kind { Some(choices) } else { None }
    }

    /// Whether a client may set it.
    pub(crate) fn is_writable(&self) -> bool {
        self.is_stored() && !self.read_only && !matches!(self.kind, Kind::Created | Kind::Updated)
    }
}

/// A field of any kind.
pub(crate) const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false, nullable: false, unique: false, read_only: false, default: Preset::ByKind }
}

pub(crate) const fn text(name: &'static str) -> Field {
    field(name, Kind::Text)
}

pub(crate) const fn int(name: &'static str) -> Field {
    field(name, Kind::Int).nullable()
}

pub(crate) const fn decimal(name: &'static str) -> Field {
    field(name, Kind::Decimal).nullable()
}

pub(crate) const fn boolean(name: &'static str) -> Field {
    field(name, Kind::Bool)
}

pub(crate) const fn null(name: &'static str) -> Field {
    field(name, Kind::AlwaysNull)
}

pub(crate) const fn empty(name: &'static str) -> Field {
    field(name, Kind::AlwaysEmpty)
}

pub(crate) const fn zero(name: &'static str) -> Field {
    field(name, Kind::AlwaysZero)
}

pub(crate) const fn choice(name: &'static str, choices: &'static Choices) -> Field {
    field(name, Kind::Choice(choices))
}

/// A required related object, which cannot be deleted while this one exists.
pub(crate) const fn one(name: &'static str, target: &'static str) -> Field {
    field(name, Kind::Ref(target, Shape::Brief, OnDelete::Protect)).required()
}

/// An optional related object, which cannot be deleted while this one exists.
pub(crate) const fn maybe(name: &'static str, target: &'static str) -> Field {
    field(name, Kind::Ref(target, Shape::Brief, OnDelete::Protect)).nullable()
}

/// An optional related object that may be deleted, leaving null behind.
pub(crate) const fn weak(name: &'static str, target: &'static str) -> Field {
    field(name, Kind::Ref(target, Shape::Brief, OnDelete::SetNull)).nullable()
}

/// A required related object that takes this one along when deleted.
pub(crate) const fn part_of(name: &'static str, target: &'static str) -> Field {
    field(name, Kind::Ref(target, Shape::Brief, OnDelete::Cascade)).required()
}

/// The object above in a tree.
pub(crate) const fn parent(target: &'static str) -> Field {
    field("parent", Kind::Ref(target, Shape::Nested, OnDelete::Cascade)).nullable()
}

/// An optional object of the same type, shown in the nested form.
pub(crate) const fn sibling(name: &'static str, target: &'static str) -> Field {
    field(name, Kind::Ref(target, Shape::Nested, OnDelete::SetNull)).nullable()
}

pub(crate) const fn count(name: &'static str, target: &'static str, by: &'static str) -> Field {
    field(name, Kind::Count(target, by))
}

pub(crate) const fn counter(name: &'static str, target: &'static str, by: &'static str) -> Field {
    field(name, Kind::Counter(target, by))
}

pub(crate) const fn computed(name: &'static str, what: Computed) -> Field {
    field(name, Kind::Computed(what))
}

pub(crate) const NAME: Field = text("name").required();
pub(crate) const SLUG: Field = field("slug", Kind::Slug).required().unique();
pub(crate) const DESCRIPTION: Field = text("description");
pub(crate) const OWNER: Field = null("owner");
pub(crate) const COMMENTS: Field = text("comments");
pub(crate) const TAGS: Field = field("tags", Kind::Tags);
pub(crate) const CUSTOM: Field = field("custom_fields", Kind::CustomFields);
pub(crate) const CREATED: Field = field("created", Kind::Created);
pub(crate) const UPDATED: Field = field("last_updated", Kind::Updated);
pub(crate) const DEPTH: Field = computed("_depth", Computed::Depth);
pub(crate) const TENANT: Field = maybe("tenant", "tenancy/tenants");
