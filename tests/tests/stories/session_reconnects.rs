//! A session with the model that breaks, ends, or falls silent: the conversation goes on in another one, or ends with
//! a word.

use call::Ending;
use harness::{Caller, Story, StoryBuilder, entries};
use journal::JournalEvent;
use sim_audio::clips;
use sim_openai::{Reply, Script};
use std::time::Duration;

/// A long answer is cut in its middle, with some seconds of it still to be heard: the next session begins it again.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_dropped_mid_answer_is_replaced_without_a_second_greeting() {
    goes_on_after("drops-session:60").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_falls_silent_for_ever_is_replaced() {
    goes_on_after("goes-silent:60").await;
}

async fn goes_on_after(fault: &str) {
    let script = Script::new(Reply::speech(clips::agent_greeting()), [Reply::speech(clips::agent_long())]);
    let story = StoryBuilder::with_fault(fault).scripted(script).begin().await;
    let caller = story.caller_after_greeting().await;
    caller.says(&clips::caller_directions()).await;
    caller.waits_for(&story, |event| matches!(event, JournalEvent::SessionRestored { .. })).await;

    caller.hears(&clips::agent_long()).await;

    goes_on_once(&story, caller).await;
}

/// The new session is there before the old one ends, and the caller hears nothing of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_near_its_end_is_replaced_in_a_silence() {
    let limit = Duration::from_secs(24);
    let story = StoryBuilder::default().with_model(|model| model.longest = limit).begin().await;
    let caller = story.ring().await;
    caller.talks().await;
    caller
        .waits_for(&story, |event| matches!(event, JournalEvent::SessionRestored { planned: true, .. }))
        .await;

    caller.asks(&clips::caller_directions(), &clips::agent_long()).await;

    let greetings = caller.times_heard(&clips::agent_greeting());
    let after = caller.hangs_up().await;
    assert_eq!((after.ending, greetings), (Ending::CallerHungUp, 1));
    assert!(entries!(after.journal, JournalEvent::SessionLost { .. } => ()).is_empty(), "{after:?}");
    let told = &story.model.sessions()[1].replayed;
    for words in [clips::agent_answer().text, clips::caller_question().text] {
        assert!(told.iter().any(|item| item.text.contains(&words)), "{words}: {told:?}");
    }
    assert_eq!(story.model_faults(), [""; 0]);
}

/// What the new session receives of an interrupted answer is what was heard of it, and no more.
#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_heard_is_told_to_the_next_session() {
    let answers = [clips::agent_long(), clips::agent_answer()].map(Reply::speech);
    let script = Script::new(Reply::speech(clips::agent_greeting()), answers);
    let story = StoryBuilder::with_fault("expires:18").scripted(script).begin().await;
    let caller = story.caller_after_greeting().await;
    caller.says(&clips::caller_directions()).await;
    caller.phone().agent_speaks(Duration::from_secs(10)).await.expect("the agent answers");
    tokio::time::sleep(Duration::from_secs(2)).await;
    caller.asks(&clips::caller_interrupts(), &clips::agent_answer()).await;
    caller.waits_for(&story, |event| matches!(event, JournalEvent::SessionRestored { .. })).await;

    let replayed = story.model.sessions()[1].replayed.clone();
    let told =
        replayed.iter().find(|item| item.role == "assistant" && item.text.starts_with("From the station"));
    let told = told.unwrap_or_else(|| panic!("{replayed:?}"));
    let (whole, heard) = (clips::agent_long().text, told.text.trim_end_matches(['…', '.', ' ', '—', '-']));
    assert!(whole.starts_with(heard) && heard.len() < whole.len() / 2, "{heard}");
    caller.hangs_up().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_is_waited_for() {
    let story = StoryBuilder::with_fault("rate-limited").begin().await;
    let caller = story.caller_after_greeting().await;

    let after = caller.hangs_up().await;
    assert_eq!((after.ending, after.connections), (Ending::CallerHungUp, 1));
    assert!(!entries!(after.journal, JournalEvent::AgentTrouble { .. } => ()).is_empty(), "{after:?}");
}

/// The key is taken away in mid-call: the caller hears an apology, and the operator what to do.
#[tokio::test(flavor = "multi_thread")]
async fn when_no_session_is_to_be_had_the_caller_hears_an_apology() {
    for (fault, code) in
        [("drops-then-refuses:30", "invalid_api_key"), ("quota-mid-call:30", "insufficient_quota")]
    {
        let story = StoryBuilder::with_fault(fault).beside(code).begin().await;
        let caller = story.caller_after_greeting().await;
        caller.says(&clips::caller_question()).await;

        caller.hears_to_the_end(&story.apology("en")).await;

        let after = caller.afterwards().await;
        assert_eq!((after.ending, after.at_meta), (Ending::AgentUnavailable, sim_meta::Ending::Terminated));
        let failed = entries!(after.journal, JournalEvent::AgentFailed { code, cure } => (code, cure));
        let (told, cure) = failed[0];
        assert_eq!(told, code);
        assert!(!cure.is_empty() && !cure.contains("sk-"), "{cure}");
        assert_eq!(story.logs_with("sk-rehearsal"), [""; 0]);
    }
}

async fn goes_on_once(story: &Story, caller: Caller<'_>) {
    let greetings = caller.times_heard(&clips::agent_greeting());
    let after = caller.hangs_up().await;
    assert_eq!((after.ending, greetings, after.connections), (Ending::CallerHungUp, 1, 2));
    let names = after.event_names();
    let at = |name: &str| names.iter().position(|told| told == name);
    assert!(at("WA_CALL_SESSION_LOST") < at("WA_CALL_SESSION_RESTORED"), "{names:?}");
    assert!(at("WA_CALL_SESSION_LOST").is_some(), "{names:?}");
    let told = &story.model.sessions()[1].replayed;
    assert!(told.iter().any(|item| item.text.contains("Mirsk Bikes")), "{told:?}");
    assert_eq!(story.model_faults(), [""; 0]);
}
