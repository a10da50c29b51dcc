//! What is left to chance, from a seed: the same seed has the same fates.

use std::time::Duration;

/// A stream of chances. Fit for networks, not for secrets.
#[derive(Debug)]
pub(crate) struct Chance(fastrand::Rng);

impl Chance {
    /// The stream of a seed.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// Whether something of this probability happens.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        self.0.f64() < probability
    }

    /// A time around `mean`, never negative, with a long tail: Erlang's distribution of shape 2, the time two
    /// strangers in a queue take. Its standard deviation is 0.71 of the mean, its 99th percentile 3.3 times the mean.
    pub(crate) fn around(&mut self, mean: Duration) -> Duration {
        let half = mean.as_secs_f64() / 2.0;
        Duration::from_secs_f64(half * (self.exponential() + self.exponential()))
    }

    fn exponential(&mut self) -> f64 {
        -(1.0 - self.0.f64()).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_around_their_mean_with_a_long_tail() {
        let mut chance = Chance::seeded(1);
        let mean = Duration::from_millis(20);
        let mut times: Vec<Duration> = (0..50_000).map(|_| chance.around(mean)).collect();
        times.sort_unstable();

        let average = times.iter().sum::<Duration>() / 50_000;

        assert!(average.abs_diff(mean) < Duration::from_micros(300), "{average:?}");
        let p99 = times[49_500].as_secs_f64() / mean.as_secs_f64();
        assert!((3.2..3.5).contains(&p99), "{p99}");
    }
}
