//! The subject of a certificate that rustls has verified.

use x509_parser::objects::{oid_registry, oid2abbrev};
use x509_parser::oid_registry::{OID_PKCS9_EMAIL_ADDRESS, OID_USERID, OID_X509_GIVEN_NAME, OID_X509_SURNAME, Oid};
use x509_parser::parse_x509_certificate;

use crate::proxy::auth::Subject;

/// The subject, if all of it can be read: one that is read in part would be somebody else's.
pub(super) fn of(certificate: &[u8]) -> Option<Subject> {
    let (_, certificate) = parse_x509_certificate(certificate).ok()?;
    let attributes = certificate.subject().iter_attributes();
    let named = attributes.map(|attribute| Some((name(attribute.attr_type()), attribute.as_str().ok()?.to_owned())));
    named.collect::<Option<Vec<_>>>().map(Subject::of)
}

/// An attribute's name as openssl prints it.
fn name(kind: &Oid<'_>) -> String {
    let differs = [
        (OID_PKCS9_EMAIL_ADDRESS, "emailAddress"),
        (OID_USERID, "UID"),
        (OID_X509_SURNAME, "SN"),
        (OID_X509_GIVEN_NAME, "GN"),
    ];
    let known = differs.iter().find(|(other, _)| other == kind).map(|(_, name)| *name);
    known.or_else(|| oid2abbrev(kind, oid_registry()).ok()).map_or_else(|| kind.to_id_string(), str::to_owned)
}
