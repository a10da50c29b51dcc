//! Plans a response: which piece of the reply is sent when. Sound comes in bursts, faster than it is spoken,
//! cut at odd places; the words run ahead of it.

use crate::format::Format;
use crate::reply::{McpCall, Reply, ReplyItem};
use fastrand::Rng;
use sim_audio::Clip;
use std::collections::VecDeque;
use std::time::Duration;

const DELTA_MS: std::ops::Range<usize> = 40..400;
const DELTAS_IN_A_BURST: std::ops::Range<usize> = 1..5;
const ARGUMENTS_LETTERS: usize = 12;

/// A piece of a response.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// An output item begins.
    Open(Opening),
    /// Words of what is being said.
    Words(String),
    /// Sound of what is being said, in the output format.
    Sound(Vec<u8>),
    /// A part of a function call's arguments.
    Arguments(String),
    /// The output item is complete.
    Close,
    /// The response is complete.
    Finish,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Opening {
    /// A spoken message, with the clip's name.
    Speech(String),
    Text,
    /// The call of a function, by name.
    Call(String),
    /// The call of a tool of a remote server.
    Mcp(McpCall),
}

/// How a reply is to be sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delivery {
    /// Before the first piece.
    pub thinking: Duration,
    /// Times real time; 0 or infinity is at once.
    pub pace: f64,
    /// `None` writes the reply instead of speaking it.
    pub sound: Option<Format>,
    /// Whether 16 bit samples may be cut in two.
    pub splits_samples: bool,
}

/// The pieces of the reply, each with its time after the beginning of the response.
pub(crate) fn plan(reply: &Reply, delivery: Delivery, rng: &mut Rng) -> VecDeque<(Duration, Step)> {
    let mut planner =
        Planner { at: delivery.thinking, unspent: Duration::ZERO, delivery, rng, steps: VecDeque::new() };
    for item in &reply.items {
        planner.wait();
        match (item, delivery.sound) {
            (ReplyItem::Speech(clip), Some(format)) => planner.speak(clip, format),
            (ReplyItem::Speech(clip), None) | (ReplyItem::Text(clip), _) => planner.write(clip),
            (ReplyItem::FunctionCall { name, arguments }, _) => {
                planner.call(Opening::Call(name.clone()), arguments);
            }
            (ReplyItem::McpCall(call), _) => {
                planner.call(Opening::Mcp(call.clone()), &call.arguments);
            }
        }
    }
    if reply.cut.is_some() {
        planner.cut_short();
    }
    planner.push(Step::Finish);
    planner.steps
}

struct Planner<'a> {
    at: Duration,
    /// How long the burst just sent should have taken.
    unspent: Duration,
    delivery: Delivery,
    rng: &'a mut Rng,
    steps: VecDeque<(Duration, Step)>,
}

impl Planner<'_> {
    fn speak(&mut self, clip: &Clip, format: Format) {
        let deltas = self.cut(format.encode(&clip.samples), format);
        // The words are out after two thirds of the sound's deltas.
        let mut words = shares(&clip.text, (deltas.len() * 2).div_ceil(3)).into_iter();
        self.push(Step::Open(Opening::Speech(clip.name.clone())));
        let mut left_in_burst = self.rng.usize(DELTAS_IN_A_BURST);
        for delta in deltas {
            if left_in_burst == 0 {
                self.wait();
                left_in_burst = self.rng.usize(DELTAS_IN_A_BURST);
            }
            left_in_burst -= 1;
            self.unspent += self.sending_time(format.milliseconds(delta.len()));
            if let Some(words) = words.next() {
                self.push(Step::Words(words));
            }
            self.push(Step::Sound(delta));
        }
        self.push(Step::Close);
    }

    fn write(&mut self, clip: &Clip) {
        self.push(Step::Open(Opening::Text));
        for words in shares(&clip.text, 5) {
            self.push(Step::Words(words));
        }
        self.push(Step::Close);
    }

    fn call(&mut self, opening: Opening, arguments: &str) {
        self.push(Step::Open(opening));
        let letters: Vec<char> = arguments.chars().collect();
        for part in letters.chunks(ARGUMENTS_LETTERS) {
            self.push(Step::Arguments(part.iter().collect()));
        }
        self.push(Step::Close);
    }

    /// Leaves out the second half of the last item, and its end.
    fn cut_short(&mut self) {
        let opened = self.steps.iter().rposition(|(_, step)| matches!(step, Step::Open(_)));
        let kept = opened.map_or(0, |opened| opened + 1 + (self.steps.len() - opened - 1) / 2);
        self.steps.truncate(kept);
    }

    fn wait(&mut self) {
        self.at += std::mem::take(&mut self.unspent);
    }

    fn push(&mut self, step: Step) {
        self.steps.push_back((self.at, step));
    }

    /// Cuts sound into deltas that fit no frame: of an odd number of samples, or of bytes where samples may be split.
    fn cut(&mut self, sound: Vec<u8>, format: Format) -> Vec<Vec<u8>> {
        let sample = format.sample_bytes();
        let mut rest = sound.as_slice();
        let mut deltas = Vec::new();
        while !rest.is_empty() {
            let samples = (format.bytes(self.rng.usize(DELTA_MS)) / sample) | 1;
            let split = usize::from(self.delivery.splits_samples && sample > 1);
            let (delta, after) = rest.split_at((samples * sample + split).min(rest.len()));
            deltas.push(delta.to_vec());
            rest = after;
        }
        deltas
    }

    fn sending_time(&self, milliseconds: u64) -> Duration {
        if self.delivery.pace > 0.0 && self.delivery.pace.is_finite() {
            Duration::from_millis(milliseconds).div_f64(self.delivery.pace)
        } else {
            Duration::ZERO
        }
    }
}

/// Splits the text into about `count` shares, between words.
fn shares(text: &str, count: usize) -> Vec<String> {
    let words: Vec<&str> = text.split_inclusive(' ').collect();
    words.chunks(words.len().div_ceil(count.max(1)).max(1)).map(|share| share.concat()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_audio::clips;

    const DELIVERY: Delivery = Delivery {
        thinking: Duration::from_millis(300),
        pace: 6.0,
        sound: Some(Format::Pcm),
        splits_samples: false,
    };

    #[test]
    fn every_byte_and_every_word_is_sent_once_and_in_order() {
        let clip = clips::agent_greeting();
        let steps = planned(&Reply::speech(clip.clone()), DELIVERY);

        assert_eq!(sounds(&steps).concat(), Format::Pcm.encode(&clip.samples));
        let words = steps
            .iter()
            .filter_map(|(_, step)| if let Step::Words(words) = step { Some(words.as_str()) } else { None });
        assert_eq!(words.collect::<String>(), clip.text);
    }

    #[test]
    fn sound_begins_after_thinking_and_comes_at_its_pace() {
        let clip = clips::agent_long();
        let steps = planned(&Reply::speech(clip.clone()), DELIVERY);

        let (first, last) = (steps[0].0, steps[steps.len() - 1].0);
        assert_eq!(first, DELIVERY.thinking);
        // The last burst, of at most four deltas, goes out at once.
        let (sending, wanted) = ((last - first).as_secs_f64(), clip.duration().as_secs_f64() / 6.0);
        assert!(sending <= wanted && sending > wanted - 4.0 * 0.4 / 6.0, "{sending} of {wanted}");
    }

    #[test]
    fn without_a_pace_everything_comes_at_once() {
        for pace in [0.0, f64::INFINITY] {
            let steps = planned(&Reply::speech(clips::agent_answer()), Delivery { pace, ..DELIVERY });

            assert!(steps.iter().all(|(at, _)| *at == DELIVERY.thinking));
        }
    }

    #[test]
    fn deltas_fit_no_frame_and_split_samples_only_if_configured() {
        let reply = Reply::speech(clips::agent_answer());
        let whole = planned(&reply, DELIVERY);
        let split = planned(&reply, Delivery { splits_samples: true, ..DELIVERY });

        assert!(sounds(&whole).iter().all(|delta| delta.len() % 2 == 0));
        assert!(sounds(&whole).iter().any(|delta| delta.len() % (2 * sim_audio::FRAME) != 0));
        assert!(sounds(&split)[0].len() % 2 == 1);
        assert_eq!(sounds(&split).concat(), sounds(&whole).concat());
    }

    #[test]
    fn a_call_follows_a_spoken_preamble_in_the_same_response() {
        let call = ReplyItem::FunctionCall { name: "find".into(), arguments: "{\"order\":\"1234\"}".into() };
        let steps = planned(&Reply::speech(clips::agent_answer()).and(call), DELIVERY);

        let arguments = steps.iter().filter_map(|(_, step)| {
            if let Step::Arguments(part) = step { Some(part.as_str()) } else { None }
        });
        assert_eq!(arguments.collect::<String>(), "{\"order\":\"1234\"}");
        assert_eq!(steps.iter().filter(|(_, step)| *step == Step::Close).count(), 2);
        assert_eq!(steps.back().map(|(_, step)| step), Some(&Step::Finish));
    }

    #[test]
    fn a_reply_in_text_has_no_sound() {
        let steps = planned(&Reply::speech(clips::agent_answer()), Delivery { sound: None, ..DELIVERY });

        assert!(sounds(&steps).is_empty());
        assert_eq!(steps[0].1, Step::Open(Opening::Text));
    }

    fn planned(reply: &Reply, delivery: Delivery) -> VecDeque<(Duration, Step)> {
        plan(reply, delivery, &mut crate::random::of_session(1, 0))
    }

    fn sounds(steps: &VecDeque<(Duration, Step)>) -> Vec<Vec<u8>> {
        steps
            .iter()
            .filter_map(|(_, step)| if let Step::Sound(sound) = step { Some(sound.clone()) } else { None })
            .collect()
    }
}
