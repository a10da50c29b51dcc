//! An agent, whole: who it is, how it talks, what it may do, and when.

use crate::file_format::Written;
use crate::key_positions::KeyPositions;
use crate::{
    AgentFileError, Caps, Greeting, Interruption, Keeping, Keypad, Limits, Messages, OpeningHours, Options,
    Tools, Words,
};
use std::fmt;

/// The largest agent file, bytes.
pub const LARGEST: usize = 32 * 1024;

/// An agent as its file says, with every default filled in and every rule kept.
#[derive(Clone, PartialEq)]
pub struct Agent {
    /// Its name, as numbers and commands refer to it: lower-case letters, digits and dashes.
    pub name: String,
    /// The language it speaks, BCP 47.
    pub language: String,
    /// What it is told about its work, as written. What the model gets is [`Agent::whole_instructions`].
    pub instructions: String,
    /// The line that says that the caller talks to a machine; `None` when switched off.
    pub disclosure: Option<String>,
    /// How it greets.
    pub greeting: Greeting,
    /// The session's options, in the vendor's words.
    pub model: Options,
    /// What it takes to interrupt it.
    pub interruption: Interruption,
    /// How keys that the caller presses are collected.
    pub keypad: Keypad,
    /// How long a call may last, and how much silence it may hold.
    pub limits: Limits,
    /// What it may do besides talking.
    pub tools: Tools,
    /// When it takes calls; `None` is always.
    pub hours: Option<OpeningHours>,
    /// What a caller is told by message when there is no conversation.
    pub messages: Messages,
    /// The most it may cost, and the most calls it takes.
    pub caps: Caps,
    /// What is kept of a call.
    pub keeping: Keeping,
}

impl Agent {
    /// Reads an agent file. The first thing that is wrong is told with its line and field.
    pub fn read(text: &str) -> Result<Self, AgentFileError> {
        if text.len() > LARGEST {
            return Err(AgentFileError::whole_file(format!("is larger than {LARGEST} bytes")));
        }
        let places = KeyPositions::of(text);
        crate::secrets::refuse(text, &places)?;
        let written = Written::read(text, &places)?;
        written.resolve().map_err(|fault| places.wrong(fault))
    }

    /// Reads a file that is yet to be pushed: what OpenAI refuses is wrong in it, though files that were pushed before it
    /// was known may hold it. Programs that run use [`Agent::read`].
    pub fn read_new(text: &str) -> Result<Self, AgentFileError> {
        let agent = Self::read(text)?;
        crate::push_rules::check(&agent).map_err(|fault| KeyPositions::of(text).wrong(fault))?;
        Ok(agent)
    }

    /// The agent that is there without a file.
    pub fn built_in() -> Self {
        Self::read(include_str!("../built-in.toml")).expect("a test reads it")
    }

    /// The date at `now_ms` (since 1970) in the time zone of its hours, else in UTC: `YYYY-MM-DD`.
    pub fn day(&self, now_ms: u64) -> String {
        crate::opening_hours::day(self.hours.as_ref(), now_ms)
    }

    /// What it says first: the greeting with the disclosure line in it.
    pub fn opening(&self) -> Words {
        crate::instructions::opening(self)
    }

    /// What the model is told: its instructions, and the duties that every agent here has.
    pub fn whole_instructions(&self) -> String {
        crate::instructions::whole_instructions(self)
    }
}

impl fmt::Debug for Agent {
    /// Only which agent it is: its texts are the operator's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent")
            .field("name", &self.name)
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_agent_can_be_read() {
        assert_eq!(Agent::built_in().name, "built-in");
    }
}
