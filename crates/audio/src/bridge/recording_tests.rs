//! Tests recordings, which take the place of an agent that is not available.

use super::virtual_call::{Call, cut_short, sounding};
use crate::{AgentEvent, Output};

#[test]
fn a_recording_takes_the_agents_place_and_cannot_be_interrupted() {
    let mut call = Call::open();
    call.agent_says("r1", "story", 100);
    call.run_until(99);

    call.bridge.play_recording(vec![7; 24_000], call.now);
    call.does(AgentEvent::SpeechStarted);
    call.agent_says("r1", "story", 100);
    call.agent_says("r2", "answer", 100);

    let outputs = call.run_until(1_419);
    assert_eq!(outputs[0], cut_short("story", 120, 2_000));
    assert_eq!(call.bridge.meter().interruptions, 0);
    assert_eq!(sounding(&outputs), 1 + 50, "the end of the word, and one second");
    assert_eq!(call.events_until(60_000), [Output::HangUp]);
}

#[test]
fn a_recording_is_played_even_if_the_agent_never_spoke() {
    let mut call = Call::open();

    call.bridge.play_recording(vec![7; 4_800], call.now);

    let outputs = call.run_until(500);
    assert_eq!((sounding(&outputs), outputs.last()), (10, Some(&Output::HangUp)));
}

#[test]
fn a_recording_replaces_another() {
    let mut call = Call::open();
    call.bridge.play_recording(vec![7; 24_000], call.now);
    call.run_until(99);

    call.bridge.play_recording(vec![8; 4_800], call.now);

    let outputs = call.run_until(1_000);
    assert_eq!((sounding(&outputs), outputs.contains(&Output::HangUp)), (10, true));
}

#[test]
fn a_recording_replaces_a_goodbye_and_hangs_up_once() {
    let mut call = Call::open();
    call.agent_answers("r1", "goodbye", 100);
    call.bridge.hang_up_when_silent(call.now);
    call.run_until(100);
    call.bridge.play_recording(vec![7; 24_000], call.now);
    call.bridge.hang_up_when_silent(call.now);

    let said = call.events_until(60_000).into_iter().filter(|output| *output == Output::HangUp);

    assert_eq!(said.count(), 1);
    call.bridge.play_recording(vec![7; 24_000], call.now);
    assert_eq!(call.events_until(70_000), []);
}
