//! The agent: who answers a call, how it talks, what it may do, and when.

use crate::{
    After, Caps, Greeting, Interruption, Keeping, Keypad, Limits, Lookup, Messages, OpeningHours, Options,
    Tools,
};
use std::fmt;

/// An agent as its file describes it, validated, with every default filled in.
#[derive(Clone, PartialEq)]
pub struct Agent {
    /// The name that numbers and commands refer to: lower-case letters, digits and dashes.
    pub name: String,
    /// The language it speaks, as a BCP 47 tag.
    pub language: String,
    /// The operator's instructions as written. The model gets [`Agent::whole_instructions`].
    pub instructions: String,
    /// The sentence that tells the caller that they talk to an AI; `None` when switched off.
    pub disclosure: Option<String>,
    /// The first words of a call.
    pub greeting: Greeting,
    /// The options of the Realtime session, in OpenAI's words.
    pub model: Options,
    /// The rules of barge-in.
    pub interruption: Interruption,
    /// How DTMF digits are collected.
    pub keypad: Keypad,
    /// The maximum duration of a call, and the idle prompts.
    pub limits: Limits,
    /// The tools it may use.
    pub tools: Tools,
    /// The business's endpoint that is asked about a caller before the call.
    pub lookup: Option<Lookup>,
    /// The business's endpoint that gets the outcome of calls.
    pub after: Option<After>,
    /// When it takes calls; `None` is always.
    pub hours: Option<OpeningHours>,
    /// The WhatsApp messages for calls without a conversation.
    pub messages: Messages,
    /// The spending cap, and the caps on calls, messages and tool calls.
    pub caps: Caps,
    /// What is stored of a call, and for how long.
    pub keeping: Keeping,
}

impl Agent {
    /// Returns the date, `YYYY-MM-DD`, at `now_ms` (ms since 1970) in the time zone of the opening hours, or in UTC.
    pub fn day(&self, now_ms: u64) -> String {
        crate::opening_hours::day(self.hours.as_ref(), now_ms)
    }
}

impl fmt::Debug for Agent {
    /// Shows which agent it is, but none of the operator's texts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent")
            .field("name", &self.name)
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}
