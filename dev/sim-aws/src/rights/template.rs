//! Reads out of a CloudFormation template which program has which role, and what that role's policies say.
//!
//! There is one stack here, so names do without it: `${AWS::StackName}-webhook` is `webhook`.

use crate::identity::{ACCOUNT, REGION, arn, role_arn};
use crate::secrets::arn_of as secret_arn;
use anyhow::{Context, bail};
use serde_json::{Map, Value as Json};
use serde_yaml_ng::Value as Yaml;
use std::collections::BTreeMap;

/// What a stack is called here where it is named alone.
const STACK: &str = "ahoy";

/// What the template says of its programs.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// Program, its role, the documents of that role's policies.
    pub(super) programs: Vec<(String, String, Vec<Json>)>,
    /// Family of a task definition to the ARNs of the roles its tasks are started with.
    pub(super) passed: BTreeMap<String, Vec<String>>,
}

/// Reads a template. Programs without a name or a role of their own in it are left out.
pub(super) fn read(template: &str) -> anyhow::Result<Read> {
    let template: Yaml = serde_yaml_ng::from_str(template).context("the template is no YAML")?;
    let template = Template(&template);
    let mut read = Read::default();
    for (id, resource) in template.resources() {
        let properties = resource.get("Properties").unwrap_or(&Yaml::Null);
        let (name, role) = match resource.get("Type").and_then(Yaml::as_str) {
            Some("AWS::Serverless::Function") => ("FunctionName", "Role"),
            Some("AWS::ECS::TaskDefinition") => ("Family", "TaskRoleArn"),
            Some(_) | None => continue,
        };
        let (Some(name), Some(role)) = (properties.get(name), properties.get(role).and_then(resource_of))
        else {
            continue;
        };
        let program = template.text(name).with_context(|| format!("the name of {id}"))?;
        let documents = template.policies(role).with_context(|| format!("the policies of {role}"))?;
        let passed = ["TaskRoleArn", "ExecutionRoleArn"].into_iter();
        let passed = passed.filter_map(|role| resource_of(properties.get(role)?)).map(role_arn);
        read.passed.insert(program.clone(), passed.collect());
        read.programs.push((program, role.to_owned(), documents));
    }
    Ok(read)
}

/// The resource that `!GetAtt Resource.Arn` speaks of.
fn resource_of(value: &Yaml) -> Option<&str> {
    match value {
        Yaml::Tagged(tagged) if tagged.tag == "!GetAtt" => tagged.value.as_str()?.strip_suffix(".Arn"),
        _ => None,
    }
}

struct Template<'a>(&'a Yaml);

impl<'a> Template<'a> {
    fn resources(&self) -> impl Iterator<Item = (&'a str, &'a Yaml)> {
        let resources = self.0.get("Resources").and_then(Yaml::as_mapping).into_iter().flatten();
        resources.filter_map(|(id, resource)| Some((id.as_str()?, resource)))
    }

    fn policies(&self, role: &str) -> anyhow::Result<Vec<Json>> {
        let role = self.resource(role)?;
        let policies = role.get("Properties").and_then(|properties| properties.get("Policies"));
        let policies = policies.and_then(Yaml::as_sequence).into_iter().flatten();
        let documents =
            policies.map(|policy| policy.get("PolicyDocument").context("a policy has no document"));
        documents.map(|document| self.resolved(document?)).collect()
    }

    fn resource(&self, id: &str) -> anyhow::Result<&'a Yaml> {
        let resource = self.0.get("Resources").and_then(|resources| resources.get(id));
        resource.with_context(|| format!("there is no resource {id}"))
    }

    /// A value as CloudFormation would hand it on, were this the cloud it makes.
    fn resolved(&self, value: &Yaml) -> anyhow::Result<Json> {
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

    fn text(&self, value: &Yaml) -> anyhow::Result<String> {
        match value {
            Yaml::String(text) => Ok(text.clone()),
            Yaml::Tagged(tagged) => {
                let told = tagged.value.as_str().with_context(|| format!("{} of no text", tagged.tag))?;
                match tagged.tag.to_string().as_str() {
                    "!Ref" => self.reference(told),
                    "!GetAtt" => self.attribute(told),
                    "!Sub" => self.substituted(told),
                    other => bail!("uses {other}, which only CloudFormation can resolve"),
                }
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
