//! The table of the rehearsal is the one that would be deployed, and is keyed as the programs key it.

use crate::template;
use call::{Ending, Party};
use local::root;
use serde_json::{Value, json};
use sim_aws::{Cloud, CloudConfig};
use std::collections::BTreeSet;
use std::path::Path;
use store::keys;
use store::lease::Lease;
use store::{Assigned, CallListing};

#[tokio::test]
async fn the_rehearsals_table_is_the_templates() {
    let template: Value = wanted(&template::text());

    assert_eq!(made_from(&root().join("template.yaml")).await, template);

    for (was, becomes) in [
        ("IndexName: gsi1", "IndexName: gsi2"),
        ("AttributeName: ttl", "AttributeName: until"),
        ("NonKeyAttributes: [held_by, ", "NonKeyAttributes: ["),
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
    let other = wanted(&template::text().replace("IndexName: gsi1", "IndexName: other"));
    assert_ne!(other["index"]["IndexName"], keys::INDEX);
}

/// DynamoDB takes no more beside the keys.
const MOST_ATTRIBUTES: usize = 20;

#[test]
fn the_index_holds_what_lists_read_and_nothing_of_callers() {
    let projection = wanted(&template::text())["index"]["Projection"].clone();
    let held: Vec<String> =
        serde_json::from_value(projection["NonKeyAttributes"].clone()).expect("it names them");
    assert!(projection["ProjectionType"] == "INCLUDE" && held.len() <= MOST_ATTRIBUTES, "{held:?}");

    let call = CallListing {
        call_ref: "ab".into(),
        line: call::Line::WhatsApp.into(),
        number: "1".into(),
        rang_at_ms: 1,
        start: Some("warm".into()),
        accepted_at_ms: Some(1),
        ended_at_ms: Some(1),
        ending: Some(Ending::CallerHungUp.into()),
        by: Some(Party::Caller.into()),
    };
    let lease = Lease::new(&"t".into(), "127.0.0.1:1", "", "1", 1, 1);
    let assigned = Assigned { number: "1".into(), agent: "shop".into() };
    let read = [json!(call), json!(lease), json!(assigned), json!({"held_by": "t"})];
    let read: BTreeSet<_> =
        read.iter().flat_map(|item| item.as_object().expect("an item").keys().cloned()).collect();
    let is_key = |name: &&String| ["pk", "sk", "gsi1pk", "gsi1sk"].contains(&name.as_str());
    let needed: BTreeSet<_> = read.iter().filter(|name| !is_key(name)).cloned().collect();

    assert_eq!(held.into_iter().collect::<BTreeSet<_>>(), needed);
    for hidden in ["offer", "wacid", "caller_number", "caller_user_id", "call", "seat_token", "text"] {
        assert!(!needed.contains(hidden), "{hidden}");
    }
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
    let projection = index.projection().expect("an index has a projection");
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
            "Projection": {
                "ProjectionType": projection.projection_type().map(|kind| kind.as_str()),
                "NonKeyAttributes": projection.non_key_attributes(),
            },
        },
        "ttl": ttl,
    });
    cloud.stop().await;
    made
}
