//! The `[greeting]`, `[interruption]`, `[keypad]` and `[limits]` tables.

use super::words::Spoken;
use crate::Words;
use crate::default_phrases::Phrases;
use crate::error::Fault;
use crate::rules::{ms, seconds, text, within};
use serde::Deserialize;

/// The maximum length of one utterance, in characters: a minute and a half of speech.
const MAX_SPOKEN: usize = 1500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Greeting {
    say: Option<String>,
    prompt: Option<String>,
    #[serde(default = "yes")]
    interruptible: bool,
}

fn yes() -> bool {
    true
}

impl Greeting {
    pub(super) fn resolve(self) -> Result<crate::Greeting, Fault> {
        let words = match (self.say, self.prompt) {
            (Some(say), None) => text("greeting.say", &say, MAX_SPOKEN).map(|()| Words::Exact(say))?,
            (None, Some(prompt)) => {
                text("greeting.prompt", &prompt, MAX_SPOKEN).map(|()| Words::Prompt(prompt))?
            }
            (Some(_), Some(_)) => {
                return Err(Fault::new("greeting.prompt", "conflicts with say: keep only one of them"));
            }
            (None, None) => {
                return Err(Fault::new(
                    "greeting",
                    "needs say (exact words) or prompt (the model's own words)",
                ));
            }
        };
        Ok(crate::Greeting { words, interruptible: self.interruptible })
    }
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Interruption {
    guard_ms: u64,
    after_ms: u64,
    echo_gate_dbfs: Option<f32>,
    keys: bool,
}

impl Default for Interruption {
    fn default() -> Self {
        Self { guard_ms: 0, after_ms: 0, echo_gate_dbfs: None, keys: true }
    }
}

impl Interruption {
    pub(super) fn resolve(self) -> Result<crate::Interruption, Fault> {
        let gate = |level| within("interruption.echo_gate_dbfs", level, -90.0..=0.0, " dBFS");
        Ok(crate::Interruption {
            guard: ms("interruption.guard_ms", self.guard_ms, 0..=5000)?,
            after: ms("interruption.after_ms", self.after_ms, 0..=2000)?,
            echo_gate_dbfs: self.echo_gate_dbfs.map(gate).transpose()?,
            keys: self.keys,
        })
    }
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Keypad {
    pause_ms: u64,
    end: String,
    longest: usize,
    sensitive: bool,
}

impl Default for Keypad {
    fn default() -> Self {
        Self { pause_ms: 2000, end: "#".to_owned(), longest: 20, sensitive: false }
    }
}

impl Keypad {
    pub(super) fn resolve(self) -> Result<crate::Keypad, Fault> {
        let end = match self.end.as_str() {
            "#" => '#',
            "*" => '*',
            _ => return Err(Fault::new("keypad.end", "must be \"#\" or \"*\"")),
        };
        Ok(crate::Keypad {
            pause: ms("keypad.pause_ms", self.pause_ms, 500..=10_000)?,
            end,
            longest: within("keypad.longest", self.longest, 1..=64, " digits")?,
            sensitive: self.sensitive,
        })
    }
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Limits {
    longest_s: u64,
    goodbye: Option<Spoken>,
    silence_s: u64,
    nudge: Option<Spoken>,
    nudges: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { longest_s: 30 * 60, goodbye: None, silence_s: 20, nudge: None, nudges: 6 }
    }
}

impl Limits {
    pub(super) fn resolve(self, phrases: &Phrases) -> Result<crate::Limits, Fault> {
        let words = |field, own: Option<Spoken>, default: &str| match own {
            Some(own) => own.resolve(field, MAX_SPOKEN),
            None => Ok(Words::Exact(default.to_owned())),
        };
        Ok(crate::Limits {
            longest: seconds("limits.longest_s", self.longest_s, 10..=14_400)?,
            goodbye: words("limits.goodbye", self.goodbye, &phrases.goodbye)?,
            silence: seconds("limits.silence_s", self.silence_s, 5..=300)?,
            nudge: words("limits.nudge", self.nudge, &phrases.nudge)?,
            nudges: within("limits.nudges", self.nudges, 0..=10, "")?,
        })
    }
}
