//! The table of the rehearsal is the one that would be deployed, and is keyed as the programs key it.

use crate::template;
use aws::{Cloud, CloudConfig};
use protocol::keys;
use rehearse::binaries::root;
use serde_json::{Value, json};
use std::path::Path;

#[tokio::test]
async fn the_rehearsals_table_is_the_templates() {
    let template: Value = wanted(&template::text());

    assert_eq!(made_from(&root().join("template.yaml")).await, template);

    for (was, becomes) in [
        ("IndexName: gsi1", "IndexName: gsi2"),
        ("AttributeName: ttl", "AttributeName: until"),
        ("ProjectionType: ALL", "ProjectionType: KEYS_ONLY"),
    ] {
        let file = std::env::temp_dir().join(format!("ahoy-broken-{}.yaml", std::process::id()));
        let broken = template::text().replacen(was, becomes, 1);
        std::fs::write(&file, broken).expect("there is room for a template");
        assert_ne!(made_from(&file).await, template, "{becomes}");
        std::fs::remove_file(&file).expect("it was written");
    }
}

#[test]
fn the_table_is_keyed_as_the_programs_key_it() {
    let table = wanted(&template::text());

    assert_eq!(table["index"]["IndexName"], keys::INDEX);
    assert_eq!(table["ttl"], keys::TTL);
    assert_ne!(
        wanted(&template::text().replace("IndexName: gsi1", "IndexName: other"))["index"]["IndexName"],
        keys::INDEX
    );
}

/// What the template says of the table, as far as a program can tell.
fn wanted(template: &str) -> Value {
    let template: serde_yaml_ng::Value = serde_yaml_ng::from_str(template).expect("it is YAML");
    let table = &template["Resources"]["Table"]["Properties"];
    let plain = |value: &serde_yaml_ng::Value| serde_json::to_value(value).expect("it is plain");
    json!({
        "name": template["Parameters"]["TableName"]["Default"].as_str(),
        "attributes": plain(&table["AttributeDefinitions"]),
        "key": plain(&table["KeySchema"]),
        "index": plain(&table["GlobalSecondaryIndexes"][0]),
        "ttl": table["TimeToLiveSpecification"]["AttributeName"].as_str(),
    })
}

/// The same of the table that a cloud makes.
async fn made_from(template: &Path) -> Value {
    let cloud = Cloud::start(CloudConfig::new(template)).await.expect("a cloud can be started");
    let name = cloud.table_name("Table").expect("the template has a table").to_owned();
    let client = aws_sdk_dynamodb::Client::new(&cloud.sdk_config());
    let table = client.describe_table().table_name(&name).send().await.expect("the table is there");
    let table = table.table().expect("it is described");
    let ttl = client.describe_time_to_live().table_name(&name).send().await.expect("it has one");
    let ttl = ttl.time_to_live_description().and_then(|ttl| ttl.attribute_name()).map(str::to_owned);
    let schema = |schema: &[aws_sdk_dynamodb::types::KeySchemaElement]| -> Value {
        schema
            .iter()
            .map(|key| json!({"AttributeName": key.attribute_name(), "KeyType": key.key_type().as_str()}))
            .collect()
    };
    let index = &table.global_secondary_indexes()[0];
    let projection = index.projection().and_then(|projection| projection.projection_type());
    let attributes: Value = table
        .attribute_definitions()
        .iter()
        .map(|one| json!({"AttributeName": one.attribute_name(), "AttributeType": one.attribute_type().as_str()}))
        .collect();
    let made = json!({
        "name": name,
        "attributes": attributes,
        "key": schema(table.key_schema()),
        "index": {
            "IndexName": index.index_name(), "KeySchema": schema(index.key_schema()),
            "Projection": {"ProjectionType": projection.map(|kind| kind.as_str())},
        },
        "ttl": ttl,
    });
    cloud.stop().await;
    made
}
