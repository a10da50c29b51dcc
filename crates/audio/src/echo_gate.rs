//! Keeps the agent from hearing itself: what is quiet while it is being played is its echo from the caller's phone.

use std::time::{Duration, Instant};

/// An echo comes so much after what it is an echo of.
const ECHO: Duration = Duration::from_millis(200);

/// Tells the caller's voice from the agent's echo by how loud it is.
#[derive(Debug)]
pub(crate) struct EchoGate {
    /// The mean square of a sample, below which a frame is silenced.
    threshold: Option<f64>,
    echoes_until: Option<Instant>,
}

impl EchoGate {
    /// A gate for what is quieter than so many dB below full scale. `None` lets everything through.
    pub(crate) fn new(dbfs: Option<f32>) -> Self {
        let full_scale = f64::from(i16::MAX).powi(2);
        let threshold = dbfs.map(|dbfs| full_scale * 10_f64.powf(f64::from(dbfs) / 10.0));
        Self { threshold, echoes_until: None }
    }

    /// Notes that the caller is being played something until then.
    pub(crate) fn note_played(&mut self, until: Instant) {
        self.echoes_until = Some(until + ECHO);
    }

    /// Silences what is too quiet to be the caller. Whether it did.
    pub(crate) fn silence(&self, samples: &mut [i16], now: Instant) -> bool {
        let Some(threshold) = self.threshold else { return false };
        let may_echo = self.echoes_until.is_some_and(|until| now < until);
        let is_echo = may_echo && !samples.is_empty() && mean_square(samples) < threshold;
        if is_echo {
            samples.fill(0);
        }
        is_echo
    }
}

fn mean_square(samples: &[i16]) -> f64 {
    let sum: u64 = samples.iter().map(|sample| u64::from(sample.unsigned_abs()).pow(2)).sum();
    sum as f64 / samples.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quiet_while_the_agent_is_played_is_silenced_and_what_is_loud_is_not() {
        let now = Instant::now();
        let mut gate = EchoGate::new(Some(-40.0));
        gate.note_played(now);

        // 328 is just over -40 dB of full scale, 327 just under it.
        assert_eq!(through(&gate, 328, now), (328, false));
        assert_eq!(through(&gate, 327, now), (0, true));
    }

    #[test]
    fn the_gate_opens_when_the_echo_has_died_away() {
        let now = Instant::now();
        let mut gate = EchoGate::new(Some(-40.0));
        assert_eq!(through(&gate, 1, now), (1, false));
        gate.note_played(now);

        assert_eq!(through(&gate, 1, now + Duration::from_millis(199)), (0, true));
        assert_eq!(through(&gate, 1, now + Duration::from_millis(200)), (1, false));
    }

    #[test]
    fn without_a_threshold_everything_is_let_through() {
        let now = Instant::now();
        let mut gate = EchoGate::new(None);
        gate.note_played(now);

        assert_eq!(through(&gate, 1, now), (1, false));
    }

    fn through(gate: &EchoGate, sample: i16, now: Instant) -> (i16, bool) {
        let mut samples = [sample; 480];
        let was_silenced = gate.silence(&mut samples, now);
        (samples[0], was_silenced)
    }
}
