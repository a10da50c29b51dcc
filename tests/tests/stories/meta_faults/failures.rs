//! Messages that Meta refuses or fails to deliver, and an end with an error that is not media's.

use super::{SOON, is_told};
use call::Ending;
use harness::raw_webhook::RawWebhook;
use harness::{Story, StoryBuilder, entries};
use journal::JournalEvent as Happened;
use sim_meta::{ActionName, Event, InjectedFault};

/// The call of `fixtures/whatsapp`.
const FIXTURES_CALL: &str =
    "wacid.HBgMOTE5OTAwMDAwMDAxFQIAEhggM0Y5QTFDN0U1QjJENDg2MEExQjJDM0Q0RTVGNjA3MTgcGAsxNTU1MDAwMTExMRUCAA==";

#[tokio::test(flavor = "multi_thread")]
async fn an_end_with_an_error_that_is_not_medias_is_not_medias() {
    let story = Story::begin().await;
    let caller = story.greeted_caller().await;
    let over =
        RawWebhook::fixture("terminate-with-an-error-that-is-not-media", &[(FIXTURES_CALL, caller.id())]);

    assert_eq!(over.post(&story).await, 200);
    let ended = story.calls.call_until(&caller.call_ref(), SOON, |record| record.call.has_ended()).await;

    let ended = ended.expect("the call ends").call.ending();
    let after = caller.hangs_up().await;
    assert_eq!((ended, after.ending), (Some(Ending::MetaRefused), Ending::MetaRefused));
    assert_eq!((&after.actions[..], after.messages), (&[ActionName::PreAccept, ActionName::Accept][..], 1));
}

/// The message to a caller who cannot be served is refused: it is not sent again, and the journal says why.
pub(super) async fn hears_no_more_than_that_it_could_not_be_sent(fault: InjectedFault) {
    let story = StoryBuilder::with_fault("quota-exhausted").begin().await;
    let after = story.ring_with_faults(&[fault]).await.afterwards().await;

    let codes = entries!(after.journal, Happened::MetaTrouble { code, cure, .. } => (*code, cure.is_empty()));
    let unpaid = fault == InjectedFault::MessageUnpaid;
    let expected = if unpaid { (131_042, false) } else { (131_056, true) };
    assert_eq!(codes, [expected]);
    assert_eq!((after.ending, after.messages), (Ending::AgentUnavailable, 0));
}

/// Meta answers that it did not send the message to a caller who cannot be served, for now: it is sent again.
pub(super) async fn is_written_to_at_the_second_try(fault: InjectedFault) {
    let story = StoryBuilder::with_fault("quota-exhausted").begin().await;
    let caller = story.ring_with_faults(&[fault]).await;
    // It counts as done before it is sent, so the call may settle before.
    caller.waits_for(&story, |event| matches!(event, Happened::CallerTold { .. })).await;
    let after = caller.afterwards().await;

    let troubles = entries!(after.journal, Happened::MetaTrouble { .. } => ()).len();
    assert_eq!((after.ending, after.messages, troubles), (Ending::AgentUnavailable, 1, 0));
}

/// The message to a caller who could not be served was taken, and failed later: the journal says so, once.
pub(super) async fn is_known_to_have_failed(fault: InjectedFault) {
    let story = StoryBuilder::with_fault("quota-exhausted").begin().await;
    let caller = story.ring_with_faults(&[fault]).await;
    is_told(&story, &caller, Event::Message).await;

    let after = caller.afterwards().await;

    let failed = entries!(after.journal, Happened::MessageFailed { code, .. } => *code);
    assert_eq!((failed, after.messages), (vec![131_026], 1));
}
