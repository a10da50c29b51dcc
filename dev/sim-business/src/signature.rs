//! Verifies signatures of requests: ahoy's own two, and that of Standard Webhooks.

use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::time::{SystemTime, UNIX_EPOCH};

/// A request signed longer ago than this is a replay.
const FRESH_FOR_S: u64 = 300;

/// A received POST request, as far as signatures cover it.
pub(crate) struct Signed<'a> {
    pub host: &'a str,
    /// Path and query.
    pub target: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

impl Signed<'_> {
    /// Checks ahoy's signatures: time, method, target and body; and the same with the host.
    pub(crate) fn check(&self, key: &str) -> Result<(), &'static str> {
        let time = self.header("x-ahoy-time").ok_or("x-ahoy-time is missing")?;
        is_fresh(time)?;
        for (header, head) in [
            ("x-ahoy-signature", format!("{time}\nPOST\n{}\n", self.target)),
            ("x-ahoy-signature-v2", format!("{time}\nPOST\n{}\n{}\n", self.host, self.target)),
        ] {
            let shown = self.header(header).and_then(|value| value.strip_prefix("sha256="));
            let shown = shown.and_then(|digits| hex::decode(digits).ok()).ok_or("a signature is missing")?;
            verify(key.as_bytes(), &[head.as_bytes(), self.body], &shown)?;
        }
        Ok(())
    }

    /// Checks the signature of Standard Webhooks, and returns the message's id. A secret that begins with `whsec_` is base64.
    pub(crate) fn check_webhook(&self, secret: &str) -> Result<String, &'static str> {
        let id = self.header("webhook-id").ok_or("webhook-id is missing")?;
        let time = self.header("webhook-timestamp").ok_or("webhook-timestamp is missing")?;
        is_fresh(time)?;
        let key = match secret.strip_prefix("whsec_") {
            Some(encoded) => STANDARD.decode(encoded).map_err(|_| "the secret is not base64")?,
            None => secret.as_bytes().to_vec(),
        };
        let shown = self.header("webhook-signature").ok_or("webhook-signature is missing")?;
        let signed = [id.as_bytes(), b".", time.as_bytes(), b".", self.body];
        let mut signatures =
            shown.split(' ').filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok());
        if signatures.any(|one| verify(&key, &signed, &one).is_ok()) {
            return Ok(id.to_owned());
        }
        Err("webhook-signature is wrong")
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

fn is_fresh(time_s: &str) -> Result<(), &'static str> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    match time_s.parse::<u64>() {
        Ok(time) if time.abs_diff(now) <= FRESH_FOR_S => Ok(()),
        Ok(_) => Err("it was signed at another time"),
        Err(_) => Err("its time is no number"),
    }
}

fn verify(key: &[u8], parts: &[&[u8]], shown: &[u8]) -> Result<(), &'static str> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.verify_slice(shown).map_err(|_| "a signature is wrong")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks specification, whose time is long ago.
    #[test]
    fn the_specifications_example_is_signed_right() {
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("it is base64");
        let body = br#"{"test": 2432232314}"#;
        let signed: [&[u8]; 3] = [b"msg_p5jXN8AQM9LWM0D4loKWxJek", b".1614265330.", body];
        let shown = STANDARD.decode("g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=").expect("it is base64");

        assert_eq!(verify(&key, &signed, &shown), Ok(()));
        assert!(verify(b"another", &signed, &shown).is_err());
    }

    #[test]
    fn a_request_of_another_time_is_refused() {
        let mut headers = HeaderMap::new();
        headers.insert("x-ahoy-time", "1614265330".parse().expect("it is a header's value"));
        let request = Signed { host: "shop.example", target: "/calls", headers: &headers, body: b"{}" };

        assert_eq!(request.check("key"), Err("it was signed at another time"));
        assert_eq!(request.check_webhook("key"), Err("webhook-id is missing"));
    }
}
