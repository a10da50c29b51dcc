//! The client events of the Realtime API.

use crate::{ItemId, Redacted, ResponseId};
use serde::Serialize;
use serde_json::Value;
use std::fmt;

/// A client event, sent to the Realtime API.
#[derive(Clone, PartialEq, Serialize)]
#[serde(tag = "type")]
pub enum ClientEvent {
    /// Configures the session. The server refuses all of it if any part is wrong.
    #[serde(rename = "session.update")]
    SessionUpdate {
        /// The id of this event, which errors refer to.
        event_id: String,
        /// The session, of type `realtime`; keys that are absent stay as they are.
        session: Value,
    },
    /// Appends audio of the caller to the input buffer.
    #[serde(rename = "input_audio_buffer.append")]
    Append {
        /// Base64 of audio in the session's input format.
        audio: Redacted<String>,
    },
    /// Commits the input buffer as a turn of the caller, which alone requests no response.
    #[serde(rename = "input_audio_buffer.commit")]
    Commit {
        /// The id of this event, which errors refer to.
        event_id: String,
    },
    /// Creates an item at the end of the conversation.
    #[serde(rename = "conversation.item.create")]
    ItemCreate {
        /// The id of this event, which errors refer to.
        event_id: String,
        /// A message, a function call or a function call's output.
        item: Redacted<Value>,
    },
    /// Deletes an item from the conversation.
    #[serde(rename = "conversation.item.delete")]
    ItemDelete {
        /// The id of this event, which errors refer to.
        event_id: String,
        /// The id of the item.
        item_id: ItemId,
    },
    /// Truncates an item's audio to what was heard.
    #[serde(rename = "conversation.item.truncate")]
    Truncate {
        /// The id of this event, which errors refer to.
        event_id: String,
        /// The id of the item.
        item_id: ItemId,
        /// Always 0: an audio item has one part.
        content_index: u32,
        /// How much was heard, in ms.
        audio_end_ms: u64,
    },
    /// Requests a response from the model.
    #[serde(rename = "response.create")]
    ResponseCreate {
        /// The id of this event, which errors refer to.
        event_id: String,
        /// The settings that differ from the session's configuration.
        response: Value,
    },
    /// Cancels a response in progress.
    #[serde(rename = "response.cancel")]
    Cancel {
        /// The id of this event, which errors refer to.
        event_id: String,
        /// The id of the response.
        response_id: ResponseId,
    },
    /// Discards the speech that waits to be played to the caller, where the service carries the audio.
    #[serde(rename = "output_audio_buffer.clear")]
    ClearPlayback {
        /// The id of this event, which errors refer to.
        event_id: String,
    },
}

impl ClientEvent {
    /// Returns the event as JSON text.
    pub fn to_json(&self) -> String {
        match self {
            // Nearly all events are of this kind, and base64 needs no escaping.
            Self::Append { audio } => {
                ["{\"type\":\"input_audio_buffer.append\",\"audio\":\"", audio.as_str(), "\"}"].concat()
            }
            Self::SessionUpdate { .. }
            | Self::Commit { .. }
            | Self::ItemCreate { .. }
            | Self::ItemDelete { .. }
            | Self::Truncate { .. }
            | Self::ResponseCreate { .. }
            | Self::Cancel { .. }
            | Self::ClearPlayback { .. } => serde_json::to_string(self).expect("our events have text keys"),
        }
    }
}

impl fmt::Debug for ClientEvent {
    /// Omits the session: its tools may hold the tokens of MCP servers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SessionUpdate { event_id, session: _ } => {
                f.debug_struct("SessionUpdate").field("event_id", event_id).finish_non_exhaustive()
            }
            Self::Append { audio } => f.debug_struct("Append").field("audio", audio).finish(),
            Self::Commit { event_id } => f.debug_struct("Commit").field("event_id", event_id).finish(),
            Self::ItemCreate { event_id, item } => {
                f.debug_struct("ItemCreate").field("event_id", event_id).field("item", item).finish()
            }
            Self::ItemDelete { event_id, item_id } => {
                f.debug_struct("ItemDelete").field("event_id", event_id).field("item_id", item_id).finish()
            }
            Self::Truncate { event_id, item_id, content_index: _, audio_end_ms } => f
                .debug_struct("Truncate")
                .field("event_id", event_id)
                .field("item_id", item_id)
                .field("audio_end_ms", audio_end_ms)
                .finish_non_exhaustive(),
            Self::ResponseCreate { event_id, response } => f
                .debug_struct("ResponseCreate")
                .field("event_id", event_id)
                .field("response", response)
                .finish(),
            Self::Cancel { event_id, response_id } => f
                .debug_struct("Cancel")
                .field("event_id", event_id)
                .field("response_id", response_id)
                .finish(),
            Self::ClearPlayback { event_id } => {
                f.debug_struct("ClearPlayback").field("event_id", event_id).finish()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audio_is_serialized_as_serde_would() {
        let append = ClientEvent::Append { audio: Redacted("AAD/+w==".to_owned()) };

        assert_eq!(append.to_json(), serde_json::to_string(&append).expect("it has text keys"));
    }
}
