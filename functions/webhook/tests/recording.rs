//! Each notice is recorded and acted on once, whatever DynamoDB and Lambda do.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod stage;

use call::CallerDetails;
use serde_json::{Value, json};
use stage::{NUMBER, Stage, batch, change, connect, connect_stamped, terminate};
use std::path::Path;
use store::{LoadedCall, call_ref};

#[tokio::test]
async fn a_connect_costs_one_transaction_and_one_invocation() {
    let stage = Stage::new().await;

    assert_eq!(stage.calls(json!([connect("wacid.A")])).await, 200);

    assert_eq!(stage.cloud.requests(), ["TransactWriteItems", "Invoke"]);
    assert_eq!(stage.cloud.events().await, ["WA_CALL_CONNECT"]);
}

#[tokio::test]
async fn what_a_connect_says_of_its_caller_is_kept_with_it_alone() {
    let stage = Stage::new().await;
    let mut call = connect("wacid.A");
    (call["deeplink_payload"], call["cta_payload"]) = (json!("campaign-42"), json!("button-7\r\n"));
    let mut change = change(NUMBER, json!([call]));
    change["value"]["contacts"] =
        json!([{"wa_id": "919900000001", "profile": {"name": "Asha", "username": "asha.k"}}]);

    assert_eq!(stage.post(&batch(json!([change]))).await, 200);

    let details = record(&stage, "wacid.A").await.caller_details();
    let expected = CallerDetails {
        number: Some("919900000001".into()),
        number_verified: true,
        user_id: None,
        name: Some("Asha".into()),
        username: Some("asha.k".into()),
        deeplink_payload: Some("campaign-42".into()),
        cta_payload: Some("button-7".into()),
        called_number: Some("15550001111".into()),
    };
    assert!(details == expected, "{}", json!(details));
    let others = stage.cloud.items().await.into_iter().filter(|item| item["sk"] != "STATE");
    assert!(others.into_iter().all(|item| !item.to_string().contains("asha.k")));
}

#[tokio::test]
async fn a_redelivered_connect_is_ordered_until_call_control_takes_it_up() {
    let stage = Stage::new().await;
    let batch = json!([connect("wacid.A")]);
    stage.calls(batch.clone()).await;
    stage.cloud.forget_requests();

    assert_eq!(stage.calls(batch.clone()).await, 200);
    assert_eq!(stage.cloud.requests(), ["TransactWriteItems", "GetItem", "Invoke"]);

    let mut record = record(&stage, "wacid.A").await;
    record.call.attempts = 1;
    stage.store().save_call(&mut record, &[], vec![], None).await.unwrap().unwrap();
    stage.cloud.forget_requests();
    assert_eq!(stage.calls(batch).await, 200);
    assert_eq!(stage.cloud.requests(), ["TransactWriteItems", "GetItem"]);
    assert_eq!(stage.cloud.events().await, ["WA_CALL_CONNECT"]);
}

#[tokio::test]
async fn any_other_redelivery_costs_one_failed_write() {
    let stage = Stage::new().await;
    let status = json!({"id": "wacid.A", "event": "call_created"});
    for (item, write) in [(terminate("wacid.A"), "TransactWriteItems"), (status, "PutItem")] {
        stage.calls(json!([item])).await;
        stage.cloud.forget_requests();

        assert_eq!(stage.calls(json!([item])).await, 200);
        assert_eq!(stage.cloud.requests(), [write]);
    }
    assert_eq!(stage.cloud.events().await, ["WA_CALL_NOTICE", "WA_CALL_OVER"]);
}

#[tokio::test]
async fn a_connect_after_its_terminate_is_not_answered() {
    let stage = Stage::new().await;
    stage.calls(json!([terminate("wacid.A")])).await;
    stage.cloud.forget_requests();

    assert_eq!(stage.calls(json!([connect("wacid.A")])).await, 200);

    assert!(!stage.cloud.requests().contains(&"Invoke".to_owned()));
    assert_eq!(stage.store().load_call(&call_ref("wacid.A")).await.unwrap(), LoadedCall::EndOnly);
    assert_eq!(stage.cloud.events().await, ["WA_CALL_CONNECT", "WA_CALL_OVER"], "both are recorded");
}

#[tokio::test]
async fn a_connect_and_its_terminate_in_one_batch_are_one_transaction() {
    let stage = Stage::new().await;

    assert_eq!(stage.calls(json!([terminate("wacid.A"), connect("wacid.A"), connect("wacid.A")])).await, 200);

    assert_eq!(stage.cloud.requests(), ["TransactWriteItems", "Invoke"]);
    assert!(record(&stage, "wacid.A").await.hung_up.is_some());
}

#[tokio::test]
async fn records_the_new_part_of_a_partly_repeated_batch() {
    let stage = Stage::new().await;
    stage.calls(json!([connect("wacid.A")])).await;

    assert_eq!(stage.calls(json!([connect("wacid.A"), terminate("wacid.A")])).await, 200);

    assert!(record(&stage, "wacid.A").await.hung_up.is_some());
    assert_eq!(stage.cloud.events().await, ["WA_CALL_CONNECT", "WA_CALL_OVER"]);
}

#[tokio::test]
async fn a_conflict_is_retried_and_then_a_500() {
    let stage = Stage::new().await;
    for busy in ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"] {
        let id = format!("wacid.{busy}");
        stage.cloud.fail("TransactWriteItems", [cancelled(busy), cancelled(busy)]);
        assert_eq!(stage.calls(json!([connect(&id)])).await, 200);
        assert_eq!(record(&stage, &id).await.wacid, Some(id));
    }
    stage.cloud.fail("TransactWriteItems", (0..5).map(|_| cancelled("TransactionConflict")));
    stage.cloud.forget_requests();

    assert_eq!(stage.calls(json!([connect("wacid.Z")])).await, 500);
    assert_eq!(stage.cloud.requests(), ["TransactWriteItems"; 5]);

    assert_eq!(stage.calls(json!([connect("wacid.Z")])).await, 200, "Meta sends again");
}

#[tokio::test]
async fn a_failed_write_or_order_answers_500_and_harms_no_other_call() {
    let stage = Stage::new().await;
    let broken = json!({"__type": "com.amazonaws.dynamodb.v20120810#AccessDeniedException", "message": "no"});
    stage.cloud.fail("PutItem", [broken]);
    stage.cloud.fail("Invoke", [json!({"Type": "User", "message": "slow down"})]);
    let batch = json!([{"id": "wacid.S", "event": "call_created"}, connect("wacid.A"), connect("wacid.B")]);

    assert_eq!(stage.calls(batch.clone()).await, 500);
    assert_eq!(stage.cloud.events().await, ["WA_CALL_CONNECT", "WA_CALL_CONNECT"]);

    stage.cloud.forget_requests();
    assert_eq!(stage.calls(batch).await, 200, "Meta sends again");
    let invoked = stage.cloud.requests().iter().filter(|name| *name == "Invoke").count();
    assert_eq!(invoked, 2, "call-control has taken up neither call yet");
    assert_eq!(stage.cloud.events().await.len(), 3);
}

#[tokio::test]
async fn records_but_does_not_answer_stale_calls_and_other_numbers() {
    let stage = Stage::new().await;
    let foreign =
        stage::batch(json!([stage::change("999", json!([connect("wacid.F"), terminate("wacid.G")]))]));

    assert_eq!(stage.post(&foreign).await, 200);
    assert_eq!(stage.calls(json!([connect_stamped("wacid.S", 200)])).await, 200);
    assert!(!stage.cloud.requests().contains(&"Invoke".to_owned()));
    assert_eq!(stage.cloud.events().await, ["WA_CALL_NOT_OURS", "WA_CALL_NOT_OURS", "WA_CALL_STALE"]);

    for age_s in [120, -120] {
        assert_eq!(stage.calls(json!([connect_stamped(&format!("wacid.{age_s}"), age_s)])).await, 200);
        assert!(
            stage.cloud.requests().contains(&"Invoke".to_owned()),
            "Meta's clock may be off by two minutes"
        );
    }
}

#[tokio::test]
async fn no_webhook_of_the_corpus_costs_a_connect_in_its_batch() {
    let stage = Stage::new().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/whatsapp");
    let mut posted = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let body = std::fs::read_to_string(&path).unwrap();
        let Some((head, items)) = body.split_once("\"entry\": [") else { continue };
        let ringing = json!({"changes": [stage::change(stage::NUMBER, json!([connect(&name)]))]});
        let body = format!("{head}\"entry\": [{ringing}, {items}");

        assert_eq!(stage.post_text(&body).await, 200, "{name}");

        assert_eq!(record(&stage, &name).await.wacid.as_ref(), Some(&name));
        assert!(stage.cloud.requests().contains(&"Invoke".to_owned()), "{name}");
        posted += 1;
    }
    assert!(posted >= 60, "{posted}");
}

async fn record(stage: &Stage, id: &str) -> store::StoredCall {
    match stage.store().load_call(&call_ref(id)).await.unwrap() {
        LoadedCall::Found(record) => *record,
        other => panic!("{id}: {other:?}"),
    }
}

fn cancelled(code: &str) -> Value {
    json!({"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "message": code,
        "CancellationReasons": [{"Code": "None"}, {"Code": code, "Message": code}]})
}
