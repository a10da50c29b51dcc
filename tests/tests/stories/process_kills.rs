//! A process dies: the call goes on, or ends properly.

use call::Ending;
use harness::{Story, StoryBuilder};
use sim_meta::ActionName;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn a_call_goes_live_though_call_control_dies_after_an_action() {
    for action in [ActionName::PreAccept, ActionName::Accept] {
        goes_live_without(action).await;
    }
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

    assert_eq!(ended, sim_meta::Ending::Terminated);
    after.was_lost();
}

/// Call-control dies as soon as this action has taken effect.
async fn goes_live_without(action: ActionName) {
    let story = StoryBuilder::default().beside(&action.to_string()).begin().await;
    let kill = story.kill_call_control_after(action);
    let caller = story.ring().await;
    caller.talks().await;

    let after = caller.hangs_up().await;

    assert!(kill.has_happened());
    after.was_ordinary();
    assert!(after.was_held_once(), "{after:?}");
}
