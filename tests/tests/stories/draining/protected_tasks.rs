//! Tasks that ECS does not protect at once, or refuses to protect.

use super::{
    SOON, TASK, begin_with_two_tasks, both_hang_up, deploy, has_left, holder, last_task_of, ready, task,
};
use harness::Story;
use sim_aws::{AgentFault, ProtectionRule, TaskStatus};
use std::time::Duration;

/// A story for each trouble of the agent's: the call is accepted, the task goes on taking calls, and is protected later.
macro_rules! passing_troubles {
    ($($name:ident: $trouble:expr;)*) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            is_protected_in_the_end($trouble).await;
        })*
    };
}

passing_troubles! {
    a_slow_agent_retires_no_task: AgentFault::Slow(Duration::from_millis(2_500));
    a_throttled_agent_retires_no_task: AgentFault::Throttled;
    an_agent_that_times_out_retires_no_task: AgentFault::TimesOut(Duration::from_secs(4));
    a_failing_agent_retires_no_task: AgentFault::Fails;
    a_garbled_answer_retires_no_task: AgentFault::Garbles;
}

async fn is_protected_in_the_end(fault: AgentFault) {
    let story = Story::begin().await;
    story.stack.cloud.faults().fail_agents(2, fault);
    let caller = story.greeted_caller().await;
    let busy = holder(&caller).await;

    is_protected(&story, &busy).await;

    ready(&story, |ready| ready.iter().any(|lease| lease.task.as_str() == busy)).await;
    caller.hangs_up().await.was_ordinary();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_task_takes_calls_while_a_deployment_blocks_its_protection() {
    let story = Story::begin().await;
    story.stack.cloud.faults().refuse_protection(1_000);
    let first = story.greeted_caller().await;
    let busy = holder(&first).await;

    let second = story.greeted_caller().await;
    assert_eq!(holder(&second).await, busy);
    story.stack.cloud.faults().refuse_protection(0);
    is_protected(&story, &busy).await;

    both_hang_up(first, second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_ecs_refuses_takes_calls_again_once_it_is_protected() {
    let story = begin_with_two_tasks().await;
    story.stack.cloud.faults().refuse_protection_as(1_000, "TASK_NOT_VALID");
    let caller = story.greeted_caller().await;
    let busy = holder(&caller).await;
    ready(&story, |ready| ready.len() == 1 && ready[0].task.as_str() != busy).await;

    story.stack.cloud.faults().refuse_protection(0);
    ready(&story, |ready| ready.len() == 2).await;

    is_protected(&story, &busy).await;
    caller.hangs_up().await.was_ordinary();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_ecs_refuses_takes_calls_where_no_other_does() {
    let story = Story::begin().await;
    story.stack.cloud.faults().refuse_protection_as(1_000, "TASK_NOT_VALID");
    let first = story.greeted_caller().await;

    let second = story.greeted_caller().await;

    both_hang_up(first, second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn during_a_deployment_the_unprotected_new_task_takes_calls() {
    let story = Story::begin().await;
    story.stack.cloud.faults().block_protection(ProtectionRule::After);
    let old = story.stack.cloud.tasks()[0].id.clone();
    let first = story.greeted_caller().await;
    is_protected(&story, &old).await;
    deploy(&story);
    ready(&story, |ready| ready.len() == 1 && ready[0].revision == "2").await;

    let second = story.greeted_caller().await;
    let new = holder(&second).await;
    let third = story.greeted_caller().await;
    assert!(!task(&story, &new).protected);
    first.phone().hang_up().await;
    has_left(&story, &old).await;

    is_protected(&story, &new).await;
    for caller in [&second, &third] {
        caller.phone().hang_up().await;
    }
    first.afterwards().await.was_ordinary();
    for caller in [second, third] {
        let after = caller.afterwards().await;
        after.was_ordinary();
        assert_eq!(last_task_of(&after), new);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_that_fails_at_boot_costs_no_task() {
    let story = Story::begin().await;
    story.stack.cloud.faults().fail_metadata(2);

    story.stack.cloud.scale(TASK, 2).expect("there is such a service");
    ready(&story, |ready| ready.len() == 2).await;

    assert_eq!(story.stack.cloud.tasks().len(), 2, "none died");
}

async fn is_protected(story: &Story, id: &str) {
    let is_so = |task: &TaskStatus| task.id == id && task.protected;
    let protected = story.stack.cloud.tasks_until(|tasks| tasks.iter().any(is_so));
    tokio::time::timeout(SOON, protected).await.expect("the task is protected in the end");
}
