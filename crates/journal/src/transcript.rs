//! What is kept of a conversation: who said what, line by line, and the call in one summary.
//!
//! These hold what people said. They go into the table, if the agent keeps transcripts, and never into a log.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The person on WhatsApp, as the model's transcription understood them.
    Caller,
    /// The agent: what of it was heard.
    Agent,
}

/// What one side said at once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TranscriptLine {
    /// Its place in the conversation, from 0.
    pub place: u32,
    /// Who.
    pub speaker: Speaker,
    /// The words. Of an interrupted agent those that were heard, as near as can be told.
    pub text: String,
    /// When it began, ms since 1970.
    pub at_ms: u64,
    /// How much of it was heard, ms; the agent's only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_ms: Option<u64>,
    /// How long it would have been, ms; the agent's only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_ms: Option<u64>,
    /// From the end of the caller's speech to the first voice of this, ms; where it answers the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
    /// How much of that was spent waiting for tools, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_ms: Option<u64>,
    /// By our own meter there was no sound in it: what the transcription understood is made up; the caller's only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_silence: bool,
}

impl fmt::Debug for TranscriptLine {
    /// Without the words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line {} of the {:?}, {} letters", self.place, self.speaker, self.text.chars().count())
    }
}

/// A call that was talked on, in short.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallSummary {
    /// The call.
    pub call_ref: String,
    /// The business number, as its id.
    pub number: String,
    /// The agent's name.
    pub agent: String,
    /// The model.
    pub model: String,
    /// When the line opened, ms since 1970; nothing if it never did.
    pub opened_at_ms: Option<u64>,
    /// When the media task let go of it, ms since 1970.
    pub over_at_ms: u64,
    /// How often the agent answered the caller.
    pub turns: u64,
    /// From the end of the caller's speech to the agent's first voice: the median turn, ms.
    pub turn_p50_ms: Option<u64>,
    /// All but one turn of twenty were this fast, ms.
    pub turn_p95_ms: Option<u64>,
    /// How often the caller interrupted the agent.
    pub interruptions: u64,
    /// How well the agent could hear the caller, by the E-model, in hundredths of its 1 to 4.5; nothing if no sound came.
    pub mos_up: Option<u64>,
    /// How well the caller could hear the agent; nothing if the far side reported nothing.
    pub mos_down: Option<u64>,
    /// How many tools were used.
    pub tools: u64,
    /// How many of those did what they were asked.
    pub tools_done: u64,
    /// How often a session of the model was lost or replaced.
    pub sessions_replaced: u64,
    /// What was wrong with its media, by the name of the verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// Optional parts of its sessions that it did without, since OpenAI refuses them: `transcription`, `noise_reduction`,
    /// `reasoning`, `speed`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// Whether the caller left a message or asked to be called back.
    pub wants_an_answer: bool,
    /// Tokens of the model, and of what wrote down the caller's words.
    pub tokens: TokenCounts,
    /// How much of the caller's sound was written down where that is billed by time, ms.
    pub transcript_ms: u64,
    /// What all of it cost, in millionths of a dollar; nothing if the model's price is not known.
    pub micro_dollars: Option<u64>,
    /// Whether writing down the caller's words is in it: not where its price is not known.
    pub transcription_priced: bool,
    /// The date of the price table.
    pub prices_of: String,
}

/// Tokens by kind. What went in counts as fresh or as cached, never as both.
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
    /// What the transcriber was given, sound and text.
    pub transcript_in: u64,
    pub transcript_out: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_reads_a_lines_words_by_printing_it() {
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
    fn a_line_of_an_older_release_reads_and_is_written_as_before() {
        let old = r#"{"place":0,"speaker":"caller","text":"Hello","at_ms":7}"#;

        let line: TranscriptLine = serde_json::from_str(old).expect("what it does not say is nothing");

        assert_eq!(serde_json::to_string(&line).ok().as_deref(), Some(old));
    }
}
