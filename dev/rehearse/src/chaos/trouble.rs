//! Makes the trouble that is planned.

use super::plan::{Plan, Trouble};
use crate::stage::Stage;
use aws::{Gone, LastStatus};
use std::collections::HashSet;

/// Makes all of it; returns the ids of the media tasks that were killed.
pub(super) async fn make_all(stage: &Stage, plan: &Plan) -> HashSet<String> {
    let mut killed = HashSet::new();
    for planned in &plan.troubles {
        tokio::time::sleep(planned.wait).await;
        tracing::info!(trouble = ?planned.trouble, "Trouble");
        if let Err(error) = make(stage, planned.trouble, &mut killed).await {
            tracing::warn!("No trouble could be made: {error:#}");
        }
    }
    killed
}

async fn make(stage: &Stage, trouble: Trouble, killed: &mut HashSet<String>) -> anyhow::Result<()> {
    let cloud = &stage.stack.cloud;
    match trouble {
        Trouble::KillCallControl => cloud.kill_function("call-control").await?,
        Trouble::KillWebhook => cloud.kill_function("webhook").await?,
        Trouble::KillTask(which) => {
            let running = cloud.tasks().into_iter().filter(|task| task.last_status == LastStatus::Running);
            if let Some(task) = running.cycle().nth(which) {
                killed.insert(task.id.clone());
                cloud.kill_task(&task.id).await?;
            }
        }
        Trouble::Throttle(times) => cloud.mischief().throttle_dynamodb(times),
        Trouble::Conflict(times) => cloud.mischief().conflict_transactions(times),
        Trouble::LoseReplies(times) => cloud.mischief().lose_dynamodb_replies(times),
        Trouble::DynamoDbGone(so_long) => cloud.mischief().dynamodb_gone(Gone::Failing, so_long),
        Trouble::RefuseInvocations(times) => cloud.mischief().throttle_invocations("call-control", times)?,
        Trouble::RunTaskFails(times) => cloud.mischief().fail_run_task(times, "RESOURCE:ENI"),
    }
    Ok(())
}
