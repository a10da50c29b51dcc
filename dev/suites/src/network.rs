//! Speech quality and survival of calls through real networks: calls through the whole product, a network between
//! caller and task, and what came out on each side held against what went in.
//!
//! Speech is scored by PESQ wideband (ITU-T P.862.2), the one published measure with an implementation by its authors
//! that anyone may run, and with figures to compare for every codec. It maps to MOS-LQO, 1.0 to 4.64. It does not hear
//! delay: what jitter costs beside lost packets is in the other columns.

mod checks;
mod figures;
mod libopus_baseline;
mod round;
mod scenario;
mod score;

use figures::Figures;
use harness::rehearsal::Check;
use harness::testbed::{AGENT, MODEL_KEY, Testbed, TestbedConfig};
use libopus_baseline::LibopusBaseline;
use local::{Binaries, root};
use round::Round;
use sim_audio::clips;
use sim_openai::{Reply, Script};
use std::fmt;
use std::sync::Arc;

/// A line that drops some words is no caller who has finished.
const TURNS: &str = "\n[model.turn_detection]\ntype = \"server_vad\"\nsilence_duration_ms = 1000\n";

/// All calls of the suite, and what must be right about them.
#[derive(Debug)]
pub struct QualitySuite {
    figures: Figures,
    checks: Vec<Check>,
    /// How this machine was disturbed, if it was.
    disturbance: Option<String>,
}

impl QualitySuite {
    /// Makes all calls, and writes `docs/bench/network.{md,csv,svg}`; into `target/network` when this machine was busy
    /// otherwise.
    pub async fn run(binaries: &Binaries, seed: u64) -> anyhow::Result<Self> {
        let testbed = Arc::new(start_testbed(binaries).await?);
        let baseline = LibopusBaseline::encode()?;
        let rounds = Round::hold_all(&testbed, &baseline, seed).await?;
        if let Ok(testbed) = Arc::try_unwrap(testbed) {
            testbed.stop().await;
        }
        let disturbance = rounds.iter().find_map(|round| round.disturbance.clone());
        let results: Vec<_> = rounds.into_iter().flat_map(|round| round.results).collect();
        let figures = score::all(&results, &baseline).await?;
        // What a busy machine did to a call is no figure of the product's.
        let folder = if disturbance.is_none() { "docs/bench" } else { "target/network" };
        figures.write(&root().join(folder), disturbance.as_deref())?;
        Ok(Self { checks: checks::all(&figures), figures, disturbance })
    }

    /// Whether everything is right.
    pub fn holds(&self) -> bool {
        self.checks.iter().all(Check::holds)
    }
}

async fn start_testbed(binaries: &Binaries) -> anyhow::Result<Testbed> {
    let mut model = sim_openai::Config::new(MODEL_KEY);
    let answers = [scenario::part(&scenario::agents_pieces()), clips::agent_closing()].map(Reply::speech);
    model.script = Script::new(Reply::speech(clips::agent_greeting()), answers);
    model.checks_itself = false;
    let agent = format!("{AGENT}{TURNS}");
    let config = TestbedConfig { model, agent, ..TestbedConfig::in_folder(root().join("target/network")) };
    Testbed::start(config, binaries).await
}

impl fmt::Display for QualitySuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.figures.table().markdown())?;
        self.checks.iter().try_for_each(|check| writeln!(f, "  {check}"))?;
        match &self.disturbance {
            Some(disturbance) => write!(f, "  this machine was busy otherwise: its clock was {disturbance}"),
            None => Ok(()),
        }
    }
}
