//! Releases that meet: functions are replaced at once, media tasks keep their calls for as long as those last.

use call::Ending;
use harness::{Story, StoryBuilder, entries, using};
use journal::JournalEvent as Happened;
use local::root;
use sim_audio::clips;
use sim_meta::{Event, InjectedFault, ObservationKind};

/// Today's functions drive a media task of the previous release, which the file `previous-release` names and
/// `scripts/previous-release.sh` builds.
#[tokio::test(flavor = "multi_thread")]
async fn todays_functions_drive_a_media_task_of_the_previous_release() {
    let story = with_the_previous_media_task().await;
    let caller = story.ring().await;
    caller.talks().await;

    let after = caller.hangs_up().await;

    after.was_ordinary();
    assert!(after.was_held_once(), "{after:?}");
}

/// Such a task never looks for another key: call-control still has the one before.
#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_signing_key_still_works_with_the_previous_release() {
    let story = with_the_previous_media_task().await;
    let mut secret = story.stack.secrets["media"].clone();
    secret["previous_door_key"] = secret["door_key"].take();
    secret["door_key"] = "a new door key".into();
    // Before call-control has started: it begins with the new one.
    story.stack.cloud.rotate_secret("media", secret.to_string());

    let caller = story.greeted_caller().await;

    assert_eq!(caller.hangs_up().await.ending, Ending::CallerHungUp);
}

/// Such a task has no way to hear of a message that failed: it says 404, and the call goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_message_costs_a_call_at_the_previous_release_nothing() {
    let script = using("send_whatsapp_message", r#"{"text":"Station Road 4"}"#, clips::agent_closing());
    let story = with_the_previous_media_task_in(StoryBuilder::default().scripted(script)).await;
    let caller = story.ring_with_faults(&[InjectedFault::MessageFails]).await;
    caller.hears_the_greeting().await;
    caller.asks(&clips::caller_directions(), &clips::agent_closing()).await;
    let told = ObservationKind::WebhookAnswered { event: Event::Message, status: Some(200) };
    story.observes(caller.id(), |seen| *seen == told).await;

    let after = caller.hangs_up().await;

    assert_eq!((after.ending, after.messages), (Ending::CallerHungUp, 1));
    assert_eq!(entries!(after.journal, Happened::MessageFailed { .. } => ()).len(), 1);
    assert_eq!(story.logs_with("cannot tell the agent that its message failed"), [""; 0]);
}

async fn with_the_previous_media_task() -> Story {
    with_the_previous_media_task_in(StoryBuilder::default()).await
}

async fn with_the_previous_media_task_in(builder: StoryBuilder) -> Story {
    let previous = root().join("target/previous/media-task");
    assert!(previous.exists(), "make test builds it, and so does scripts/previous-release.sh");
    // It asks `gpt-transcribe` for a `language`, which the simulated model refuses: its calls do without words in writing.
    let builder = builder.with_agent_also("\n[model]\ntranscription = false\n");
    builder.replacing("media-task", previous).begin().await
}
