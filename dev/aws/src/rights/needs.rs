//! Which rights a request needs: an action on a resource, sometimes several.

use super::Rights;
use crate::identity::{arn, short_name};
use crate::secrets::arn_of as secret_arn;
use serde_json::Value;
use std::collections::BTreeMap;

/// An action on a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// Such as `dynamodb:GetItem`.
    pub action: String,
    /// The ARN of what it is done to.
    pub resource: String,
    /// What else a policy may ask for in a condition, by its key, such as `ecs:cluster`.
    pub circumstances: BTreeMap<String, String>,
}

impl Need {
    /// An action on a resource.
    pub fn new(action: &str, resource: &str) -> Self {
        Self { action: action.to_owned(), resource: resource.to_owned(), circumstances: BTreeMap::new() }
    }

    /// The same, under these circumstances too.
    #[must_use]
    pub fn under(mut self, key: &str, value: &str) -> Self {
        self.circumstances.insert(key.to_owned(), value.to_owned());
        self
    }
}

/// What a request of a service needs. One that cannot be read needs nothing: it is refused for that.
pub(crate) fn of_request(rights: &Rights, service: &str, action: &str, body: &[u8]) -> Vec<Need> {
    let Ok(request) = serde_json::from_slice::<Value>(body) else { return vec![] };
    match service {
        "dynamodb" => of_dynamodb(action, &request),
        "ecs" => of_ecs(rights, action, &request),
        "secretsmanager" => {
            let id = request["SecretId"].as_str().unwrap_or_default();
            vec![Need::new(&format!("secretsmanager:{action}"), &secret_arn(id))]
        }
        _ => vec![],
    }
}

/// What invoking a function needs.
pub(crate) fn of_invocation(function: &str) -> Need {
    Need::new("lambda:InvokeFunction", &arn("lambda", &format!("function:{}", short_name(function))))
}

/// A transaction needs what its parts need; a batch has an action of its own.
fn of_dynamodb(action: &str, request: &Value) -> Vec<Need> {
    let need = |action: &str, part: &Value| Need::new(&format!("dynamodb:{action}"), &table_or_index(part));
    let parts = |of: &Value| of["TransactItems"].as_array().cloned().unwrap_or_default();
    match action {
        "TransactWriteItems" | "TransactGetItems" => {
            let parts = parts(request);
            let named = parts.iter().filter_map(|part| part.as_object()?.iter().next());
            named.map(|(kind, part)| need(&action_of_part(kind), part)).collect()
        }
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = request["RequestItems"].as_object().into_iter().flat_map(|tables| tables.keys());
            tables.map(|table| Need::new(&format!("dynamodb:{action}"), &table_arn(table))).collect()
        }
        _ => vec![need(action, request)],
    }
}

/// `Put`, `Update`, `Delete`, `Get`; `ConditionCheck` is its own.
fn action_of_part(kind: &str) -> String {
    format!("{kind}Item")
}

fn table_or_index(request: &Value) -> String {
    let table = table_arn(request["TableName"].as_str().unwrap_or("*"));
    match request["IndexName"].as_str() {
        Some(index) => format!("{table}/index/{index}"),
        None => table,
    }
}

fn table_arn(name_or_arn: &str) -> String {
    if name_or_arn.starts_with("arn:") {
        name_or_arn.to_owned()
    } else {
        arn("dynamodb", &format!("table/{name_or_arn}"))
    }
}

/// Whoever starts a task passes it its roles.
fn of_ecs(rights: &Rights, action: &str, request: &Value) -> Vec<Need> {
    let text = |field: &str| request[field].as_str().unwrap_or_default();
    let cluster = short_name(text("cluster"));
    let named = format!("ecs:{action}");
    if action != "RunTask" {
        let tasks = request["tasks"].as_array().cloned().unwrap_or_default();
        let tasks = tasks.iter().chain(request.get("task")).filter_map(Value::as_str);
        return tasks.map(|task| Need::new(&named, &task_arn(cluster, task))).collect();
    }
    let definition = short_name(text("taskDefinition"));
    let (family, revision) = definition.split_once(':').unwrap_or((definition, "1"));
    let run = Need::new(&named, &arn("ecs", &format!("task-definition/{family}:{revision}")))
        .under("ecs:cluster", &arn("ecs", &format!("cluster/{cluster}")));
    let passed = rights
        .passed_to(family)
        .iter()
        .map(|role| Need::new("iam:PassRole", role).under("iam:PassedToService", "ecs-tasks.amazonaws.com"));
    std::iter::once(run).chain(passed).collect()
}

fn task_arn(cluster: &str, task: &str) -> String {
    arn("ecs", &format!("task/{cluster}/{}", short_name(task)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_transaction_needs_what_its_parts_need() {
        let request = json!({"TransactItems": [
            {"Put": {"TableName": "ahoy", "Item": {}}},
            {"ConditionCheck": {"TableName": "ahoy"}},
        ]});

        let actions: Vec<_> =
            of_dynamodb("TransactWriteItems", &request).into_iter().map(|need| need.action).collect();

        assert_eq!(actions, ["dynamodb:PutItem", "dynamodb:ConditionCheckItem"]);
    }

    #[test]
    fn an_index_is_a_resource_of_its_own() {
        let needs = of_dynamodb("Query", &json!({"TableName": "ahoy", "IndexName": "gsi1"}));

        assert_eq!(
            needs,
            [Need::new("dynamodb:Query", "arn:aws:dynamodb:us-east-1:000000000000:table/ahoy/index/gsi1")]
        );
    }
}
