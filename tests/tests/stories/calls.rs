//! Calls as they should be.

use aws_sdk_lambda::Client;
use call::Ending;
use harness::{Story, StoryBuilder};
use internal_api::client::CallControl;

const PROMISED: [&str; 9] = [
    "ok",
    "steps",
    "answered_ms",
    "first_word_ms",
    "turn_added_ms",
    "interrupt_ms",
    "caller_heard",
    "agent_heard",
    "ending",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_call_is_right_and_so_is_the_next_one() {
    let story = StoryBuilder::rehearsed().begin().await;

    for _ in 0..2 {
        let outcome = story.rehearse().await.expect("there can be a rehearsal");
        let told = outcome.to_json();

        assert!(outcome.is_right(), "{outcome}");
        assert_eq!(told["ok"], true);
        assert_eq!(told["ending"], "agent_said_goodbye");
        assert!(PROMISED.iter().all(|key| !told[*key].is_null()), "{told:#}");
        assert!(told["steps"][0]["at_ms"].is_i64() && told["steps"][0]["what"].is_string(), "{told:#}");
    }
    story.nothing_is_due().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_call_has_one_owner_and_ends_with_nothing_pending() {
    let story = Story::begin().await;
    let caller = story.ring().await;
    caller.talks().await;

    let after = caller.hangs_up().await;

    after.was_ordinary();
    assert!(after.was_held_once(), "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_functions_at_once_hold_one_call_once() {
    let story = Story::begin().await;
    let caller = story.ring().await;
    let control = CallControl::new(Client::new(&story.stack.cloud.sdk_config()), "call-control");

    let orders = vec![caller.call_ref(); 20];
    assert_eq!(control.tick_all(orders).await, 0, "every order is taken");
    caller.is_greeted().await;

    let after = caller.hangs_up().await;
    assert_eq!(after.ending, Ending::CallerHungUp);
    assert!(after.was_held_once(), "{after:?}");
}
