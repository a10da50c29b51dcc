//! How a request at the door is signed: HMAC-SHA256 under a key that call-control and the tasks share.
//!
//! The seal covers the time, a nonce, the method, the path and the body. The door takes each nonce
//! once and no seal older than [`FRESH_FOR`], so a recorded request cannot be sent again.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::time::Duration;

/// The header with the time of sealing, ms since 1970.
pub const TIME: &str = "x-ahoy-time";
/// The header with a number used once.
pub const NONCE: &str = "x-ahoy-nonce";
/// The header with the hex HMAC.
pub const SEAL: &str = "x-ahoy-seal";

/// How far a seal's time may be from the door's clock.
pub const FRESH_FOR: Duration = Duration::from_secs(30);

/// What is sealed.
#[derive(Debug, Clone, Copy)]
pub struct SignedRequest<'a> {
    /// When, ms since 1970.
    pub time_ms: u64,
    /// A number used once.
    pub nonce: &'a str,
    /// `POST`, `GET` or `DELETE`.
    pub method: &'a str,
    /// The request's path.
    pub path: &'a str,
    /// The request's body.
    pub body: &'a [u8],
}

impl SignedRequest<'_> {
    /// The hex HMAC of this request.
    pub fn seal(&self, key: &[u8]) -> String {
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

/// Why a seal was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// It is not ours.
    #[error("the seal is not ours")]
    Forged,
    /// It is too old, or from the future.
    #[error("the seal is not fresh")]
    Stale,
    /// It was used before.
    #[error("the seal was used before")]
    Replayed,
}

/// Remembers which seals were used.
#[derive(Debug, Default)]
pub struct RequestVerifier {
    seen: HashMap<String, u64>,
}

impl RequestVerifier {
    /// Lets a request in, once, under any of these keys: while the key is being changed there are two.
    ///
    /// # Errors
    /// When its seal is forged, stale or used before.
    pub fn admit(
        &mut self,
        request: &SignedRequest<'_>,
        seal: &str,
        keys: &[&[u8]],
        now_ms: u64,
    ) -> Result<(), SignatureError> {
        let claimed = hex::decode(seal).map_err(|_| SignatureError::Forged)?;
        // An empty one, a placeholder most likely, would let everybody in.
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

/// Whether a seal of this time may still be taken: before it is known whether the seal is ours.
pub fn is_fresh(time_ms: u64, now_ms: u64) -> bool {
    time_ms.abs_diff(now_ms) <= FRESH_FOR.as_millis() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"a key for tests";
    const NOW: u64 = 1_795_305_600_000;

    #[test]
    fn a_sealed_request_is_let_in_once() {
        let mut door = RequestVerifier::default();
        let seal = request().seal(KEY);

        assert_eq!(door.admit(&request(), &seal, &[KEY], NOW), Ok(()));
        assert_eq!(door.admit(&request(), &seal, &[KEY], NOW), Err(SignatureError::Replayed));
    }

    #[test]
    fn while_the_key_is_being_changed_the_new_and_the_old_one_seal() {
        let mut door = RequestVerifier::default();
        let keys: [&[u8]; 2] = [b"a new key", KEY];
        let other = SignedRequest { nonce: "2", ..request() };

        assert_eq!(door.admit(&request(), &request().seal(KEY), &keys, NOW), Ok(()));
        assert_eq!(door.admit(&other, &other.seal(b"a new key"), &keys, NOW), Ok(()));
        assert_eq!(door.admit(&other, &other.seal(b"a third key"), &keys, NOW), Err(SignatureError::Forged));
    }

    #[test]
    fn a_request_is_not_let_in_a_second_time_under_the_other_key() {
        let mut door = RequestVerifier::default();
        let keys: [&[u8]; 2] = [b"a new key", KEY];
        assert_eq!(door.admit(&request(), &request().seal(KEY), &keys, NOW), Ok(()));

        let again = door.admit(&request(), &request().seal(b"a new key"), &keys, NOW);

        assert_eq!(again, Err(SignatureError::Replayed));
    }

    #[test]
    fn another_body_another_path_or_another_key_is_forged() {
        let mut door = RequestVerifier::default();
        let seal = request().seal(KEY);

        for forged in
            [SignedRequest { body: b"{ }", ..request() }, SignedRequest { path: "/v1/calls/b", ..request() }]
        {
            assert_eq!(door.admit(&forged, &seal, &[KEY], NOW), Err(SignatureError::Forged));
        }
        assert_eq!(door.admit(&request(), &seal, &[b"another key"], NOW), Err(SignatureError::Forged));
        assert_eq!(door.admit(&request(), "no hex", &[KEY], NOW), Err(SignatureError::Forged));
        assert_eq!(door.admit(&request(), &request().seal(b""), &[b""], NOW), Err(SignatureError::Forged));
    }

    #[test]
    fn an_old_seal_is_stale() {
        let seal = request().seal(KEY);

        let late = RequestVerifier::default().admit(&request(), &seal, &[KEY], NOW + 30_001);

        assert_eq!(late, Err(SignatureError::Stale));
    }

    fn request() -> SignedRequest<'static> {
        SignedRequest { time_ms: NOW, nonce: "1", method: "POST", path: "/v1/calls/a", body: b"{}" }
    }
}
