//! OpenAI's webhook events, of which one matters here: a call comes in.

use crate::{CallId, CallParties, SipHeader};
use serde::Deserialize;
use serde_json::Value;
use std::fmt;

/// The type of the event of an incoming call.
const INCOMING: &str = "realtime.call.incoming";

/// An event that OpenAI posts to the webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookEvent {
    /// A call waits to be accepted or rejected.
    Incoming(IncomingCall),
    /// The event of an incoming call without a call that could exist: the dashboard's test event.
    Test,
    /// Anything else that comes to the project's webhooks, which is none of our business.
    Other,
}

/// A call that waits to be accepted or rejected.
#[derive(Clone, PartialEq, Eq)]
pub struct IncomingCall {
    /// OpenAI's id of the call.
    pub id: CallId,
    /// When the call came in, seconds since 1970; 0 when OpenAI does not say, which is long ago.
    pub created_at: u64,
    /// Whether the trunk sends its audio in the clear (`rtp`), which may be why a call is silent.
    pub is_insecure: bool,
    /// Who calls whom.
    pub parties: CallParties,
}

impl fmt::Debug for IncomingCall {
    /// Leaves out the call's id and parties.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IncomingCall")
            .field("created_at", &self.created_at)
            .field("is_insecure", &self.is_insecure)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "type", default)]
    kind: Value,
    #[serde(default)]
    created_at: Value,
    #[serde(default)]
    data: Value,
}

impl WebhookEvent {
    /// Reads a signed body. What cannot be read is [`WebhookEvent::Other`]: sending it again would not help.
    pub fn read(body: &[u8]) -> Self {
        let Ok(event) = serde_json::from_slice::<Envelope>(body) else { return Self::Other };
        if event.kind != INCOMING {
            return Self::Other;
        }
        let Some(id) = event.data["call_id"].as_str().and_then(CallId::parse) else { return Self::Test };
        let headers = event.data["sip_headers"].as_array().into_iter().flatten();
        // A header that is not one must not cost the others.
        let headers: Vec<SipHeader> =
            headers.filter_map(|header| SipHeader::deserialize(header).ok()).collect();
        Self::Incoming(IncomingCall {
            id,
            created_at: event.created_at.as_u64().unwrap_or_default(),
            is_insecure: event.data["sip_media_security"] == "rtp",
            parties: CallParties::read(&headers),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_an_incoming_call() {
        let WebhookEvent::Incoming(call) =
            WebhookEvent::read(include_bytes!("../../../fixtures/openai-calls/incoming.json"))
        else {
            panic!("it is an incoming call");
        };

        assert_eq!(
            (call.id.as_str(), call.created_at, call.is_insecure),
            ("rtc_u1_0123456789abcdef", 1_750_287_018, false)
        );
        assert_eq!(call.parties.dialled.as_deref(), Some("35621000000"));
    }

    #[test]
    fn odd_parts_of_an_event_do_not_cost_the_call() {
        let headers =
            json!([7, {"name": "From"}, {"name": "From", "value": "<sip:+35699000001@a>", "more": 1}, null]);
        let data =
            json!({"call_id": "rtc_1", "sip_headers": headers, "sip_media_security": "rtp", "more": {}});
        let event = json!({"type": INCOMING, "created_at": "soon", "data": data, "more": []});

        let WebhookEvent::Incoming(call) = WebhookEvent::read(event.to_string().as_bytes()) else {
            panic!("it is an incoming call");
        };

        assert_eq!(
            (call.created_at, call.is_insecure, call.parties.caller.as_deref()),
            (0, true, Some("35699000001"))
        );
    }

    #[test]
    fn a_test_event_and_others_are_no_call() {
        for (event, read) in [
            (json!({"type": INCOMING, "data": {}}), WebhookEvent::Test),
            (json!({"type": INCOMING}), WebhookEvent::Test),
            (json!({"type": INCOMING, "data": {"call_id": "rtc_a/../b"}}), WebhookEvent::Test),
            (json!({"type": "batch.completed", "data": {"call_id": "rtc_1"}}), WebhookEvent::Other),
            (json!({"type": "live.call.incoming", "data": {"call_id": "rtc_1"}}), WebhookEvent::Other),
            (json!({"type": 7}), WebhookEvent::Other),
            (json!({}), WebhookEvent::Other),
            (json!([]), WebhookEvent::Other),
        ] {
            assert_eq!(WebhookEvent::read(event.to_string().as_bytes()), read, "{event}");
        }
        assert_eq!(WebhookEvent::read(b"no JSON"), WebhookEvent::Other);
    }
}
