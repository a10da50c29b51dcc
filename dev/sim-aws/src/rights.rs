//! Enforces the rights of a template's programs: what the policies of their roles allow, and nothing else.
//!
//! The policies are evaluated by `iam-rs`. A program that the template does not know may do everything: it is a test's.

mod access_request;
pub(crate) mod access_requests;
mod template;

pub use access_request::AccessRequest;

use crate::identity::{ACCOUNT, arn};
use crate::refusal::Refusal;
use crate::template::tables;
use anyhow::Context;
use iam_rs::{Arn, Context as RequestContext, ContextValue, Decision, IAMAction, IAMEffect, IAMPolicy};
use iam_rs::{IAMRequest, IAMResource, IAMStatement, Principal, PrincipalId, evaluate_policies};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// The key of conditions on whose items are touched.
const LEADING_KEYS: &str = "dynamodb:LeadingKeys";

/// The rights of every program of a template.
#[derive(Debug, Default)]
pub struct Rights {
    programs: BTreeMap<String, Role>,
    passed: BTreeMap<String, Vec<String>>,
    partition_keys: BTreeMap<String, String>,
    exercised: Mutex<BTreeSet<Exercised>>,
}

#[derive(Debug)]
struct Role {
    name: String,
    policies: Vec<IAMPolicy>,
}

/// What a program has done, and was allowed to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exercised {
    /// The program: a function's name, or the family of a task's definition.
    pub program: String,
    /// What it needed for that.
    pub need: AccessRequest,
}

/// An action on a resource that a policy allows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// Who has it.
    pub program: String,
    /// Such as `dynamodb:GetItem`, perhaps with wildcards.
    pub action: String,
    /// An ARN, perhaps with wildcards.
    pub resource: String,
}

impl Rights {
    /// Reads them out of a CloudFormation template.
    pub fn of(template: &str) -> anyhow::Result<Self> {
        let read = template::read(template)?;
        let mut rights =
            Self { passed: read.passed, partition_keys: partition_keys(template)?, ..Self::default() };
        for (program, role, documents) in read.programs {
            let policies = documents.into_iter().map(serde_json::from_value).collect::<Result<_, _>>();
            let policies = policies.with_context(|| format!("cannot understand the policies of {role}"))?;
            rights.programs.insert(program, Role { name: role, policies });
        }
        Ok(rights)
    }

    /// Says no to a program that lacks one of the rights it needs; else notes that it has used them.
    ///
    /// # Errors
    /// `AccessDeniedException`, with the right that is missing.
    pub fn exercise(&self, client: &str, needs: Vec<AccessRequest>) -> Result<(), Refusal> {
        let program = program_of(client);
        let Some(role) = self.programs.get(program) else { return Ok(()) };
        for need in needs {
            let is_of_keys = !need.leading_keys.is_empty();
            let exercised = Exercised { program: program.to_owned(), need: need.clone().by_kind() };
            let is_noted = self.noted().contains(&exercised);
            // Of two keys of one kind a policy may allow one alone.
            if (is_of_keys || !is_noted) && !role.allows(&need) {
                return Err(denied(&role.name, client, &need));
            }
            if !is_noted {
                self.noted().insert(exercised);
            }
        }
        Ok(())
    }

    /// What programs have done so far.
    pub fn exercised(&self) -> BTreeSet<Exercised> {
        self.noted().clone()
    }

    /// Each right that all this made no use of.
    pub fn unused(&self, exercised: &BTreeSet<Exercised>) -> Vec<Right> {
        let is_used = |right: &Right| {
            exercised.iter().any(|done| done.program == right.program && right.covers(&done.need))
        };
        self.granted().into_iter().filter(|right| !is_used(right)).collect()
    }

    /// Each right there is, one by one.
    pub fn granted(&self) -> Vec<Right> {
        let statements = self.programs.iter().flat_map(|(program, role)| {
            let statements = role.policies.iter().flat_map(|policy| &policy.statement);
            statements.map(move |statement| (program, statement))
        });
        let rights = statements.flat_map(|(program, statement)| {
            let right = |action: &String, resource: &String| Right {
                program: program.clone(),
                action: action.clone(),
                resource: resource.clone(),
            };
            let resources = resources(statement);
            actions(statement).into_iter().flat_map(move |action| {
                resources.iter().map(|resource| right(&action, resource)).collect::<Vec<_>>()
            })
        });
        rights.collect()
    }

    /// The roles that tasks of a family are started with.
    pub(crate) fn passed_to(&self, family: &str) -> &[String] {
        self.passed.get(family).map_or(&[], Vec::as_slice)
    }

    /// The name of a table's or an index's partition key, by its ARN.
    pub(crate) fn partition_key(&self, arn: &str) -> Option<&str> {
        self.partition_keys.get(arn).map(String::as_str)
    }

    fn noted(&self) -> std::sync::MutexGuard<'_, BTreeSet<Exercised>> {
        self.exercised.lock().expect("no thread panics while noting")
    }
}

impl Role {
    fn allows(&self, need: &AccessRequest) -> bool {
        decide(&self.policies, need) == Decision::Allow
    }
}

impl Right {
    /// Whether this is the right that was needed, whatever conditions it is bound to.
    fn covers(&self, need: &AccessRequest) -> bool {
        let statement = IAMStatement::new(IAMEffect::Allow)
            .with_action(IAMAction::Single(self.action.clone()))
            .with_resource(IAMResource::Single(self.resource.clone()));
        decide(&[IAMPolicy::new().add_statement(statement)], need) == Decision::Allow
    }
}

/// The partition key of each table and index of a template, by ARN.
fn partition_keys(template: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let hash = |keyed: &Value| {
        let schema = keyed["KeySchema"].as_array().into_iter().flatten();
        let hash =
            schema.filter(|key| key["KeyType"] == "HASH").find_map(|key| key["AttributeName"].as_str());
        hash.map(str::to_owned)
    };
    let mut keys = BTreeMap::new();
    for table in tables(template)? {
        let named = arn("dynamodb", &format!("table/{}", table.name));
        let indexes = ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"].map(|kind| &table.create[kind]);
        for index in indexes.into_iter().filter_map(Value::as_array).flatten() {
            let name = index["IndexName"].as_str().unwrap_or_default();
            keys.extend(hash(index).map(|key| (format!("{named}/index/{name}"), key)));
        }
        keys.extend(hash(&table.create).map(|key| (named, key)));
    }
    Ok(keys)
}

/// What cannot be evaluated is not allowed.
fn decide(policies: &[IAMPolicy], need: &AccessRequest) -> Decision {
    let Ok(resource) = Arn::parse(&need.resource) else { return Decision::Deny };
    let mut context = RequestContext::new();
    for (key, value) in &need.context {
        context.insert(key.clone(), ContextValue::String(value.clone()));
    }
    if !need.leading_keys.is_empty() {
        let keys = need.leading_keys.iter().cloned().collect();
        context.insert(LEADING_KEYS.to_owned(), ContextValue::StringList(keys));
    }
    let us = Principal::Aws(PrincipalId::String(format!("arn:aws:iam::{ACCOUNT}:root")));
    let request = IAMRequest::new_with_context(us, need.action.clone(), resource, context);
    evaluate_policies(policies, &request).unwrap_or(Decision::Deny)
}

fn actions(statement: &IAMStatement) -> Vec<String> {
    match &statement.action {
        Some(IAMAction::Single(action)) => vec![action.clone()],
        Some(IAMAction::Multiple(actions)) => actions.clone(),
        None => vec![],
    }
}

fn resources(statement: &IAMStatement) -> Vec<String> {
    match &statement.resource {
        Some(IAMResource::Single(resource)) => vec![resource.clone()],
        Some(IAMResource::Multiple(resources)) => resources.clone(),
        None => vec![],
    }
}

/// `webhook-2` is the second process of `webhook`.
fn program_of(client: &str) -> &str {
    match client.rsplit_once('-') {
        Some((program, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => program,
        Some(_) | None => client,
    }
}

fn denied(role: &str, client: &str, need: &AccessRequest) -> Refusal {
    let AccessRequest { action, resource, .. } = need;
    let message = format!(
        "User: arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{client} is not authorized to perform: {action} on resource: \
         {resource} because no identity-based policy allows the {action} action"
    );
    Refusal::new("AccessDeniedException", message)
}

#[cfg(test)]
mod tests;
