//! A process dies: the call goes on, or ends properly.

use call::Ending;
use harness::{Story, StoryBuilder};
use sim_meta::ActionName;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn a_call_goes_live_though_call_control_dies_after_its_pre_accept() {
    a_call_goes_live_though_call_control_dies_after(ActionName::PreAccept).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_goes_live_though_call_control_dies_after_its_accept() {
    a_call_goes_live_though_call_control_dies_after(ActionName::Accept).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_ends_once_though_call_control_dies_after_its_terminate() {
    let story = StoryBuilder::with_fault("ice-never").ringing_for(3).begin().await;
    let kill = story.kill_call_control_after(ActionName::Terminate);

    let after = story.ring().await.afterwards().await;

    assert!(kill.has_happened());
    assert_eq!((after.ending, after.at_meta), (Ending::MediaNeverConnected, sim_meta::Ending::Terminated));
    assert_eq!(after.actions, [ActionName::PreAccept, ActionName::Terminate]);
    assert_eq!(after.messages, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_media_task_dies_is_lost_and_messaged() {
    let story = Story::begin().await;
    let caller = story.greeted_caller().await;
    let task = story.stack.cloud.tasks()[0].id.clone();
    let died_at = Instant::now();
    story.stack.cloud.kill_task(&task).await.expect("the task lives");

    let ended = caller.phone().ended(Duration::from_secs(40)).await.expect("Meta hears of the end");
    println!("Meta was told {:?} after the task's death", died_at.elapsed());
    let after = caller.afterwards().await;

    assert_eq!((after.ending, ended), (Ending::Lost, sim_meta::Ending::Terminated));
    assert_eq!(after.actions, [ActionName::PreAccept, ActionName::Accept, ActionName::Terminate]);
    assert_eq!(after.messages, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_task_that_takes_a_dead_ones_place_takes_the_next_call() {
    let story = Story::begin().await;
    let task = story.stack.cloud.tasks()[0].id.clone();
    story.stack.cloud.kill_task(&task).await.expect("the task lives");
    let caller = story.greeted_caller().await;

    let after = caller.hangs_up().await;

    assert_eq!(after.ending, Ending::CallerHungUp);
    assert_eq!(after.messages, 0);
}

async fn a_call_goes_live_though_call_control_dies_after(action: ActionName) {
    let story = Story::begin().await;
    let kill = story.kill_call_control_after(action);
    let caller = story.ring().await;
    caller.talks().await;

    let after = caller.hangs_up().await;

    assert!(kill.has_happened());
    assert_eq!(after.ending, Ending::CallerHungUp);
    assert_eq!(after.actions, [ActionName::PreAccept, ActionName::Accept]);
    assert!(after.was_held_once() && after.messages == 0, "{after:?}");
}
