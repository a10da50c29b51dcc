//! Posts an event that is about no call to the SIP line's webhook, signed as OpenAI signs.

use crate::fetched::{FetchError, Fetched};
use crate::sip_line::LineSecret;
use openai_calls::signature;
use reqwest::Client;
use serde_json::json;
use std::time::Duration;

/// How long OpenAI may wait for a webhook; "a few seconds".
const TIMEOUT: Duration = Duration::from_secs(10);

/// A secret that no line has.
const STRANGER: &str = "whsec_bm90IHRoZSB3ZWJob29rIHNlY3JldA==";

/// Whose secret signs a probe.
#[derive(Debug, Clone, Copy)]
pub(super) enum Signer<'a> {
    /// The one in the line's secret.
    Stored(&'a Fetched<LineSecret>),
    /// Another one.
    Stranger,
}

/// Posts the event. Returns the status of the webhook's answer.
pub(super) async fn post(url: &Fetched<String>, signer: Signer<'_>) -> Fetched<u16> {
    let url = url.as_ref().map_err(Clone::clone)?;
    let secret = signer.secret()?;
    let now_ms = service::time::now_ms();
    let (id, timestamp) = (format!("wh_ahoy_probe_{now_ms}"), (now_ms / 1_000).to_string());
    let body = json!({"object": "event", "id": "evt_ahoy_probe", "type": "ahoy.probe",
        "created_at": now_ms / 1_000, "data": {}});
    let body = body.to_string();
    let signed = signature::sign(&id, &timestamp, body.as_bytes(), secret);
    let signed = signed.ok_or_else(|| FetchError::because("the webhook secret signs nothing"))?;
    let client = Client::builder().timeout(TIMEOUT).build();
    let client =
        client.map_err(|error| FetchError::because(format!("TLS client cannot be built: {error}")))?;
    let request = client.post(url).header("content-type", "application/json").body(body);
    let request = request.header(signature::ID, id).header(signature::TIMESTAMP, timestamp);
    let reply = request.header(signature::SIGNATURE, signed).send().await;
    let reply = reply.map_err(|error| {
        FetchError::missing(format!("request to the webhook failed: {}", error.without_url()))
    })?;
    Ok(reply.status().as_u16())
}

impl<'a> Signer<'a> {
    fn secret(self) -> Fetched<&'a str> {
        match self {
            Self::Stranger => Ok(STRANGER),
            Self::Stored(Err(error)) => Err(FetchError::because(error.why.clone())),
            Self::Stored(Ok(secret)) => secret
                .webhook_secret()
                .ok_or_else(|| FetchError::because("there is no webhook secret to sign a probe with")),
        }
    }
}
