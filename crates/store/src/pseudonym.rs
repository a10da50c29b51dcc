//! Pseudonyms of callers: stable for a person, and meaningless without the key.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The text that the pseudonym key is derived with. A different text would make every caller unknown.
const VERSION: &[u8] = b"v1 mark of a caller";

/// Returns the pseudonym of a caller, who is named by Meta's user id or by phone number: hex HMAC-SHA256 under a key derived from `key`,
/// the key of the pseudonyms' own secret. A stack without that secret uses the key that signs requests to the control API.
///
/// A hash without a key would reveal phone numbers: there are few enough to try them all.
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
    fn a_pseudonym_depends_on_caller_and_key() {
        let pseudonym = of(b"key", "919900000001");

        assert_eq!(pseudonym, of(b"key", "919900000001"));
        assert_ne!(pseudonym, of(b"key", "919900000002"));
        assert_ne!(pseudonym, of(b"another key", "919900000001"));
        assert_eq!((pseudonym.len(), pseudonym.contains("9199")), (64, false));
    }
}
