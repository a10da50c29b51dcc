//! The ECS API: answers one action.

use super::input::{
    DescribeServices, DescribeTasks, ListTasks, RunTask, StopTask, TaskProtection, UpdateService, read,
};
use super::last_status::LastStatus;
use super::protection::{OutOfRange, Protection};
use super::task::{StopCode, Task};
use super::{Ecs, shapes};
use crate::clock;
use crate::identity::short_name;
use crate::refusal::Refusal;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::SystemTime;

/// The most tasks a page of `ListTasks` holds; there is no second page.
const PAGE: usize = 100;

impl Ecs {
    pub(crate) fn answer(self: &Arc<Self>, action: &str, body: &[u8]) -> Result<Value, Refusal> {
        match action {
            "RunTask" => {
                let request: RunTask = read(body)?;
                self.check_cluster(request.cluster.as_deref())?;
                self.run_task(request)
            }
            "DescribeTasks" => self.describe_tasks(&read(body)?),
            "ListTasks" => self.list_tasks(&read(body)?),
            "StopTask" => self.stop_task(&read(body)?),
            "DescribeServices" => self.describe_services(&read(body)?),
            "UpdateService" => self.update_service(&read(body)?),
            "GetTaskProtection" => self.get_task_protection(&read(body)?),
            "UpdateTaskProtection" => self.update_task_protection(&read(body)?),
            _ => Err(Refusal::unknown_operation(action)),
        }
    }

    fn describe_tasks(&self, request: &DescribeTasks) -> Result<Value, Refusal> {
        self.check_cluster(request.cluster.as_deref())?;
        not_empty(&request.tasks, "Tasks cannot be empty.")?;
        self.look(|state| {
            let shown = |name| Some(shapes::task(&self.cluster, state.task(name)?));
            let (tasks, failures) =
                divide(request.tasks.iter().map(|name| shown(name).ok_or_else(|| missing(name))));
            Ok(json!({"tasks": tasks, "failures": failures}))
        })
    }

    fn list_tasks(&self, request: &ListTasks) -> Result<Value, Refusal> {
        self.check_cluster(request.cluster.as_deref())?;
        let arns: Vec<Value> = self.look(|state| {
            state.tasks.iter().filter(|task| request.wants(task)).map(|task| json!(task.arn)).collect()
        });
        if request.next_token.is_some() || arns.len() > request.max_results.unwrap_or(PAGE) {
            return Err(invalid("a second page of tasks is not played"));
        }
        Ok(json!({"taskArns": arns}))
    }

    fn stop_task(&self, request: &StopTask) -> Result<Value, Refusal> {
        self.check_cluster(request.cluster.as_deref())?;
        let name = request.task.as_deref().unwrap_or_default();
        let reason = request.reason.as_deref().unwrap_or("Task stopped by user");
        self.change(|state| {
            let task = state.task_mut(name);
            let task = task.ok_or_else(|| invalid("The referenced task was not found."))?;
            task.ask_to_stop(StopCode::UserInitiated, reason);
            Ok(json!({"task": shapes::task(&self.cluster, task)}))
        })
    }

    fn describe_services(&self, request: &DescribeServices) -> Result<Value, Refusal> {
        self.check_cluster(request.cluster.as_deref())?;
        not_empty(&request.services, "Services cannot be empty.")?;
        self.look(|state| {
            let shown = |name| Some(shapes::service(&self.cluster, state, state.service(name)?));
            let (services, failures) =
                divide(request.services.iter().map(|name| shown(name).ok_or_else(|| missing(name))));
            Ok(json!({"services": services, "failures": failures}))
        })
    }

    fn update_service(&self, request: &UpdateService) -> Result<Value, Refusal> {
        self.check_cluster(request.cluster.as_deref())?;
        let name = request.service.as_deref().unwrap_or_default();
        self.change(|state| {
            let service = state.service_mut(name);
            let service =
                service.ok_or_else(|| Refusal::new("ServiceNotFoundException", "Service not found."))?;
            service.config.desired = request.desired_count.unwrap_or(service.config.desired);
            let service = state.service(name).expect("it was just found");
            Ok(json!({"service": shapes::service(&self.cluster, state, service)}))
        })
    }

    fn get_task_protection(&self, request: &TaskProtection) -> Result<Value, Refusal> {
        self.check_cluster(request.cluster.as_deref())?;
        let found = request.tasks.iter().map(|task| self.protection(task));
        Ok(protections(found))
    }

    fn update_task_protection(&self, request: &TaskProtection) -> Result<Value, Refusal> {
        self.check_cluster(request.cluster.as_deref())?;
        let enabled = request.protection_enabled;
        let enabled = enabled.ok_or_else(|| invalid("protectionEnabled must be set"))?;
        not_empty(&request.tasks, "Tasks cannot be empty.")?;
        let minutes = request.expires_in_minutes;
        let changed: Result<Vec<_>, _> =
            request.tasks.iter().map(|task| self.protect(task, enabled, minutes)).collect();
        Ok(protections(changed?.into_iter()))
    }

    /// A `ProtectedTask`, or the `Failure` for a task that cannot be protected.
    pub(super) fn protection(&self, name: &str) -> Result<Value, Value> {
        self.look(|state| protected(state.task(name), name))
    }

    /// Changes a task's protection, and shows it then.
    pub(super) fn protect(
        &self,
        name: &str,
        enabled: bool,
        minutes: Option<i64>,
    ) -> Result<Result<Value, Value>, Refusal> {
        let protection = Protection::new(enabled, minutes, SystemTime::now());
        let protection = protection.map_err(|error: OutOfRange| invalid(error.to_string()))?;
        Ok(self.change(|state| {
            protected(state.task(name), name)?;
            let (left, reason) = &mut state.faults.protection;
            if let Some(fewer) = left.checked_sub(1) {
                *left = fewer;
                return Err(shapes::failure(name, reason, "Refused by the rehearsal"));
            }
            if enabled && state.blocks_protection(name, SystemTime::now()) {
                let detail = "The service has more protected tasks than its desired count";
                return Err(shapes::failure(name, "DEPLOYMENT_BLOCKED", detail));
            }
            let task = state.task_mut(name).expect("it was just found");
            task.protection = protection;
            protected(Some(task), name)
        }))
    }

    /// No cluster named is the cluster `default`, as in ECS.
    fn check_cluster(&self, asked: Option<&str>) -> Result<(), Refusal> {
        if short_name(asked.unwrap_or("default")) == self.cluster {
            return Ok(());
        }
        Err(Refusal::new("ClusterNotFoundException", "Cluster not found."))
    }
}

impl ListTasks {
    /// Only running tasks are listed unless stopped ones are asked for.
    fn wants(&self, task: &Task) -> bool {
        let service = self.service_name.as_deref().map(short_name);
        shapes::desired_status(task) == self.desired_status.as_deref().unwrap_or("RUNNING")
            && self.family.as_ref().is_none_or(|family| *family == task.family)
            && service.is_none_or(|service| task.service.as_deref() == Some(service))
            && self.started_by.as_ref().is_none_or(|by| Some(by) == task.started_by.as_ref())
    }
}

/// Only a service's running task can be protected: `UpdateTaskProtection` says that a standalone one is not valid.
fn protected(task: Option<&Task>, name: &str) -> Result<Value, Value> {
    let task = task.ok_or_else(|| shapes::failure(name, "MISSING", "The specified task is missing"))?;
    if task.service.is_none() || task.last_status != LastStatus::Running {
        return Err(shapes::failure(&task.arn, "TASK_NOT_VALID", "The specified task is not valid"));
    }
    let expires = task.protection.expires(SystemTime::now());
    Ok(json!({
        "taskArn": task.arn,
        "protectionEnabled": expires.is_some(),
        "expirationDate": expires.map(clock::seconds),
    }))
}

fn protections(found: impl Iterator<Item = Result<Value, Value>>) -> Value {
    let (protected, failures) = divide(found);
    json!({"protectedTasks": protected, "failures": failures})
}

/// What was found, and the failures of the rest.
fn divide(found: impl Iterator<Item = Result<Value, Value>>) -> (Vec<Value>, Vec<Value>) {
    let (shown, failures): (Vec<_>, Vec<_>) = found.partition(Result::is_ok);
    (shown.into_iter().flatten().collect(), failures.into_iter().filter_map(Result::err).collect())
}

fn missing(name: &str) -> Value {
    json!({"arn": name, "reason": "MISSING"})
}

pub(super) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidParameterException", message)
}

fn not_empty(list: &[String], otherwise: &str) -> Result<(), Refusal> {
    if list.is_empty() {
        return Err(invalid(otherwise));
    }
    Ok(())
}
