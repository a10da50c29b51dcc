//! `POST /{version}/{number}/messages`: text messages of the business, taken and remembered.

use super::error::{GraphError, require};
use super::faults;
use super::node_request::{Answer, NodeRequest};
use crate::call_webhooks;
use crate::{InjectedFault, ObservationKind};
use axum::Json;
use axum::body::Bytes;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// How long before its reply Graph sends the webhook of a message that fails at once.
const AHEAD_OF_REPLY: Duration = Duration::from_millis(200);

const LONGEST_TEXT: usize = 4_096;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    messaging_product: String,
    recipient_type: Option<String>,
    to: Option<String>,
    recipient: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    text: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    body: String,
    #[serde(rename = "preview_url")]
    _preview_url: Option<bool>,
}

pub(super) async fn post(asked: NodeRequest, body: Bytes) -> Answer {
    let cloud = asked.cloud.clone();
    let to = parse(&body);
    let call = to.as_ref().ok().and_then(|to| cloud.call_of(to));
    cloud.delay(call.as_deref()).await;
    asked.permit()?;
    let to = to?;
    if let Some(refusal) = call.as_ref().and_then(|call| faults::refusal_of_message(&call.faults)) {
        return Err(refusal);
    }
    let message = serde_json::from_slice(&body)?;
    let id = cloud.remember_message(message, &to);
    cloud.observe(call.as_deref(), ObservationKind::MessageSent);
    if let Some(call) = call {
        if call.faults.has(InjectedFault::MessageFailsAtOnce) {
            tokio::spawn(call_webhooks::message_fails(
                cloud.clone(),
                call.clone(),
                id.clone(),
                Duration::ZERO,
            ));
            // The webhook is under way before the reply is.
            tokio::time::sleep(AHEAD_OF_REPLY).await;
        }
        if call.faults.has(InjectedFault::MessageFails) {
            let later = cloud.config.timers.message_fails;
            tokio::spawn(call_webhooks::message_fails(cloud.clone(), call, id.clone(), later));
        }
    }
    Ok(Json(json!({
        "messaging_product": "whatsapp",
        "contacts": [{ "input": to, "wa_id": to }],
        "messages": [{ "id": id }],
    })))
}

/// Reads the recipient: the number, or else the user id.
fn parse(body: &[u8]) -> Result<String, GraphError> {
    let message: Message = serde_json::from_slice(body)?;
    require(message.messaging_product == "whatsapp", "messaging_product must be whatsapp")?;
    let is_to_one = message.recipient_type.is_none_or(|kind| kind == "individual");
    require(is_to_one && message.kind == "text", "only text to an individual is simulated")?;
    let length = message.text.body.chars().count();
    require((1..=LONGEST_TEXT).contains(&length), "text.body must have 1 to 4096 characters")?;
    message.to.or(message.recipient).ok_or_else(|| GraphError::invalid("to or recipient is required"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn a_number_or_a_user_id_will_do_and_the_number_wins() {
        let to = |to: Value| parse(message(&to).to_string().as_bytes());

        assert_eq!(to(json!({ "to": "919900000001" })), Ok("919900000001".to_owned()));
        assert_eq!(to(json!({ "recipient": "IN.5550" })), Ok("IN.5550".to_owned()));
        let both = to(json!({ "to": "919900000001", "recipient": "IN.5550" }));
        assert_eq!(both, Ok("919900000001".to_owned()));
        assert!(to(json!({})).is_err());
    }

    #[test]
    fn refuses_unknown_keys_and_empty_or_endless_text() {
        let refused = |key: &str, value: Value| {
            let mut body = message(&json!({ "to": "1" }));
            body[key] = value;
            parse(body.to_string().as_bytes()).is_err_and(|error| error.code == 100)
        };

        assert!(refused("priority", json!(1)));
        assert!(refused("text", json!({ "body": "" })));
        assert!(refused("text", json!({ "body": "x".repeat(4_097) })));
        assert!(refused("text", json!({ "body": "x", "font": "serif" })));
        assert!(refused("type", json!("image")));
    }

    fn message(to: &Value) -> Value {
        let mut body =
            json!({ "messaging_product": "whatsapp", "type": "text", "text": { "body": "Sorry" } });
        for (key, value) in to.as_object().unwrap() {
            body[key] = value.clone();
        }
        body
    }
}
