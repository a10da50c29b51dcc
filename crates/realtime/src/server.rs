//! What the model's server says, as far as we listen. Servers send more events and more fields than their types
//! promise: whatever is not here is [`ServerEvent::Other`].

use serde::Deserialize;

/// A server event.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "type")]
#[allow(missing_docs, reason = "the fields are OpenAI's")]
pub enum ServerEvent {
    #[serde(rename = "session.created")]
    SessionCreated { session: SessionInfo },
    #[serde(rename = "session.updated")]
    SessionUpdated { session: SessionInfo },
    #[serde(rename = "input_audio_buffer.speech_started")]
    SpeechStarted {},
    #[serde(rename = "input_audio_buffer.speech_stopped")]
    SpeechStopped {},
    #[serde(rename = "response.created")]
    ResponseCreated { response: Response },
    #[serde(rename = "response.output_audio.delta")]
    AudioDelta { response_id: String, item_id: String, delta: String },
    #[serde(rename = "response.output_audio.done")]
    AudioDone { item_id: String },
    #[serde(rename = "response.done")]
    ResponseDone { response: Response },
    #[serde(rename = "error")]
    Error { error: ErrorInfo },
    #[serde(other)]
    Other,
}

/// The session, as the server tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct SessionInfo {
    /// When it ends, seconds since 1970.
    pub expires_at: Option<u64>,
}

/// A response, as the server tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Response {
    /// Its id.
    pub id: String,
    /// `in_progress`, `completed`, `cancelled`, `failed` or `incomplete`.
    pub status: String,
    /// Why, when it is not completed.
    pub status_details: Option<StatusDetails>,
}

/// Why a response is not completed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct StatusDetails {
    /// When it failed.
    pub error: Option<ErrorInfo>,
}

/// An error of OpenAI's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ErrorInfo {
    /// Such as `invalid_request_error`.
    pub r#type: Option<String>,
    /// Such as `insufficient_quota`.
    pub code: Option<String>,
    /// For people.
    pub message: Option<String>,
    /// Our event, if the server says which.
    pub event_id: Option<String>,
}

impl ServerEvent {
    /// Reads an event; one that we cannot read is one that we do not listen to.
    pub fn read(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or(Self::Other)
    }
}
