//! Reads from a request which rights it needs: an action on a resource, sometimes several.

use super::{AccessRequest, Rights};
use crate::identity::{arn, short_name};
use crate::secrets::Secrets;
use serde_json::Value;

/// What a request of a service needs. One that cannot be read needs nothing: it is refused for that.
pub(crate) fn of_request(
    rights: &Rights,
    secrets: &Secrets,
    service: &str,
    action: &str,
    body: &[u8],
) -> Vec<AccessRequest> {
    let Ok(request) = serde_json::from_slice::<Value>(body) else { return vec![] };
    match service {
        "dynamodb" => of_dynamodb(rights, action, &request),
        "ecs" => of_ecs(rights, action, &request),
        "secretsmanager" => {
            let id = request["SecretId"].as_str().unwrap_or_default();
            vec![AccessRequest::new(&format!("secretsmanager:{action}"), &secrets.resource(id))]
        }
        _ => vec![],
    }
}

pub(crate) fn of_invocation(function: &str) -> AccessRequest {
    AccessRequest::new("lambda:InvokeFunction", &arn("lambda", &format!("function:{}", short_name(function))))
}

/// A transaction needs what its parts need; a batch has an action of its own.
fn of_dynamodb(rights: &Rights, action: &str, request: &Value) -> Vec<AccessRequest> {
    let need = |action: &str, part: &Value| {
        let resource = table_or_index(part);
        let leading = rights.partition_key(&resource).and_then(|key| leading_key(part, key));
        AccessRequest::new(&format!("dynamodb:{action}"), &resource).leading_to(leading)
    };
    let parts = |of: &Value| of["TransactItems"].as_array().cloned().unwrap_or_default();
    match action {
        "TransactWriteItems" | "TransactGetItems" => {
            let parts = parts(request);
            let named = parts.iter().filter_map(|part| part.as_object()?.iter().next());
            named.map(|(kind, part)| need(&action_of_part(kind), part)).collect()
        }
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = request["RequestItems"].as_object().into_iter().flatten();
            let need = |(table, parts): (&String, &Value)| {
                let resource = table_arn(table);
                let key = rights.partition_key(&resource).unwrap_or_default();
                let leading =
                    parts_of_batch(parts).filter_map(|part| leading_key(part, key)).collect::<Vec<_>>();
                AccessRequest::new(&format!("dynamodb:{action}"), &resource).leading_to(leading)
            };
            tables.map(need).collect()
        }
        _ => vec![need(action, request)],
    }
}

/// The items and keys of a batch to write or to read.
fn parts_of_batch(of_table: &Value) -> impl Iterator<Item = &Value> {
    let writes = of_table.as_array().into_iter().flatten();
    let writes = writes.filter_map(|write| write.as_object()?.values().next());
    writes.chain(of_table["Keys"].as_array().into_iter().flatten())
}

/// The value of the partition key that a part of a request names: that of its item or key, or the one that a query asks for.
///
/// That the one of an index counts for a query of the index is a guess: AWS's pages do not say.
fn leading_key(part: &Value, key: &str) -> Option<String> {
    let held = [&part["Item"][key], &part["Key"][key], &part[key]];
    let held = held.into_iter().find_map(text_of);
    held.or_else(|| asked_for(part, key))
}

fn asked_for(query: &Value, key: &str) -> Option<String> {
    let condition = query["KeyConditionExpression"].as_str()?.replace('=', " = ").replace(['(', ')'], " ");
    let words: Vec<_> = condition.split_whitespace().collect();
    let is_key = |word: &str| query["ExpressionAttributeNames"][word].as_str().unwrap_or(word) == key;
    let term = words.windows(3).find(|term| is_key(term[0]) && term[1] == "=")?;
    text_of(&query["ExpressionAttributeValues"][term[2]])
}

/// `{"S": "a text"}`, or a number or bytes, as they are written.
fn text_of(value: &Value) -> Option<String> {
    value.as_object()?.values().next()?.as_str().map(str::to_owned)
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

/// Starting a task needs iam:PassRole for its roles.
fn of_ecs(rights: &Rights, action: &str, request: &Value) -> Vec<AccessRequest> {
    let text = |field: &str| request[field].as_str().unwrap_or_default();
    let cluster = short_name(text("cluster"));
    let named = format!("ecs:{action}");
    if action != "RunTask" {
        let tasks = request["tasks"].as_array().cloned().unwrap_or_default();
        let tasks = tasks.iter().chain(request.get("task")).filter_map(Value::as_str);
        return tasks.map(|task| AccessRequest::new(&named, &task_arn(cluster, task))).collect();
    }
    let definition = short_name(text("taskDefinition"));
    let (family, revision) = definition.split_once(':').unwrap_or((definition, "1"));
    let run = AccessRequest::new(&named, &arn("ecs", &format!("task-definition/{family}:{revision}")))
        .under("ecs:cluster", &arn("ecs", &format!("cluster/{cluster}")));
    let passed = rights.passed_to(family).iter().map(|role| {
        AccessRequest::new("iam:PassRole", role).under("iam:PassedToService", "ecs-tasks.amazonaws.com")
    });
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

        let actions: Vec<_> = of_dynamodb(&Rights::default(), "TransactWriteItems", &request)
            .into_iter()
            .map(|need| need.action)
            .collect();

        assert_eq!(actions, ["dynamodb:PutItem", "dynamodb:ConditionCheckItem"]);
    }

    #[test]
    fn an_index_is_a_resource_of_its_own() {
        let needs =
            of_dynamodb(&Rights::default(), "Query", &json!({"TableName": "ahoy", "IndexName": "gsi1"}));

        assert_eq!(
            needs,
            [AccessRequest::new(
                "dynamodb:Query",
                "arn:aws:dynamodb:us-east-1:000000000000:table/ahoy/index/gsi1"
            )]
        );
    }
}
