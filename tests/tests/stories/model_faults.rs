//! Injected faults of the model.

use call::Ending;
use harness::{StoryBuilder, entries, looking_up, monologue_of};
use journal::JournalEvent as Happened;
use sim_audio::clips;
use sim_meta::{ActionName, Ending as AtMeta};
use sim_openai::{InjectedFault, Reply, Script};
use std::mem::discriminant;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

/// A story for each fault, by its name: what comes of it.
macro_rules! stories {
    ($($name:ident: $fault:literal, $story:ident;)*) => {
        const TOLD: &[&str] = &[$($fault),*];

        $(#[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            $story($fault).await;
        })*
    };
}

stories! {
    never_answers: "never-answers", is_never_accepted;
    no_session: "no-session", is_never_accepted_in_its_ring_time;
    refuses_key: "refuses-key", is_never_accepted;
    quota_exhausted: "quota-exhausted", is_never_accepted;
    drops_session: "drops-session:5", goes_on_in_another_session;
    goes_silent: "goes-silent:60", goes_on_in_another_session;
    expires: "expires:6", goes_on_in_another_session;
    deaf: "deaf", hears_the_caller_in_another_session;
    stalls: "stalls:60", goes_on;
    server_error: "server-error", goes_on;
    rate_limited: "rate-limited", goes_on;
    rate_limited_thrice: "rate-limited-thrice", goes_on;
    drops_then_refuses: "drops-then-refuses:30", is_ended_with_an_apology;
    quota_mid_call: "quota-mid-call:30", is_ended_with_an_apology;
    ignores_create: "ignores-create", asks_again;
    splits_samples: "splits-samples", goes_on;
    transcription_fails: "transcription-fails", goes_on;
    writes: "writes:1", goes_on;
    says_nothing: "says-nothing:2", goes_on_in_another_session;
    runs_out: "runs-out:20", goes_on;
    filters: "filters", goes_on;
    cuts_calls: "cuts-calls", asks_again;
    mute: "mute", is_never_accepted;
    mute_asides: "mute-asides", ends_without_a_goodbye;
}

#[test]
fn every_fault_has_its_story() {
    let told: Vec<InjectedFault> =
        TOLD.iter().map(|name| name.parse().expect("there is such a fault")).collect();
    let is_told = |fault: &&InjectedFault| told.iter().any(|told| discriminant(told) == discriminant(*fault));
    assert_eq!(InjectedFault::ALL.iter().find(|fault| !is_told(fault)), None);
}

async fn is_never_accepted(fault: &str) {
    never_accepted(StoryBuilder::with_fault(fault)).await;
}

async fn is_never_accepted_in_its_ring_time(fault: &str) {
    never_accepted(StoryBuilder::with_fault(fault).ringing_for(3)).await;
}

async fn never_accepted(builder: StoryBuilder) {
    let story = builder.begin().await;
    let after = story.ring().await.afterwards().await;

    assert_eq!((after.ending, after.at_meta), (Ending::AgentUnavailable, AtMeta::Terminated));
    assert_eq!(after.actions, [ActionName::PreAccept, ActionName::Terminate]);
    assert!(after.assignments == 1 && after.messages == 1, "{after:?}");
}

async fn is_ended_with_an_apology(fault: &str) {
    let story = StoryBuilder::with_fault(fault).begin().await;
    let caller = story.caller_after_greeting().await;
    caller.says(&clips::caller_question()).await;

    let after = caller.afterwards().await;

    assert_eq!((after.ending, after.at_meta), (Ending::AgentUnavailable, AtMeta::Terminated));
    assert_eq!(after.actions, [ActionName::PreAccept, ActionName::Accept, ActionName::Terminate]);
    assert!(after.assignments == 1 && after.messages == 1, "{after:?}");
}

async fn goes_on_in_another_session(fault: &str) {
    assert_eq!(is_answered_twice(fault, true).await, 2, "connections");
}

async fn goes_on(fault: &str) {
    assert_eq!(is_answered_twice(fault, false).await, 1, "connections");
}

/// The model hears nothing of a caller who speaks for long, and asks no one whether they are there.
async fn hears_the_caller_in_another_session(fault: &str) {
    let story = StoryBuilder::with_fault(fault).with_agent_also("\n[limits]\nsilence_s = 7\n").begin().await;
    let caller = story.caller_after_greeting().await;

    caller.says(&monologue_of(14)).await;
    caller.hears(&clips::agent_answer()).await;

    let after = caller.hangs_up().await;
    assert_eq!(entries!(after.journal, Happened::SessionLost { reason } => reason), ["deaf"], "{after:?}");
    assert_eq!(entries!(after.journal, Happened::Nudged { .. } => ()), [], "{after:?}");
    assert_eq!(story.model_faults(), [""; 0]);
}

/// Whatever goes wrong at first, the caller is greeted once, and answered. How often the model was connected to.
async fn is_answered_twice(fault: &str, is_replaced: bool) -> usize {
    let script = Script::new(
        Reply::speech(clips::agent_greeting()),
        [clips::agent_long(), clips::agent_answer()].map(Reply::speech),
    );
    let story = StoryBuilder::with_fault(fault).scripted(script).begin().await;
    let caller = story.greeted_caller().await;
    caller.phone().agent_falls_silent(SOON).await.expect("the greeting comes to an end");
    caller.says(&clips::caller_directions()).await;
    if is_replaced {
        caller.waits_for(&story, |event| matches!(event, Happened::SessionRestored { .. })).await;
    }
    caller.phone().agent_speaks(SOON).await.expect("the agent answers");
    caller.phone().agent_falls_silent(SOON).await.expect("the agent comes to an end");

    caller.asks(&clips::caller_question(), &clips::agent_answer()).await;

    assert!(caller.times_heard(&clips::agent_greeting()) <= 1, "the caller is greeted once");
    let after = caller.hangs_up().await;
    after.was_ordinary();
    assert_eq!(after.assignments, 1, "{after:?}");
    after.connections
}

/// The model was to speak about what a tool found, and took no notice.
async fn asks_again(fault: &str) {
    let story =
        StoryBuilder::with_fault(fault).scripted(looking_up("427", clips::agent_order())).begin().await;
    let caller = story.caller_after_greeting().await;
    caller.asks(&clips::caller_order(), &clips::agent_moment()).await;

    caller.hears(&clips::agent_order()).await;

    assert_eq!(caller.hangs_up().await.ending, Ending::CallerHungUp);
}

/// The goodbye of a call that may last no longer comes without a sound, twice.
async fn ends_without_a_goodbye(fault: &str) {
    let script =
        Script::about_bikes().aside("Thank you for your call", Reply::speech(clips::agent_goodbye()));
    let builder =
        StoryBuilder::with_fault(fault).scripted(script).with_agent_also("\n[limits]\nlongest_s = 15\n");
    let story = builder.begin().await;
    let caller = story.ring().await;
    caller.talks().await;

    let after = caller.afterwards().await;

    assert_eq!((after.ending, after.at_meta), (Ending::TookTooLong, AtMeta::Terminated));
    let asked = entries!(after.journal, Happened::ResponseLacking { purpose, then, .. } if purpose == "asked" => then);
    assert_eq!(asked, ["asked_again", "done"]);
    let lasted = entries!(after.journal, Happened::Ended { lasted_ms, .. } => *lasted_ms);
    // The call does not wait 15 s more for words that will not come.
    assert!((15_000..20_000).contains(&lasted[0]), "{lasted:?}");
}
