//! How saving a call maps DynamoDB's errors.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod stage;

use serde_json::{Value, json};
use stage::{Stage, connect};
use store::{LoadedCall, SaveError, call_ref};

#[tokio::test]
async fn only_a_change_by_another_process_is_a_conflict() {
    let stage = Stage::new().await;
    stage.calls(json!([connect("wacid.A")])).await;
    let LoadedCall::Found(mut record) = stage.store().load_call(&call_ref("wacid.A")).await.unwrap() else {
        panic!()
    };
    for (code, unsaved) in [
        ("ConditionalCheckFailed", SaveError::Conflict),
        ("TransactionConflict", SaveError::Conflict),
        ("ValidationError", SaveError::Permanent("ValidationError".into())),
        ("ItemCollectionSizeLimitExceeded", SaveError::Permanent("ItemCollectionSizeLimitExceeded".into())),
    ] {
        stage.cloud.fail("TransactWriteItems", [cancelled(code)]);

        assert_eq!(
            stage.store().save_call(&mut record, &[], vec![], None).await.unwrap(),
            Err(unsaved),
            "{code}"
        );
    }
    for code in ["ThrottlingError", "ProvisionedThroughputExceeded"] {
        stage.cloud.fail("TransactWriteItems", [cancelled(code), cancelled(code)]);
        stage.cloud.forget_requests();

        assert_eq!(stage.store().save_call(&mut record, &[], vec![], None).await.unwrap(), Ok(()), "{code}");
        assert_eq!(stage.cloud.requests(), ["TransactWriteItems"; 3], "it is tried again");
    }
}

#[tokio::test]
async fn an_unreadable_item_does_not_fail_a_webhook() {
    let stage = Stage::new().await;
    stage.calls(json!([connect("wacid.A")])).await;
    stage.cloud.set_text(format!("CALL#{}", call_ref("wacid.A")), "call", "from the future").await;

    let loaded = stage.store().load_call(&call_ref("wacid.A")).await.unwrap();
    assert!(matches!(loaded, LoadedCall::Unreadable(_)), "{loaded:?}");

    assert_eq!(stage.calls(json!([connect("wacid.A")])).await, 200, "sent again, it would be the same");
}

fn cancelled(code: &str) -> Value {
    json!({"__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", "message": code,
        "CancellationReasons": [{"Code": code, "Message": code}]})
}
