//! Speech of the caller that the model does not hear.

use super::virtual_call::{Call, ms};
use crate::unheard_speech::tests::speech;
use crate::{AgentEvent, BargeInPolicy, CallLimits, Output, SAMPLES};

#[test]
fn a_deaf_agent_is_reported_once_and_no_idle_prompt_sent() {
    let mut call =
        Call::new(CallLimits { idle_after: ms(6_000), ..CallLimits::default() }, BargeInPolicy::default());
    call.bridge.open(call.start);

    let mut events = speaks(&mut call, 13);
    assert_eq!(events, [Output::AgentIsDeaf]);
    call.does(AgentEvent::SessionReplaced);
    call.does(AgentEvent::SessionReady);
    events = speaks(&mut call, 60);

    assert!(!events.contains(&Output::AgentIsDeaf), "once a call");
}

#[test]
fn detected_speech_is_not_reported_as_unheard() {
    let mut call = Call::open();
    call.does(AgentEvent::SpeechStarted);
    assert_eq!(speaks(&mut call, 40), []);
}

#[test]
fn the_agents_echo_is_not_taken_for_the_caller() {
    let mut call = Call::open();
    call.agent_answers("r1", "monologue", 1_500);

    let events = speaks(&mut call, 30);

    assert!(!events.contains(&Output::AgentIsDeaf), "{events:?}");
}

#[test]
fn a_session_being_replaced_is_not_deaf() {
    let mut call = Call::open();
    call.does(AgentEvent::SessionReplaced);

    assert_eq!(speaks(&mut call, 15), []);
}

#[test]
fn a_few_unheard_words_delay_an_idle_prompt() {
    let mut call = Call::open();
    call.run_until(16_000);

    assert_eq!(speaks(&mut call, 3), []);
    assert_eq!(call.events_until(22_500), []);
    assert_eq!(call.events_until(23_500), [Output::IdlePrompt { times: 1 }]);
}

#[test]
fn unheard_speech_delays_idle_prompts_by_at_most_twelve_seconds() {
    let mut call = Call::open();
    let mut events = vec![];
    for _ in 0..3 {
        events.extend(speaks(&mut call, 4));
        events.extend(hears(&mut call, &vec![0; 8 * 24_000]));
    }

    assert_eq!(events, [Output::IdlePrompt { times: 1 }], "after 32 s at the latest");
}

/// The caller speaks for some seconds. Returns the outputs other than frames.
fn speaks(call: &mut Call, seconds: usize) -> Vec<Output> {
    hears(call, &speech(seconds))
}

fn hears(call: &mut Call, sound: &[i16]) -> Vec<Output> {
    let mut events = vec![];
    for frame in sound.chunks(SAMPLES) {
        call.bridge.gate(&mut frame.to_vec(), call.now);
        let next = (call.now - call.start).as_millis() as u64 + 20;
        events.extend(call.events_until(next));
    }
    events
}
