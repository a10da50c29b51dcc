//! Webhooks written by hand: about a call, signed or not.

use crate::Story;
use hmac::{Hmac, KeyInit, Mac};
use local::root;
use serde_json::{Value, json};
use sha2::Sha256;
use sim_meta::MetaConfig;

/// A webhook, written and signed.
#[derive(Debug, Clone)]
pub struct RawWebhook {
    body: String,
    signature: Option<String>,
}

impl RawWebhook {
    /// A `connect` of a call to our number, with this offer.
    pub fn connect(call: &str, offer: &str) -> Self {
        Self::connect_to(&MetaConfig::default().phone_number_id, call, offer)
    }

    /// A `connect` of a call to a number, with this offer.
    pub fn connect_to(number: &str, call: &str, offer: &str) -> Self {
        Self::about(
            number,
            json!({"id": call, "event": "connect", "from": "919900000001", "timestamp": stamp(),
            "direction": "USER_INITIATED", "session": {"sdp_type": "offer", "sdp": offer}}),
        )
    }

    /// A `terminate` of a call to our number.
    pub fn terminate(call: &str) -> Self {
        Self::about(
            &MetaConfig::default().phone_number_id,
            json!({"id": call, "event": "terminate",
            "status": "COMPLETED", "from": "919900000001", "timestamp": stamp()}),
        )
    }

    /// Any bytes, signed by Meta.
    pub fn signed(body: impl Into<String>) -> Self {
        let body = body.into();
        Self { signature: Some(sign(&MetaConfig::default().app_secret, &body)), body }
    }

    /// A webhook of `fixtures/whatsapp`, stamped now, with some words replaced.
    ///
    /// # Panics
    /// When there is no such webhook, or a word to replace is not in it.
    pub fn fixture(name: &str, instead: &[(&str, &str)]) -> Self {
        let path = root().join("fixtures/whatsapp").join(format!("{name}.json"));
        let body = std::fs::read_to_string(path).expect("there is such a webhook");
        let replaced = instead.iter().fold(body, |body, (word, other)| {
            assert!(body.contains(word), "{name} has no {word}");
            body.replace(word, other)
        });
        Self::signed(replaced.replace("1795305600", &stamp()))
    }

    /// The same, signed with another secret.
    #[must_use]
    pub fn forged(self) -> Self {
        Self { signature: Some(sign("another secret", &self.body)), ..self }
    }

    /// The same, unsigned.
    #[must_use]
    pub fn unsigned(self) -> Self {
        Self { signature: None, ..self }
    }

    /// Posts it, and returns the status of the reply.
    pub async fn post(&self, story: &Story) -> u16 {
        let request = self.request(&client(), &story.webhook_url());
        request.send().await.expect("the webhook answers").status().as_u16()
    }

    /// Returns the request that posts it.
    pub fn request(&self, client: &reqwest::Client, url: &str) -> reqwest::RequestBuilder {
        let request = client.post(url).header("content-type", "application/json");
        let request = match &self.signature {
            Some(signature) => request.header("x-hub-signature-256", signature),
            None => request,
        };
        request.body(self.body.clone())
    }

    fn about(number: &str, call: Value) -> Self {
        let value = json!({"messaging_product": "whatsapp", "metadata": {"phone_number_id": number}, "calls": [call]});
        let change = json!({"field": "calls", "value": value});
        Self::signed(
            json!({"object": "whatsapp_business_account", "entry": [{"changes": [change]}]}).to_string(),
        )
    }
}

/// Returns the time as Meta stamps it, in seconds. A `connect` that is minutes old is not answered.
fn stamp() -> String {
    (service::time::now_ms() / 1_000).to_string()
}

/// Returns an HTTP client without a proxy.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("there is an HTTP client")
}

fn sign(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}
