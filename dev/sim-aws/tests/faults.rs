//! The real SDK against a DynamoDB that throttles, conflicts, is slow, silent or unreachable.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::{PutItemError, PutItemOutput};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use sim_aws::{CancellationReason, Cloud, CloudConfig, Outage, Refusal};
use std::time::{Duration, Instant};
use support::{cloud_of, function, invoke, keys, payload, soon, template};

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn so_many_requests_are_throttled_and_the_rehearsals_own_are_not() {
    let cloud = cloud().await;
    let (child, outsider) = (child(&cloud), Client::new(&cloud.sdk_config()));
    cloud.faults().throttle_dynamodb(1);

    put(&outsider, "a").await.unwrap();
    let first = put(&child, "b").await.unwrap_err().into_service_error();
    put(&child, "c").await.unwrap();

    assert!(first.is_provisioned_throughput_exceeded_exception(), "{first:?}");
    assert_eq!(keys(&cloud).await, ["a", "c"]);
}

#[tokio::test]
async fn a_share_of_requests_is_throttled_by_seed() {
    let mut stored = Vec::new();
    for seed in [1, 1, 2] {
        let config = CloudConfig { seed, ..CloudConfig::new(template()) };
        let cloud = Cloud::start(config).await.unwrap();
        cloud.faults().throttle_share_of_dynamodb(0.5);
        let child = child(&cloud);
        for key in 'a'..='p' {
            let _ = put(&child, &key.to_string()).await;
        }
        stored.push(keys(&cloud).await);
    }

    assert!((1..16).contains(&stored[0].len()), "{stored:?}");
    assert_eq!(stored[0], stored[1]);
    assert_ne!(stored[0], stored[2]);
}

#[tokio::test]
async fn so_many_transactions_meet_another_one() {
    let cloud = cloud().await;
    let client = child(&cloud);
    let write = || {
        let items = ["a", "b"].map(|key| {
            let put = Put::builder().table_name("CallsTable").item("pk", text(key)).item("sk", text("-"));
            TransactWriteItem::builder().put(put.build().unwrap()).build()
        });
        client.transact_write_items().set_transact_items(Some(items.into())).send()
    };
    cloud.faults().conflict_transactions(1);

    let refused = write().await.unwrap_err().into_service_error();
    let stored = keys(&cloud).await;
    write().await.unwrap();

    assert_eq!(reasons(&refused), [Some("TransactionConflict"), Some("None")]);
    assert_eq!((stored.len(), keys(&cloud).await.len()), (0, 2));
}

#[tokio::test]
async fn a_transaction_is_cancelled_for_any_reason_there_is() {
    let cloud = cloud().await;
    let client = child(&cloud);
    for (why, code) in [
        (CancellationReason::Validation, "ValidationError"),
        (CancellationReason::Throttling, "ThrottlingError"),
        (CancellationReason::Throughput, "ProvisionedThroughputExceeded"),
        (CancellationReason::CollectionSize, "ItemCollectionSizeLimitExceeded"),
    ] {
        cloud.faults().cancel_transactions(1, why);
        let put = Put::builder().table_name("CallsTable").item("pk", text("a")).item("sk", text("-"));
        let write = TransactWriteItem::builder().put(put.build().unwrap()).build();

        let refused = client.transact_write_items().transact_items(write).send().await.unwrap_err();

        assert_eq!(reasons(&refused.into_service_error()), [Some(code)]);
    }
}

#[tokio::test]
async fn a_single_write_meets_a_transaction() {
    let cloud = cloud().await;
    cloud.refuse_next("dynamodb.PutItem", 1, Refusal::transaction_conflict());

    let refused = put(&child(&cloud), "a").await.unwrap_err().into_service_error();

    assert!(refused.is_transaction_conflict_exception(), "{refused:?}");
    assert_eq!(keys(&cloud).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_reply_is_lost_after_the_write_took_effect() {
    let cloud = cloud().await;
    cloud.faults().lose_dynamodb_replies(1);

    let lost = put(&child(&cloud), "a").await.unwrap_err();

    assert!(matches!(lost, SdkError::DispatchFailure(_)), "{lost:?}");
    assert_eq!(keys(&cloud).await, ["a"]);
}

#[tokio::test]
async fn a_dynamodb_that_is_gone_cuts_connections() {
    let cloud = cloud().await;
    cloud.faults().dynamodb_outage(Outage::Cut, LONG);

    let error = put(&child(&cloud), "a").await.unwrap_err();
    cloud.faults().end_dynamodb_outage();
    put(&child(&cloud), "b").await.unwrap();

    assert!(matches!(error, SdkError::DispatchFailure(_)), "{error:?}");
    assert_eq!(keys(&cloud).await, ["b"]);
}

#[tokio::test]
async fn a_dynamodb_that_fails_says_500() {
    let cloud = cloud().await;
    cloud.faults().dynamodb_outage(Outage::Failing, LONG);

    let failed = put(&child(&cloud), "a").await.unwrap_err();

    assert_eq!(failed.raw_response().unwrap().status().as_u16(), 500);
    assert!(failed.into_service_error().is_internal_server_error());
}

#[tokio::test]
async fn a_silent_dynamodb_is_noticed_by_a_timeout() {
    let cloud = cloud().await;
    cloud.faults().dynamodb_outage(Outage::Silent, LONG);
    let client = child(&cloud);

    let impatient = TimeoutConfig::builder().operation_timeout(Duration::from_millis(100)).build();
    let config = aws_sdk_dynamodb::Config::builder().timeout_config(impatient);
    let asked = client.list_tables().customize().config_override(config).send().await.unwrap_err();
    let (patient, ()) = tokio::join!(soon(put(&client, "a")), async { cloud.faults().end_dynamodb_outage() });

    assert!(matches!(asked, SdkError::TimeoutError(_)), "{asked:?}");
    // Whether it asked just before or just after DynamoDB came back, nothing is half done.
    assert_eq!(keys(&cloud).await.len(), usize::from(patient.is_ok()));
}

#[tokio::test]
async fn an_outage_ends_by_itself() {
    let cloud = cloud().await;
    let (client, lasts) = (child(&cloud), Duration::from_millis(200));
    put(&client, "a").await.unwrap();

    let begun = Instant::now();
    cloud.faults().dynamodb_outage(Outage::Silent, lasts);
    soon(async { while put(&client, "b").await.is_err() {} }).await;

    assert!(begun.elapsed() >= lasts);
}

#[tokio::test]
async fn a_slow_dynamodb_takes_its_time() {
    let cloud = cloud().await;
    let delay = Duration::from_millis(50);
    cloud.faults().slow_dynamodb(delay);

    let begun = Instant::now();
    put(&child(&cloud), "a").await.unwrap();

    assert!(begun.elapsed() >= delay);
}

#[tokio::test]
async fn trouble_meets_a_real_function() {
    let cloud = cloud_of(function("puppet")).await;
    cloud.faults().dynamodb_outage(Outage::Cut, LONG);

    let failed = invoke(&cloud, serde_json::json!({"put": ["a"]})).await;
    cloud.faults().end_dynamodb_outage();
    let after = invoke(&cloud, serde_json::json!({"put": ["a"]})).await;

    assert_eq!(failed.function_error(), Some("Unhandled"), "{}", payload(&failed));
    assert_eq!(after.function_error(), None);
}

/// What DynamoDB says about each item of a transaction.
fn reasons(error: &TransactWriteItemsError) -> Vec<Option<&str>> {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else { panic!("{error:?}") };
    cancelled.cancellation_reasons().iter().map(|reason| reason.code()).collect()
}

async fn cloud() -> Cloud {
    Cloud::start(CloudConfig::new(template())).await.unwrap()
}

/// A client that faults meet, and that does not retry.
fn child(cloud: &Cloud) -> Client {
    let config = aws_sdk_dynamodb::config::Builder::from(&cloud.sdk_config_as("child"));
    Client::from_conf(config.retry_config(RetryConfig::disabled()).build())
}

async fn put(client: &Client, key: &str) -> Result<PutItemOutput, SdkError<PutItemError>> {
    client.put_item().table_name("CallsTable").item("pk", text(key)).item("sk", text("-")).send().await
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}
