//! Tests of the outbox with DynamoDB's emulator: written with what it is about, delivered by one process, found again.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod emulator;

use call::{Call, CallRef, Ending, Fence, Phase, Timestamp};
use emulator::store;
use std::time::Duration;
use store::items::{Item, number, text, to_item};
use store::{
    CallerNames, Delivery, LoadedCall, OutboxClaim, OutboxEvent, OutboxItem, OutboxKey, OutboxState,
    OutboxTry, SaveError, Store, StoredCall, keys,
};

const T0: u64 = 1_795_305_600_000;
const MINUTE: u64 = 60_000;

#[tokio::test]
async fn a_call_is_saved_with_its_outcome_or_not_at_all() {
    let store = store().await;
    let mut record = ringing(&store).await;
    let mut stale = record.clone();
    store.save_call(&mut record, &[], vec![], None).await.unwrap().unwrap();
    let outcome = end(&mut stale, Ending::CallerHungUp, 0);

    let conflict = store.save_call(&mut stale, &[], vec![], Some(&outcome)).await.unwrap();

    assert_eq!(conflict, Err(SaveError::Conflict));
    assert_eq!(store.outbox_of(&record.call_ref()).await.unwrap(), []);
    let outcome = end(&mut record, Ending::CallerHungUp, 0);
    store.save_call(&mut record, &[], vec![], Some(&outcome)).await.unwrap().unwrap();
    assert_eq!(store.outbox_of(&record.call_ref()).await.unwrap(), [outcome]);
    assert_eq!(store.load_call(&record.call_ref()).await.unwrap(), LoadedCall::Found(Box::new(record)));
}

#[tokio::test]
async fn an_outcome_is_due_with_its_tasks_summary() {
    let store = store().await;
    let mut record = ringing(&store).await;
    let call_ref = record.call_ref();
    let outcome = end(&mut record, Ending::CallerHungUp, 2);
    store.save_call(&mut record, &[], vec![], Some(&outcome)).await.unwrap().unwrap();
    assert_eq!(due(&store, T0 + MINUTE - 1).await, [""; 0]);

    assert!(!store.call_concluded(&call_ref, Fence(1), T0 + 5).await.unwrap(), "a task that lost the call");
    assert!(store.call_concluded(&call_ref, Fence(2), T0 + 5).await.unwrap());

    assert_eq!(due(&store, T0 + 5).await, [format!("{call_ref}:call.ended")]);
    let OutboxClaim::Yours(claimed) = claim(&store, &outcome.key(), T0 + 5).await else {
        panic!("it is due")
    };
    let again = OutboxTry { next: Delivery::Again(T0 + 9_000), status: None, why: Some("timed_out") };
    assert!(store.finish_outbox_try(&claimed, &again, T0 + 6).await.unwrap());
    assert!(!store.call_concluded(&call_ref, Fence(1), T0 + 7).await.unwrap());
}

#[tokio::test]
async fn an_outcome_is_due_at_once_if_its_task_concluded_before() {
    let store = store().await;
    for (fence, is_due) in [(2, true), (3, false)] {
        let mut record = ringing(&store).await;
        let call_ref = record.call_ref();
        assert!(!store.call_concluded(&call_ref, Fence(2), T0 + 5).await.unwrap());
        assert_eq!(store.outbox_of(&call_ref).await.unwrap(), [], "a mark is no event");

        let outcome = end(&mut record, Ending::CallerHungUp, fence);
        store.save_call(&mut record, &[], vec![], Some(&outcome)).await.unwrap().unwrap();

        let found = store.outbox_of(&call_ref).await.unwrap();
        assert_eq!(found[0].due_ms(), Some(if is_due { T0 + 5 } else { T0 + MINUTE }), "fence {fence}");
        assert_eq!(claim(&store, &outcome.key(), T0 + 5).await != OutboxClaim::NotYours, is_due);
    }
}

#[tokio::test]
async fn what_a_caller_leaves_is_written_with_its_event_once() {
    let store = store().await;
    let call_ref = CallRef::from("ab12");
    let event = message(&call_ref).about(&keys::left(1));
    for words in ["first", "second"] {
        store.put_with_event(left(&call_ref, words), &event).await.unwrap();
        claim(&store, &event.key(), T0).await;
    }

    let item = store.item(&keys::call(&call_ref), &keys::left(1)).await.unwrap().unwrap();
    assert_eq!(item["message"], text("second"));
    let found = store.outbox_of(&call_ref).await.unwrap();
    assert_eq!((found.len(), found[0].tries, found[0].of.as_deref()), (1, 1, Some("LEFT#000001")));
}

#[tokio::test]
async fn what_a_caller_left_is_marked_as_done_once() {
    let store = store().await;
    let call_ref = CallRef::from("ab12");
    let mut item = left(&call_ref, "It squeaks");
    item.extend([("kind".to_owned(), text("message")), ("left_at_ms".to_owned(), number(T0))]);
    store.put_with_event(item, &message(&call_ref)).await.unwrap();

    assert!(!store.mark_left_done(&call_ref, 2, T0 + 1).await.unwrap(), "there is one alone");
    assert!(store.mark_left_done(&call_ref, 1, T0 + 1).await.unwrap());
    assert!(store.mark_left_done(&call_ref, 1, T0 + 2).await.unwrap());

    let found = store.left_in(&call_ref).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].kind.as_str(), found[0].done_at_ms),
        ("message", Some(T0 + 1)),
        "the first time stays"
    );
    assert!(!format!("{found:?}").contains("squeaks"));
}

#[tokio::test]
async fn one_process_delivers_an_event_until_its_claim_ends() {
    let store = store().await;
    let event = message(&"ab12".into());
    store.put_into_outbox(&event).await.unwrap();
    let key = event.key();
    let asked = futures_util::future::join_all((0..8).map(|_| claim(&store, &key, T0))).await;
    let mut claimed: Vec<_> = asked.into_iter().filter_map(yours).collect();
    assert_eq!(claimed.len(), 1);
    assert_eq!(claim(&store, &event.key(), T0 + MINUTE - 1).await, OutboxClaim::NotYours);

    let second = yours(claim(&store, &event.key(), T0 + MINUTE).await).expect("the first claim has ended");

    assert_eq!(second.tries, 2);
    let first = claimed.remove(0);
    let delivered = OutboxTry { next: Delivery::Delivered, status: Some(204), why: None };
    assert!(!store.finish_outbox_try(&first, &delivered, T0 + MINUTE + 1).await.unwrap());
    assert!(!store.release_outbox_claim(&first, T0).await.unwrap());
    assert!(store.finish_outbox_try(&second, &delivered, T0 + MINUTE + 1).await.unwrap());
    assert_eq!(due(&store, u64::MAX).await, [""; 0]);
}

#[tokio::test]
async fn a_try_that_fails_is_due_again_with_its_status() {
    let store = store().await;
    let event = message(&"ab12".into());
    store.put_into_outbox(&event).await.unwrap();
    let first = yours(claim(&store, &event.key(), T0).await).unwrap();
    let failed = OutboxTry { next: Delivery::Again(T0 + 30_000), status: Some(503), why: None };
    store.finish_outbox_try(&first, &failed, T0 + 10).await.unwrap();

    assert_eq!(claim(&store, &event.key(), T0 + 29_999).await, OutboxClaim::NotYours);
    let second = yours(claim(&store, &event.key(), T0 + 30_000).await).unwrap();
    assert_eq!((second.tries, second.status, second.tried_at_ms), (2, Some(503), Some(T0 + 10)));
    let silent = OutboxTry { next: Delivery::Again(T0 + 60_000), status: None, why: Some("timed_out") };
    store.finish_outbox_try(&second, &silent, T0 + 30_010).await.unwrap();
    let third = yours(claim(&store, &event.key(), T0 + 60_000).await).unwrap();
    assert_eq!((third.status, third.why.as_deref()), (None, Some("timed_out")));
    assert!(store.release_outbox_claim(&third, T0 + 61_000).await.unwrap());
    let waiting = store.waiting_in_outbox(10).await.unwrap();
    assert_eq!((waiting[0].tries, waiting[0].due_ms()), (2, Some(T0 + 61_000)), "no try was made");
}

#[tokio::test]
async fn done_events_are_listed_by_how_they_ended() {
    let store = store().await;
    let ends = [("a1", Delivery::Delivered), ("a2", Delivery::Refused), ("a3", Delivery::GivenUp)];
    for (n, (call_ref, next)) in (0..).zip(ends) {
        let event = message(&call_ref.into());
        store.put_into_outbox(&event).await.unwrap();
        let claimed = yours(claim(&store, &event.key(), T0).await).unwrap();
        let tried = OutboxTry { next, status: Some(410), why: None };
        store.finish_outbox_try(&claimed, &tried, T0 + n).await.unwrap();
    }

    let shown = |items: Vec<OutboxItem>| -> Vec<String> {
        items.iter().map(|item| format!("{} {}", item.call_ref(), item.state)).collect()
    };
    assert_eq!(shown(store.delivered_from_outbox(T0, 10).await.unwrap()), ["a1 delivered"]);
    let failed = ["a3 given_up", "a2 refused"];
    assert_eq!(shown(store.failed_in_outbox(T0, 10).await.unwrap()), failed);
    assert_eq!(shown(store.failed_in_outbox(T0 + 2, 10).await.unwrap()), failed[..1]);
    assert_eq!(shown(store.waiting_in_outbox(10).await.unwrap()), [""; 0]);
}

#[tokio::test]
async fn an_operator_makes_an_event_due_again() {
    let store = store().await;
    let event = message(&"ab12".into());
    assert!(!store.deliver_again(&event.key(), T0).await.unwrap(), "there is none");
    store.put_into_outbox(&event).await.unwrap();
    let claimed = yours(claim(&store, &event.key(), T0).await).unwrap();
    assert!(!store.deliver_again(&event.key(), T0 + 1).await.unwrap(), "it is being delivered");
    let given_up = OutboxTry { next: Delivery::GivenUp, status: Some(500), why: None };
    store.finish_outbox_try(&claimed, &given_up, T0 + 2).await.unwrap();

    assert!(store.deliver_again(&event.key(), T0 + 3).await.unwrap());

    let again = yours(claim(&store, &event.key(), T0 + 3).await).unwrap();
    assert_eq!((again.tries, again.state.known()), (1, Some(OutboxState::Waiting)));
    assert!(store.failed_in_outbox(0, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_unreadable_event_is_set_aside() {
    let store = store().await;
    let event = message(&"ab12".into());
    let mut item = to_item(&event);
    item.insert("number".to_owned(), number(7));
    store.put(item).await.unwrap();

    assert_eq!(claim(&store, &event.key(), T0).await, OutboxClaim::Unreadable { tries: 1 });
    store.put_off_unreadable(&event.key(), T0 + MINUTE, T0 + 9).await.unwrap();
    assert_eq!(due(&store, T0 + 8).await, [""; 0]);
    assert_eq!(claim(&store, &event.key(), T0 + 9).await, OutboxClaim::Unreadable { tries: 2 });
    store.set_event_aside(&event.key(), T0 + 1).await.unwrap();

    assert_eq!(due(&store, u64::MAX).await, [""; 0]);
    store.drop_from_outbox(&event.key()).await.unwrap();
    assert_eq!(store.keys_in_partition("CALL#ab12").await.unwrap(), []);
}

#[tokio::test]
async fn a_host_has_one_delivery_at_a_time() {
    let store = store().await;
    let claim = async |host, at, until| store.claim_host(host, at, until).await.unwrap();

    assert!(claim("a.example", T0, T0 + 10).await && claim("b.example", T0, T0 + 10).await);
    assert!(!claim("a.example", T0 + 9, T0 + 20).await);
    assert!(claim("a.example", T0 + 10, T0 + 20).await, "the process that had it is gone");
    store.release_host("a.example", T0 + 10).await.unwrap();
    assert!(!claim("a.example", T0 + 11, T0 + 21).await, "another process has it");
    store.release_host("a.example", T0 + 20).await.unwrap();
    assert!(claim("a.example", T0 + 11, T0 + 21).await);
}

/// Returns a ringing call that is in the table, another one each time.
async fn ringing(store: &Store) -> StoredCall {
    let wacid = format!("wacid.{}", uuid::Uuid::new_v4());
    let (number, budget) = (&"220".into(), Duration::from_secs(25));
    let mut record =
        StoredCall::ringing(&wacid, number, "v=0", CallerNames::default(), Timestamp(T0), budget);
    store.put(to_item(&record)).await.unwrap();
    store.save_call(&mut record, &[], vec![], None).await.unwrap().unwrap();
    record
}

/// Ends a call, and returns its outcome.
fn end(record: &mut StoredCall, ending: Ending, fence: u64) -> OutboxItem {
    let answer = (fence > 0).then(|| "v=0".to_owned());
    record.call =
        Call { phase: Phase::Ended(ending), fence: Fence(fence), answer, due: None, ..record.call.clone() };
    OutboxItem::of_ended(record, Some("shop"), T0).unwrap()
}

fn message(call_ref: &CallRef) -> OutboxItem {
    let key = OutboxKey::nth(call_ref, OutboxEvent::MessageTaken, 1);
    OutboxItem::new(&key, &"220".into(), Some("shop"), T0)
}

fn left(call_ref: &CallRef, words: &str) -> Item {
    let item = [("pk", keys::call(call_ref)), ("sk", keys::left(1)), ("message", words.to_owned())];
    item.map(|(name, value)| (name.to_owned(), text(value))).into()
}

async fn claim(store: &Store, key: &OutboxKey, now_ms: u64) -> OutboxClaim {
    store.claim_from_outbox(key, now_ms, now_ms + MINUTE).await.unwrap()
}

fn yours(claim: OutboxClaim) -> Option<OutboxItem> {
    match claim {
        OutboxClaim::Yours(item) => Some(*item),
        OutboxClaim::NotYours | OutboxClaim::Unreadable { .. } => None,
    }
}

async fn due(store: &Store, now_ms: u64) -> Vec<String> {
    store.due_outbox(now_ms, 100).await.unwrap().iter().map(OutboxKey::to_string).collect()
}
