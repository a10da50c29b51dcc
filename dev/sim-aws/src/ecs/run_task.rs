//! `RunTask`: what it refuses, what a client token means, and the tasks it starts.

use super::api::invalid;
use super::input::{Awsvpc, RunTask};
use super::state::{AnsweredRequest, State};
use super::task::Task;
use super::{Ecs, shapes};
use crate::config::Service;
use crate::environment::Environment;
use crate::refusal::Refusal;
use serde_json::{Value, json};
use std::sync::Arc;

const MOST_TASKS: usize = 10;
/// The most characters a client token may have.
const LONGEST_TOKEN: usize = 64;
/// The most characters `startedBy` may have.
const LONGEST_STARTED_BY: usize = 128;

impl Ecs {
    pub(super) fn run_task(self: &Arc<Self>, request: RunTask) -> Result<Value, Refusal> {
        let (revision, definition) = self.definition(&request)?;
        let overrides = overrides(&request, &definition)?;
        check(&request)?;
        if let Some(reason) = self.change(|state| injected_failure(state, &request))? {
            return Ok(json!({"tasks": [], "failures": [{"reason": reason}]}));
        }
        let count = request.count.unwrap_or(1);
        let tasks: Vec<Task> =
            (0..count).map(|_| self.standalone(&request, &definition, overrides.clone())).collect();
        let tasks = tasks.into_iter().map(|task| Task { revision, ..task }).collect();
        // In one step, so that of two requests with one token, however close, one carries out nothing.
        let (started, ids) = self.change(|state| admit(state, &request, tasks))?;
        for id in started {
            tokio::spawn(self.clone().run(id, definition.start_delay));
        }
        Ok(self.reply(&ids))
    }

    fn definition(&self, request: &RunTask) -> Result<(usize, Service), Refusal> {
        let name = request.task_definition.as_deref();
        let name = name.ok_or_else(|| invalid("TaskDefinition can not be blank."))?;
        let definition =
            self.look(|state| state.definition(name).map(|(revision, service)| (revision, service.clone())));
        definition.ok_or_else(|| Refusal::new("ClientException", "TaskDefinition not found."))
    }

    fn standalone(&self, request: &RunTask, definition: &Service, overrides: Environment) -> Task {
        let group = request.group.clone().unwrap_or_else(|| format!("family:{}", definition.family));
        Task {
            started_by: request.started_by.clone(),
            group: Some(group),
            overrides,
            ..Task::standalone(&self.cluster, definition)
        }
    }

    fn reply(&self, ids: &[String]) -> Value {
        self.look(|state| {
            let tasks = ids.iter().filter_map(|id| state.task(id));
            let tasks: Vec<Value> = tasks.map(|task| shapes::task(&self.cluster, task)).collect();
            json!({"tasks": tasks, "failures": []})
        })
    }
}

/// Why nothing is started this time. A request that was answered before under the request's token has that answer.
fn injected_failure(state: &mut State, request: &RunTask) -> Result<Option<String>, Refusal> {
    if let Some(answered) = answered_before(state, request)? {
        return Ok(answered.failure.clone());
    }
    let (times, reason) = &mut state.faults.run_task;
    let Some(left) = times.checked_sub(1) else { return Ok(None) };
    *times = left;
    let reason = reason.clone();
    if let Some(token) = request.client_token.clone() {
        let failure = Some(reason.clone());
        state.tokens.insert(token, AnsweredRequest { request: request.clone(), tasks: vec![], failure });
    }
    Ok(Some(reason))
}

/// What was answered to this request before. Another request with its token is a conflict.
fn answered_before<'a>(state: &'a State, request: &RunTask) -> Result<Option<&'a AnsweredRequest>, Refusal> {
    let before = request.client_token.as_ref().and_then(|token| state.tokens.get(token));
    match before {
        Some(answered) if answered.request != *request => {
            let message = "The provided clientToken is already in use with a different RunTask request.";
            Err(Refusal::new("ConflictException", message))
        }
        Some(_) | None => Ok(before),
    }
}

/// Enters the tasks, unless an equal request with this token entered some before: those are the answer then.
///
/// Tells which tasks are new and which are the answer. Another request with that token is a conflict.
fn admit(
    state: &mut State,
    request: &RunTask,
    tasks: Vec<Task>,
) -> Result<(Vec<String>, Vec<String>), Refusal> {
    if let Some(answered) = answered_before(state, request)? {
        return Ok((Vec::new(), answered.tasks.clone()));
    }
    let ids: Vec<String> = tasks.iter().map(|task| task.id.clone()).collect();
    if let Some(token) = request.client_token.clone() {
        state
            .tokens
            .insert(token, AnsweredRequest { request: request.clone(), tasks: ids.clone(), failure: None });
    }
    state.tasks.extend(tasks);
    Ok((ids.clone(), ids))
}

/// What a Fargate task in an awsvpc network cannot do without, and the limits of the API reference.
fn check(request: &RunTask) -> Result<(), Refusal> {
    let longer = |text: &Option<String>, most| text.as_ref().is_some_and(|text| text.len() > most);
    let (launch, strategy) = (request.launch_type.as_deref(), request.capacity_provider_strategy.is_some());
    let network = request.network_configuration.as_ref();
    let network = network.and_then(|network| network.awsvpc_configuration.as_ref());
    let without_subnets = |Awsvpc { subnets, .. }: &Awsvpc| subnets.is_empty();
    let refusals = [
        (!(1..=MOST_TASKS).contains(&request.count.unwrap_or(1)), "count must be between 1 and 10"),
        (longer(&request.client_token, LONGEST_TOKEN), "clientToken must not be longer than 64 characters"),
        (longer(&request.started_by, LONGEST_STARTED_BY), "startedBy must not be longer than 128 characters"),
        (launch.is_some() && strategy, "Specify either launchType or capacityProviderStrategy."),
        (launch != Some("FARGATE") && !strategy, "No Container Instances were found in your cluster."),
        (network.is_none(), "Network Configuration must be provided when networkMode 'awsvpc' is specified."),
        (network.is_some_and(without_subnets), "subnets can not be empty."),
    ];
    refusals.iter().find(|(applies, _)| *applies).map_or(Ok(()), |(_, message)| Err(invalid(*message)))
}

fn overrides(request: &RunTask, definition: &Service) -> Result<Environment, Refusal> {
    let mut environment = Environment::new();
    for container in &request.overrides.container_overrides {
        let name = container.name.as_deref().unwrap_or_default();
        if name != definition.container {
            return Err(invalid(format!(
                "Override for container named {name} is not a container in the TaskDefinition."
            )));
        }
        environment
            .extend(container.environment.iter().map(|entry| (entry.name.clone(), entry.value.clone())));
    }
    Ok(environment)
}

#[cfg(test)]
mod tests {
    use super::super::input;
    use super::*;

    #[test]
    fn a_request_that_aws_would_carry_out_passes() {
        assert_eq!(check(&request(json!({}))), Ok(()));
    }

    #[test]
    fn a_request_that_aws_would_refuse_is_refused() {
        for (change, says) in [
            (json!({"count": 11}), "between 1 and 10"),
            (json!({"count": 0}), "between 1 and 10"),
            (json!({"clientToken": "x".repeat(65)}), "64"),
            (json!({"startedBy": "x".repeat(129)}), "128"),
            (json!({"launchType": null}), "No Container Instances"),
            (json!({"networkConfiguration": null}), "Network Configuration must be provided"),
            (json!({"networkConfiguration": {"awsvpcConfiguration": {"subnets": []}}}), "subnets"),
        ] {
            let refusal = check(&request(change.clone())).unwrap_err();

            assert!(refusal.message.contains(says), "{change}: {refusal}");
        }
    }

    #[test]
    fn of_two_equal_requests_with_one_token_the_second_starts_nothing() {
        let mut state = State::new(Vec::new());
        let asked = request(json!({"clientToken": "a"}));

        let (started, answer) = admit(&mut state, &asked, vec![task()]).unwrap();
        let (again, same_answer) = admit(&mut state, &asked, vec![task()]).unwrap();

        assert_eq!((started.len(), again.len()), (1, 0));
        assert_eq!(answer, same_answer);
        assert_eq!(state.tasks.len(), 1);
    }

    #[test]
    fn another_request_with_the_same_token_is_a_conflict() {
        let mut state = State::new(Vec::new());
        admit(&mut state, &request(json!({"clientToken": "a"})), vec![task()]).unwrap();

        let other = request(json!({"clientToken": "a", "count": 2}));
        let refusal = admit(&mut state, &other, vec![task(), task()]).unwrap_err();

        assert_eq!(refusal.code, "ConflictException");
        assert_eq!(state.tasks.len(), 1);
    }

    #[test]
    fn requests_without_a_token_are_never_equal() {
        let mut state = State::new(Vec::new());
        for _ in 0..2 {
            admit(&mut state, &request(json!({})), vec![task()]).unwrap();
        }

        assert_eq!(state.tasks.len(), 2);
    }

    #[test]
    fn an_override_of_an_unknown_container_is_refused() {
        let definition = Service::new("media-task", "/bin/true");
        let overriding = |name: &str| {
            let environment = json!([{"name": "CALL", "value": "1"}]);
            request(
                json!({"overrides": {"containerOverrides": [{"name": name, "environment": environment}]}}),
            )
        };

        assert_eq!(overrides(&overriding("media-task"), &definition).unwrap()["CALL"], "1");
        let refusal = overrides(&overriding("other"), &definition).unwrap_err();
        assert!(refusal.message.contains("container named other"), "{refusal}");
    }

    #[test]
    fn a_member_that_is_not_played_is_refused() {
        let refusal = input::read::<RunTask>(br#"{"placementStrategy": []}"#).unwrap_err();

        assert!(refusal.message.contains("placementStrategy"), "{refusal}");
    }

    fn task() -> Task {
        Task::standalone("ahoy", &Service::new("media-task", "/bin/true"))
    }

    fn request(change: Value) -> RunTask {
        let mut request = json!({
            "taskDefinition": "media-task",
            "launchType": "FARGATE",
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
        });
        let change = change.as_object().unwrap().clone();
        request.as_object_mut().unwrap().extend(change);
        input::read(request.to_string().as_bytes()).unwrap()
    }
}
