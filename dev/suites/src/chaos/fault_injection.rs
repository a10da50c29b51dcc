//! Makes the trouble that is planned.

use super::plan::{Plan, Trouble};
use anyhow::Context;
use harness::testbed::Testbed;
use local::eventually_every;
use sim_aws::{Delivery, Gone, LastStatus};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// How long a task is waited for that can be killed.
const TASK_COMES_WITHIN: Duration = Duration::from_secs(20);

/// How often to look whether there is one.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The media tasks that were killed.
#[derive(Debug, Default)]
pub(super) struct Killed {
    /// Every one of them, by id.
    pub all: HashSet<String>,
    /// When one was killed while no other lived.
    pub last_ones: Vec<Instant>,
}

impl Killed {
    /// What is wrong when fewer were killed than planned: the calls met less trouble than they are said to have met.
    pub(super) fn too_few(&self, planned: usize) -> Option<String> {
        let killed = self.all.len();
        (killed < planned).then(|| format!("{planned} media tasks were to be killed, and {killed} were"))
    }
}

/// Makes all of it, each trouble at its time.
pub(super) async fn make_all(testbed: &Testbed, plan: &Plan) -> Killed {
    let (mut killed, start) = (Killed::default(), tokio::time::Instant::now());
    for planned in &plan.troubles {
        tokio::time::sleep_until(start + planned.at).await;
        tracing::info!(trouble = ?planned.trouble, "Trouble");
        if let Err(error) = make(testbed, planned.trouble, &mut killed).await {
            tracing::warn!("No trouble could be made: {error:#}");
        }
    }
    killed
}

async fn make(testbed: &Testbed, trouble: Trouble, killed: &mut Killed) -> anyhow::Result<()> {
    let cloud = &testbed.stack.cloud;
    match trouble {
        Trouble::KillCallControl => cloud.kill_function("call-control").await?,
        Trouble::KillWebhook => cloud.kill_function("webhook").await?,
        Trouble::KillTask(which) => {
            let running = running_tasks(testbed).await?;
            let task = running.get(which % running.len().max(1)).context("no media task runs")?;
            let at = Instant::now();
            cloud.kill_task(task).await?;
            killed.all.insert(task.clone());
            killed.last_ones.extend((running.len() == 1).then_some(at));
        }
        Trouble::Throttle(times) => cloud.mischief().throttle_dynamodb(times),
        Trouble::Conflict(times) => cloud.mischief().conflict_transactions(times),
        Trouble::LoseReplies(times) => cloud.mischief().lose_dynamodb_replies(times),
        Trouble::DynamoDbGone(duration) => cloud.mischief().dynamodb_gone(Gone::Failing, duration),
        Trouble::DynamoDbSilent(duration) => cloud.mischief().dynamodb_gone(Gone::Silent, duration),
        Trouble::LateStateChanges(delay) => cloud.mischief().deliver_state_changes(Delivery::Late(delay)),
        Trouble::StateChangesTwice => cloud.mischief().deliver_state_changes(Delivery::Twice),
        Trouble::RefuseInvocations(times) => cloud.mischief().throttle_invocations("call-control", times)?,
        Trouble::RunTaskFails(times) => cloud.mischief().fail_run_task(times, "RESOURCE:ENI"),
    }
    Ok(())
}

/// The media tasks that run, as soon as there is one: after the last was killed, the next call has another one started.
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
            all: (0..count).map(|n| format!("task-{n}")).collect(),
            last_ones: vec![],
        };

        assert_eq!(killed(planned).too_few(planned), None);
        let wrong = format!("{planned} media tasks were to be killed, and {} were", planned - 1);
        assert_eq!(killed(planned - 1).too_few(planned), Some(wrong));
    }
}
