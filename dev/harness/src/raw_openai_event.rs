//! OpenAI's events written by hand: of an incoming call, signed or not.

use crate::Story;
use crate::raw_webhook::client;
use crate::telephone::{CALLER, DIALLED, TRUNK_KEY, WEBHOOK_SECRET};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use service::time::now_ms;
use sha2::Sha256;

/// An event of an incoming call, written and signed now.
#[derive(Debug, Clone)]
pub struct RawOpenAiEvent {
    delivery: String,
    body: String,
    secret: String,
}

impl RawOpenAiEvent {
    /// The event of a call that comes in now, with the trunk's key, under this `webhook-id`.
    pub fn incoming(call: &str, delivery: &str) -> Self {
        let header = |name: &str, value: &str| json!({"name": name, "value": value});
        let headers = [
            header("From", &format!("<sip:{CALLER}@sip.example.net>;tag=a1")),
            header("X-Ahoy-Dialled", DIALLED),
            header("X-Ahoy-Key", TRUNK_KEY),
        ];
        let data = json!({"call_id": call, "sip_media_security": "srtp", "sip_headers": headers});
        let event = json!({"object": "event", "id": "evt_1", "type": "realtime.call.incoming",
            "created_at": now_ms() / 1_000, "data": data});
        Self { delivery: delivery.to_owned(), body: event.to_string(), secret: WEBHOOK_SECRET.to_owned() }
    }

    /// The same, signed with another secret.
    #[must_use]
    pub fn forged(self) -> Self {
        let secret = format!("whsec_{}", BASE64.encode("another secret"));
        Self { secret, ..self }
    }

    /// Posts it, and returns the status of the reply.
    pub async fn post(&self, story: &Story) -> u16 {
        let stamp = (now_ms() / 1_000).to_string();
        let request = client()
            .post(format!("{}openai", story.stack.cloud.function_url("webhook")))
            .header("content-type", "application/json")
            .header("webhook-id", &self.delivery)
            .header("webhook-timestamp", &stamp)
            .header("webhook-signature", self.signature(&stamp))
            .body(self.body.clone());
        request.send().await.expect("the webhook answers").status().as_u16()
    }

    fn signature(&self, stamp: &str) -> String {
        let key = self.secret.strip_prefix("whsec_").expect("a secret begins so");
        let key = BASE64.decode(key).expect("the rest is base64");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
        mac.update(format!("{}.{stamp}.{}", self.delivery, self.body).as_bytes());
        format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()))
    }
}
