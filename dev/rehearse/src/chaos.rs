//! Many calls at once while everything goes wrong that can: no call may be lost, doubled, or left open.
//!
//! What goes wrong, and when, comes from a seed: the same seed brings the same plan, though not the same races.

mod audit_rounds;
mod call_audit;
mod caller;
mod fault_injection;
mod plan;
mod spending_audit;

pub use call_audit::Accounts;
pub use plan::Plan;

use crate::binaries::{Binaries, root};
use crate::stage::{AGENT, MODEL_KEY, Stage, StageConfig};
use sim_meta::MetaConfig;
use sim_openai::FaultPlan;
use std::collections::BTreeMap;
use std::time::Duration;

/// Between two calls, on average.
const SPACING: Duration = Duration::from_millis(2_600);

/// Media tasks, so that one can die and another go on.
const TASKS: usize = 2;

/// How long the last calls may take to settle: those whose last living task was killed have two minutes.
const SETTLED_WITHIN: Duration = Duration::from_secs(150);

/// What to rehearse.
#[derive(Debug, Clone, Copy)]
pub struct Chaos {
    /// Decides what goes wrong.
    pub seed: u64,
    /// How many calls.
    pub calls: u32,
}

impl Chaos {
    /// Rings all the calls, makes all the trouble, and settles the accounts.
    ///
    /// # Errors
    /// When something cannot be started. A call that goes wrong is in the accounts.
    pub async fn run(self, binaries: &Binaries) -> anyhow::Result<Accounts> {
        let plan = Plan::draw(self.seed, self.calls, SPACING);
        let stage = self.set_stage(binaries).await?;
        let accounts = play(&stage, &plan).await;
        stage.strike().await;
        accounts
    }

    async fn set_stage(self, binaries: &Binaries) -> anyhow::Result<Stage> {
        let meta = MetaConfig { seed: self.seed, ..MetaConfig::default() };
        let mut model = sim_openai::Config::new(MODEL_KEY).for_many();
        model.fault_plan = Some(FaultPlan::seeded(self.seed));
        let folder = root().join("target/chaos");
        let config = StageConfig {
            meta,
            model,
            model_url: None,
            agent: AGENT.to_owned(),
            tasks: TASKS,
            ring_seconds: None,
            more: BTreeMap::new(),
            folder,
        };
        Stage::set(config, binaries).await
    }
}

async fn play(stage: &Stage, plan: &Plan) -> anyhow::Result<Accounts> {
    let (callers, killed) =
        tokio::join!(caller::ring_all(stage, plan), fault_injection::make_all(stage, plan));
    callers?;
    call_audit::settle(stage, plan, &killed, SETTLED_WITHIN).await
}
