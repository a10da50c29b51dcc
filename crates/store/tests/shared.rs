//! Tests of the store with DynamoDB's emulator: agents, numbers, launch slots, spending, limits and messages.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod emulator;

use aws_sdk_dynamodb::types::AttributeValue;
use call::{CallRef, Fence, NumberId};
use emulator::{client_of, emulator, store};
use store::items::{Item, number, text};
use store::keys;
use store::lease::Lease;
use store::{
    Assigned, BudgetedAction, CallOutcome, CallOwner, CallerCall, ErrorKind, LaunchClaim, MessageClaim,
    NumberSettings, Store, StoredAgent, TransferClaim,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const T0: u64 = 1_795_305_600_000;
const MINUTE: u64 = 60_000;
const DAY: &str = "2026-11-22";
const NEXT: &str = "2026-11-23";

#[tokio::test]
async fn assigning_an_agent_keeps_the_numbers_other_settings() {
    let store = store().await;
    let settings = [("pk", "NUMBER#7"), ("sk", "SETTINGS"), ("sorry", "Call again.")];
    let item = settings.map(|(name, value)| (name.to_owned(), text(value)));
    store.put(item.into()).await.unwrap();
    assert_eq!(store.agent_of(&"7".into()).await.unwrap(), None);
    for name in ["night", "day"] {
        store.put_agent(&StoredAgent::new(name, &format!("name = \"{name}\""), T0)).await.unwrap();
        store.assign(&"7".into(), name).await.unwrap();
    }

    let sorry = Some("Call again.".to_owned());
    let wanted = NumberSettings { agent: Some("day".into()), sorry, lost: None };
    assert_eq!(store.number(&"7".into()).await.unwrap(), wanted);
    assert_eq!(store.agent_of(&"7".into()).await.unwrap().as_deref(), Some("name = \"day\""));
    assert_eq!(store.numbers().await.unwrap(), [Assigned { number: "7".into(), agent: "day".into() }]);
}

#[tokio::test]
async fn agents_are_listed_by_name_and_replaced() {
    let store = store().await;
    for (name, text, at) in [("b", "1", T0), ("a", "2", T0), ("b", "3", T0 + 1)] {
        store.put_agent(&StoredAgent::new(name, text, at)).await.unwrap();
    }

    let agents = store.agents().await.unwrap();

    assert_eq!(agents, [StoredAgent::new("a", "2", T0), StoredAgent::new("b", "3", T0 + 1)]);
    assert_ne!(agents[0].digest, agents[1].digest);
    assert_eq!(store.agent("c").await.unwrap(), None);
    assert_eq!(store.agent_of(&"8".into()).await.unwrap(), None);
}

#[tokio::test]
async fn a_duplicate_key_is_read_once() {
    let store = store().await;
    store.put_agent(&StoredAgent::new("a", "2", T0)).await.unwrap();
    let key = (keys::agent("a"), keys::FILE.to_owned());
    assert_eq!(store.items(std::slice::from_ref(&key)).await.unwrap().len(), 1, "the key is the agent's");

    let found = store.items(&[key.clone(), key]).await.unwrap();

    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn a_too_large_item_is_unfit() {
    let client = emulator().await;
    let store = Store::new(client.clone(), "ahoy");
    let words = text("x".repeat(500_000));
    let large = Item::from([("pk", text("CALL#a")), ("sk", text("LINE#1")), ("words", words)].map(named));

    let refused = store.put(large).await.unwrap_err();
    let gone = Store::new(client, "elsewhere").put(Item::new()).await.unwrap_err();
    let unreachable = store_at(&TcpListener::bind("127.0.0.1:0").await.unwrap());

    assert!(matches!(refused.kind(), ErrorKind::Permanent(_)), "{refused:#}");
    assert!(!matches!(gone.kind(), ErrorKind::Unavailable), "{gone:#}");
    let unanswered = unreachable.put(Item::new()).await.unwrap_err();
    assert_eq!(unanswered.kind(), &ErrorKind::Unavailable, "{unanswered:#}");
}

fn named((name, value): (&str, AttributeValue)) -> (String, AttributeValue) {
    (name.to_owned(), value)
}

#[tokio::test]
async fn concurrent_claims_do_not_exceed_the_launch_limit() {
    let store = store().await;
    let ask = |call: u32, now| {
        let store = store.clone();
        async move { store.claim_launch(3, &format!("{call:08x}").into(), now).await.unwrap() }
    };

    let asked = futures_util::future::join_all((0..20).map(|call| ask(call, T0))).await;

    let mut claimed: Vec<_> = asked.into_iter().flatten().map(|claimed| claimed.slot).collect();
    claimed.sort_unstable();
    let slot = |claimed: Option<LaunchClaim>| claimed.map(|claimed| claimed.slot);
    assert_eq!(claimed, [0, 1, 2]);
    assert_eq!(ask(70, T0 + 5 * MINUTE - 1).await, None, "Fargate can be slow");
    assert_eq!(slot(ask(70, T0 + 5 * MINUTE).await), Some(1), "a launch times out after five minutes");
    assert_eq!(slot(ask(70, T0 + 5 * MINUTE).await), Some(1), "the same call asks again");
    let again = ask(70, T0 + 5 * MINUTE).await.unwrap();
    store.release_launch(&again, &format!("{:08x}", 70).into(), T0 + 5 * MINUTE).await.unwrap();
    assert_eq!(slot(ask(73, T0 + 5 * MINUTE).await), Some(1), "no task was launched for the slot");
}

#[tokio::test]
async fn a_draining_task_counts_toward_the_launch_limit() {
    let store = store().await;
    store.renew(&lease("service", T0 + 1).closed()).await.unwrap();

    assert_eq!(store.claim_launch(1, &"0a".into(), T0).await.unwrap(), None);
    assert!(store.ready_tasks().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_launched_task_holds_its_slot_until_it_stops() {
    let store = store().await;
    let slot = store.claim_launch(1, &"0a".into(), T0).await.unwrap().unwrap().slot;
    store.note_launch(slot, &"0a".into(), &"started".into(), T0).await.unwrap();
    store.renew(&lease("started", T0 + 6 * MINUTE)).await.unwrap();

    assert_eq!(store.claim_launch(1, &"0b".into(), T0 + 5 * MINUTE).await.unwrap(), None);
    store.delete_lease(&"started".into()).await.unwrap();
    store.release_launch_of(&"started".into()).await.unwrap();
    assert_eq!(
        store.claim_launch(1, &"0b".into(), T0).await.unwrap().map(|claimed| claimed.slot),
        Some(slot)
    );
}

#[tokio::test]
async fn a_late_refusal_does_not_release_anothers_slot() {
    let store = store().await;
    let mut first = store.claim_launch(1, &"0a".into(), T0).await.unwrap().unwrap();
    assert!(store.note_launch_refused(&mut first, &"0a".into()).await.unwrap());
    let second = store.claim_launch(1, &"0a".into(), T0 + 1).await.unwrap().unwrap();
    assert_eq!((second.slot, second.refusals, second.task.clone()), (first.slot, 1, None));

    assert!(!store.note_launch_refused(&mut first.clone(), &"0a".into()).await.unwrap());
    store.release_launch(&first, &"0a".into(), T0 + 1).await.unwrap();
    assert_eq!(store.claim_launch(1, &"0b".into(), T0 + 1).await.unwrap(), None);
    store.note_launch(second.slot, &"0a".into(), &"started".into(), T0 + 1).await.unwrap();
    store.release_launch(&second, &"0a".into(), T0 + 2).await.unwrap();

    assert_eq!(store.claim_launch(1, &"0b".into(), T0 + 2).await.unwrap(), None);
    let third = store.claim_launch(1, &"0a".into(), T0 + 2).await.unwrap().unwrap();
    assert_eq!(third.task, Some("started".into()), "no second task may be launched");
}

#[tokio::test]
async fn refusals_are_kept_after_a_slot_is_released() {
    let store = store().await;
    let mut first = store.claim_launch(1, &"0a".into(), T0).await.unwrap().unwrap();
    assert!(store.note_launch_refused(&mut first, &"0a".into()).await.unwrap());
    store.release_launch(&first, &"0a".into(), T0).await.unwrap();

    let again = store.claim_launch(1, &"0a".into(), T0 + 1).await.unwrap().unwrap();

    assert_eq!(again.refusals, 1);
}

#[tokio::test]
async fn running_tasks_count_toward_the_launch_limit() {
    let store = store().await;
    for (task, until_ms) in [("a", T0 + 1), ("b", T0 + 1), ("lapsed", T0)] {
        store.renew(&lease(task, until_ms)).await.unwrap();
    }

    assert_eq!(store.claim_launch(2, &"0a".into(), T0).await.unwrap(), None);
    assert_eq!(store.claim_launch(3, &"0a".into(), T0).await.unwrap().map(|claimed| claimed.slot), Some(0));
    assert!(store.claim_launch(u32::MAX, &"f".repeat(64).into(), T0).await.unwrap().is_some());
}

#[tokio::test]
async fn repeated_spending_is_counted_once() {
    let (store, by) = (store().await, owner("a", 1));

    for (day, from, to) in
        [(DAY, 0, 500), (DAY, 0, 500), (DAY, 500, 900), (NEXT, 900, 1_000), (NEXT, 900, 1_000)]
    {
        store.count_spent(&by, day, from, to).await.unwrap();
    }
    store.count_spent(&owner("a", 2), DAY, 0, 30).await.unwrap();

    assert_eq!(
        (store.spent(&"7".into(), DAY).await.unwrap(), store.spent(&"7".into(), NEXT).await.unwrap()),
        (930, 100)
    );
    assert_eq!(store.spent(&"8".into(), DAY).await.unwrap(), 0);
    assert_eq!(store.spent_without_reading(&"7".into(), DAY).await.unwrap().micro_dollars, 930);
}

#[tokio::test]
async fn each_owners_outcome_is_written_once() {
    let store = store().await;
    store.count_spent(&owner("a", 2), DAY, 0, 400).await.unwrap();
    let lost = outcome("a", 1, &[0], 50, false);
    let talked = outcome("a", 2, &[0, 400], 1_500, true);

    for again in [true, false] {
        assert_eq!(store.conclude(&talked).await.unwrap(), again);
        assert_eq!(store.conclude(&lost).await.unwrap(), again);
    }

    assert_eq!(store.spent(&"7".into(), DAY).await.unwrap(), 1_550);
    let pk = keys::call(&"a".into());
    for (sk, fence) in [("SUMMARY", 2), ("SUMMARY#1", 1), ("SUMMARY#2", 2)] {
        assert_eq!(store.item(&pk, sk).await.unwrap().unwrap()["word"], text(fence.to_string()), "{sk}");
    }
    let wrong = outcome("b", 1, &[7], 9, false);
    assert!(
        store.conclude(&wrong).await.is_err_and(|error| *error.kind() == ErrorKind::SpendingConflict),
        "7 was never counted"
    );
}

#[tokio::test]
async fn readers_get_the_summary_of_the_owner_whose_line_opened() {
    let store = store().await;
    for (call, fence, has_opened) in [("a", 1, true), ("a", 2, false), ("b", 9, false), ("b", 10, false)] {
        store.conclude(&outcome(call, fence, &[0], 1, has_opened)).await.unwrap();
    }

    let word = async |call: &str| store.summary(&call.into()).await.unwrap().map(|item| item["word"].clone());
    assert_eq!((word("a").await, word("b").await), (Some(text("1")), Some(text("10"))));
    assert_eq!(word("c").await, None);
}

#[tokio::test]
async fn an_opened_owner_replaces_an_older_releases_summary() {
    let store = store().await;
    let older = [("pk", text("CALL#a")), ("sk", text("SUMMARY")), ("word", text("older"))];
    store.put(older.map(|(name, value)| (name.to_owned(), value)).into()).await.unwrap();

    assert!(store.conclude(&outcome("a", 2, &[0], 1, true)).await.unwrap());

    assert_eq!(store.summary(&"a".into()).await.unwrap().unwrap()["word"], text("2"));
}

#[tokio::test]
async fn calls_that_end_at_the_same_time_are_all_counted() {
    let store = store().await;
    let calls: Vec<_> = (0..12)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(
                async move { store.conclude(&outcome(&n.to_string(), 1, &[0], 10, true)).await.unwrap() },
            )
        })
        .collect();
    for call in calls {
        assert!(call.await.unwrap());
    }

    assert_eq!(store.spent(&"7".into(), DAY).await.unwrap(), 120);
}

#[tokio::test]
async fn the_cap_event_is_claimed_once_a_day() {
    let store = store().await;
    store.count_spent(&owner("a", 1), DAY, 0, 79).await.unwrap();
    assert!(!store.spent_under(&"7".into(), DAY, 100).await.unwrap().1);
    store.count_spent(&owner("a", 1), DAY, 79, 80).await.unwrap();

    assert!(store.spent_under(&"7".into(), DAY, 100).await.unwrap().1);
    let (spent, is_to_record) = store.spent_under(&"7".into(), DAY, 100).await.unwrap();
    assert!(spent.is_recorded && !is_to_record && !store.claim_cap_event(&"7".into(), DAY).await.unwrap());
    assert!(store.spent_on(&"7".into(), DAY).await.unwrap().is_recorded);
}

#[tokio::test]
async fn actions_for_a_caller_are_limited_by_the_hour() {
    let store = store().await;
    let may = async |pseudonym, action, at_ms| {
        store.may_act(&"7".into(), pseudonym, action, 2, at_ms).await.unwrap()
    };

    let tools = [
        may("m", BudgetedAction::Tool, T0).await,
        may("m", BudgetedAction::Tool, T0).await,
        may("m", BudgetedAction::Tool, T0).await,
    ];

    assert_eq!(tools, [true, true, false]);
    assert!(may("m", BudgetedAction::Message, T0).await && may("n", BudgetedAction::Tool, T0).await);
    assert!(may("m", BudgetedAction::Tool, T0 + 60 * MINUTE).await);
    assert!(!store.may_act(&"7".into(), "o", BudgetedAction::Notice, 0, T0).await.unwrap());
}

#[tokio::test]
async fn transfers_are_limited_by_the_day_beside_its_spending() {
    let store = store().await;
    store.count_spent(&owner("a", 1), DAY, 0, 79).await.unwrap();
    let may = async |day, most| store.may_transfer(&"7".into(), day, most).await.unwrap();

    assert_eq!([may(DAY, 2).await, may(DAY, 2).await, may(DAY, 2).await], [true, true, false]);
    assert!(may(NEXT, 1).await && !may("2026-11-24", 0).await);
    assert_eq!(store.spent(&"7".into(), DAY).await.unwrap(), 79);
}

#[tokio::test]
async fn a_call_is_claimed_for_one_transfer_alone() {
    let store = store().await;
    let claim = async |id| store.claim_transfer(&"ab12".into(), id, T0).await.unwrap();

    let claims = [claim("call_1").await, claim("call_1").await, claim("call_2").await];

    assert_eq!(claims, [TransferClaim::Yours, TransferClaim::Repeated, TransferClaim::Used]);
}

#[tokio::test]
async fn a_malformed_days_spending_is_an_error() {
    let store = store().await;
    let broken = [("pk", text("SPENT#7")), ("sk", text("DAY#2026-11-22")), ("micro_dollars", text("a lot"))];
    let item = broken.map(|(name, value)| (name.to_owned(), value));
    store.put(item.into()).await.unwrap();

    assert!(store.spent(&"7".into(), "2026-11-22").await.is_err());
}

#[tokio::test]
async fn a_message_is_claimed_and_sent_once() {
    let store = store().await;
    let claim = async |id| store.claim_message(&"ab12".into(), id, T0).await.unwrap();

    assert_eq!((claim("call_1").await, claim("call_1").await), (MessageClaim::Yours, MessageClaim::Begun));
    store.note_message_sent(&"ab12".into(), "call_1").await.unwrap();
    assert_eq!((claim("call_1").await, claim("call_2").await), (MessageClaim::Sent, MessageClaim::Yours));
    store.release_message_claim(&"ab12".into(), "call_2").await.unwrap();
    assert_eq!(claim("call_2").await, MessageClaim::Yours);
    assert_eq!(store.claim_message(&"cd34".into(), "call_1", T0).await.unwrap(), MessageClaim::Yours);
}

#[tokio::test]
async fn a_pseudonym_is_known_by_its_calls_and_links() {
    let store = store().await;
    let pseudonyms = ["a", "b", "c"].map(str::to_owned);
    assert!(!store.is_any_known(&pseudonyms).await.unwrap());
    let call = [("pk", keys::user("a")), ("sk", keys::rang(T0, &"c0ffee".into()))];
    let call = call.map(|(name, value)| (name.to_owned(), text(value)));
    store.put(call.into()).await.unwrap();

    assert!(store.is_any_known(&pseudonyms[..2]).await.unwrap());
    assert!(!store.is_any_known(&pseudonyms[1..]).await.unwrap());
    store.link_pseudonyms(&pseudonyms[..2], T0).await.unwrap();
    assert!(store.is_any_known(&pseudonyms[1..]).await.unwrap());
}

#[tokio::test]
async fn links_last_as_long_as_the_latest_call() {
    let store = store().await;
    let [number, old_id, new_id] = ["a", "b", "c"].map(str::to_owned);
    store.link_pseudonyms(&[old_id.clone(), new_id.clone()], 9_000).await.unwrap();
    store.keep_linked(&[number.clone(), old_id.clone()], 5_000).await.unwrap();

    // They call again, and Meta sends only the new id.
    store.keep_linked(&[new_id], 7_000).await.unwrap();

    let mut items = vec![];
    store.scan(|item| items.push(item)).await.unwrap();
    let ttl = |item: &Item| item["ttl"].as_n().unwrap().parse::<u64>().unwrap();
    let mut until: Vec<_> = items.iter().map(ttl).collect();
    until.sort_unstable();
    assert_eq!(until, [7, 7, 7, 7, 9, 9], "a longer link stays as it is: {items:?}");
    let mut others = store.other_pseudonyms(&number).await.unwrap();
    others.sort();
    assert_eq!(others, ["b", "c"]);
}

#[tokio::test]
async fn a_callers_call_counts_once_and_for_an_hour() {
    let store = store().await;
    let to = &NumberId::from("7");

    assert_eq!(store.count_call(&call(to, &"a".into(), 0)).await.unwrap(), 0);
    assert_eq!(store.count_call(&call(to, &"b".into(), 20)).await.unwrap(), 1);
    assert_eq!(store.count_call(&call(to, &"b".into(), 20)).await.unwrap(), 1);
    assert_eq!(store.count_call(&call(to, &"c".into(), 60)).await.unwrap(), 2);
    assert_eq!(store.count_call(&call(to, &"d".into(), 61)).await.unwrap(), 2);
    assert_eq!(
        store.count_call(&CallerCall { pseudonym: "ff", ..call(to, &"e".into(), 61) }).await.unwrap(),
        0
    );
    assert_eq!(
        store.count_call(&CallerCall { number: &"8".into(), ..call(to, &"f".into(), 61) }).await.unwrap(),
        0
    );
}

#[tokio::test]
async fn a_call_that_was_turned_away_does_not_count() {
    let store = store().await;
    let to = &NumberId::from("7");
    store.count_call(&call(to, &"a".into(), 0)).await.unwrap();
    store.uncount_call(&call(to, &"a".into(), 0)).await.unwrap();

    assert_eq!(store.count_call(&call(to, &"b".into(), 1)).await.unwrap(), 0);
}

#[tokio::test]
async fn a_counted_call_expires_after_two_hours() {
    let store = store().await;
    let to = &NumberId::from("7");
    store.count_call(&call(to, &"a".into(), 0)).await.unwrap();

    let mut items = vec![];
    store.scan(|item| items.push(item)).await.unwrap();

    assert_eq!(items[0]["ttl"], number(T0 / 1_000 + 7_200));
}

fn call<'a>(number: &'a NumberId, call_ref: &'a CallRef, minutes: u64) -> CallerCall<'a> {
    CallerCall { number, pseudonym: "ab", call_ref, rang_at_ms: T0 + minutes * MINUTE }
}

#[tokio::test]
async fn reading_a_days_spending_retries_on_contention() {
    let conflict = (400, r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException"}"#);
    let throttled = (400, r#"{"__type":"com.amazon.coral.availability#ThrottlingException"}"#);
    let spent = (200, r#"{"Attributes":{"micro_dollars":{"N":"7"}}}"#);
    let store = store_that_answers(vec![conflict, throttled, conflict, spent]).await;

    assert_eq!(store.spent_without_reading(&"7".into(), DAY).await.unwrap().micro_dollars, 7);
}

/// Returns a store whose DynamoDB gives these responses in turn, each on its own connection.
async fn store_that_answers(answers: Vec<(u16, &'static str)>) -> Store {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let store = store_at(&listener);
    tokio::spawn(async move {
        for (status, body) in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = vec![];
            while !request.ends_with(b"}") {
                socket.read_buf(&mut request).await.unwrap();
            }
            let length = body.len();
            let head =
                format!("HTTP/1.1 {status} -\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
            socket.write_all((head + body).as_bytes()).await.unwrap();
        }
    });
    store
}

fn store_at(listener: &TcpListener) -> Store {
    Store::new(client_of(listener), "ahoy")
}

fn lease(task: &str, until_ms: u64) -> Lease {
    Lease {
        pk: keys::task(&task.into()),
        sk: keys::LEASE.into(),
        gsi1pk: Some(keys::READY.into()),
        gsi1sk: Some(keys::sortable(1)),
        task: task.into(),
        door: "127.0.0.1:1".into(),
        pin: String::new(),
        revision: "1".into(),
        slots: 1,
        used: 1,
        returns_tokens: false,
        lines: vec![],
        until_ms,
        ttl: keys::forget_at(T0),
    }
}

fn owner(call_ref: &str, fence: u64) -> CallOwner {
    CallOwner { call_ref: call_ref.into(), number: "7".into(), fence: Fence(fence), forget_at: T0 }
}

/// Returns an owner's outcome whose summary holds its fence.
fn outcome(call_ref: &str, fence: u64, counted: &[u64], micro_dollars: u64, has_opened: bool) -> CallOutcome {
    CallOutcome {
        by: owner(call_ref, fence),
        day: DAY.into(),
        counted: counted.to_vec(),
        micro_dollars,
        summary: Item::from([("word".to_owned(), text(fence.to_string()))]),
        has_opened,
    }
}
