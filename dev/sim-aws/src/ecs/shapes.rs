//! Writes tasks and services as the ECS API shows them.

use super::last_status::LastStatus;
use super::state::{ServiceState, State};
use super::task::{StopCode, Task};
use crate::clock;
use crate::identity::{ZONE, arn};
use serde_json::{Value, json};

pub(super) fn task(cluster: &str, task: &Task) -> Value {
    let moment = |at: Option<_>| at.map(clock::seconds);
    let mut shape = json!({
        "taskArn": task.arn,
        "clusterArn": cluster_arn(cluster),
        "taskDefinitionArn": definition_arn(&task.family, task.revision),
        "lastStatus": task.last_status.name(),
        "desiredStatus": desired_status(task),
        "group": task.group,
        "startedBy": task.started_by,
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "availabilityZone": ZONE,
        "cpu": "1024",
        "memory": "2048",
        "createdAt": clock::seconds(task.created),
        "startedAt": moment(task.started),
        "stoppingAt": moment(task.stopping),
        "stoppedAt": moment(task.stopped),
        "containers": [container(cluster, task)],
        "overrides": {"containerOverrides": [overrides(task)]},
        "attachments": [attachment(task)],
        "healthStatus": "UNKNOWN",
        "connectivity": "CONNECTED",
        "tags": [],
        "version": task.version,
    });
    if let Some((code, reason)) = &task.stop {
        shape["stopCode"] = code.name().into();
        shape["stoppedReason"] = reason.as_str().into();
    }
    shape
}

fn container(cluster: &str, task: &Task) -> Value {
    json!({
        "containerArn": arn("ecs", &format!("container/{cluster}/{}/1", task.id)),
        "taskArn": task.arn,
        "name": task.container,
        "lastStatus": task.last_status.name(),
        "exitCode": task.exit_code,
        "networkInterfaces": [{"attachmentId": attachment_id(task), "privateIpv4Address": "127.0.0.1"}],
    })
}

fn overrides(task: &Task) -> Value {
    let environment: Vec<Value> =
        task.overrides.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    json!({"name": task.container, "environment": environment})
}

/// The elastic network interface, which on loopback has but one address.
fn attachment(task: &Task) -> Value {
    let status = match task.last_status {
        LastStatus::Provisioning => "ATTACHING",
        LastStatus::Running | LastStatus::Stopping => "ATTACHED",
        LastStatus::Stopped => "DELETED",
    };
    json!({
        "id": attachment_id(task),
        "type": "ElasticNetworkInterface",
        "status": status,
        "details": [
            {"name": "subnetId", "value": "subnet-00000001"},
            {"name": "networkInterfaceId", "value": format!("eni-{}", &task.id[..17])},
            {"name": "privateIPv4Address", "value": "127.0.0.1"},
        ],
    })
}

fn attachment_id(task: &Task) -> String {
    format!("attachment-{}", &task.id[..8])
}

pub(super) fn service(cluster: &str, state: &State, service: &ServiceState) -> Value {
    let config = &service.config;
    let count = |status| state.tasks_of(&config.name).filter(|task| task.last_status == status).count();
    let (running, pending) = (count(LastStatus::Running), count(LastStatus::Provisioning));
    let mut wanted = state.tasks_of(&config.name).filter(|task| task.is_wanted());
    let is_rolled_out = running >= config.desired && wanted.all(|task| task.revision == service.revision);
    json!({
        "serviceArn": arn("ecs", &format!("service/{cluster}/{}", config.name)),
        "serviceName": config.name,
        "clusterArn": cluster_arn(cluster),
        "status": "ACTIVE",
        "desiredCount": config.desired,
        "runningCount": running,
        "pendingCount": pending,
        "launchType": "FARGATE",
        "schedulingStrategy": "REPLICA",
        "taskDefinition": definition_arn(&config.family, service.revision),
        "createdAt": clock::seconds(service.created),
        "deployments": [{
            "id": deployment(service.revision),
            "status": "PRIMARY",
            "rolloutState": if is_rolled_out { "COMPLETED" } else { "IN_PROGRESS" },
            "taskDefinition": definition_arn(&config.family, service.revision),
            "desiredCount": config.desired,
            "runningCount": running,
            "pendingCount": pending,
            "createdAt": clock::seconds(service.created),
        }],
        "events": [],
    })
}

pub(super) fn failure(arn: &str, reason: &str, detail: &str) -> Value {
    json!({"arn": arn, "reason": reason, "detail": detail})
}

pub(super) fn cluster_arn(cluster: &str) -> String {
    arn("ecs", &format!("cluster/{cluster}"))
}

pub(super) fn definition_arn(family: &str, revision: usize) -> String {
    arn("ecs", &format!("task-definition/{family}:{revision}"))
}

pub(super) fn deployment(revision: usize) -> String {
    format!("ecs-svc/{revision}")
}

pub(super) fn desired_status(task: &Task) -> &'static str {
    if task.is_wanted() { "RUNNING" } else { "STOPPED" }
}

impl StopCode {
    fn name(self) -> &'static str {
        match self {
            Self::UserInitiated => "UserInitiated",
            Self::ServiceSchedulerInitiated => "ServiceSchedulerInitiated",
            Self::SpotInterruption => "SpotInterruption",
            Self::EssentialContainerExited => "EssentialContainerExited",
            Self::TaskFailedToStart => "TaskFailedToStart",
        }
    }
}
