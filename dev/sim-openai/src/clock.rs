//! Notices when the audio a client writes falls behind real time, or runs ahead of it.

use std::time::{Duration, Instant};

/// More than a jittery network takes.
const TOLERANCE: Duration = Duration::from_millis(500);

/// Two clocks side by side: the wall's, and that of the audio written.
#[derive(Debug, Default)]
pub(crate) struct AudioClock {
    since: Option<Instant>,
    written: Duration,
}

impl AudioClock {
    /// Counts audio in. Complains once for each gap or leap: after it, both clocks start anew.
    pub(crate) fn handle_audio(&mut self, length: Duration, now: Instant) -> Option<String> {
        let since = *self.since.get_or_insert(now);
        let passed = now.duration_since(since);
        let complaint = self.complaint(passed);
        match complaint {
            Some(_) => *self = Self { since: Some(now), written: length },
            None => self.written += length,
        }
        complaint
    }

    fn complaint(&self, passed: Duration) -> Option<String> {
        let behind = passed.saturating_sub(self.written);
        let ahead = self.written.saturating_sub(passed);
        if behind > TOLERANCE {
            Some(format!("a gap in the audio: {} ms are missing", behind.as_millis()))
        } else if ahead > TOLERANCE {
            Some(format!("audio comes faster than it is spoken: {} ms ahead", ahead.as_millis()))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_stream_is_fine_for_an_hour() {
        let (mut clock, start) = (AudioClock::default(), Instant::now());

        let complaints = (0..180_000).filter_map(|n| clock.handle_audio(ms(20), start + ms(20 * n)));

        assert_eq!(complaints.count(), 0);
    }

    #[test]
    fn a_gap_is_reported_once() {
        let (mut clock, start) = (AudioClock::default(), Instant::now());
        clock.handle_audio(ms(20), start);

        let gap = clock.handle_audio(ms(20), start + ms(800));

        assert_eq!(gap.as_deref(), Some("a gap in the audio: 780 ms are missing"));
        assert_eq!(clock.handle_audio(ms(20), start + ms(820)), None);
    }

    #[test]
    fn a_backlog_sent_at_once_is_reported() {
        let (mut clock, start) = (AudioClock::default(), Instant::now());
        clock.handle_audio(ms(3_000), start);

        let leap = clock.handle_audio(ms(20), start + ms(20));

        assert_eq!(leap.as_deref(), Some("audio comes faster than it is spoken: 2980 ms ahead"));
    }

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }
}
