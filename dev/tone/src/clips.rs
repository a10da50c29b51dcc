//! The sentences of a rehearsed call, spoken by espeak-ng. The recipe is `fixtures/speech/make.sh`.

use crate::{duration, wav};
use std::time::Duration;

/// A spoken sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clip {
    /// A short name, for timelines and recordings.
    pub name: String,
    /// What is said.
    pub text: String,
    /// How it sounds, at [`crate::RATE`].
    pub samples: Vec<i16>,
}

impl Clip {
    /// How long it takes to say.
    pub fn duration(&self) -> Duration {
        duration(self.samples.len())
    }
}

macro_rules! clips {
    ($($(#[$doc:meta])* $name:ident = $file:literal, $text:literal;)*) => {
        $($(#[$doc])*
        pub fn $name() -> Clip {
            let bytes = include_bytes!(concat!("../../../fixtures/speech/", $file, ".wav"));
            Clip {
                name: $file.to_owned(),
                text: $text.to_owned(),
                samples: wav::parse(bytes).expect("the committed clips are 24 kHz mono 16 bit"),
            }
        })*
    };
}

clips! {
    /// The caller asks, 2.6 s.
    caller_question = "caller-question", "Hi, is my bike ready to be picked up today?";
    /// The caller asks something that takes long to answer, 2.5 s.
    caller_directions = "caller-directions", "And how do I get to your shop from the station?";
    /// The caller breaks in, 2.9 s.
    caller_interrupts = "caller-interrupts", "Sorry, wait a moment. Do you close at six?";
    /// The agent greets, 5.2 s.
    agent_greeting = "agent-greeting", "Hello, this is Mirsk Bikes. You are talking to an AI assistant. How can I help you?";
    /// The agent answers, 3.2 s.
    agent_answer = "agent-answer", "Yes, it is ready. You can come by any time today.";
    /// The agent answers at length, 11.8 s.
    agent_long = "agent-long", "From the station you walk straight down the main street, past the market, and then take the second road on the left. After the bridge you will see a yellow house on your right, and our shop is in the courtyard just behind it.";
    /// The agent's last answer, 2.0 s.
    agent_closing = "agent-closing", "Yes, we close at six o'clock.";
}
