//! What is stored of a conversation: its lines, and the call's summary.
//!
//! These hold what people said. They are stored in the table if the agent keeps transcripts, and never logged.

use call::{CallRef, Line, NumberId, Recorded};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The speaker of a transcript line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The person who calls, as the transcription model understood them.
    Caller,
    /// The agent, as far as its speech was played to the caller.
    Agent,
}

/// A line of the transcript: one utterance of one side.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TranscriptLine {
    /// The line's position in the conversation, from 0.
    pub place: u32,
    /// Who said it.
    pub speaker: Speaker,
    /// The words; of an interrupted agent those that were played, as near as can be estimated.
    pub text: String,
    /// When the utterance began, ms since 1970.
    pub at_ms: u64,
    /// How much of it was played, ms; the agent's only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_ms: Option<u64>,
    /// The full length of the audio, ms; the agent's only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_ms: Option<u64>,
    /// The response latency, from the end of the caller's speech to the first frame of this line, ms; where it answers the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
    /// The part of that time spent waiting for tools, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_ms: Option<u64>,
    /// Whether the level meter heard no sound: then the transcription invented the words. The caller's only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_silence: bool,
}

impl fmt::Debug for TranscriptLine {
    /// Writes the line without its words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line {} of the {:?}, {} letters", self.place, self.speaker, self.text.chars().count())
    }
}

/// The summary of a call: latency, audio quality, tokens and cost.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallSummary {
    /// The hex SHA-256 of Meta's call id.
    pub call_ref: CallRef,
    /// The line that the call came in on; not written for WhatsApp.
    #[serde(skip_serializing_if = "Recorded::is_default")]
    pub line: Recorded<Line>,
    /// The phone number id of the business number; on the telephone line, its name.
    pub number: NumberId,
    /// The name of the agent.
    pub agent: String,
    /// The name of the model.
    pub model: String,
    /// When the line opened, ms since 1970; `None` if it never did.
    pub opened_at_ms: Option<u64>,
    /// When the media task dropped the call, ms since 1970.
    pub over_at_ms: u64,
    /// The number of turns in which the agent answered the caller.
    pub turns: u64,
    /// The median response latency, from the end of the caller's speech to the agent's first frame, ms.
    pub turn_p50_ms: Option<u64>,
    /// The 95th percentile of the response latency, ms.
    pub turn_p95_ms: Option<u64>,
    /// The number of barge-ins: the caller spoke over the agent.
    pub interruptions: u64,
    /// The estimated MOS (E-model) of what the agent heard, in hundredths of 1 to 4.5; `None` if no audio arrived.
    pub mos_up: Option<u64>,
    /// The estimated MOS of what the caller heard; `None` without RTCP reports.
    pub mos_down: Option<u64>,
    /// The number of tool calls.
    pub tools: u64,
    /// The number of tool calls that succeeded.
    pub tools_done: u64,
    /// The number of times a session with the model was lost or replaced.
    pub sessions_replaced: u64,
    /// The diagnosis of a fault in its media, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// Optional parts of the session's configuration that OpenAI refused: `transcription`, `noise_reduction`, `reasoning`, `speed`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// Whether the caller left a message or asked to be called back.
    pub wants_an_answer: bool,
    /// Tokens of the model and of the transcription model.
    pub tokens: TokenCounts,
    /// The duration of transcribed audio where transcription is billed by time, ms.
    pub transcript_ms: u64,
    /// The total cost in millionths of a dollar; `None` if the model's price is not known.
    pub micro_dollars: Option<u64>,
    /// Whether the cost includes transcription, which it does not where its price is not known.
    pub transcription_priced: bool,
    /// The date of the price table.
    pub prices_of: String,
}

/// Token counts by kind. An input token counts as fresh or as cached, never as both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "the names say it")]
pub struct TokenCounts {
    pub text_in: u64,
    pub text_cached: u64,
    pub text_out: u64,
    pub audio_in: u64,
    pub audio_cached: u64,
    pub audio_out: u64,
    /// The input of the transcription model, audio and text.
    pub transcript_in: u64,
    pub transcript_out: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_shows_no_words_of_a_line() {
        let line = TranscriptLine {
            place: 3,
            speaker: Speaker::Caller,
            text: "My number is seven".into(),
            at_ms: 1,
            heard_ms: None,
            of_ms: None,
            took_ms: None,
            tool_ms: None,
            in_silence: false,
        };

        assert_eq!(format!("{line:?}"), "Line 3 of the Caller, 18 letters");
    }

    #[test]
    fn an_older_releases_line_is_written_back_unchanged() {
        let old = r#"{"place":0,"speaker":"caller","text":"Hello","at_ms":7}"#;

        let line: TranscriptLine = serde_json::from_str(old).expect("what it does not say is nothing");

        assert_eq!(serde_json::to_string(&line).ok().as_deref(), Some(old));
    }
}
