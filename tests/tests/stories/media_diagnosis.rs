//! Everything that can be wrong with a call's media is provoked, and the doctor names it: that, and nothing else.

use call::{CallRef, Ending};
use harness::story::{folder, programs};
use harness::{Afterwards, Caller, Story, StoryBuilder, TestbedConfig, entries};
use journal::JournalEvent;
use media_diagnosis::Diagnosis;
use sim_audio::clips;
use sim_meta::InjectedFault;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_call_has_no_verdict() {
    let story = Story::begin().await;
    let caller = story.ring().await;
    let name = caller.call_ref();
    caller.talks().await;

    let after = caller.hangs_up().await;

    assert_eq!((after.ending, after.verdicts()), (Ending::CallerHungUp, vec![]));
    assert_eq!(summed_up(&story, &name).await, None);
}

/// A story for each fault that is diagnosed while it rings.
macro_rules! known_while_it_rings {
    ($($name:ident: $fault:ident, $diagnosis:ident;)*) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            let after = rings_until_it_is_known(StoryBuilder::default(), InjectedFault::$fault).await;

            assert_eq!(after.verdicts(), [Diagnosis::$diagnosis.as_str()]);
        })*
    };
}

known_while_it_rings! {
    a_relay_that_answers_no_check: IceNever, NoStunAnswer;
    a_relay_that_wants_to_control: RoleConflict, RoleConflict;
    a_closed_port: RelayClosed, PortBlocked;
    an_unanswered_handshake: DtlsNever, DtlsNever;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_address_in_our_answer_is_known_while_it_rings() {
    let builder = StoryBuilder::default().with_setting_of("media-task", "AHOY_PUBLIC_IP", "10.255.255.1");

    let after = rings_until_it_is_known(builder, InjectedFault::AdvertisedOnly).await;

    assert_eq!(after.verdicts(), [Diagnosis::CandidateUnreachable.as_str()]);
    assert!(evidence(&after).contains("10.255.255.1, a private address"), "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_early_hangup_reports_what_was_still_missing() {
    let story = StoryBuilder::default().ringing_for(3).begin().await;
    let caller = story.ring_with_faults(&[InjectedFault::IceNever]).await;
    let name = caller.call_ref();

    let after = caller.afterwards().await;

    assert_eq!(after.ending, Ending::MediaNeverConnected);
    assert_eq!(after.verdicts(), [Diagnosis::NoStunAnswer.as_str()]);
    assert_eq!(summed_up(&story, &name).await.as_deref(), Some(Diagnosis::NoStunAnswer.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_sends_no_audio_is_diagnosed_and_stays_connected() {
    let story = Story::begin().await;
    let caller = story.ring_with_faults(&[InjectedFault::SilentCaller]).await;
    caller.is_greeted().await;
    is_known(&story, &caller).await;

    let after = caller.hangs_up().await;

    assert_eq!((after.ending, after.verdicts()), (Ending::CallerHungUp, vec![Diagnosis::NoRtpIn.as_str()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unnegotiated_payload_type_is_diagnosed() {
    let story = Story::begin().await;
    let caller = story.ring_with_faults(&[InjectedFault::WrongPayload]).await;
    caller.is_greeted().await;
    is_known(&story, &caller).await;

    let after = caller.hangs_up().await;

    assert_eq!(after.verdicts(), [Diagnosis::WrongPayload.as_str()]);
    assert!(evidence(&after).contains("payload type 0, and none with 111"), "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_muted_caller_is_reported_once_and_the_call_goes_on() {
    let story = Story::begin().await;
    let caller = story.caller_after_greeting().await;
    caller.phone().mute();
    is_known(&story, &caller).await;
    caller.phone().unmute();
    caller.asks(&clips::caller_question(), &clips::agent_answer()).await;

    let after = caller.hangs_up().await;

    assert_eq!(after.ending, Ending::CallerHungUp);
    assert_eq!(after.verdicts(), [Diagnosis::CallerMuted.as_str()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_meta_ends_for_want_of_our_sound_says_so() {
    let story = Story::begin().await;
    let caller = story.ring_with_faults(&[InjectedFault::AgentUnheard]).await;
    caller.is_picked_up().await;
    // The caller can be heard: nothing else is wrong.
    caller.says(&clips::caller_question()).await;

    let after = caller.afterwards().await;

    assert_eq!(after.ending, Ending::MediaFailed);
    assert_eq!(after.verdicts(), [Diagnosis::OurRtpNotReaching.as_str()]);
    assert!(evidence(&after).contains("138021"), "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_starved_task_is_detected_and_continues() {
    let story = Story::begin().await;
    let caller = story.caller_after_greeting().await;
    story.stops_the_task_for(Duration::from_secs(2)).await;
    is_known(&story, &caller).await;
    caller.asks(&clips::caller_question(), &clips::agent_answer()).await;

    let after = caller.hangs_up().await;

    assert_eq!(after.ending, Ending::CallerHungUp);
    assert_eq!(after.verdicts(), [Diagnosis::ClockStalled.as_str()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_that_goes_wrong_prints_verdict_evidence_and_cure() {
    let mut config = TestbedConfig { ring_seconds: Some(5), ..TestbedConfig::rehearsal(folder()) };
    config.inject("dtls-never".parse().expect("there is such a fault"));

    let outcome = config.rehearse(&programs().await).await.expect("there can be a rehearsal");

    let printed = outcome.to_string();
    assert!(!outcome.is_right());
    assert!(printed.contains("  why    dtls_never: STUN checks have been answered for "), "{printed}");
    assert!(printed.contains(&format!("  cure   {}", Diagnosis::DtlsNever.cure())), "{printed}");
}

/// A call of which the doctor knows what is wrong long before its ring time is over; then the caller gives up.
async fn rings_until_it_is_known(builder: StoryBuilder, fault: InjectedFault) -> Afterwards {
    let story = builder.begin().await;
    let caller = story.ring_with_faults(&[fault]).await;
    is_known(&story, &caller).await;
    let after = caller.hangs_up().await;
    assert_eq!(after.ending, Ending::CallerGaveUp, "it rang until then");
    after
}

async fn is_known(story: &Story, caller: &Caller<'_>) {
    caller.waits_for(story, |event| matches!(event, JournalEvent::MediaVerdict { .. })).await;
}

fn evidence(after: &Afterwards) -> &str {
    entries!(after.journal, JournalEvent::MediaVerdict { evidence, .. } => evidence.as_str())[0]
}

/// What the call's summary says was wrong.
async fn summed_up(story: &Story, call_ref: &CallRef) -> Option<String> {
    let summary = story.calls.summary(call_ref).await.expect("the table can be read");
    summary.expect("the call was summed up").verdict
}
