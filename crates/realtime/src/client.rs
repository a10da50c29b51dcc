//! What we say to the model.

use crate::pcm;
use serde::Serialize;
use serde_json::Value;

/// A client event.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type")]
pub enum ClientEvent {
    /// Configures the session. Refused whole if any of it is wrong.
    #[serde(rename = "session.update")]
    SessionUpdate {
        /// Our name for this event.
        event_id: String,
        /// Type `realtime`.
        session: Value,
    },
    /// The caller's sound.
    #[serde(rename = "input_audio_buffer.append")]
    Append {
        /// Base64 of the session's input format.
        audio: String,
    },
    /// Asks for a response.
    #[serde(rename = "response.create")]
    ResponseCreate {
        /// Our name for this event.
        event_id: String,
        /// What differs from the session's configuration.
        response: Value,
    },
    /// Tells how much of an item was heard.
    #[serde(rename = "conversation.item.truncate")]
    Truncate {
        /// The item.
        item_id: String,
        /// Always 0: a spoken item has one part.
        content_index: u32,
        /// How much was heard, ms.
        audio_end_ms: u64,
    },
}

impl ClientEvent {
    /// The caller's sound: 24 kHz, mono, 16 bit.
    pub fn append(samples: &[i16]) -> Self {
        Self::Append { audio: pcm::to_base64(samples) }
    }

    /// As it goes over the socket.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("our events have text keys")
    }
}
