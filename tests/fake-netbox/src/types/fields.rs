//! Fields and their kinds.

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
    /// By its id alone.
    Key,
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
    /// Ports in front that are mapped to a port in the rear, by id.
    FrontPorts,
    /// Family of the network in `address` or `prefix`.
    Family,
    IpAddressCount,
    LinkPeers,
    LinkPeersType,
    Occupied,
    /// The device in whose bay it is.
    ParentDevice,
    PrefixChildren,
    PrefixDepth,
    PrimaryIp,
    TaggedItems,
    /// The wireless link that ends here.
    WirelessLink,
    /// How many numbers of the range are in use.
    AsnCount,
}

/// Values that are shown as the row holds them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Plain {
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
    /// Tags given and shown by their slugs.
    TagSlugs,
}

/// Values that no row holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Derived {
    /// Fields of NetBox that this server does not model keep one value.
    Null,
    Empty,
    Zero,
    /// The object named by `<prefix>_type` and `<prefix>_id`.
    Generic(&'static str),
    /// How many objects refer here; worked out by NetBox only where asked for, so nested it is 0.
    Count(&'static str, &'static str),
    /// As `Count`, but kept in the row by NetBox, so nested it is right.
    Counter(&'static str, &'static str),
    /// The objects that refer here.
    Listed(&'static str, &'static str),
    /// The first of them, or null.
    First(&'static str, &'static str),
    /// Whether there is one.
    Any(&'static str, &'static str),
    /// The sum of a field of them, or null where there are none.
    Sum(&'static str, &'static str, &'static str),
    Computed(Computed),
}

/// Times that the server sets itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp {
    Created,
    Updated,
}

/// What a field holds and how it is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Plain(Plain),
    Choice(&'static Choices),
    Ref(&'static str, Shape, OnDelete),
    RefList(&'static str),
    Tags,
    CustomFields,
    /// The ends of a cable.
    Terminations,
    Stamp(Stamp),
    Derived(Derived),
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
        !matches!(self.kind, Kind::Derived(_))
    }

    /// The type it refers to, where it refers to one object.
    pub(crate) fn target(&self) -> Option<&'static str> {
        if let Kind::Ref(target, ..) = self.kind { Some(target) } else { None }
    }

    /// The type whose ids it lists.
    pub(crate) fn listed(&self) -> Option<&'static str> {
        if let Kind::RefList(target) = self.kind {
            Some(target)
        } else {
            matches!(self.kind, Kind::Tags).then_some("extras/tags")
        }
    }

    /// The values it may take, where they are a set.
    pub(crate) fn choices(&self) -> Option<&'static Choices> {
        if let Kind::Choice(choices) = self.kind { Some(choices) } else { None }
    }

    /// Whether a client may set it.
    pub(crate) fn is_writable(&self) -> bool {
        !self.read_only && !matches!(self.kind, Kind::Derived(_) | Kind::Stamp(_))
    }
}
