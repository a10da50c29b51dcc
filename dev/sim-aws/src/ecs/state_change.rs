//! Writes a task's change of state as the event that EventBridge passes on.
//!
//! Spec: "Amazon ECS task state change events". The detail is the task as the API shows it, but for its moments.

use super::last_status::LastStatus;
use super::shapes;
use super::task::Task;
use crate::clock;
use crate::identity::{ACCOUNT, REGION};
use serde_json::{Value, json};
use std::time::SystemTime;
use uuid::Uuid;

#[derive(Debug)]
pub(crate) struct StateChange {
    pub(crate) last_status: LastStatus,
    pub(crate) event: Value,
}

impl StateChange {
    pub(super) fn of(cluster: &str, task: &Task, now: SystemTime) -> Self {
        let event = json!({
            "version": "0",
            "id": Uuid::new_v4().to_string(),
            "detail-type": "ECS Task State Change",
            "source": "aws.ecs",
            "account": ACCOUNT,
            "time": clock::iso_seconds(now),
            "region": REGION,
            "resources": [task.arn],
            "detail": detail(cluster, task, now),
        });
        Self { last_status: task.last_status, event }
    }
}

fn detail(cluster: &str, task: &Task, now: SystemTime) -> Value {
    let mut detail = shapes::task(cluster, task);
    let moments = [
        ("createdAt", Some(task.created)),
        ("startedAt", task.started),
        ("stoppingAt", task.stopping),
        ("stoppedAt", task.stopped),
        ("updatedAt", Some(now)),
    ];
    for (name, moment) in moments {
        detail[name] = moment.map(clock::iso).into();
    }
    detail["attachments"][0]["type"] = "eni".into();
    let members = detail.as_object_mut().expect("a task is an object");
    members.retain(|name, value| !value.is_null() && !["healthStatus", "tags"].contains(&name.as_str()));
    detail
}

#[cfg(test)]
mod tests {
    use super::super::task::StopCode;
    use super::*;
    use crate::config::Service;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn a_stopped_task_is_told_with_its_reason() {
        let now = UNIX_EPOCH + Duration::from_millis(1_583_348_638_390);
        let mut task = Task::of_service("ahoy", &Service::new("media-task", "/bin/true"));
        task.ask_to_stop(StopCode::UserInitiated, "enough");
        task.has_stopped(None, now);

        let change = StateChange::of("ahoy", &task, now);

        assert_eq!(change.last_status, LastStatus::Stopped);
        assert_eq!(change.event["detail-type"], "ECS Task State Change");
        assert_eq!(change.event["time"], "2020-03-04T19:03:58Z");
        let detail = &change.event["detail"];
        assert_eq!((&detail["lastStatus"], &detail["desiredStatus"]), (&json!("STOPPED"), &json!("STOPPED")));
        assert_eq!(detail["stopCode"], "UserInitiated");
        assert_eq!(detail["stoppedReason"], "enough");
        assert_eq!((&detail["taskArn"], &detail["group"]), (&json!(task.arn), &json!("service:media-task")));
        assert_eq!(detail["clusterArn"], "arn:aws:ecs:us-east-1:000000000000:cluster/ahoy");
        assert_eq!(detail["stoppedAt"], "2020-03-04T19:03:58.39Z");
        assert_eq!(detail.get("startedAt"), None, "it never started");
    }
}
