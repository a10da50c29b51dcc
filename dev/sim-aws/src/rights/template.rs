//! Reads the roles of programs, and the policies of roles, out of a CloudFormation template.

use crate::cloudformation::Template;
use crate::identity::role_arn;
use anyhow::Context;
use serde_json::Value as Json;
use serde_yaml_ng::Value as Yaml;
use std::collections::BTreeMap;

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
        let documents = policies(&template, role).with_context(|| format!("the policies of {role}"))?;
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

fn policies(template: &Template<'_>, role: &str) -> anyhow::Result<Vec<Json>> {
    let role = template.resource(role)?;
    let policies = role.get("Properties").and_then(|properties| properties.get("Policies"));
    let policies = policies.and_then(Yaml::as_sequence).into_iter().flatten();
    let documents = policies.map(|policy| policy.get("PolicyDocument").context("a policy has no document"));
    documents.map(|document| template.resolved(document?)).collect()
}
