//! The day's money binds calls that go on; and what was counted of a call stays counted.

use call::{Ending, Fence};
use harness::{Story, StoryBuilder, entries, using};
use journal::JournalEvent;
use service::time::now_ms;
use sim_audio::clips;
use sim_meta::MetaConfig;
use sim_openai::{Reply, Script};
use store::CallOwner;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_reaches_the_days_cap_ends_with_a_goodbye() {
    let script = Script::about_bikes().aside("Goodbye, then", Reply::speech(clips::agent_goodbye()));
    let caps = "\n[limits]\nsilence_s = 60\ngoodbye = \"Goodbye, then.\"\n[caps]\ndollars_a_day = 0.5\n";
    let story = StoryBuilder::default().scripted(script).with_agent_also(caps).begin().await;
    let caller = story.ring().await;
    let call_ref = caller.call_ref();
    caller.talks().await;
    spends(&story, "another-call", 480_000).await;

    story.until_it_is_so(async || story.spent_today().await > 480_000).await;
    assert!(caller.phone().report().ending.is_none(), "four fifths are not all of it");
    spends(&story, "a-third-call", 20_000).await;
    caller.hears_to_the_end(&clips::agent_goodbye()).await;

    let after = caller.afterwards().await;
    assert_eq!((after.ending, after.at_meta), (Ending::CapReached, sim_meta::Ending::Terminated));
    let near = entries!(after.journal, JournalEvent::CapNear { cap_micro_dollars, .. } => *cap_micro_dollars);
    assert_eq!(near, [500_000], "{after:?}");
    let own = story.calls.summary(&call_ref).await.expect("the table can be read").expect("there is one");
    assert_eq!(Some(story.spent_today().await - 500_000), own.micro_dollars, "it is counted once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_lost_call_has_cost_by_then_stays_counted() {
    let story = StoryBuilder::default().with_agent_also("\n[caps]\ndollars_a_day = 100\n").begin().await;
    let caller = story.ring().await;
    caller.talks().await;
    story.until_it_is_so(async || story.spent_today().await > 0).await;
    let counted = story.spent_today().await;

    let task = story.stack.cloud.tasks()[0].id.clone();
    story.stack.cloud.kill_task(&task).await.expect("the task lives");

    let after = caller.afterwards().await;
    assert_eq!((after.ending, story.spent_today().await), (Ending::Lost, counted));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_past_its_budget_is_refused_by_name() {
    let left = r#"{"message":"The bell is broken"}"#;
    let script = using("take_message", left, clips::agent_closing());
    let builder = StoryBuilder::default().scripted(script).with_agent_also("\n[caps]\ntools_an_hour = 0\n");
    let story = builder.begin().await;
    let caller = story.ring().await;
    let call_ref = caller.call_ref();
    caller.hears_the_greeting().await;
    caller.asks(&clips::caller_question(), &clips::agent_closing()).await;

    let after = caller.hangs_up().await;

    assert_eq!(after.tools(), ["take_message: refused"]);
    let refused = JournalEvent::ActionRefused { action: "tool".into(), budget: "hour".into() };
    assert!(after.journal.contains(&refused), "{after:?}");
    let told = story.tool_outputs();
    assert!(told[0].contains("for this caller within the hour"), "{told:?}");
    assert!(story.calls.left(&call_ref).await.expect("the table can be read").is_empty());
}

/// Another call to the number has cost so much today.
async fn spends(story: &Story, call_ref: &str, micro_dollars: u64) {
    let number = MetaConfig::default().phone_number_id.into();
    let by = CallOwner { call_ref: call_ref.into(), number, fence: Fence(1), forget_at: u64::MAX >> 20 };
    let day = agents::Agent::built_in().day(now_ms());
    story.stack.store.count_spent(&by, &day, 0, micro_dollars).await.expect("the table can be written to");
}
