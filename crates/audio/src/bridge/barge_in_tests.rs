//! Who interrupts whom, one sentence each.

use super::virtual_call::{Call, answered, interrupted, ms, played, sounding};
use crate::{AgentEvent, BargeInPolicy, Output};
use std::time::Duration;

const CANCEL: Output = Output::CancelResponse;

#[test]
fn the_model_decides_about_turns_unless_told_otherwise() {
    let mut call = Call::open();
    call.agent_says("r1", "story", 100);
    call.run_until(1_000);
    call.does(AgentEvent::SpeechStarted);
    call.run_until(1_100);
    call.does(AgentEvent::SpeechStopped);

    assert_eq!(call.news_until(1_200), [], "neither cancelled by us nor judged");
}

#[test]
fn a_reply_cannot_be_interrupted_while_it_is_guarded_and_then_is() {
    let mut call = Call::open_with(guarded(500));
    call.agent_says("r1", "story", 100);
    call.run_until(100);
    call.does(AgentEvent::SpeechStarted);

    assert_eq!(call.news_until(499), []);
    assert_eq!(call.news_until(520), [CANCEL, interrupted("story", 520, 2_000)]);
    call.does(AgentEvent::SpeechStopped);
    assert_eq!(call.news_until(520), [Output::TurnEnded { answer: true }]);
}

#[test]
fn a_caller_who_is_silent_again_before_the_guard_is_over_does_not_interrupt() {
    let mut call = Call::open_with(guarded(500));
    call.agent_says("r1", "story", 100);
    call.run_until(100);
    call.does(AgentEvent::SpeechStarted);
    call.run_until(400);
    call.does(AgentEvent::SpeechStopped);

    assert_eq!(call.news_until(1_000), [Output::TurnEnded { answer: false }]);
}

#[test]
fn every_reply_has_its_own_guard() {
    let mut call = Call::open_with(guarded(500));
    call.agent_answers("r1", "first", 50);
    call.agent_says("r2", "second", 100);
    call.run_until(1_100);

    call.does(AgentEvent::SpeechStarted);

    assert_eq!(call.news_until(1_499), []);
    assert_eq!(call.news_until(1_500), [CANCEL, interrupted("second", 520, 2_000)]);
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
fn a_caller_who_goes_on_speaking_over_the_agent_interrupts_it_once() {
    let mut call = Call::open_with(patient(600));
    call.agent_says("r1", "story", 200);
    call.run_until(1_000);
    call.does(AgentEvent::SpeechStarted);

    assert_eq!(call.news_until(1_599), []);
    assert_eq!(call.news_until(3_000), [CANCEL, interrupted("story", 1_620, 4_000)]);
    call.does(AgentEvent::SpeechStopped);
    assert_eq!(call.news_until(3_000), [Output::TurnEnded { answer: true }]);
}

#[test]
fn speaking_over_two_replies_in_a_row_is_speaking_over_the_agent() {
    let mut call = Call::open_with(patient(600));
    call.agent_answers("r1", "first", 20);
    call.agent_says("r2", "second", 100);
    call.run_until(200);
    call.does(AgentEvent::SpeechStarted);

    assert_eq!(call.news_until(799), [played("first")]);
    assert_eq!(call.news_until(800), [CANCEL, interrupted("second", 420, 2_000)]);
}

#[test]
fn whoever_spoke_for_long_enough_has_interrupted_even_if_the_stop_is_heard_first() {
    let mut call = Call::open_with(patient(600));
    call.agent_says("r1", "story", 100);
    call.run_until(1_000);
    call.does(AgentEvent::SpeechStarted);

    // Nothing was run in between.
    call.now += ms(700);
    call.does(AgentEvent::SpeechStopped);

    let news = call.news_until(1_700);
    assert_eq!(news[..2], [CANCEL, interrupted("story", 1_040, 2_000)]);
    assert_eq!(news[2], Output::TurnEnded { answer: true });
}

#[test]
fn a_caller_who_outlasts_the_agent_is_answered() {
    let mut call = Call::open_with(patient(600));
    call.agent_answers("r1", "story", 50);
    call.run_until(800);
    call.does(AgentEvent::SpeechStarted);
    call.run_until(1_200);
    call.does(AgentEvent::SpeechStopped);

    let news = call.news_until(1_200);

    assert_eq!(news.last(), Some(&Output::TurnEnded { answer: true }));
}

#[test]
fn a_caller_who_goes_on_before_the_answer_is_heard_takes_it_back_at_once() {
    let mut call = Call::open_with(patient(600));
    call.does(AgentEvent::SpeechStarted);
    assert_eq!(call.news_until(1_000), [CANCEL], "perhaps something is about to be said");
    call.does(AgentEvent::SpeechStopped);
    assert_eq!(call.news_until(1_100), [Output::TurnEnded { answer: true }]);
    call.does(AgentEvent::ResponseStarted { response: "r1".into() });

    call.does(AgentEvent::SpeechStarted);
    call.agent_says("r1", "too early", 5);

    assert_eq!(call.news_until(1_200), [CANCEL, interrupted("too early", 0, 100)]);
}

#[test]
fn a_greeting_that_cannot_be_interrupted_is_played_to_its_end_and_the_reply_waits_behind_it() {
    let mut call = Call::open_with(greeting_first());
    call.agent_answers("r1", "greeting", 50);
    call.run_until(100);
    call.does(AgentEvent::SpeechStarted);
    call.run_until(400);
    call.does(AgentEvent::SpeechStopped);
    call.agent_answers("r2", "reply", 10);

    let news = call.news_until(2_000);

    assert_eq!(news, [played("greeting"), answered(600, 0), played("reply")]);
}

#[test]
fn a_caller_still_talking_when_the_greeting_is_over_interrupts_what_waits_behind_it() {
    let mut call = Call::open_with(greeting_first());
    call.agent_answers("r1", "greeting", 50);
    call.run_until(100);
    call.agent_says("r2", "reply", 10);
    call.does(AgentEvent::SpeechStarted);

    let news = call.news_until(2_000);

    assert_eq!(news, [played("greeting"), CANCEL, interrupted("reply", 0, 200)]);
}

#[test]
fn only_the_first_response_is_a_greeting() {
    let mut call = Call::open_with(greeting_first());
    call.agent_answers("r1", "greeting", 5);
    call.agent_says("r2", "story", 50);
    call.run_until(499);

    call.does(AgentEvent::SpeechStarted);

    assert_eq!(call.news_until(500), [interrupted("story", 420, 1_000)]);
}

#[test]
fn a_backchannel_over_the_greeting_is_not_answered_and_a_sentence_is() {
    for (long, answer) in [(300, false), (700, true)] {
        let mut call = Call::open_with(BargeInPolicy { after: ms(600), ..greeting_first() });
        call.agent_says("r1", "greeting", 100);
        call.run_until(100);
        call.does(AgentEvent::SpeechStarted);
        call.run_until(100 + long);
        call.does(AgentEvent::SpeechStopped);

        assert_eq!(call.news_until(1_000), [Output::TurnEnded { answer }]);
    }
}

#[test]
fn a_backchannel_is_not_what_the_next_turn_is_timed_from() {
    let mut call = Call::open_with(patient(600));
    call.agent_answers("r1", "story", 50);
    call.run_until(100);
    call.does(AgentEvent::SpeechStarted);
    call.run_until(300);
    call.does(AgentEvent::SpeechStopped);
    call.run_until(5_000);

    call.agent_answers("r2", "by the way", 5);

    assert_eq!(call.news_until(6_000), [played("by the way")]);
}

#[test]
fn what_the_agent_says_while_the_caller_goes_on_is_no_answer() {
    let mut call = Call::open();
    call.does(AgentEvent::SpeechStarted);
    call.run_until(1_000);
    call.does(AgentEvent::SpeechStopped);
    call.run_until(1_200);
    call.does(AgentEvent::SpeechStarted);

    call.agent_answers("r1", "a tool's result", 5);

    let news = [Output::FirstAudio(ms(1_220)), played("a tool's result")];
    assert_eq!(call.news_until(2_000), news);
}

#[test]
fn a_key_press_stops_the_agent_at_once_even_under_guard() {
    for turns in [BargeInPolicy::default(), guarded(1_500)] {
        let mut call = Call::open_with(turns);
        call.agent_says("r1", "story", 600);
        call.run_until(1_000);

        call.presses(50, 1);

        assert_eq!(call.news_until(1_000), [CANCEL, interrupted("story", 1_040, 12_000)]);
        assert_eq!(sounding(&call.run_until(2_900)), 1, "the frame that fades");
        assert_eq!(call.bridge.meter().interruptions, 1);
    }
}

#[test]
fn a_key_press_drops_what_the_agent_was_about_to_say() {
    let mut call = Call::open();
    call.does(AgentEvent::ResponseStarted { response: "r1".into() });
    call.presses(50, 1);

    call.agent_says("r1", "late", 50);

    assert_eq!(call.news_until(100), [CANCEL, interrupted("late", 0, 1_000)]);
}

#[test]
fn a_key_press_leaves_the_agent_speaking_where_its_file_says_so() {
    let mut call = Call::open_with(BargeInPolicy { keys_interrupt: false, ..BargeInPolicy::default() });
    call.agent_answers("r1", "story", 100);
    call.run_until(500);

    call.presses(25, 1);

    assert_eq!(call.news_until(2_100), [played("story")]);
}

#[test]
fn a_key_press_stops_no_protected_greeting_and_no_recording() {
    let mut call = Call::open_with(greeting_first());
    call.agent_answers("r1", "greeting", 50);
    call.run_until(100);
    call.presses(5, 1);
    assert_eq!(call.news_until(1_020), [played("greeting")]);

    call.bridge.play_recording(vec![7; 50 * crate::SAMPLES], call.now);
    call.presses(60, 2);

    assert_eq!(sounding(&call.run_until(2_500)), 50);
}

#[test]
fn a_key_press_into_silence_cancels_nothing() {
    let mut call = Call::open();
    call.run_until(500);

    call.presses(25, 1);

    assert_eq!(call.news_until(600), []);
}

#[test]
fn a_flood_of_keys_is_told_once_and_counted() {
    let mut call = Call::open();
    for n in 0..2_000 {
        call.presses(n, (n % 10) as u8);
    }

    let news = call.news_until(10);
    assert_eq!(news.iter().filter(|news| **news == Output::DtmfDropped).count(), 1);
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
