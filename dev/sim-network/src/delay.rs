//! How long a datagram takes: what the way takes at least, what the queues of the last second add, and what this one
//! datagram meets.

use crate::chance::Chance;
use crate::character::Character;
use std::time::{Duration, Instant};

/// A delay that stays for a while: a queue that is long now will be long in 20 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swing {
    /// What it adds on average.
    pub mean: Duration,
    /// How long it stays about the same: the time in which its correlation falls to 1/e. Zero: no two datagrams have
    /// it alike.
    pub lasts: Duration,
}

/// Draws the delay of one datagram after the other.
#[derive(Debug)]
pub(crate) struct Delays {
    least: Duration,
    jitter: Duration,
    swing: Swing,
    now: Option<(Instant, Duration)>,
}

impl Delays {
    pub(crate) fn new(character: &Character) -> Self {
        let Character { delay, jitter, swing, .. } = *character;
        Self { least: delay, jitter, swing, now: None }
    }

    /// What the next one takes.
    pub(crate) fn next(&mut self, now: Instant, chance: &mut Chance) -> Duration {
        // Both are drawn for each datagram, needed or not, so that the n-th of them has the same chances in every run.
        let (fresh, own) = (chance.around(self.swing.mean), chance.around(self.jitter));
        let luck = chance.happens(self.change_since_last(now));
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
        let delays = drawn(&Character { swing, jitter: Duration::ZERO, ..Profile::Clean.character() });

        let mean = delays.iter().sum::<f64>() / delays.len() as f64;
        let least = Profile::Clean.character().delay.as_secs_f64();

        assert!((mean - least - 0.060).abs() < 0.004, "{mean}");
        let correlation = correlation(&delays, 25);
        assert!((0.30..0.44).contains(&correlation), "{correlation}, and not 1/e");
    }

    #[test]
    fn jitter_is_everybodys_own() {
        let jitter = Duration::from_millis(10);
        let swing = Swing { mean: Duration::ZERO, lasts: Duration::ZERO };
        let delays = drawn(&Character { swing, jitter, ..Profile::Clean.character() });

        assert!(correlation(&delays, 1).abs() < 0.03);
    }

    fn drawn(character: &Character) -> Vec<f64> {
        let (mut delays, mut chance, t0) = (Delays::new(character), Chance::seeded(3), Instant::now());
        (0..60_000).map(|n| delays.next(t0 + FRAME * n, &mut chance).as_secs_f64()).collect()
    }

    fn correlation(delays: &[f64], lag: usize) -> f64 {
        let mean = delays.iter().sum::<f64>() / delays.len() as f64;
        let variance: f64 = delays.iter().map(|delay| (delay - mean).powi(2)).sum();
        let both = delays.iter().zip(&delays[lag..]).map(|(a, b)| (a - mean) * (b - mean));
        both.sum::<f64>() / variance
    }
}
