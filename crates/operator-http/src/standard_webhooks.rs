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

/// Adds id, time and signature of a message. An `id` that no header can hold adds nothing.
pub(crate) fn sign(headers: &mut HeaderMap, id: &str, time_s: u64, body: &[u8], secret: &SecretString) {
    let Ok(id_value) = HeaderValue::from_str(id) else { return };
    headers.insert(ID, id_value);
    headers.insert(TIME, time_s.into());
    let signature = signature(id, time_s, body, secret.expose_secret());
    headers.insert(SIGNATURE, signature.parse().expect("base64 may be in a header"));
}

fn signature(id: &str, time_s: u64, body: &[u8], secret: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key(secret)).expect("HMAC takes keys of any length");
    mac.update(format!("{id}.{time_s}.").as_bytes());
    mac.update(body);
    format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}

/// Returns the key that a secret stands for.
fn key(secret: &str) -> Cow<'_, [u8]> {
    let decoded = secret.strip_prefix(PREFIX).and_then(|base64| BASE64_STANDARD.decode(base64).ok());
    decoded.map_or(Cow::Borrowed(secret.as_bytes()), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vector_of_the_reference_libraries_holds() {
        // libraries/rust/src/lib.rs of github.com/standard-webhooks/standard-webhooks, `test_sign`.
        let body = br#"{"email":"test@example.com","username":"test_user"}"#;
        let (id, secret) = ("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");

        let signature = signature(id, 1_649_367_553, body, secret);

        assert_eq!(signature, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
    }

    #[test]
    fn a_secret_without_the_prefix_is_taken_as_it_is() {
        assert_eq!(*key("a secret of the shop"), *b"a secret of the shop");
        assert_eq!(*key("whsec_YWJj"), *b"abc");
        assert_eq!(*key("YWJj"), *b"YWJj");
        assert_eq!(*key("whsec_not base64"), *b"whsec_not base64");
    }
}
