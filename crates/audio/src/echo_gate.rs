//! The echo gate: silences quiet audio of the caller while the agent speaks, because it is the agent's echo from the
//! caller's phone.

use std::time::{Duration, Instant};

/// How long after the agent's speech its echo may arrive.
const ECHO: Duration = Duration::from_millis(200);

/// Tells the caller's voice from the agent's echo by level.
#[derive(Debug)]
pub(crate) struct EchoGate {
    /// The mean square of the samples below which a frame is silenced.
    threshold: Option<f64>,
    echoes_until: Option<Instant>,
}

impl EchoGate {
    /// Creates a gate that silences what is below `dbfs`, dB of full scale. `None` lets everything through.
    pub(crate) fn new(dbfs: Option<f32>) -> Self {
        let full_scale = f64::from(i16::MAX).powi(2);
        let threshold = dbfs.map(|dbfs| full_scale * 10_f64.powf(f64::from(dbfs) / 10.0));
        Self { threshold, echoes_until: None }
    }

    /// Notes that the caller is played audio up to `until`.
    pub(crate) fn note_played(&mut self, until: Instant) {
        self.echoes_until = Some(until + ECHO);
    }

    /// Silences samples that are too quiet to be the caller, and returns whether it did.
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
    fn quiet_audio_during_speech_is_silenced_and_loud_audio_is_not() {
        let now = Instant::now();
        let mut gate = EchoGate::new(Some(-40.0));
        gate.note_played(now);

        // 328 is just over -40 dB of full scale, 327 just under it.
        assert_eq!(through(&gate, 328, now), (328, false));
        assert_eq!(through(&gate, 327, now), (0, true));
    }

    #[test]
    fn the_gate_opens_after_the_echo() {
        let now = Instant::now();
        let mut gate = EchoGate::new(Some(-40.0));
        assert_eq!(through(&gate, 1, now), (1, false));
        gate.note_played(now);

        assert_eq!(through(&gate, 1, now + Duration::from_millis(199)), (0, true));
        assert_eq!(through(&gate, 1, now + Duration::from_millis(200)), (1, false));
    }

    #[test]
    fn without_a_threshold_everything_passes() {
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
