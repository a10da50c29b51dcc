//! Counts what a call's sound went through.

use crate::NetworkPath;
use std::time::Duration;

/// Counters of one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meter {
    /// Packets of the caller that were of use.
    pub received: u64,
    /// Packets of the caller that came twice.
    pub duplicates: u64,
    /// Packets of the caller that came when they were given up already.
    pub tardy: u64,
    /// Packets of the caller that were given up.
    pub lost: u64,
    /// How often packets were given up, however many at once.
    pub gaps: u64,
    /// Lost packets that error correction brought back.
    pub recovered: u64,
    /// Lost packets that were made up from what came before.
    pub concealed: u64,
    /// Packets of a payload type that was not agreed on.
    pub foreign: u64,
    /// Packets that nobody could read.
    pub malformed: u64,
    /// Packets dropped because no caller can say so much in so little time.
    pub flooded: u64,
    /// How often the caller's stream began again, with another SSRC or numbers far from the last.
    pub restarts: u64,
    /// Frames of silence passed on because nothing came.
    pub filled: u64,
    /// Frames of the caller's that were silenced as the agent's echo.
    pub gated: u64,
    /// Keys the caller pressed.
    pub keys: u64,
    /// Key presses that did not count: more than a caller can mean.
    pub keys_dropped: u64,
    /// How often the caller interrupted the agent, and something was not heard for it.
    pub interruptions: u64,
    /// Frames sent to the caller.
    pub sent: u64,
    /// Speech of the agent that was dropped because too much was waiting.
    pub dropped: Duration,
    /// How late frames were sent.
    pub late: Lateness,
}

impl Meter {
    /// What happened to the caller's packets; nothing before the first. What error correction brought back is not lost.
    pub fn path(&self, round_trip: Duration) -> Option<NetworkPath> {
        let all = self.received + self.lost;
        if all == 0 {
            return None;
        }
        let share = self.lost as f64 / all as f64;
        let mean_burst = self.lost as f64 / self.gaps.max(1) as f64;
        Some(NetworkPath {
            loss: (self.lost - self.recovered.min(self.lost)) as f64 / all as f64,
            // By chance a burst would be 1 / (1 - loss) long.
            burst_ratio: (mean_burst * (1.0 - share)).max(1.0),
            round_trip,
        })
    }
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
    fn what_was_recovered_is_not_lost_and_long_gaps_are_bursts() {
        let meter = Meter { received: 90, lost: 10, gaps: 2, recovered: 2, ..Meter::default() };

        let path = meter.path(Duration::ZERO).expect("packets came");

        assert_eq!((path.loss, path.burst_ratio), (0.08, 4.5));
        assert_eq!(Meter::default().path(Duration::ZERO), None);
    }

    #[test]
    fn percentiles_are_those_of_the_frames_noted() {
        let mut late = Lateness::default();
        (0..98).for_each(|_| late.note(Duration::from_micros(400)));
        (0..2).for_each(|_| late.note(Duration::from_secs(7)));

        assert_eq!((late.percentile(50), late.percentile(98), late.percentile(99)), (0, 0, 100));
        assert_eq!((Lateness::default().percentile(99), late.last()), (0, Duration::from_secs(7)));
    }
}
