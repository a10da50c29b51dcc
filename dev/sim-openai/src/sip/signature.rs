//! Signs webhooks as Standard Webhooks says: over id, time and body, with a secret that is written in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const PREFIX: &str = "whsec_";

/// The value of `webhook-signature`: one signature for each secret, separated by spaces.
///
/// # Panics
/// If a secret is not base64.
pub(crate) fn signatures(secrets: &[String], id: &str, timestamp: u64, body: &str) -> String {
    let signatures = secrets.iter().map(|secret| signature(secret, id, timestamp, body));
    signatures.collect::<Vec<_>>().join(" ")
}

fn signature(secret: &str, id: &str, timestamp: u64, body: &str) -> String {
    let key =
        BASE64.decode(secret.trim_start_matches(PREFIX)).expect("a webhook secret is whsec_ and base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the Standard Webhooks specification.
    #[test]
    fn signs_as_the_specification_does() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned();

        let signed =
            signatures(&[secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);

        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn during_a_rotation_both_secrets_sign() {
        let body = r#"{"object":"event","id":"evt_685343a1381c819085d44c354e1b330e","type":"realtime.call.incoming","created_at":1750287018,"data":{"call_id":"rtc_u1_0123456789abcdef","sip_media_security":"srtp","sip_headers":[{"name":"From","value":"<sip:+35699000001@sip.example.net>;tag=a1"},{"name":"To","value":"<sip:proj_test@sip.api.openai.com>"},{"name":"Call-ID","value":"7f3c2a@sip.example.net"},{"name":"Diversion","value":"<sip:+35621000000@sip.example.net>;reason=unconditional"}]}}"#;
        let old = "whsec_YWhveS1vbGQtLXNlY3JldC0wMTIzNDU2Nzg5YWJjZGVm".to_owned();
        let new = "whsec_YWhveS10ZXN0LXNlY3JldC0wMTIzNDU2Nzg5YWJjZGVm".to_owned();

        let signed = signatures(&[old, new], "wh_685342e6c53c8190a1be43f081506c52", 1_750_287_078, body);

        assert_eq!(
            signed,
            "v1,FQFyWyclZnuPRto1TQBZCoNlvNSOcdkTXJA7/LOMfTw= v1,IxqeZ0o2a7R9Vk+nytMi09JtQebxR53vEgCg7V8RrP8="
        );
    }
}
