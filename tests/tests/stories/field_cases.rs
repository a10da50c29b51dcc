//! Behaviour of real services, played to the real processes: `fixtures/field-cases`. Each case names the public report
//! it was made after.

use call::Ending;
use harness::scripted_model::ScriptedModel;
use harness::{Afterwards, StoryBuilder, entries};
use journal::JournalEvent;
use local::root;
use serde_json::Value;

/// A story for each case of a call that is answered, with the agent file that goes with it.
macro_rules! answered {
    ($($name:ident: $case:literal, $agent:expr;)*) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            plays($case, $agent).await;
        })*
    };
}

answered! {
    an_answer_that_comes_as_text_is_asked_for_again: "answer-comes-as-text", None;
    half_a_call_is_taken_back_and_the_answer_asked_for_again: "call-cut-short", None;
    an_agent_that_hangs_up_mute_is_asked_for_a_goodbye: "hang-up-without-a-word", None;
    half_a_sentence_is_continued: "incomplete-max-output-tokens", None;
    a_call_of_a_hosted_tool_is_followed_by_an_answer: "mcp-answer-needs-response-create", Some("mcp");
    a_failed_call_of_a_hosted_tool_is_followed_by_an_answer: "mcp-call-failed", Some("mcp");
    an_idle_prompt_right_after_the_greeting_is_not_heard: "idle-timeout-set-after-greeting", Some("idle-timeout");
    half_a_tool_call_is_not_run: "tool-cancelled-by-caller", None;
    a_transient_error_of_set_up_is_tried_again: "setup-internal-error", None;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_greeting_that_comes_as_text_is_asked_for_again() {
    // The call rings until the second greeting can be heard.
    assert_eq!(play("greeting-comes-as-text", None).await.0.ending, Ending::CallerGaveUp);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_nothing_in_it_is_asked_for_again() {
    plays("answer-is-empty", None).await;
    plays("answer-is-filtered", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hosted_tools_that_cannot_be_listed_are_in_the_journal() {
    let after = plays("mcp-list-tools-failed", Some("mcp")).await;

    let missing = JournalEvent::ToolsMissing { server: "stock".to_owned() };
    assert!(after.journal.contains(&missing), "{:?}", after.journal);
}

#[tokio::test(flavor = "multi_thread")]
async fn transcriptions_that_fail_are_in_the_journal() {
    let after = plays("transcription-failed", None).await;

    let why = entries!(after.journal, JournalEvent::TranscriptionFailed { model, code } => [model, code]);
    assert_eq!(why, [["gpt-transcribe", "model_not_found"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_sentence_without_spaces_is_retold_in_part() {
    let (after, sent) = play("japanese-interrupted", Some("japanese")).await;

    let told = sent.iter().filter(|event| event["type"] == "conversation.item.create");
    let told: Vec<_> = told.filter(|event| event["item"]["role"] == "assistant").collect();
    assert!(told.iter().any(|event| event.to_string().contains("お電話ありがとうございます")), "{told:?}");
    assert_eq!(after.ending, Ending::CallerHungUp);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_never_ends_is_committed() {
    plays("speech-never-stops", None).await;
}

/// Plays a case of a call that is answered.
async fn plays(case: &str, agent: Option<&str>) -> Afterwards {
    let (after, _) = play(case, agent).await;
    assert_eq!(after.ending, Ending::CallerHungUp);
    after
}

/// Plays a case from ring to hang-up: all that its script wants happens. What is known of the call, and what was sent to
/// the model but for sound.
async fn play(case: &str, agent: Option<&str>) -> (Afterwards, Vec<Value>) {
    let read = |path: String| {
        let path = root().join("fixtures/field-cases").join(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let mut model = ScriptedModel::listen(&read(format!("events/{case}.jsonl"))).await;
    let builder = StoryBuilder::rehearsed().with_model_at(model.url());
    let builder = match agent {
        Some(agent) => builder.with_agent(&read(format!("agents/{agent}.toml"))),
        None => builder,
    };
    let story = builder.begin().await;
    let caller = story.ring().await;

    assert_eq!(model.play().await, [""; 0]);

    let after = tokio::select! {
        never = model.linger() => never,
        after = caller.hangs_up() => after,
    };
    (after, model.seen().to_vec())
}
