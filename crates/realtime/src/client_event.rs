//! What we say to the model.

use crate::Redacted;
use serde::Serialize;
use serde_json::Value;
use std::fmt;

/// A client event.
#[derive(Clone, PartialEq, Serialize)]
#[serde(tag = "type")]
pub enum ClientEvent {
    /// Configures the session. Refused whole if any of it is wrong.
    #[serde(rename = "session.update")]
    SessionUpdate {
        /// Our name for this event.
        event_id: String,
        /// Type `realtime`; keys that are not there stay as they are.
        session: Value,
    },
    /// The caller's sound.
    #[serde(rename = "input_audio_buffer.append")]
    Append {
        /// Base64 of the session's input format.
        audio: Redacted<String>,
    },
    /// Makes a turn of the caller's sound that was sent so far. It is not answered for that.
    #[serde(rename = "input_audio_buffer.commit")]
    Commit {
        /// Our name for this event.
        event_id: String,
    },
    /// Puts an item at the end of the conversation.
    #[serde(rename = "conversation.item.create")]
    ItemCreate {
        /// Our name for this event.
        event_id: String,
        /// A message, a function call or its output.
        item: Redacted<Value>,
    },
    /// Takes an item out of the conversation.
    #[serde(rename = "conversation.item.delete")]
    ItemDelete {
        /// Our name for this event.
        event_id: String,
        /// The item.
        item_id: String,
    },
    /// Tells how much of an item was heard.
    #[serde(rename = "conversation.item.truncate")]
    Truncate {
        /// Our name for this event.
        event_id: String,
        /// The item.
        item_id: String,
        /// Always 0: a spoken item has one part.
        content_index: u32,
        /// How much was heard, ms.
        audio_end_ms: u64,
    },
    /// Asks for a response.
    #[serde(rename = "response.create")]
    ResponseCreate {
        /// Our name for this event.
        event_id: String,
        /// What differs from the session's configuration.
        response: Value,
    },
    /// Stops a response.
    #[serde(rename = "response.cancel")]
    Cancel {
        /// Our name for this event.
        event_id: String,
        /// The response.
        response_id: String,
    },
}

impl ClientEvent {
    /// As it goes over the socket.
    pub fn to_json(&self) -> String {
        match self {
            // Nearly all that is sent: base64 has nothing to escape, so nobody needs to look for it.
            Self::Append { audio } => {
                ["{\"type\":\"input_audio_buffer.append\",\"audio\":\"", audio.as_str(), "\"}"].concat()
            }
            Self::SessionUpdate { .. }
            | Self::Commit { .. }
            | Self::ItemCreate { .. }
            | Self::ItemDelete { .. }
            | Self::Truncate { .. }
            | Self::ResponseCreate { .. }
            | Self::Cancel { .. } => serde_json::to_string(self).expect("our events have text keys"),
        }
    }
}

impl fmt::Debug for ClientEvent {
    /// Without the session: its tools may hold the tokens of MCP servers.
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_is_written_as_serde_would_write_it() {
        let append = ClientEvent::Append { audio: Redacted("AAD/+w==".to_owned()) };

        assert_eq!(append.to_json(), serde_json::to_string(&append).expect("it has text keys"));
    }
}
