//! Many calls at once under injected faults and kills: no call may be lost, doubled, or left open.
//!
//! The faults and their times come from a seed: the same seed brings the same plan, though not the same races.

mod audit_rounds;
mod call_audit;
mod caller;
mod fault_injection;
mod outcome_audit;
mod plan;
mod spending_audit;

pub use call_audit::Accounts;
pub use plan::Plan;

use harness::testbed::{MODEL_KEY, Testbed, TestbedConfig};
use local::{Binaries, root};
use sim_meta::MetaConfig;
use sim_openai::FaultPlan;
use std::time::Duration;

/// The average time between two calls.
const SPACING: Duration = Duration::from_millis(2_600);

/// Media tasks, so that one can die and another go on.
const TASKS: usize = 2;

/// How long the last calls may take to settle: those whose last living task was killed have two minutes.
const SETTLED_WITHIN: Duration = Duration::from_secs(150);

/// A run of the suite.
#[derive(Debug, Clone, Copy)]
pub struct Chaos {
    /// The seed of the plan.
    pub seed: u64,
    /// How many calls.
    pub calls: u32,
}

impl Chaos {
    /// Places all calls, injects all faults, and audits the outcome.
    ///
    /// A call that goes wrong is in the accounts.
    pub async fn run(self, binaries: &Binaries) -> anyhow::Result<Accounts> {
        let plan = Plan::draw(self.seed, self.calls, SPACING);
        let testbed = self.start_testbed(binaries).await?;
        let accounts = play(&testbed, &plan).await;
        testbed.stop().await;
        accounts
    }

    async fn start_testbed(self, binaries: &Binaries) -> anyhow::Result<Testbed> {
        let meta = MetaConfig { seed: self.seed, ..MetaConfig::default() };
        let mut model = sim_openai::Config::new(MODEL_KEY).for_many();
        model.fault_plan = Some(FaultPlan::seeded(self.seed));
        let config = TestbedConfig {
            meta,
            model,
            tasks: TASKS,
            ..TestbedConfig::in_folder(root().join("target/chaos"))
        }
        .knowing_callers();
        Testbed::start(config, binaries).await
    }
}

async fn play(testbed: &Testbed, plan: &Plan) -> anyhow::Result<Accounts> {
    let (callers, killed) =
        tokio::join!(caller::ring_all(testbed, plan), fault_injection::inject_all(testbed, plan));
    callers?;
    call_audit::settle(testbed, plan, &killed, SETTLED_WITHIN).await
}
