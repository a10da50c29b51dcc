//! Prices of the models' tokens, from a dated table.

use crate::Usage;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::LazyLock;

/// The built-in price table.
const TABLE: &str = include_str!("../prices.toml");

/// A table of prices per model.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// The date of the prices, such as `2026-11-22`.
    pub date: String,
    models: HashMap<String, Model>,
    #[serde(default)]
    transcription: HashMap<String, f64>,
    #[serde(default)]
    text: HashMap<String, Kind>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Model {
    text: Kind,
    audio: Kind,
}

/// Dollars per million tokens, which are millionths of a dollar per token.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    r#in: f64,
    cached: f64,
    out: f64,
}

/// An error of reading a price table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the price table is wrong: {0}")]
pub(crate) struct PricesError(String);

impl Default for Prices {
    fn default() -> Self {
        Self::read(TABLE).expect("the table we ship is read in a test")
    }
}

impl Prices {
    /// Returns the built-in price table, which is read once.
    pub fn built_in() -> &'static Self {
        static BUILT_IN: LazyLock<Prices> = LazyLock::new(Prices::default);
        &BUILT_IN
    }

    /// Reads a price table, TOML like `prices.toml`.
    ///
    /// # Errors
    /// Returns what is wrong in the text, and in which line.
    pub(crate) fn read(text: &str) -> Result<Self, PricesError> {
        toml::from_str(text).map_err(|error| PricesError(error.to_string()))
    }

    /// Returns what a model's responses cost, in millionths of a dollar; `None` for a model that is not in the table.
    ///
    /// A dated name (`gpt-realtime-2025-08-28`) costs what its family does. Transcription is priced by [`Prices::transcript_dollars`].
    pub fn dollars(&self, usage: &Usage, model: &str) -> Option<u64> {
        let Model { text, audio } = self.models.get(model).or_else(|| self.models.get(undated(model)))?;
        let text = text.of(usage.text_in, usage.text_cached, usage.text_out);
        let audio = audio.of(usage.audio_in, usage.audio_cached, usage.audio_out);
        Some((text + audio).round() as u64)
    }

    /// Returns what a request to a text model costs, by its input tokens that were not cached and were, and its output tokens, in millionths of
    /// a dollar; `None` for a model that is not in the table.
    pub fn text_dollars(&self, input: u64, cached: u64, output: u64, model: &str) -> Option<u64> {
        let price = self.text.get(model).or_else(|| self.text.get(undated(model)))?;
        Some(price.of(input, cached, output).round() as u64)
    }

    /// Returns what transcription cost, in millionths of a dollar; `None` for a model that has no price per minute in the table, or bills
    /// by tokens.
    pub fn transcript_dollars(&self, usage: &Usage, model: &str) -> Option<u64> {
        let tokens = usage.transcript_audio_in + usage.transcript_text_in + usage.transcript_out;
        let a_minute = self.transcription.get(model).or_else(|| self.transcription.get(undated(model)));
        let a_minute = a_minute.filter(|_| tokens == 0)?;
        Some((usage.transcript_ms as f64 / 60_000.0 * a_minute * 1_000_000.0).round() as u64)
    }
}

impl Kind {
    fn of(self, fresh: u64, cached: u64, out: u64) -> f64 {
        fresh as f64 * self.r#in + cached as f64 * self.cached + out as f64 * self.out
    }
}

/// Returns the model's name without a date at its end.
fn undated(model: &str) -> &str {
    let Some(at) = model.len().checked_sub("-2025-08-28".len()) else { return model };
    let is_date = model.as_bytes()[at..].iter().enumerate().all(|(at, byte)| match at {
        0 | 5 | 8 => *byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    if is_date { &model[..at] } else { model }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_of_each_side_costs_openais_price() {
        let usage = Usage { audio_in: 600, audio_out: 1_200, ..Usage::default() };
        let prices = Prices::default();

        assert_eq!(prices.dollars(&usage, "gpt-realtime-2.1"), Some(19_200 + 76_800));
        assert_eq!(prices.dollars(&usage, "gpt-realtime-2.1-mini"), Some(6_000 + 24_000));
    }

    #[test]
    fn cached_audio_is_eighty_times_cheaper() {
        let usage = Usage { audio_cached: 1_000, ..Usage::default() };

        assert_eq!(Prices::default().dollars(&usage, "gpt-realtime-2.1"), Some(400));
    }

    #[test]
    fn an_unknown_model_has_no_price_and_a_dated_one_its_familys() {
        let usage = Usage { text_in: 1_000, ..Usage::default() };
        let prices = Prices::default();

        assert_eq!(prices.dollars(&usage, "grok-voice-latest"), None);
        assert_eq!(prices.dollars(&usage, "é"), None);
        assert_eq!(prices.dollars(&usage, "gpt-realtime-mini-2025-12-15"), Some(600));
    }

    #[test]
    fn a_summary_by_a_text_model_costs_less_than_a_cent() {
        let prices = Prices::default();

        assert_eq!(prices.text_dollars(2_000, 0, 300, "gpt-6-luna"), Some(350));
        assert_eq!(prices.text_dollars(0, 1_000, 0, "gpt-6-luna-2026-11-01"), Some(10));
        assert_eq!(prices.text_dollars(2_000, 0, 300, "another-model"), None);
    }

    #[test]
    fn a_wrong_price_table_names_the_line() {
        let error = Prices::read("date = \"2026-11-22\"\n[models.x]\ntext = 3\n").expect_err("it is wrong");

        assert!(error.to_string().contains("line 3"), "{error}");
    }

    #[test]
    fn transcripts_are_priced_by_the_minute_or_not_at_all() {
        let usage = Usage { transcript_ms: 30_000, ..Usage::default() };
        let prices = Prices::default();

        assert_eq!(prices.transcript_dollars(&usage, "gpt-live-transcribe"), Some(8_500));
        assert_eq!(prices.transcript_dollars(&usage, "gpt-transcribe"), Some(2_250));
        assert_eq!(prices.transcript_dollars(&usage, "another-model"), None);
        let by_tokens = Usage { transcript_out: 7, ..usage };
        assert_eq!(prices.transcript_dollars(&by_tokens, "gpt-transcribe"), None);
    }
}
