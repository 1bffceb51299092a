//! What exactly is wanted: an answer from memory, a word with NetBox, or a write.

use http::header::{ACCEPT, ACCEPT_LANGUAGE, ACCESS_CONTROL_REQUEST_METHOD};
use http::{HeaderMap, HeaderValue, Method};

use super::Inner;
use super::acl::{Intent, Permit};
use super::branches::Standing;
use super::outcome::Bypass;
use super::request::Request;
use super::rewrite::Content;
use super::walks::Walker;
use crate::cache::canonical::{Accept, Canonical, Verb};
use crate::cache::coding::Accepted;
use crate::cache::freshness::Directives;
use crate::cache::key::Key;
use crate::cache::policy::{Keep, Policy};
use crate::cache::tag::Known;
use crate::invalidation::changed::Precision;
use crate::invalidation::effect::{Change, Effect};
use crate::netbox::object::Resource;
use crate::netbox::outgoing::{Outgoing, OutgoingBody};

/// Longer lists of languages are not worth a key.
const LONGEST_LANGUAGE: usize = 100;

/// How a request is answered.
#[derive(Debug)]
pub(super) enum Plan {
    /// From memory, or by a fetch that memory profits from.
    Read(Box<Read>),
    /// By NetBox alone.
    Pass(Bypass),
    /// Not at all: only memory was asked, and it never holds this.
    NotCached,
    /// By NetBox, after which what was remembered may be outdated.
    Write(Change),
}

/// A read that memory may answer.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) canonical: Canonical,
    pub(super) key: Key,
    pub(super) keep: Keep,
    pub(super) directives: Directives,
    /// The codings that the client takes.
    pub(super) accepted: Accepted,
    /// What the client has already.
    pub(super) known: Known,
    pub(super) content: Content,
    /// Only the head of the answer is wanted.
    pub(super) head: bool,
    pub(super) status: bool,
    pub(super) walker: Option<Walker>,
    /// The answer is not to be given before all of it is there.
    pub(super) whole: bool,
}

impl Read {
    /// What NetBox is asked, by the leave that this read was planned with.
    pub(super) fn outgoing(&self, permit: &Permit) -> Outgoing {
        let canonical = &self.canonical;
        let path_and_query = canonical.path_and_query().to_owned();
        permit.outgoing(canonical.verb().method(), path_and_query, canonical.headers(), OutgoingBody::Empty)
    }
}

impl Intent {
    /// Whether this request may change something.
    pub(super) fn of(request: &Request) -> Self {
        let target = &request.target;
        let effect = Effect::of(&request.method, &target.path, &target.query, target.branch, false);
        if effect == Effect::None { Self::Read } else { Self::Write }
    }
}

impl Inner {
    /// Decides for a request that was permitted.
    pub(super) fn plan(&self, permit: &Permit, walker: Option<Walker>, request: &Request, standing: Standing) -> Plan {
        let (method, target, branch) = (&request.method, &request.target, permit.view().branch);
        // What is written to a branch that is not ready may land in main.
        let separate = self.watch.has_branching() && standing == Standing::Sure;
        let effect = Effect::of(method, &target.path, &target.query, branch, separate);
        if let Some(change) = effect.change() {
            return Plan::Write(match self.precision {
                Precision::Branch => change,
                Precision::Related => change.related(method, &target.path, branch),
            });
        }
        match read(permit, walker, request, &self.policy, standing) {
            Ok(read) => Plan::Read(Box::new(read)),
            // Memory alone was asked, and it holds nothing of this kind (RFC 9111, section 5.2.1.7).
            Err(_) if Directives::of(&request.headers).only_if_cached => Plan::NotCached,
            Err(bypass) => Plan::Pass(bypass),
        }
    }
}

fn read(
    permit: &Permit,
    walker: Option<Walker>,
    request: &Request,
    policy: &Policy,
    standing: Standing,
) -> Result<Read, Bypass> {
    let target = &request.target;
    let verb = verb(&request.method, &request.headers).ok_or(Bypass::Method)?;
    if request.body.is_some() {
        return Err(Bypass::Body);
    }
    if !target.path.is_closed() {
        return Err(Bypass::OpenPath);
    }
    let directives = Directives::of(&request.headers);
    if directives.no_store {
        return Err(Bypass::NoStore);
    }
    if standing == Standing::Unsure {
        return Err(Bypass::BranchUnknown);
    }
    let keep = policy.plan(verb, &target.path, &target.query).map_err(Bypass::Uncacheable)?;
    let resource = target.path.resource();
    let accept = negotiate(&request.headers, resource == Resource::Schema).ok_or(Bypass::Accept)?;
    let language = language(&request.headers).ok_or(Bypass::Accept)?;
    let canonical = Canonical::new(*permit.view(), verb, &target.path, &target.query, accept, language);
    Ok(Read {
        key: canonical.key(),
        canonical,
        keep,
        directives,
        accepted: Accepted::of(&request.headers),
        known: known(verb, &request.headers),
        content: content(&resource),
        head: request.method == Method::HEAD,
        status: resource == Resource::Status,
        whole: request.whole,
        walker: walker.filter(|_| verb == Verb::Get),
    })
}

/// What the client has already. It is of use to a read: of any other method the condition would mean something else (RFC 9110,
/// section 13.1.2).
fn known(verb: Verb, headers: &HeaderMap) -> Known {
    match verb {
        Verb::Get => Known::of(headers),
        Verb::Options => Known::default(),
    }
}

/// What is asked of the path, if it is something that memory may answer. A browser that asks whether another site's page may
/// ask has an answer of django-cors-headers', if any.
fn verb(method: &Method, headers: &HeaderMap) -> Option<Verb> {
    match *method {
        Method::GET | Method::HEAD => Some(Verb::Get),
        Method::OPTIONS if !headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) => Some(Verb::Options),
        _ => None,
    }
}

/// What the answers of this resource hold.
pub(super) fn content(resource: &Resource<'_>) -> Content {
    match resource {
        Resource::Root | Resource::AppRoot => Content::Directory,
        Resource::Schema => Content::Document,
        Resource::Status
        | Resource::GraphQl
        | Resource::List(_)
        | Resource::Object(..)
        | Resource::Below(..)
        | Resource::Single(_) => Content::Objects,
    }
}

/// Which representation is asked for, if it is one of those that are remembered.
///
/// Django REST framework ignores q-values and prefers the most specific type, so JSON named without parameters wins
/// over wildcards; with HTML in the list, or with parameters (`indent`, `version`), NetBox had better decide itself.
fn negotiate(headers: &HeaderMap, document: bool) -> Option<Accept> {
    let (mut json, mut any, mut openapi) = (false, headers.get(ACCEPT).is_none(), None);
    for value in headers.get_all(ACCEPT) {
        if value == Accept::Json.as_str() {
            json = true;
            continue;
        }
        for range in value.to_str().ok()?.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
            if parts.any(|parameter| !parameter.starts_with("q=")) {
                return None;
            }
            match kind.as_str() {
                "application/json" => json = true,
                "*/*" => any = true,
                "application/vnd.oai.openapi+json" if document => openapi = Some(Accept::OpenApiJson),
                "application/vnd.oai.openapi" if document => openapi = Some(Accept::OpenApiYaml),
                "text/html" | "application/xhtml+xml" | "application/*" | "text/*" => return None,
                _ => {}
            }
        }
    }
    match (document, json, openapi, any) {
        (_, true, None, _) => Some(Accept::Json),
        (true, false, Some(openapi), _) => Some(openapi),
        (true, false, None, true) => Some(Accept::Any),
        (false, _, _, true) => Some(Accept::Json),
        _ => None,
    }
}

/// The languages a client wants: inner `None` for no preference, outer `None` when it is nothing to make a key of.
fn language(headers: &HeaderMap) -> Option<Option<HeaderValue>> {
    let mut values = headers.get_all(ACCEPT_LANGUAGE).iter();
    let Some(first) = values.next() else { return Some(None) };
    if values.next().is_some() || first.len() > LONGEST_LANGUAGE {
        return None;
    }
    if first == "*" || first.is_empty() { Some(None) } else { Some(Some(first.clone())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netbox::object::ApiPath;

    fn accept(path: &str, values: &[&str]) -> Option<Accept> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT, value.parse().unwrap());
        }
        negotiate(&headers, ApiPath::parse(path, "").unwrap().resource() == Resource::Schema)
    }

    #[test]
    fn json_is_what_automation_asks_for() {
        let sites = "/api/dcim/sites/";
        for values in [
            &[][..],
            &["*/*"],
            &["application/json"],
            &["application/json, text/plain, */*"],
            &["application/json;q=0.9", "*/*"],
            &["*/*;q=0.1"],
        ] {
            assert_eq!(accept(sites, values), Some(Accept::Json), "{values:?}");
        }
        for values in [
            &["text/html"][..],
            &["text/html,application/json"],
            &["application/json; indent=4"],
            &["application/json; version=9.9"],
            &["text/plain"],
            &["application/*"],
            &[""],
        ] {
            assert_eq!(accept(sites, values), None, "{values:?}");
        }
    }

    #[test]
    fn the_document_has_three_representations() {
        let schema = "/api/schema/";
        assert_eq!(accept(schema, &[]), Some(Accept::Any));
        assert_eq!(accept(schema, &["*/*"]), Some(Accept::Any));
        assert_eq!(accept(schema, &["application/json"]), Some(Accept::Json));
        assert_eq!(accept(schema, &["application/vnd.oai.openapi+json"]), Some(Accept::OpenApiJson));
        assert_eq!(accept(schema, &["application/vnd.oai.openapi, */*"]), Some(Accept::OpenApiYaml));
        assert_eq!(accept(schema, &["application/json, application/vnd.oai.openapi"]), None);
        assert_eq!(accept("/api/dcim/sites/", &["application/vnd.oai.openapi+json"]), None);
    }
}
