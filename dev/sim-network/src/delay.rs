//! Draws how long a datagram takes: the least delay of the path, what its queues add, and the jitter of this one
//! datagram.

use crate::conditions::{Conditions, Swing};
use crate::random_delay::around;
use fastrand::Rng;
use std::time::{Duration, Instant};

/// Draws the delay of one datagram after the other.
#[derive(Debug)]
pub(crate) struct Delays {
    least: Duration,
    jitter: Duration,
    swing: Swing,
    now: Option<(Instant, Duration)>,
}

impl Delays {
    pub(crate) fn new(conditions: &Conditions) -> Self {
        let Conditions { delay, jitter, swing, .. } = *conditions;
        Self { least: delay, jitter, swing, now: None }
    }

    pub(crate) fn next(&mut self, now: Instant, rng: &mut Rng) -> Duration {
        // Both are drawn for each datagram, needed or not, so that the n-th of them has the same chances in every run.
        let (fresh, own) = (around(rng, self.swing.mean), around(rng, self.jitter));
        let luck = rng.f64() < self.change_since_last(now);
        let swing = match self.now {
            Some((_, swing)) if !luck => swing,
            _ => fresh,
        };
        self.now = Some((now, swing));
        self.least + swing + own
    }

    /// How probable it is that the swing has changed since the last datagram.
    fn change_since_last(&self, now: Instant) -> f64 {
        let passed = self.now.map_or(Duration::ZERO, |(at, _)| now.saturating_duration_since(at));
        if self.swing.lasts.is_zero() {
            return 1.0;
        }
        1.0 - (-passed.as_secs_f64() / self.swing.lasts.as_secs_f64()).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;

    const FRAME: Duration = Duration::from_millis(20);

    #[test]
    fn a_swing_has_its_mean_and_lasts_its_time() {
        let swing = Swing { mean: Duration::from_millis(60), lasts: Duration::from_millis(500) };
        let delays = drawn(&Conditions { swing, jitter: Duration::ZERO, ..Profile::Clean.conditions() });

        let mean = delays.iter().sum::<f64>() / delays.len() as f64;
        let least = Profile::Clean.conditions().delay.as_secs_f64();

        assert!((mean - least - 0.060).abs() < 0.004, "{mean}");
        let correlation = correlation(&delays, 25);
        assert!((0.30..0.44).contains(&correlation), "{correlation}, and not 1/e");
    }

    #[test]
    fn jitter_is_everybodys_own() {
        let jitter = Duration::from_millis(10);
        let swing = Swing { mean: Duration::ZERO, lasts: Duration::ZERO };
        let delays = drawn(&Conditions { swing, jitter, ..Profile::Clean.conditions() });

        assert!(correlation(&delays, 1).abs() < 0.03);
    }

    fn drawn(conditions: &Conditions) -> Vec<f64> {
        let (mut delays, mut rng, t0) = (Delays::new(conditions), Rng::with_seed(3), Instant::now());
        (0..60_000).map(|n| delays.next(t0 + FRAME * n, &mut rng).as_secs_f64()).collect()
    }

    fn correlation(delays: &[f64], lag: usize) -> f64 {
        let mean = delays.iter().sum::<f64>() / delays.len() as f64;
        let variance: f64 = delays.iter().map(|delay| (delay - mean).powi(2)).sum();
        let both = delays.iter().zip(&delays[lag..]).map(|(a, b)| (a - mean) * (b - mean));
        both.sum::<f64>() / variance
    }
}
