//! Resolves the values of a CloudFormation template as if it had been deployed as this cloud.
//!
//! There is one stack here, so names do without it: `${AWS::StackName}-webhook` is `webhook`.

use crate::identity::{ACCOUNT, REGION, arn, role_arn};
use crate::secrets::arn_of as secret_arn;
use anyhow::{Context, bail};
use serde_json::{Map, Value as Json};
use serde_yaml_ng::Value as Yaml;

/// What a stack is called here where it is named alone.
const STACK: &str = "ahoy";

/// A template, as if it had been deployed as this cloud.
pub(crate) struct Template<'a>(pub(crate) &'a Yaml);

impl<'a> Template<'a> {
    pub(crate) fn resources(&self) -> impl Iterator<Item = (&'a str, &'a Yaml)> {
        let resources = self.0.get("Resources").and_then(Yaml::as_mapping).into_iter().flatten();
        resources.filter_map(|(id, resource)| Some((id.as_str()?, resource)))
    }

    pub(crate) fn resource(&self, id: &str) -> anyhow::Result<&'a Yaml> {
        let resource = self.0.get("Resources").and_then(|resources| resources.get(id));
        resource.with_context(|| format!("there is no resource {id}"))
    }

    /// A value as CloudFormation would hand it on, were this the cloud it makes.
    pub(crate) fn resolved(&self, value: &Yaml) -> anyhow::Result<Json> {
        match value {
            Yaml::Tagged(_) => Ok(self.text(value)?.into()),
            Yaml::Sequence(items) => items.iter().map(|item| self.resolved(item)).collect(),
            Yaml::Mapping(entries) => entries
                .iter()
                .map(|(key, value)| {
                    Ok((key.as_str().context("a key is a text")?.to_owned(), self.resolved(value)?))
                })
                .collect::<anyhow::Result<Map<_, _>>>()
                .map(Json::Object),
            Yaml::Null | Yaml::Bool(_) | Yaml::Number(_) | Yaml::String(_) => {
                Ok(serde_json::to_value(value)?)
            }
        }
    }

    pub(crate) fn text(&self, value: &Yaml) -> anyhow::Result<String> {
        match value {
            Yaml::String(text) => Ok(text.clone()),
            Yaml::Tagged(tagged) => {
                let argument = tagged.value.as_str().with_context(|| format!("{} of no text", tagged.tag))?;
                let text = match tagged.tag.to_string().as_str() {
                    "!Ref" => self.reference(argument),
                    "!GetAtt" => self.attribute(argument),
                    "!Sub" => self.substituted(argument),
                    other => bail!("uses {other}, which only CloudFormation can resolve"),
                };
                text.with_context(|| format!("{} {argument}", tagged.tag))
            }
            other => bail!("{other:?} is no text"),
        }
    }

    fn substituted(&self, text: &str) -> anyhow::Result<String> {
        let text = text.replace("${AWS::StackName}-", "").replace("${AWS::StackName}/", "");
        let mut parts = text.split("${");
        let mut whole = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').context("!Sub has a ${ without }")?;
            whole += &if name.contains('.') { self.attribute(name) } else { self.reference(name) }?;
            whole += rest;
        }
        Ok(whole)
    }

    fn reference(&self, name: &str) -> anyhow::Result<String> {
        let pseudo = match name {
            "AWS::Partition" => "aws",
            "AWS::Region" => REGION,
            "AWS::AccountId" => ACCOUNT,
            "AWS::StackName" => STACK,
            _ => "",
        };
        if !pseudo.is_empty() {
            return Ok(pseudo.to_owned());
        }
        let parameter = self.0.get("Parameters").and_then(|parameters| parameters.get(name));
        if let Some(default) = parameter.and_then(|parameter| parameter.get("Default")?.as_str()) {
            return Ok(default.to_owned());
        }
        let called = |property: &str| self.called(name, property);
        match self.kind(name)? {
            "AWS::DynamoDB::Table" => called("TableName"),
            "AWS::ECS::Cluster" => called("ClusterName"),
            "AWS::SecretsManager::Secret" => Ok(secret_arn(&called("Name")?)),
            "AWS::Serverless::Function" => called("FunctionName"),
            kind => bail!("it is not known what !Ref of a {kind} is"),
        }
    }

    fn attribute(&self, path: &str) -> anyhow::Result<String> {
        let id = path.strip_suffix(".Arn").with_context(|| format!("{path} is not known here"))?;
        let called = |property: &str| self.called(id, property);
        Ok(match self.kind(id)? {
            "AWS::DynamoDB::Table" => arn("dynamodb", &format!("table/{}", called("TableName")?)),
            "AWS::ECS::Cluster" => arn("ecs", &format!("cluster/{}", called("ClusterName")?)),
            "AWS::IAM::Role" => role_arn(id),
            "AWS::Logs::LogGroup" => arn("logs", &format!("log-group:{}:*", called("LogGroupName")?)),
            "AWS::SQS::Queue" => arn("sqs", &called("QueueName")?),
            "AWS::Serverless::Function" => arn("lambda", &format!("function:{}", called("FunctionName")?)),
            kind => bail!("it is not known what the ARN of a {kind} is"),
        })
    }

    fn kind(&self, id: &str) -> anyhow::Result<&'a str> {
        self.resource(id)?.get("Type").and_then(Yaml::as_str).with_context(|| format!("{id} has no Type"))
    }

    /// A name that the template gives a resource, else its key there.
    fn called(&self, id: &str, property: &str) -> anyhow::Result<String> {
        let properties = self.resource(id)?.get("Properties");
        match properties.and_then(|properties| properties.get(property)) {
            Some(name) => self.text(name),
            None => Ok(id.to_owned()),
        }
    }
}
