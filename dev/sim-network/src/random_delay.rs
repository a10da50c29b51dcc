//! Draws random delays.

use fastrand::Rng;
use std::time::Duration;

/// Returns a time around `mean`, never negative, with a long tail: Erlang's distribution of shape 2. Its standard deviation
/// is 0.71 of the mean, its 99th percentile 3.3 times the mean.
pub(crate) fn around(rng: &mut Rng, mean: Duration) -> Duration {
    let half = mean.as_secs_f64() / 2.0;
    Duration::from_secs_f64(half * (exponential(rng) + exponential(rng)))
}

fn exponential(rng: &mut Rng) -> f64 {
    -(1.0 - rng.f64()).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_around_their_mean_with_a_long_tail() {
        let mut rng = Rng::with_seed(1);
        let mean = Duration::from_millis(20);
        let mut times: Vec<Duration> = (0..50_000).map(|_| around(&mut rng, mean)).collect();
        times.sort_unstable();

        let average = times.iter().sum::<Duration>() / 50_000;

        assert!(average.abs_diff(mean) < Duration::from_micros(300), "{average:?}");
        let p99 = times[49_500].as_secs_f64() / mean.as_secs_f64();
        assert!((3.2..3.5).contains(&p99), "{p99}");
    }
}
