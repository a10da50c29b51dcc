//! What a business is told, how often, and what is recorded of it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod stage;

use serde_json::json;
use stage::{Stage, all_events, now_ms};
use std::sync::Arc;
use store::items::to_item;
use store::{Chosen, LoadedCall, OutboxEvent, OutboxItem, OutboxKey, OutboxState, keys};
use tokio::sync::Barrier;

#[tokio::test]
async fn the_end_of_a_call_is_told_once() {
    let stage = Stage::new("transcript = true\ntells_caller = true").await;
    let key = stage.ended_call("wacid.A").await;

    let run = stage.run_for(&key).await;
    stage.run().await;

    let told = stage.business.told();
    assert_eq!((run.done, told.len()), (1, 1));
    assert_eq!(told[0].headers["x-ahoy-event"], "call.ended");
    assert_eq!(told[0].headers["webhook-id"], key.to_string().as_str());
    let body = &told[0].body;
    assert_eq!((&body["ending"], &body["talked_s"]), (&json!("caller_hung_up"), &json!(40)));
    assert_eq!((&body["complete"], &body["turns"]), (&json!(true), &json!(3)));
    assert_eq!(body["caller"]["number"], "+919900000001");
    assert_eq!(body["transcript"][0]["text"], "Where is my order A-17?");
    assert_eq!(body["left"][0]["message"], "Call me.");
    assert_eq!(stage.item(&key).await.unwrap().state.known(), Some(OutboxState::Delivered));
    let journal = stage.journal(&key).await;
    assert_eq!(
        (&journal[0]["event"], &journal[0]["outcome"]),
        (&json!("WA_CALL_AFTER_SENT"), &json!("delivered"))
    );
    assert_eq!((&journal[0]["status"], &journal[0]["tries"]), (&json!(204), &json!(1)));
    assert_eq!(journal.len(), 1);
}

#[tokio::test]
async fn a_failed_delivery_is_tried_again_with_the_same_id() {
    let stage = Stage::new("").await;
    stage.push_agent(&all_events()).await;
    let key = stage.ended_call("wacid.A").await;
    stage.business.answer([500]);

    stage.run().await;

    let waiting = stage.item(&key).await.unwrap();
    let in_ms = waiting.due_ms().unwrap() - now_ms();
    assert!((25_000..=30_000).contains(&in_ms), "{in_ms}");
    assert_eq!((waiting.tries, waiting.status), (1, Some(500)));
    stage.run().await;
    let first = stage.business.told();
    assert_eq!(first.len(), 1, "it is not due yet");
    stage.store.deliver_again(&key, now_ms()).await.unwrap();
    stage.run().await;
    let second = stage.business.told();
    assert_eq!(second[0].headers["webhook-id"], first[0].headers["webhook-id"]);
    let journal = stage.journal(&key).await;
    let outcomes: Vec<_> = journal.iter().map(|event| &event["outcome"]).collect();
    assert_eq!(outcomes, ["again", "delivered"], "a retry keeps the entries of earlier tries");
    assert_eq!(stage.item(&key).await.unwrap().state.known(), Some(OutboxState::Delivered));
}

#[tokio::test]
async fn a_business_that_answers_410_gets_no_more() {
    let stage = Stage::new("transcript = false").await;
    let key = stage.ended_call("wacid.A").await;
    stage.business.answer([410]);

    stage.run().await;

    let refused = stage.item(&key).await.unwrap();
    assert_eq!((refused.state.known(), refused.due_ms()), (Some(OutboxState::Refused), None));
}

#[tokio::test]
async fn the_last_try_gives_up() {
    let stage = Stage::new("transcript = false").await;
    let key = stage.ended_call("wacid.A").await;
    stage.change(&key, |item| item.tries = 6).await;
    stage.business.answer([503]);

    stage.run().await;

    assert_eq!(stage.item(&key).await.unwrap().state.known(), Some(OutboxState::GivenUp));
    assert_eq!(
        stage.journal(&key).await[0],
        json!({"event": "WA_CALL_AFTER_GIVEN_UP", "what": "call.ended", "status": 503, "tries": 7})
    );
}

#[tokio::test]
async fn an_event_that_processes_died_of_is_given_up_untried() {
    let stage = Stage::new("transcript = false").await;
    let key = stage.ended_call("wacid.A").await;
    stage.change(&key, |item| item.tries = 7).await;

    stage.run().await;

    assert_eq!(stage.item(&key).await.unwrap().state.known(), Some(OutboxState::GivenUp));
    assert!(stage.business.told().is_empty());
}

#[tokio::test]
async fn a_forgotten_callers_event_is_dropped() {
    let stage = Stage::new("transcript = true").await;
    let key = stage.ended_call("wacid.A").await;
    let partition = keys::call(&key.call_ref);
    let all = stage.store.keys_in_partition(&partition).await.unwrap();
    stage.store.delete_items(all.iter().filter(|(_, sk)| !sk.starts_with(keys::AFTER))).await.unwrap();

    stage.run().await;

    assert!(stage.business.told().is_empty());
    assert!(stage.store.keys_in_partition(&partition).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_event_that_no_file_asks_for_is_dropped() {
    let stage = Stage::new("on = [\"message.taken\"]").await;
    let ended = stage.ended_call("wacid.A").await;
    let taken = OutboxKey::nth(&ended.call_ref, OutboxEvent::MessageTaken, 1);
    let item = OutboxItem::new(&taken, &stage::NUMBER.into(), Some("shop"), now_ms()).about(&keys::left(1));
    stage.store.put_into_outbox(&item).await.unwrap();

    stage.run().await;

    let told = stage.business.told();
    assert_eq!((told.len(), told[0].headers["x-ahoy-event"].to_str().unwrap()), (1, "message.taken"));
    assert_eq!(told[0].body["left"][0]["message"], "Call me.");
    assert_eq!(stage.item(&ended).await, None);
    let journal = stage.journal(&ended).await;
    assert_eq!((&journal[0]["what"], &journal[0]["outcome"]), (&json!("call.ended"), &json!("unwanted")));
}

#[tokio::test]
async fn the_event_of_a_deleted_agent_goes_to_no_other() {
    let stage = Stage::new("transcript = false").await;
    let key = stage.ended_call("wacid.A").await;
    stage.change(&key, |item| item.agent = Some("gone".to_owned())).await;

    stage.run().await;

    assert!(stage.business.told().is_empty());
    let waiting = stage.item(&key).await.unwrap();
    assert_eq!((waiting.state.known(), waiting.why.as_deref()), (Some(OutboxState::Waiting), Some("agent")));
}

#[tokio::test]
async fn an_event_without_an_agent_goes_to_the_chosen_one() {
    let stage = Stage::new("transcript = false").await;
    let key = stage.ended_call("wacid.A").await;
    stage.change(&key, |item| item.agent = None).await;
    stage.push_again_as("chosen").await;
    stage.store.assign(&stage::NUMBER.into(), "gone").await.unwrap();
    let LoadedCall::Found(mut call) = stage.store.load_call(&key.call_ref).await.unwrap() else { panic!() };
    call.chosen = Some(Chosen { agent: Some("chosen".to_owned()), ..Chosen::default() });
    stage.store.put(to_item(&call)).await.unwrap();

    stage.run().await;

    assert_eq!(stage.business.told()[0].body["agent"], "chosen");
}

#[tokio::test]
async fn a_pushed_agent_with_the_default_name_gets_its_own_calls() {
    let stage = Stage::new("transcript = false").await;
    let name = agents::Agent::built_in().name;
    stage.push_again_as(&name).await;
    let of_default = stage.ended_call("wacid.A").await;
    stage.change(&of_default, |item| item.agent = Some(name.clone())).await;

    stage.run().await;
    assert!(stage.business.told().is_empty(), "the built-in agent tells nothing");

    let of_pushed = stage.ended_call("wacid.B").await;
    stage.change(&of_pushed, |item| item.agent = Some(name.clone())).await;
    stage.store.assign(&stage::NUMBER.into(), &name).await.unwrap();
    stage.run().await;
    assert_eq!(stage.business.told()[0].body["agent"], name.as_str());
}

#[tokio::test]
async fn an_event_whose_secret_is_missing_waits() {
    let stage = Stage::new("transcript = false").await;
    let file = stage
        .store
        .agent("shop")
        .await
        .unwrap()
        .unwrap()
        .text
        .replace("sign_with = \"shop\"", "sign_with = \"other\"");
    stage.store.put_agent(&store::StoredAgent::new("shop", &file, now_ms())).await.unwrap();
    let key = stage.ended_call("wacid.A").await;

    stage.run().await;

    let waiting = stage.item(&key).await.unwrap();
    assert_eq!((waiting.state.known(), waiting.why.as_deref()), (Some(OutboxState::Waiting), Some("secret")));
}

#[tokio::test]
async fn a_business_gets_one_event_at_a_time() {
    let stage = Stage::new("transcript = false").await;
    for wacid in ["wacid.A", "wacid.B", "wacid.C"] {
        stage.ended_call(wacid).await;
    }

    tokio::join!(stage.run(), stage.run());
    stage.run().await;

    assert_eq!((stage.business.told().len(), stage.business.most_at_once()), (3, 1));
}

#[tokio::test]
async fn an_event_waits_while_another_process_tells_its_business() {
    let stage = Stage::new("transcript = false").await;
    let (slow, waits) = (stage.ended_call("wacid.A").await, stage.ended_call("wacid.B").await);
    let barrier = Arc::new(Barrier::new(2));
    stage.business.meet(barrier.clone());

    let first = stage.run_for(&slow);
    let second = async {
        barrier.wait().await;
        let run = stage.run_for(&waits).await;
        let waiting = stage.item(&waits).await.unwrap();
        barrier.wait().await;
        (run.done, waiting.tries)
    };
    let (_, second) = tokio::join!(first, second);

    assert_eq!(second, (0, 0));
    assert_eq!(
        stage.item(&waits).await.unwrap().state.known(),
        Some(OutboxState::Delivered),
        "the first delivers it, too"
    );
}

#[tokio::test]
async fn the_other_events_of_a_silent_host_wait_untried() {
    let mut stage = Stage::new("transcript = false").await;
    let keys = [stage.ended_call("wacid.A").await, stage.ended_call("wacid.B").await];
    stage.business.close().await;

    stage.run().await;

    let mut items = [stage.item(&keys[0]).await.unwrap(), stage.item(&keys[1]).await.unwrap()];
    items.sort_by_key(|item| item.tries);
    assert_eq!((items[0].tries, items[0].why.as_deref()), (0, None));
    assert!(items[0].due_ms().unwrap() > now_ms() + 50_000);
    assert_eq!((items[1].tries, items[1].why.as_deref()), (1, Some("connection")));
}

#[tokio::test]
async fn an_event_that_cannot_be_read_waits_for_a_later_release() {
    let stage = Stage::new("transcript = false").await;
    let key = stage.ended_call("wacid.A").await;
    let (pk, sk) = (keys::call(&key.call_ref), key.sort_key());
    let mut item = stage.store.item(&pk, &sk).await.unwrap().unwrap();
    item.insert("at_ms".into(), store::items::text("soon"));
    stage.store.put(item.clone()).await.unwrap();

    stage.run().await;

    let waiting = stage.store.item(&pk, &sk).await.unwrap().unwrap();
    assert_eq!(waiting["gsi1pk"], store::items::text(keys::OUTBOX));
    assert_eq!(waiting.get("claimed_until_ms"), None);
    item.insert("tries".into(), store::items::number(6));
    stage.store.put(item).await.unwrap();
    stage.run().await;
    let aside = stage.store.item(&pk, &sk).await.unwrap().unwrap();
    assert_eq!(aside["gsi1pk"], store::items::text(keys::OUTBOX_FAILED));
    assert_eq!(
        stage.journal(&key).await,
        [json!({"event": "WA_CALL_AFTER_GIVEN_UP", "what": "call.ended", "why": "unreadable", "tries": 7})]
    );
}
