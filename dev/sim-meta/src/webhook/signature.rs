//! Signs a webhook's raw bytes with the app secret, as `X-Hub-Signature-256` and the older `X-Hub-Signature`.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// `sha256=` and 64 lower-case digits.
pub(crate) fn sha256(app_secret: &str, body: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(app_secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// `sha1=` and 40 lower-case digits. Meta still sends it; it should not be relied on.
pub(crate) fn sha1(app_secret: &str, body: &[u8]) -> String {
    let hmac = str0m::crypto::from_feature_flags().sha1_hmac_provider;
    format!("sha1={}", hex::encode(hmac.sha1_hmac(app_secret.as_bytes(), &[body])))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test case 2 of RFC 4231 and of RFC 2202.
    #[test]
    fn signs_as_the_rfcs_do() {
        let body = b"what do ya want for nothing?";

        let signature = sha256("Jefe", body);
        assert_eq!(signature, "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert_eq!(sha1("Jefe", body), "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    }
}
