//! A task that dies: its calls are ended at Meta by the processes that are left.

use super::{SOON, TASK, begin_with_two_tasks, holder};
use harness::Story;
use local::eventually;
use service::time::now_ms;
use sim_aws::Delivery;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_live_task_ends_a_dead_tasks_call_within_30_s() {
    let story = begin_with_two_tasks().await;
    // No event tells: the other task's heartbeat finds out.
    story.stack.cloud.faults().deliver_state_changes(Delivery::Never);
    story.stack.cloud.faults().enable_schedule("reaper", false).expect("there is a schedule");

    let caller = story.greeted_caller().await;
    story.stack.cloud.kill_task(&holder(&caller).await).await.expect("the task lives");
    caller.phone().ended(Duration::from_secs(30)).await.expect("Meta hears of the end in time");

    caller.afterwards().await.was_lost();
}

/// That is within two minutes, if Meta does not miss our sound before.
#[tokio::test(flavor = "multi_thread")]
async fn without_live_tasks_the_reaper_ends_dead_calls_in_two_rounds() {
    let story = Story::begin().await;
    let fault = story.stack.cloud.faults();
    fault.deliver_state_changes(Delivery::Never);
    fault.enable_schedule("reaper", false).expect("there is a schedule");
    fault.start_delay(TASK, Duration::from_secs(600)).expect("there is such a service");
    let caller = story.greeted_caller().await;
    story.stack.cloud.kill_task(&holder(&caller).await).await.expect("the task lives");

    for _ in 0..2 {
        something_is_due(&story, true).await;
        story.stack.cloud.run_schedule("reaper").await.expect("there is a schedule");
        something_is_due(&story, false).await;
    }
    caller.phone().ended(Duration::from_secs(10)).await.expect("Meta hears of the end");

    // What is left to do for it would take the reaper another minute.
    fault.start_delay(TASK, Duration::ZERO).expect("there is such a service");
    story.stack.cloud.scale(TASK, 2).expect("there is such a service");
    caller.afterwards().await.was_lost();
}

/// Waits until something is due, or nothing is any more.
async fn something_is_due(story: &Story, wished: bool) {
    let found = eventually(SOON, || async {
        let is_due = !story.stack.store.due(now_ms()).await?.is_empty();
        Ok((is_due == wished).then_some(()))
    });
    let found = found.await.expect("the table can be read");
    found.expect("a call without a task is due, and then looked after");
}
