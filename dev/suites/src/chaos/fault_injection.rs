//! Injects the planned faults of our side.

use super::plan::{Plan, SystemFault};
use anyhow::Context;
use call::TaskId;
use harness::testbed::Testbed;
use local::eventually_every;
use sim_aws::{Delivery, LastStatus, Outage};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// How long to wait for a task to kill.
const TASK_COMES_WITHIN: Duration = Duration::from_secs(20);

/// How often to look whether there is one.
const LOOK_EVERY: Duration = Duration::from_millis(100);

#[derive(Debug, Default)]
pub(super) struct Killed {
    /// Their ids.
    pub all: HashSet<TaskId>,
    /// When one was killed while no other lived.
    pub last_ones: Vec<Instant>,
}

impl Killed {
    /// Returns the violation if fewer tasks were killed than planned: the run was easier than it claims.
    pub(super) fn too_few(&self, planned: usize) -> Option<String> {
        let killed = self.all.len();
        (killed < planned).then(|| format!("{planned} media tasks were to be killed, and {killed} were"))
    }
}

pub(super) async fn inject_all(testbed: &Testbed, plan: &Plan) -> Killed {
    let (mut killed, start) = (Killed::default(), tokio::time::Instant::now());
    for planned in &plan.system_faults {
        tokio::time::sleep_until(start + planned.at).await;
        tracing::info!(fault = ?planned.fault, "injecting a fault");
        if let Err(error) = inject(testbed, planned.fault, &mut killed).await {
            tracing::warn!("cannot inject a fault: {error:#}");
        }
    }
    killed
}

async fn inject(testbed: &Testbed, fault: SystemFault, killed: &mut Killed) -> anyhow::Result<()> {
    let cloud = &testbed.stack.cloud;
    match fault {
        SystemFault::KillCallControl => cloud.kill_function("call-control").await?,
        SystemFault::KillWebhook => cloud.kill_function("webhook").await?,
        SystemFault::KillTask(which) => {
            let running = running_tasks(testbed).await?;
            let task = running.get(which % running.len().max(1)).context("no media task runs")?;
            let at = Instant::now();
            cloud.kill_task(task).await?;
            killed.all.insert(task.as_str().into());
            killed.last_ones.extend((running.len() == 1).then_some(at));
        }
        SystemFault::Throttle(times) => cloud.faults().throttle_dynamodb(times),
        SystemFault::Conflict(times) => cloud.faults().conflict_transactions(times),
        SystemFault::LoseReplies(times) => cloud.faults().lose_dynamodb_replies(times),
        SystemFault::DynamoDbGone(duration) => cloud.faults().dynamodb_outage(Outage::Failing, duration),
        SystemFault::DynamoDbSilent(duration) => cloud.faults().dynamodb_outage(Outage::Silent, duration),
        SystemFault::LateStateChanges(delay) => cloud.faults().deliver_state_changes(Delivery::Late(delay)),
        SystemFault::StateChangesTwice => cloud.faults().deliver_state_changes(Delivery::Twice),
        SystemFault::RefuseInvocations(times) => {
            cloud.faults().throttle_invocations("call-control", times)?
        }
        SystemFault::RunTaskFails(times) => cloud.faults().fail_run_task(times, "RESOURCE:ENI"),
    }
    Ok(())
}

/// Returns the running media tasks, as soon as there is one: after the last was killed, the next call has another one started.
async fn running_tasks(testbed: &Testbed) -> anyhow::Result<Vec<String>> {
    let running = eventually_every(LOOK_EVERY, TASK_COMES_WITHIN, || async {
        let tasks = testbed.stack.cloud.tasks().into_iter();
        let running = tasks.filter(|task| task.last_status == LastStatus::Running);
        let running: Vec<_> = running.map(|task| task.id.clone()).collect();
        Ok((!running.is_empty()).then_some(running))
    });
    Ok(running.await?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_could_not_be_killed_is_a_violation() {
        let plan = Plan::draw(1, 40, Duration::from_secs(3));
        let planned = plan.kills();
        assert!(planned >= 2, "{planned}");
        let killed = |count: usize| Killed {
            all: (0..count).map(|n| format!("task-{n}").into()).collect(),
            last_ones: vec![],
        };

        assert_eq!(killed(planned).too_few(planned), None);
        let wrong = format!("{planned} media tasks were to be killed, and {} were", planned - 1);
        assert_eq!(killed(planned - 1).too_few(planned), Some(wrong));
    }
}
