//! What a bridge promises, one sentence each.

use super::*;
use crate::SAMPLES;

#[test]
fn what_the_agent_prepares_waits_for_the_line_to_open() {
    let mut call = Call::new();
    call.agent_says("r1", "greeting", 3);

    assert_eq!(call.bridge.poll_timeout(), None);
    call.bridge.open(call.start);

    assert_eq!(call.run_until(0), [Output::FirstWord(ms(0)), voice()]);
    assert_eq!(call.run_until(60), [voice(), voice(), Output::Play(None)]);
}

#[test]
fn a_caller_who_speaks_silences_the_agent_within_a_frame() {
    let mut call = Call::open();
    call.agent_says("r1", "story", 100);
    call.run_until(99);

    call.bridge.handle_agent(Agent::HearsCaller, call.start + ms(99));

    let heard = Heard { item: item("story"), heard: ms(120), of: ms(2_000) };
    let outputs = call.run_until(140);
    assert_eq!(outputs[0], Output::Interrupted(heard));
    assert!(matches!(outputs[1], Output::Play(Some(_))), "the faded end of the word");
    assert_eq!(outputs[2..], [Output::Play(None), Output::Play(None)]);
}

#[test]
fn late_sound_of_an_interrupted_response_is_never_played() {
    let mut call = Call::open();
    call.agent_says("r1", "story", 2);
    call.run_until(0);
    call.bridge.handle_agent(Agent::HearsCaller, call.start);
    call.run_until(60);

    call.agent_says("r1", "story", 5);
    assert_eq!(call.run_until(80), [Output::Play(None)]);
    call.agent_says("r2", "answer", 1);

    assert_eq!(call.run_until(100), [voice()]);
}

#[test]
fn a_response_cancelled_before_its_first_sound_stays_silent() {
    let mut call = Call::open();
    call.bridge.handle_agent(Agent::Began { response: "r1".into() }, call.start);
    call.bridge.handle_agent(Agent::HearsCaller, call.start);
    call.run_until(0);

    call.agent_says("r1", "late", 5);

    assert_eq!(call.run_until(20), [Output::Play(None)]);
}

#[test]
fn a_turn_is_timed_from_the_callers_last_word_to_the_agents_first() {
    let mut call = Call::open();
    call.agent_says("r1", "greeting", 1);
    call.bridge.handle_agent(Agent::Finished { item: item("greeting") }, call.start);
    call.run_until(100);

    call.bridge.handle_agent(Agent::HearsCallerStop, call.start + ms(100));
    call.run_until(400);
    call.agent_says("r2", "answer", 1);

    assert_eq!(call.run_until(420), [Output::Turn(ms(320)), voice()]);
}

#[test]
fn the_agents_clock_runs_whether_or_not_the_caller_is_heard() {
    let mut call = Call::open();
    for n in 0..10_u16 {
        call.run_until(u64::from(n) * 20);
        call.bridge.handle_packet(n, Some(n), call.start + ms(u64::from(n) * 20));
    }
    call.run_until(1_000);

    let slots = std::iter::from_fn(|| call.bridge.poll_slot()).collect::<Vec<_>>();

    assert_eq!(slots.len(), 47);
    assert_eq!(slots.iter().filter(|slot| matches!(slot, Slot::Decode(_))).count(), 10);
}

#[test]
fn a_caller_who_talks_for_minutes_is_not_silent() {
    let mut call = Call::open();
    call.bridge.handle_agent(Agent::HearsCaller, call.start);
    let mut outputs = vec![];
    for second in 0..120 {
        call.bridge.handle_sign_of_life(call.start + ms(second * 1_000));
        outputs.extend(call.run_until(second * 1_000));
    }

    assert!(!outputs.iter().any(|output| matches!(output, Output::GiveUp(_))));
}

#[test]
fn an_item_that_is_never_said_to_be_whole_does_not_mute_the_next() {
    let mut call = Call::open();
    call.agent_says("r1", "first", 1);
    call.bridge.handle_agent(Agent::Ended { response: "r1".into() }, call.start);
    call.agent_says("r2", "second", 1);

    let outputs = call.run_until(20);

    assert_eq!(outputs.iter().filter(|output| **output == voice()).count(), 2);
}

#[test]
fn a_silent_line_is_given_up_once() {
    let mut call = Call::open();
    for second in 0..70 {
        call.bridge.handle_sign_of_life(call.start + ms(second * 1_000));
    }

    let given_up = call.run_until(70_000).into_iter().filter(|output| matches!(output, Output::GiveUp(_)));

    assert_eq!(given_up.collect::<Vec<_>>(), [Output::GiveUp(Verdict::BothSilent)]);
}

struct Call {
    start: Instant,
    bridge: Bridge<u16>,
}

impl Call {
    fn new() -> Self {
        Self { start: Instant::now(), bridge: Bridge::new(Limits::default()) }
    }

    fn open() -> Self {
        let mut call = Self::new();
        call.bridge.open(call.start);
        call
    }

    fn agent_says(&mut self, response: &str, name: &str, frames: usize) {
        let said = Agent::Said {
            response: response.into(),
            item: item(name),
            samples: vec![1_000; frames * SAMPLES],
        };
        self.bridge.handle_agent(said, self.start);
    }

    fn run_until(&mut self, at_ms: u64) -> Vec<Output> {
        let end = self.start + ms(at_ms);
        while let Some(due) = self.bridge.poll_timeout().filter(|due| *due <= end) {
            self.bridge.handle_timeout(due);
        }
        std::iter::from_fn(|| self.bridge.poll_output()).collect()
    }
}

fn voice() -> Output {
    Output::Play(Some(Box::new([1_000; SAMPLES])))
}

fn item(name: &str) -> ItemId {
    ItemId(name.into())
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}
