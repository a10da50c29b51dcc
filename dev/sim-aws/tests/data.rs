//! Tables and secrets, asked by the real SDKs.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use sim_aws::{Cloud, CloudConfig, Refusal};
use std::collections::BTreeMap;
use support::template;

#[tokio::test]
async fn the_templates_table_has_its_keys_index_and_expiry() {
    let cloud = cloud().await;
    let client = aws_sdk_dynamodb::Client::new(&cloud.sdk_config());
    let name = cloud.table_name("CallsTable").unwrap();

    let table = client.describe_table().table_name(name).send().await.unwrap();
    let expiry = client.describe_time_to_live().table_name(name).send().await.unwrap();

    let table = table.table.unwrap();
    assert_eq!(table.key_schema().iter().map(|key| key.attribute_name()).collect::<Vec<_>>(), ["pk", "sk"]);
    assert_eq!(table.global_secondary_indexes()[0].index_name(), Some("gsi1"));
    assert_eq!(expiry.time_to_live_description.unwrap().attribute_name(), Some("ttl"));
    assert_eq!(cloud.table_name("Other"), None);
}

#[tokio::test]
async fn an_item_is_put_once_on_condition() {
    let cloud = cloud().await;
    let client = aws_sdk_dynamodb::Client::new(&cloud.sdk_config());
    let put = || {
        let put = client.put_item().table_name("CallsTable").item("pk", text("a")).item("sk", text("b"));
        put.condition_expression("attribute_not_exists(pk)").send()
    };

    put().await.unwrap();
    let again = put().await.unwrap_err().into_service_error();

    assert!(again.is_conditional_check_failed_exception(), "{again:?}");
    assert_eq!(cloud.requests()["dynamodb.PutItem"], 2);
}

#[tokio::test]
async fn a_transaction_writes_all_or_nothing() {
    let cloud = cloud().await;
    let client = aws_sdk_dynamodb::Client::new(&cloud.sdk_config());
    let write = |keys: [&str; 2]| {
        let items = keys.map(|key| {
            let put = Put::builder().table_name("CallsTable").item("pk", text(key)).item("sk", text("-"));
            let put = put.condition_expression("attribute_not_exists(pk)").build().unwrap();
            TransactWriteItem::builder().put(put).build()
        });
        client.transact_write_items().set_transact_items(Some(items.into())).send()
    };

    write(["a", "b"]).await.unwrap();
    let refused = write(["c", "a"]).await.unwrap_err().into_service_error();

    assert!(refused.is_transaction_canceled_exception(), "{refused:?}");
    let c = client.get_item().table_name("CallsTable").key("pk", text("c")).key("sk", text("-"));
    assert_eq!(c.send().await.unwrap().item, None);
}

#[tokio::test]
async fn a_table_can_be_throttled() {
    let cloud = cloud().await;
    let client = aws_sdk_dynamodb::Client::new(&cloud.sdk_config());
    cloud.refuse_next("dynamodb.ListTables", 1, Refusal::throttling());

    // The SDK tries again by itself, as it would in AWS.
    client.list_tables().send().await.unwrap();

    assert_eq!(cloud.requests()["dynamodb.ListTables"], 2);
}

#[tokio::test]
async fn a_secret_is_read_and_its_past_survives_rotation() {
    let cloud = cloud().await;
    let client = aws_sdk_secretsmanager::Client::new(&cloud.sdk_config());
    let current = || client.get_secret_value().secret_id("ahoy/meta");
    let previous = || current().version_stage("AWSPREVIOUS").send();

    let none = previous().await.unwrap_err().into_service_error();
    cloud.rotate_secret("ahoy/meta", "two");

    assert!(none.is_resource_not_found_exception(), "{none:?}");
    assert_eq!(current().send().await.unwrap().secret_string(), Some("two"));
    assert_eq!(previous().await.unwrap().secret_string(), Some("one"));
}

#[tokio::test]
async fn an_unknown_secret_is_not_found() {
    let cloud = cloud().await;
    let client = aws_sdk_secretsmanager::Client::new(&cloud.sdk_config());

    let error = client.get_secret_value().secret_id("other").send().await.unwrap_err();

    assert!(error.into_service_error().is_resource_not_found_exception());
}

#[tokio::test]
async fn what_is_not_played_is_an_error() {
    let cloud = cloud().await;
    let http = reqwest::Client::new();
    for target in ["DynamoDB_20120810.Nonsense", "AmazonSQS.SendMessage", "secretsmanager.DeleteSecret"] {
        let asked = http.post(cloud.endpoint()).header("x-amz-target", target);
        let asked = asked.header("content-type", "application/x-amz-json-1.0").body("{}");

        let reply = asked.send().await.unwrap();

        assert_eq!(reply.status(), 400, "{target}");
        assert!(reply.text().await.unwrap().contains("UnknownOperationException"), "{target}");
    }
}

#[tokio::test]
async fn a_missing_template_is_named() {
    let error = Cloud::start(CloudConfig::new("/nowhere/template.yaml")).await.unwrap_err();

    assert!(format!("{error:#}").contains("/nowhere/template.yaml"), "{error:#}");
}

async fn cloud() -> Cloud {
    let secrets = BTreeMap::from([("ahoy/meta".to_owned(), "one".to_owned())]);
    Cloud::start(CloudConfig { secrets, ..CloudConfig::new(template()) }).await.unwrap()
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}
