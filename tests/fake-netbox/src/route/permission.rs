//! Who may: the permission that a view asks for, and then each object's own.

use super::Context;
use super::path::Route;
use crate::answer::Answer;
use crate::auth::{self, Identity, Unfit};
use crate::rights::Verb;
use crate::state::{Row, View};
use crate::types::{self, Type};
use crate::write::Writer;

/// Types that anybody may read who is somebody.
const OBJECT_TYPES: &str = "core/object-types";

const NO_PERMISSION: &str = "You do not have permission to perform this action.";

impl Context<'_> {
    /// Who asks, and whether that user may.
    pub(super) fn authorize(&mut self, route: &Route<'_>) -> Result<(), Answer> {
        let open = matches!(route, Route::Provision);
        let who = match auth::identify(&self.shared.lock().data, self.request) {
            Err(_) if open => None,
            Err(unfit) => return Err(self.unfit(unfit)),
            Ok(who) => who,
        };
        self.who = who;
        if open {
            return Ok(());
        }
        let secret = matches!(route, Route::AuthenticationCheck | Route::UserConfig | Route::InstalledPlugins);
        let Some(who) = &self.who else {
            if self.config.login_required || self.is_unsafe() || secret {
                return Err(Answer::detail(403, "Authentication credentials were not provided."));
            }
            return Ok(());
        };
        if who.session && self.is_unsafe() {
            return Err(Answer::detail(403, "CSRF Failed: CSRF token missing."));
        }
        // Anybody may ask for the options; the actions in the answer depend on the user.
        let open = self.request.method == "OPTIONS" || self.is_granted(who, route);
        if !open || self.is_unsafe() && !who.may_write {
            return Err(Answer::detail(403, NO_PERMISSION));
        }
        Ok(())
    }

    /// Whether the user has the permission that a view asks for, before any object is looked at.
    fn is_granted(&self, who: &Identity, route: &Route<'_>) -> bool {
        let verb = Verb::of(&self.request.method);
        match route {
            Route::Root
            | Route::App(_)
            | Route::Status
            | Route::Schema
            | Route::AuthenticationCheck
            | Route::UserConfig
            | Route::Provision => true,
            Route::List(ty) | Route::Detail(ty, _) => ty.endpoint == OBJECT_TYPES || who.may(ty, verb),
            Route::Sub(_, _, "available-ips") => types::at("ipam/ip-addresses").is_some_and(|ty| who.may(ty, verb)),
            Route::Sub(ty, _, "available-prefixes") => who.may(ty, verb),
            Route::Sub(ty, _, "trace" | "render-config") => who.may(ty, Verb::View),
            Route::Sub(ty, _, _) => who.may(ty, Verb::Change),
            Route::InstalledPlugins | Route::Extra(_) => who.rights.is_superuser(),
        }
    }

    /// Whether who asks may do this with that object. Nobody gets this far without leave to read everything.
    pub(super) fn reaches(&self, view: &View, ty: &Type, verb: Verb, row: &Row) -> bool {
        let free = ty.endpoint == OBJECT_TYPES || verb == Verb::View && self.who.is_none();
        free || self.who.as_ref().is_some_and(|who| who.reaches(view, ty, verb, row))
    }

    /// Checks that what was written may be written by its author, as it is now (`_validate_objects`).
    pub(super) fn validate(&self, writer: &Writer<'_>, ty: &Type, verb: Verb, id: u64) -> Result<(), Answer> {
        let view = writer.view();
        let fine = view.row(ty.endpoint, id).is_some_and(|row| self.reaches(&view, ty, verb, row));
        if fine { Ok(()) } else { Err(Answer::detail(403, NO_PERMISSION)) }
    }

    pub(super) fn unfit(&self, unfit: Unfit) -> Answer {
        match unfit {
            Unfit::Refused(text) => Answer::detail(403, &text),
            Unfit::BadAddress(text) => self.server_error(&text, "ValueError"),
        }
    }
}
