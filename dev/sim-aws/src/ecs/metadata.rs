//! Writes the metadata that a task reads about itself, version 4.
//!
//! Spec: "Amazon ECS task metadata endpoint version 4 for tasks on Fargate".

use super::shapes::{cluster_arn, desired_status};
use super::task::Task;
use crate::clock;
use crate::identity::{ZONE, arn};
use serde_json::{Value, json};

/// `${ECS_CONTAINER_METADATA_URI_V4}/task`
pub(super) fn task(cluster: &str, task: &Task) -> Value {
    json!({
        "Cluster": cluster_arn(cluster),
        "TaskARN": task.arn,
        "Family": task.family,
        // The service's name is there on EC2 only.
        "Revision": task.revision.to_string(),
        "DesiredStatus": desired_status(task),
        "KnownStatus": task.last_status.name(),
        "Limits": {"CPU": 1, "Memory": 2048},
        "PullStartedAt": clock::iso(task.created),
        "PullStoppedAt": clock::iso(task.created),
        "AvailabilityZone": ZONE,
        "LaunchType": "FARGATE",
        "Containers": [container(cluster, task)],
    })
}

/// `${ECS_CONTAINER_METADATA_URI_V4}`
pub(super) fn container(cluster: &str, task: &Task) -> Value {
    json!({
        "DockerId": task.container_id(),
        "Name": task.container,
        "DockerName": task.container,
        "Image": format!("{}:rehearsal", task.family),
        "Labels": {
            "com.amazonaws.ecs.cluster": cluster_arn(cluster),
            "com.amazonaws.ecs.container-name": task.container,
            "com.amazonaws.ecs.task-arn": task.arn,
            "com.amazonaws.ecs.task-definition-family": task.family,
            "com.amazonaws.ecs.task-definition-version": task.revision.to_string(),
        },
        "DesiredStatus": desired_status(task),
        "KnownStatus": task.last_status.name(),
        "Limits": {"CPU": 2},
        "CreatedAt": clock::iso(task.created),
        "StartedAt": clock::iso(task.started.unwrap_or(task.created)),
        "Type": "NORMAL",
        "ContainerARN": arn("ecs", &format!("container/{cluster}/{}/1", task.id)),
        "Networks": [{
            "NetworkMode": "awsvpc",
            "IPv4Addresses": ["127.0.0.1"],
            "AttachmentIndex": 0,
            "IPv4SubnetCIDRBlock": "127.0.0.0/8",
            "PrivateDNSName": "localhost",
        }],
    })
}
