//! Injected faults of AWS, in the order of `dev/sim-aws/README.md`: a call that can be held is held, and no other is.

use call::Ending;
use harness::{Afterwards, Story, StoryBuilder};
use serde_json::json;
use sim_audio::clips;
use sim_aws::{CancellationReason, Cloud, Delivery, LastStatus, Outage, Refusal, TaskStatus};
use sim_meta::{ActionName, Ending as AtMeta};
use std::time::Duration;

const TASK: &str = "media-task";
const SOON: Duration = Duration::from_secs(20);

/// A story for each fault: made before the call, which is an ordinary one all the same.
macro_rules! harmless {
    ($($name:ident: $fault:expr;)*) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            is_picked_up_all_the_same($fault).await;
        })*
    };
}

harmless! {
    a_webhook_too_busy: |cloud: &Cloud| cloud.faults().throttle_invocations("webhook", 2).expect("there is one");
    a_call_control_too_busy: |cloud: &Cloud| cloud.faults().throttle_invocations("call-control", 2).expect("there is one");
    a_task_that_may_not_be_protected: |cloud: &Cloud| cloud.faults().refuse_protection(100);
    a_schedule_that_stands_still: |cloud: &Cloud| cloud.faults().enable_schedule("reaper", false).expect("there is one");
    dynamodb_throttles_a_while: |cloud: &Cloud| cloud.faults().throttle_dynamodb(9);
    dynamodb_throttles_one_in_five: |cloud: &Cloud| cloud.faults().throttle_share_of_dynamodb(0.2);
    transactions_conflict: |cloud: &Cloud| cloud.faults().conflict_transactions(2);
    transactions_are_throttled: |cloud: &Cloud| cloud.faults().cancel_transactions(2, CancellationReason::Throttling);
    single_writes_conflict: |cloud: &Cloud| cloud.refuse_next("dynamodb.PutItem", 3, Refusal::transaction_conflict());
    dynamodb_is_slow: |cloud: &Cloud| cloud.faults().slow_dynamodb(Duration::from_millis(200));
    dynamodb_is_cut_off_for_2_s: |cloud: &Cloud| cloud.faults().dynamodb_outage(Outage::Cut, Duration::from_secs(2));
    dynamodb_is_silent_for_2_s: |cloud: &Cloud| cloud.faults().dynamodb_outage(Outage::Silent, Duration::from_secs(2));
    dynamodb_fails_for_2_s: |cloud: &Cloud| cloud.faults().dynamodb_outage(Outage::Failing, Duration::from_secs(2));
    replies_of_dynamodb_are_lost: |cloud: &Cloud| cloud.faults().lose_dynamodb_replies(3);
    any_request_is_refused: |cloud: &Cloud| cloud.refuse_next("lambda.Invoke", 4, Refusal::throttling());
    secrets_are_throttled: |cloud: &Cloud| cloud.refuse_next("secretsmanager.GetSecretValue", 2, Refusal::throttling());
    a_secret_changes: |cloud: &Cloud| cloud.rotate_secret("meta", json!({
        "app_secret": "a new app secret", "verify_token": "a verify token", "access_token": "an access token",
    }).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn dynamodb_gone_for_30_s_in_mid_call() {
    let story = Story::begin().await;
    let caller = story.greeted_caller().await;
    story.stack.cloud.faults().dynamodb_outage(Outage::Failing, Duration::from_secs(30));
    let ended = caller.phone().ended(Duration::from_secs(31)).await;
    assert!(ended.is_err(), "a healthy call ended: {ended:?}");
    caller.says(&clips::caller_question()).await;
    caller.phone().agent_speaks(SOON).await.expect("the agent answers");

    was_an_ordinary_call(&caller.hangs_up().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_lets_a_call_come_to_its_end() {
    let story = Story::begin().await;
    let caller = story.greeted_caller().await;
    let task = story.stack.cloud.tasks()[0].id.clone();
    story.stack.cloud.stop_task(&task).expect("the task lives");
    caller.says(&clips::caller_question()).await;
    caller.phone().agent_speaks(SOON).await.expect("the agent answers");

    was_an_ordinary_call(&caller.hangs_up().await);
    let has_left = |tasks: &[TaskStatus]| tasks.iter().any(|one| one.id == task && one.exit_code == Some(0));
    story.stack.cloud.tasks_until(has_left).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scaling_in_spares_a_task_with_a_call() {
    let story = Story::begin().await;
    let caller = story.greeted_caller().await;
    story.stack.cloud.scale(TASK, 0).expect("there is such a service");
    caller.phone().agent_falls_silent(SOON).await.expect("the greeting comes to its end");

    was_an_ordinary_call(&caller.hangs_up().await);
    is_empty(&story.stack.cloud).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_takes_long_to_start_takes_the_call_that_waits() {
    let story = without_tasks(StoryBuilder::default()).await;
    story.stack.cloud.faults().start_delay(TASK, Duration::from_secs(8)).expect("there is such a service");
    let caller = story.greeted_caller().await;

    let after = caller.hangs_up().await;

    assert!(after.event_names().contains(&"WA_CALL_TASK_LAUNCHED".to_owned()), "{after:?}");
    was_an_ordinary_call(&after);
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_ring_no_more_tasks_are_started_than_there_may_be() {
    let story =
        without_tasks(StoryBuilder::default().with_setting_of("call-control", "MAX_TASKS", "1")).await;
    story.stack.cloud.faults().start_delay(TASK, Duration::from_secs(3)).expect("there is such a service");
    let mut callers = vec![];
    for _ in 0..4 {
        callers.push(story.ring().await);
    }

    for caller in &callers {
        caller.is_greeted().await;
    }

    let tasks = story.stack.cloud.tasks();
    assert_eq!(tasks.iter().filter(|task| task.last_status != LastStatus::Stopped).count(), 1, "{tasks:?}");
    for caller in &callers {
        caller.phone().hang_up().await;
    }
    for caller in callers {
        let after = caller.afterwards().await;
        after.was_ordinary();
        assert_eq!(after.assignments, 1, "{after:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_comes_too_late_finds_the_call_refused() {
    let story = without_tasks(StoryBuilder::default().ringing_for(5)).await;
    story.stack.cloud.faults().start_delay(TASK, Duration::from_secs(8)).expect("there is such a service");
    was_refused_for_want_of_a_task(&story.ring().await.afterwards().await);
    let runs = |tasks: &[TaskStatus]| tasks.iter().any(|task| task.last_status == LastStatus::Running);
    story.stack.cloud.tasks_until(runs).await;

    story.is_at_rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn run_task_that_fails_is_tried_again() {
    let story = without_tasks(StoryBuilder::default()).await;
    story.stack.cloud.faults().fail_run_task(1, "RESOURCE:ENI");
    is_picked_up(&story).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn run_task_that_finds_fargate_full_is_tried_again() {
    let story = without_tasks(StoryBuilder::default()).await;
    story.stack.cloud.refuse_next("ecs.RunTask", 2, Refusal::no_capacity());
    is_picked_up(&story).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_never_starts_costs_the_call() {
    let story = without_tasks(StoryBuilder::default().ringing_for(4)).await;
    story.stack.cloud.faults().tasks_never_start(TASK, 9).expect("there is such a service");
    let caller = story.ring().await;
    // Where no task lives, only the reaper looks at the call again.
    tokio::time::sleep(Duration::from_secs(5)).await;
    story.stack.cloud.run_schedule("reaper").await.expect("there is a schedule");

    was_refused_for_want_of_a_task(&caller.afterwards().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_dies_mid_call_and_meta_reports_the_end_late() {
    is_lost_once(Delivery::Late(Duration::from_secs(3))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_dies_mid_call_and_meta_reports_the_end_twice() {
    is_lost_once(Delivery::Twice).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_dies_mid_call_and_meta_never_reports_the_end() {
    is_lost_once(Delivery::Never).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_dies_before_its_answer() {
    let story = Story::begin().await;
    let task = story.stack.cloud.tasks()[0].id.clone();
    story.stack.cloud.kill_task(&task).await.expect("the task lives");
    let caller = story.greeted_caller().await;

    let after = caller.hangs_up().await;

    assert_eq!((after.ending, after.messages), (Ending::CallerHungUp, 0), "{after:?}");
    assert_eq!(after.actions, [ActionName::PreAccept, ActionName::Accept]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_dies_after_the_pre_accept() {
    let story = Story::begin().await;
    story.kill_the_task_after(ActionName::PreAccept);

    let after = story.ring().await.afterwards().await;

    assert_eq!((after.ending, after.at_meta), (Ending::Lost, AtMeta::Terminated), "{after:?}");
    assert_eq!((after.actions, after.messages), (vec![ActionName::PreAccept, ActionName::Terminate], 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_dies_as_the_call_is_accepted() {
    let story = Story::begin().await;
    story.kill_the_task_after(ActionName::Accept);

    story.ring().await.afterwards().await.was_lost();
}

/// A story for each host whose clock is wrong.
macro_rules! with_a_wrong_clock {
    ($($name:ident: $program:literal, $seconds:literal;)*) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            let story = StoryBuilder::default().with_clock_of($program, $seconds).begin().await;
            is_picked_up(&story).await;
        })*
    };
}

with_a_wrong_clock! {
    the_webhooks_clock_is_5_s_ahead: "webhook", 5;
    the_webhooks_clock_is_5_s_behind: "webhook", -5;
    call_controls_clock_is_5_s_ahead: "call-control", 5;
    call_controls_clock_is_5_s_behind: "call-control", -5;
    a_media_tasks_clock_is_5_s_ahead: "media-task", 5;
    a_media_tasks_clock_is_5_s_behind: "media-task", -5;
}

async fn is_picked_up_all_the_same(fault: impl FnOnce(&Cloud)) {
    let story = Story::begin().await;
    fault(&story.stack.cloud);
    is_picked_up(&story).await;
}

/// The call is picked up, once, and ends as the caller wants.
async fn is_picked_up(story: &Story) {
    let caller = story.greeted_caller().await;

    was_an_ordinary_call(&caller.hangs_up().await);
}

fn was_refused_for_want_of_a_task(after: &Afterwards) {
    assert_eq!((after.ending, after.at_meta), (Ending::NoCapacity, AtMeta::Rejected), "{after:?}");
    assert_eq!((&after.actions[..], after.messages), (&[ActionName::Reject][..], 1));
}

async fn is_lost_once(delivery: Delivery) {
    let story = Story::begin().await;
    story.stack.cloud.faults().deliver_state_changes(delivery);
    let caller = story.greeted_caller().await;
    let task = story.stack.cloud.tasks()[0].id.clone();
    story.stack.cloud.kill_task(&task).await.expect("the task lives");

    caller.afterwards().await.was_lost();
}

fn was_an_ordinary_call(after: &Afterwards) {
    after.was_ordinary();
    assert!(after.was_held_once(), "{after:?}");
}

/// The product without a media task: its calls must launch one.
async fn without_tasks(builder: StoryBuilder) -> Story {
    let story = builder.begin().await;
    story.stack.cloud.scale(TASK, 0).expect("there is such a service");
    is_empty(&story.stack.cloud).await;
    story
}

async fn is_empty(cloud: &Cloud) {
    cloud.tasks_until(|tasks| tasks.iter().all(|task| task.last_status == LastStatus::Stopped)).await;
}
