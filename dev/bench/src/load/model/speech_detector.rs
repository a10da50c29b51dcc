//! Detects in appends where speech begins, without parsing them as JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use sim_audio::onset::Onsets;

/// How the product's appends begin; its other messages are rare, and are parsed as JSON.
const APPEND: &str = r#"{"type":"input_audio_buffer.append""#;
const AUDIO: &str = r#""audio":""#;

#[derive(Debug, Default)]
pub(crate) struct SpeechDetector {
    onsets: Onsets,
    bytes: Vec<u8>,
    samples: Vec<i16>,
}

impl SpeechDetector {
    /// Whether speech begins in this message; `None` if it is no append.
    pub(crate) fn hear(&mut self, message: &str) -> Option<bool> {
        let audio = message.strip_prefix(APPEND)?;
        let audio = audio.split_once(AUDIO).and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default();
        self.bytes.clear();
        self.samples.clear();
        BASE64.decode_vec(audio, &mut self.bytes).ok()?;
        let pairs = self.bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
        self.samples.extend(pairs);
        Some(self.onsets.is_in(&self.samples))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speech_is_heard_to_begin_in_an_append() {
        let mut detector = SpeechDetector::default();
        let silence = append(&[0; 960]);

        assert!((0..30).all(|_| detector.hear(&silence) == Some(false)));
        assert_eq!(detector.hear(&append(&[9_000; 960])), Some(true));
        assert_eq!(detector.hear(&append(&[9_000; 960])), Some(false));
    }

    #[test]
    fn other_messages_are_no_appends() {
        assert_eq!(SpeechDetector::default().hear(r#"{"type":"response.create"}"#), None);
    }

    fn append(samples: &[i16]) -> String {
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        format!(r#"{{"type":"input_audio_buffer.append","audio":"{}"}}"#, BASE64.encode(bytes))
    }
}
