//! Tests call timers in a whole call: idle prompts, the goodbye to a silent caller, the maximum duration.

use super::virtual_call::{Call, answered, ms, played};
use crate::{AgentEvent, BargeInPolicy, CallLimits, Output, TimeoutReason};
use std::time::Duration;

#[test]
fn after_a_cancelled_hang_up_idle_prompts_resume() {
    let mut call = Call::open();
    call.agent_answers("r1", "goodbye", 100);
    call.bridge.hang_up_when_silent(call.now);
    call.run_until(999);
    call.does(AgentEvent::SpeechStarted);
    call.does(AgentEvent::SpeechStopped);
    call.agent_answers("r2", "yes?", 10);

    let events = call.events_until(30_000);

    assert_eq!(events.last(), Some(&Output::IdlePrompt { times: 1 }));
}

#[test]
fn an_idle_line_gets_prompt_goodbye_and_hang_up_once() {
    let mut call =
        Call::new(CallLimits { idle_prompts: 1, ..CallLimits::default() }, BargeInPolicy::default());
    call.bridge.open(call.start);

    let events = call.events_until(200_000);

    let both_silent = TimeoutReason::BothSilent;
    let expected =
        [Output::IdlePrompt { times: 1 }, Output::SayGoodbye(both_silent), Output::ForceHangUp(both_silent)];
    assert_eq!(events, expected);
}

#[test]
fn the_agents_idle_prompt_is_no_sign_of_the_caller() {
    let mut call =
        Call::new(CallLimits { idle_prompts: 2, ..CallLimits::default() }, BargeInPolicy::default());
    call.bridge.open(call.start);
    let mut asked = vec![];
    for second in 0..70 {
        let events = call.events_until(second * 1_000);
        if events.iter().any(|output| matches!(output, Output::IdlePrompt { .. })) {
            call.agent_answers(&format!("r{second}"), &format!("are you there {second}"), 50);
        }
        asked.extend(
            events
                .into_iter()
                .filter(|output| matches!(output, Output::IdlePrompt { .. } | Output::SayGoodbye(_))),
        );
    }

    let expected = [
        Output::IdlePrompt { times: 1 },
        Output::IdlePrompt { times: 2 },
        Output::SayGoodbye(TimeoutReason::BothSilent),
    ];
    assert_eq!(asked, expected);
}

#[test]
fn a_late_answer_to_the_caller_resets_the_idle_prompts() {
    let mut call = Call::open();
    call.does(AgentEvent::SpeechStarted);
    call.run_until(1_000);
    call.does(AgentEvent::SpeechStopped);
    assert_eq!(call.events_until(22_000), [Output::IdlePrompt { times: 1 }]);

    call.agent_answers("r1", "sorry for the wait", 50);

    assert_eq!(call.events_until(45_000).last(), Some(&Output::IdlePrompt { times: 1 }));
}

#[test]
fn speech_before_the_goodbye_to_an_idle_line_cancels_it() {
    let mut call =
        Call::new(CallLimits { idle_prompts: 0, ..CallLimits::default() }, BargeInPolicy::default());
    call.bridge.open(call.start);
    assert_eq!(call.events_until(25_000), [Output::SayGoodbye(TimeoutReason::BothSilent)]);

    call.does(AgentEvent::SpeechStarted);

    assert_eq!(call.events_until(60_000), [Output::HangUpCancelled]);
}

#[test]
fn a_backchannel_during_an_idle_goodbye_does_not_cancel_it() {
    let limits = CallLimits { idle_prompts: 0, ..CallLimits::default() };
    let mut call = Call::new(limits, BargeInPolicy { after: ms(600), ..BargeInPolicy::default() });
    call.bridge.open(call.start);
    call.run_until(20_000);
    call.agent_answers("r1", "goodbye", 100);
    call.bridge.hang_up_when_silent(call.now);
    call.run_until(21_000);
    call.does(AgentEvent::SpeechStarted);
    assert_eq!(call.events_until(21_300), []);
    call.does(AgentEvent::SpeechStopped);

    let events = call.events_until(60_000);

    assert_eq!(events, [Output::TurnEnded { answer: false }, played("goodbye"), Output::HangUp]);
}

#[test]
fn a_goodbye_heard_in_time_is_not_cut_off() {
    let longest = Duration::from_secs(60);
    let mut call = Call::new(CallLimits { longest, ..CallLimits::default() }, BargeInPolicy::default());
    call.bridge.open(call.start);
    call.does(AgentEvent::SpeechStarted);
    call.run_until(60_000);
    call.does(AgentEvent::SpeechStopped);
    call.agent_answers("r1", "goodbye", 100);
    call.bridge.hang_up_when_silent(call.now);

    let events = call.events_until(99_000);

    assert_eq!(events[1..], [answered(20, 0), played("goodbye"), Output::HangUp]);
}

#[test]
fn the_maximum_duration_ends_a_call_though_the_caller_goes_on() {
    let longest = Duration::from_secs(60);
    let mut call = Call::new(CallLimits { longest, ..CallLimits::default() }, BargeInPolicy::default());
    call.bridge.open(call.start);
    call.does(AgentEvent::SpeechStarted);
    assert_eq!(call.events_until(61_000), [Output::SayGoodbye(TimeoutReason::TookTooLong)]);
    call.does(AgentEvent::SpeechStopped);
    call.agent_answers("r1", "goodbye", 100);
    call.bridge.hang_up_when_silent(call.now);
    call.run_until(62_000);

    call.does(AgentEvent::SpeechStarted);

    assert!(matches!(call.events_until(74_999)[..], [Output::Interrupted(_)]), "nothing is cancelled");
    assert_eq!(call.events_until(99_000), [Output::ForceHangUp(TimeoutReason::TookTooLong)]);
}
