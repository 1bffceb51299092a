//! Who asks in the crowd, with whose eyes, and what those eyes may see: every answer that NetBox itself would have given
//! them, at any time so far.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use fake_netbox::{FakeNetbox, Grant};
use serde_json::json;

use crate::support::{Ask, TestProxy, client};

/// The upstream token of one client, whose user sees region 1.
const EAST: &str = "1111111111111111111111111111111111111111";
/// A visitor's: region 2.
pub(super) const NORTH: &str = "2222222222222222222222222222222222222222";
/// Another's: region 3, and no racks at all.
const SOUTH: &str = "nbt_south1234567.ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrs";

/// Stands in every site's description, and so in what is to be seen of sites.
pub(super) const MARK: &str = "mark:";
/// Stands in what is closed.
pub(super) const SECRET: &str = "not-for-you";

pub(super) const SITES: u64 = 8;

/// Asked for by all; the last three are closed to most.
pub(super) const TARGETS: [&str; 19] = [
    "/api/dcim/sites/",
    "/api/dcim/sites/?limit=2",
    "/api/dcim/sites/?limit=2&offset=2",
    "/api/dcim/sites/?brief=1",
    "/api/dcim/sites/?region=region-1&region=region-2",
    "/api/dcim/sites/?ordering=-name&fields=id,url,description",
    "/api/dcim/sites/1/",
    "/api/dcim/sites/2/",
    "/api/dcim/sites/3/",
    "/api/dcim/sites/4/",
    "/api/dcim/racks/",
    "/api/dcim/racks/3/",
    "/api/dcim/locations/?brief=true",
    "/api/",
    "/api/authentication-check/",
    "/api/users/config/",
    CLOSED[0],
    CLOSED[1],
    CLOSED[2],
];

const CLOSED: [&str; 3] = ["/api/users/tokens/", "/api/extras/webhooks/", "/api/extras/webhooks/1/"];

/// Somebody who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Who {
    /// A client that may write, and see the webhooks.
    Wide,
    /// A client that may read what is below `dcim`.
    Narrow,
    /// A client pinned to the first branch.
    Pinned,
    /// A client with an upstream token of its own.
    Other,
    North,
    South,
    Anonymous,
    /// One with a key that nobody has.
    Stranger,
}

pub(super) const ALL: [Who; 8] =
    [Who::Wide, Who::Narrow, Who::Pinned, Who::Other, Who::North, Who::South, Who::Anonymous, Who::Stranger];

impl Who {
    fn key(self) -> Option<&'static str> {
        match self {
            Self::Wide => Some("key-of-wide"),
            Self::Narrow => Some("key-of-narrow"),
            Self::Pinned => Some("key-of-pinned"),
            Self::Other => Some("key-of-other"),
            Self::North => Some(NORTH),
            Self::South => Some(SOUTH),
            Self::Anonymous => None,
            Self::Stranger => Some("key-of-nobody"),
        }
    }

    /// The token that NetBox is asked with.
    fn token(self) -> &'static str {
        match self {
            Self::Wide | Self::Narrow | Self::Pinned | Self::Anonymous | Self::Stranger => "shared",
            Self::Other => EAST,
            Self::North => NORTH,
            Self::South => SOUTH,
        }
    }

    /// Whether nbproxy itself lets this pass.
    pub(super) fn may_ask(self, target: &str, branch: Option<usize>) -> bool {
        let closed = CLOSED.contains(&target) || target.starts_with("/api/users/");
        match self {
            Self::Wide => !closed || target.starts_with("/api/extras/"),
            Self::Narrow => target.starts_with("/api/dcim/"),
            Self::Pinned => !closed && branch != Some(1),
            Self::Other | Self::Anonymous => !closed,
            Self::North | Self::South => true,
            Self::Stranger => false,
        }
    }
}

/// Main, and the branches.
pub(super) const PLACES: [Option<usize>; 3] = [None, Some(0), Some(1)];

/// Whose eyes: a token, and a branch.
type View = (&'static str, Option<usize>);

/// What each view has been able to see so far.
pub(super) struct Oracle {
    pub(super) branches: [String; 2],
    seen: HashMap<(View, &'static str, &'static str), HashSet<Bytes>>,
    /// The user that is let in no longer.
    pub(super) north_is_out: bool,
    links: [String; 2],
}

pub(super) async fn netbox() -> (FakeNetbox, [String; 2]) {
    let netbox = FakeNetbox::builder().sites(SITES).devices(0).start().await;
    for (user, token, region, racks) in [("east", EAST, 1, true), ("north", NORTH, 2, true), ("south", SOUTH, 3, false)]
    {
        let mut rights = vec![Grant::full("dcim/sites").only(json!({"region": region}))];
        if racks {
            rights.push(Grant::view("dcim/racks").only(json!({"site__region": region})));
        }
        netbox.set_rights(user, &rights);
        netbox.add_token(token, user, true);
        netbox.edit_token(token, json!({"description": SECRET}));
    }
    netbox.edit("extras/webhooks", 1, json!({"secret": SECRET}));
    for site in 1..=SITES {
        netbox.edit("dcim/sites", site, json!({"description": format!("{MARK}main.{site}.0")}));
    }
    let branches = ["one", "two"].map(|name| {
        let branch = netbox.add_branch(name, "ready");
        for site in 1..=SITES {
            netbox.edit_in(&branch, "dcim/sites", site, json!({"description": format!("{MARK}{name}.{site}.0")}));
        }
        branch
    });
    (netbox, branches)
}

pub(super) async fn proxy(netbox: &FakeNetbox, branches: &[String; 2]) -> TestProxy {
    let settings = [
        "[upstream]\ntokens = [{ name = \"east\", token = \"".to_owned() + EAST + "\" }]\n",
        "[access]\nanonymous = \"read\"\npassthrough = true\ndeny = [\"users/*\", \"extras/webhooks\"]\n".to_owned(),
        client("wide", "access = \"write\"\nallow = [\"*\", \"extras/webhooks\"]"),
        client("narrow", "allow = [\"dcim/*\"]"),
        client("pinned", &format!("branch = {:?}\nmax_stale = \"1m\"", branches[0])),
        client("other", "upstream_token = \"east\"\nmax_stale = \"10m\""),
    ];
    TestProxy::builder(netbox).settings(&settings.concat()).start().await
}

impl Oracle {
    pub(super) fn new(netbox: &FakeNetbox, proxy: &TestProxy, branches: [String; 2]) -> Self {
        let links = [format!("{}/api/", netbox.url()), format!("{}/api/", proxy.url())];
        let mut oracle = Self { branches, seen: HashMap::new(), north_is_out: false, links };
        for method in ["GET", "OPTIONS"] {
            oracle.look_at(netbox, method, &PLACES, |_| true);
        }
        oracle
    }

    /// Looks with everybody's eyes at the data of these branches, as it is now. What does not follow from it has been
    /// seen.
    pub(super) fn look(&mut self, netbox: &FakeNetbox, branches: &[Option<usize>]) {
        self.look_at(netbox, "GET", branches, |target| target.starts_with("/api/dcim/"));
    }

    fn look_at(
        &mut self,
        netbox: &FakeNetbox,
        method: &'static str,
        branches: &[Option<usize>],
        of_interest: impl Fn(&str) -> bool,
    ) {
        let tokens = ["shared", EAST, NORTH, SOUTH];
        for token in tokens.into_iter().filter(|token| *token != NORTH || !self.north_is_out) {
            for branch in branches.iter().copied() {
                for target in TARGETS.into_iter().filter(|target| of_interest(target)) {
                    let body = self.direct(netbox, (token, branch), method, target);
                    self.seen.entry(((token, branch), method, target)).or_default().extend(body);
                }
            }
        }
    }

    /// What NetBox would answer now, with links as the proxy's clients get them; nothing where it would refuse.
    fn direct(&self, netbox: &FakeNetbox, (token, branch): View, method: &str, target: &str) -> Option<Bytes> {
        let token = format!("Token {}", if token == "shared" { netbox.token() } else { token });
        let host = netbox.addr().to_string();
        let mut headers = vec![("authorization", token.as_str()), ("host", host.as_str())];
        headers.extend(branch.map(|branch| ("x-netbox-branch", self.branches[branch].as_str())));
        let (status, body) = netbox.direct(method, target, &headers);
        let text = String::from_utf8(body.to_vec()).expect("bodies are text");
        (status == 200).then(|| Bytes::from(text.replace(&self.links[0], &self.links[1])))
    }

    /// All that this caller may have been shown.
    pub(super) fn seen_by(
        &self,
        who: Who,
        branch: Option<usize>,
        method: &'static str,
        target: &'static str,
    ) -> &HashSet<Bytes> {
        let branch = if who == Who::Pinned { Some(0) } else { branch };
        let method = if method == "HEAD" { "GET" } else { method };
        &self.seen[&((who.token(), branch), method, target)]
    }

    /// For how many pairs of views the newest answers are the same, bytes that could be mixed up unseen.
    pub(super) fn indistinct(&self, netbox: &FakeNetbox, target: &'static str) -> usize {
        let tokens = ["shared", EAST, NORTH, SOUTH];
        let views: Vec<View> = tokens.into_iter().flat_map(|token| PLACES.map(|branch| (token, branch))).collect();
        let bodies: Vec<_> = views.iter().map(|view| self.direct(netbox, *view, "GET", target)).collect();
        let distinct: HashSet<_> = bodies.iter().flatten().collect();
        bodies.iter().flatten().count() - distinct.len()
    }
}

/// The request of this caller.
pub(super) fn ask(proxy: &TestProxy, who: Who, method: &str, target: &str) -> Ask {
    let ask = proxy.ask(method, target);
    match who.key() {
        Some(key) => ask.header("authorization", &format!("Token {key}")),
        None => ask,
    }
}
