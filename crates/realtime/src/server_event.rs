//! What the model's server says, as far as we listen. Servers send more events and more fields than their types
//! promise: whatever is not here is [`ServerEvent::Other`].

use crate::Redacted;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::borrow::Cow;

const AUDIO_DELTA: &str = "response.output_audio.delta";

/// A server event.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "type")]
#[allow(missing_docs, reason = "the fields are OpenAI's")]
pub enum ServerEvent {
    #[serde(rename = "session.created")]
    SessionCreated {
        #[serde(default, deserialize_with = "given")]
        session: SessionInfo,
    },
    #[serde(rename = "session.updated")]
    SessionUpdated {
        #[serde(default, deserialize_with = "given")]
        session: SessionInfo,
    },
    #[serde(rename = "input_audio_buffer.speech_started")]
    SpeechStarted {
        #[serde(default, deserialize_with = "given")]
        item_id: String,
    },
    #[serde(rename = "input_audio_buffer.speech_stopped")]
    SpeechStopped {
        #[serde(default, deserialize_with = "given")]
        item_id: String,
    },
    /// The caller said nothing for as long as the session allows: the silence is a turn.
    #[serde(rename = "input_audio_buffer.timeout_triggered")]
    SilenceTaken {
        #[serde(default, deserialize_with = "given")]
        item_id: String,
    },
    #[serde(rename = "input_audio_buffer.committed")]
    Committed {
        #[serde(default, deserialize_with = "given")]
        item_id: String,
    },
    /// Some servers say only one of the three.
    #[serde(
        rename = "conversation.item.added",
        alias = "conversation.item.created",
        alias = "conversation.item.done"
    )]
    ItemAdded { item: Item },
    #[serde(rename = "conversation.item.input_audio_transcription.completed")]
    Transcribed {
        #[serde(default, deserialize_with = "given")]
        item_id: String,
        #[serde(default, deserialize_with = "given")]
        transcript: Redacted<String>,
        usage: Option<Value>,
    },
    #[serde(rename = "conversation.item.input_audio_transcription.failed")]
    TranscriptionFailed {
        #[serde(default, deserialize_with = "given")]
        item_id: String,
        #[serde(default, deserialize_with = "given")]
        error: ErrorInfo,
    },
    #[serde(rename = "response.created")]
    ResponseCreated { response: Response },
    #[serde(rename = "response.output_item.added")]
    OutputItemAdded { response_id: String, item: Item },
    #[serde(rename = "response.output_item.done")]
    OutputItemDone { response_id: String, item: Item },
    #[serde(rename = "response.output_audio.delta")]
    AudioDelta { response_id: String, item_id: String, delta: Redacted<String> },
    #[serde(rename = "response.output_audio.done")]
    AudioDone { response_id: String, item_id: String },
    #[serde(rename = "response.output_audio_transcript.delta")]
    WordsDelta { response_id: String, item_id: String, delta: Redacted<String> },
    #[serde(rename = "response.output_audio_transcript.done")]
    WordsDone { response_id: String, item_id: String, transcript: Redacted<String> },
    #[serde(rename = "response.mcp_call.in_progress")]
    McpStarted { item_id: String },
    #[serde(rename = "response.mcp_call.completed")]
    McpCompleted { item_id: String },
    #[serde(rename = "response.mcp_call.failed")]
    McpFailed { item_id: String },
    #[serde(rename = "mcp_list_tools.completed")]
    McpListed { item_id: String },
    #[serde(rename = "mcp_list_tools.failed")]
    McpUnlisted { item_id: String },
    #[serde(rename = "rate_limits.updated")]
    RateLimits {
        #[serde(default)]
        rate_limits: Vec<RateLimit>,
    },
    #[serde(rename = "response.done")]
    ResponseDone { response: Response },
    #[serde(rename = "error")]
    Error {
        #[serde(default, deserialize_with = "given")]
        error: ErrorInfo,
    },
    /// Anything else.
    #[serde(skip)]
    Other {
        /// The response that it shows to be alive, if it names one.
        response_id: Option<String>,
    },
}

/// The session, as the server tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct SessionInfo {
    /// When it ends, seconds since 1970.
    #[serde(deserialize_with = "seconds")]
    pub expires_at: Option<u64>,
}

/// An item of the conversation, as the server tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Item {
    /// Its id.
    pub id: Option<String>,
    /// `message`, `function_call`, `function_call_output` or of hosted MCP.
    pub r#type: String,
    /// `completed`, `incomplete` or `in_progress`.
    pub status: Option<String>,
    /// Of a function call and its output.
    pub call_id: Option<String>,
    /// Of a call.
    pub name: Option<String>,
    /// Of a call: raw JSON text.
    pub arguments: Option<Redacted<String>>,
    /// Of a message: its parts, which can hold the words.
    pub content: Redacted<Value>,
    /// Of hosted MCP: the server, as the session names it.
    pub server_label: Option<String>,
    /// Of hosted MCP: what the tool answered.
    pub output: Redacted<Value>,
    /// Of hosted MCP: why it failed.
    pub error: Redacted<Value>,
}

/// A response, as the server tells it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Response {
    /// Its id.
    pub id: String,
    /// `in_progress`, `completed`, `cancelled`, `failed` or `incomplete`.
    pub status: String,
    /// Why, when it is not completed.
    pub status_details: Option<StatusDetails>,
    /// What we put on it when we asked for it.
    pub metadata: Option<Value>,
    /// Its items, without their sound.
    pub output: Option<Vec<Item>>,
    /// What it took.
    pub usage: Option<Value>,
}

/// Why a response is not completed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct StatusDetails {
    /// Such as `max_output_tokens`, when it is incomplete or cancelled.
    #[serde(deserialize_with = "word")]
    pub reason: Option<String>,
    /// When it failed.
    pub error: Option<ErrorInfo>,
}

/// How much of a limit is left.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct RateLimit {
    /// How much is left.
    pub remaining: Option<f64>,
    /// When all of it is there again, seconds.
    pub reset_seconds: Option<f64>,
}

/// An error of OpenAI's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ErrorInfo {
    /// Such as `invalid_request_error`.
    #[serde(deserialize_with = "word")]
    pub r#type: Option<String>,
    /// Such as `insufficient_quota`.
    #[serde(deserialize_with = "word")]
    pub code: Option<String>,
    /// For people.
    #[serde(deserialize_with = "words")]
    pub message: Option<Redacted<String>>,
    /// What of it was wrong, by its path.
    #[serde(deserialize_with = "word")]
    pub param: Option<String>,
    /// Our event, if the server says which.
    #[serde(deserialize_with = "word")]
    pub event_id: Option<String>,
}

/// A number of whole seconds, however it is written. What is none must not cost us the event it is in.
fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let value = Value::deserialize(from)?;
    let whole = value.as_u64();
    Ok(whole.or_else(|| value.as_f64().filter(|seconds| *seconds >= 0.0).map(|seconds| seconds as u64)))
}

/// A word, or a number instead of one.
fn word<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(word) => Some(word),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    })
}

/// The same, where it can quote what we sent.
fn words<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Redacted<String>>, D::Error> {
    Ok(word(from)?.map(Redacted))
}

/// What is given, or nothing where null is: a field without a value must not cost the event it is in.
fn given<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

impl ServerEvent {
    /// Reads an event; one that we cannot read is one that we do not listen to.
    pub fn read(json: &str) -> Self {
        read_sound(json).unwrap_or_else(|| Self::read_any(json))
    }

    fn read_any(json: &str) -> Self {
        let Ok(value) = serde_json::from_str::<Value>(json) else { return Self::Other { response_id: None } };
        let response_id = value.get("response_id").and_then(Value::as_str).map(str::to_owned);
        serde_json::from_value(value).unwrap_or(Self::Other { response_id })
    }

    /// The response that this event shows to be alive.
    pub(crate) fn response(&self) -> Option<&str> {
        match self {
            Self::ResponseCreated { response } | Self::ResponseDone { response } => Some(&response.id),
            Self::OutputItemAdded { response_id, .. }
            | Self::OutputItemDone { response_id, .. }
            | Self::AudioDelta { response_id, .. }
            | Self::AudioDone { response_id, .. }
            | Self::WordsDelta { response_id, .. }
            | Self::WordsDone { response_id, .. } => Some(response_id),
            Self::Other { response_id } => response_id.as_deref(),
            Self::SessionCreated { .. }
            | Self::SessionUpdated { .. }
            | Self::SpeechStarted { .. }
            | Self::SpeechStopped { .. }
            | Self::SilenceTaken { .. }
            | Self::Committed { .. }
            | Self::ItemAdded { .. }
            | Self::Transcribed { .. }
            | Self::TranscriptionFailed { .. }
            | Self::McpStarted { .. }
            | Self::McpCompleted { .. }
            | Self::McpFailed { .. }
            | Self::McpListed { .. }
            | Self::McpUnlisted { .. }
            | Self::RateLimits { .. }
            | Self::Error { .. } => None,
        }
    }
}

/// Sound is most of what comes, and large: it is read without a copy of it for each layer.
fn read_sound(json: &str) -> Option<ServerEvent> {
    #[derive(Deserialize)]
    struct Sound<'a> {
        r#type: &'a str,
        #[serde(borrow)]
        response_id: Cow<'a, str>,
        #[serde(borrow)]
        item_id: Cow<'a, str>,
        #[serde(borrow)]
        delta: Cow<'a, str>,
    }
    if !json.contains(AUDIO_DELTA) {
        return None;
    }
    let sound: Sound = serde_json::from_str(json).ok()?;
    (sound.r#type == AUDIO_DELTA).then(|| ServerEvent::AudioDelta {
        response_id: sound.response_id.into_owned(),
        item_id: sound.item_id.into_owned(),
        delta: Redacted(sound.delta.into_owned()),
    })
}

impl ErrorInfo {
    /// Whether its type says that what we sent was wrong, and not the service.
    pub(crate) fn is_about_the_request(&self) -> bool {
        self.r#type.as_deref().is_none_or(|kind| kind == "invalid_request_error")
    }

    /// Whether it says that it is about our asking for a response.
    pub(crate) fn names_asking(&self) -> bool {
        let words = [self.param.as_deref(), self.message.as_ref().map(|message| message.as_str())];
        words.into_iter().flatten().any(|words| words.contains("response.create"))
    }
}

impl Item {
    /// Whether all of it has come.
    pub(crate) fn is_whole(&self) -> bool {
        self.status.as_deref().is_none_or(|status| status == "completed")
    }

    /// Whether it is of hosted MCP.
    pub(crate) fn is_hosted(&self) -> bool {
        self.r#type.starts_with("mcp_")
    }

    /// The words of a message, as far as it brings them.
    pub(crate) fn words(&self) -> String {
        let parts = self.content.0.as_array().into_iter().flatten();
        parts.filter_map(|part| part.get("transcript")?.as_str()).collect()
    }
}

impl Response {
    /// Our name for the event that asked for it, if we did.
    pub(crate) fn asked_by(&self) -> Option<&str> {
        self.metadata.as_ref()?.get("client_event_id")?.as_str()
    }

    /// Why it is incomplete or cancelled, if it says so.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.status_details.as_ref()?.reason.as_deref()
    }

    /// Why it failed, if it did and says so.
    pub(crate) fn error(&self) -> Option<ErrorInfo> {
        self.status_details.as_ref()?.error.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sound_is_read_as_any_event_is() {
        let delta = r#"{"type": "response.output_audio.delta", "event_id": "e", "response_id": "r",
            "item_id": "i", "output_index": 0, "content_index": 0, "delta": "AAD\/+w=="}"#;
        assert_eq!(read_sound(delta), Some(ServerEvent::read_any(delta)));

        let words = r#"{"type": "error", "response_id": "r", "item_id": "i", "delta": "response.output_audio.delta"}"#;
        assert_eq!((read_sound(words), ServerEvent::read(words)), (None, ServerEvent::read_any(words)));
    }

    #[test]
    fn a_null_costs_no_event() {
        let read = |event: Value| ServerEvent::read(&event.to_string());
        for kind in ["speech_started", "speech_stopped", "committed"] {
            for event in [json!({"item_id": null}), json!({})] {
                let mut event = event;
                event["type"] = json!(format!("input_audio_buffer.{kind}"));
                assert!(!matches!(read(event), ServerEvent::Other { .. }), "{kind}");
            }
        }
        let kind = "conversation.item.input_audio_transcription";
        for event in [
            json!({"type": "error", "error": null}),
            json!({"type": "error", "error": {"type": 7, "message": ["x"], "event_id": 3}}),
            json!({"type": "session.updated", "session": null}),
            json!({"type": format!("{kind}.completed"), "item_id": null, "transcript": null}),
            json!({"type": format!("{kind}.failed"), "item_id": null, "error": null}),
        ] {
            assert!(!matches!(read(event.clone()), ServerEvent::Other { .. }), "{event}");
        }
    }

    #[test]
    fn numbers_written_otherwise_are_read_and_cost_no_event() {
        let end = |at: Value| {
            let event = json!({"type": "session.updated", "session": {"expires_at": at}});
            match ServerEvent::read(&event.to_string()) {
                ServerEvent::SessionUpdated { session } => Some(session.expires_at),
                _ => None,
            }
        };
        let ends = [json!(7), json!(7.9), json!("soon"), json!(-1), Value::Null].map(end);
        assert_eq!(ends, [Some(Some(7)), Some(Some(7)), Some(None), Some(None), Some(None)]);

        let error = ServerEvent::read(r#"{"type": "error", "error": {"code": 429, "message": "x"}}"#);
        assert!(matches!(error, ServerEvent::Error { error } if error.code.as_deref() == Some("429")));
    }
}
