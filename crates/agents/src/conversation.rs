//! How an agent talks: greeting, barge-in, DTMF, idle prompts and maximum duration.

use std::time::Duration;

/// The first words of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting {
    /// The words as written. [`crate::Agent::opening`] adds the disclosure line.
    pub words: Words,
    /// Whether the caller can interrupt the greeting; on by default.
    pub interruptible: bool,
}

/// Words that the agent says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Words {
    /// Said verbatim.
    Exact(String),
    /// A prompt from which the model makes its own words.
    Prompt(String),
}

/// The rules of barge-in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interruption {
    /// The first part of a reply in which it cannot be interrupted; none by default.
    pub guard: Duration,
    /// How long the caller must speak over the agent to interrupt it, so that an "mhm" does not; zero by default.
    pub after: Duration,
    /// The level, dB of full scale, below which the caller's audio is taken for the agent's echo while it speaks;
    /// `None` by default.
    pub echo_gate_dbfs: Option<f32>,
    /// Whether a DTMF digit stops the agent at once; on by default.
    pub keys: bool,
}

impl Default for Interruption {
    fn default() -> Self {
        Self { guard: Duration::ZERO, after: Duration::ZERO, echo_gate_dbfs: None, keys: true }
    }
}

/// How DTMF digits are collected into an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keypad {
    /// The pause that completes an entry; 2 s by default.
    pub pause: Duration,
    /// The key that completes an entry; `#` by default.
    pub end: char,
    /// The number of digits that completes an entry; 20 by default.
    pub longest: usize,
    /// Whether the digits are kept out of logs and storage; off by default.
    pub sensitive: bool,
}

impl Default for Keypad {
    fn default() -> Self {
        Self { pause: Duration::from_secs(2), end: '#', longest: 20, sensitive: false }
    }
}

/// The maximum duration of a call, and the idle prompts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The maximum duration of a call; 30 minutes by default.
    pub longest: Duration,
    /// The goodbye when a limit ends the call.
    pub goodbye: Words,
    /// The silence of both sides after which the agent sends an idle prompt; 20 s by default.
    pub silence: Duration,
    /// The words of the idle prompt.
    pub nudge: Words,
    /// The number of idle prompts before the goodbye; 6 by default.
    pub nudges: u32,
}
