//! How speech sounds, and whether calls go on, through real networks: calls through the whole product, a network between
//! caller and task, and what came out on each side held against what went in.
//!
//! Speech is scored by PESQ wideband (ITU-T P.862.2), the one published measure with an implementation by its authors
//! that anybody may run, and with figures to compare for every codec. It maps to MOS-LQO, 1.0 to 4.64. It does not hear
//! delay: what jitter costs beside lost packets is in the other columns.

mod alone;
mod checks;
mod figures;
mod score;
mod talk;

use crate::binaries::{Binaries, root};
use crate::metronome::Metronome;
use crate::stage::{AGENT, MODEL_KEY, Stage, StageConfig};
use alone::Alone;
pub use checks::Check;
use figures::Figures;
use network::Profile;
use openai::{Reply, Script};
use phone::MetaConfig;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use talk::{Scene, Talk, talk};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;
use tone::clips;

/// So many calls at once: two cores also play everybody else.
const AT_ONCE: usize = 6;

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
    ///
    /// # Errors
    /// When there could be no calls, or speech cannot be scored.
    pub async fn run(binaries: &Binaries, seed: u64) -> anyhow::Result<Self> {
        let stage = Arc::new(set_stage(binaries).await?);
        let metronome = Metronome::start();
        let talks = hold_all(&stage, seed).await;
        let disturbance = metronome.disturbance();
        if let Ok(stage) = Arc::try_unwrap(stage) {
            stage.strike().await;
        }
        let figures = score::all(&talks?, &Alone::encode()?).await?;
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

/// The scenes of the suite, the longest first.
fn scenes() -> Vec<Scene> {
    let through = |network| Scene::Converses { network };
    let mut scenes = vec![Scene::SaysNothing, Scene::IsMuted];
    scenes.extend([Scene::CutOffListening, Scene::CutOffSpeaking]);
    scenes.extend(Profile::ALL.into_iter().filter(|profile| *profile != Profile::Outage).map(through));
    scenes
}

async fn set_stage(binaries: &Binaries) -> anyhow::Result<Stage> {
    let mut model = openai::Config::new(MODEL_KEY);
    let answers = [talk::part(&talk::agents_pieces()), clips::agent_closing()].map(Reply::speech);
    model.script = Script::new(Reply::speech(clips::agent_greeting()), answers);
    model.checks_itself = false;
    let config = StageConfig {
        meta: MetaConfig::default(),
        model,
        agent: format!("{AGENT}{TURNS}"),
        tasks: 1,
        ring_seconds: None,
        more: BTreeMap::new(),
        folder: root().join("target/network"),
    };
    Stage::set(config, binaries).await
}

/// Holds all calls, some at once; what is known of them, in the order of the scenes.
async fn hold_all(stage: &Arc<Stage>, seed: u64) -> anyhow::Result<Vec<Talk>> {
    // Only one rings at a time, so that the model's newest session is that caller's.
    let (ringing, room) = (Arc::new(Mutex::new(())), Arc::new(Semaphore::new(AT_ONCE)));
    let mut calls = JoinSet::new();
    for (n, scene) in scenes().into_iter().enumerate() {
        let (stage, ringing, room) = (stage.clone(), ringing.clone(), room.clone());
        calls.spawn(async move {
            let _seat = room.acquire().await.expect("nobody closes it");
            (n, talk(&stage, scene, seed + n as u64, &ringing).await)
        });
    }
    let mut talks = calls.join_all().await;
    talks.sort_by_key(|(n, _)| *n);
    talks.into_iter().map(|(_, talk)| talk).collect()
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
