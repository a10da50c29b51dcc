//! Without a list of numbers, ours are those that have an agent.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod stage;

use serde_json::json;
use stage::{NUMBER, Stage, batch, change, connect, terminate};
use store::{Store, StoredAgent};
use switchboard::intake::KnownNumbers;

const ANOTHER: &str = "330000000000003";

#[tokio::test]
async fn a_number_is_ours_once_it_has_an_agent() {
    let stage = Stage::with(KnownNumbers::WithAgents).await;
    assert_eq!(stage.calls(json!([connect("wacid.A")])).await, 200);
    assert_eq!(stage.cloud.events().await, ["WA_CALL_NOT_OURS"]);

    has_an_agent(&stage, NUMBER).await;
    assert_eq!(stage.calls(json!([connect("wacid.B")])).await, 200);

    assert_eq!(stage.cloud.events().await, ["WA_CALL_CONNECT", "WA_CALL_NOT_OURS"]);
}

#[tokio::test]
async fn only_a_connect_costs_an_extra_read() {
    let stage = Stage::with(KnownNumbers::WithAgents).await;
    has_an_agent(&stage, NUMBER).await;
    stage.cloud.forget_requests();

    stage.calls(json!([connect("wacid.A")])).await;
    assert_eq!(stage.cloud.requests(), ["GetItem", "TransactWriteItems", "Invoke"]);

    stage.calls(json!([terminate("wacid.A")])).await;
    assert_eq!(stage.cloud.requests(), ["TransactWriteItems", "Invoke"]);
}

#[tokio::test]
async fn looks_up_each_number_of_a_batch() {
    let stage = Stage::with(KnownNumbers::WithAgents).await;
    has_an_agent(&stage, NUMBER).await;
    let changes = [
        change(ANOTHER, json!([connect("wacid.A"), connect("wacid.C")])),
        change(NUMBER, json!([connect("wacid.B")])),
    ];
    stage.cloud.forget_requests();

    assert_eq!(stage.post(&batch(json!(changes))).await, 200);

    let reads = stage.cloud.requests().into_iter().filter(|operation| operation == "GetItem").count();
    assert_eq!(reads, 2, "one for each number");
    let events = ["WA_CALL_CONNECT", "WA_CALL_NOT_OURS", "WA_CALL_NOT_OURS"];
    assert_eq!(stage.cloud.events().await, events);
}

#[tokio::test]
async fn a_failed_number_lookup_has_meta_send_again() {
    let stage = Stage::with(KnownNumbers::WithAgents).await;
    has_an_agent(&stage, NUMBER).await;
    stage.cloud.fail("GetItem", [json!({"__type": "com.amazon.coral.availability#ThrottlingException"})]);

    assert_eq!(stage.calls(json!([connect("wacid.A")])).await, 500);
    assert_eq!(stage.calls(json!([connect("wacid.A")])).await, 200);

    assert_eq!(stage.cloud.events().await, ["WA_CALL_CONNECT"]);
}

#[tokio::test]
async fn a_listed_number_costs_no_read() {
    let stage = Stage::new().await;

    stage.calls(json!([connect("wacid.A")])).await;

    assert_eq!(stage.cloud.requests(), ["TransactWriteItems", "Invoke"]);
    assert_eq!(stage.cloud.events().await, ["WA_CALL_CONNECT"]);
}

async fn has_an_agent(stage: &Stage, number: &str) {
    let store = Store::new(aws_sdk_dynamodb::Client::new(&stage.cloud.sdk_config()), "ahoy");
    store.put_agent(&StoredAgent::new("shop", "name = \"shop\"", 1)).await.unwrap();
    store.assign(&number.into(), "shop").await.unwrap();
}
