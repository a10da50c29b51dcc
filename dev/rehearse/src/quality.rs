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

/// A scored call that fell short while this machine was busy otherwise may be made so often in all.
const TRIES: u64 = 3;

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
        let alone = Alone::encode()?;
        let (mut talks, mut disturbances) = (Vec::new(), Vec::new());
        for try_ in 1..=TRIES {
            let (judged, disturbance) = hold_some(&stage, is_judged, seed).await?;
            let checks = checks::of_scores(&score::all(&judged, &alone).await?);
            if disturbance.is_none() || try_ == TRIES || checks.iter().all(Check::holds) {
                (talks, disturbances) = (judged, vec![disturbance]);
                break;
            }
        }
        let (others, disturbance) = hold_some(&stage, |scene| !is_judged(scene), seed).await?;
        talks.extend(others);
        disturbances.push(disturbance);
        if let Ok(stage) = Arc::try_unwrap(stage) {
            stage.strike().await;
        }
        let figures = score::all(&talks, &alone).await?;
        let disturbance = disturbances.into_iter().flatten().next();
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

/// Whether a call's scores are judged: such calls are made before the others, which would cost them frames.
fn is_judged(scene: Scene) -> bool {
    [Profile::Clean, Profile::Random5].map(|network| Scene::Converses { network }).contains(&scene)
}

/// Holds the calls of these scenes, some at once: what is known of them, in the order of the scenes, and how this machine was
/// disturbed meanwhile.
async fn hold_some(
    stage: &Arc<Stage>,
    is_wanted: fn(Scene) -> bool,
    seed: u64,
) -> anyhow::Result<(Vec<Talk>, Option<String>)> {
    let metronome = Metronome::start();
    // Only one rings at a time, so that the model's newest session is that caller's.
    let (ringing, room) = (Arc::new(Mutex::new(())), Arc::new(Semaphore::new(AT_ONCE)));
    let mut calls = JoinSet::new();
    for (n, scene) in scenes().into_iter().enumerate().filter(|(_, scene)| is_wanted(*scene)) {
        let (stage, ringing, room) = (stage.clone(), ringing.clone(), room.clone());
        calls.spawn(async move {
            let _seat = room.acquire().await.expect("nobody closes it");
            (n, talk(&stage, scene, seed + n as u64, &ringing).await)
        });
    }
    let mut talks = calls.join_all().await;
    talks.sort_by_key(|(n, _)| *n);
    let talks = talks.into_iter().map(|(_, talk)| talk).collect::<anyhow::Result<_>>();
    Ok((talks?, metronome.disturbance()))
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
