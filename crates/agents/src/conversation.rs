//! How an agent talks: its greeting, what interrupts it, keys, patience.

use std::time::Duration;

/// How the agent greets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting {
    /// What it says, as written. With the disclosure line it is [`crate::Agent::opening`].
    pub words: Words,
    /// Whether the caller can interrupt it; by default they can.
    pub interruptible: bool,
}

/// Something the agent says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Words {
    /// These words and no others.
    Exact(String),
    /// Its own words, from a prompt.
    Prompt(String),
}

/// What it takes to interrupt the agent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interruption {
    /// The first part of a reply that cannot be interrupted; by default none.
    pub guard: Duration,
    /// How long the caller must speak over the agent: longer than an "mhm". By default at once.
    pub after: Duration,
    /// While the agent speaks, sound below this level is taken for its echo, dB below full scale; by default none is.
    pub echo_gate_dbfs: Option<f32>,
    /// Whether a key press stops the agent, at once; by default it does.
    pub keys: bool,
}

impl Default for Interruption {
    fn default() -> Self {
        Self { guard: Duration::ZERO, after: Duration::ZERO, echo_gate_dbfs: None, keys: true }
    }
}

/// How keys that the caller presses are collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keypad {
    /// After so long without a key the digits are complete; 2 s by default.
    pub pause: Duration,
    /// The key that completes them at once; `#` by default.
    pub end: char,
    /// The most digits; they are complete then. 20 by default.
    pub longest: usize,
    /// Whether the digits are never logged nor stored; off by default.
    pub sensitive: bool,
}

impl Default for Keypad {
    fn default() -> Self {
        Self { pause: Duration::from_secs(2), end: '#', longest: 20, sensitive: false }
    }
}

/// How long a call may last, and how much silence it may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The longest call; 30 minutes by default.
    pub longest: Duration,
    /// What is said when the call ends by one of these limits.
    pub goodbye: Words,
    /// After so much silence on both sides the agent asks; 20 s by default.
    pub silence: Duration,
    /// What it asks then.
    pub nudge: Words,
    /// How often it asks before it says goodbye and hangs up; 6 by default.
    pub nudges: u32,
}
