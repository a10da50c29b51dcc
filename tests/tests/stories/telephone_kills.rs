//! A process dies in a telephone call: OpenAI carries the sound, so the call goes on.

use super::telephone::{story, takes_leave};
use call::Ending;
use harness::{Story, TelephoneCaller, looks_up};
use journal::JournalEvent as Happened;
use sim_audio::clips;
use sim_aws::{KillMoment, KillPoint, Step};
use sim_openai::sip::{Action, CallReport, SocketEventKind};
use sim_openai::{Reply, Script};
use std::time::{Duration, Instant};

const TASK: &str = "media-task";

/// How soon another task has a call whose task has died.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn a_redelivery_gets_a_call_answered_though_the_webhook_died() {
    let story = story().begin().await;
    let kill = kill_the_webhook_once_it_has_recorded(&story);

    let caller = story.dial();

    let rang = caller.is_answered().await;
    assert!(kill.was_hit() && rang < Duration::from_secs(4), "{rang:?}");
    caller.is_greeted().await;
    let after = caller.hangs_up().await;
    after.was_ordinary();
    assert_eq!((after.webhooks(), after.assignments()), (vec![Some(502), Some(200)], 1), "{after:?}");
    assert_eq!(after.count(|event| matches!(event, Happened::Connect { .. })), 1, "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_redelivered_after_its_ring_time_is_rejected() {
    let builder = story().with_model(|model| model.sip.first_retry = Duration::from_millis(6_500));
    let story = builder.begin().await;
    let kill = kill_the_webhook_once_it_has_recorded(&story);

    // No heartbeat takes the call up meanwhile.
    let after = story.while_the_task_is_stopped(async { story.dial().afterwards().await }).await;

    assert!(kill.was_hit());
    after.was_rejected(Ending::NoCapacity, 503);
    assert_eq!(after.assignments(), 0, "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_accepted_once_though_call_control_dies_after_the_accept() {
    let story = story().begin().await;
    let kill = story.kill_call_control_after_asking(Action::Accept);

    let caller = story.dialled_and_greeted().await;

    assert!(kill.has_happened());
    let greetings = caller.times_heard(&clips::agent_greeting());
    let after = caller.hangs_up().await;
    after.was_ordinary();
    assert_eq!((greetings, after.assignments(), after.report.sockets_attached()), (1, 1, 1), "{after:?}");
    assert_eq!(after.accepts(), [200, 400], "the second one is told that it was decided");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_hung_up_though_call_control_dies_after_the_hangup() {
    let script = Script::new(Reply::speech(clips::agent_greeting()), [takes_leave()]);
    let story = story().scripted(script).begin().await;
    let kill = story.kill_call_control_after_asking(Action::Hangup);
    let caller = story.dialled_and_greeted().await;

    caller.phone().say(&clips::caller_thanks());

    let after = caller.afterwards().await;
    assert!(kill.has_happened());
    after.was_hung_up(Ending::AgentSaidGoodbye);
    assert_eq!(after.count(|event| matches!(event, Happened::Ended { .. })), 1, "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_task_takes_a_call_over_or_it_is_hung_up() {
    let script = Script::new(
        Reply::speech(clips::agent_greeting()),
        [looks_up("427", clips::agent_order()), takes_leave()],
    );
    let story = story().scripted(script).begin().await;
    two_tasks_and_no_more(&story).await;

    is_taken_over(&story).await;
    is_hung_up_without_a_task(&story).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_was_not_greeted_is_greeted_by_the_next_task() {
    let late = Duration::from_secs(3);
    let late_session =
        story().with_model(move |model| model.sip.sideband_opens = late..late + Duration::from_millis(1));
    let story = late_session.begin().await;
    two_tasks_and_no_more(&story).await;
    let caller = story.dial();
    caller.is_answered().await;

    kill_holder(&story, &caller).await;

    caller.hears(&clips::agent_greeting()).await;
    let greetings = caller.times_heard(&clips::agent_greeting());
    let after = caller.hangs_up().await;
    after.was_ordinary();
    assert_eq!((greetings, after.assignments(), after.report.sockets_attached()), (1, 2, 1), "{after:?}");
}

/// The task dies while it greets.
async fn is_taken_over(story: &Story) {
    let caller = story.dial();
    caller.is_greeted().await;
    let died_at = kill_holder(story, &caller).await;
    let attached = |report: &CallReport| {
        let mut attached = report.sockets.iter().filter(|socket| socket.kind == SocketEventKind::Attached);
        attached.nth(1).map(|socket| socket.at)
    };
    let attached_at = caller.phone().wait_until("another sideband", TAKEN_OVER_WITHIN, attached).await;
    let took = attached_at.expect("another task attaches") - died_at;
    assert!(took < TAKEN_OVER_WITHIN, "{took:?}");

    caller.hears(&clips::agent_greeting()).await;
    caller.asks(&clips::caller_order(), &clips::agent_order()).await;
    caller.phone().say(&clips::caller_thanks());
    caller.is_cut_off().await;

    assert!(caller.has_heard(&clips::agent_goodbye()));
    assert_eq!(caller.times_heard(&clips::agent_greeting()), 1);
    let after = caller.afterwards().await;
    after.was_hung_up(Ending::AgentSaidGoodbye);
    assert_eq!((after.assignments(), after.accepts()), (2, vec![200]), "{after:?}");
    assert_eq!(after.tools(), ["lookup_order: done", "end_call: done"], "{after:?}");
    assert_eq!(story.business.asked(), ["427"]);
}

/// The last task dies.
async fn is_hung_up_without_a_task(story: &Story) {
    let caller = story.dial();
    caller.is_greeted().await;
    let died_at = kill_holder(story, &caller).await;

    let over = caller.phone().over(Duration::from_secs(20)).await.expect("call-control hangs up");

    let took = over.at - died_at;
    assert!((Duration::from_secs(8)..Duration::from_secs(14)).contains(&took), "{took:?}");
    let after = caller.afterwards().await;
    after.was_hung_up(Ending::Lost);
    assert_eq!(after.count(|event| matches!(event, Happened::Lost { .. })), 1, "{after:?}");
}

async fn kill_holder(story: &Story, caller: &TelephoneCaller<'_>) -> Instant {
    let holder = caller.holder().await;
    let died_at = Instant::now();
    story.stack.cloud.kill_task(&holder).await.expect("the task lives");
    died_at
}

/// Starts a second task; none is started in place of one that dies.
async fn two_tasks_and_no_more(story: &Story) {
    story.stack.cloud.scale(TASK, 2).expect("there is such a service");
    let both = async || story.stack.store.ready_tasks().await.expect("the table can be read").len() == 2;
    story.until_it_is_so(both).await;
    let never = Duration::from_secs(600);
    story.stack.cloud.faults().start_delay(TASK, never).expect("there is such a service");
}

/// The webhook dies before it has invoked call-control.
fn kill_the_webhook_once_it_has_recorded(story: &Story) -> KillPoint {
    let recorded = Step::Action("dynamodb.TransactWriteItems".to_owned());
    let kill = story.stack.cloud.kill_function_after("webhook", recorded, KillMoment::TookEffect);
    kill.expect("there is such a function")
}
