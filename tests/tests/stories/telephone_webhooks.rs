//! OpenAI's webhooks about telephone calls: in every form, late, repeated, forged, about numbers that are not ours, and by trunks that are not.

use super::telephone::story;
use call::Ending;
use harness::raw_openai_event::RawOpenAiEvent;
use harness::telephone::{CALLER, DIALLED, TRUNK_KEY, TelephoneLine, WEBHOOK_SECRET, spec};
use harness::{AfterTelephone, Story, TelephoneCaller};
use journal::JournalEvent as Happened;
use serde_json::json;
use sim_openai::sip::{CallSpec, CarrierEventKind, SipFault, WebhookEndpoint};
use std::time::Duration;

/// The secret with which OpenAI signs after a rotation.
const NEW_SECRET: &str = "whsec_YWhveS1uZXctLXNlY3JldC0wMTIzNDU2Nzg5YWJjZGVm";

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_one_call_however_its_webhooks_come() {
    let story = story().begin().await;
    let faults = [
        SipFault::TestEvent,
        SipFault::OtherEvents,
        SipFault::WebhookTwice,
        SipFault::WebhookAgain,
        SipFault::WebhookLost,
        SipFault::NewFields,
        SipFault::OddHeaders,
        SipFault::PlainRtp,
    ];

    for two in faults.chunks(2) {
        let [one, other] = two else { panic!("an even number of faults") };
        let (one, other) = tokio::join!(is_a_short_call(&story, *one), is_a_short_call(&story, *other));
        [one, other].iter().for_each(AfterTelephone::was_ordinary);
    }

    let mut calls = story.stored_calls().await;
    calls.sort();
    calls.dedup();
    assert_eq!(calls.len(), faults.len(), "events of no call are recorded as none");
}

/// A call that is answered, is one call in the journal, and was announced until that was taken.
async fn is_a_short_call(story: &Story, fault: SipFault) -> AfterTelephone {
    let caller = story.dial_with(fault);
    caller.is_greeted().await;
    let deliveries = if matches!(fault, SipFault::WebhookTwice | SipFault::WebhookAgain) { 2 } else { 1 };
    story.comes_to(|| caller.phone().report().deliveries.len() == deliveries).await;
    let after = caller.hangs_up().await;
    assert_eq!(after.webhooks(), vec![Some(200); deliveries], "{fault:?}: {after:?}");
    assert_eq!(after.count(|event| matches!(event, Happened::Connect { .. })), 1, "{fault:?}: {after:?}");
    assert_eq!(after.assignments(), 1, "{fault:?}: {after:?}");
    after
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_withholds_the_number_is_answered() {
    let story = story().begin().await;
    let caller = story.dial_with(SipFault::Withheld);
    caller.is_greeted().await;

    let record = caller.stored().await.expect("the call is recorded");

    assert_eq!((record.caller_number, record.caller_user_id), (None, None));
    caller.hangs_up().await.was_ordinary();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_an_hour_ago_is_recorded_only() {
    let story = story().begin().await;
    let caller = story.dial_with(SipFault::Stale);

    caller.waits_for(|event| matches!(event, Happened::Stale { late_ms: 3_590_000.., .. })).await;

    was_left_alone(&story, &caller).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_not_ours_is_recorded_and_left_alone() {
    let builder = story().with_model(|model| model.sip.decision_window = Duration::from_secs(1));
    let story = builder.begin().await;
    let elsewhere = CallSpec::new(CALLER, "+35621999977").header("X-Ahoy-Key", TRUNK_KEY);
    let caller = story.dial_as(elsewhere);

    assert_eq!(caller.is_cut_off().await, CarrierEventKind::BadRequest, "OpenAI's decision, and not ours");

    let journal = caller.journal().await;
    assert!(
        matches!(&journal[..], [Happened::NotOurs { number }] if number.as_str() == "…77"),
        "{journal:?}"
    );
    was_left_alone(&story, &caller).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_over_is_not_revived_by_another_delivery() {
    let story = story().begin().await;
    let caller = story.dial();
    caller.is_greeted().await;
    let call = caller.phone().clone();
    let before = caller.hangs_up().await;
    let invoked = story.stack.cloud.requests()["lambda.Invoke"];

    for delivery in ["wh_again", "wh_again", "wh_once_more"] {
        assert_eq!(RawOpenAiEvent::incoming(&call.id(), delivery).post(&story).await, 200);
    }

    story.nothing_is_due().await;
    assert_eq!(story.stack.cloud.requests()["lambda.Invoke"], invoked);
    assert_eq!(call.report().requests, before.report.requests);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_openai_did_not_sign_leaves_no_trace() {
    let story = story().begin().await;
    let event = RawOpenAiEvent::incoming("rtc_u1_0123456789abcdef", "wh_forged");

    assert_eq!(event.clone().forged().post(&story).await, 401);

    assert_eq!(story.stored_calls().await, [""; 0]);
    assert!(story.call_control_was_left_alone());
    assert_eq!(event.post(&story).await, 200, "it was the signature");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_live_trunk_key_opens_the_line() {
    let story = story().begin().await;
    // The webhook is warm when the key is rotated, and looks for another one once a minute.
    is_rejected(&story, CallSpec::new(CALLER, DIALLED)).await;
    is_answered(&story, spec()).await;
    rotate(&story, json!({"sip_trunk_key": "a new trunk key", "sip_trunk_key_old": TRUNK_KEY}));

    is_answered(&story, spec_with("a new trunk key")).await;
    is_answered(&story, spec()).await;
    is_rejected(&story, spec_with("forged key")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_configured_trunk_key_only_an_open_line_answers() {
    let keyless = || story().with_telephone_as(TelephoneLine { trunk_key: String::new() });
    let open = keyless().beside("open").with_setting_of("webhook", "AHOY_SIP_OPEN", "yes");
    let (closed, open) = tokio::join!(keyless().beside("closed").begin(), open.begin());

    tokio::join!(is_rejected(&closed, spec()), is_answered(&open, CallSpec::new(CALLER, DIALLED)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_secret_is_rotated_without_losing_a_call() {
    let story = story().begin().await;
    is_answered(&story, spec()).await;

    // For a day OpenAI signs with both.
    signs_with(&story, |endpoint| endpoint.with_old_secret(WEBHOOK_SECRET));
    is_answered(&story, spec()).await;
    let secrets = json!({"openai_webhook_secret": NEW_SECRET, "openai_webhook_secret_old": WEBHOOK_SECRET});
    rotate(&story, secrets);
    is_answered(&story, spec()).await;
    signs_with(&story, |endpoint| endpoint);

    is_answered(&story, spec()).await;
}

async fn is_answered(story: &Story, spec: CallSpec) {
    let caller = story.dial_as(spec);
    caller.is_greeted().await;
    caller.hangs_up().await.was_ordinary();
}

async fn is_rejected(story: &Story, spec: CallSpec) {
    let caller = story.dial_as(spec);
    let record = caller.comes_to(|record| record.call.has_ended()).await;
    assert_eq!(record.caller_number, None, "the headers of such a call count for nothing");
    caller.afterwards().await.was_rejected(Ending::Untrusted, 403);
}

/// There is no call, and OpenAI was asked for nothing.
async fn was_left_alone(story: &Story, caller: &TelephoneCaller<'_>) {
    story.nothing_is_due().await;
    assert_eq!(caller.stored().await, None);
    assert_eq!(caller.phone().report().requests, []);
    assert!(story.call_control_was_left_alone());
}

fn spec_with(key: &str) -> CallSpec {
    CallSpec::new(CALLER, DIALLED).header("X-Ahoy-Key", key)
}

/// Puts a new value into the line's secret, with these changes.
fn rotate(story: &Story, changes: serde_json::Value) {
    let mut value = story.stack.secrets["line"].clone();
    let (Some(fields), Some(changes)) = (value.as_object_mut(), changes.as_object()) else {
        panic!("a secret is an object")
    };
    fields.extend(changes.clone());
    story.stack.cloud.rotate_secret("line", value.to_string());
}

/// Has OpenAI sign with the new secret, and whatever `more` adds.
fn signs_with(story: &Story, more: impl FnOnce(WebhookEndpoint) -> WebhookEndpoint) {
    let url = format!("{}openai", story.stack.cloud.function_url("webhook"));
    let endpoint = more(WebhookEndpoint::on_loopback(url, NEW_SECRET));
    story.model.trunk().set_endpoints(vec![endpoint]).expect("it is on loopback");
}
