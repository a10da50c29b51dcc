//! Barge-in: when the caller's speech or a DTMF digit interrupts the agent.

use super::virtual_call::{Call, answered, interrupted, ms, played, sounding};
use crate::{AgentEvent, BargeInPolicy, Output};
use std::time::Duration;

const CANCEL: Output = Output::CancelResponse;

#[test]
fn by_default_the_model_decides_about_turns() {
    let mut call = Call::open();
    call.agent_says("r1", "story", 100);
    call.run_until(1_000);
    call.does(AgentEvent::SpeechStarted);
    call.run_until(1_100);
    call.does(AgentEvent::SpeechStopped);

    assert_eq!(call.events_until(1_200), [], "neither cancelled nor decided locally");
}

#[test]
fn a_reply_can_be_interrupted_once_its_guard_is_over() {
    let mut call = Call::open_with(guarded(500));
    call.agent_says("r1", "story", 100);
    call.run_until(100);
    call.does(AgentEvent::SpeechStarted);

    assert_eq!(call.events_until(499), []);
    assert_eq!(call.events_until(520), [CANCEL, interrupted("story", 520, 2_000)]);
    call.does(AgentEvent::SpeechStopped);
    assert_eq!(call.events_until(520), [Output::TurnEnded { answer: true }]);
}

#[test]
fn speech_that_ends_within_the_guard_does_not_interrupt() {
    let mut call = Call::open_with(guarded(500));
    call.agent_says("r1", "story", 100);
    call.run_until(100);
    call.does(AgentEvent::SpeechStarted);
    call.run_until(400);
    call.does(AgentEvent::SpeechStopped);

    assert_eq!(call.events_until(1_000), [Output::TurnEnded { answer: false }]);
}

#[test]
fn every_reply_has_its_own_guard() {
    let mut call = Call::open_with(guarded(500));
    call.agent_answers("r1", "first", 50);
    call.agent_says("r2", "second", 100);
    call.run_until(1_100);

    call.does(AgentEvent::SpeechStarted);

    assert_eq!(call.events_until(1_499), []);
    assert_eq!(call.events_until(1_500), [CANCEL, interrupted("second", 520, 2_000)]);
}

#[test]
fn a_backchannel_does_not_interrupt_and_is_not_answered() {
    let mut call = Call::open_with(patient(600));
    call.agent_says("r1", "story", 100);
    call.run_until(1_000);
    call.does(AgentEvent::SpeechStarted);
    call.run_until(1_500);
    call.does(AgentEvent::SpeechStopped);

    let outputs = call.run_until(1_980);

    assert_eq!(outputs[0], Output::TurnEnded { answer: false });
    assert_eq!(sounding(&outputs), 24, "the story goes on");
}

#[test]
fn long_speech_over_the_agent_interrupts_it_once() {
    let mut call = Call::open_with(patient(600));
    call.agent_says("r1", "story", 200);
    call.run_until(1_000);
    call.does(AgentEvent::SpeechStarted);

    assert_eq!(call.events_until(1_599), []);
    assert_eq!(call.events_until(3_000), [CANCEL, interrupted("story", 1_620, 4_000)]);
    call.does(AgentEvent::SpeechStopped);
    assert_eq!(call.events_until(3_000), [Output::TurnEnded { answer: true }]);
}

#[test]
fn speech_over_two_replies_in_a_row_interrupts() {
    let mut call = Call::open_with(patient(600));
    call.agent_answers("r1", "first", 20);
    call.agent_says("r2", "second", 100);
    call.run_until(200);
    call.does(AgentEvent::SpeechStarted);

    assert_eq!(call.events_until(799), [played("first")]);
    assert_eq!(call.events_until(800), [CANCEL, interrupted("second", 420, 2_000)]);
}

#[test]
fn speech_long_enough_interrupts_even_if_its_stop_is_handled_first() {
    let mut call = Call::open_with(patient(600));
    call.agent_says("r1", "story", 100);
    call.run_until(1_000);
    call.does(AgentEvent::SpeechStarted);

    // No timeout was handled in between.
    call.now += ms(700);
    call.does(AgentEvent::SpeechStopped);

    let events = call.events_until(1_700);
    assert_eq!(events[..2], [CANCEL, interrupted("story", 1_040, 2_000)]);
    assert_eq!(events[2], Output::TurnEnded { answer: true });
}

#[test]
fn a_caller_who_outlasts_the_agent_is_answered() {
    let mut call = Call::open_with(patient(600));
    call.agent_answers("r1", "story", 50);
    call.run_until(800);
    call.does(AgentEvent::SpeechStarted);
    call.run_until(1_200);
    call.does(AgentEvent::SpeechStopped);

    let events = call.events_until(1_200);

    assert_eq!(events.last(), Some(&Output::TurnEnded { answer: true }));
}

#[test]
fn a_caller_who_speaks_before_the_answer_cancels_it_at_once() {
    let mut call = Call::open_with(patient(600));
    call.does(AgentEvent::SpeechStarted);
    assert_eq!(call.events_until(1_000), [CANCEL], "a response may be in progress");
    call.does(AgentEvent::SpeechStopped);
    assert_eq!(call.events_until(1_100), [Output::TurnEnded { answer: true }]);
    call.does(AgentEvent::ResponseStarted { response: "r1".into() });

    call.does(AgentEvent::SpeechStarted);
    call.agent_says("r1", "too early", 5);

    assert_eq!(call.events_until(1_200), [CANCEL, interrupted("too early", 0, 100)]);
}

#[test]
fn a_protected_greeting_is_played_to_its_end_before_the_reply() {
    let mut call = Call::open_with(greeting_first());
    call.agent_answers("r1", "greeting", 50);
    call.run_until(100);
    call.does(AgentEvent::SpeechStarted);
    call.run_until(400);
    call.does(AgentEvent::SpeechStopped);
    call.agent_answers("r2", "reply", 10);

    let events = call.events_until(2_000);

    assert_eq!(events, [played("greeting"), answered(600, 0), played("reply")]);
}

#[test]
fn speech_beyond_a_protected_greeting_interrupts_the_reply_behind_it() {
    let mut call = Call::open_with(greeting_first());
    call.agent_answers("r1", "greeting", 50);
    call.run_until(100);
    call.agent_says("r2", "reply", 10);
    call.does(AgentEvent::SpeechStarted);

    let events = call.events_until(2_000);

    assert_eq!(events, [played("greeting"), CANCEL, interrupted("reply", 0, 200)]);
}

#[test]
fn only_the_first_response_is_a_greeting() {
    let mut call = Call::open_with(greeting_first());
    call.agent_answers("r1", "greeting", 5);
    call.agent_says("r2", "story", 50);
    call.run_until(499);

    call.does(AgentEvent::SpeechStarted);

    assert_eq!(call.events_until(500), [interrupted("story", 420, 1_000)]);
}

#[test]
fn over_the_greeting_a_backchannel_is_not_answered_and_a_sentence_is() {
    for (long, answer) in [(300, false), (700, true)] {
        let mut call = Call::open_with(BargeInPolicy { after: ms(600), ..greeting_first() });
        call.agent_says("r1", "greeting", 100);
        call.run_until(100);
        call.does(AgentEvent::SpeechStarted);
        call.run_until(100 + long);
        call.does(AgentEvent::SpeechStopped);

        assert_eq!(call.events_until(1_000), [Output::TurnEnded { answer }]);
    }
}

#[test]
fn a_backchannel_starts_no_latency_measurement() {
    let mut call = Call::open_with(patient(600));
    call.agent_answers("r1", "story", 50);
    call.run_until(100);
    call.does(AgentEvent::SpeechStarted);
    call.run_until(300);
    call.does(AgentEvent::SpeechStopped);
    call.run_until(5_000);

    call.agent_answers("r2", "by the way", 5);

    assert_eq!(call.events_until(6_000), [played("by the way")]);
}

#[test]
fn speech_of_the_agent_during_the_callers_turn_is_no_answer() {
    let mut call = Call::open();
    call.does(AgentEvent::SpeechStarted);
    call.run_until(1_000);
    call.does(AgentEvent::SpeechStopped);
    call.run_until(1_200);
    call.does(AgentEvent::SpeechStarted);

    call.agent_answers("r1", "a tool's result", 5);

    let events = [Output::FirstAudio(ms(1_220)), played("a tool's result")];
    assert_eq!(call.events_until(2_000), events);
}

#[test]
fn a_key_press_stops_the_agent_at_once_even_under_guard() {
    for turns in [BargeInPolicy::default(), guarded(1_500)] {
        let mut call = Call::open_with(turns);
        call.agent_says("r1", "story", 600);
        call.run_until(1_000);

        call.presses(50, 1);

        assert_eq!(call.events_until(1_000), [CANCEL, interrupted("story", 1_040, 12_000)]);
        assert_eq!(sounding(&call.run_until(2_900)), 1, "the faded frame");
        assert_eq!(call.bridge.meter().interruptions, 1);
    }
}

#[test]
fn a_key_press_cancels_the_response_in_progress() {
    let mut call = Call::open();
    call.does(AgentEvent::ResponseStarted { response: "r1".into() });
    call.presses(50, 1);

    call.agent_says("r1", "late", 50);

    assert_eq!(call.events_until(100), [CANCEL, interrupted("late", 0, 1_000)]);
}

#[test]
fn a_key_press_can_be_configured_not_to_interrupt() {
    let mut call = Call::open_with(BargeInPolicy { keys_interrupt: false, ..BargeInPolicy::default() });
    call.agent_answers("r1", "story", 100);
    call.run_until(500);

    call.presses(25, 1);

    assert_eq!(call.events_until(2_100), [played("story")]);
}

#[test]
fn a_key_press_interrupts_neither_protected_greeting_nor_recording() {
    let mut call = Call::open_with(greeting_first());
    call.agent_answers("r1", "greeting", 50);
    call.run_until(100);
    call.presses(5, 1);
    assert_eq!(call.events_until(1_020), [played("greeting")]);

    call.bridge.play_recording(vec![7; 50 * crate::SAMPLES], call.now);
    call.presses(60, 2);

    assert_eq!(sounding(&call.run_until(2_500)), 50);
}

#[test]
fn a_key_press_into_silence_cancels_nothing() {
    let mut call = Call::open();
    call.run_until(500);

    call.presses(25, 1);

    assert_eq!(call.events_until(600), []);
}

#[test]
fn a_flood_of_dtmf_is_reported_once_and_counted() {
    let mut call = Call::open();
    for n in 0..2_000 {
        call.presses(n, (n % 10) as u8);
    }

    let events = call.events_until(10);
    assert_eq!(events.iter().filter(|events| **events == Output::DtmfDropped).count(), 1);
    assert_eq!((call.bridge.meter().keys, call.bridge.meter().keys_dropped), (64, 1_936));
}

fn guarded(guard_ms: u64) -> BargeInPolicy {
    BargeInPolicy { guard: ms(guard_ms), ..BargeInPolicy::default() }
}

fn patient(after_ms: u64) -> BargeInPolicy {
    BargeInPolicy { after: ms(after_ms), guard: Duration::ZERO, ..BargeInPolicy::default() }
}

fn greeting_first() -> BargeInPolicy {
    BargeInPolicy { greeting_is_interruptible: false, ..BargeInPolicy::default() }
}
