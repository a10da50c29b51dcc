//! What the table says of agents, numbers and counts, with DynamoDB's emulator.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use internal_api::keys;
use internal_api::lease::Lease;
use serde_json::{Value, json};
use store::items::{Item, number, text};
use store::{
    Assigned, BudgetedAction, CallOutcome, CallOwner, CallerCall, LaunchClaim, MessageClaim, NumberSettings,
    SpendingConflict, Store, StoredAgent, WriteError,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const T0: u64 = 1_795_305_600_000;
const MINUTE: u64 = 60_000;
const DAY: &str = "2026-11-22";
const NEXT: &str = "2026-11-23";

#[tokio::test]
async fn a_number_has_the_agent_it_was_given_last_and_keeps_its_other_settings() {
    let ledger = ledger().await;
    let settings = [("pk", "NUMBER#7"), ("sk", "SETTINGS"), ("sorry", "Call again.")];
    let item = settings.map(|(name, value)| (name.to_owned(), text(value)));
    ledger.client.put_item().table_name("ahoy").set_item(Some(item.into())).send().await.unwrap();
    assert_eq!(ledger.agent_of("7").await.unwrap(), None);
    for name in ["night", "day"] {
        ledger.put_agent(&StoredAgent::new(name, &format!("name = \"{name}\""), T0)).await.unwrap();
        ledger.assign("7", name).await.unwrap();
    }

    let sorry = Some("Call again.".to_owned());
    let wanted = NumberSettings { agent: Some("day".into()), sorry, lost: None };
    assert_eq!(ledger.number("7").await.unwrap(), wanted);
    assert_eq!(ledger.agent_of("7").await.unwrap().as_deref(), Some("name = \"day\""));
    assert_eq!(ledger.numbers().await.unwrap(), [Assigned { number: "7".into(), agent: "day".into() }]);
}

#[tokio::test]
async fn agents_are_listed_by_name_and_pushed_in_place() {
    let ledger = ledger().await;
    for (name, text, at) in [("b", "1", T0), ("a", "2", T0), ("b", "3", T0 + 1)] {
        ledger.put_agent(&StoredAgent::new(name, text, at)).await.unwrap();
    }

    let agents = ledger.agents().await.unwrap();

    assert_eq!(agents, [StoredAgent::new("a", "2", T0), StoredAgent::new("b", "3", T0 + 1)]);
    assert_ne!(agents[0].digest, agents[1].digest);
    assert_eq!(ledger.agent("c").await.unwrap(), None);
    assert_eq!(ledger.agent_of("8").await.unwrap(), None);
}

#[tokio::test]
async fn a_key_that_is_asked_for_twice_is_read_once() {
    let ledger = ledger().await;
    ledger.put_agent(&StoredAgent::new("a", "2", T0)).await.unwrap();
    let key = (keys::agent("a"), keys::FILE.to_owned());
    assert_eq!(ledger.items(std::slice::from_ref(&key)).await.unwrap().len(), 1, "it is the agent's key");

    let found = ledger.items(&[key.clone(), key]).await.unwrap();

    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn an_item_that_is_too_large_is_told_from_trouble() {
    let ledger = ledger().await;
    let words = text("x".repeat(500_000));
    let large = Item::from([("pk", text("CALL#a")), ("sk", text("LINE#1")), ("words", words)].map(named));

    let refused = ledger.put(large).await.unwrap_err();
    let gone = Store::new(ledger.client.clone(), "elsewhere").put(Item::new()).await.unwrap_err();

    assert!(matches!(WriteError::of_write(&refused), WriteError::Unfit(_)), "{refused:#}");
    assert!(!matches!(WriteError::of_write(&gone), WriteError::Unanswered), "{gone:#}");
    assert_eq!(WriteError::of_write(&anyhow::anyhow!("the network is gone")), WriteError::Unanswered);
}

fn named((name, value): (&str, AttributeValue)) -> (String, AttributeValue) {
    (name.to_owned(), value)
}

#[tokio::test]
async fn however_many_ask_at_once_no_more_tasks_are_started_than_there_may_be() {
    let ledger = ledger().await;
    let ask = |call: u32, now| {
        let ledger = ledger.clone();
        async move { ledger.claim_launch(3, &format!("{call:08x}"), now).await.unwrap() }
    };

    let asked = futures_util::future::join_all((0..20).map(|call| ask(call, T0))).await;

    let mut claimed: Vec<_> = asked.into_iter().flatten().map(|claimed| claimed.place).collect();
    claimed.sort_unstable();
    let place = |claimed: Option<LaunchClaim>| claimed.map(|claimed| claimed.place);
    assert_eq!(claimed, [0, 1, 2]);
    assert_eq!(ask(70, T0 + 5 * MINUTE - 1).await, None, "Fargate can be slow");
    assert_eq!(
        place(ask(70, T0 + 5 * MINUTE).await),
        Some(1),
        "what did not come in five minutes does not come"
    );
    assert_eq!(place(ask(70, T0 + 5 * MINUTE).await), Some(1), "the same call asks again");
    let again = ask(70, T0 + 5 * MINUTE).await.unwrap();
    ledger.give_up_launch(&again, &format!("{:08x}", 70), T0 + 5 * MINUTE).await.unwrap();
    assert_eq!(place(ask(73, T0 + 5 * MINUTE).await), Some(1), "nothing was started there");
}

#[tokio::test]
async fn a_task_that_drains_leaves_no_room_for_another_one() {
    let ledger = ledger().await;
    ledger.renew(&lease("service", T0 + 1).closed()).await.unwrap();

    assert_eq!(ledger.claim_launch(1, "0a", T0).await.unwrap(), None);
    assert!(ledger.ready_tasks().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_started_task_holds_its_place_until_it_stops() {
    let ledger = ledger().await;
    let place = ledger.claim_launch(1, "0a", T0).await.unwrap().unwrap().place;
    ledger.note_launch(place, "0a", "started", T0).await.unwrap();
    ledger.renew(&lease("started", T0 + 6 * MINUTE)).await.unwrap();

    assert_eq!(ledger.claim_launch(1, "0b", T0 + 5 * MINUTE).await.unwrap(), None);
    ledger.give_up_lease("started").await.unwrap();
    ledger.give_up_launch_of("started").await.unwrap();
    assert_eq!(ledger.claim_launch(1, "0b", T0).await.unwrap().map(|claimed| claimed.place), Some(place));
}

#[tokio::test]
async fn a_late_refusal_takes_no_place_from_a_process_that_succeeded() {
    let ledger = ledger().await;
    let mut first = ledger.claim_launch(1, "0a", T0).await.unwrap().unwrap();
    assert!(ledger.note_launch_refused(&mut first, "0a").await.unwrap());
    let second = ledger.claim_launch(1, "0a", T0 + 1).await.unwrap().unwrap();
    assert_eq!((second.place, second.refusals, second.task.clone()), (first.place, 1, None));

    assert!(!ledger.note_launch_refused(&mut first.clone(), "0a").await.unwrap());
    ledger.give_up_launch(&first, "0a", T0 + 1).await.unwrap();
    assert_eq!(ledger.claim_launch(1, "0b", T0 + 1).await.unwrap(), None);
    ledger.note_launch(second.place, "0a", "started", T0 + 1).await.unwrap();
    ledger.give_up_launch(&second, "0a", T0 + 2).await.unwrap();

    assert_eq!(ledger.claim_launch(1, "0b", T0 + 2).await.unwrap(), None);
    let third = ledger.claim_launch(1, "0a", T0 + 2).await.unwrap().unwrap();
    assert_eq!(third.task.as_deref(), Some("started"), "no second one is to be started");
}

#[tokio::test]
async fn refusals_outlast_a_place_that_was_given_up() {
    let ledger = ledger().await;
    let mut first = ledger.claim_launch(1, "0a", T0).await.unwrap().unwrap();
    assert!(ledger.note_launch_refused(&mut first, "0a").await.unwrap());
    ledger.give_up_launch(&first, "0a", T0).await.unwrap();

    let again = ledger.claim_launch(1, "0a", T0 + 1).await.unwrap().unwrap();

    assert_eq!(again.refusals, 1);
}

#[tokio::test]
async fn tasks_that_are_there_leave_so_many_fewer_to_be_started() {
    let ledger = ledger().await;
    for (task, until_ms) in [("a", T0 + 1), ("b", T0 + 1), ("lapsed", T0)] {
        ledger.renew(&lease(task, until_ms)).await.unwrap();
    }

    assert_eq!(ledger.claim_launch(2, "0a", T0).await.unwrap(), None);
    assert_eq!(ledger.claim_launch(3, "0a", T0).await.unwrap().map(|claimed| claimed.place), Some(0));
    assert!(ledger.claim_launch(u32::MAX, &"f".repeat(64), T0).await.unwrap().is_some());
}

#[tokio::test]
async fn what_an_owner_spends_is_counted_once_however_often_it_asks() {
    let (ledger, by) = (ledger().await, spender("a", 1));

    for (day, from, to) in
        [(DAY, 0, 500), (DAY, 0, 500), (DAY, 500, 900), (NEXT, 900, 1_000), (NEXT, 900, 1_000)]
    {
        ledger.count_spent(&by, day, from, to).await.unwrap();
    }
    ledger.count_spent(&spender("a", 2), DAY, 0, 30).await.unwrap();

    assert_eq!((ledger.spent("7", DAY).await.unwrap(), ledger.spent("7", NEXT).await.unwrap()), (930, 100));
    assert_eq!(ledger.spent("8", DAY).await.unwrap(), 0);
    assert_eq!(ledger.spent_by_now("7", DAY).await.unwrap().micro_dollars, 930);
}

#[tokio::test]
async fn what_owners_leave_of_a_call_is_kept_once_for_each() {
    let ledger = ledger().await;
    ledger.count_spent(&spender("a", 2), DAY, 0, 400).await.unwrap();
    let lost = conclusion("a", 1, &[0], 50, false);
    let talked = conclusion("a", 2, &[0, 400], 1_500, true);

    for again in [true, false] {
        assert_eq!(ledger.conclude(&talked).await.unwrap(), again);
        assert_eq!(ledger.conclude(&lost).await.unwrap(), again);
    }

    assert_eq!(ledger.spent("7", DAY).await.unwrap(), 1_550);
    let pk = keys::call("a");
    for (sk, fence) in [("SUMMARY", 2), ("SUMMARY#1", 1), ("SUMMARY#2", 2)] {
        assert_eq!(ledger.item(&pk, sk).await.unwrap().unwrap()["word"], text(fence.to_string()), "{sk}");
    }
    let wrong = conclusion("b", 1, &[7], 9, false);
    assert!(ledger.conclude(&wrong).await.unwrap_err().is::<SpendingConflict>(), "seven were never counted");
}

#[tokio::test]
async fn a_reader_gets_the_summary_of_the_call_that_was_talked_on() {
    let ledger = ledger().await;
    for (call, fence, has_opened) in [("a", 1, true), ("a", 2, false), ("b", 9, false), ("b", 10, false)] {
        ledger.conclude(&conclusion(call, fence, &[0], 1, has_opened)).await.unwrap();
    }

    let word = async |call| ledger.summary(call).await.unwrap().map(|item| item["word"].clone());
    assert_eq!((word("a").await, word("b").await), (Some(text("1")), Some(text("10"))));
    assert_eq!(word("c").await, None);
}

#[tokio::test]
async fn an_owner_whose_line_opened_takes_the_place_of_an_older_releases_summary() {
    let ledger = ledger().await;
    let older = [("pk", text("CALL#a")), ("sk", text("SUMMARY")), ("word", text("older"))];
    ledger.put(older.map(|(name, value)| (name.to_owned(), value)).into()).await.unwrap();

    assert!(ledger.conclude(&conclusion("a", 2, &[0], 1, true)).await.unwrap());

    assert_eq!(ledger.summary("a").await.unwrap().unwrap()["word"], text("2"));
}

#[tokio::test]
async fn calls_that_end_at_the_same_time_are_all_counted() {
    let ledger = ledger().await;
    let calls: Vec<_> = (0..12)
        .map(|n| {
            let ledger = ledger.clone();
            tokio::spawn(async move {
                ledger.conclude(&conclusion(&n.to_string(), 1, &[0], 10, true)).await.unwrap()
            })
        })
        .collect();
    for call in calls {
        assert!(call.await.unwrap());
    }

    assert_eq!(ledger.spent("7", DAY).await.unwrap(), 120);
}

#[tokio::test]
async fn it_is_told_once_a_day_that_a_cap_is_near() {
    let ledger = ledger().await;
    ledger.count_spent(&spender("a", 1), DAY, 0, 79).await.unwrap();
    assert!(!ledger.spent_under("7", DAY, 100).await.unwrap().1);
    ledger.count_spent(&spender("a", 1), DAY, 79, 80).await.unwrap();

    assert!(ledger.spent_under("7", DAY, 100).await.unwrap().1);
    let (spent, tells) = ledger.spent_under("7", DAY, 100).await.unwrap();
    assert!(spent.is_told && !tells && !ledger.tell_once_of_cap("7", DAY).await.unwrap());
    assert!(ledger.spent_on("7", DAY).await.unwrap().is_told);
}

#[tokio::test]
async fn an_action_is_allowed_so_often_for_a_caller_in_an_hour() {
    let ledger = ledger().await;
    let may = async |mark, action, at_ms| ledger.may_act("7", mark, action, 2, at_ms).await.unwrap();

    let tools = [
        may("m", BudgetedAction::Tool, T0).await,
        may("m", BudgetedAction::Tool, T0).await,
        may("m", BudgetedAction::Tool, T0).await,
    ];

    assert_eq!(tools, [true, true, false]);
    assert!(may("m", BudgetedAction::Message, T0).await && may("n", BudgetedAction::Tool, T0).await);
    assert!(may("m", BudgetedAction::Tool, T0 + 60 * MINUTE).await);
    assert!(!ledger.may_act("7", "o", BudgetedAction::Notice, 0, T0).await.unwrap());
}

#[tokio::test]
async fn a_spent_sum_that_is_no_number_is_an_error_and_not_nothing() {
    let ledger = ledger().await;
    let broken = [("pk", text("SPENT#7")), ("sk", text("DAY#2026-11-22")), ("micro_dollars", text("a lot"))];
    let item = broken.map(|(name, value)| (name.to_owned(), value));
    ledger.client.put_item().table_name("ahoy").set_item(Some(item.into())).send().await.unwrap();

    assert!(ledger.spent("7", "2026-11-22").await.is_err());
}

#[tokio::test]
async fn a_message_is_sent_by_whoever_claimed_it_and_once() {
    let ledger = ledger().await;
    let claim = async |id| ledger.claim_message("ab12", id, T0).await.unwrap();

    assert_eq!((claim("call_1").await, claim("call_1").await), (MessageClaim::Yours, MessageClaim::Begun));
    ledger.note_message_sent("ab12", "call_1").await.unwrap();
    assert_eq!((claim("call_1").await, claim("call_2").await), (MessageClaim::Sent, MessageClaim::Yours));
    ledger.give_up_message("ab12", "call_2").await.unwrap();
    assert_eq!(claim("call_2").await, MessageClaim::Yours);
    assert_eq!(ledger.claim_message("cd34", "call_1", T0).await.unwrap(), MessageClaim::Yours);
}

#[tokio::test]
async fn a_mark_is_known_by_its_calls_and_by_its_links() {
    let ledger = ledger().await;
    let marks = ["a", "b", "c"].map(str::to_owned);
    assert!(!ledger.is_any_known(&marks).await.unwrap());
    let call = [("pk", keys::user("a")), ("sk", keys::rang(T0, "c0ffee"))];
    let call = call.map(|(name, value)| (name.to_owned(), text(value)));
    ledger.client.put_item().table_name("ahoy").set_item(Some(call.into())).send().await.unwrap();

    assert!(ledger.is_any_known(&marks[..2]).await.unwrap());
    assert!(!ledger.is_any_known(&marks[1..]).await.unwrap());
    ledger.link_marks(&marks[..2], T0).await.unwrap();
    assert!(ledger.is_any_known(&marks[1..]).await.unwrap());
}

#[tokio::test]
async fn names_lead_to_each_other_for_as_long_as_the_latest_call_is_kept() {
    let ledger = ledger().await;
    let [number, old_id, new_id] = ["a", "b", "c"].map(str::to_owned);
    ledger.link_marks(&[old_id.clone(), new_id.clone()], 9_000).await.unwrap();
    ledger.keep_linked(&[number.clone(), old_id.clone()], 5_000).await.unwrap();

    // They call again, and Meta tells the new id alone.
    ledger.keep_linked(&[new_id], 7_000).await.unwrap();

    let items = ledger.client.scan().table_name("ahoy").send().await.unwrap().items.unwrap();
    let ttl = |item: &Item| item["ttl"].as_n().unwrap().parse::<u64>().unwrap();
    let mut until: Vec<_> = items.iter().map(ttl).collect();
    until.sort_unstable();
    assert_eq!(until, [7, 7, 7, 7, 9, 9], "a longer link stays as it is: {items:?}");
    let mut others = ledger.other_marks(&number).await.unwrap();
    others.sort();
    assert_eq!(others, ["b", "c"]);
}

#[tokio::test]
async fn a_callers_call_counts_once_and_for_an_hour() {
    let ledger = ledger().await;

    assert_eq!(ledger.count_call(&call("a", 0)).await.unwrap(), 0);
    assert_eq!(ledger.count_call(&call("b", 20)).await.unwrap(), 1);
    assert_eq!(ledger.count_call(&call("b", 20)).await.unwrap(), 1);
    assert_eq!(ledger.count_call(&call("c", 60)).await.unwrap(), 2);
    assert_eq!(ledger.count_call(&call("d", 61)).await.unwrap(), 2);
    assert_eq!(ledger.count_call(&CallerCall { mark: "ff", ..call("e", 61) }).await.unwrap(), 0);
    assert_eq!(ledger.count_call(&CallerCall { number: "8", ..call("f", 61) }).await.unwrap(), 0);
}

#[tokio::test]
async fn a_call_that_was_turned_away_does_not_count() {
    let ledger = ledger().await;
    ledger.count_call(&call("a", 0)).await.unwrap();
    ledger.uncount_call(&call("a", 0)).await.unwrap();

    assert_eq!(ledger.count_call(&call("b", 1)).await.unwrap(), 0);
}

#[tokio::test]
async fn a_counted_call_is_forgotten_within_two_hours() {
    let ledger = ledger().await;
    ledger.count_call(&call("a", 0)).await.unwrap();

    let items = ledger.client.scan().table_name("ahoy").send().await.unwrap().items.unwrap();

    assert_eq!(items[0]["ttl"], number(T0 / 1_000 + 7_200));
}

fn call(call_ref: &str, minutes: u64) -> CallerCall<'_> {
    CallerCall { number: "7", mark: "ab", call_ref, rang_at_ms: T0 + minutes * MINUTE }
}

#[tokio::test]
async fn a_days_spending_is_read_again_while_a_transaction_is_at_it() {
    let conflict = (400, r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException"}"#);
    let throttled = (400, r#"{"__type":"com.amazon.coral.availability#ThrottlingException"}"#);
    let spent = (200, r#"{"Attributes":{"micro_dollars":{"N":"7"}}}"#);
    let ledger = ledger_that_answers(vec![conflict, throttled, conflict, spent]).await;

    assert_eq!(ledger.spent_by_now("7", DAY).await.unwrap().micro_dollars, 7);
}

/// In place of DynamoDB: answers each request in turn, and closes its connection.
async fn ledger_that_answers(answers: Vec<(u16, &'static str)>) -> Store {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ledger = ledger_at(&listener);
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
    ledger
}

async fn ledger() -> Store {
    let database = dynoxide::Database::memory().unwrap();
    database.create_table(serde_json::from_value(table()).unwrap()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ledger = ledger_at(&listener);
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    ledger
}

fn ledger_at(listener: &TcpListener) -> Store {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(format!("http://{}", listener.local_addr().unwrap()))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .build();
    Store::new(aws_sdk_dynamodb::Client::from_conf(config), "ahoy")
}

fn table() -> Value {
    let key = |name, kind| json!({"AttributeName": name, "KeyType": kind});
    let text = |name| json!({"AttributeName": name, "AttributeType": "S"});
    json!({"TableName": "ahoy", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [text("pk"), text("sk"), text("gsi1pk"), text("gsi1sk")],
        "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
        "GlobalSecondaryIndexes": [{"IndexName": "gsi1", "Projection": {"ProjectionType": "ALL"},
            "KeySchema": [key("gsi1pk", "HASH"), key("gsi1sk", "RANGE")]}]})
}

fn lease(task: &str, until_ms: u64) -> Lease {
    Lease {
        pk: keys::task(task),
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
        until_ms,
        ttl: keys::forget_at(T0),
    }
}

fn spender(call_ref: &str, fence: u64) -> CallOwner {
    CallOwner { call_ref: call_ref.into(), number: "7".into(), fence, forget_at: T0 }
}

/// An owner leaves its fence as a word.
fn conclusion(
    call_ref: &str,
    fence: u64,
    counted: &[u64],
    micro_dollars: u64,
    has_opened: bool,
) -> CallOutcome {
    CallOutcome {
        by: spender(call_ref, fence),
        day: DAY.into(),
        counted: counted.to_vec(),
        micro_dollars,
        summary: Item::from([("word".to_owned(), text(fence.to_string()))]),
        has_opened,
    }
}
