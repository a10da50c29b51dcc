//! Rounds of calls, some at once: those whose scores are judged before the others, which would cost them frames. Calls in which hardly
//! anything is said go on beside the others.

use super::checks;
use super::libopus_baseline::LibopusBaseline;
use super::scenario::{self, Scenario, ScenarioResult};
use super::score;
use harness::Testbed;
use harness::rehearsal::Check;
use harness::wakeup_probe::WakeupProbe;
use sim_network::Profile;
use std::sync::Arc;
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;

/// The most calls of a round at once: the two cores also run the network and the simulators.
const AT_ONCE: usize = 6;

/// How often a scored call is placed at most, if other processes used this machine while it fell short.
const TRIES: u64 = 3;

/// Calls that were held together.
pub(super) struct Round {
    /// What is known of them, in the order of the scenarios.
    pub(super) results: Vec<ScenarioResult>,
    /// How this machine was disturbed meanwhile, if it was.
    pub(super) disturbance: Option<String>,
}

impl Round {
    /// Holds all calls, and returns the rounds in the order of the table.
    pub(super) async fn hold_all(
        testbed: &Arc<Testbed>,
        baseline: &LibopusBaseline,
        seed: u64,
    ) -> anyhow::Result<[Self; 3]> {
        let ringing = Arc::new(Mutex::new(()));
        let judged = Self::of_judged(testbed, &ringing, baseline, seed).await?;
        let quiet = Self::hold(testbed, &ringing, Kind::Quiet, seed);
        let others = Self::hold(testbed, &ringing, Kind::Other, seed);
        let (quiet, others) = tokio::try_join!(quiet, others)?;
        Ok([judged, quiet, others])
    }

    /// Holds the calls whose scores are judged: again, where they fell short while this machine was busy otherwise.
    async fn of_judged(
        testbed: &Arc<Testbed>,
        ringing: &Arc<Mutex<()>>,
        baseline: &LibopusBaseline,
        seed: u64,
    ) -> anyhow::Result<Self> {
        let mut round = Self::hold(testbed, ringing, Kind::Judged, seed).await?;
        for _ in 1..TRIES {
            if round.disturbance.is_none() || round.is_good_enough(baseline).await? {
                break;
            }
            round = Self::hold(testbed, ringing, Kind::Judged, seed).await?;
        }
        Ok(round)
    }

    /// Holds the calls of a kind, some at once. Only one rings at a time, so that the model's newest session is that caller's.
    async fn hold(
        testbed: &Arc<Testbed>,
        ringing: &Arc<Mutex<()>>,
        kind: Kind,
        seed: u64,
    ) -> anyhow::Result<Self> {
        let probe = WakeupProbe::start();
        let (mut calls, room) = (JoinSet::new(), Arc::new(Semaphore::new(AT_ONCE)));
        let wanted = scenarios().into_iter().enumerate().filter(|(_, scenario)| Kind::of(*scenario) == kind);
        for (n, scenario) in wanted {
            let (testbed, ringing, room) = (testbed.clone(), ringing.clone(), room.clone());
            calls.spawn(async move {
                let _permit = room.acquire().await.expect("the semaphore is never closed");
                (n, scenario::run(&testbed, scenario, seed + n as u64, &ringing).await)
            });
        }
        let mut results = calls.join_all().await;
        results.sort_by_key(|(n, _)| *n);
        let results = results.into_iter().map(|(_, result)| result).collect::<anyhow::Result<_>>();
        Ok(Self { results: results?, disturbance: probe.disturbance() })
    }

    async fn is_good_enough(&self, baseline: &LibopusBaseline) -> anyhow::Result<bool> {
        let figures = score::all(&self.results, baseline).await?;
        Ok(checks::of_scores(&figures).iter().all(Check::holds))
    }
}

/// What a call asks of this machine, and of the suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Its scores are judged.
    Judged,
    /// It lasts long, and hardly anything is said in it.
    Quiet,
    Other,
}

impl Kind {
    fn of(scenario: Scenario) -> Self {
        match scenario {
            Scenario::Converses { network: Profile::Clean | Profile::Random5 } => Self::Judged,
            Scenario::SaysNothing | Scenario::IsMuted => Self::Quiet,
            Scenario::Converses { .. } | Scenario::CutOffSpeaking | Scenario::CutOffListening => Self::Other,
        }
    }
}

/// The scenarios of the suite, in the order of the table, but for their kind.
fn scenarios() -> Vec<Scenario> {
    let through = |network| Scenario::Converses { network };
    let mut scenarios = vec![Scenario::SaysNothing, Scenario::IsMuted];
    scenarios.extend([Scenario::CutOffListening, Scenario::CutOffSpeaking]);
    scenarios.extend(
        Profile::ALL.iter().copied().filter(|profile| *profile != Profile::ConnectionLoss).map(through),
    );
    scenarios
}
