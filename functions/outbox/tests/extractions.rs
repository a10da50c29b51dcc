//! What a model extracts from a transcript, and what a business is told when it does not.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod stage;

use serde_json::json;
use stage::{NUMBER, Stage, now_ms};
use store::{OutboxState, keys};

const EXTRACT: &str = "[after.extract]\nmodel = \"gpt-6-luna\"\nsummary = true\n\
    [after.extract.properties]\norder = { type = [\"string\", \"null\"] }\n";

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
    let journal = stage.journal(&key).await;
    let extracted = journal.iter().find(|event| event["event"] == "WA_CALL_AFTER_EXTRACTED").unwrap();
    assert_eq!((&extracted["outcome"], &extracted["code"]), (&json!("failed"), &json!("model_not_found")));
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
