//! Hang-up: goodbyes, what postpones it, and draining.

use super::virtual_call::{Call, cut_short, interrupted, ms, played};
use crate::{AgentEvent, BargeInPolicy, CallLimits, Output, TimeoutReason};

#[test]
fn hangs_up_two_seconds_after_the_last_word() {
    let mut call = Call::open();
    call.agent_says("r1", "goodbye", 50);
    call.run_until(500);
    call.bridge.hang_up_when_silent(call.now);
    call.agent_answers("r1", "goodbye", 10);

    assert_eq!(call.events_until(3_199), [played("goodbye")]);
    assert_eq!(call.events_until(60_000), [Output::HangUp], "2 s after 1,200, and once");
}

#[test]
fn hang_up_waits_for_a_response_that_has_just_started() {
    let mut call = Call::open();
    call.does(AgentEvent::ResponseStarted { response: "r1".into() });
    call.bridge.hang_up_when_silent(call.now);
    assert_eq!(call.events_until(2_000), []);

    call.agent_answers("r1", "goodbye", 10);

    let events = call.events_until(5_000);
    assert_eq!(events[1..], [played("goodbye"), Output::HangUp]);
}

#[test]
fn hangs_up_on_endless_speech_after_twenty_seconds() {
    let mut call = Call::open();
    call.agent_answers("r1", "saga", 2_000);
    call.bridge.hang_up_when_silent(call.now);

    assert_eq!(call.events_until(19_999), [Output::FirstAudio(ms(0))]);
    assert_eq!(call.events_until(20_000), [Output::HangUp]);
}

#[test]
fn speech_over_the_goodbye_postpones_the_hang_up() {
    let mut call = Call::open();
    call.agent_answers("r1", "goodbye", 100);
    call.bridge.hang_up_when_silent(call.now);
    call.run_until(999);

    call.does(AgentEvent::SpeechStarted);
    assert_eq!(call.events_until(1_200), [interrupted("goodbye", 1_020, 2_000), Output::HangUpPostponed]);
    call.does(AgentEvent::SpeechStopped);
    assert_eq!(call.events_until(5_000), []);

    call.agent_answers("r2", "goodbye again", 10);
    assert_eq!(call.events_until(5_000)[0], Output::HangUpCancelled);
    call.bridge.hang_up_when_silent(call.now);
    let events = call.events_until(60_000);
    assert_eq!(events.last(), Some(&Output::HangUp));
}

#[test]
fn a_key_press_during_the_goodbye_postpones_the_hang_up() {
    let mut call = Call::open();
    call.agent_says("r1", "goodbye", 90);
    call.bridge.hang_up_when_silent(call.now);
    call.run_until(999);

    call.presses(1, 4);

    call.agent_answers("r1", "goodbye", 10);
    let events = call.events_until(2_500);
    assert!(
        events.contains(&Output::HangUpPostponed) && !events.contains(&Output::HangUpCancelled),
        "{events:?}"
    );
    call.agent_answers("r2", "one moment", 10);
    assert!(call.events_until(2_500).contains(&Output::HangUpCancelled));
    assert!(!call.events_until(15_000).contains(&Output::HangUp));
}

#[test]
fn long_queued_speech_is_cut_before_the_final_goodbye() {
    for (waiting, is_cut) in [(900, true), (400, false)] {
        let limits = CallLimits { longest: ms(5_000), ..CallLimits::default() };
        let mut call = Call::new(limits, BargeInPolicy::default());
        call.bridge.open(call.start);
        call.run_until(4_000);
        call.agent_says("r1", "monologue", waiting);

        let events = call.events_until(5_000);

        let cut = cut_short("monologue", 1_020, 20 * waiting as u64);
        let expected = [Output::CancelResponse, cut].into_iter().filter(|_| is_cut);
        let expected: Vec<_> = expected.chain([Output::SayGoodbye(TimeoutReason::TookTooLong)]).collect();
        assert_eq!(events[events.len() - expected.len()..], expected);
        assert_eq!(events.contains(&Output::CancelResponse), is_cut);
    }
}

#[test]
fn a_draining_task_says_goodbye_once_whatever_the_caller_says() {
    let mut call = Call::open();
    call.agent_says("r1", "monologue", 900);
    call.run_until(999);

    assert!(call.bridge.end_now(TimeoutReason::Draining), "the caller is on the line");
    call.bridge.end_now(TimeoutReason::Draining);
    let events = call.events_until(1_500);
    let cut = cut_short("monologue", 1_020, 18_000);
    assert_eq!(events, [Output::CancelResponse, cut, Output::SayGoodbye(TimeoutReason::Draining)]);
    call.does(AgentEvent::SpeechStarted);
    call.agent_answers("r2", "goodbye", 50);
    call.bridge.hang_up_when_silent(call.now);
    call.does(AgentEvent::SpeechStopped);

    let events = call.events_until(60_000);
    assert_eq!(events.last(), Some(&Output::HangUp), "{events:?}");
}

#[test]
fn the_goodbye_at_the_spending_cap_cannot_be_cancelled() {
    let mut call = Call::open();
    call.bridge.end_now(TimeoutReason::CapReached);
    call.does(AgentEvent::SpeechStarted);

    let reached = TimeoutReason::CapReached;
    assert_eq!(call.events_until(60_000), [Output::SayGoodbye(reached), Output::ForceHangUp(reached)]);
}

#[test]
fn a_draining_task_hangs_up_if_the_goodbye_never_comes() {
    let mut call = Call::open();
    call.bridge.end_now(TimeoutReason::Draining);

    let must_leave = TimeoutReason::Draining;
    assert_eq!(call.events_until(60_000), [Output::SayGoodbye(must_leave), Output::ForceHangUp(must_leave)]);
}

#[test]
fn a_call_not_open_yet_is_drained_without_a_goodbye() {
    let mut call = Call::new(CallLimits::default(), BargeInPolicy::default());

    assert!(!call.bridge.end_now(TimeoutReason::Draining));
}

#[test]
fn an_interruption_of_several_items_counts_once() {
    let mut call = Call::open();
    call.agent_says("r1", "a", 50);
    call.agent_says("r1", "b", 50);
    call.run_until(500);

    call.does(AgentEvent::SpeechStarted);
    call.agent_says("r1", "late", 50);
    call.agent_says("r2", "not interrupted", 1);

    assert_eq!(call.bridge.meter().interruptions, 1);
}

#[test]
fn speech_right_after_the_goodbye_postpones_the_hang_up() {
    let mut call = Call::open();
    call.agent_answers("r1", "goodbye", 10);
    call.bridge.hang_up_when_silent(call.now);
    call.run_until(400);

    call.does(AgentEvent::SpeechStarted);

    assert_eq!(call.events_until(30_000), [Output::HangUpPostponed]);
}

#[test]
fn speech_already_in_progress_postpones_the_hang_up() {
    let mut call = Call::open();
    call.agent_answers("r1", "goodbye", 100);
    call.run_until(999);
    call.does(AgentEvent::SpeechStarted);
    call.bridge.hang_up_when_silent(call.now);

    assert_eq!(call.events_until(30_000), [interrupted("goodbye", 1_020, 2_000), Output::HangUpPostponed]);
}

#[test]
fn a_backchannel_does_not_postpone_the_hang_up() {
    let mut call = Call::open_with(BargeInPolicy { after: ms(600), ..BargeInPolicy::default() });
    call.agent_answers("r1", "goodbye", 100);
    call.bridge.hang_up_when_silent(call.now);
    call.run_until(1_000);
    call.does(AgentEvent::SpeechStarted);
    call.run_until(1_300);
    call.does(AgentEvent::SpeechStopped);

    let events = call.events_until(5_000);

    assert_eq!(events, [Output::TurnEnded { answer: false }, played("goodbye"), Output::HangUp]);
}

#[test]
fn without_an_answer_to_the_callers_goodbye_the_call_ends() {
    let mut call = after_goodbye();
    call.does(AgentEvent::SpeechStarted);
    call.run_until(4_000);
    call.does(AgentEvent::SpeechStopped);

    assert_eq!(call.events_until(8_999), []);
    assert_eq!(call.events_until(60_000), [Output::HangUp], "5 s after the caller's last word, and once");
}

#[test]
fn an_empty_answer_to_the_callers_goodbye_ends_the_call() {
    let mut call = after_goodbye();
    call.does(AgentEvent::SpeechStarted);
    call.does(AgentEvent::SpeechStopped);
    call.does(AgentEvent::ResponseStarted { response: "r2".into() });
    assert_eq!(call.events_until(9_000), [Output::HangUpPostponed], "a slow answer is no silence");

    call.does(AgentEvent::ResponseEmpty { response: "r2".into() });

    assert_eq!(call.events_until(60_000), [Output::HangUp]);
}

#[test]
fn an_agent_that_hangs_up_on_the_callers_goodbye_ends_the_call() {
    let mut call = after_goodbye();
    call.does(AgentEvent::SpeechStarted);
    call.does(AgentEvent::SpeechStopped);
    call.run_until(4_000);

    call.bridge.hang_up_when_silent(call.now);

    assert_eq!(call.events_until(60_000), [Output::HangUp]);
}

#[test]
fn an_answer_after_the_goodbye_cancels_the_hang_up() {
    let mut call = after_goodbye();
    call.does(AgentEvent::SpeechStarted);
    call.does(AgentEvent::SpeechStopped);

    call.agent_answers("r2", "we close at six", 50);

    assert_eq!(call.events_until(20_000)[..2], [Output::HangUpPostponed, Output::HangUpCancelled]);
    call.bridge.hang_up_when_silent(call.now);
    assert_eq!(call.events_until(60_000), [Output::HangUp], "a second hang-up works");
}

#[test]
fn an_empty_answer_that_the_caller_speaks_over_does_not_count() {
    let mut call = after_goodbye();
    call.does(AgentEvent::SpeechStarted);
    call.does(AgentEvent::SpeechStopped);
    call.does(AgentEvent::ResponseStarted { response: "r2".into() });
    call.does(AgentEvent::SpeechStarted);
    call.does(AgentEvent::ResponseEmpty { response: "r2".into() });
    call.does(AgentEvent::ResponseDone { response: "r2".into() });

    assert_eq!(call.events_until(20_000), [Output::HangUpPostponed]);
}

#[test]
fn dtmf_after_the_goodbye_is_collected_to_its_end() {
    let mut call = after_goodbye();
    let mut events = vec![];
    for n in 0..12 {
        call.presses(n, 1);
        events.extend(call.events_until(2_600 + 600 * u64::from(n)));
    }
    events.extend(call.events_until(12_000));

    let keyed = |output: &&Output| matches!(output, Output::Dtmf(keyed) if keyed.keys() == "1".repeat(12));
    assert_eq!(events.iter().filter(keyed).count(), 1, "{events:?}");
    assert!(!events.contains(&Output::HangUp), "{events:?}");
}

#[test]
fn a_final_goodbye_is_no_answer_that_cancels_the_hang_up() {
    let mut call = after_goodbye();
    call.does(AgentEvent::SpeechStarted);
    call.does(AgentEvent::SpeechStopped);
    assert!(call.bridge.end_now(TimeoutReason::Draining), "the caller is on the line");
    assert!(call.events_until(2_500).contains(&Output::SayGoodbye(TimeoutReason::Draining)));

    call.agent_answers("r2", "we must leave", 10);
    call.bridge.hang_up_when_silent(call.now);

    let events = call.events_until(60_000);
    assert_eq!(events.last(), Some(&Output::HangUp));
    assert!(!events.contains(&Output::HangUpCancelled), "{events:?}");
}

#[test]
fn an_empty_answer_before_any_goodbye_ends_nothing() {
    let mut call = Call::open();

    call.does(AgentEvent::ResponseEmpty { response: "r1".into() });

    assert_eq!(call.events_until(10_000), []);
}

#[test]
fn hang_up_waits_for_a_running_tool_call() {
    let mut call = after_goodbye();
    call.does(AgentEvent::SpeechStarted);
    call.does(AgentEvent::SpeechStopped);
    call.bridge.note_busy(true, call.now);
    call.run_until(30_000);

    call.bridge.note_busy(false, call.now);

    assert_eq!(call.events_until(34_999), []);
    assert_eq!(call.events_until(60_000), [Output::HangUp]);
}

/// A call whose goodbye was heard 1.8 s ago.
fn after_goodbye() -> Call {
    let mut call = Call::open();
    call.agent_answers("r1", "goodbye", 10);
    call.bridge.hang_up_when_silent(call.now);
    call.run_until(2_000);
    call
}
