//! Makes the trouble that is planned.

use super::plan::{Plan, Trouble};
use crate::stage::Stage;
use aws::{Delivery, Gone, LastStatus};
use std::collections::HashSet;
use std::time::Instant;

/// The media tasks that were killed.
#[derive(Debug, Default)]
pub(super) struct Killed {
    /// Every one of them, by id.
    pub all: HashSet<String>,
    /// When one was killed while no other lived.
    pub last_ones: Vec<Instant>,
}

/// Makes all of it.
pub(super) async fn make_all(stage: &Stage, plan: &Plan) -> Killed {
    let mut killed = Killed::default();
    for planned in &plan.troubles {
        tokio::time::sleep(planned.wait).await;
        tracing::info!(trouble = ?planned.trouble, "Trouble");
        if let Err(error) = make(stage, planned.trouble, &mut killed).await {
            tracing::warn!("No trouble could be made: {error:#}");
        }
    }
    killed
}

async fn make(stage: &Stage, trouble: Trouble, killed: &mut Killed) -> anyhow::Result<()> {
    let cloud = &stage.stack.cloud;
    match trouble {
        Trouble::KillCallControl => cloud.kill_function("call-control").await?,
        Trouble::KillWebhook => cloud.kill_function("webhook").await?,
        Trouble::KillTask(which) => {
            let tasks = cloud.tasks();
            let running: Vec<_> =
                tasks.iter().filter(|task| task.last_status == LastStatus::Running).collect();
            if let Some(task) = running.get(which % running.len().max(1)) {
                killed.all.insert(task.id.clone());
                killed.last_ones.extend((running.len() == 1).then(Instant::now));
                cloud.kill_task(&task.id).await?;
            }
        }
        Trouble::Throttle(times) => cloud.mischief().throttle_dynamodb(times),
        Trouble::Conflict(times) => cloud.mischief().conflict_transactions(times),
        Trouble::LoseReplies(times) => cloud.mischief().lose_dynamodb_replies(times),
        Trouble::DynamoDbGone(so_long) => cloud.mischief().dynamodb_gone(Gone::Failing, so_long),
        Trouble::DynamoDbSilent(so_long) => cloud.mischief().dynamodb_gone(Gone::Silent, so_long),
        Trouble::LateStateChanges(delay) => cloud.mischief().deliver_state_changes(Delivery::Late(delay)),
        Trouble::StateChangesTwice => cloud.mischief().deliver_state_changes(Delivery::Twice),
        Trouble::RefuseInvocations(times) => cloud.mischief().throttle_invocations("call-control", times)?,
        Trouble::RunTaskFails(times) => cloud.mischief().fail_run_task(times, "RESOURCE:ENI"),
    }
    Ok(())
}
