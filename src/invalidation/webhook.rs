//! What NetBox's webhooks tell (`extras/webhooks`): who may tell, and what follows from what is told.
//!
//! A webhook is a hint. It says that something was changed, in main or in a branch, and not in which; it may come twice, out
//! of order, long after the change, or before it can be seen. So nothing is taken from it but the scope that is outdated.

use std::fmt;

use ring::hmac;
use serde::Deserialize;

use super::changed::{Changed, Precision};
use crate::cache::epochs::Scope;

mod heard;

pub use heard::Heard;

/// The longest secret that NetBox keeps (`Webhook.secret`), in characters.
const LONGEST_SECRET: usize = 255;

/// Bytes of an HMAC-SHA512.
const DIGEST: usize = 64;

/// What NetBox and nbproxy both know. It is never printed.
#[derive(Clone)]
pub struct Secret {
    text: Box<str>,
    key: hmac::Key,
}

/// The text cannot be a webhook's secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a webhook's secret has 1 to {LONGEST_SECRET} characters, none of them white space at its ends")]
pub struct InvalidSecret;

/// What NetBox puts into `X-Hook-Signature`: the HMAC-SHA512 of the body.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature([u8; DIGEST]);

/// What one webhook says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// What has changed.
    pub told: Told,
    /// Whether there is a time in it: then there is no other event of which the same would be said.
    pub is_dated: bool,
}

/// What one webhook says has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Something in main, or the same in a branch.
    Objects(Changed),
    /// A job, or a branch as a whole: it may have been anything.
    Anything,
}

/// A body that NetBox would not send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body is none of NetBox's webhooks")]
pub struct Unreadable;

/// A body as NetBox renders it where the webhook has no template of its own. `object_type` is there since 4.4; before, a
/// `model` without its app.
#[derive(Deserialize)]
struct Payload {
    event: Option<String>,
    object_type: Option<String>,
    timestamp: Option<String>,
}

impl Secret {
    /// Takes a text as a secret, as NetBox would keep it.
    ///
    /// # Errors
    /// [`InvalidSecret`].
    pub fn parse(text: &str) -> Result<Self, InvalidSecret> {
        let length = text.chars().count();
        if text.trim() != text || length == 0 || length > LONGEST_SECRET {
            return Err(InvalidSecret);
        }
        Ok(Self { text: text.into(), key: hmac::Key::new(hmac::HMAC_SHA512, text.as_bytes()) })
    }

    /// Whether who signed these bytes knows the secret; compared in constant time.
    pub fn has_signed(&self, body: &[u8], signature: &Signature) -> bool {
        hmac::verify(&self.key, body, &signature.0).is_ok()
    }

    /// The secret itself. Whoever calls this answers for where it goes.
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl Signature {
    /// Reads 128 hexadecimal digits.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let byte = |pair: &[u8]| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        };
        let bytes = text.chunks(2).map(byte).collect::<Option<Vec<_>>>()?;
        bytes.try_into().ok().map(Self)
    }
}

impl Delivery {
    /// Reads a body. Whose request made the change is not looked at: what an event rule has started for a write made here
    /// goes by the same id, and may change anything.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn read(body: &[u8]) -> Result<Self, Unreadable> {
        let Payload { event, object_type, timestamp } = serde_json::from_slice(body).map_err(|_| Unreadable)?;
        let told = match event.as_deref().unwrap_or_default() {
            "created" | "updated" | "deleted" => {
                Told::Objects(object_type.as_deref().map_or(Changed::Unknown, Changed::of_model))
            }
            event if event.starts_with("job_") || event.starts_with("branch_") => Told::Anything,
            _ => Told::Objects(Changed::Unknown),
        };
        Ok(Self { told, is_dated: timestamp.is_some() })
    }
}

impl Told {
    /// The scope that is outdated. Branches are among it always: none of their answers depends on less than all of main.
    pub fn scope(self, precision: Precision) -> Scope {
        match self {
            Self::Objects(changed) => changed.scope(precision),
            Self::Anything => Scope::Everything,
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(****)")
    }
}

impl fmt::Debug for Signature {
    /// A signature opens the door once more.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(****)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::netbox::object_type::ObjectType;

    /// RFC 4231, test case 2.
    const KNOWN: &str = "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737";

    #[test]
    fn a_signature_is_an_hmac_sha512_in_hexadecimal_digits() {
        let secret = Secret::parse("Jefe").unwrap();
        let body = b"what do ya want for nothing?";
        for text in [KNOWN.to_owned(), KNOWN.to_uppercase()] {
            assert!(secret.has_signed(body, &Signature::parse(text.as_bytes()).unwrap()));
        }
        let signature = Signature::parse(KNOWN.as_bytes()).unwrap();
        assert!(!secret.has_signed(b"what do ya want for nothing!", &signature));
        assert!(!Secret::parse("jefe").unwrap().has_signed(body, &signature));
        for wrong in ["", "16", &KNOWN[1..], &format!("{KNOWN}00"), &KNOWN.replace('f', "g"), &KNOWN.replace('e', "+")]
        {
            assert_eq!(Signature::parse(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn secrets_are_as_netbox_keeps_them_and_print_nothing() {
        assert!(Secret::parse("").is_err() && Secret::parse("x\n").is_err());
        assert!(Secret::parse(&"ü".repeat(255)).is_ok() && Secret::parse(&"ü".repeat(256)).is_err());
        let printed = format!("{:?} {:?}", Secret::parse("s3cret"), Signature::parse(KNOWN.as_bytes()));
        assert!(!printed.contains("s3cret") && !printed.contains("164b"), "{printed}");
    }

    fn told(event: &str, object_type: Option<&str>) -> Told {
        let body = serde_json::json!({"event": event, "object_type": object_type, "model": "site"});
        Delivery::read(body.to_string().as_bytes()).unwrap().told
    }

    #[test]
    fn what_is_told_is_understood_as_far_as_it_is_sure() {
        let sites = Told::Objects(Changed::Objects(ObjectType::of_endpoint("dcim/sites").unwrap()));
        let unknown = Told::Objects(Changed::Unknown);
        for event in ["created", "updated", "deleted"] {
            assert_eq!(told(event, Some("dcim.site")), sites);
            assert_eq!(told(event, None), unknown, "a model's name does not tell its app");
            assert_eq!(told(event, Some("netbox_branching.branch")), unknown);
        }
        for event in ["job_started", "job_ended", "branch_merged", "branch_synced", "branch_reverted"] {
            assert_eq!(told(event, Some("dcim.site")), Told::Anything, "{event}");
        }
        assert_eq!(told("object_painted", Some("dcim.site")), unknown);
        assert_eq!(Delivery::read(b"{}"), Ok(Delivery { told: unknown, is_dated: false }));
    }

    #[test]
    fn what_is_no_webhook_is_refused() {
        for wrong in ["", "[]", "\"x\"", "{\"event\": 1}", "{\"event\": \"created\"", "{\"request\": []} x"] {
            assert_eq!(Delivery::read(wrong.as_bytes()), Err(Unreadable), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _read = Delivery::read(&bytes);
            let _signature = Signature::parse(&bytes);
        }

        #[test]
        fn any_words_lead_to_a_scope(event in "[a-z_]{0,12}|created|branch_.{0,5}", name in "\\PC{0,20}|[a-z]{1,6}\\.[a-z]{1,6}") {
            let body = serde_json::json!({"event": event, "object_type": name});
            let told = Delivery::read(body.to_string().as_bytes()).unwrap().told;
            for precision in [Precision::Branch, Precision::Related] {
                let scope = told.scope(precision);
                prop_assert_eq!(scope == Scope::Everything, event.starts_with("job_") || event.starts_with("branch_"));
            }
        }
    }
}
