//! The stored parts of a conversation: who said what, how long it took, what it cost; and what is not.

use harness::{Story, StoryBuilder};
use journal::{JournalEvent, Speaker};
use sim_audio::clips;

#[tokio::test(flavor = "multi_thread")]
async fn who_said_what_and_what_it_cost_is_kept_with_the_call() {
    let story = Story::begin().await;
    let caller = story.ring().await;
    let call_ref = caller.call_ref();
    caller.talks().await;
    let after = caller.hangs_up().await;

    let summary = story.calls.summary(&call_ref).await.expect("the table can be read").expect("there is one");
    let lines = story.calls.lines(&call_ref).await.expect("the table can be read");
    let said: Vec<(Speaker, &str)> = lines.iter().map(|line| (line.speaker, line.text.as_str())).collect();
    let (greeting, question, answer) =
        (clips::agent_greeting(), clips::caller_question(), clips::agent_answer());
    let texts = [&*greeting.text, &*question.text, &*answer.text];
    let spoken: Vec<_> = [Speaker::Agent, Speaker::Caller, Speaker::Agent].into_iter().zip(texts).collect();
    assert_eq!(said, spoken);
    assert!(lines[2].took_ms.is_some_and(|took| (200..2_000).contains(&took)), "{:?}", lines[2].took_ms);
    assert_eq!((summary.agent.as_str(), summary.model.as_str()), ("mirsk-bikes", "gpt-realtime-2.1"));
    assert_eq!((summary.turns, summary.turn_p50_ms), (1, lines[2].took_ms));
    assert!(summary.micro_dollars > Some(0) && summary.tokens.audio_out > 0, "{summary:?}");
    let told = after.journal.iter().any(|event| matches!(event, JournalEvent::Usage { micro_dollars, .. } if *micro_dollars == summary.micro_dollars));
    assert!(told, "{after:?}");
    assert_eq!(Some(story.spent_today().await), summary.micro_dollars);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_keeps_no_transcripts_keeps_none() {
    let story = StoryBuilder::default().with_agent_also("\n[keeping]\ntranscripts = false\n").begin().await;
    let caller = story.ring().await;
    let call_ref = caller.call_ref();
    caller.talks().await;
    caller.hangs_up().await;

    let summary = story.calls.summary(&call_ref).await.expect("the table can be read");
    let lines = story.calls.lines(&call_ref).await.expect("the table can be read");

    assert_eq!((lines.len(), summary.map(|summary| summary.turns)), (0, Some(1)));
    assert_eq!(story.stack.store.levels(&call_ref).await.expect("the table can be read"), None);
    assert!(!story.everything_stored().await.contains("ready to be picked up"));
    assert_eq!(story.logs_with("ready to be picked up"), [""; 0]);
}
