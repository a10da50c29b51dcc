//! Counts tokens as the bill does: the whole conversation again with each response, what was read before as cached.

use serde_json::{Value, json};
use std::time::Duration;

/// User audio: one token for each 100 ms.
const USER_AUDIO_MS: u64 = 100;
/// Assistant audio: one token for each 50 ms.
const ASSISTANT_AUDIO_MS: u64 = 50;
/// A token of English text is about four letters.
const TEXT_LETTERS: usize = 4;
/// The cache keeps whole blocks.
const CACHE_BLOCK: u64 = 64;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub text: u64,
    pub audio: u64,
}

impl Tokens {
    pub(crate) fn text(text: &str) -> Self {
        Self { text: text.chars().count().div_ceil(TEXT_LETTERS) as u64, audio: 0 }
    }

    pub(crate) fn user_audio(ms: u64) -> Self {
        Self { text: 0, audio: ms.div_ceil(USER_AUDIO_MS) }
    }

    pub(crate) fn assistant_audio(ms: u64) -> Self {
        Self { text: 0, audio: ms.div_ceil(ASSISTANT_AUDIO_MS) }
    }

    fn total(self) -> u64 {
        self.text + self.audio
    }

    fn cached(self, before: Self) -> Self {
        let blocks = |now: u64, then: u64| now.min(then) / CACHE_BLOCK * CACHE_BLOCK;
        Self { text: blocks(self.text, before.text), audio: blocks(self.audio, before.audio) }
    }
}

impl std::iter::Sum for Tokens {
    fn sum<I: Iterator<Item = Self>>(tokens: I) -> Self {
        tokens.fold(Self::default(), |a, b| a + b)
    }
}

impl std::ops::Add for Tokens {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { text: self.text + other.text, audio: self.audio + other.audio }
    }
}

/// The `usage` of a transcript: by duration, but for the models that bill tokens.
pub(crate) fn transcription_usage(model: &str, lasts: Duration, text: &str) -> Value {
    if !model.starts_with("gpt-4o") {
        return json!({"type": "duration", "seconds": lasts.as_secs_f64()});
    }
    let (input, output) = (Tokens::user_audio(lasts.as_millis() as u64).audio, Tokens::text(text).text);
    json!({
        "type": "tokens", "input_tokens": input, "output_tokens": output, "total_tokens": input + output,
        "input_token_details": {"audio_tokens": input, "text_tokens": 0},
    })
}

/// What the service remembers of earlier responses.
#[derive(Debug, Default)]
pub(crate) struct Cache(Tokens);

impl Cache {
    /// Forgets: the beginning of the conversation has changed.
    pub(crate) fn bust(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn bill(&mut self, input: Tokens, output: Tokens) -> Value {
        let cached = input.cached(self.0);
        self.0 = input;
        json!({
            "total_tokens": input.total() + output.total(),
            "input_tokens": input.total(),
            "output_tokens": output.total(),
            "input_token_details": {
                "text_tokens": input.text, "audio_tokens": input.audio, "image_tokens": 0,
                "cached_tokens": cached.total(),
                "cached_tokens_details":
                    {"text_tokens": cached.text, "audio_tokens": cached.audio, "image_tokens": 0},
            },
            "output_token_details": {"text_tokens": output.text, "audio_tokens": output.audio},
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_speech_costs_twice_as_many_tokens_from_the_assistant() {
        assert_eq!(Tokens::user_audio(1_000).audio, 10);
        assert_eq!(Tokens::assistant_audio(1_000).audio, 20);
    }

    #[test]
    fn what_was_billed_before_is_cached_until_the_cache_is_busted() {
        let mut cache = Cache::default();
        let context = Tokens { text: 200, audio: 130 };
        let cached = |bill: Value| bill["input_token_details"]["cached_tokens"].as_u64();

        assert_eq!(cached(cache.bill(context, Tokens::default())), Some(0));
        assert_eq!(cached(cache.bill(context, Tokens::default())), Some(192 + 128));
        cache.bust();
        assert_eq!(cached(cache.bill(context, Tokens::default())), Some(0));
    }
}
