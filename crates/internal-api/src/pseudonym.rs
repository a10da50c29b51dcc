//! Marks a caller: the same person gets the same mark each time, and without the key it does not tell who that is.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What the key of marks is derived by. Another version makes strangers of all callers.
const VERSION: &[u8] = b"v1 mark of a caller";

/// The mark of a caller, by Meta's name of them (a user id or a phone number): hex HMAC-SHA256 under a key derived from `key`,
/// the one of the marks' own secret. A stack without that secret marks under the key that seals requests at the door.
///
/// Phone numbers are few enough to be tried out, so a hash without a key would tell them.
pub fn of(key: &[u8], caller: &str) -> String {
    hex::encode(hmac(&hmac(key, VERSION), caller.as_bytes()))
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_has_one_mark_and_another_caller_or_key_has_another() {
        let mark = of(b"key", "919900000001");

        assert_eq!(mark, of(b"key", "919900000001"));
        assert_ne!(mark, of(b"key", "919900000002"));
        assert_ne!(mark, of(b"another key", "919900000001"));
        assert_eq!((mark.len(), mark.contains("9199")), (64, false));
    }
}
