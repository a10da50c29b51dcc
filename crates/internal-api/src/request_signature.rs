//! Request signatures of the control API: HMAC-SHA256 under a key that call-control and the media tasks share.
//!
//! A signature covers the time, a nonce, the method, the path and the body. A request is accepted once per nonce and within [`FRESH_FOR`],
//! so a recorded request cannot be replayed.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::time::Duration;

/// The header with the time of signing, ms since 1970.
pub const TIME: &str = "x-ahoy-time";
/// The header with the nonce.
pub const NONCE: &str = "x-ahoy-nonce";
/// The header with the hex HMAC.
pub const SIGNATURE: &str = "x-ahoy-seal";

/// How far the time of signing may be from the verifier's clock.
pub const FRESH_FOR: Duration = Duration::from_secs(30);

/// The signed parts of a request.
#[derive(Debug, Clone, Copy)]
pub struct SignedRequest<'a> {
    /// The time of signing, ms since 1970.
    pub time_ms: u64,
    /// The nonce, unique to this request.
    pub nonce: &'a str,
    /// `POST`, `GET` or `DELETE`.
    pub method: &'a str,
    /// The path of the request.
    pub path: &'a str,
    /// The body of the request.
    pub body: &'a [u8],
}

impl SignedRequest<'_> {
    /// Returns the hex HMAC of this request.
    pub fn sign(&self, key: &[u8]) -> String {
        hex::encode(self.mac(key).finalize().into_bytes())
    }

    fn mac(&self, key: &[u8]) -> Hmac<Sha256> {
        let body = hex::encode(Sha256::digest(self.body));
        let text = format!("{}\n{}\n{}\n{}\n{body}", self.time_ms, self.nonce, self.method, self.path);
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        mac.update(text.as_bytes());
        mac
    }
}

/// Why a signature was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// No key matches.
    #[error("the signature does not match")]
    Forged,
    /// The time of signing is too far from the verifier's clock.
    #[error("the signature is not fresh")]
    Stale,
    /// The nonce was used before.
    #[error("the signature was used before")]
    Replayed,
}

/// Verifies request signatures and remembers the nonces.
#[derive(Debug, Default)]
pub struct RequestVerifier {
    seen: HashMap<String, u64>,
}

impl RequestVerifier {
    /// Accepts a request once, under any of these keys: there are two during key rotation.
    ///
    /// # Errors
    /// Returns an error when no key matches, the time is not fresh, or the nonce was used before.
    pub fn verify(
        &mut self,
        request: &SignedRequest<'_>,
        signature: &str,
        keys: &[&[u8]],
        now_ms: u64,
    ) -> Result<(), SignatureError> {
        let claimed = hex::decode(signature).map_err(|_| SignatureError::Forged)?;
        // Ignores an empty key, most likely a placeholder: anyone could sign with it.
        let mut keys = keys.iter().filter(|key| !key.is_empty());
        if !keys.any(|key| request.mac(key).verify_slice(&claimed).is_ok()) {
            return Err(SignatureError::Forged);
        }
        if !is_fresh(request.time_ms, now_ms) {
            return Err(SignatureError::Stale);
        }
        self.seen.retain(|_, time_ms| *time_ms + 2 * FRESH_FOR.as_millis() as u64 > now_ms);
        match self.seen.insert(request.nonce.to_owned(), now_ms) {
            Some(_) => Err(SignatureError::Replayed),
            None => Ok(()),
        }
    }
}

/// Whether a signature of this time is fresh, to be checked before its HMAC.
pub fn is_fresh(time_ms: u64, now_ms: u64) -> bool {
    time_ms.abs_diff(now_ms) <= FRESH_FOR.as_millis() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"a key for tests";
    const NOW: u64 = 1_795_305_600_000;

    #[test]
    fn a_signed_request_is_accepted_once() {
        let mut verifier = RequestVerifier::default();
        let signature = request().sign(KEY);

        assert_eq!(verifier.verify(&request(), &signature, &[KEY], NOW), Ok(()));
        assert_eq!(verifier.verify(&request(), &signature, &[KEY], NOW), Err(SignatureError::Replayed));
    }

    #[test]
    fn new_and_old_key_are_valid_during_key_rotation() {
        let mut verifier = RequestVerifier::default();
        let keys: [&[u8]; 2] = [b"a new key", KEY];
        let other = SignedRequest { nonce: "2", ..request() };

        assert_eq!(verifier.verify(&request(), &request().sign(KEY), &keys, NOW), Ok(()));
        assert_eq!(verifier.verify(&other, &other.sign(b"a new key"), &keys, NOW), Ok(()));
        assert_eq!(
            verifier.verify(&other, &other.sign(b"a third key"), &keys, NOW),
            Err(SignatureError::Forged)
        );
    }

    #[test]
    fn a_request_is_not_accepted_again_under_the_other_key() {
        let mut verifier = RequestVerifier::default();
        let keys: [&[u8]; 2] = [b"a new key", KEY];
        assert_eq!(verifier.verify(&request(), &request().sign(KEY), &keys, NOW), Ok(()));

        let again = verifier.verify(&request(), &request().sign(b"a new key"), &keys, NOW);

        assert_eq!(again, Err(SignatureError::Replayed));
    }

    #[test]
    fn another_body_path_or_key_is_forged() {
        let mut verifier = RequestVerifier::default();
        let signature = request().sign(KEY);

        for forged in
            [SignedRequest { body: b"{ }", ..request() }, SignedRequest { path: "/v1/calls/b", ..request() }]
        {
            assert_eq!(verifier.verify(&forged, &signature, &[KEY], NOW), Err(SignatureError::Forged));
        }
        assert_eq!(
            verifier.verify(&request(), &signature, &[b"another key"], NOW),
            Err(SignatureError::Forged)
        );
        assert_eq!(verifier.verify(&request(), "no hex", &[KEY], NOW), Err(SignatureError::Forged));
        assert_eq!(
            verifier.verify(&request(), &request().sign(b""), &[b""], NOW),
            Err(SignatureError::Forged)
        );
    }

    #[test]
    fn an_old_signature_is_stale() {
        let signature = request().sign(KEY);

        let late = RequestVerifier::default().verify(&request(), &signature, &[KEY], NOW + 30_001);

        assert_eq!(late, Err(SignatureError::Stale));
    }

    fn request() -> SignedRequest<'static> {
        SignedRequest { time_ms: NOW, nonce: "1", method: "POST", path: "/v1/calls/a", body: b"{}" }
    }
}
