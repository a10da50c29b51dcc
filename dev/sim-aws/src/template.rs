//! Reads the tables out of a CloudFormation template, as `CreateTable` wants them.

use crate::cloudformation::Template;
use anyhow::{Context, bail};
use serde_json::{Map, Value as Json};
use serde_yaml_ng::Value as Yaml;

/// Properties that `CreateTable` takes under the same name and in the same shape.
const CREATED_WITH: [&str; 8] = [
    "AttributeDefinitions",
    "BillingMode",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
    "OnDemandThroughput",
    "ProvisionedThroughput",
    "TableName",
];

/// Properties that change nothing a program could see.
const INVISIBLE: [&str; 9] = [
    "ContributorInsightsSpecification",
    "DeletionProtectionEnabled",
    "KinesisStreamSpecification",
    "PointInTimeRecoverySpecification",
    "ResourcePolicy",
    "SSESpecification",
    "TableClass",
    "Tags",
    "WarmThroughput",
];

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    /// The resource's key in the template.
    pub(crate) logical_id: String,
    /// Its `TableName`, or else its logical id.
    pub(crate) name: String,
    /// The request that creates it.
    pub(crate) create: Json,
    /// Its `TimeToLiveSpecification`.
    pub(crate) time_to_live: Option<Json>,
}

/// The tables of a template, in its order.
///
/// # Errors
/// When it is no YAML, or a table has a property that is unknown or that only CloudFormation could resolve.
pub(crate) fn tables(template: &str) -> anyhow::Result<Vec<Table>> {
    let template: Yaml = serde_yaml_ng::from_str(template).context("the template is no YAML")?;
    template.get("Resources").context("the template has no Resources")?;
    let template = Template(&template);
    template
        .resources()
        .filter(|(_, resource)| resource.get("Type").and_then(Yaml::as_str) == Some("AWS::DynamoDB::Table"))
        .map(|(id, resource)| {
            table(id, resource, &template).with_context(|| format!("the template's table {id}"))
        })
        .collect()
}

fn table(logical_id: &str, resource: &Yaml, template: &Template<'_>) -> anyhow::Result<Table> {
    let properties = resource.get("Properties").and_then(Yaml::as_mapping).context("has no Properties")?;
    let mut create = Map::new();
    let mut time_to_live = None;
    for (name, value) in properties {
        let name = name.as_str().context("a property's name is a string")?;
        let value = || template.resolved(value).with_context(|| format!("property {name}"));
        match name {
            "TimeToLiveSpecification" => time_to_live = Some(value()?),
            "StreamSpecification" => _ = create.insert(name.into(), enabled_stream(value()?)),
            _ if CREATED_WITH.contains(&name) => _ = create.insert(name.into(), value()?),
            _ if INVISIBLE.contains(&name) => {}
            _ => bail!("has property {name}, which AWS::DynamoDB::Table has not"),
        }
    }
    let name = create.entry("TableName").or_insert_with(|| logical_id.into());
    let name = name.as_str().context("TableName is no string")?.to_owned();
    Ok(Table { logical_id: logical_id.into(), name, create: create.into(), time_to_live })
}

/// CloudFormation leaves out what the API requires: that the stream is on.
fn enabled_stream(mut stream: Json) -> Json {
    if let Some(stream) = stream.as_object_mut() {
        stream.insert("StreamEnabled".into(), true.into());
    }
    stream
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_table_is_taken_from_among_tagged_resources() {
        let template = "
Resources:
  Policy: {Type: AWS::IAM::Policy, Properties: {Roles: [!Ref Role], Name: !Sub '${AWS::StackName}-x'}}
  Calls:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    Properties:
      BillingMode: PAY_PER_REQUEST
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      TimeToLiveSpecification: {AttributeName: ttl, Enabled: true}
      Tags: [{Key: stack, Value: !Ref AWS::StackName}]
";

        let tables = tables(template).unwrap();

        assert_eq!(tables.len(), 1);
        assert_eq!(
            tables[0].create,
            json!({"TableName": "Calls", "BillingMode": "PAY_PER_REQUEST",
                   "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]})
        );
        assert_eq!(tables[0].time_to_live, Some(json!({"AttributeName": "ttl", "Enabled": true})));
    }

    #[test]
    fn a_table_name_is_taken_when_given() {
        let tables =
            tables("Resources: {Calls: {Type: AWS::DynamoDB::Table, Properties: {TableName: calls}}}");

        assert_eq!(tables.unwrap()[0].name, "calls");
    }

    #[test]
    fn a_parameter_has_its_default() {
        let template = "
Parameters: {Name: {Type: String, Default: calls}, Other: {Type: String}}
Resources: {Calls: {Type: AWS::DynamoDB::Table, Properties: {TableName: !Ref Name}}}
";

        assert_eq!(tables(template).unwrap()[0].name, "calls");
        let error = tables(&template.replace("!Ref Name", "!Ref Other")).unwrap_err();
        assert!(format!("{error:#}").contains("!Ref Other"), "{error:#}");
    }

    #[test]
    fn a_property_that_does_not_exist_is_named() {
        let error = tables("Resources: {Calls: {Type: AWS::DynamoDB::Table, Properties: {KeySchemas: []}}}");

        let error = format!("{:#}", error.unwrap_err());
        assert!(error.contains("Calls") && error.contains("KeySchemas"), "{error}");
    }

    #[test]
    fn a_name_that_only_cloudformation_knows_is_refused() {
        let template = "Resources: {Calls: {Type: AWS::DynamoDB::Table, Properties: {TableName: !Sub '${Stage}-calls'}}}";

        let error = format!("{:#}", tables(template).unwrap_err());

        assert!(error.contains("TableName") && error.contains("!Sub"), "{error}");
    }
}
