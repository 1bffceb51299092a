//! `[invalidation]`: how changes are learned of that are made elsewhere.

use crate::invalidation::changed::Precision;
use crate::settings::Invalidation;
use crate::settings::reader::Reader;

pub(super) fn read(reader: &mut Reader) -> Invalidation {
    let poll = reader.duration("invalidation.changelog_poll");
    let precision = reader.parsed("invalidation.precision", |text| match text {
        "branch" => Ok(Precision::Branch),
        "related" => Ok(Precision::Related),
        _ => Err("branch or related is wanted".to_owned()),
    });
    Invalidation {
        changelog_poll: (!poll.is_zero()).then_some(poll),
        longest_transaction: super::positive(reader, "invalidation.longest_transaction"),
        precision: precision.unwrap_or_default(),
        audit_one_in: reader.number("invalidation.audit_one_in"),
        job_poll: super::positive(reader, "invalidation.job_poll"),
        longest_job: super::positive(reader, "invalidation.longest_job"),
    }
}
