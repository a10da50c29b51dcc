//! The callers: each does what is planned, however the call goes.

use super::plan::{Act, Plan, PlannedCall};
use harness::testbed::Testbed;
use sim_audio::clips;
use sim_meta::{Call, CallerConfig};
use std::time::Duration;
use tokio::task::JoinSet;

/// How long a caller waits for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a caller listens to an answer.
const LISTENS: Duration = Duration::from_millis(800);

pub(super) async fn ring_all(testbed: &Testbed, plan: &Plan) -> anyhow::Result<()> {
    let mut callers = JoinSet::new();
    for (n, planned) in plan.calls.iter().enumerate() {
        tokio::time::sleep(planned.wait).await;
        let caller = CallerConfig { faults: planned.faults.clone(), ..CallerConfig::of_many(n as u32) };
        let call = testbed.meta.ring(caller).await?;
        let planned = planned.clone();
        callers.spawn(async move { play(&call, &planned).await });
    }
    callers.join_all().await;
    Ok(())
}

/// Plays a caller's part. A wait in vain is no failure here: the audit judges the call.
async fn play(call: &Call, planned: &PlannedCall) {
    let act = async {
        match planned.act {
            Act::GivesUp(after) => tokio::time::sleep(after).await,
            Act::Listens(duration) => {
                call.agent_speaks(PATIENCE).await?;
                tokio::time::sleep(duration).await;
            }
            Act::Asks => {
                call.agent_speaks(PATIENCE).await?;
                call.agent_falls_silent(PATIENCE).await?;
                call.say(&clips::caller_question()).await?;
                call.agent_speaks(PATIENCE).await?;
                tokio::time::sleep(LISTENS).await;
            }
        }
        Ok::<(), sim_meta::WaitError>(())
    };
    let _ = act.await;
    call.hang_up().await;
}
