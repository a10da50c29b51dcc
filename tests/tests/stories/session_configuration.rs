//! Configuration of sessions: a part that the service refuses costs no call.

use call::Ending;
use harness::{Afterwards, Story, StoryBuilder, entries, using};
use journal::JournalEvent;
use sim_audio::clips;
use sim_openai::{ForbiddenParameter, Script, Side};

const ANY_OF: &str = include_str!("../../../fixtures/field-cases/agents/anyof.toml");
const IDLE: &str = include_str!("../../../fixtures/field-cases/agents/idle-timeout.toml");

#[tokio::test(flavor = "multi_thread")]
async fn parts_that_are_refused_cost_one_call_a_moment() {
    let forbids = vec![
        ForbiddenParameter::new("audio.input.transcription"),
        ForbiddenParameter::new("audio.input.noise_reduction.type").unnamed(),
    ];
    let story = StoryBuilder::default().with_model(|model| model.forbids = forbids).begin().await;

    let first = talks(&story).await;
    let second = talks(&story).await;

    assert_eq!(refused(&first.0), ["noise_reduction", "transcription"], "{:?}", first.0.event_names());
    assert_eq!(refused(&second.0), [""; 0], "the first one has paid");
    let updates = |session: usize| {
        let events = story.model.sessions()[session].events.clone();
        let is_update = |event: &&sim_openai::Recorded| event.event["type"] == "session.update";
        let mut before_ready =
            events.iter().take_while(|event| event.event["type"] != "session.updated").filter(is_update);
        (before_ready.clone().count(), before_ready.all(|event| event.from == Side::Client))
    };
    assert_eq!((updates(0), updates(1)), ((3, true), (1, true)));
    for (_, summary) in [first, second] {
        let mut without = summary.without;
        without.sort();
        assert_eq!(without, ["noise_reduction", "transcription"]);
    }
    assert_eq!(story.logs_with("OpenAI refused transcription").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_fails_at_set_up_is_asked_again() {
    let story = StoryBuilder::default().with_model(|model| model.failing_setups = 2).begin().await;

    let (after, summary) = talks(&story).await;

    assert_eq!((after.connections, summary.without.len()), (3, 0));
    assert!(entries!(after.journal, JournalEvent::AgentFailed { .. } => ()).is_empty(), "{after:?}");
}

/// It was pushed before it was known that the service refuses such schemas.
#[tokio::test(flavor = "multi_thread")]
async fn a_pushed_tool_with_any_of_at_the_top_works() {
    let script = using("find_patient", r#"{"name": "Ada"}"#, clips::agent_sorry());
    let story = StoryBuilder::rehearsed().scripted(script).with_agent(ANY_OF).begin().await;
    let caller = story.caller_after_greeting().await;
    caller.asks(&clips::caller_question(), &clips::agent_sorry()).await;

    let after = caller.hangs_up().await;

    assert_eq!(after.tools(), ["find_patient: refused"], "a name without a birthday finds no patient");
    assert_eq!(story.model_faults(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_timer_that_expires_at_once_is_not_heard() {
    let builder = StoryBuilder::rehearsed().scripted(Script::about_bikes()).with_agent(IDLE);
    let story = builder.with_model(|model| model.idles_at_once = true).begin().await;
    let caller = story.caller_after_greeting().await;
    caller.asks(&clips::caller_question(), &clips::agent_answer()).await;

    assert!(!caller.has_heard(&clips::agent_nudge()), "the caller had no time to answer the greeting");
    assert_eq!(caller.hangs_up().await.ending, Ending::CallerHungUp);
}

/// A call in which both sides understand each other.
async fn talks(story: &Story) -> (Afterwards, journal::CallSummary) {
    let caller = story.ring().await;
    caller.talks().await;
    let name = caller.call_ref();
    let after = caller.hangs_up().await;
    assert_eq!((after.ending, after.messages), (Ending::CallerHungUp, 0), "{after:?}");
    let summary = story.calls.summary(&name).await.expect("the table can be read");
    (after, summary.expect("the call was summed up"))
}

fn refused(after: &Afterwards) -> Vec<&str> {
    let mut parts = entries!(after.journal, JournalEvent::PartRefused { part, .. } => part.as_str());
    parts.sort_unstable();
    parts
}
