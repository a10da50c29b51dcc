//! The sentences of a rehearsed call, spoken by espeak-ng. The recipe is `fixtures/speech/make.sh`.

use crate::level::is_voiced;
use crate::{FRAME, duration, samples, wav};
use std::time::Duration;

/// How long the monologues last.
const MONOLOGUE: Duration = Duration::from_secs(70);
/// The longest pause in them, in frames of 20 ms: no detector of turns takes 140 ms for an end.
const LONGEST_PAUSE: usize = 7;

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

        /// Returns the sentence of this name, as `caller-question`.
        pub fn named(name: &str) -> Option<Clip> {
            match name {
                $($file => Some($name()),)*
                _ => None,
            }
        }

        /// Returns every sentence.
        pub fn all() -> Vec<Clip> {
            vec![$($name()),*]
        }
    };
}

clips! {
    /// The caller asks, 2.6 s.
    caller_question = "caller-question", "Hi, is my bike ready to be picked up today?";
    /// The caller asks something that takes long to answer, 2.5 s.
    caller_directions = "caller-directions", "And how do I get to your shop from the station?";
    /// The caller breaks in, 2.9 s.
    caller_interrupts = "caller-interrupts", "Sorry, wait a moment. Do you close at six?";
    /// The caller asks for something that has to be looked up, 3.8 s.
    caller_order = "caller-order", "Can you look up my order, please? It is number four two seven.";
    /// The caller takes leave, 2.3 s.
    caller_thanks = "caller-thanks", "That is all, thank you. Goodbye.";
    /// The caller shows that he listens, and wants no answer: less than 400 ms.
    caller_mhm = "caller-mhm", "Hmm.";
    /// The agent greets, 5.2 s.
    agent_greeting = "agent-greeting", "Hello, this is Mirsk Bikes. You are talking to an AI assistant. How can I help you?";
    /// The agent greets a caller by name, 5.4 s.
    agent_greeting_amina = "agent-greeting-amina", "Hello Amina, this is Mirsk Bikes. You are talking to an AI assistant. How can I help you?";
    /// The agent greets a caller whose name is not known, 5.4 s.
    agent_greeting_there = "agent-greeting-there", "Hello there, this is Mirsk Bikes. You are talking to an AI assistant. How can I help you?";
    /// The agent answers, 3.2 s.
    agent_answer = "agent-answer", "Yes, it is ready. You can come by any time today.";
    /// The agent answers at length, 11.8 s.
    agent_long = "agent-long", "From the station you walk straight down the main street, past the market, and then take the second road on the left. After the bridge you will see a yellow house on your right, and our shop is in the courtyard just behind it.";
    /// The agent's last answer, 2.0 s.
    agent_closing = "agent-closing", "Yes, we close at six o'clock.";
    /// The agent fills the time that a tool takes, 1.7 s.
    agent_moment = "agent-moment", "One moment, I will have a look.";
    /// The agent tells what the tool found, 3.5 s.
    agent_order = "agent-order", "Order four two seven is ready. You can pick it up until six.";
    /// The agent takes leave, 2.0 s.
    agent_goodbye = "agent-goodbye", "Thank you for calling. Goodbye.";
    /// The agent breaks the silence, 0.9 s.
    agent_nudge = "agent-nudge", "Are you still there?";
    /// The agent has the keys that were pressed, 1.6 s.
    agent_keys = "agent-keys", "Thank you, I have your number.";
    /// The agent's tool failed, 4.4 s.
    agent_sorry = "agent-sorry", "I am sorry, I cannot look that up right now. Shall somebody call you back?";
}

/// The caller talks for 70 s without a pause that could be taken for the end.
pub fn caller_monologue() -> Clip {
    monologue(
        "caller-monologue",
        &[caller_question(), caller_directions(), caller_order(), caller_interrupts(), caller_thanks()],
    )
}

/// The agent talks for 70 s without a pause that could be taken for the end.
pub fn agent_monologue() -> Clip {
    monologue(
        "agent-monologue",
        &[agent_long(), agent_answer(), agent_order(), agent_sorry(), agent_greeting()],
    )
}

/// The clips over and over, each round from another one on, so that no two stretches of it sound alike for long.
fn monologue(name: &str, clips: &[Clip]) -> Clip {
    let mut monologue = Clip { name: name.to_owned(), text: String::new(), samples: Vec::new() };
    let rounds = (0..clips.len())
        .cycle()
        .flat_map(|first| (0..clips.len()).map(move |n| first + n * (1 + first % (clips.len() - 1))));
    for clip in rounds.map(|n| &clips[n % clips.len()]) {
        if monologue.duration() >= MONOLOGUE {
            break;
        }
        monologue.text += if monologue.text.is_empty() { "" } else { " " };
        monologue.text += &clip.text;
        monologue.samples.extend(without_pauses(&clip.samples));
    }
    monologue.samples.truncate(samples(MONOLOGUE));
    monologue
}

/// What is said, with every pause cut down to the longest one allowed, and none at either end.
fn without_pauses(said: &[i16]) -> Vec<i16> {
    let mut silent = LONGEST_PAUSE;
    let mut kept = Vec::new();
    for frame in said.chunks_exact(FRAME) {
        silent = if is_voiced(frame) { 0 } else { silent + 1 };
        if silent <= LONGEST_PAUSE {
            kept.extend(frame);
        }
    }
    kept.truncate(kept.len() - silent.min(LONGEST_PAUSE) * FRAME);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hearing::{HEARD, find};

    #[test]
    fn a_monologue_has_no_pause_that_ends_a_turn() {
        for clip in [caller_monologue(), agent_monologue()] {
            assert_eq!(clip.duration(), MONOLOGUE, "{}", clip.name);
            let voiced: Vec<bool> = clip.samples.chunks_exact(FRAME).map(is_voiced).collect();
            let longest = voiced.split(|voiced| *voiced).map(<[bool]>::len).max();
            assert!(longest.is_some_and(|frames| frames * 20 < 200), "{}: {longest:?} frames", clip.name);
        }
    }

    #[test]
    fn a_monologue_is_found_as_a_whole_and_where_it_begins() {
        let clip = agent_monologue();
        let mut recording = vec![0; 30_000];
        recording.extend(&clip.samples);
        recording.extend([0; 48_000]);

        let found = find(&clip.samples, &recording).expect("the recording is longer than the clip");

        assert!(found.correlation > 0.95 && found.at.abs_diff(30_000) < FRAME, "{found:?}");
    }

    #[test]
    fn no_sentence_is_taken_for_another() {
        let all = [
            caller_question(),
            caller_directions(),
            caller_interrupts(),
            caller_order(),
            caller_thanks(),
            agent_greeting(),
            agent_answer(),
            agent_closing(),
            agent_moment(),
            agent_order(),
            agent_goodbye(),
            agent_keys(),
            agent_sorry(),
        ];
        for clip in &all {
            for other in all.iter().filter(|other| other.name != clip.name) {
                let found = find(&clip.samples, &other.samples);
                let (clip, other) = (&clip.name, &other.name);
                assert!(found.is_none_or(|found| found.correlation < HEARD), "{clip} in {other}: {found:?}");
            }
        }
    }

    /// The greetings end alike: only their first second tells them apart.
    #[test]
    fn a_greeting_by_name_is_told_from_the_others_by_its_beginning() {
        let all = [agent_greeting(), agent_greeting_amina(), agent_greeting_there()];
        for clip in &all {
            let begins = &clip.samples[..samples(Duration::from_secs(1))];
            for other in all.iter().filter(|other| other.name != clip.name) {
                let of_it = &other.samples[..samples(Duration::from_millis(1_200))];
                let found = find(begins, of_it).expect("it is longer");
                assert!(found.correlation < HEARD, "{} in {}: {found:?}", clip.name, other.name);
            }
        }
    }

    #[test]
    fn a_sign_of_listening_is_short() {
        let voiced = caller_mhm().samples.chunks_exact(FRAME).filter(|frame| is_voiced(frame)).count();

        assert!((5..20).contains(&voiced), "{voiced} frames");
    }
}
