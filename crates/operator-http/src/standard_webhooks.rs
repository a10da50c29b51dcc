//! The headers of Standard Webhooks (standardwebhooks.com), by which receivers verify a message with a library of their language.
//!
//! The key is a secret's text as UTF-8. A secret of the form `whsec_…` is what those libraries take: base64 after the prefix, which is
//! decoded, as they do.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use std::borrow::Cow;

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIME: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// The prefix of a secret that is written in base64.
const PREFIX: &str = "whsec_";

/// Whether a secret stands for a key: one of the form `whsec_…` has padded base64 after the prefix, of one byte at least.
pub fn is_webhook_secret(secret: &SecretString) -> bool {
    key(secret.expose_secret()).is_some()
}

/// Adds id, time and signature of a message. An `id` that no header can hold, or a secret that stands for no key, adds nothing.
pub(crate) fn sign(headers: &mut HeaderMap, id: &str, time_s: u64, body: &[u8], secret: &SecretString) {
    let Ok(id_value) = HeaderValue::from_str(id) else { return };
    let Some(key) = key(secret.expose_secret()) else { return };
    headers.insert(ID, id_value);
    headers.insert(TIME, time_s.into());
    let signature = signature(id, time_s, body, &key);
    headers.insert(SIGNATURE, signature.parse().expect("base64 may be in a header"));
}

fn signature(id: &str, time_s: u64, body: &[u8], key: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(format!("{id}.{time_s}.").as_bytes());
    mac.update(body);
    format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}

/// Returns the key that a secret stands for. Receivers' libraries refuse a wrong `whsec_…`, so it is not taken as it is.
fn key(secret: &str) -> Option<Cow<'_, [u8]>> {
    let key = match secret.strip_prefix(PREFIX) {
        Some(base64) => Cow::Owned(BASE64_STANDARD.decode(base64).ok()?),
        None => Cow::Borrowed(secret.as_bytes()),
    };
    Some(key).filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vector_of_the_reference_libraries_holds() {
        // libraries/rust/src/lib.rs of github.com/standard-webhooks/standard-webhooks, `test_sign`.
        let body = br#"{"email":"test@example.com","username":"test_user"}"#;
        let (id, secret) = ("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");

        let signature = signature(id, 1_649_367_553, body, &key(secret).unwrap());

        assert_eq!(signature, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
    }

    #[test]
    fn a_secret_without_the_prefix_is_taken_as_it_is() {
        for (secret, expected) in [
            ("a secret of the shop", &b"a secret of the shop"[..]),
            ("whsec_YWJj", b"abc"),
            ("YWJj", b"YWJj"),
        ] {
            assert_eq!(key(secret).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_secret_that_stands_for_no_key_signs_nothing() {
        for secret in ["", "whsec_", "whsec_not base64", "whsec_YWI"] {
            assert!(!is_webhook_secret(&secret.into()), "{secret}");
        }
        assert!(is_webhook_secret(&"whsec_YWI=".into()));
    }
}
