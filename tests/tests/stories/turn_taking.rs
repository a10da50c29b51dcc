//! Turn-taking: long speeches, short noises, silence, and agents that will not be interrupted.

use call::Ending;
use harness::{StoryBuilder, entries, monologue_of};
use journal::{JournalEvent, Speaker};
use sim_audio::clips;
use sim_openai::{Reply, ReplyItem, Script};
use std::time::Duration;

fn answering(answers: impl IntoIterator<Item = Reply>) -> Script {
    Script::new(Reply::speech(clips::agent_greeting()), answers)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_talking_for_forty_seconds_is_answered_once() {
    let story = StoryBuilder::default().begin().await;
    let caller = story.caller_after_greeting().await;

    caller.asks(&monologue_of(40), &clips::agent_answer()).await;

    let answers = caller.times_heard(&clips::agent_answer());
    let after = caller.hangs_up().await;
    assert_eq!((answers, after.ending), (1, Ending::CallerHungUp));
    assert!(story.model_heard(&monologue_of(40)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_without_an_end_is_answered_after_forty_five_seconds() {
    let story = StoryBuilder::default().begin().await;
    let caller = story.caller_after_greeting().await;

    caller.says(&clips::caller_monologue()).await;

    assert!(caller.has_heard(&clips::agent_answer()), "it was said while the caller went on");
    caller.hears(&clips::agent_long()).await;
    let after = caller.hangs_up().await;
    let troubles = entries!(after.journal, JournalEvent::AgentTrouble { code } => code);
    assert_eq!(troubles, ["turn_without_end"], "{after:?}");
    assert!(story.model_heard(&clips::caller_monologue()));
    assert_eq!(story.model_faults(), [""; 0]);
}

/// The service takes the silence for a turn, and writes down words of it.
#[tokio::test(flavor = "multi_thread")]
async fn words_made_up_of_a_silence_are_kept_as_such() {
    let vad = "\n[model.turn_detection]\ntype = \"server_vad\"\nidle_timeout_ms = 5000\n";
    let story = StoryBuilder::default().with_agent_also(vad).begin().await;
    let caller = story.caller_after_greeting().await;

    caller.hears(&clips::agent_nudge()).await;
    caller.asks(&clips::caller_question(), &clips::agent_answer()).await;

    let call_ref = caller.call_ref();
    caller.hangs_up().await;
    let lines = story.calls.lines(&call_ref).await.expect("the table can be read");
    let callers = lines.iter().filter(|line| line.speaker == Speaker::Caller);
    let callers: Vec<_> = callers.map(|line| (line.text.as_str(), line.in_silence)).collect();
    let question = clips::caller_question().text;
    assert_eq!(callers, [("Thank you for watching!", true), (question.as_str(), false)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_talking_for_seventy_seconds_is_heard_to_its_last_word() {
    let story =
        StoryBuilder::default().scripted(answering([Reply::speech(clips::agent_monologue())])).begin().await;
    let caller = story.caller_after_greeting().await;

    caller.asks(&clips::caller_question(), &clips::agent_monologue()).await;
    // The task is more than a minute old by now: only its heartbeats keep it healthy.
    assert_eq!(story.checks_health().await.code, Some(0));

    let after = caller.hangs_up().await;
    assert_eq!(after.ending, Ending::CallerHungUp);
    assert_eq!(entries!(after.journal, JournalEvent::Interrupted { .. } => ()), [], "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_items_of_one_response_are_heard_one_after_the_other() {
    let both = Reply::speech(clips::agent_moment()).and(ReplyItem::Speech(clips::agent_order()));
    let story = StoryBuilder::default().scripted(answering([both])).begin().await;
    let caller = story.caller_after_greeting().await;

    caller.asks(&clips::caller_order(), &clips::agent_order()).await;

    assert!(caller.has_heard(&clips::agent_moment()));
    let lines = story.lines_of(&caller).await;
    let after = caller.hangs_up().await;
    assert_eq!(after.ending, Ending::CallerHungUp);
    let (moment, order) = (clips::agent_moment().text, clips::agent_order().text);
    let at = |text: &str| lines.iter().position(|line| line == text);
    assert!(at(&moment).is_some() && at(&moment) < at(&order), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uninterruptible_greeting_finishes_and_speech_over_it_is_answered() {
    let builder = StoryBuilder::default();
    let story = builder.with_agent_but("[greeting]\n", "[greeting]\ninterruptible = false\n").begin().await;
    let caller = story.greeted_caller().await;
    tokio::time::sleep(Duration::from_millis(500)).await;

    // 2.6 s of question within 5.2 s of greeting, and the answer queues behind it.
    caller.says(&clips::caller_question()).await;
    caller.hears_out(&clips::agent_answer()).await;

    assert!(caller.has_heard(&clips::agent_greeting()));
    // From now on it can be interrupted.
    caller.says(&clips::caller_directions()).await;
    caller.phone().agent_speaks(Duration::from_secs(10)).await.expect("the agent answers");
    tokio::time::sleep(Duration::from_secs(1)).await;
    caller.asks(&clips::caller_interrupts(), &clips::agent_closing()).await;
    let after = caller.hangs_up().await;
    let interrupted = entries!(after.journal, JournalEvent::Interrupted { .. } => ()).len();
    assert_eq!((interrupted, after.ending), (1, Ending::CallerHungUp));
    assert_eq!(story.model_faults(), [""; 0]);
}

/// It is heard for 400 ms, and for the 500 ms of silence that end a turn.
#[tokio::test(flavor = "multi_thread")]
async fn a_mhm_does_not_interrupt_an_agent_that_was_told_so() {
    let answers = [clips::agent_long(), clips::agent_answer()].map(Reply::speech);
    let builder = StoryBuilder::default().scripted(answering(answers));
    let story = builder.with_agent_also("\n[interruption]\nafter_ms = 1500\n").begin().await;
    let caller = story.caller_after_greeting().await;
    caller.says(&clips::caller_directions()).await;
    caller.phone().agent_speaks(Duration::from_secs(10)).await.expect("the agent answers");
    tokio::time::sleep(Duration::from_secs(2)).await;

    caller.says(&clips::caller_mhm()).await;
    caller.hears_out(&clips::agent_long()).await;

    let after = caller.hangs_up().await;
    assert_eq!(entries!(after.journal, JournalEvent::Interrupted { .. } => ()), [], "{after:?}");
    assert_eq!(story.model_faults(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_caller_is_nudged_and_then_hears_goodbye() {
    let script = Script::about_bikes()
        .aside("Are you still there?", Reply::speech(clips::agent_nudge()))
        .aside("Thank you for your call", Reply::speech(clips::agent_goodbye()));
    let builder = StoryBuilder::default().scripted(script);
    let story = builder.with_agent_also("\n[limits]\nsilence_s = 5\nnudges = 2\n").begin().await;
    let caller = story.caller_after_greeting().await;

    for _ in 0..2 {
        caller.hears(&clips::agent_nudge()).await;
    }
    caller.hears_to_the_end(&clips::agent_goodbye()).await;

    let after = caller.afterwards().await;
    assert_eq!((after.ending, after.at_meta), (Ending::BothSilent, sim_meta::Ending::Terminated));
    assert_eq!(after.messages, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_may_last_no_longer_ends_with_a_goodbye() {
    let script =
        Script::about_bikes().aside("Thank you for your call", Reply::speech(clips::agent_goodbye()));
    let short = include_str!("../../../fixtures/field-cases/agents/short.toml");
    let story = StoryBuilder::default().scripted(script).with_agent(short).begin().await;
    let caller = story.ring().await;
    caller.talks().await;

    caller.hears_to_the_end(&clips::agent_goodbye()).await;

    let after = caller.afterwards().await;
    assert_eq!((after.ending, after.at_meta), (Ending::TookTooLong, sim_meta::Ending::Terminated));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_g711_both_hear_each_other_as_well() {
    let formats = "\n[model]\ninput_format = \"pcmu\"\noutput_format = \"pcmu\"\n";
    let story = StoryBuilder::default().with_agent_also(formats).begin().await;
    let caller = story.ring().await;

    caller.talks().await;

    assert!(story.model_heard(&clips::caller_question()));
    assert_eq!(caller.hangs_up().await.ending, Ending::CallerHungUp);
    assert_eq!(story.model_faults(), [""; 0]);
}
