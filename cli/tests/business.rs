//! `ahoy messages` and `ahoy outbox`, run as the real program against an emulated DynamoDB.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "each test file uses a part of it")]
mod terminal;

use call::{CallRef, Ending, Line, Party, Timestamp};
use serde_json::{Value, json};
use service::time::now_ms;
use std::time::Duration;
use store::items::{Item, to_item};
use store::{
    CallListing, CallerNames, Delivery, OutboxClaim, OutboxEvent, OutboxItem, OutboxKey, OutboxTry, Store,
    StoredCall, keys,
};
use terminal::Terminal;

const MINUTE: u64 = 60_000;

#[tokio::test]
async fn what_callers_left_is_listed_until_it_is_done() {
    let terminal = Terminal::new().await;
    let store = terminal.store();
    let (early, late) = (now_ms() - 3 * MINUTE, now_ms() - MINUTE);
    let first = call(&store, "wacid.1", "220", early).await;
    leave(
        &store,
        &first,
        1,
        early,
        "message",
        json!({"message": "It \u{1b}[2J squeaks", "caller_name": "Ada", "urgent": true}),
    )
    .await;
    let second = call(&store, "wacid.2", "330", late).await;
    leave(
        &store,
        &second,
        2,
        late,
        "callback",
        json!({"about": "A service", "when": "after five", "number": "0800"}),
    )
    .await;
    call(&store, "wacid.3", "220", late).await;

    let listed = terminal.ahoy(&["messages"]).await;
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let lines: Vec<_> = listed.out.lines().collect();
    assert!(
        lines[0].starts_with(&format!("{}:2  ", short(&second))) && lines[0].ends_with("number 330"),
        "{lines:?}"
    );
    assert_eq!(lines[1], "  wants to be called back, when: after five, at 0800, caller +15550001111");
    assert_eq!(lines[2], "  A service");
    assert!(lines[4].starts_with(&format!("{}:1  ", short(&first))), "{lines:?}");
    assert_eq!(lines[5], "  urgent message, from Ada, caller +15550001111");
    assert_eq!(lines[6], "  It  [2J squeaks", "no escape sequence reaches the terminal");
    assert!(listed.err.contains("were not searched"), "{listed:?}");

    let done = terminal.ahoy(&["messages", "--done", &format!("{}:1", short(&first))]).await;
    assert_eq!((done.code, done.out), (Some(0), format!("Done: {}:1\n", short(&first))));
    let left = json(&terminal, &["messages", "--json"]).await;
    let ids = |left: &Value| {
        left["left"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&left), [format!("{}:2", short(&second))]);
    assert_eq!(left["left"][0]["callback"]["about"], "A service");
    assert_eq!(left["left"][0]["caller"], json!({"number": "15550001111", "user_id": null, "name": null}));
    let all = json(&terminal, &["messages", "--json", "--all", "--number", "220"]).await;
    assert_eq!(ids(&all), [format!("{}:1", short(&first))]);
    assert!(all["left"][0]["done_at_ms"].as_u64().is_some());
}

#[tokio::test]
async fn nothing_left_is_said_and_unknown_ids_are_refused() {
    let terminal = Terminal::new().await;
    let call_ref = call(&terminal.store(), "wacid.1", "220", now_ms()).await;

    assert_eq!(terminal.ahoy(&["messages", "--number", "220"]).await.out, "Nothing is left to do.\n");
    let done = terminal.ahoy(&["messages", "--done", &format!("{}:1", short(&call_ref))]).await;
    assert_eq!((done.code, done.err.contains("nothing was left under")), (Some(1), true), "{done:?}");
    for wrong in [
        &["--done", "ab12"][..],
        &["--done", "ab12cd34:x"],
        &["--done", "ab12cd34ef:1", "--all"],
        &["--limit", "0"],
    ] {
        assert_eq!(terminal.ahoy(&[&["messages"], wrong].concat()).await.code, Some(64), "{wrong:?}");
    }
}

#[tokio::test]
async fn events_are_listed_by_how_far_they_are() {
    let terminal = Terminal::new().await;
    let (store, now) = (terminal.store(), now_ms());
    assert_eq!(terminal.ahoy(&["outbox"]).await.out, "No events.\n");
    let waiting = event(&store, "wacid.1", now, Some((Delivery::Again(now + MINUTE), None))).await;
    let failed = event(&store, "wacid.2", now, Some((Delivery::GivenUp, Some(503)))).await;
    let delivered = event(&store, "wacid.3", now, Some((Delivery::Delivered, Some(204)))).await;

    let listed = terminal.ahoy(&["outbox"]).await;

    assert_eq!(listed.code, Some(0), "{listed:?}");
    let rows: Vec<Vec<_>> = listed.out.lines().skip(1).map(|row| row.split_whitespace().collect()).collect();
    let row = |key: &OutboxKey, words: &str| -> Vec<String> {
        let id = format!("{}:call.ended 220 shop {words}", short(&key.call_ref));
        id.split_whitespace().map(str::to_owned).collect()
    };
    assert_eq!(rows[0][..7], row(&waiting, "waiting 1 timed out"));
    assert_eq!(rows[1][..7], row(&failed, "given up 1 503"));
    assert_eq!(rows[2][..6], row(&delivered, "delivered 1 204"));
    let all = json(&terminal, &["outbox", "--json"]).await;
    assert_eq!(all["events"][0]["id"], waiting.to_string());
    assert_eq!(
        (&all["events"][0]["due_ms"], &all["events"][1]["due_ms"]),
        (&json!(now + MINUTE), &Value::Null)
    );
    let cut = terminal.ahoy(&["outbox", "--limit", "1"]).await;
    assert!(cut.err.contains("--limit"), "{cut:?}");
}

#[tokio::test]
async fn events_are_made_due_again_one_by_one_or_all() {
    let terminal = Terminal::new().await;
    let (store, now) = (terminal.store(), now_ms());
    let given_up = Some((Delivery::GivenUp, Some(500)));
    let first = event(&store, "wacid.1", now, given_up).await;
    event(&store, "wacid.2", now, given_up).await;
    event(&store, "wacid.3", now, Some((Delivery::Refused, Some(410)))).await;

    let retried =
        terminal.ahoy(&["outbox", "--retry", &format!("{}:call.ended", short(&first.call_ref))]).await;
    assert_eq!(
        (retried.code, &retried.out[..]),
        (Some(0), "1 event due again; deliveries begin within a minute.\n")
    );
    assert_eq!(store.due_outbox(now_ms(), 9).await.unwrap(), [first]);
    let rest = json(&terminal, &["outbox", "--all-failed", "--json"]).await;
    assert_eq!(rest["due"].as_array().map(Vec::len), Some(2), "{rest}");
    assert_eq!(store.due_outbox(now_ms(), 9).await.unwrap().len(), 3);
    assert!(store.failed_in_outbox(0, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_event_that_is_not_there_is_not_retried() {
    let terminal = Terminal::new().await;
    let call_ref = call(&terminal.store(), "wacid.1", "220", now_ms()).await;

    let retried = terminal.ahoy(&["outbox", "--retry", &format!("{call_ref}:call.ended")]).await;
    assert_eq!((retried.code, retried.err.contains("there is no event")), (Some(1), true), "{retried:?}");
    let key = format!("{call_ref}:call.ended");
    for wrong in
        [&["--retry", "call.ended"][..], &["--retry", "ab12:call.ended"], &["--retry", &key, "--all-failed"]]
    {
        assert_eq!(terminal.ahoy(&[&["outbox"], wrong].concat()).await.code, Some(64), "{wrong:?}");
    }
}

/// Writes an answered call that has ended, with its caller.
async fn call(store: &Store, wacid: &str, number: &str, rang_at_ms: u64) -> CallRef {
    let caller = CallerNames { number: Some("15550001111".into()), user_id: None };
    let rang_at = Timestamp(rang_at_ms);
    let record = StoredCall::ringing(wacid, &number.into(), "v=0", caller, rang_at, Duration::from_secs(25));
    store.put(to_item(&record)).await.unwrap();
    let listed = CallListing {
        call_ref: record.call_ref(),
        line: Line::WhatsApp.into(),
        number: number.into(),
        rang_at_ms,
        start: Some("warm".into()),
        accepted_at_ms: Some(rang_at_ms + 500),
        ended_at_ms: Some(rang_at_ms + 7_500),
        ending: Some(Ending::CallerHungUp.into()),
        by: Some(Party::Caller.into()),
    };
    let day = jiff::Timestamp::from_millisecond(rang_at_ms as i64).unwrap().strftime("%Y-%m-%d").to_string();
    for item in listed.items(&[], &day, u64::MAX / 1_000) {
        store.put(item).await.unwrap();
    }
    record.call_ref()
}

async fn leave(store: &Store, call_ref: &CallRef, n: u64, at_ms: u64, kind: &str, mut what: Value) {
    what["pk"] = keys::call(call_ref).into();
    what["sk"] = keys::left(n).into();
    what["kind"] = kind.into();
    what["left_at_ms"] = at_ms.into();
    let item: Item = to_item(&what);
    store.put(item).await.unwrap();
}

/// Writes the end of a call as an event, and the result of one try, if there was one.
async fn event(store: &Store, wacid: &str, now: u64, tried: Option<(Delivery, Option<u16>)>) -> OutboxKey {
    let key = OutboxKey::of(&call(store, wacid, "220", now).await, OutboxEvent::CallEnded);
    store.put_into_outbox(&OutboxItem::new(&key, &"220".into(), Some("shop"), now)).await.unwrap();
    if let Some((next, status)) = tried {
        let claim = store.claim_from_outbox(&key, now, now + MINUTE).await.unwrap();
        let OutboxClaim::Yours(claimed) = claim else { panic!("it is due") };
        let why = status.is_none().then_some("timed_out");
        assert!(store.finish_outbox_try(&claimed, &OutboxTry { next, status, why }, now).await.unwrap());
    }
    key
}

fn short(call_ref: &CallRef) -> &str {
    &call_ref.as_str()[..12]
}

async fn json(terminal: &Terminal, words: &[&str]) -> Value {
    let output = terminal.ahoy(words).await;
    assert_eq!(output.code, Some(0), "{output:?}");
    serde_json::from_str(&output.out).unwrap()
}
