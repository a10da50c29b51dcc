//! A wrapper that `Debug` never shows, so that no log holds what people said by accident.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Deref;

/// A value that holds or can quote what people said.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Redacted<T>(pub T);

impl<T> fmt::Debug for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl<T> Deref for Redacted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> From<T> for Redacted<T> {
    fn from(what: T) -> Self {
        Self(what)
    }
}

impl From<&str> for Redacted<String> {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use crate::{ClientEvent, ServerEvent, SessionEvent};
    use serde_json::json;

    #[test]
    fn debug_output_never_shows_what_was_said() {
        let item = json!({"call_id": "c", "arguments": "SECRET", "content": [{"text": "SECRET"}]});
        let heard = |event: serde_json::Value| format!("{:?}", ServerEvent::read(&event.to_string()));
        let shown = [
            format!("{:?}", ClientEvent::ItemCreate { event_id: "e".into(), item: item.clone().into() }),
            format!("{:?}", ClientEvent::Append { audio: "SECRET".into() }),
            format!("{:?}", SessionEvent::CallerTranscript { item: "i".into(), text: "SECRET".into() }),
            heard(json!({"type": "conversation.item.added", "item": item})),
            heard(json!({"type": "error", "error": {"code": "x", "message": "SECRET"}})),
            heard(json!({"type": "conversation.item.input_audio_transcription.completed", "item_id": "i",
                "transcript": "SECRET"})),
            heard(
                json!({"type": "response.output_audio_transcript.done", "response_id": "r", "item_id": "i",
                "transcript": "SECRET"}),
            ),
        ];

        for shown in shown {
            assert!(!shown.contains("SECRET") && !shown.starts_with("Other"), "{shown}");
        }
    }
}
