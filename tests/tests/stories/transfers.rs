//! The agent transfers calls by telephone: those that the carrier takes over, and those that go on.

use call::Ending;
use harness::telephone::{CALLER, DIALLED, TRANSFER_TARGET, TRUNK_KEY, transfer_section};
use harness::{Story, StoryBuilder, entries};
use journal::JournalEvent;
use sim_audio::clips;
use sim_openai::sip::{Action, CallReport, CallSpec, CarrierEventKind, HungUpBy, PlacedCall, SipFault};
use sim_openai::{Reply, Script, Side};
use std::time::{Duration, Instant};
use store::{StoredCall, call_ref};

/// Everything else shares the machine with these stories.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_is_transferred_until_the_days_budget_is_spent() {
    let story = begin(connecting(), &format!("{}a_day = 1\n", transfer_section())).await;

    let call = greeted(&story, None).await;
    call.say(&clips::caller_question());
    let over = call.over(PATIENCE).await.expect("the carrier takes the caller over");

    assert_eq!(over.kind, CarrierEventKind::Bye(HungUpBy::Transfer));
    let (record, journal) = afterwards(&story, &call).await;
    assert_eq!((record.call.ending(), tools(&journal)), (Some(Ending::Transferred), vec!["done"]));
    assert_eq!(entries!(journal, JournalEvent::Transferred { target_kind } => target_kind.as_str()), ["tel"]);
    let report = call.report();
    let refers: Vec<_> = report.requests_for(Action::Refer).collect();
    assert_eq!((refers.len(), &refers[0].body["target_uri"]), (1, &TRANSFER_TARGET.into()));
    let said = report.agent.last().expect("the agent has spoken");
    assert!(!said.was_cut && said.stopped.is_some_and(|stopped| stopped <= refers[0].at), "{said:?}");
    assert!(report.requests_for(Action::Hangup).all(|hangup| !hangup.took_effect), "{report:?}");

    let next = greeted(&story, None).await;
    next.say(&clips::caller_question());
    hears(&next, 3).await;
    next.hang_up();

    let (record, journal) = afterwards(&story, &next).await;
    assert_eq!((record.call.ending(), tools(&journal)), (Some(Ending::CallerHungUp), vec!["refused"]));
    let refused = entries!(journal, JournalEvent::ActionRefused { action, budget } => (action.as_str(), budget.as_str()));
    assert_eq!(refused, [("transfer", "day")]);
    let told = story.tool_outputs();
    assert!(told.last().is_some_and(|told| told.contains("allowed in a day")), "{told:?}");
    assert_eq!(next.report().requests_for(Action::Refer).count(), 0);
    is_clean(&story);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_never_happens_is_told_and_not_tried_again() {
    let story = begin(connecting(), &transfer_section()).await;
    let call = greeted(&story, Some(SipFault::ReferIgnored)).await;

    call.say(&clips::caller_question());
    hears(&call, 3).await;

    let report = call.report();
    let asked = report.requests_for(Action::Refer).next().expect("it was asked for").at;
    let silence = report.agent[2].started - asked;
    assert!((8..12).contains(&silence.as_secs()), "the caller hears of it after {silence:?}");
    let told = story.tool_outputs();
    assert!(told.len() == 1 && told[0].contains("could not be connected"), "{told:?}");

    // The model tries it again.
    call.say(&clips::caller_question());
    hears(&call, 5).await;
    call.hang_up();

    let (record, journal) = afterwards(&story, &call).await;
    assert_eq!(
        (record.call.ending(), tools(&journal)),
        (Some(Ending::CallerHungUp), vec!["failed", "refused"])
    );
    assert_eq!(call.report().requests_for(Action::Refer).count(), 1);
    assert_eq!(entries!(journal, JournalEvent::Transferred { .. } => ()), []);
    is_clean(&story);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_in_doubt_is_watched_before_it_is_told() {
    let story = begin(connecting(), &transfer_section()).await;
    let call = greeted(&story, Some(SipFault::ReferFails)).await;

    call.say(&clips::caller_question());
    hears(&call, 3).await;
    call.hang_up();

    let report = call.report();
    let asked = report.requests_for(Action::Refer).next().expect("it was asked for").at;
    let silence = report.agent[2].started - asked;
    assert!((8..12).contains(&silence.as_secs()), "the caller hears of it after {silence:?}");
    let (record, journal) = afterwards(&story, &call).await;
    assert_eq!((record.call.ending(), tools(&journal)), (Some(Ending::CallerHungUp), vec!["failed"]));
    assert_eq!(entries!(journal, JournalEvent::LineTrouble { action, .. } => action.as_str()), ["refer"]);
    is_clean(&story);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_speaks_over_the_announcement_is_answered_first() {
    let connects = Reply::speech(clips::agent_long()).and_call("transfer_call", "{}");
    let answers = [connects, Reply::speech(clips::agent_closing())];
    let script = Script::new(Reply::speech(clips::agent_greeting()), answers);
    let story = begin(script, &transfer_section()).await;
    let call = greeted(&story, None).await;
    call.say(&clips::caller_question());
    call.agent_speaks(PATIENCE).await.expect("the agent announces it");
    story.until_it_is_so(async || !calls_of_tools(&story).is_empty()).await;

    call.say(&clips::caller_interrupts());
    hears(&call, 3).await;
    call.hang_up();

    let (record, journal) = afterwards(&story, &call).await;
    assert_eq!((record.call.ending(), tools(&journal)), (Some(Ending::CallerHungUp), vec!["refused"]));
    let told = story.tool_outputs();
    assert!(told.len() == 1 && told[0].contains("said something meanwhile"), "{told:?}");
    assert_eq!(call.report().requests_for(Action::Refer).count(), 0);
    is_clean(&story);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whatsapp_call_is_not_offered_a_transfer() {
    let story = begin(Script::about_bikes(), &transfer_section()).await;

    let caller = story.greeted_caller().await;

    let sessions = story.model.sessions();
    let updates: Vec<_> =
        sessions.iter().flat_map(|session| session.events_of(Side::Client, "session.update")).collect();
    let told = serde_json::to_string(&updates).expect("events are JSON");
    assert!(told.contains("end_call") && !told.contains("transfer_call"), "{told}");
    caller.hangs_up().await.was_ordinary();
}

async fn begin(script: Script, section: &str) -> Story {
    StoryBuilder::default().scripted(script).with_agent_also(section).with_telephone().begin().await
}

/// An agent who connects the caller whatever they ask, and is sorry if that fails.
fn connecting() -> Script {
    let connects = Reply::speech(clips::agent_moment()).and_call("transfer_call", "{}");
    let connects = connects.then(Reply::speech(clips::agent_sorry()));
    Script::new(Reply::speech(clips::agent_greeting()), [connects])
}

/// Places a call by the trunk, and hears the greeting out.
async fn greeted(story: &Story, fault: Option<SipFault>) -> PlacedCall {
    let spec = CallSpec::new(CALLER, DIALLED).header("X-Ahoy-Key", TRUNK_KEY);
    let call = story.model.trunk().ring(CallSpec { fault, ..spec });
    hears(&call, 1).await;
    call
}

/// Waits until the agent has spoken this often since the call was answered, and is silent.
async fn hears(call: &PlacedCall, times: usize) {
    let quiet = Duration::from_millis(500);
    let finished = |report: &CallReport| {
        let stopped = report.agent.last().and_then(|speech| speech.stopped)?;
        (report.agent.len() >= times && stopped + quiet <= Instant::now()).then_some(())
    };
    call.wait_until("the agent's words", PATIENCE, finished).await.expect("the agent speaks");
}

async fn afterwards(story: &Story, call: &PlacedCall) -> (StoredCall, Vec<JournalEvent>) {
    let call_ref = call_ref(&call.id());
    let record =
        story.calls.settled(&call_ref, PATIENCE).await.expect("the call ends, with nothing left to do");
    story.calls.summary(&call_ref).await.expect("the table can be read").expect("all about it is written");
    let journal = story.calls.journal(&call_ref).await.expect("the journal can be read");
    (record, journal.into_iter().map(|entry| entry.event).collect())
}

/// The outcomes of the transfers that the model asked for.
fn tools(journal: &[JournalEvent]) -> Vec<&str> {
    entries!(journal, JournalEvent::Tool { tool, outcome, .. } if tool == "transfer_call" => outcome.as_str())
}

fn calls_of_tools(story: &Story) -> Vec<serde_json::Value> {
    let sessions = story.model.sessions();
    let done = "response.function_call_arguments.done";
    sessions.iter().flat_map(|session| session.events_of(Side::Server, done)).cloned().collect()
}

fn is_clean(story: &Story) {
    assert_eq!(story.model.trunk().complaints(), [""; 0]);
    assert_eq!(story.model_faults(), [""; 0]);
}
