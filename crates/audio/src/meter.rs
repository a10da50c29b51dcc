//! Counters of a call's audio: packets, loss, concealment, DTMF, interruptions, lateness.

use crate::NetworkPath;
use std::time::Duration;

/// The counters of one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meter {
    /// Packets of the caller that were accepted.
    pub received: u64,
    /// Packets of the caller that came twice.
    pub duplicates: u64,
    /// Packets of the caller that came after their gap was closed.
    pub tardy: u64,
    /// Packets of the caller that never came in time.
    pub lost: u64,
    /// Runs of lost packets, whatever their length.
    pub gaps: u64,
    /// Lost packets recovered by FEC.
    pub recovered: u64,
    /// Lost packets concealed (packet loss concealment).
    pub concealed: u64,
    /// Packets of a payload type that was not negotiated.
    pub foreign: u64,
    /// Packets that could not be parsed.
    pub malformed: u64,
    /// Packets dropped because more audio came than the time elapsed allows.
    pub flooded: u64,
    /// How often the caller's stream began again, with another SSRC or distant sequence numbers.
    pub restarts: u64,
    /// Frames of silence filled in because no packets came.
    pub filled: u64,
    /// Frames of the caller silenced by the echo gate.
    pub gated: u64,
    /// DTMF digits pressed by the caller.
    pub keys: u64,
    /// DTMF digits over the limit, which were dropped.
    pub keys_dropped: u64,
    /// Interruptions by the caller that cut speech of the agent.
    pub interruptions: u64,
    /// Frames sent to the caller.
    pub sent: u64,
    /// Speech of the agent dropped because the playout queue was full.
    pub dropped: Duration,
    /// How late frames were sent to the caller.
    pub late: Lateness,
}

impl Meter {
    /// Returns the network path of the caller's packets, or `None` before the first. Packets recovered by FEC do not
    /// count as lost.
    pub fn path(&self, round_trip: Duration) -> Option<NetworkPath> {
        let all = self.received + self.lost;
        if all == 0 {
            return None;
        }
        let share = self.lost as f64 / all as f64;
        let mean_burst = self.lost as f64 / self.gaps.max(1) as f64;
        Some(NetworkPath {
            loss: (self.lost - self.recovered.min(self.lost)) as f64 / all as f64,
            // With random loss the mean burst is 1 / (1 - loss) packets long.
            burst_ratio: (mean_burst * (1.0 - share)).max(1.0),
            round_trip,
        })
    }
}

/// A histogram of the lateness of frames in milliseconds, up to [`Lateness::WORST`].
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
    /// The last bucket: frames this many ms late or later.
    pub const WORST: usize = 100;

    /// Counts a frame that was sent `late`.
    pub fn note(&mut self, late: Duration) {
        self.counts[(late.as_millis() as usize).min(Self::WORST)] += 1;
        self.last = late;
    }

    /// Returns the lateness of the last frame, zero before the first.
    pub fn last(&self) -> Duration {
        self.last
    }

    /// Returns the lateness in ms that this per cent of the frames did not exceed, zero without frames.
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
    fn recovered_packets_are_not_lost_and_long_gaps_are_bursts() {
        let meter = Meter { received: 90, lost: 10, gaps: 2, recovered: 2, ..Meter::default() };

        let path = meter.path(Duration::ZERO).expect("packets came");

        assert_eq!((path.loss, path.burst_ratio), (0.08, 4.5));
        assert_eq!(Meter::default().path(Duration::ZERO), None);
    }

    #[test]
    fn percentiles_are_computed_over_counted_frames() {
        let mut late = Lateness::default();
        (0..98).for_each(|_| late.note(Duration::from_micros(400)));
        (0..2).for_each(|_| late.note(Duration::from_secs(7)));

        assert_eq!((late.percentile(50), late.percentile(98), late.percentile(99)), (0, 0, 100));
        assert_eq!((Lateness::default().percentile(99), late.last()), (0, Duration::from_secs(7)));
    }
}
