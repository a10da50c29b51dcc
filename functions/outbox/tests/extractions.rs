//! What a model extracts from a transcript, and what a business is told when it does not.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod stage;

use serde_json::json;
use stage::{NUMBER, Stage, now_ms};
use std::sync::Arc;
use std::time::Duration;
use store::{OutboxEvent, OutboxItem, OutboxKey, OutboxState, keys};
use tokio::sync::Barrier;

const EXTRACT: &str = "[after.extract]\nmodel = \"gpt-6-luna\"\nsummary = true\n\
    [after.extract.properties]\norder = { type = [\"string\", \"null\"] }\n";

/// The longest that a test waits for what happens at once.
const AT_MOST: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_model_is_asked_once_for_all_tries() {
    let stage = Stage::new(EXTRACT).await;
    let key = stage.ended_call("wacid.A").await;
    stage.model.say(&json!({"summary": "It is about A-17.", "extracted": {"order": "A-17"}}));
    stage.business.answer([500]);

    stage.run().await;
    stage.store.deliver_again(&key, now_ms()).await.unwrap();
    stage.run().await;

    let asked = stage.model.asked();
    assert_eq!(
        (asked.len(), &asked[0]["model"], &asked[0]["store"]),
        (1, &json!("gpt-6-luna"), &json!(false))
    );
    assert!(asked[0]["input"].as_str().unwrap().contains("Where is my order A-17?"));
    let told = stage.business.told();
    assert_eq!(told.len(), 2);
    for told in told {
        assert_eq!(told.body["summary"], "It is about A-17.");
        assert_eq!(told.body["extracted"], json!({"order": "A-17"}));
        assert_eq!(told.body["cost_usd"], 0.00135);
    }
    let day = agents::Agent::built_in().day(now_ms());
    assert_eq!(stage.store.spent(&NUMBER.into(), &day).await.unwrap(), 350, "it is counted once");
}

#[tokio::test]
async fn a_model_is_asked_about_several_calls_at_once() {
    let stage = Stage::new(EXTRACT).await;
    for wacid in ["wacid.A", "wacid.B"] {
        stage.ended_call(wacid).await;
        stage.model.say(&json!({"summary": "It is about A-17.", "extracted": {"order": "A-17"}}));
    }
    stage.model.meet([Arc::new(Barrier::new(2))]);

    tokio::time::timeout(AT_MOST, stage.run()).await.expect("one waits for the other");

    assert_eq!((stage.model.asked().len(), stage.business.told().len()), (2, 2));
    assert_eq!(stage.business.most_at_once(), 1);
}

#[tokio::test]
async fn a_business_gets_other_events_while_a_model_thinks() {
    let stage = Stage::new(&format!("{}\n{EXTRACT}", stage::all_events())).await;
    let ended = stage.ended_call("wacid.A").await;
    let taken = OutboxKey::nth(&ended.call_ref, OutboxEvent::MessageTaken, 1);
    stage.model.say(&json!({"summary": "It is about A-17.", "extracted": {"order": "A-17"}}));
    let (asked, told) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    stage.model.meet([asked.clone(), told.clone()]);

    let first = stage.run_for(&ended);
    let second = async {
        asked.wait().await;
        let item = OutboxItem::new(&taken, &NUMBER.into(), Some("shop"), now_ms()).about(&keys::left(1));
        stage.store.put_into_outbox(&item).await.unwrap();
        let run = stage.run_for(&taken).await;
        told.wait().await;
        run.done
    };
    let both = async { tokio::join!(first, second) };
    let (first, second) = tokio::time::timeout(AT_MOST, both).await.expect("one waits for the other");

    assert_eq!((first.done, second), (1, 1));
    let told: Vec<_> =
        stage.business.told().iter().map(|told| told.headers["x-ahoy-event"].clone()).collect();
    assert_eq!(told, ["message.taken", "call.ended"]);
}

#[tokio::test]
async fn an_event_waits_for_a_busy_model_until_the_third_try() {
    let stage = Stage::new(EXTRACT).await;
    let key = stage.ended_call("wacid.A").await;
    stage.model.fail(429, "rate_limit_exceeded");

    stage.run().await;

    let waiting = stage.item(&key).await.unwrap();
    assert_eq!(
        (waiting.state.known(), waiting.why.as_deref()),
        (Some(OutboxState::Waiting), Some("extraction"))
    );
    assert!(stage.business.told().is_empty());
    stage.store.deliver_again(&key, now_ms()).await.unwrap();
    stage.change(&key, |item| item.tries = 2).await;
    stage.model.fail(500, "server_error");
    stage.run().await;
    let told = stage.business.told();
    assert_eq!(
        (&told[0].body["extraction"], &told[0].body["extraction_error"]),
        (&json!("failed"), &json!("unanswered"))
    );
}

#[tokio::test]
async fn an_unknown_model_fails_at_once() {
    let stage = Stage::new(EXTRACT).await;
    let key = stage.ended_call("wacid.A").await;
    stage.model.fail(404, "model_not_found");

    stage.run().await;

    let told = stage.business.told();
    assert_eq!(told[0].body["extraction_error"], "model_not_found");
    let kept = stage.store.item(&keys::call(&key.call_ref), keys::EXTRACT).await.unwrap().unwrap();
    assert_eq!(kept["error"], store::items::text("model_not_found"));
    let line = stage.store.item(&keys::call(&key.call_ref), &keys::line(0)).await.unwrap().unwrap();
    assert_eq!(kept[keys::TTL], line[keys::TTL], "it expires with the transcript");
    let journal = stage.journal(&key).await;
    let extracted = journal.iter().find(|event| event["event"] == "WA_CALL_AFTER_EXTRACTED").unwrap();
    assert_eq!((&extracted["outcome"], &extracted["code"]), (&json!("failed"), &json!("model_not_found")));
}

#[tokio::test]
async fn a_model_that_gave_nothing_is_asked_again_with_a_retry() {
    let stage = Stage::new(EXTRACT).await;
    let key = stage.ended_call("wacid.A").await;
    stage.model.fail(404, "model_not_found");
    stage.run().await;
    stage.model.say(&json!({"summary": "It is about A-17.", "extracted": {"order": "A-17"}}));

    stage.store.deliver_again(&key, now_ms()).await.unwrap();
    stage.run().await;

    assert_eq!(stage.business.told()[1].body["summary"], "It is about A-17.");
}

#[tokio::test]
async fn an_answer_that_does_not_fit_the_schema_is_not_told() {
    let stage = Stage::new(EXTRACT).await;
    stage.ended_call("wacid.A").await;
    stage.model.say(&json!({"summary": "It is about A-17.", "extracted": {"order": 17}}));

    stage.run().await;

    let told = stage.business.told();
    assert_eq!((&told[0].body["extraction_error"], told[0].body.get("summary")), (&json!("misfit"), None));
}

#[tokio::test]
async fn a_call_in_which_nothing_was_said_is_not_read() {
    let stage = Stage::new(EXTRACT).await;
    let key = stage.ended_call("wacid.A").await;
    let line = (keys::call(&key.call_ref), keys::line(0));
    stage.store.delete_items([&line]).await.unwrap();

    stage.run().await;

    assert!(stage.model.asked().is_empty());
    assert_eq!(stage.business.told()[0].body["extraction_error"], "no_transcript");
}
