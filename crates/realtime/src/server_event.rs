//! The server events of the Realtime API that are handled.
//!
//! Servers send more events and fields than their types promise: events that are not listed here are [`ServerEvent::Other`].

mod reading;

use crate::{ItemId, Redacted, ResponseId, ToolCallId};
use reading::{given, seconds, word, words};
use serde::Deserialize;
use serde_json::Value;

/// A server event, named as OpenAI names it.
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
        item_id: ItemId,
    },
    #[serde(rename = "input_audio_buffer.speech_stopped")]
    SpeechStopped {
        #[serde(default, deserialize_with = "given")]
        item_id: ItemId,
    },
    /// The idle timer expired: the server takes the silence for a turn.
    #[serde(rename = "input_audio_buffer.timeout_triggered")]
    IdleTimeout {
        #[serde(default, deserialize_with = "given")]
        item_id: ItemId,
    },
    #[serde(rename = "input_audio_buffer.committed")]
    Committed {
        #[serde(default, deserialize_with = "given")]
        item_id: ItemId,
    },
    /// Some servers send only one of the three.
    #[serde(
        rename = "conversation.item.added",
        alias = "conversation.item.created",
        alias = "conversation.item.done"
    )]
    ItemAdded { item: Item },
    #[serde(rename = "conversation.item.input_audio_transcription.completed")]
    TranscriptionCompleted {
        #[serde(default, deserialize_with = "given")]
        item_id: ItemId,
        #[serde(default, deserialize_with = "given")]
        transcript: Redacted<String>,
        usage: Option<Value>,
    },
    #[serde(rename = "conversation.item.input_audio_transcription.failed")]
    TranscriptionFailed {
        #[serde(default, deserialize_with = "given")]
        item_id: ItemId,
        #[serde(default, deserialize_with = "given")]
        error: ErrorInfo,
    },
    #[serde(rename = "response.created")]
    ResponseCreated { response: Response },
    #[serde(rename = "response.output_item.added")]
    OutputItemAdded { response_id: ResponseId, item: Item },
    #[serde(rename = "response.output_item.done")]
    OutputItemDone { response_id: ResponseId, item: Item },
    #[serde(rename = "response.output_audio.delta")]
    AudioDelta { response_id: ResponseId, item_id: ItemId, delta: Redacted<String> },
    #[serde(rename = "response.output_audio.done")]
    AudioDone { response_id: ResponseId, item_id: ItemId },
    #[serde(rename = "response.output_audio_transcript.delta")]
    TranscriptDelta { response_id: ResponseId, item_id: ItemId, delta: Redacted<String> },
    #[serde(rename = "response.output_audio_transcript.done")]
    TranscriptDone { response_id: ResponseId, item_id: ItemId, transcript: Redacted<String> },
    #[serde(rename = "response.mcp_call.in_progress")]
    McpStarted { item_id: ItemId },
    #[serde(rename = "response.mcp_call.completed")]
    McpCompleted { item_id: ItemId },
    #[serde(rename = "response.mcp_call.failed")]
    McpFailed { item_id: ItemId },
    #[serde(rename = "mcp_list_tools.completed")]
    McpToolsListed { item_id: ItemId },
    #[serde(rename = "mcp_list_tools.failed")]
    McpToolListingFailed { item_id: ItemId },
    /// Playback of a response to the caller began. This and the next two only where the service carries the audio.
    #[serde(rename = "output_audio_buffer.started")]
    PlaybackStarted { response_id: ResponseId },
    /// All of a response was played.
    #[serde(rename = "output_audio_buffer.stopped")]
    PlaybackStopped { response_id: ResponseId },
    /// The rest of a response was discarded.
    #[serde(rename = "output_audio_buffer.cleared")]
    PlaybackCleared { response_id: ResponseId },
    #[serde(rename = "conversation.item.truncated")]
    ItemTruncated { item_id: ItemId, audio_end_ms: u64 },
    /// The caller of a SIP call pressed a key.
    #[serde(rename = "input_audio_buffer.dtmf_event_received")]
    KeyPressed { event: Redacted<String> },
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
    /// Any other event, and any that cannot be read.
    #[serde(skip)]
    Other {
        /// The response it names, which the event shows to be in progress.
        response_id: Option<ResponseId>,
    },
}

/// The session as the server describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct SessionInfo {
    /// When the session expires, in seconds since 1970.
    #[serde(deserialize_with = "seconds")]
    pub expires_at: Option<u64>,
}

/// An item of the conversation as the server describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Item {
    /// The id of the item.
    pub id: Option<ItemId>,
    /// `message`, `function_call`, `function_call_output`, or a type of hosted MCP (`mcp_…`).
    pub r#type: String,
    /// `completed`, `incomplete` or `in_progress`.
    pub status: Option<String>,
    /// The id of a function call, in the call and in its output.
    pub call_id: Option<ToolCallId>,
    /// The name of the called function or tool.
    pub name: Option<String>,
    /// The arguments of a call, raw JSON text.
    pub arguments: Option<Redacted<String>>,
    /// The parts of a message, which can hold its transcript.
    pub content: Redacted<Value>,
    /// The label of the MCP server in the session's configuration.
    pub server_label: Option<String>,
    /// The output of a hosted MCP call.
    pub output: Redacted<Value>,
    /// The error of a hosted MCP call.
    pub error: Redacted<Value>,
}

/// A response as the server describes it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Response {
    /// The id of the response.
    pub id: ResponseId,
    /// `in_progress`, `completed`, `cancelled`, `failed` or `incomplete`.
    pub status: String,
    /// Details of a status other than `completed`.
    pub status_details: Option<StatusDetails>,
    /// The metadata of our `response.create`, if we requested it.
    pub metadata: Option<Value>,
    /// The items of the response, without their audio.
    pub output: Option<Vec<Item>>,
    /// The tokens that the response used.
    pub usage: Option<Value>,
}

/// Why a response has a status other than `completed`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct StatusDetails {
    /// The reason if it is incomplete or cancelled, such as `max_output_tokens`.
    #[serde(deserialize_with = "word")]
    pub reason: Option<String>,
    /// The error if it failed.
    pub error: Option<ErrorInfo>,
}

/// The state of one rate limit.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct RateLimit {
    /// The remaining requests or tokens.
    pub remaining: Option<f64>,
    /// The time until the limit is fully reset, in seconds.
    pub reset_seconds: Option<f64>,
}

/// An error as OpenAI reports it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ErrorInfo {
    /// The type, such as `invalid_request_error`.
    #[serde(deserialize_with = "word")]
    pub r#type: Option<String>,
    /// The code, such as `insufficient_quota`.
    #[serde(deserialize_with = "word")]
    pub code: Option<String>,
    /// The message for people, which can quote what was sent.
    #[serde(deserialize_with = "words")]
    pub message: Option<Redacted<String>>,
    /// The path of the wrong parameter.
    #[serde(deserialize_with = "word")]
    pub param: Option<String>,
    /// The id of our event that caused it, if the server gives it.
    #[serde(deserialize_with = "word")]
    pub event_id: Option<String>,
}

impl ServerEvent {
    /// Returns the response that this event shows to be in progress.
    pub(crate) fn response(&self) -> Option<&ResponseId> {
        match self {
            Self::ResponseCreated { response } | Self::ResponseDone { response } => Some(&response.id),
            Self::OutputItemAdded { response_id, .. }
            | Self::OutputItemDone { response_id, .. }
            | Self::AudioDelta { response_id, .. }
            | Self::AudioDone { response_id, .. }
            | Self::TranscriptDelta { response_id, .. }
            | Self::TranscriptDone { response_id, .. }
            | Self::PlaybackStarted { response_id }
            | Self::PlaybackStopped { response_id }
            | Self::PlaybackCleared { response_id } => Some(response_id),
            Self::Other { response_id } => response_id.as_ref(),
            Self::SessionCreated { .. }
            | Self::SessionUpdated { .. }
            | Self::SpeechStarted { .. }
            | Self::SpeechStopped { .. }
            | Self::IdleTimeout { .. }
            | Self::Committed { .. }
            | Self::ItemAdded { .. }
            | Self::TranscriptionCompleted { .. }
            | Self::TranscriptionFailed { .. }
            | Self::McpStarted { .. }
            | Self::McpCompleted { .. }
            | Self::McpFailed { .. }
            | Self::McpToolsListed { .. }
            | Self::McpToolListingFailed { .. }
            | Self::ItemTruncated { .. }
            | Self::KeyPressed { .. }
            | Self::RateLimits { .. }
            | Self::Error { .. } => None,
        }
    }
}

impl ErrorInfo {
    /// Whether its type says that the request was wrong, and not the service.
    pub(crate) fn is_about_the_request(&self) -> bool {
        self.r#type.as_deref().is_none_or(|kind| kind == "invalid_request_error")
    }

    /// Whether it names `response.create`.
    pub(crate) fn names_response_create(&self) -> bool {
        let words = [self.param.as_deref(), self.message.as_ref().map(|message| message.as_str())];
        words.into_iter().flatten().any(|words| words.contains("response.create"))
    }
}

impl Item {
    /// Whether the item is complete.
    pub(crate) fn is_complete(&self) -> bool {
        self.status.as_deref().is_none_or(|status| status == "completed")
    }

    /// Whether it is an item of hosted MCP.
    pub(crate) fn is_hosted(&self) -> bool {
        self.r#type.starts_with("mcp_")
    }

    /// Returns the transcript of a message, as far as its parts hold it.
    pub(crate) fn words(&self) -> String {
        let parts = self.content.0.as_array().into_iter().flatten();
        parts.filter_map(|part| part.get("transcript")?.as_str()).collect()
    }
}

impl Response {
    /// Returns the id of the client event that requested the response, if we did.
    pub(crate) fn client_event_id(&self) -> Option<&str> {
        self.metadata.as_ref()?.get("client_event_id")?.as_str()
    }

    /// Returns the reason why it is incomplete or cancelled, if given.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.status_details.as_ref()?.reason.as_deref()
    }

    /// Returns the error if it failed and gives one.
    pub(crate) fn error(&self) -> Option<ErrorInfo> {
        self.status_details.as_ref()?.error.clone()
    }
}
