//! What goes wrong at the model, each thing by its name.

use call::Ending;
use journal::Event as Happened;
use openai::Mischief;
use phone::{ActionName, Ending as AtMeta};
use std::mem::discriminant;
use std::time::Duration;
use tests::{Caller, Scene};
use tone::clips;

const SOON: Duration = Duration::from_secs(20);

/// A story for each mischief, by its name: what comes of it.
macro_rules! stories {
    ($($name:ident: $mischief:literal, $story:ident;)*) => {
        const TOLD: &[&str] = &[$($mischief),*];

        $(#[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            $story($mischief).await;
        })*
    };
}

stories! {
    never_answers: "never-answers", is_never_accepted;
    no_session: "no-session", is_never_accepted_in_its_ring_time;
    refuses_key: "refuses-key", is_never_accepted;
    quota_exhausted: "quota-exhausted", is_never_accepted;
    drops_session: "drops-session:30", is_ended_in_mid_conversation;
    stalls: "stalls", is_ended_by_the_caller;
    server_error: "server-error", is_ended_by_the_caller_though_nobody_spoke;
    rate_limited: "rate-limited", is_ended_by_the_caller_though_nobody_spoke;
    expires: "expires:3", is_ended_in_mid_conversation;
    splits_samples: "splits-samples", is_as_any_other;
    transcription_fails: "transcription-fails", is_as_any_other;
}

#[test]
fn every_mischief_has_its_story() {
    let told: Vec<Mischief> =
        TOLD.iter().map(|name| name.parse().expect("there is such a mischief")).collect();
    let is_told =
        |mischief: &&Mischief| told.iter().any(|told| discriminant(told) == discriminant(*mischief));
    assert_eq!(Mischief::ALL.iter().find(|mischief| !is_told(mischief)), None);
}

async fn is_never_accepted(mischief: &str) {
    never_accepted(Scene::amid(mischief)).await;
}

async fn is_never_accepted_in_its_ring_time(mischief: &str) {
    never_accepted(Scene::amid(mischief).ringing_for(3)).await;
}

async fn never_accepted(scene: Scene) {
    let story = scene.begin().await;
    let after = story.ring().await.afterwards().await;

    assert_eq!((after.ending, after.at_meta), (Ending::AgentUnavailable, AtMeta::Terminated));
    assert_eq!(after.actions, [ActionName::PreAccept, ActionName::Terminate]);
    assert!(after.was_held_once() && after.messages == 1, "{after:?}");
}

async fn is_ended_in_mid_conversation(mischief: &str) {
    let story = Scene::amid(mischief).begin().await;
    let caller = story.ring().await;
    caller.is_greeted().await;
    // The session may end before the caller has said it all.
    let _ = caller.phone().agent_falls_silent(SOON).await;
    let _ = caller.phone().say(&clips::caller_question()).await;

    let after = caller.afterwards().await;

    assert_eq!((after.ending, after.at_meta), (Ending::AgentUnavailable, AtMeta::Terminated));
    assert_eq!(after.actions, [ActionName::PreAccept, ActionName::Accept, ActionName::Terminate]);
    assert!(after.was_held_once() && after.messages == 1, "{after:?}");
}

async fn is_ended_by_the_caller(mischief: &str) {
    let story = Scene::amid(mischief).begin().await;
    let caller = story.ring().await;
    caller.is_greeted().await;
    caller.phone().agent_falls_silent(SOON).await.expect("the agent stops");

    ends_by_the_caller(caller).await;
}

/// The greeting failed, and the line is open all the same: the caller may speak first.
async fn is_ended_by_the_caller_though_nobody_spoke(mischief: &str) {
    let story = Scene::amid(mischief).begin().await;
    let caller = story.ring().await;
    caller.is_picked_up().await;

    let after = ends_by_the_caller(caller).await;

    assert!(after.iter().any(|event| matches!(event, Happened::AgentTrouble { .. })), "{after:?}");
}

async fn ends_by_the_caller(caller: Caller<'_>) -> Vec<Happened> {
    let after = caller.hangs_up().await;

    assert_eq!((after.ending, after.at_meta), (Ending::CallerHungUp, AtMeta::CallerHungUp));
    assert_eq!(after.actions, [ActionName::PreAccept, ActionName::Accept]);
    assert!(after.was_held_once() && after.messages == 0, "{after:?}");
    after.journal
}

async fn is_as_any_other(mischief: &str) {
    let story = Scene::amid(mischief).begin().await;
    let caller = story.ring().await;
    caller.is_greeted().await;
    caller.phone().say(&clips::caller_question()).await.expect("the caller can speak");
    caller.phone().agent_speaks(SOON).await.expect("the agent answers");

    ends_by_the_caller(caller).await;
}
