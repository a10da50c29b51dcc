//! Counts what a call's sound went through.

use std::time::Duration;

/// Counters of one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meter {
    /// Packets of the caller that were of use.
    pub received: u64,
    /// Packets of the caller that came twice or too late.
    pub useless: u64,
    /// Packets of the caller that never came.
    pub lost: u64,
    /// Lost frames that error correction brought back.
    pub recovered: u64,
    /// Frames of silence passed on because nothing came.
    pub filled: u64,
    /// Frames of the caller's that were silenced as the agent's echo.
    pub gated: u64,
    /// Keys the caller pressed.
    pub keys: u64,
    /// How often the caller interrupted the agent, and something was not heard for it.
    pub interruptions: u64,
    /// Frames sent to the caller.
    pub sent: u64,
    /// Speech of the agent that was dropped because too much was waiting.
    pub dropped: Duration,
    /// How late frames were sent.
    pub late: Lateness,
}

/// How late frames were, to the millisecond, up to [`Lateness::WORST`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lateness {
    counts: [u64; Self::WORST + 1],
    last: Duration,
}

impl Default for Lateness {
    fn default() -> Self {
        Self { counts: [0; Self::WORST + 1], last: Duration::ZERO }
    }
}

impl Lateness {
    /// The last bucket, ms: this late or later.
    pub const WORST: usize = 100;

    /// Notes a frame.
    pub fn note(&mut self, late: Duration) {
        self.counts[(late.as_millis() as usize).min(Self::WORST)] += 1;
        self.last = late;
    }

    /// How late the last frame was; zero when there was none.
    pub fn last(&self) -> Duration {
        self.last
    }

    /// So late at most were this many per cent of the frames, ms; zero when there were none.
    pub fn percentile(&self, per_cent: u64) -> u64 {
        let all: u64 = self.counts.iter().sum();
        let mut seen = 0;
        let bucket = self.counts.iter().position(|count| {
            seen += count;
            seen * 100 >= all * per_cent
        });
        bucket.unwrap_or(0) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_frames_noted() {
        let mut late = Lateness::default();
        (0..98).for_each(|_| late.note(Duration::from_micros(400)));
        (0..2).for_each(|_| late.note(Duration::from_secs(7)));

        assert_eq!((late.percentile(50), late.percentile(98), late.percentile(99)), (0, 0, 100));
        assert_eq!((Lateness::default().percentile(99), late.last()), (0, Duration::from_secs(7)));
    }
}
