//! The four requests about a call: their paths and bodies.

use crate::CallId;
use serde_json::{Value, json};

/// A request about a call.
#[derive(Debug, Clone, PartialEq)]
pub enum CallRequest {
    /// Answers the call, with a session that says nothing yet.
    Accept(AcceptedAs),
    /// Refuses the call with a SIP status code.
    Reject {
        /// The code that the carrier gets, 300 to 699.
        status_code: u16,
    },
    /// Asks the carrier to transfer the call; a success does not mean that it did.
    Refer {
        /// A `tel:` or `sip:` address.
        target: String,
    },
    /// Ends the call.
    Hangup,
}

/// The least that a session must be accepted with. The one who holds the sideband configures the rest, in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedAs {
    /// The model.
    pub model: String,
    /// The voice, which cannot change once it has spoken.
    pub voice: String,
    /// Whether to ask that the model answers nothing by itself before it is configured. Left out, it may speak too early.
    pub is_held_back: bool,
}

impl CallRequest {
    /// Returns the path of the request, below the API's base URL.
    pub fn path(&self, call: &CallId) -> String {
        let action = match self {
            Self::Accept(_) => "accept",
            Self::Reject { .. } => "reject",
            Self::Refer { .. } => "refer",
            Self::Hangup => "hangup",
        };
        format!("/v1/realtime/calls/{}/{action}", call.as_str())
    }

    /// Returns the body, if the request has one.
    pub fn body(&self) -> Option<Value> {
        match self {
            Self::Accept(session) => Some(session.body()),
            Self::Reject { status_code } => Some(json!({"status_code": status_code})),
            Self::Refer { target } => Some(json!({"target_uri": target})),
            Self::Hangup => None,
        }
    }
}

impl AcceptedAs {
    fn body(&self) -> Value {
        let mut session = json!({"type": "realtime", "model": self.model, "audio": {"output": {"voice": voice(&self.voice)}}});
        if self.is_held_back {
            session["audio"]["input"] =
                json!({"turn_detection": {"type": "server_vad", "create_response": false}});
        }
        session
    }
}

/// Returns a voice as OpenAI takes it: one of its own by name, a custom one by id.
fn voice(voice: &str) -> Value {
    if voice.starts_with("voice_") { json!({"id": voice}) } else { json!(voice) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_has_its_path_and_body() {
        let call = CallId::parse("rtc_1").expect("it is an id");
        let accept =
            CallRequest::Accept(AcceptedAs { model: "m".into(), voice: "marin".into(), is_held_back: true });
        let session = json!({"type": "realtime", "model": "m", "audio": {
            "input": {"turn_detection": {"type": "server_vad", "create_response": false}}, "output": {"voice": "marin"}}});
        let refer = CallRequest::Refer { target: "tel:+35621000000".into() };

        for (request, action, body) in [
            (accept, "accept", Some(session)),
            (CallRequest::Reject { status_code: 486 }, "reject", Some(json!({"status_code": 486}))),
            (refer, "refer", Some(json!({"target_uri": "tel:+35621000000"}))),
            (CallRequest::Hangup, "hangup", None),
        ] {
            assert_eq!(request.path(&call), format!("/v1/realtime/calls/rtc_1/{action}"));
            assert_eq!(request.body(), body);
        }
    }

    #[test]
    fn a_custom_voice_goes_by_its_id() {
        let accept = AcceptedAs { model: "m".into(), voice: "voice_1".into(), is_held_back: false };

        assert_eq!(accept.body()["audio"], json!({"output": {"voice": {"id": "voice_1"}}}));
    }
}
