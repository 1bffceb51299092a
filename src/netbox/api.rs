//! The way in: a NetBox, as its apps and endpoints.

use std::sync::{Arc, PoisonError, RwLock};

use http::Method;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::app::App;
use super::branch::{Branch, SchemaId};
use super::error::{Error, RequestLine};
use super::object::{APPS, ApiPath, path_of_url};
use super::openapi::OpenApi;
use super::record::Record;
use super::request::Call;
use super::session::Session;
use super::token::Token;

mod builder;

pub use builder::{ApiBuilder, ForeignLinks, Pagination};

/// A NetBox. Cheap to clone; clones share connections, token and what was learnt of NetBox.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), nbproxy::netbox::error::Error> {
/// # let fake = fake_netbox::FakeNetbox::start().await;
/// # let (url, token) = (fake.url(), fake.token());
/// use nbproxy::netbox::api::Api;
/// use nbproxy::netbox::filters::Filters;
///
/// let netbox = Api::builder(&url).token(token).concurrency(4).build()?;
/// let mut devices = netbox.dcim().endpoint("devices").filter(Filters::new().with("site", "dc001"));
/// while let Some(device) = devices.next().await {
///     let device = device?;
///     println!("{device} is {}", device.choice("status").unwrap_or("?"));
/// }
/// # assert_eq!(devices.len().await?, 12);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Api {
    shared: Arc<Shared>,
    branch: Branch,
}

#[derive(Debug)]
struct Shared {
    session: Session,
    token: RwLock<Option<Arc<Token>>>,
    options: builder::Options,
    openapi: OnceCell<Arc<OpenApi>>,
    /// Whether NetBox knows cursor paging (4.6); asked once.
    cursor: OnceCell<bool>,
}

macro_rules! apps {
    ($($name:ident),*) => {
        $(#[doc = concat!("The app `", stringify!($name), "`.")]
        pub fn $name(&self) -> App {
            App::new(self.clone(), stringify!($name))
        })*
    };
}

impl Api {
    /// A NetBox at this base URL; a slash at its end is dropped, a sub-path (`BASE_PATH`) is kept.
    pub fn builder(url: &str) -> ApiBuilder {
        ApiBuilder::new(url)
    }

    /// A NetBox reached by a session that exists already, with the options of a fresh builder.
    pub fn over(session: Session, token: Option<Arc<Token>>) -> Self {
        Self::new(session, token, builder::Options::default())
    }

    fn new(session: Session, token: Option<Arc<Token>>, options: builder::Options) -> Self {
        let shared =
            Shared { session, token: RwLock::new(token), options, openapi: OnceCell::new(), cursor: OnceCell::new() };
        Self { shared: Arc::new(shared), branch: Branch::Main }
    }

    apps!(circuits, core, dcim, extras, ipam, tenancy, users, virtualization, vpn, wireless);

    /// An app by its name.
    ///
    /// # Errors
    /// [`Error::UnknownApp`] for a name that no NetBox has (4.0 to 4.7); plugins are reached by
    /// [`plugin`](Self::plugin).
    pub fn app(&self, name: &str) -> Result<App, Error> {
        if name != "plugins" && APPS.contains(&name) {
            Ok(App::new(self.clone(), name))
        } else {
            Err(Error::UnknownApp(name.to_owned()))
        }
    }

    /// A plugin's endpoints, below `/api/plugins/<name>/`; `_` in the name becomes `-`.
    pub fn plugin(&self, name: &str) -> App {
        App::new(self.clone(), &format!("plugins/{}", name.replace('_', "-")))
    }

    /// The plugins that are installed.
    ///
    /// # Errors
    /// [`Error::Request`] and what can happen on the way.
    pub async fn installed_plugins(&self) -> Result<Vec<Value>, Error> {
        Call::get("/api/plugins/installed-plugins/").perform(self).await?.list()
    }

    /// The API's version, `4.6`; empty when NetBox does not say. NetBox says it with a 403, too.
    ///
    /// # Errors
    /// [`Error::Request`] for any other refusal.
    pub async fn version(&self) -> Result<String, Error> {
        self.ask_version(Call::get("/api/")).await
    }

    async fn ask_version(&self, call: Call) -> Result<String, Error> {
        let answer = call.any_type().send(self).await?;
        let version = answer.header("api-version").unwrap_or_default().to_owned();
        if answer.status == http::StatusCode::FORBIDDEN {
            return Ok(version);
        }
        answer.expect_success().map(|_| version)
    }

    /// What NetBox says of itself: versions, apps, plugins.
    ///
    /// # Errors
    /// [`Error::Request`] when the token is missing or wrong.
    pub async fn status(&self) -> Result<Value, Error> {
        Call::get("/api/status/").any_type().json(self).await
    }

    /// NetBox's OpenAPI document, fetched once and kept in memory. It is asked for without the token.
    ///
    /// # Errors
    /// [`Error::Content`] when it cannot be read; it is asked for again then.
    pub async fn openapi(&self) -> Result<Arc<OpenApi>, Error> {
        let fetch = || async {
            // pynetbox asks for the version first: documents of NetBox < 3.5 stood elsewhere.
            let version = self.ask_version(Call::get("/api/").anonymous()).await?;
            let old = version_at_least(&version, 3, 5) == Some(false);
            let path = if old { "/api/docs/?format=openapi" } else { "/api/schema/" };
            let answer = Call::get(path).anonymous().perform(self).await?;
            OpenApi::parse(answer.body.clone(), self.session().base().path())
                .map(Arc::new)
                .map_err(|what| answer.content(what))
        };
        self.shared.openapi.get_or_try_init(fetch).await.cloned()
    }

    /// Creates a token for this user and uses it from now on, in all clones.
    ///
    /// # Errors
    /// [`Error::Request`] with 403 for a wrong password; [`Error::Content`] when the answer holds no token.
    pub async fn create_token(&self, username: &str, password: &str) -> Result<Record, Error> {
        let call = Call::new(Method::POST, "/api/users/tokens/provision/").anonymous();
        let answer = call.body(json!({"username": username, "password": password})).perform(self).await?;
        let values = answer.object()?;
        let text = token_of(&values);
        let token = text.and_then(|text| Token::parse(&text).ok());
        let token = token.ok_or_else(|| answer.content("the answer holds no token"))?;
        *self.shared.token.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(token));
        Ok(Record::new(self.users().endpoint("tokens"), values))
    }

    /// The same NetBox, seen in a branch of netbox-branching: every request carries `X-NetBox-Branch`. Nothing is
    /// global: other clones are not affected, and there is nothing to deactivate.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), nbproxy::netbox::error::Error> {
    /// # let fake = fake_netbox::FakeNetbox::start().await;
    /// # fake.add_branch("draft", "ready");
    /// # let netbox = nbproxy::netbox::api::Api::builder(&fake.url()).token(fake.token()).build()?;
    /// use nbproxy::netbox::filters::Filters;
    ///
    /// let branches = netbox.plugin("branching").endpoint("branches");
    /// let draft = branches.get_by(Filters::new().with("name", "draft")).await?.expect("it was made");
    /// let draft = netbox.branch(&draft)?;
    /// let mut site = draft.dcim().endpoint("sites").get(1).await?.expect("there is one");
    /// site.set("description", "to be decided");
    /// site.save().await?;
    /// let in_main = netbox.dcim().endpoint("sites").get(1).await?.expect("there is one");
    /// assert_eq!(in_main["description"], "");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::NotABranch`] when the record has no `schema_id`.
    pub fn branch(&self, branch: &Record) -> Result<Self, Error> {
        let id = branch.get("schema_id").and_then(Value::as_str).ok_or(Error::NotABranch)?;
        self.branch_by_id(id)
    }

    /// The same, by `schema_id` (eight characters of a-z and 0-9).
    ///
    /// # Errors
    /// [`Error::NotABranch`] for anything else.
    pub fn branch_by_id(&self, schema_id: &str) -> Result<Self, Error> {
        let id = SchemaId::parse(schema_id.as_bytes()).map_err(|_| Error::NotABranch)?;
        Ok(Self { shared: Arc::clone(&self.shared), branch: Branch::Schema(id) })
    }

    /// Main, whatever branch this is.
    #[must_use]
    pub fn main(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), branch: Branch::Main }
    }

    /// Which branch is seen.
    pub fn current_branch(&self) -> Branch {
        self.branch
    }

    /// A request as it is shown in errors.
    pub(super) fn line(&self, method: Method, target: &str) -> RequestLine {
        RequestLine { method, url: format!("{}{target}", self.session().base().as_str()) }
    }

    pub(super) fn session(&self) -> &Session {
        &self.shared.session
    }

    pub(super) fn token(&self) -> Option<Arc<Token>> {
        self.shared.token.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The token in use, as text, for who has to hand it on. Nothing else of this library shows it.
    ///
    /// # Errors
    /// [`Error::Incomplete`] when there is none.
    pub fn token_text(&self) -> Result<String, Error> {
        self.token().map(|token| token.reveal().to_owned()).ok_or(Error::Incomplete("token"))
    }

    pub(super) fn options(&self) -> &builder::Options {
        &self.shared.options
    }

    /// Whether lists are walked by cursor: if that was asked for, and NetBox can (4.6).
    pub(super) async fn uses_cursor(&self) -> bool {
        if self.options().pagination == Pagination::Offset {
            return false;
        }
        let ask = || async { self.version().await.is_ok_and(|v| version_at_least(&v, 4, 6) == Some(true)) };
        *self.shared.cursor.get_or_init(ask).await
    }

    /// The path below NetBox's base that a link of NetBox's leads to, its query as it is.
    ///
    /// # Errors
    /// [`Error::OtherOrigin`] when it leads elsewhere, which a token must not follow.
    pub(super) fn target_of(&self, link: &str) -> Result<String, Error> {
        let base = self.session().base();
        let elsewhere = || Error::OtherOrigin { url: link.to_owned(), base: base.as_str().to_owned() };
        let ours = link.strip_prefix(base.as_str()).or_else(|| {
            let may_be_moved = !link.contains("://") || self.options().foreign_links == ForeignLinks::SamePath;
            may_be_moved.then(|| path_of_url(link).strip_prefix(base.path())).flatten()
        });
        let target = ours.ok_or_else(elsewhere)?;
        // A path that is resolved on its way (`/api/../`) would lead out of NetBox, token and all.
        let path = target.split('?').next().unwrap_or_default();
        ApiPath::parse(path, "").map_err(|_| elsewhere())?;
        Ok(target.to_owned())
    }
}

/// v2 answers carry `key` and `token`, v1 ones `token` or `key` (pynetbox 7.8.0, core/api.py).
fn token_of(values: &serde_json::Map<String, Value>) -> Option<String> {
    let text = |name| values.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    match (values.get("version").and_then(Value::as_u64), text("key"), text("token")) {
        (Some(2), Some(key), Some(token)) => Some(format!("nbt_{key}.{token}")),
        (Some(2), _, _) => None,
        (_, key, token) => token.or(key).map(str::to_owned),
    }
}

/// `None` for what is no version.
fn version_at_least(version: &str, major: u32, minor: u32) -> Option<bool> {
    let mut parts = version.split('.').map(str::parse);
    let (Some(Ok(a)), Some(Ok(b))) = (parts.next(), parts.next()) else { return None };
    Some((a, b) >= (major, minor))
}
