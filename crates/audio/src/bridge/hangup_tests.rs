//! How a call is left, one sentence each.

use super::virtual_call::{Call, answered, cut_short, interrupted, ms, played, sounding};
use crate::{AgentEvent, BargeInPolicy, CallLimits, Output, TimeoutReason};
use std::time::Duration;

#[test]
fn the_last_word_is_heard_before_all_is_said() {
    let mut call = Call::open();
    call.agent_says("r1", "goodbye", 50);
    call.run_until(500);
    call.bridge.hang_up_when_silent(call.now);
    call.agent_answers("r1", "goodbye", 10);

    assert_eq!(call.news_until(3_199), [played("goodbye")]);
    assert_eq!(call.news_until(60_000), [Output::HangUp], "2 s after 1,200, and once");
}

#[test]
fn a_response_under_way_is_waited_for_though_nothing_of_it_has_come() {
    let mut call = Call::open();
    call.does(AgentEvent::ResponseStarted { response: "r1".into() });
    call.bridge.hang_up_when_silent(call.now);
    assert_eq!(call.news_until(2_000), []);

    call.agent_answers("r1", "goodbye", 10);

    let news = call.news_until(5_000);
    assert_eq!(news[1..], [played("goodbye"), Output::HangUp]);
}

#[test]
fn an_agent_that_never_stops_is_left_after_twenty_seconds() {
    let mut call = Call::open();
    call.agent_answers("r1", "saga", 2_000);
    call.bridge.hang_up_when_silent(call.now);

    assert_eq!(call.news_until(19_999), [Output::FirstAudio(ms(0))]);
    assert_eq!(call.news_until(20_000), [Output::HangUp]);
}

#[test]
fn a_caller_who_speaks_into_the_goodbye_postpones_the_hang_up() {
    let mut call = Call::open();
    call.agent_answers("r1", "goodbye", 100);
    call.bridge.hang_up_when_silent(call.now);
    call.run_until(999);

    call.does(AgentEvent::SpeechStarted);
    assert_eq!(call.news_until(1_200), [interrupted("goodbye", 1_020, 2_000), Output::HangUpPostponed]);
    call.does(AgentEvent::SpeechStopped);
    assert_eq!(call.news_until(5_000), []);

    call.agent_answers("r2", "goodbye again", 10);
    assert_eq!(call.news_until(5_000)[0], Output::HangUpCancelled);
    call.bridge.hang_up_when_silent(call.now);
    let news = call.news_until(60_000);
    assert_eq!(news.last(), Some(&Output::HangUp));
}

#[test]
fn a_caller_who_presses_a_key_into_the_goodbye_postpones_the_hang_up() {
    let mut call = Call::open();
    call.agent_says("r1", "goodbye", 90);
    call.bridge.hang_up_when_silent(call.now);
    call.run_until(999);

    call.presses(1, 4);

    call.agent_answers("r1", "goodbye", 10);
    let news = call.news_until(2_500);
    assert!(news.contains(&Output::HangUpPostponed) && !news.contains(&Output::HangUpCancelled), "{news:?}");
    call.agent_answers("r2", "one moment", 10);
    assert!(call.news_until(2_500).contains(&Output::HangUpCancelled));
    assert!(!call.news_until(15_000).contains(&Output::HangUp));
}

#[test]
fn what_would_keep_the_goodbye_from_being_heard_is_dropped_when_the_time_is_over() {
    for (waiting, is_cut) in [(900, true), (400, false)] {
        let limits = CallLimits { longest: ms(5_000), ..CallLimits::default() };
        let mut call = Call::new(limits, BargeInPolicy::default());
        call.bridge.open(call.start);
        call.run_until(4_000);
        call.agent_says("r1", "monologue", waiting);

        let news = call.news_until(5_000);

        let cut = cut_short("monologue", 1_020, 20 * waiting as u64);
        let expected = [Output::CancelResponse, cut].into_iter().filter(|_| is_cut);
        let expected: Vec<_> = expected.chain([Output::SayGoodbye(TimeoutReason::TookTooLong)]).collect();
        assert_eq!(news[news.len() - expected.len()..], expected);
        assert_eq!(news.contains(&Output::CancelResponse), is_cut);
    }
}

#[test]
fn whoever_must_leave_says_goodbye_once_whatever_the_caller_says() {
    let mut call = Call::open();
    call.agent_says("r1", "monologue", 900);
    call.run_until(999);

    assert!(call.bridge.drain(), "somebody is on the line");
    call.bridge.drain();
    let news = call.news_until(1_500);
    let cut = cut_short("monologue", 1_020, 18_000);
    assert_eq!(news, [Output::CancelResponse, cut, Output::SayGoodbye(TimeoutReason::Draining)]);
    call.does(AgentEvent::SpeechStarted);
    call.agent_answers("r2", "goodbye", 50);
    call.bridge.hang_up_when_silent(call.now);
    call.does(AgentEvent::SpeechStopped);

    let news = call.news_until(60_000);
    assert_eq!(news.last(), Some(&Output::HangUp), "{news:?}");
}

#[test]
fn a_call_whose_cap_is_reached_says_goodbye_whatever_the_caller_says() {
    let mut call = Call::open();
    call.bridge.reach_spending_cap();
    call.does(AgentEvent::SpeechStarted);

    let reached = TimeoutReason::CapReached;
    assert_eq!(call.news_until(60_000), [Output::SayGoodbye(reached), Output::ForceHangUp(reached)]);
}

#[test]
fn whoever_must_leave_goes_without_a_goodbye_that_never_comes() {
    let mut call = Call::open();
    call.bridge.drain();

    let must_leave = TimeoutReason::Draining;
    assert_eq!(call.news_until(60_000), [Output::SayGoodbye(must_leave), Output::ForceHangUp(must_leave)]);
}

#[test]
fn a_call_that_is_not_open_yet_can_be_left_without_a_word() {
    let mut call = Call::new(CallLimits::default(), BargeInPolicy::default());

    assert!(!call.bridge.drain());
}

#[test]
fn an_interruption_is_one_however_many_items_it_cuts() {
    let mut call = Call::open();
    call.agent_says("r1", "a", 50);
    call.agent_says("r1", "b", 50);
    call.run_until(500);

    call.does(AgentEvent::SpeechStarted);
    call.agent_says("r1", "late", 50);
    call.agent_says("r2", "nobody interrupts this", 1);

    assert_eq!(call.bridge.meter().interruptions, 1);
}

#[test]
fn a_caller_who_speaks_in_the_breath_after_the_goodbye_is_not_hung_up_on() {
    let mut call = Call::open();
    call.agent_answers("r1", "goodbye", 10);
    call.bridge.hang_up_when_silent(call.now);
    call.run_until(400);

    call.does(AgentEvent::SpeechStarted);

    assert_eq!(call.news_until(30_000), [Output::HangUpPostponed]);
}

#[test]
fn a_caller_who_was_talking_already_is_not_hung_up_on() {
    let mut call = Call::open();
    call.agent_answers("r1", "goodbye", 100);
    call.run_until(999);
    call.does(AgentEvent::SpeechStarted);
    call.bridge.hang_up_when_silent(call.now);

    assert_eq!(call.news_until(30_000), [interrupted("goodbye", 1_020, 2_000), Output::HangUpPostponed]);
}

#[test]
fn a_backchannel_does_not_call_the_hang_up_off() {
    let mut call = Call::open_with(BargeInPolicy { after: ms(600), ..BargeInPolicy::default() });
    call.agent_answers("r1", "goodbye", 100);
    call.bridge.hang_up_when_silent(call.now);
    call.run_until(1_000);
    call.does(AgentEvent::SpeechStarted);
    call.run_until(1_300);
    call.does(AgentEvent::SpeechStopped);

    let news = call.news_until(5_000);

    assert_eq!(news, [Output::TurnEnded { answer: false }, played("goodbye"), Output::HangUp]);
}

#[test]
fn a_line_that_is_stayed_on_is_watched_again() {
    let mut call = Call::open();
    call.agent_answers("r1", "goodbye", 100);
    call.bridge.hang_up_when_silent(call.now);
    call.run_until(999);
    call.does(AgentEvent::SpeechStarted);
    call.does(AgentEvent::SpeechStopped);
    call.agent_answers("r2", "yes?", 10);

    let news = call.news_until(30_000);

    assert_eq!(news.last(), Some(&Output::IdlePrompt { times: 1 }));
}

#[test]
fn nothing_is_said_to_the_callers_goodbye_and_the_call_ends() {
    let mut call = taken_leave_of();
    call.does(AgentEvent::SpeechStarted);
    call.run_until(4_000);
    call.does(AgentEvent::SpeechStopped);

    assert_eq!(call.news_until(8_999), []);
    assert_eq!(call.news_until(60_000), [Output::HangUp], "5 s after the caller's last word, and once");
}

#[test]
fn an_empty_answer_to_the_callers_goodbye_ends_the_call() {
    let mut call = taken_leave_of();
    call.does(AgentEvent::SpeechStarted);
    call.does(AgentEvent::SpeechStopped);
    call.does(AgentEvent::ResponseStarted { response: "r2".into() });
    assert_eq!(call.news_until(9_000), [Output::HangUpPostponed], "a slow answer is no silence");

    call.does(AgentEvent::ResponseEmpty { response: "r2".into() });

    assert_eq!(call.news_until(60_000), [Output::HangUp]);
}

#[test]
fn an_agent_that_hangs_up_on_the_callers_goodbye_ends_the_call() {
    let mut call = taken_leave_of();
    call.does(AgentEvent::SpeechStarted);
    call.does(AgentEvent::SpeechStopped);
    call.run_until(4_000);

    call.bridge.hang_up_when_silent(call.now);

    assert_eq!(call.news_until(60_000), [Output::HangUp]);
}

#[test]
fn an_answer_to_what_the_caller_says_after_the_goodbye_keeps_the_call() {
    let mut call = taken_leave_of();
    call.does(AgentEvent::SpeechStarted);
    call.does(AgentEvent::SpeechStopped);

    call.agent_answers("r2", "we close at six", 50);

    assert_eq!(call.news_until(20_000)[..2], [Output::HangUpPostponed, Output::HangUpCancelled]);
    call.bridge.hang_up_when_silent(call.now);
    assert_eq!(call.news_until(60_000), [Output::HangUp], "and it can be left again");
}

#[test]
fn an_empty_answer_that_the_caller_speaks_over_is_none() {
    let mut call = taken_leave_of();
    call.does(AgentEvent::SpeechStarted);
    call.does(AgentEvent::SpeechStopped);
    call.does(AgentEvent::ResponseStarted { response: "r2".into() });
    call.does(AgentEvent::SpeechStarted);
    call.does(AgentEvent::ResponseEmpty { response: "r2".into() });
    call.does(AgentEvent::ResponseDone { response: "r2".into() });

    assert_eq!(call.news_until(20_000), [Output::HangUpPostponed]);
}

#[test]
fn keys_after_the_goodbye_are_read_to_their_end() {
    let mut call = taken_leave_of();
    let mut news = vec![];
    for n in 0..12 {
        call.presses(n, 1);
        news.extend(call.news_until(2_600 + 600 * u64::from(n)));
    }
    news.extend(call.news_until(12_000));

    let keyed = |output: &&Output| matches!(output, Output::Dtmf(keyed) if keyed.keys() == "1".repeat(12));
    assert_eq!(news.iter().filter(keyed).count(), 1, "{news:?}");
    assert!(!news.contains(&Output::HangUp), "{news:?}");
}

#[test]
fn a_goodbye_that_is_final_is_no_answer_to_what_the_caller_said_to_the_last_one() {
    let mut call = taken_leave_of();
    call.does(AgentEvent::SpeechStarted);
    call.does(AgentEvent::SpeechStopped);
    assert!(call.bridge.drain(), "the caller is on the line");
    assert!(call.news_until(2_500).contains(&Output::SayGoodbye(TimeoutReason::Draining)));

    call.agent_answers("r2", "we must leave", 10);
    call.bridge.hang_up_when_silent(call.now);

    let news = call.news_until(60_000);
    assert_eq!(news.last(), Some(&Output::HangUp));
    assert!(!news.contains(&Output::HangUpCancelled), "{news:?}");
}

#[test]
fn an_empty_answer_before_any_goodbye_ends_nothing() {
    let mut call = Call::open();

    call.does(AgentEvent::ResponseEmpty { response: "r1".into() });

    assert_eq!(call.news_until(10_000), []);
}

#[test]
fn a_tool_at_work_after_the_goodbye_is_waited_for() {
    let mut call = taken_leave_of();
    call.does(AgentEvent::SpeechStarted);
    call.does(AgentEvent::SpeechStopped);
    call.bridge.note_busy(true, call.now);
    call.run_until(30_000);

    call.bridge.note_busy(false, call.now);

    assert_eq!(call.news_until(34_999), []);
    assert_eq!(call.news_until(60_000), [Output::HangUp]);
}

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
    assert_eq!(call.news_until(60_000), [Output::HangUp]);
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
fn a_recording_replaces_a_goodbye_and_all_is_said_once() {
    let mut call = Call::open();
    call.agent_answers("r1", "goodbye", 100);
    call.bridge.hang_up_when_silent(call.now);
    call.run_until(100);
    call.bridge.play_recording(vec![7; 24_000], call.now);
    call.bridge.hang_up_when_silent(call.now);

    let said = call.news_until(60_000).into_iter().filter(|output| *output == Output::HangUp);

    assert_eq!(said.count(), 1);
    call.bridge.play_recording(vec![7; 24_000], call.now);
    assert_eq!(call.news_until(70_000), []);
}

#[test]
fn a_silent_line_is_asked_wound_up_and_given_up_once() {
    let mut call =
        Call::new(CallLimits { idle_prompts: 1, ..CallLimits::default() }, BargeInPolicy::default());
    call.bridge.open(call.start);

    let news = call.news_until(200_000);

    let both_silent = TimeoutReason::BothSilent;
    let expected =
        [Output::IdlePrompt { times: 1 }, Output::SayGoodbye(both_silent), Output::ForceHangUp(both_silent)];
    assert_eq!(news, expected);
}

#[test]
fn the_agents_own_question_does_not_answer_it() {
    let mut call =
        Call::new(CallLimits { idle_prompts: 2, ..CallLimits::default() }, BargeInPolicy::default());
    call.bridge.open(call.start);
    let mut asked = vec![];
    for second in 0..70 {
        let news = call.news_until(second * 1_000);
        if news.iter().any(|output| matches!(output, Output::IdlePrompt { .. })) {
            call.agent_answers(&format!("r{second}"), &format!("are you there {second}"), 50);
        }
        asked.extend(
            news.into_iter()
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
fn an_answer_to_the_caller_however_late_starts_the_count_again() {
    let mut call = Call::open();
    call.does(AgentEvent::SpeechStarted);
    call.run_until(1_000);
    call.does(AgentEvent::SpeechStopped);
    assert_eq!(call.news_until(22_000), [Output::IdlePrompt { times: 1 }]);

    call.agent_answers("r1", "sorry for the wait", 50);

    assert_eq!(call.news_until(45_000).last(), Some(&Output::IdlePrompt { times: 1 }));
}

#[test]
fn a_caller_who_speaks_up_before_the_goodbye_is_stayed_with() {
    let mut call =
        Call::new(CallLimits { idle_prompts: 0, ..CallLimits::default() }, BargeInPolicy::default());
    call.bridge.open(call.start);
    assert_eq!(call.news_until(25_000), [Output::SayGoodbye(TimeoutReason::BothSilent)]);

    call.does(AgentEvent::SpeechStarted);

    assert_eq!(call.news_until(60_000), [Output::HangUpCancelled]);
}

#[test]
fn a_backchannel_into_the_goodbye_to_a_silent_line_does_not_call_it_off() {
    let limits = CallLimits { idle_prompts: 0, ..CallLimits::default() };
    let mut call = Call::new(limits, BargeInPolicy { after: ms(600), ..BargeInPolicy::default() });
    call.bridge.open(call.start);
    call.run_until(20_000);
    call.agent_answers("r1", "goodbye", 100);
    call.bridge.hang_up_when_silent(call.now);
    call.run_until(21_000);
    call.does(AgentEvent::SpeechStarted);
    assert_eq!(call.news_until(21_300), []);
    call.does(AgentEvent::SpeechStopped);

    let news = call.news_until(60_000);

    assert_eq!(news, [Output::TurnEnded { answer: false }, played("goodbye"), Output::HangUp]);
}

#[test]
fn what_was_said_in_time_is_not_given_up() {
    let longest = Duration::from_secs(60);
    let mut call = Call::new(CallLimits { longest, ..CallLimits::default() }, BargeInPolicy::default());
    call.bridge.open(call.start);
    call.does(AgentEvent::SpeechStarted);
    call.run_until(60_000);
    call.does(AgentEvent::SpeechStopped);
    call.agent_answers("r1", "goodbye", 100);
    call.bridge.hang_up_when_silent(call.now);

    let news = call.news_until(99_000);

    assert_eq!(news[1..], [answered(20, 0), played("goodbye"), Output::HangUp]);
}

#[test]
fn a_call_that_took_too_long_ends_though_the_caller_goes_on() {
    let longest = Duration::from_secs(60);
    let mut call = Call::new(CallLimits { longest, ..CallLimits::default() }, BargeInPolicy::default());
    call.bridge.open(call.start);
    call.does(AgentEvent::SpeechStarted);
    assert_eq!(call.news_until(61_000), [Output::SayGoodbye(TimeoutReason::TookTooLong)]);
    call.does(AgentEvent::SpeechStopped);
    call.agent_answers("r1", "goodbye", 100);
    call.bridge.hang_up_when_silent(call.now);
    call.run_until(62_000);

    call.does(AgentEvent::SpeechStarted);

    assert!(matches!(call.news_until(74_999)[..], [Output::Interrupted(_)]), "nothing is called off");
    assert_eq!(call.news_until(99_000), [Output::ForceHangUp(TimeoutReason::TookTooLong)]);
}

/// A call whose goodbye was heard 1.8 s ago.
fn taken_leave_of() -> Call {
    let mut call = Call::open();
    call.agent_answers("r1", "goodbye", 10);
    call.bridge.hang_up_when_silent(call.now);
    call.run_until(2_000);
    call
}
