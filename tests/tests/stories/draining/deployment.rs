//! Deployments, and fewer tasks: no call is cut.

use super::{SOON, TASK, begin_with_two_tasks, deploy, has_left, holder, last_task_of, ready, task};
use harness::Story;
use sim_audio::clips;
use sim_aws::LastStatus;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_cuts_none_of_ten_calls() {
    let story = Story::begin().await;
    let old = story.stack.cloud.tasks()[0].id.clone();
    let mut callers = vec![];
    for _ in 0..10 {
        callers.push(story.ring().await);
    }
    for caller in &callers {
        caller.is_greeted().await;
    }

    deploy(&story);
    ready(&story, |ready| !ready.is_empty() && ready.iter().all(|lease| lease.revision == "2")).await;
    let next = story.greeted_caller().await;
    callers[0].says(&clips::caller_question()).await;
    callers[0].phone().agent_speaks(SOON).await.expect("the agent answers");
    for caller in &callers {
        assert!(caller.phone().ended(Duration::from_millis(1)).await.is_err());
    }
    let held = task(&story, &old);
    assert!(held.protected && held.last_status == LastStatus::Running, "{held:?}");
    for caller in callers.iter().chain([&next]) {
        caller.phone().hang_up().await;
    }

    for caller in callers {
        let after = caller.afterwards().await;
        after.was_ordinary();
        assert_eq!(task(&story, last_task_of(&after)).revision, 1);
    }
    let after = next.afterwards().await;
    after.was_ordinary();
    assert_eq!(task(&story, last_task_of(&after)).revision, 2);
    let left = has_left(&story, &old).await;
    assert!(left.stopped_reason.as_ref().is_some_and(|reason| reason.contains("deployment")), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolled_back_deployment_lets_the_old_task_take_calls_again() {
    let story = Story::begin().await;
    let old = story.stack.cloud.tasks()[0].id.clone();
    let caller = story.greeted_caller().await;
    deploy(&story);
    ready(&story, |ready| ready.len() == 1 && ready[0].revision == "2").await;

    story.stack.cloud.roll_back(TASK, 1).expect("there is that revision");
    ready(&story, |ready| ready.len() == 1 && ready[0].task.as_str() == old).await;
    let next = story.greeted_caller().await;
    next.phone().hang_up().await;

    caller.hangs_up().await.was_ordinary();
    let after = next.afterwards().await;
    after.was_ordinary();
    assert_eq!(last_task_of(&after), old);
}

#[tokio::test(flavor = "multi_thread")]
async fn scaling_in_takes_the_task_without_calls() {
    let story = begin_with_two_tasks().await;
    let caller = story.greeted_caller().await;
    let busy = holder(&caller).await;

    story.stack.cloud.scale(TASK, 1).expect("there is such a service");
    let others = story.stack.cloud.tasks().into_iter().filter(|task| task.id != busy);
    for idle in others {
        has_left(&story, &idle.id).await;
    }
    caller.says(&clips::caller_question()).await;
    caller.phone().agent_speaks(SOON).await.expect("the agent answers");

    assert_eq!(task(&story, &busy).last_status, LastStatus::Running);
    caller.hangs_up().await.was_ordinary();
}
