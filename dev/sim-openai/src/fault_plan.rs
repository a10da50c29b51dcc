//! Plans which fault is injected into which connection, for rehearsals of many.

use crate::InjectedFault;
use crate::random::of_session;
use fastrand::Rng;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// How many of sixteen connections have a fault.
const UNLUCKY: usize = 5;
/// Audio deltas before a session drops or stalls: from the greeting's first to the middle of an answer.
const DELTAS: Range<usize> = 1..60;
/// Seconds until a session expires.
const SECONDS: Range<usize> = 3..30;
/// How often each is drawn, against the others. What no caller survives is rarer than what one can recover from.
const WEIGHTS: [(InjectedFault, usize); 24] = [
    (InjectedFault::NeverAnswers, 1),
    (InjectedFault::NoSession, 1),
    (InjectedFault::RefusesKey, 1),
    (InjectedFault::QuotaExhausted, 1),
    (InjectedFault::DropsSession { after_deltas: 0 }, 4),
    (InjectedFault::Stalls { after_deltas: 0 }, 3),
    (InjectedFault::ServerError, 3),
    (InjectedFault::RateLimited, 3),
    (InjectedFault::Expires { after: Duration::ZERO }, 2),
    (InjectedFault::GoesSilent { after_deltas: 0 }, 2),
    (InjectedFault::Deaf, 1),
    (InjectedFault::RateLimitedThrice, 2),
    (InjectedFault::DropsThenRefuses { after_deltas: 0 }, 1),
    (InjectedFault::QuotaMidCall { after_deltas: 0 }, 1),
    (InjectedFault::IgnoresCreate, 2),
    (InjectedFault::SplitsSamples, 4),
    (InjectedFault::TranscriptionFails, 3),
    (InjectedFault::Writes { responses: 1 }, 3),
    (InjectedFault::SaysNothing { responses: 2 }, 3),
    (InjectedFault::RunsOut { after_deltas: 0 }, 3),
    (InjectedFault::Filters, 2),
    (InjectedFault::CutsCalls, 2),
    (InjectedFault::Mute, 1),
    (InjectedFault::MuteAsides, 2),
];

/// What goes wrong with each connection, by its number from 0: that of [`crate::Realtime::connections`] before it.
///
/// What happens *once* happens to each session that draws it.
#[derive(Clone)]
pub struct FaultPlan(Arc<dyn Fn(usize) -> Option<InjectedFault> + Send + Sync>);

impl FaultPlan {
    /// As a function says.
    pub fn new(of: impl Fn(usize) -> Option<InjectedFault> + Send + Sync + 'static) -> Self {
        Self(Arc::new(of))
    }

    /// By chance, which repeats itself: five connections of sixteen suffer something. The README has the weights.
    pub fn seeded(seed: u64) -> Self {
        Self::new(move |connection| InjectedFault::random(seed, connection))
    }

    pub(crate) fn of(&self, connection: usize) -> Option<InjectedFault> {
        (self.0)(connection)
    }
}

impl fmt::Debug for FaultPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FaultPlan(..)")
    }
}

impl InjectedFault {
    /// What goes wrong with the n-th connection of this seed, if anything.
    pub fn random(seed: u64, connection: usize) -> Option<Self> {
        let mut rng = of_session(seed, connection);
        let is_unlucky = rng.usize(0..16) < UNLUCKY;
        let total: usize = WEIGHTS.iter().map(|(_, weight)| weight).sum();
        let mut left = rng.usize(0..total);
        let drawn = WEIGHTS.iter().find(|(_, weight)| {
            let is_drawn = left < *weight;
            left = left.saturating_sub(*weight);
            is_drawn
        });
        let (drawn, _) = drawn.filter(|_| is_unlucky)?;
        Some(drawn.at_any_time(&mut rng))
    }

    fn at_any_time(mut self, rng: &mut Rng) -> Self {
        if let Self::Expires { after } = &mut self {
            *after = Duration::from_secs(rng.usize(SECONDS) as u64);
        } else if let Some(after_deltas) = self.after_deltas_mut() {
            *after_deltas = rng.usize(DELTAS);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::discriminant;

    #[test]
    fn a_seed_repeats_itself() {
        let drawn = |seed| (0..100).map(|n| InjectedFault::random(seed, n)).collect::<Vec<_>>();

        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
    }

    #[test]
    fn every_kind_is_drawn_as_often_as_its_weight_says() {
        let drawn: Vec<_> = (0..26_000).filter_map(|n| InjectedFault::random(1, n)).collect();
        let total: usize = WEIGHTS.iter().map(|(_, weight)| weight).sum();

        for (kind, weight) in WEIGHTS {
            let count = drawn.iter().filter(|one| discriminant(*one) == discriminant(&kind)).count();
            let expected = drawn.len() * weight / total;
            assert!(count.abs_diff(expected) < expected / 4, "{kind}: {count}, not {expected}");
        }
    }

    #[test]
    fn no_kind_is_left_out_and_five_of_sixteen_suffer() {
        for kind in InjectedFault::ALL {
            assert!(WEIGHTS.iter().any(|(other, _)| discriminant(other) == discriminant(&kind)), "{kind}");
        }

        let unlucky = (0..16_000).filter(|n| InjectedFault::random(3, *n).is_some()).count();
        assert!((4_700..5_300).contains(&unlucky), "{unlucky}");
    }

    #[test]
    fn the_readme_gives_the_weights() {
        let readme = include_str!("../README.md");
        for (kind, weight) in WEIGHTS {
            let name = kind.to_string();
            let name = name.split(':').next().unwrap();
            let row = readme.lines().find(|line| line.starts_with(&format!("| `{name}")));
            let documented = row.and_then(|row| row.split('|').nth(2)).map(str::trim);
            assert_eq!(documented, Some(weight.to_string().as_str()), "{name}");
        }
    }
}
