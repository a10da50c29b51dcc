//! What goes wrong around us: each wrong has its ending, and no call is held twice.

use call::Ending;
use phone::{ActionName, CallReport, Ending as AtMeta, Seen};
use rehearse::Rehearsal;
use std::time::Duration;
use tests::story::{folder, programs};
use tests::{Afterwards, Scene, Story};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_answer_makes_a_rehearsal_wrong_and_it_says_why() {
    let mischief = Some("sdp-refused".parse().expect("there is such a mischief"));
    let rehearsal = Rehearsal { mischief, folder: Some(folder()), ..Rehearsal::default() };

    let outcome = rehearsal.run(&programs().await).await.expect("there can be a rehearsal");

    assert!(!outcome.is_right());
    assert_eq!(outcome.ending.as_deref(), Some("meta_refused"));
    assert!(outcome.to_string().contains("138008"), "{outcome}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_answer_meta_refuses_is_rejected() {
    let after = rings_in_vain(Scene::amid("sdp-refused")).await;

    assert_eq!((after.ending, after.at_meta), (Ending::MetaRefused, AtMeta::Rejected));
    assert!(after.was_held_once() && after.messages == 1, "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_a_path_is_terminated_at_the_end_of_its_ring_time() {
    let after = rings_in_vain(Scene::amid("ice-never").ringing_for(3)).await;

    assert_eq!((after.ending, after.at_meta), (Ending::MediaNeverConnected, AtMeta::Terminated));
    assert!(after.was_held_once() && after.messages == 1, "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_dtls_is_terminated_at_the_end_of_its_ring_time() {
    let after = rings_in_vain(Scene::amid("dtls-never").ringing_for(3)).await;

    assert_eq!((after.ending, after.at_meta), (Ending::MediaNeverConnected, AtMeta::Terminated));
    assert!(after.was_held_once() && after.messages == 1, "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_never_answers_costs_the_call() {
    let after = rings_in_vain(Scene::amid("never-answers")).await;

    assert_eq!((after.ending, after.at_meta), (Ending::AgentUnavailable, AtMeta::Terminated));
    assert!(after.was_held_once() && after.messages == 1, "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_without_a_session_costs_the_call_at_the_end_of_its_ring_time() {
    let after = rings_in_vain(Scene::amid("no-session").ringing_for(3)).await;

    assert_eq!((after.ending, after.at_meta), (Ending::AgentUnavailable, AtMeta::Terminated));
    assert!(after.was_held_once() && after.messages == 1, "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_key_costs_the_call_at_once() {
    let after = rings_in_vain(Scene::amid("refuses-key")).await;

    assert_eq!(after.ending, Ending::AgentUnavailable);
    assert!(after.was_held_once() && after.messages == 1, "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exhausted_quota_costs_the_call_at_once() {
    let after = rings_in_vain(Scene::amid("quota-exhausted")).await;

    assert_eq!(after.ending, Ending::AgentUnavailable);
    assert!(after.was_held_once() && after.messages == 1, "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_gives_up_is_not_picked_up_and_not_told() {
    let after = rings_in_vain(Scene::amid("caller-gives-up")).await;

    assert_eq!((after.ending, after.at_meta), (Ending::CallerGaveUp, AtMeta::CallerHungUp));
    assert!(after.was_held_once() && after.messages == 0, "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_gives_up_just_before_the_accept_is_not_told() {
    let story = Story::begin().await;
    let caller = story.ring().await;
    let connected = |report: &CallReport| report.dtls_connected;
    caller.phone().wait_until("media to connect", SOON, connected).await.expect("media connects");
    story.webhooks_go_astray();
    caller.phone().hang_up().await;
    let refused = |seen: &Seen| matches!(seen, Seen::Action { name: ActionName::Accept, status: 400, .. });
    story.saw(caller.id(), refused).await;
    story.webhooks_arrive();

    let after = caller.afterwards().await;

    assert_eq!((after.ending, after.at_meta), (Ending::CallerGaveUp, AtMeta::CallerHungUp));
    assert!(after.was_held_once() && after.messages == 0, "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accept_whose_reply_is_lost_stands() {
    is_picked_up_all_the_same("cut-accept").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_failed_at_meta_is_tried_again() {
    is_picked_up_all_the_same("graph-500-once").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connect_that_comes_twice_is_one_call() {
    is_picked_up_all_the_same("duplicate-connect").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_hides_their_number_is_a_caller() {
    is_picked_up_all_the_same("no-from").await;
}

/// The call is never accepted. What is known of it afterwards.
async fn rings_in_vain(scene: Scene) -> Afterwards {
    let story = scene.begin().await;
    let after = story.ring().await.afterwards().await;
    assert!(!after.actions.contains(&ActionName::Accept), "{after:?}");
    after
}

/// The call is picked up, once, and ends as the caller wants.
async fn is_picked_up_all_the_same(mischief: &str) {
    let story = Scene::amid(mischief).begin().await;
    let caller = story.ring().await;
    caller.is_greeted().await;

    let after = caller.hangs_up().await;

    assert_eq!(after.ending, Ending::CallerHungUp);
    assert_eq!(after.actions, [ActionName::PreAccept, ActionName::Accept]);
    assert!(after.was_held_once() && after.messages == 0, "{after:?}");
}
