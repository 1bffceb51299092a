//! What an answer depends on, once it has been read.

use super::Inner;
use super::acl::Permit;
use super::body::Whole;
use super::plan::Read;
use crate::cache::canonical::Verb;
use crate::cache::epochs::Witness;
use crate::invalidation::changed::Precision;
use crate::invalidation::relations;
use crate::netbox::branch::Branch;
use crate::netbox::object::ApiPath;
use crate::netbox::object_type::TypeSet;
use crate::netbox::query::Query;

impl Inner {
    /// The witness of an answer that was fetched under this one: the same, or of those types alone that the answer has to
    /// do with.
    pub(super) fn narrowed(&self, permit: &Permit, read: &Read, whole: &Whole, witness: &Witness) -> Witness {
        let types = match self.precision {
            Precision::Branch => None,
            Precision::Related => self.related(permit, read, whole),
        };
        types.map_or_else(|| witness.clone(), |types| self.epochs.narrowed(witness, types.iter()))
    }

    fn related(&self, permit: &Permit, read: &Read, whole: &Whole) -> Option<TypeSet> {
        // A branch's answers are main's, too. What a visitor may see is for NetBox to say, by constraints that may look at
        // anything; who runs nbproxy knows of the tokens in its settings alone.
        if read.canonical.view().branch != Branch::Main || permit.visitor().is_some() {
            return None;
        }
        // What an endpoint takes depends on its choices and on rights.
        if read.canonical.verb() != Verb::Get {
            return None;
        }
        if !self.auditor.trusts(read.canonical.about().endpoint()) {
            return None;
        }
        if !self.watch.version().is_some_and(|version| relations::are_known_of(&version)) {
            return None;
        }
        let target = read.canonical.path_and_query();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = ApiPath::parse(path, "").ok()?;
        relations::of_answer(&path, &Query::parse(query), whole.shown())
    }
}
