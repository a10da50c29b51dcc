//! A caller whom the agent does not hear.

use super::virtual_call::{Call, ms};
use crate::unheard_speech::tests::speech;
use crate::{AgentEvent, BargeInPolicy, CallLimits, Output, SAMPLES};

#[test]
fn a_deaf_agent_is_found_once_and_the_caller_is_not_nudged() {
    let mut call =
        Call::new(CallLimits { idle_after: ms(6_000), ..CallLimits::default() }, BargeInPolicy::default());
    call.bridge.open(call.start);

    let mut news = speaks(&mut call, 13);
    assert_eq!(news, [Output::AgentIsDeaf]);
    call.does(AgentEvent::SessionReplaced);
    call.does(AgentEvent::SessionReady);
    news = speaks(&mut call, 60);

    assert!(!news.contains(&Output::AgentIsDeaf), "once a call");
}

#[test]
fn a_caller_who_is_heard_makes_no_agent_deaf() {
    let mut call = Call::open();
    call.does(AgentEvent::SpeechStarted);
    assert_eq!(speaks(&mut call, 40), []);
}

#[test]
fn the_agents_own_voice_is_not_taken_for_the_callers() {
    let mut call = Call::open();
    call.agent_answers("r1", "monologue", 1_500);

    let news = speaks(&mut call, 30);

    assert!(!news.contains(&Output::AgentIsDeaf), "{news:?}");
}

#[test]
fn an_agent_that_is_away_is_not_deaf() {
    let mut call = Call::open();
    call.does(AgentEvent::SessionReplaced);

    assert_eq!(speaks(&mut call, 15), []);
}

#[test]
fn words_too_few_to_prove_anything_hold_a_nudge_up_for_a_while() {
    let mut call = Call::open();
    call.run_until(16_000);

    assert_eq!(speaks(&mut call, 3), []);
    assert_eq!(call.news_until(22_500), []);
    assert_eq!(call.news_until(23_500), [Output::IdlePrompt { times: 1 }]);
}

#[test]
fn a_distant_voice_holds_nudges_up_for_twelve_seconds_at_most() {
    let mut call = Call::open();
    let mut news = vec![];
    for _ in 0..3 {
        news.extend(speaks(&mut call, 4));
        news.extend(hears(&mut call, &vec![0; 8 * 24_000]));
    }

    assert_eq!(news, [Output::IdlePrompt { times: 1 }], "at the latest after 32 s");
}

/// The caller speaks for so many seconds. What came of it, but for the frames.
fn speaks(call: &mut Call, seconds: usize) -> Vec<Output> {
    hears(call, &speech(seconds))
}

fn hears(call: &mut Call, sound: &[i16]) -> Vec<Output> {
    let mut news = vec![];
    for frame in sound.chunks(SAMPLES) {
        call.bridge.gate(&mut frame.to_vec(), call.now);
        let next = (call.now - call.start).as_millis() as u64 + 20;
        news.extend(call.news_until(next));
    }
    news
}
