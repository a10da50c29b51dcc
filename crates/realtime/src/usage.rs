//! Counts the tokens and transcription time that a conversation uses, by kind.

use serde_json::Value;
use std::ops::AddAssign;

/// Tokens and transcription time used. Input is split by whether it was cached: `text_in` and `text_cached` share no token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Input text tokens that were not cached.
    pub text_in: u64,
    /// Input text tokens that were cached.
    pub text_cached: u64,
    /// Output text tokens, reasoning included.
    pub text_out: u64,
    /// Input audio tokens that were not cached.
    pub audio_in: u64,
    /// Input audio tokens that were cached.
    pub audio_cached: u64,
    /// Output audio tokens of the agent.
    pub audio_out: u64,
    /// Input audio tokens of transcriptions.
    pub transcript_audio_in: u64,
    /// Input text tokens of transcriptions.
    pub transcript_text_in: u64,
    /// Output tokens of transcriptions.
    pub transcript_out: u64,
    /// TranscriptionCompleted audio where transcription is billed by time, in ms.
    pub transcript_ms: u64,
}

impl Usage {
    /// Reads the usage of a response.
    pub(crate) fn of_response(usage: &Value) -> Self {
        let input = &usage["input_token_details"];
        let cached = &input["cached_tokens_details"];
        let output = &usage["output_token_details"];
        // Without details, cached tokens are taken to be text: the cheaper guess by far, and rare.
        let text_cached = match cached {
            Value::Object(_) => tokens(cached, "text_tokens"),
            _ => tokens(input, "cached_tokens").min(tokens(input, "text_tokens")),
        };
        let audio_cached = tokens(cached, "audio_tokens");
        Self {
            text_in: tokens(input, "text_tokens").saturating_sub(text_cached),
            text_cached,
            text_out: tokens(output, "text_tokens"),
            audio_in: tokens(input, "audio_tokens").saturating_sub(audio_cached),
            audio_cached,
            audio_out: tokens(output, "audio_tokens"),
            ..Self::default()
        }
    }

    /// Reads the usage of a transcription.
    pub(crate) fn of_transcript(usage: &Value) -> Self {
        let input = &usage["input_token_details"];
        let audio = tokens(input, "audio_tokens");
        let all = tokens(usage, "input_tokens");
        let text = if input.is_object() { tokens(input, "text_tokens") } else { 0 };
        Self {
            transcript_audio_in: if input.is_object() { audio } else { all },
            transcript_text_in: text,
            transcript_out: tokens(usage, "output_tokens"),
            transcript_ms: (usage["seconds"].as_f64().unwrap_or(0.0).max(0.0) * 1_000.0).round() as u64,
            ..Self::default()
        }
    }

    /// Whether nothing was used.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, more: Self) {
        self.text_in += more.text_in;
        self.text_cached += more.text_cached;
        self.text_out += more.text_out;
        self.audio_in += more.audio_in;
        self.audio_cached += more.audio_cached;
        self.audio_out += more.audio_out;
        self.transcript_audio_in += more.transcript_audio_in;
        self.transcript_text_in += more.transcript_text_in;
        self.transcript_out += more.transcript_out;
        self.transcript_ms += more.transcript_ms;
    }
}

fn tokens(of: &Value, kind: &str) -> u64 {
    // A conversation has at most some 128,000 tokens, so the cap only keeps sums from overflowing.
    of[kind].as_u64().unwrap_or(0).min(1 << 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn cached_tokens_are_counted_apart() {
        let usage = Usage::of_response(&json!({
            "input_token_details": {"text_tokens": 128, "audio_tokens": 22, "cached_tokens": 64,
                "cached_tokens_details": {"text_tokens": 60, "audio_tokens": 4}},
            "output_token_details": {"text_tokens": 16, "audio_tokens": 48},
        }));

        let wanted = Usage {
            text_in: 68,
            text_cached: 60,
            text_out: 16,
            audio_in: 18,
            audio_cached: 4,
            audio_out: 48,
            ..Usage::default()
        };
        assert_eq!(usage, wanted);
    }

    #[test]
    fn a_response_without_usage_uses_nothing() {
        assert!(Usage::of_response(&Value::Null).is_empty());
    }

    #[test]
    fn transcription_is_counted_by_tokens_or_time() {
        let by_time = Usage::of_transcript(&json!({"type": "duration", "seconds": 2.5}));
        let by_tokens =
            Usage::of_transcript(&json!({"type": "tokens", "input_tokens": 30, "output_tokens": 7,
            "input_token_details": {"audio_tokens": 25, "text_tokens": 5}}));

        assert_eq!(by_time.transcript_ms, 2_500);
        assert_eq!(
            (by_tokens.transcript_audio_in, by_tokens.transcript_text_in, by_tokens.transcript_out),
            (25, 5, 7)
        );
    }
}
