//! The webhook's signature after the Standard Webhooks specification: HMAC-SHA256 over id, time and raw body, under a secret that is shown once.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// The header with the delivery's id, the same for each attempt.
pub const ID: &str = "webhook-id";

/// The header with the time of the attempt, seconds since 1970.
pub const TIMESTAMP: &str = "webhook-timestamp";

/// The header with the signatures.
pub const SIGNATURE: &str = "webhook-signature";

/// What a secret begins with.
const SECRET_PREFIX: &str = "whsec_";

/// How far the attempt's time may be from this host's, in either direction, seconds.
const TOLERANCE_S: u64 = 300;

/// The three headers of a delivery.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Delivery<'a> {
    /// The value of [`ID`].
    pub id: &'a str,
    /// The value of [`TIMESTAMP`].
    pub timestamp: &'a str,
    /// The value of [`SIGNATURE`].
    pub signature: &'a str,
}

impl fmt::Debug for Delivery<'_> {
    /// Leaves out the signatures.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("id", &self.id)
            .field("timestamp", &self.timestamp)
            .finish_non_exhaustive()
    }
}

impl Delivery<'_> {
    /// Whether the attempt was made within five minutes of `now_s`.
    pub fn is_recent(&self, now_s: u64) -> bool {
        // `parse` would take a plus sign.
        let is_number =
            !self.timestamp.is_empty() && self.timestamp.bytes().all(|byte| byte.is_ascii_digit());
        let sent_s = self.timestamp.parse::<u64>().ok().filter(|_| is_number);
        sent_s.is_some_and(|sent_s| sent_s.abs_diff(now_s) <= TOLERANCE_S)
    }

    /// Whether one of the signatures is that of `body`, its raw bytes, under any of the secrets. The comparison takes constant time.
    ///
    /// During a rotation OpenAI signs under both secrets. Signatures of other versions than `v1` do not count.
    pub fn is_signed<'s>(&self, body: &[u8], secrets: impl IntoIterator<Item = &'s str>) -> bool {
        let claimed = self.signature.split_whitespace().filter_map(|signature| signature.strip_prefix("v1,"));
        let claimed: Vec<_> = claimed.filter_map(|base64| BASE64_STANDARD.decode(base64).ok()).collect();
        let macs = secrets.into_iter().filter_map(|secret| mac(secret, self.id, self.timestamp, body));
        macs.into_iter().any(|mac| claimed.iter().any(|claimed| mac.clone().verify_slice(claimed).is_ok()))
    }
}

/// Returns the signature of a delivery under a secret, to test one's own webhook; `None` when the secret is not one.
pub fn sign(id: &str, timestamp: &str, body: &[u8], secret: &str) -> Option<String> {
    let mac = mac(secret, id, timestamp, body)?;
    Some(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
}

/// Whether a text is a webhook secret: `whsec_` and a key.
pub fn is_secret(text: &str) -> bool {
    key(text).is_some()
}

fn mac(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key(secret)?).expect("HMAC takes keys of any length");
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    Some(mac)
}

/// Returns the key in a secret. An empty key signs nothing, because anyone could sign with it.
fn key(secret: &str) -> Option<Vec<u8>> {
    let key = BASE64_STANDARD.decode(secret.trim().strip_prefix(SECRET_PREFIX)?).ok()?;
    Some(key).filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "whsec_YWhveS10ZXN0LXNlY3JldC0wMTIzNDU2Nzg5YWJjZGVm";
    const B: &str = "whsec_YWhveS1vbGQtLXNlY3JldC0wMTIzNDU2Nzg5YWJjZGVm";
    const ID_1: &str = "wh_685342e6c53c8190a1be43f081506c52";
    const BODY: &[u8] = include_bytes!("../../../fixtures/openai-calls/incoming.json");
    const UNDER_A: &str = "v1,IxqeZ0o2a7R9Vk+nytMi09JtQebxR53vEgCg7V8RrP8=";
    const UNDER_B: &str = "v1,FQFyWyclZnuPRto1TQBZCoNlvNSOcdkTXJA7/LOMfTw=";

    #[test]
    fn accepts_the_vectors_of_the_specification_and_of_openai() {
        let specs = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let utf8 = r#"{"type":"realtime.call.incoming","data":{"call_id":"rtc_é"}}"#.as_bytes();
        for (secret, id, timestamp, body, signature) in [
            (
                specs,
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                "1614265330",
                &br#"{"test": 2432232314}"#[..],
                "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ),
            (A, ID_1, "1750287078", BODY, UNDER_A),
            (B, ID_1, "1750287078", BODY, UNDER_B),
            (A, ID_1, "1750287379", BODY, "v1,gmTL5aw+4VTcso5N0ZuCK9+Eq9Y1vHCKDKMcietXkT8="),
            (A, "wh_test_1", "1700000000", b"{}", "v1,WMTlBoNAytStE6+Tq3kQ/k3oyOZ+voyu+nzKVI0hGt4="),
            (A, "wh_test_2", "1700000000", utf8, "v1,wdtEhVzw1eX/8/FmSBOL4XH4oVQ79TmTeWKbtiN0Hlw="),
        ] {
            assert_eq!(sign(id, timestamp, body, secret).as_deref(), Some(signature), "{id}");
            assert!(Delivery { id, timestamp, signature }.is_signed(body, [secret]), "{id}");
        }
    }

    #[test]
    fn either_secret_and_either_signature_will_do() {
        let both = format!("{UNDER_B} {UNDER_A}");
        for (signature, secrets) in
            [(UNDER_A, [A, B]), (UNDER_A, [B, A]), (UNDER_B, [A, B]), (&both, [A, A]), (&both, [B, B])]
        {
            assert!(delivery(signature).is_signed(BODY, secrets), "{signature}");
        }
        assert!(!delivery(UNDER_A).is_signed(BODY, [B]));
        assert!(delivery(&format!("v1a,AAAA {UNDER_A}")).is_signed(BODY, [A]), "other versions are ignored");
    }

    #[test]
    fn refuses_any_other_signature() {
        for signature in [
            "v1,1P4P3tLvn/w9dsm2xX1Bzi/luvMlap0dwMWAxZUvadc=",
            "v1a,IxqeZ0o2a7R9Vk+nytMi09JtQebxR53vEgCg7V8RrP8=",
            &UNDER_A[3..],
            &UNDER_A.to_lowercase(),
            &format!("{UNDER_A},{UNDER_A}"),
            "v1,",
            "",
        ] {
            assert!(!delivery(signature).is_signed(BODY, [A, B]), "{signature}");
        }
        assert!(!delivery(UNDER_A).is_signed(BODY, []));
    }

    #[test]
    fn signs_each_byte_of_body_id_and_time() {
        for at in 0..BODY.len() {
            let mut changed = BODY.to_vec();
            changed[at] ^= 1;
            assert!(!delivery(UNDER_A).is_signed(&changed, [A]), "byte {at}");
        }
        let newline = [BODY, b"\n"].concat();
        assert!(!delivery(UNDER_A).is_signed(&newline, [A]));
        assert!(!Delivery { id: "wh_other", ..delivery(UNDER_A) }.is_signed(BODY, [A]));
        assert!(!Delivery { timestamp: "1750287079", ..delivery(UNDER_A) }.is_signed(BODY, [A]));
    }

    #[test]
    fn an_attempt_counts_for_five_minutes_in_either_direction() {
        let at = |timestamp| Delivery { timestamp, ..delivery(UNDER_A) };
        for (timestamp, is_recent) in [
            ("1750287078", true),
            ("1750287378", true),
            ("1750286778", true),
            ("1750287379", false),
            ("1750286777", false),
            ("1750287078000", false),
            ("-1750287078", false),
            ("+1750287078", false),
            (" 1750287078", false),
            ("99999999999999999999999", false),
            ("soon", false),
            ("", false),
        ] {
            assert_eq!(at(timestamp).is_recent(1_750_287_078), is_recent, "{timestamp}");
        }
    }

    #[test]
    fn what_is_no_secret_signs_nothing() {
        for text in ["", "whsec_", "whsec_!", "YWhveS10ZXN0LXNlY3JldC0wMTIzNDU2Nzg5YWJjZGVm", "placeholder"] {
            assert!(!is_secret(text), "{text}");
            assert_eq!(sign(ID_1, "1750287078", BODY, text), None);
        }
        assert!(is_secret(A));
    }

    fn delivery(signature: &str) -> Delivery<'_> {
        Delivery { id: ID_1, timestamp: "1750287078", signature }
    }
}
