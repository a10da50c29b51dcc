//! Webhook signature: verifies HMAC-SHA256 over the raw bytes, under the app secret.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The header with the signature.
pub const HEADER: &str = "x-hub-signature-256";

/// Whether `header` signs `body` under any of the app secrets.
///
/// `body` must be the raw bytes: Meta signs an escaped form of the JSON that parsing and serializing does not reproduce. The comparison
/// takes constant time.
pub fn is_valid<'a>(header: &str, body: &[u8], secrets: impl IntoIterator<Item = &'a str>) -> bool {
    let Some(claimed) = header.trim().strip_prefix("sha256=").and_then(|hex| hex::decode(hex).ok()) else {
        return false;
    };
    // An empty secret signs nothing, because anyone could sign with it.
    secrets.into_iter().filter(|secret| !secret.is_empty()).any(|secret| {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
        mac.update(body);
        mac.verify_slice(&claimed).is_ok()
    })
}

/// Returns the header value that signs `body` under an app secret, to test one's own webhook.
pub fn sign(body: &[u8], secret: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    // printf '{"a":"\\u00e9"}' | openssl dgst -sha256 -hmac secret
    const BODY: &[u8] = br#"{"a":"\u00e9"}"#;
    const SIGNATURE: &str = "sha256=c0b240d8a0eff6d060a852938278e6857d51c06d9a5be3160043a150e0f5e5b5";

    #[test]
    fn accepts_the_current_and_the_previous_secret() {
        assert!(is_valid(SIGNATURE, BODY, ["secret"]));
        assert!(is_valid(SIGNATURE, BODY, ["new", "secret"]));
        assert_eq!(sign(BODY, "secret"), SIGNATURE);
    }

    #[test]
    fn rejects_any_other_signature() {
        assert!(!is_valid(SIGNATURE, BODY, ["new"]));
        assert!(!is_valid(SIGNATURE, b"{}", ["secret"]));
        assert!(!is_valid(&SIGNATURE[7..], BODY, ["secret"]));
        assert!(!is_valid("sha256=zz", BODY, ["secret"]));
        assert!(!is_valid("", BODY, ["secret"]));
        assert!(!is_valid(SIGNATURE, BODY, []));
    }

    #[test]
    fn an_empty_secret_signs_nothing() {
        // printf '{"a":"\\u00e9"}' | openssl dgst -sha256 -hmac ''
        let signature = "sha256=e370bd7b9b856d73e7b6694bd3e6a6a4b1553d4fa9a810bc3e8b041c7601e297";

        assert!(!is_valid(signature, BODY, [""]));
    }
}
