//! Rounds of calls, some at once: those whose scores are judged before the others, which would cost them frames.

use super::alone::Alone;
use super::checks::{self, Check};
use super::score;
use super::talk::{Scenario, Talk, talk};
use harness::testbed::Testbed;
use harness::wakeup_probe::WakeupProbe;
use sim_network::Profile;
use std::sync::Arc;
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;

/// So many calls at once: two cores also play everybody else.
const AT_ONCE: usize = 6;

/// A scored call that fell short while this machine was busy otherwise may be made so often in all.
const TRIES: u64 = 3;

/// Calls that were held together.
pub(super) struct Round {
    /// What is known of them, in the order of the scenarios.
    pub(super) talks: Vec<Talk>,
    /// How this machine was disturbed meanwhile, if it was.
    pub(super) disturbance: Option<String>,
}

impl Round {
    /// Holds the calls whose scores are judged: again, where they fell short while this machine was busy otherwise.
    ///
    /// # Errors
    /// When there could be no calls, or speech cannot be scored.
    pub(super) async fn of_judged(testbed: &Arc<Testbed>, alone: &Alone, seed: u64) -> anyhow::Result<Self> {
        let mut round = Self::hold(testbed, is_judged, seed).await?;
        for _ in 1..TRIES {
            if round.disturbance.is_none() || round.is_good_enough(alone).await? {
                break;
            }
            round = Self::hold(testbed, is_judged, seed).await?;
        }
        Ok(round)
    }

    /// Holds the other calls.
    ///
    /// # Errors
    /// When there could be no calls.
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
                (n, talk(&testbed, scenario, seed + n as u64, &ringing).await)
            });
        }
        let mut talks = calls.join_all().await;
        talks.sort_by_key(|(n, _)| *n);
        let talks = talks.into_iter().map(|(_, talk)| talk).collect::<anyhow::Result<_>>();
        Ok(Self { talks: talks?, disturbance: probe.disturbance() })
    }

    async fn is_good_enough(&self, alone: &Alone) -> anyhow::Result<bool> {
        let figures = score::all(&self.talks, alone).await?;
        Ok(checks::of_scores(&figures).iter().all(Check::holds))
    }
}

/// The scenarios of the suite, the longest first.
fn scenarios() -> Vec<Scenario> {
    let through = |network| Scenario::Converses { network };
    let mut scenarios = vec![Scenario::SaysNothing, Scenario::IsMuted];
    scenarios.extend([Scenario::CutOffListening, Scenario::CutOffSpeaking]);
    scenarios
        .extend(Profile::ALL.into_iter().filter(|profile| *profile != Profile::ConnectionLoss).map(through));
    scenarios
}

fn is_judged(scenario: Scenario) -> bool {
    [Profile::Clean, Profile::Random5].map(|network| Scenario::Converses { network }).contains(&scenario)
}
