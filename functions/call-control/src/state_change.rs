//! What call-control is invoked with: an order of ours, or ECS's word that a task has changed its state.

use internal_api::order::Order;
use serde::Deserialize;

/// The payload of an invocation.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Invocation {
    /// From the webhook, a media task or the reaper.
    Order(Order),
    /// From ECS, by way of EventBridge.
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
    /// The id of the task, if it has stopped.
    pub fn stopped_task(&self) -> Option<&str> {
        (self.detail.last_status == "STOPPED").then(|| self.detail.task_arn.rsplit('/').next())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_order_is_an_order() {
        let asked = serde_json::from_value(json!({"order": "tick", "call_ref": "ab12"}));

        assert!(matches!(asked, Ok(Invocation::Order(Order::Tick { .. }))));
    }

    #[test]
    fn a_stopped_task_is_named_and_a_running_one_is_nobodys_business() {
        assert_eq!(change("STOPPED").stopped_task(), Some("0123abcd"));
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
