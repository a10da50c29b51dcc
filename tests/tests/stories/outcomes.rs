//! What a business is told after a call: once, signed, and again until it has it.

use crate::operator_lookup::json as ahoy;
use call::CallRef;
use harness::{Story, StoryBuilder, looking_up};
use serde_json::json;
use service::time::now_ms;
use sim_audio::clips;
use sim_business::{Delivery, Fault};
use std::time::Duration;
use store::{OutboxEvent, OutboxKey, OutboxState};

/// A delivery comes within this, an extraction's time included.
const SOON: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn the_outcome_of_a_call_is_delivered_once_and_whole() {
    let script = looking_up("427", clips::agent_order());
    let story = StoryBuilder::default().scripted(script).knowing_callers().extracting().begin().await;
    let caller = story.ring().await;
    let call_ref = caller.call_ref();
    caller.is_greeted().await;
    caller.hears_out(&clips::agent_greeting_amina()).await;
    caller.asks(&clips::caller_order(), &clips::agent_order()).await;
    caller.hangs_up().await;

    let delivery = delivered(&story, &call_ref).await;

    let body = &delivery.body;
    assert_eq!(delivery.id, format!("{call_ref}:call.ended"));
    assert_eq!(
        (&body["complete"], &body["ending"], &body["by"]),
        (&json!(true), &json!("caller_hung_up"), &json!("caller"))
    );
    assert_eq!(body["tools"], json!([{"name": "lookup_order", "did": "done"}]));
    assert_eq!(body["caller"]["number"], "+919900000001");
    assert_eq!(body["caller"]["number_verified"], true);
    assert_eq!(body["extracted"]["order"], "427", "{body}");
    assert!(body["summary"].as_str().is_some_and(|words| !words.is_empty()), "{body}");
    let transcript = body["transcript"].to_string();
    assert!(
        transcript.contains("number four two seven") && transcript.contains("Hello Amina"),
        "{transcript}"
    );
    assert_eq!(story.model.responses().len(), 1, "the model is asked once");
    assert_eq!((story.business.deliveries().len(), story.business.complaints()), (1, vec![]));
    is_done(&story, &call_ref, OutboxState::Delivered).await;
    let secrets = ["Amina", "four two seven", "919900000001"];
    assert!(secrets.iter().all(|secret| story.logs_with(secret).is_empty()));
}

/// One call each: the business fails once, its answer is lost once, and it wants no more.
#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_comes_again_until_the_business_has_it_or_refuses() {
    let story = StoryBuilder::default().knowing_callers().begin().await;
    for (fault, answers, state, is_duplicate) in [
        (Fault::After500Then200, &[Some(500), Some(200)][..], OutboxState::Delivered, false),
        (Fault::AfterLostReply, &[None, Some(200)], OutboxState::Delivered, true),
        (Fault::After2mbReply, &[Some(200)], OutboxState::Delivered, false),
        (Fault::After410, &[Some(410)], OutboxState::Refused, false),
    ] {
        let caller = story.ring().await;
        let call_ref = caller.call_ref();
        story.business.set_faults_of(call_ref.as_str(), &[fault]);
        caller.is_greeted().await;
        caller.hangs_up().await;
        let first = tries(&story, &call_ref, 1).await;
        if answers.len() == 2 {
            is_tried_again(&story, &call_ref).await;
        }

        let all = tries(&story, &call_ref, answers.len()).await;

        is_done(&story, &call_ref, state).await;
        let came: Vec<_> =
            tries(&story, &call_ref, answers.len()).await.iter().map(|it| it.answered).collect();
        assert_eq!(came, answers, "{fault}");
        assert!(all.iter().all(|it| it.id == first[0].id), "{fault}: {all:?}");
        assert_eq!(all.last().map(|it| it.is_duplicate), Some(is_duplicate), "{fault}");
    }
    assert_eq!((story.business.forged(), story.business.complaints()), (0, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_task_dies_has_an_incomplete_outcome() {
    let story = StoryBuilder::default().knowing_callers().begin().await;
    let caller = story.ring().await;
    let call_ref = caller.call_ref();
    caller.is_greeted().await;
    let task = story.stack.cloud.tasks()[0].id.clone();
    story.stack.cloud.kill_task(&task).await.expect("the task lives");
    caller.afterwards().await.was_lost();

    is_tried_again(&story, &call_ref).await;

    let body = delivered(&story, &call_ref).await.body;
    assert_eq!((&body["complete"], &body["ending"]), (&json!(false), &json!("lost")), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_outcome_follows_once_the_caller_was_forgotten() {
    let story = StoryBuilder::default().knowing_callers().begin().await;
    story.business.set_faults(&[Fault::After500Then200]);
    let caller = story.ring().await;
    let call_ref = caller.call_ref();
    caller.is_greeted().await;
    caller.hangs_up().await;
    tries(&story, &call_ref, 1).await;
    // What was tried is recorded before it is forgotten, so that nothing is written afterwards.
    story
        .until_it_is_so(async || {
            let kept = story.stack.store.outbox_of(&call_ref).await.expect("the table can be read");
            kept.iter().all(|item| item.status == Some(500))
        })
        .await;

    ahoy(&story, &["forget", "+919900000001", "--yes", "--json"]).await;

    let kept = story.stack.store.outbox_of(&call_ref).await.expect("the table can be read");
    assert_eq!(kept, []);
    story.stack.cloud.run_schedule("outbox").await.expect("the outbox runs");
    assert_eq!(story.business.deliveries().len(), 1, "nothing came after it was forgotten");
    assert!(!story.everything_stored().await.contains("Amina"));
}

/// Makes the outcome of a call due, and runs the outbox.
async fn is_tried_again(story: &Story, call_ref: &CallRef) {
    let key = OutboxKey::of(call_ref, OutboxEvent::CallEnded);
    let store = &story.stack.store;
    story
        .until_it_is_so(async || {
            store.deliver_again(&key, now_ms()).await.expect("the table can be written to")
        })
        .await;
    story.stack.cloud.run_schedule("outbox").await.expect("the outbox runs");
}

async fn delivered(story: &Story, call_ref: &CallRef) -> Delivery {
    let is_it = |it: &&Delivery| is_of(it, call_ref) && it.answered == Some(200);
    let found = story.business.delivered(SOON, |all| all.iter().find(is_it).cloned()).await;
    found.expect("the outcome is delivered")
}

/// Waits until so many deliveries of a call were tried, and returns them.
async fn tries(story: &Story, call_ref: &CallRef, count: usize) -> Vec<Delivery> {
    let of_it = |all: &[Delivery]| all.iter().filter(|it| is_of(it, call_ref)).cloned().collect::<Vec<_>>();
    let found = story.business.delivered(SOON, |all| Some(of_it(all)).filter(|all| all.len() >= count)).await;
    found.unwrap_or_else(|| panic!("there are not {count}: {:?}", story.business.deliveries()))
}

fn is_of(delivery: &Delivery, call_ref: &CallRef) -> bool {
    delivery.body["call"] == call_ref.as_str()
}

/// Waits until the outcome of a call is in its last state.
async fn is_done(story: &Story, call_ref: &CallRef, state: OutboxState) {
    story
        .until_it_is_so(async || {
            let kept = story.stack.store.outbox_of(call_ref).await.expect("the table can be read");
            kept.len() == 1 && kept[0].state.known() == Some(state)
        })
        .await;
}
