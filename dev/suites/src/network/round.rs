//! Rounds of calls, some at once: those whose scores are judged before the others, which would cost them frames.

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

/// The most calls at once: the two cores also run the network and the simulators.
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
    /// Holds the calls whose scores are judged: again, where they fell short while this machine was busy otherwise.
    pub(super) async fn of_judged(
        testbed: &Arc<Testbed>,
        baseline: &LibopusBaseline,
        seed: u64,
    ) -> anyhow::Result<Self> {
        let mut round = Self::hold(testbed, is_judged, seed).await?;
        for _ in 1..TRIES {
            if round.disturbance.is_none() || round.is_good_enough(baseline).await? {
                break;
            }
            round = Self::hold(testbed, is_judged, seed).await?;
        }
        Ok(round)
    }

    pub(super) async fn of_others(testbed: &Arc<Testbed>, seed: u64) -> anyhow::Result<Self> {
        Self::hold(testbed, |scenario| !is_judged(scenario), seed).await
    }

    async fn hold(
        testbed: &Arc<Testbed>,
        is_wanted: fn(Scenario) -> bool,
        seed: u64,
    ) -> anyhow::Result<Self> {
        let probe = WakeupProbe::start();
        // Only one rings at a time, so that the model's newest session is that caller's.
        let (ringing, room) = (Arc::new(Mutex::new(())), Arc::new(Semaphore::new(AT_ONCE)));
        let mut calls = JoinSet::new();
        for (n, scenario) in scenarios().into_iter().enumerate().filter(|(_, scenario)| is_wanted(*scenario))
        {
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

/// The scenarios of the suite, the longest first.
fn scenarios() -> Vec<Scenario> {
    let through = |network| Scenario::Converses { network };
    let mut scenarios = vec![Scenario::SaysNothing, Scenario::IsMuted];
    scenarios.extend([Scenario::CutOffListening, Scenario::CutOffSpeaking]);
    scenarios.extend(
        Profile::ALL.iter().copied().filter(|profile| *profile != Profile::ConnectionLoss).map(through),
    );
    scenarios
}

fn is_judged(scenario: Scenario) -> bool {
    [Profile::Clean, Profile::Random5].map(|network| Scenario::Converses { network }).contains(&scenario)
}
