//! Media tasks come and go, as a deployment, scaling or a dying machine has it: calls go on, or end with words.

mod deployment;
mod protected_tasks;
mod task_death;

use call::Ending;
use harness::{Afterwards, Caller, Story, StoryBuilder, entries};
use journal::JournalEvent;
use local::eventually;
use sim_audio::clips;
use sim_aws::{LastStatus, TaskStatus};
use sim_meta::ActionName;
use sim_openai::{Reply, Script};
use std::time::Duration;
use store::lease::Lease;

const TASK: &str = "media-task";
const SOON: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread")]
async fn a_call_outlasting_the_stop_timeout_ends_with_a_goodbye_and_terminate() {
    let leaving = agents::leaving("en");
    let script = Script::about_bikes().aside(leaving, Reply::speech(clips::agent_goodbye()));
    let builder = StoryBuilder::default().scripted(script).with_setting_of(TASK, "AHOY_STOP_TIMEOUT_S", "24");
    let story = builder.begin().await;
    let stopped = story.stack.cloud.tasks()[0].id.clone();
    let caller = story.caller_after_greeting().await;
    let name = caller.call_ref();

    story.stack.cloud.stop_task(&stopped).expect("the task lives");
    caller.hears_to_the_end(&clips::agent_goodbye()).await;

    let after = caller.afterwards().await;
    assert_eq!((after.ending, after.at_meta), (Ending::Drained, sim_meta::Ending::Terminated), "{after:?}");
    assert_eq!(after.actions, [ActionName::PreAccept, ActionName::Accept, ActionName::Terminate]);
    has_left(&story, &stopped).await;
    assert!(after.event_names().contains(&"WA_CALL_USAGE".to_owned()), "{after:?}");
    assert!(story.calls.summary(&name).await.expect("the table can be read").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spot_warning_lets_the_call_finish_and_diverts_the_next() {
    let story = begin_with_two_tasks().await;
    let caller = story.greeted_caller().await;
    let interrupted = holder(&caller).await;

    story.stack.cloud.interrupt_spot(&interrupted).expect("the task lives");
    ready(&story, |ready| ready.iter().all(|lease| lease.task.as_str() != interrupted)).await;
    let next = story.greeted_caller().await;
    next.phone().hang_up().await;

    caller.hangs_up().await.was_ordinary();
    let after = next.afterwards().await;
    after.was_ordinary();
    assert_ne!(last_task_of(&after), interrupted);
    has_left(&story, &interrupted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_overflow_task_exits() {
    let builder = StoryBuilder::default().with_setting_of(TASK, "AHOY_SLOTS", "1");
    let story = builder.with_setting_of("call-control", "AHOY_LEAVE_AFTER_IDLE_S", "3").begin().await;
    let warm = story.stack.cloud.tasks()[0].id.clone();
    let first = story.greeted_caller().await;
    let second = story.greeted_caller().await;
    let overflow = holder(&second).await;
    assert_eq!(task(&story, &overflow).service, None);

    both_hang_up(first, second).await;
    has_left(&story, &overflow).await;
    assert_eq!(task(&story, &warm).last_status, LastStatus::Running);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wedged_task_is_unhealthy_until_it_goes_on() {
    let story = Story::begin().await;
    assert_eq!(story.checks_health().await.code, Some(0));

    let wedged = story.while_the_task_is_stopped(story.checks_health()).await;
    assert_eq!(wedged.code, Some(1), "{wedged:?}");
    assert!(wedged.stderr.contains("the media task did not answer within 2s"), "{wedged:?}");

    assert_eq!(story.checks_health().await.code, Some(0));
}

async fn begin_with_two_tasks() -> Story {
    let story = Story::begin().await;
    story.stack.cloud.scale(TASK, 2).expect("there is such a service");
    ready(&story, |ready| ready.len() == 2).await;
    story
}

/// The same program as a new revision.
fn deploy(story: &Story) {
    let changed = story.stack.cloud.deploy(TASK, |definition| {
        definition.env.insert("AHOY_SLOTS".to_owned(), "40".to_owned());
    });
    changed.expect("there is such a service");
}

/// The leases of those that take calls, once they are as wished.
async fn ready(story: &Story, wished: impl Fn(&[Lease]) -> bool) -> Vec<Lease> {
    let found = eventually(SOON, || async {
        let ready = story.stack.store.ready_tasks().await?;
        Ok(wished(&ready).then_some(ready))
    });
    found.await.expect("the table can be read").expect("the leases are as wished")
}

async fn both_hang_up(first: Caller<'_>, second: Caller<'_>) {
    for caller in [&first, &second] {
        caller.phone().hang_up().await;
    }
    first.afterwards().await.was_ordinary();
    second.afterwards().await.was_ordinary();
}

async fn holder(caller: &Caller<'_>) -> String {
    let journal = caller.journal().await;
    last_claim(&journal).expect("a call that is answered has a task").to_owned()
}

fn last_task_of(after: &Afterwards) -> &str {
    last_claim(&after.journal).expect("a call that is answered has a task")
}

/// The task that a call was taken to last: one that is slow to answer is passed over.
fn last_claim(journal: &[JournalEvent]) -> Option<&str> {
    entries!(journal, JournalEvent::Claimed { task, .. } => task.as_str()).pop()
}

fn task(story: &Story, id: &str) -> TaskStatus {
    story.stack.cloud.tasks().into_iter().find(|task| task.id == id).expect("there was such a task")
}

/// Waits until a task has ended by itself, as it should.
async fn has_left(story: &Story, id: &str) -> TaskStatus {
    let is_gone = |task: &TaskStatus| task.id == id && task.last_status == LastStatus::Stopped;
    let gone = story.stack.cloud.tasks_until(|tasks| tasks.iter().any(is_gone));
    let gone = tokio::time::timeout(SOON, gone).await.expect("the task leaves");
    let left = gone.into_iter().find(is_gone).expect("it was just found");
    assert_eq!(left.exit_code, Some(0), "{left:?}");
    left
}
