//! Which numbers are ours when none are listed: those that have an agent.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod stage;

use serde_json::json;
use stage::{NUMBER, Stage, batch, change, connect, terminate};
use store::{Store, StoredAgent};
use switchboard::intake::KnownNumbers;

const ANOTHER: &str = "330000000000003";

#[tokio::test]
async fn a_number_is_ours_once_an_agent_was_pushed_for_it() {
    let stage = Stage::with(KnownNumbers::WithAgents).await;
    assert_eq!(stage.calls(json!([connect("wacid.A")])).await, 200);
    assert_eq!(stage.cloud.events().await, ["WA_CALL_NOT_OURS"]);

    has_an_agent(&stage, NUMBER).await;
    assert_eq!(stage.calls(json!([connect("wacid.B")])).await, 200);

    assert_eq!(stage.cloud.events().await, ["WA_CALL_CONNECT", "WA_CALL_NOT_OURS"]);
}

#[tokio::test]
async fn a_connect_costs_one_read_more_and_nothing_else_does() {
    let stage = Stage::with(KnownNumbers::WithAgents).await;
    has_an_agent(&stage, NUMBER).await;
    stage.cloud.forget_requests();

    stage.calls(json!([connect("wacid.A")])).await;
    assert_eq!(stage.cloud.asked(), ["GetItem", "TransactWriteItems", "Invoke"]);

    stage.calls(json!([terminate("wacid.A")])).await;
    assert_eq!(stage.cloud.asked(), ["TransactWriteItems", "Invoke"]);
}

#[tokio::test]
async fn of_two_numbers_in_a_batch_the_one_with_an_agent_is_ours() {
    let stage = Stage::with(KnownNumbers::WithAgents).await;
    has_an_agent(&stage, NUMBER).await;
    let changes = [
        change(ANOTHER, json!([connect("wacid.A"), connect("wacid.C")])),
        change(NUMBER, json!([connect("wacid.B")])),
    ];
    stage.cloud.forget_requests();

    assert_eq!(stage.post(&batch(json!(changes))).await, 200);

    let reads = stage.cloud.asked().into_iter().filter(|asked| asked == "GetItem").count();
    assert_eq!(reads, 2, "one for each number");
    let events = ["WA_CALL_CONNECT", "WA_CALL_NOT_OURS", "WA_CALL_NOT_OURS"];
    assert_eq!(stage.cloud.events().await, events);
}

#[tokio::test]
async fn a_table_that_cannot_say_whose_number_it_is_has_meta_send_again() {
    let stage = Stage::with(KnownNumbers::WithAgents).await;
    has_an_agent(&stage, NUMBER).await;
    stage.cloud.fail("GetItem", [json!({"__type": "com.amazon.coral.availability#ThrottlingException"})]);

    assert_eq!(stage.calls(json!([connect("wacid.A")])).await, 500);
    assert_eq!(stage.calls(json!([connect("wacid.A")])).await, 200);

    assert_eq!(stage.cloud.events().await, ["WA_CALL_CONNECT"]);
}

#[tokio::test]
async fn a_listed_number_is_ours_without_an_agent_and_costs_no_read() {
    let stage = Stage::new().await;

    stage.calls(json!([connect("wacid.A")])).await;

    assert_eq!(stage.cloud.asked(), ["TransactWriteItems", "Invoke"]);
    assert_eq!(stage.cloud.events().await, ["WA_CALL_CONNECT"]);
}

async fn has_an_agent(stage: &Stage, number: &str) {
    let ledger = Store::new(aws_sdk_dynamodb::Client::new(&stage.cloud.sdk_config()), "ahoy");
    ledger.put_agent(&StoredAgent::new("shop", "name = \"shop\"", 1)).await.unwrap();
    ledger.assign(number, "shop").await.unwrap();
}
