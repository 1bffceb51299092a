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

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, KeyPair};

    use super::*;

    fn subject(attributes: Vec<(DnType, DnValue)>) -> Option<Subject> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        attributes.into_iter().for_each(|(kind, value)| params.distinguished_name.push(kind, value));
        of(params.self_signed(&KeyPair::generate().unwrap()).unwrap().der())
    }

    #[test]
    fn attributes_have_the_names_that_openssl_prints() {
        let oid = |numbers: &[u64]| DnType::CustomDnType(numbers.to_vec());
        let all = subject(vec![
            (DnType::CountryName, "DE".into()),
            (DnType::StateOrProvinceName, "Hessen".into()),
            (DnType::LocalityName, "Frankfurt".into()),
            (DnType::OrganizationName, "Example, Inc.".into()),
            (DnType::OrganizationalUnitName, "Net".into()),
            (DnType::CommonName, "ansible".into()),
            (oid(&[1, 2, 840, 113_549, 1, 9, 1]), "a@example.com".into()),
            (oid(&[0, 9, 2342, 19_200_300, 100, 1, 1]), "u1".into()),
            (oid(&[2, 5, 4, 5]), "7".into()),
            (oid(&[1, 3, 6, 1, 4, 1, 99_999, 1]), "own".into()),
        ]);
        let text = "C=DE, ST=Hessen, L=Frankfurt, O=Example\\, Inc., OU=Net, CN=ansible, emailAddress=a@example.com, \
                    UID=u1, serialNumber=7, 1.3.6.1.4.1.99999.1=own";
        assert_eq!(all, Subject::parse(text));
        assert_eq!(subject(Vec::new()), Some(Subject::of(Vec::new())));
    }

    #[test]
    fn what_cannot_be_read_is_nobodys_subject() {
        let odd = DnValue::BmpString(rcgen::string::BmpString::try_from("other").unwrap());
        assert_eq!(subject(vec![(DnType::CommonName, "ansible".into()), (DnType::OrganizationName, odd)]), None);
        assert_eq!(of(b"no certificate"), None);
    }
}
