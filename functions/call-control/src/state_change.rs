//! The payloads call-control is invoked with: our own orders, and ECS task state changes.

use call::TaskId;
use internal_api::order::Order;
use serde::Deserialize;

/// The payload of an invocation.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Invocation {
    /// An order from the webhook, a media task or the reaper.
    Order(Order),
    /// A task state change from ECS, by way of EventBridge.
    StateChange(StateChange),
}

/// An EventBridge event of detail type "ECS Task State Change", as far as we read it.
#[derive(Debug, Clone, Deserialize)]
pub struct StateChange {
    detail: Detail,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    task_arn: String,
    last_status: String,
}

impl StateChange {
    /// Returns the task's id if the task has stopped.
    pub fn stopped_task(&self) -> Option<TaskId> {
        let has_stopped = self.detail.last_status == "STOPPED";
        has_stopped.then(|| self.detail.task_arn.rsplit('/').next())?.map(TaskId::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn parses_an_order() {
        let invocation = serde_json::from_value(json!({"order": "tick", "call_ref": "ab12"}));

        assert!(matches!(invocation, Ok(Invocation::Order(Order::Tick { .. }))));
    }

    #[test]
    fn names_a_stopped_task_and_ignores_a_running_one() {
        assert_eq!(change("STOPPED").stopped_task(), Some("0123abcd".into()));
        assert_eq!(change("RUNNING").stopped_task(), None);
    }

    fn change(status: &str) -> StateChange {
        let event = json!({
            "version": "0", "source": "aws.ecs", "detail-type": "ECS Task State Change",
            "detail": {"taskArn": "arn:aws:ecs:eu-west-1:000000000000:task/ahoy/0123abcd", "lastStatus": status},
        });
        match serde_json::from_value(event) {
            Ok(Invocation::StateChange(change)) => change,
            other => panic!("not taken for a state change: {other:?}"),
        }
    }
}
