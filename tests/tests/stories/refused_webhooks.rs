//! Webhooks that are not Meta's, and calls that are not for us.

use call::Ending;
use harness::raw_webhook::{RawWebhook, client};
use harness::{Caller, Story};
use journal::JournalEvent;
use sim_meta::{ActionName, Ending as AtMeta, ObservationKind};

const NO_OPUS: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE audio\r\n\
    m=audio 3480 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 127.0.0.1\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n\
    a=fingerprint:sha-256 00:00\r\na=setup:actpass\r\na=mid:audio\r\na=rtcp-mux\r\na=rtpmap:0 PCMU/8000\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_meta_did_not_sign_leaves_no_trace() {
    let story = Story::begin().await;
    let connect = RawWebhook::connect("wacid.A", "v=0\r\n");

    assert_eq!(connect.clone().forged().post(&story).await, 401);
    assert_eq!(connect.unsigned().post(&story).await, 401);

    assert_eq!(story.stored_calls().await, [""; 0]);
    assert!(story.call_control_was_left_alone());
    assert_eq!(story.model.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_webhook_is_refused_by_its_status() {
    let story = Story::begin().await;
    let query = "hub.mode=subscribe&hub.challenge=1&hub.verify_token=wrong";
    let verify = client().get(format!("{}?{query}", story.webhook_url())).send();
    let put = client().put(story.webhook_url()).send();

    assert_eq!(verify.await.expect("the webhook answers").status(), 403);
    assert_eq!(put.await.expect("the webhook answers").status(), 405);
    assert_eq!(RawWebhook::signed("no JSON").post(&story).await, 400);
    assert_eq!(story.stored_calls().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_for_another_number_is_recorded_and_not_answered() {
    let story = Story::begin().await;
    let caller = story.ring_but_tell(|call| RawWebhook::connect_to("330000000000003", call, "v=0\r\n")).await;

    assert!(
        matches!(&caller.journal().await[..], [JournalEvent::NotOurs { number }] if number.as_str() == "330000000000003")
    );
    assert_eq!(story.calls.call(&caller.call_ref()).await.expect("the table can be read"), None);
    assert!(story.call_control_was_left_alone());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_without_opus_is_rejected_and_the_next_call_works() {
    an_unanswerable_offer_costs_one_call(NO_OPUS, "the offer has no Opus").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_sdp_offer_is_rejected_and_the_next_call_works() {
    an_unanswerable_offer_costs_one_call("\u{0}hello", "the offer is not SDP").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connect_that_comes_after_the_end_is_not_answered() {
    let story = Story::begin().await;
    let caller = story.ring_but_tell(RawWebhook::terminate).await;
    let late = ObservationKind::WebhookAnswered { event: sim_meta::Event::Connect, status: Some(200) };
    story.observes(caller.id(), |seen| *seen == late).await;
    story.nothing_is_due().await;

    assert_eq!(story.calls.call(&caller.call_ref()).await.expect("the table can be read"), None);
    assert_eq!(caller.actions(), []);
    assert_eq!((story.model.connections(), story.meta.messages().len()), (0, 0));
}

async fn an_unanswerable_offer_costs_one_call(offer: &str, why: &str) {
    let story = Story::begin().await;
    let task = story.media_task_pid();
    let after = story.ring_but_tell(|call| RawWebhook::connect(call, offer)).await.afterwards().await;

    assert_eq!((after.ending, after.at_meta), (Ending::OfferUnanswerable, AtMeta::Rejected));
    assert_eq!((after.actions, after.messages), (vec![ActionName::Reject], 1));
    let unanswerable = JournalEvent::OfferUnanswerable { reason: why.to_owned() };
    assert!(after.journal.contains(&unanswerable), "{:?}", after.journal);

    let next: Caller<'_> = story.ring().await;
    next.is_greeted().await;
    assert_eq!(next.hangs_up().await.ending, Ending::CallerHungUp);
    assert_eq!(story.media_task_pid(), task);
}
