//! Prices what a call used.

use journal::TokenCounts;
use realtime::{Prices, Usage};

/// The cost of a call, as far as prices are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cost {
    /// Millionths of a dollar; `None` if the model has no price.
    pub(super) micro_dollars: Option<u64>,
    /// Whether the cost of transcription is included.
    pub(super) transcription_priced: bool,
}

impl Cost {
    /// Returns the cost of `usage`; `transcriber` is the model of the caller's transcripts, if the agent has them.
    pub(super) fn of(prices: &Prices, usage: &Usage, model: &str, transcriber: Option<&str>) -> Self {
        let model = prices.dollars(usage, model);
        let transcript = match transcriber {
            Some(transcriber) if has_transcripts(usage) => prices.transcript_dollars(usage, transcriber),
            Some(_) | None => Some(0),
        };
        Self {
            micro_dollars: model.map(|model| model + transcript.unwrap_or_default()),
            transcription_priced: model.is_some() && transcript.is_some(),
        }
    }
}

fn has_transcripts(usage: &Usage) -> bool {
    let Usage { transcript_audio_in, transcript_text_in, transcript_out, transcript_ms, .. } = *usage;
    transcript_audio_in + transcript_text_in + transcript_out + transcript_ms > 0
}

/// Returns how many tokens were used, by kind.
pub(super) fn tokens(usage: &Usage) -> TokenCounts {
    let Usage { text_in, text_cached, text_out, audio_in, audio_cached, audio_out, .. } = *usage;
    let transcript_in = usage.transcript_audio_in + usage.transcript_text_in;
    let transcript_out = usage.transcript_out;
    TokenCounts {
        text_in,
        text_cached,
        text_out,
        audio_in,
        audio_cached,
        audio_out,
        transcript_in,
        transcript_out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: &str = "gpt-realtime-2.1";

    #[test]
    fn transcription_is_added_where_its_price_is_known() {
        let cost = |transcriber| Cost::of(&Prices::default(), &usage(), MODEL, Some(transcriber));

        let known = Cost { micro_dollars: Some(19_200 + 17_000), transcription_priced: true };
        assert_eq!(cost("gpt-live-transcribe"), known);
        let cheaper = Cost { micro_dollars: Some(19_200 + 4_500), transcription_priced: true };
        assert_eq!(cost("gpt-transcribe"), cheaper);
        let unknown = Cost { micro_dollars: Some(19_200), transcription_priced: false };
        assert_eq!(cost("another-vendors"), unknown);
    }

    #[test]
    fn a_call_without_transcription_is_priced_completely() {
        let usage = Usage { transcript_ms: 0, ..usage() };

        for transcriber in [None, Some("another-vendors")] {
            let cost = Cost::of(&Prices::default(), &usage, MODEL, transcriber);

            assert_eq!(cost, Cost { micro_dollars: Some(19_200), transcription_priced: true });
        }
    }

    #[test]
    fn a_model_without_a_price_has_no_cost() {
        let cost = Cost::of(&Prices::default(), &usage(), "another-vendors", Some("gpt-live-transcribe"));

        assert_eq!(cost, Cost { micro_dollars: None, transcription_priced: false });
    }

    /// Returns the usage of a minute of the caller's speech.
    fn usage() -> Usage {
        Usage { audio_in: 600, transcript_ms: 60_000, ..Usage::default() }
    }
}
