//! Reads server events, leniently: a field of an unexpected kind must not cost the whole event.

use super::ServerEvent;
use crate::{Redacted, ResponseId};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::borrow::Cow;

const AUDIO_DELTA: &str = "response.output_audio.delta";

impl ServerEvent {
    /// Reads an event; one that cannot be read is [`ServerEvent::Other`].
    pub fn read(json: &str) -> Self {
        read_audio(json).unwrap_or_else(|| Self::read_any(json))
    }

    fn read_any(json: &str) -> Self {
        let Ok(value) = serde_json::from_str::<Value>(json) else { return Self::Other { response_id: None } };
        let response_id = value.get("response_id").and_then(Value::as_str).map(ResponseId::from);
        serde_json::from_value(value).unwrap_or(Self::Other { response_id })
    }
}

/// Reads an audio event, without a copy of the audio for each layer: most of what arrives is audio.
fn read_audio(json: &str) -> Option<ServerEvent> {
    #[derive(Deserialize)]
    struct Audio<'a> {
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
    let audio: Audio = serde_json::from_str(json).ok()?;
    (audio.r#type == AUDIO_DELTA).then(|| ServerEvent::AudioDelta {
        response_id: audio.response_id.into_owned().into(),
        item_id: audio.item_id.into_owned().into(),
        delta: Redacted(audio.delta.into_owned()),
    })
}

/// Reads whole seconds from any JSON number. Another value must not cost the whole event.
pub(super) fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let value = Value::deserialize(from)?;
    let whole = value.as_u64();
    Ok(whole.or_else(|| value.as_f64().filter(|seconds| *seconds >= 0.0).map(|seconds| seconds as u64)))
}

/// Reads a string, or a number as a string.
pub(super) fn word<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(word) => Some(word),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    })
}

/// Reads a string that can quote what was sent.
pub(super) fn words<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Redacted<String>>, D::Error> {
    Ok(word(from)?.map(Redacted))
}

/// Reads a value, or its default for null: a field without a value must not cost the whole event.
pub(super) fn given<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_audio_event_reads_as_serde_would_read_it() {
        let delta = r#"{"type": "response.output_audio.delta", "event_id": "e", "response_id": "r",
            "item_id": "i", "output_index": 0, "content_index": 0, "delta": "AAD\/+w=="}"#;
        assert_eq!(read_audio(delta), Some(ServerEvent::read_any(delta)));

        let words = r#"{"type": "error", "response_id": "r", "item_id": "i", "delta": "response.output_audio.delta"}"#;
        assert_eq!((read_audio(words), ServerEvent::read(words)), (None, ServerEvent::read_any(words)));
    }

    #[test]
    fn a_null_field_does_not_cost_the_event() {
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
    fn unusual_numbers_do_not_cost_the_event() {
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
